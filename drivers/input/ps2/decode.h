/* drivers/input/ps2/decode.h - bytes of PS/2 keyboards (scan code set 1) and mice as reports of abi/proto/input.h. Pure.
 *
 * Sources: IBM PS/2 Hardware Interface Technical Reference, "Keyboards"; Microsoft, "Keyboard Scan Code Specification" 1.3a (extended keys) and
 * the IntelliMouse's fourth byte (its wheel).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/proto/input.h"
#include "lib/base/attr.h"

enum { DECODE_REPORTS_MAX = 10 };       /* that one byte can make */

struct ps2_keyboard {
	bool is_extended;               /* 0xe0 came */
	uint8_t skip;                   /* bytes of a Pause key still to come */
};

struct ps2_mouse {
	bool has_wheel;                 /* packets are of four bytes */
	uint8_t packet[4], bytes;
	uint8_t buttons;                /* that are down */
};

/* Each: the reports that this byte ends, how many. */
size_t ps2_keyboard_byte(struct ps2_keyboard *k, uint8_t byte, struct input_raw out[DECODE_REPORTS_MAX]) NONNULL MUST_CHECK;
size_t ps2_mouse_byte(struct ps2_mouse *m, uint8_t byte, struct input_raw out[DECODE_REPORTS_MAX]) NONNULL MUST_CHECK;
