/* servers/console/options.c - takes the command line apart. */
#include "servers/console/options.h"
#include "lib/base/number.h"
#include "lib/base/string.h"

enum { SIZE_MAX_SANE = 1000 };

/* The value of name=value, or NULL. */
static const char *value_of(const char *word, size_t bytes, const char *name, size_t *value_bytes)
{
	size_t name_bytes = strlen(name);

	if (bytes <= name_bytes || memcmp(word, name, name_bytes) || word[name_bytes] != '=')
		return NULL;
	*value_bytes = bytes - name_bytes - 1;
	return word + name_bytes + 1;
}

static void take_size(const char *word, size_t bytes, const char *name, uint16_t *out)
{
	size_t value_bytes;
	const char *value = value_of(word, bytes, name, &value_bytes);
	uint64_t number;

	if (value && !number_parse(value, value_bytes, 10, &number) && number > 0 && number <= SIZE_MAX_SANE)
		*out = (uint16_t)number;
}

static void take_word(struct options *o, const char *word, size_t bytes)
{
	take_size(word, bytes, "rows", &o->rows);
	take_size(word, bytes, "columns", &o->columns);
}

void options_parse(struct options *o, const char *line, size_t bytes)
{
	size_t start = 0;

	*o = (struct options){ 0 };
	for (size_t i = 0; i <= bytes; i++)
		if (i == bytes || line[i] == ' ' || line[i] == 0) {
			take_word(o, line + start, i - start);
			start = i + 1;
		}
}
