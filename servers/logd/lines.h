/* servers/logd/lines.h - cuts what a program writes into lines that are fit to be shown. */
#pragma once
#include <stddef.h>
#include "lib/base/attr.h"

enum { LINE_BYTES_MAX = 512 };

/* One writer. Zeroed is the beginning. */
struct lines {
	char text[LINE_BYTES_MAX];
	size_t used;
};

/* Calls line() for each line that text completes; the rest waits for more. A line too long is cut in two. Control characters
 * become "?", so that nobody writes to the reader's terminal but text. The line has no newline and is not ended by 0. */
void lines_add(struct lines *l, const char *text, size_t bytes, void (*line)(void *context, const char *text, size_t bytes), void *context);
/* What waits is a line now. */
void lines_flush(struct lines *l, void (*line)(void *context, const char *text, size_t bytes), void *context);
