/* lib/keymap/keymap.h - what a key means: keyboard layouts, dead keys, locks. Pure.
 *
 * Keys are numbered by their place as in abi/proto/input.h; symbols are Unicode characters, and a dead key's the combining character (U+0300
 * to U+036F) that it puts on the next one. Source of the layouts: the national standards that they are named after, and DIN 2137 (de), BS 4822 (uk).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

enum keymap_key {
	KEY_ESCAPE = 1, KEY_BACKSPACE = 14, KEY_TAB = 15, KEY_ENTER = 28, KEY_LEFT_CONTROL = 29, KEY_LEFT_SHIFT = 42, KEY_RIGHT_SHIFT = 54,
	KEY_PAD_STAR = 55, KEY_LEFT_ALT = 56, KEY_SPACE = 57, KEY_CAPS_LOCK = 58, KEY_F1 = 59, KEY_F10 = 68, KEY_NUM_LOCK = 69, KEY_SCROLL_LOCK = 70,
	KEY_PAD_7 = 71, KEY_PAD_DOT = 83, KEY_F11 = 87, KEY_F12 = 88, KEY_PAD_ENTER = 96, KEY_RIGHT_CONTROL = 97, KEY_PAD_SLASH = 98, KEY_PRINT = 99,
	KEY_RIGHT_ALT = 100, KEY_HOME = 102, KEY_UP, KEY_PAGE_UP, KEY_LEFT, KEY_RIGHT, KEY_END, KEY_DOWN, KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE,
	KEY_PAUSE = 119, KEY_LEFT_SUPER = 125, KEY_RIGHT_SUPER = 126, KEY_MENU = 127,
};

struct keymap;

/* NULL: there is none of this name. */
const struct keymap *keymap_find(const char *name, size_t bytes) NONNULL;
/* The n-th, NULL: not so many; and its name. */
const struct keymap *keymap_nth(uint32_t n);
const char *keymap_name(const struct keymap *k) NONNULL;
/* The modifier that a key is (enum input_modifiers; a lock's, for the keys that toggle them); 0: none. */
uint32_t keymap_modifier(const struct keymap *k, uint16_t code) NONNULL;
/* The key that `code` stands for: those of the number pad are others while its lock is off. */
uint16_t keymap_key(uint16_t code, uint32_t modifiers);
/* What the key (of keymap_key) types with these modifiers: a character, a combining one for a dead key, or 0: none. */
uint32_t keymap_symbol(const struct keymap *k, uint16_t key, uint32_t modifiers) NONNULL;
static inline bool keymap_is_dead(uint32_t symbol) { return symbol >= 0x300 && symbol < 0x370; }
/* A dead key and what came next as one character; 0: there is none. A blank or the same key again gives the accent itself. */
uint32_t keymap_compose(uint32_t dead, uint32_t symbol);
/* The accent as a character of its own. */
uint32_t keymap_accent(uint32_t dead);
