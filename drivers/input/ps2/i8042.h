/* drivers/input/ps2/i8042.h - the PC's keyboard controller and the keyboard and mouse behind it.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller". A controller that does not answer is left alone:
 * every wait is bounded, and every byte may be anything.
 */
#pragma once
#include "abi/error.h"
#include "drivers/input/ps2/decode.h"

/* Ports 0x60 (data) and 0x64 (status and commands). */
struct i8042_ports {
	uint8_t (*in)(uint32_t port);
	void (*out)(uint32_t port, uint8_t value);
};

enum i8042_who { I8042_KEYBOARD, I8042_MOUSE, I8042_NOBODY };

struct i8042 {
	const struct i8042_ports *ports;
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	bool has_mouse;
	uint8_t lights, lights_sent;    /* that are to be on; that the keyboard was told: bits of the LED command */
	uint8_t lights_step;            /* acknowledgements of that still to come */
};

/* Starts the controller and what is there. NODEV: no controller, or one that does not answer. */
err_t i8042_start(struct i8042 *c, const struct i8042_ports *ports) NONNULL MUST_CHECK;
/* The next byte's reports (*count, perhaps none) and whose they are; I8042_NOBODY: no byte waits. */
enum i8042_who i8042_next(struct i8042 *c, struct input_raw out[DECODE_REPORTS_MAX], size_t *count) NONNULL;
/* lights: enum input_lights. */
void i8042_set_lights(struct i8042 *c, uint32_t lights) NONNULL;
