/* servers/logd/lines.c - cuts what a program writes into lines that are fit to be shown. */
#include "servers/logd/lines.h"

static char shown(char c)
{
	return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f ? '?' : c;
}

void lines_flush(struct lines *l, void (*line)(void *context, const char *text, size_t bytes), void *context)
{
	if (l->used > 0)
		line(context, l->text, l->used);
	l->used = 0;
}

void lines_add(struct lines *l, const char *text, size_t bytes, void (*line)(void *context, const char *text, size_t bytes), void *context)
{
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\n') {
			lines_flush(l, line, context);
			continue;
		}
		if (text[i] == '\r')
			continue;
		if (l->used == LINE_BYTES_MAX)
			lines_flush(l, line, context);
		l->text[l->used++] = shown(text[i]);
	}
}
