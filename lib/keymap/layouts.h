/* lib/keymap/layouts.h - how a layout is written down (internal to lib/keymap). */
#pragma once
#include "lib/keymap/keymap.h"

enum { KEYMAP_ROWS = 4, KEYMAP_LEVELS = 3 };    /* plain, with Shift, with AltGr */

struct keymap {
	const char *name;               /* NULL: the end of the list */
	/* Characters of the keys of a row from left to right, ended by a 0; NULL: none. */
	const uint32_t *row[KEYMAP_ROWS][KEYMAP_LEVELS];
};

struct keymap_dead {
	uint32_t dead, accent;
	const uint32_t *pairs;          /* a letter, and what it becomes, in turn; ended by a 0 */
};

extern const struct keymap keymaps[];
extern const struct keymap_dead keymap_deads[];
