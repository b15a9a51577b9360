/* servers/procd/text.h - the part of a generated text that a reader wants.
 *
 * A file of /proc is written anew for each read; of all that is written, the window keeps what lies
 * in [offset, offset + bytes).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct text {
	char *to;
	size_t room;
	size_t used;                    /* how much of room is filled: the read's result */
	uint64_t skip;                  /* how much still comes before the window */
};

static inline struct text text_window(void *to, size_t room, uint64_t offset)
{
	return (struct text){ .to = to, .room = room, .skip = offset };
}

void text_add(struct text *t, const void *from, size_t bytes) NONNULL;
void text_string(struct text *t, const char *s) NONNULL;
/* fmt's language; at most 511 bytes at once. */
void text_format(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
/* Whether all that the reader wants is there. */
static inline int text_is_full(const struct text *t) { return t->used == t->room; }
