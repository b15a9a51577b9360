/* servers/console/options.h - what the kernel's command line says to the console.
 *
 * rows=N columns=N    the size of the terminal at the other end of the serial line
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct options {
	uint16_t rows, columns;         /* 0: not said */
};

/* Words that are not for us, and values that make no sense, are passed over. */
void options_parse(struct options *o, const char *line, size_t bytes) NONNULL;
