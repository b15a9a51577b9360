/* drivers/input/ps2/i8042.c - commands to the controller, and whose the bytes are. */
#include "drivers/input/ps2/i8042.h"

enum { DATA = 0x60, STATUS = 0x64, COMMAND = 0x64 };
enum { STATUS_FULL = 1 << 0, STATUS_BUSY = 1 << 1, STATUS_MOUSE = 1 << 5 };
enum { READ_CONFIG = 0x20, WRITE_CONFIG = 0x60, DISABLE_MOUSE = 0xa7, ENABLE_MOUSE = 0xa8, DISABLE_KEYBOARD = 0xad, ENABLE_KEYBOARD = 0xae, TO_MOUSE = 0xd4 };
enum { CONFIG_INTERRUPTS = 3, CONFIG_NO_DEVICE = 3 << 4, CONFIG_TRANSLATE = 1 << 6 };
enum { SET_LIGHTS = 0xed, GET_ID = 0xf2, SET_RATE = 0xf3, START = 0xf4, DEFAULTS = 0xf6, ACKNOWLEDGE = 0xfa, RESEND = 0xfe, ID_WHEEL = 3 };
enum { LIGHT_SCROLL = 1 << 0, LIGHT_NUM = 1 << 1, LIGHT_CAPS = 1 << 2 };
enum { TRIES = 2000, BYTES_PENDING_MAX = 64, NO_BYTE = -1 };

static bool wait_for(const struct i8042 *c, uint8_t bit, bool set)
{
	for (uint32_t i = 0; i < TRIES; i++)
		if (!!(c->ports->in(STATUS) & bit) == set)
			return true;
	return false;
}

static bool send(const struct i8042 *c, uint32_t port, uint8_t byte)
{
	if (!wait_for(c, STATUS_BUSY, false))
		return false;
	c->ports->out(port, byte);
	return true;
}

static int receive(const struct i8042 *c)
{
	return wait_for(c, STATUS_FULL, true) ? c->ports->in(DATA) : NO_BYTE;
}

static void drop_pending(const struct i8042 *c)
{
	for (uint32_t i = 0; i < BYTES_PENDING_MAX && c->ports->in(STATUS) & STATUS_FULL; i++)
		(void)c->ports->in(DATA);
}

/* ---- Start ----------------------------------------------------------------------------------------------------------- */

/* One byte to a device, and its acknowledgement. */
static bool ask_keyboard(const struct i8042 *c, uint8_t byte)
{
	return send(c, DATA, byte) && receive(c) == ACKNOWLEDGE;
}

static bool ask_mouse(const struct i8042 *c, uint8_t byte)
{
	return send(c, COMMAND, TO_MOUSE) && send(c, DATA, byte) && receive(c) == ACKNOWLEDGE;
}

/* A mouse that has a wheel says so after these three rates. */
static bool mouse_has_wheel(const struct i8042 *c)
{
	static const uint8_t knock[] = { 200, 100, 80 };

	for (uint32_t i = 0; i < sizeof(knock); i++)
		if (!ask_mouse(c, SET_RATE) || !ask_mouse(c, knock[i]))
			return false;
	return ask_mouse(c, GET_ID) && receive(c) == ID_WHEEL;
}

static bool mouse_start(struct i8042 *c)
{
	if (!send(c, COMMAND, ENABLE_MOUSE) || !ask_mouse(c, DEFAULTS))
		return false;
	c->mouse.has_wheel = mouse_has_wheel(c);
	return ask_mouse(c, START);
}

err_t i8042_start(struct i8042 *c, const struct i8042_ports *ports)
{
	int config;

	*c = (struct i8042){ .ports = ports };
	if (ports->in(STATUS) == 0xff || !send(c, COMMAND, DISABLE_KEYBOARD) || !send(c, COMMAND, DISABLE_MOUSE))
		return ERR_NODEV;
	drop_pending(c);
	if (!send(c, COMMAND, READ_CONFIG) || (config = receive(c)) == NO_BYTE)
		return ERR_NODEV;
	/* No interrupts yet: answers to commands are read here. */
	config = (config & ~(CONFIG_INTERRUPTS | CONFIG_NO_DEVICE)) | CONFIG_TRANSLATE;
	if (!send(c, COMMAND, WRITE_CONFIG) || !send(c, DATA, (uint8_t)config))
		return ERR_NODEV;
	c->has_mouse = mouse_start(c);
	drop_pending(c);
	if (!send(c, COMMAND, ENABLE_KEYBOARD))
		return ERR_NODEV;
	(void)ask_keyboard(c, START);   /* who does not answer is not plugged in: it may be later */
	drop_pending(c);
	if (!send(c, COMMAND, WRITE_CONFIG) || !send(c, DATA, (uint8_t)(config | CONFIG_INTERRUPTS)))
		return ERR_NODEV;
	return OK;
}

/* ---- Lights ---------------------------------------------------------------------------------------------------------- */

static void lights_begin(struct i8042 *c)
{
	if (c->lights == c->lights_sent || c->lights_step > 0 || !send(c, DATA, SET_LIGHTS))
		return;
	c->lights_sent = c->lights;
	c->lights_step = 2;
}

/* The command's first byte, then the lights, are acknowledged. */
static void lights_go_on(struct i8042 *c)
{
	if (c->lights_step == 0)
		return;
	c->lights_step--;
	if (c->lights_step == 1 && !send(c, DATA, c->lights_sent))
		c->lights_step = 0;
	lights_begin(c);
}

void i8042_set_lights(struct i8042 *c, uint32_t lights)
{
	c->lights = (lights & INPUT_SCROLL_LOCK ? LIGHT_SCROLL : 0) | (lights & INPUT_NUM_LOCK ? LIGHT_NUM : 0) |
	            (lights & INPUT_CAPS_LOCK ? LIGHT_CAPS : 0);
	lights_begin(c);
}

/* ---- Bytes ----------------------------------------------------------------------------------------------------------- */

enum i8042_who i8042_next(struct i8042 *c, struct input_raw out[DECODE_REPORTS_MAX], size_t *count)
{
	uint8_t status = c->ports->in(STATUS), byte;

	*count = 0;
	if (!(status & STATUS_FULL) || status == 0xff)
		return I8042_NOBODY;
	byte = c->ports->in(DATA);
	if (status & STATUS_MOUSE) {
		*count = ps2_mouse_byte(&c->mouse, byte, out);
		return I8042_MOUSE;
	}
	if (byte == ACKNOWLEDGE)
		lights_go_on(c);
	else if (byte == RESEND)
		c->lights_step = 0;
	else
		*count = ps2_keyboard_byte(&c->keyboard, byte, out);
	return I8042_KEYBOARD;
}
