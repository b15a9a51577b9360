/* servers/init/words.h - lines of words: what init.rc and manifests are made of. Pure.
 *
 * Words are separated by blanks; "..." holds them together; # begins a comment.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { WORDS_MAX = 32 };

struct words {
	uint32_t count;
	uint32_t at;                    /* the one that is being looked at: who finds a mistake leaves it there */
	char *word[WORDS_MAX];
};

/* A mistake, and where. what and word are valid as long as the text. */
struct words_error {
	const char *file;
	uint32_t line;
	const char *what;
	const char *word;               /* or NULL: the line as a whole */
};

/* A text that is read line by line. It is cut into words in place. */
struct words_reader {
	char *next, *end;
	uint32_t line;                  /* of the last one given */
};

static inline void words_reader_init(struct words_reader *r, char *text, size_t bytes)
{
	*r = (struct words_reader){ .next = text, .end = text + bytes };
}
/* The next line with words in it. False: there is none. *mistake: what is wrong with it (w has the words before that), or NULL. */
bool words_next_line(struct words_reader *r, struct words *w, const char **mistake) NONNULL;

/* Appends all words of w but the first. What is wrong, or NULL. */
const char *words_add(struct words *to, struct words *w) NONNULL;
bool words_have(const struct words *w, const char *word) NONNULL;
/* What follows NAME= in word; NULL: it is something else. */
char *words_value(char *word, const char *name) NONNULL;

/* Each: false when the word is no such thing, or too large. */
bool word_is_number(const char *word, uint32_t *out) NONNULL;
/* 4096, 64K, 16M, 1G. */
bool word_is_bytes(const char *word, uint64_t *out) NONNULL;
/* 50ms, 5s. */
bool word_is_time(const char *word, uint64_t *out_ns) NONNULL;
/* Hexadecimal, of at most so many digits, ended by `end`; *rest is then behind it. */
bool word_is_hex(const char *word, size_t digits, char end, uint32_t *out, const char **rest) NONNULL;

/* The value of name=value among the blank-separated words of a command line, into to; dflt when it is not there. */
void words_option(const char *line, size_t line_bytes, const char *name, const char *dflt, char *to, size_t bytes) NONNULL;
