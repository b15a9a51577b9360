/* servers/console/keyboard.h - from scan codes of a PC keyboard (set 1) to what a terminal sends, US layout. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"
#include "servers/console/ports.h"

enum { KEYBOARD_BYTES_MAX = 8 };

struct keyboard {
	bool shift[2], control[2], alt[2];      /* left, right: is it down? */
	bool caps_lock, num_lock;
	bool extended;                  /* 0xe0 came */
	uint8_t skip;                   /* bytes of a Pause key still to come */
};

/* The terminal's modes that change what keys send. */
struct keyboard_modes { bool application_cursor, application_keypad, newline; };

/* What a byte from the keyboard makes typed: how many bytes in out. */
size_t keyboard_code(struct keyboard *k, uint8_t code, const struct keyboard_modes *modes, uint8_t out[KEYBOARD_BYTES_MAX]) NONNULL MUST_CHECK;

/* The controller (i8042), a range of ports from 0x60 to 0x64. False: there is none. */
bool i8042_init(const struct ports *p) NONNULL MUST_CHECK;
/* The next byte from the keyboard; false: none. What a mouse sends is dropped. */
bool i8042_read(const struct ports *p, uint8_t *code) NONNULL MUST_CHECK;
