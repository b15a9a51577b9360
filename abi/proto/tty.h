/* abi/proto/tty.h - structs of the terminal protocol (tty.def). Flag bits and control
 * character indexes have Linux's values (asm-generic/termbits.h): see lib/tty. */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum tty_when { TTY_NOW = 0, TTY_AFTER_OUTPUT = 1, TTY_FLUSH_INPUT = 2 };

struct tty_modes {
	uint32_t input, output, control, local;
	uint8_t line;
	uint8_t chars[19];              /* VINTR ... as Linux's c_cc */
	uint32_t input_speed, output_speed;
};

struct tty_size { uint16_t rows, columns, x_pixels, y_pixels; };
