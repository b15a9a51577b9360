/* servers/init/words.c - from text to lines, from lines to words, from words to numbers. */
#include "servers/init/words.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the word at *at out of the line and ends it with a 0; NULL when the line has no more. *mistake when a quote stays open. */
static char *word_take(char **at, const char **mistake)
{
	char *p = *at, *word;

	while (is_blank(*p))
		p++;
	if (!*p || *p == '#') {
		*at = p;
		return NULL;
	}
	if (*p == '"') {
		word = ++p;
		while (*p && *p != '"')
			p++;
		if (!*p)
			*mistake = "a quote is not closed";
	} else {
		word = p;
		while (*p && !is_blank(*p))
			p++;
	}
	if (*p)
		*p++ = 0;
	*at = p;
	return word;
}

static const char *split(char *line, struct words *out)
{
	const char *mistake = NULL;
	char *word;

	out->count = out->at = 0;
	while (!mistake && (word = word_take(&line, &mistake))) {
		if (out->count == WORDS_MAX)
			return "too many words";
		out->word[out->count++] = word;
	}
	return mistake;
}

/* The last line needs room for its 0, which its newline gives. */
bool words_next_line(struct words_reader *r, struct words *w, const char **mistake)
{
	while (r->next < r->end) {
		char *line = r->next, *newline = memchr(line, '\n', (size_t)(r->end - line));
		r->line++;
		r->next = newline ? newline + 1 : r->end;
		if (newline)
			*newline = 0;
		w->count = w->at = 0;
		*mistake = newline ? split(line, w) : "the last line has no end";
		if (*mistake || w->count > 0)
			return true;
	}
	return false;
}

const char *words_add(struct words *to, struct words *w)
{
	for (w->at = 1; w->at < w->count; w->at++) {
		if (to->count == WORDS_MAX)
			return "too many words";
		to->word[to->count++] = w->word[w->at];
	}
	return NULL;
}

bool words_have(const struct words *w, const char *word)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (strcmp(w->word[i], word) == 0)
			return true;
	return false;
}

char *words_value(char *word, const char *name)
{
	size_t bytes = strlen(name);

	return string_starts_with(word, name) && word[bytes] == '=' ? word + bytes + 1 : NULL;
}

bool word_is_number(const char *word, uint32_t *out)
{
	uint64_t n;

	if (number_parse(word, strlen(word), 10, &n) || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* A number and one of these units behind it. */
struct unit {
	const char *name;
	uint64_t factor;
};

static bool is_measure(const char *word, const struct unit *units, size_t count, uint64_t *out)
{
	size_t bytes = strlen(word), digits;
	uint64_t n;

	if ((digits = number_scan(word, bytes, 10, &n)) == 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(word + digits, units[i].name) == 0)
			return !__builtin_mul_overflow(n, units[i].factor, out);
	return false;
}

bool word_is_bytes(const char *word, uint64_t *out)
{
	static const struct unit units[] = { { "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 } };

	return is_measure(word, units, ARRAY_COUNT(units), out);
}

bool word_is_time(const char *word, uint64_t *out_ns)
{
	static const struct unit units[] = { { "ms", 1000000 }, { "s", 1000000000 } };

	return is_measure(word, units, ARRAY_COUNT(units), out_ns);
}

bool word_is_hex(const char *word, size_t digits, char end, uint32_t *out, const char **rest)
{
	uint64_t n;
	size_t found = number_scan(word, strnlen(word, digits), 16, &n);

	if (found == 0 || word[found] != end)
		return false;
	*out = (uint32_t)n;
	*rest = word + found + (end != 0);
	return true;
}

void words_option(const char *line, size_t line_bytes, const char *name, const char *dflt, char *to, size_t bytes)
{
	size_t name_bytes = strlen(name);

	string_copy(to, dflt, bytes);
	for (size_t i = 0; i < line_bytes;) {
		size_t start = i;
		while (i < line_bytes && !is_blank(line[i]) && line[i] != '\n' && line[i])
			i++;
		if (i - start > name_bytes && memcmp(line + start, name, name_bytes) == 0 && line[start + name_bytes] == '=')
			string_copy_counted(to, bytes, line + start + name_bytes + 1, i - start - name_bytes - 1);
		i++;
	}
}
