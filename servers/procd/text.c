/* servers/procd/text.c - text through a window. */
#include "servers/procd/text.h"
#include <stdarg.h>
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

enum { LINE_MAX = 512 };

void text_add(struct text *t, const void *from, size_t bytes)
{
	size_t skipped = MIN_OF(t->skip, (uint64_t)bytes);
	size_t count = MIN_OF(bytes - skipped, t->room - t->used);

	t->skip -= skipped;
	if (count)
		memcpy(t->to + t->used, (const char *)from + skipped, count);
	t->used += count;
}

void text_string(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_format(struct text *t, const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;
	size_t bytes;

	va_start(arguments, format);
	bytes = fmt_v(line, sizeof line, format, arguments);
	va_end(arguments);
	text_add(t, line, MIN_OF(bytes, sizeof line - 1));
}
