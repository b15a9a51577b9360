/* drivers/input/ps2/decode.c - keys are numbered as in set 1 but for the extended ones; mice send packets of three or four bytes. */
#include "drivers/input/ps2/decode.h"
#include "lib/keymap/keymap.h"

enum { EXTENDED = 0xe0, PAUSE = 0xe1, PAUSE_REST = 5, RELEASED = 0x80, PLAIN_MAX = KEY_F12, PLAIN_PRINT = 0x54, KEY_MUTE = 113, KEY_QUIETER, KEY_LOUDER };
enum { PACKET_ALWAYS = 1 << 3, PACKET_X_SIGN = 1 << 4, PACKET_Y_SIGN = 1 << 5, PACKET_OVERFLOW = 3 << 6, PACKET_BUTTONS = 7 };

static size_t put(struct input_raw *out, size_t n, uint16_t type, uint16_t code, int32_t value)
{
	out[n] = (struct input_raw){ .type = type, .code = code, .value = value };
	return n + 1;
}

/* ---- The keyboard ---------------------------------------------------------------------------------------------------- */

/* 0: no key that anybody knows, or one of the shifts that surround some keys. */
static uint16_t extended_key(uint8_t code)
{
	static const uint8_t keys[128] = {
		[0x1c] = KEY_PAD_ENTER, [0x1d] = KEY_RIGHT_CONTROL, [0x20] = KEY_MUTE, [0x2e] = KEY_QUIETER, [0x30] = KEY_LOUDER,
		[0x35] = KEY_PAD_SLASH, [0x37] = KEY_PRINT, [0x38] = KEY_RIGHT_ALT, [0x46] = KEY_PAUSE, [0x47] = KEY_HOME, [0x48] = KEY_UP,
		[0x49] = KEY_PAGE_UP, [0x4b] = KEY_LEFT, [0x4d] = KEY_RIGHT, [0x4f] = KEY_END, [0x50] = KEY_DOWN, [0x51] = KEY_PAGE_DOWN,
		[0x52] = KEY_INSERT, [0x53] = KEY_DELETE, [0x5b] = KEY_LEFT_SUPER, [0x5c] = KEY_RIGHT_SUPER, [0x5d] = KEY_MENU,
	};

	return keys[code & ~RELEASED & 0xff];
}

static uint16_t plain_key(uint8_t code)
{
	code &= (uint8_t)~RELEASED;
	return code == PLAIN_PRINT ? KEY_PRINT : code <= PLAIN_MAX ? code : 0;
}

size_t ps2_keyboard_byte(struct ps2_keyboard *k, uint8_t byte, struct input_raw out[DECODE_REPORTS_MAX])
{
	uint16_t key = k->is_extended ? extended_key(byte) : plain_key(byte);
	size_t n = 0;

	if (k->skip > 0) {
		k->skip--;
		return 0;
	}
	if (byte == EXTENDED) {
		k->is_extended = true;
		return 0;
	}
	k->is_extended = false;
	if (byte == PAUSE) {            /* it says only that it was pressed */
		k->skip = PAUSE_REST;
		n = put(out, n, INPUT_KEY, KEY_PAUSE, INPUT_DOWN);
		n = put(out, n, INPUT_KEY, KEY_PAUSE, INPUT_UP);
	} else if (key) {
		n = put(out, n, INPUT_KEY, key, byte & RELEASED ? INPUT_UP : INPUT_DOWN);
	}
	return n ? put(out, n, INPUT_SYNC, 0, 0) : 0;
}

/* ---- The mouse ------------------------------------------------------------------------------------------------------- */

static size_t motion(const struct ps2_mouse *m, struct input_raw *out, size_t n)
{
	uint8_t first = m->packet[0];
	int32_t x = m->packet[1] - (first & PACKET_X_SIGN ? 256 : 0), y = m->packet[2] - (first & PACKET_Y_SIGN ? 256 : 0);

	if (first & PACKET_OVERFLOW)
		return n;
	if (x)
		n = put(out, n, INPUT_RELATIVE, INPUT_X, x);
	if (y)
		n = put(out, n, INPUT_RELATIVE, INPUT_Y, -y);   /* a mouse's y grows away from the user */
	return n;
}

static size_t buttons(struct ps2_mouse *m, struct input_raw *out, size_t n)
{
	static const uint16_t code[] = { INPUT_BUTTON_LEFT, INPUT_BUTTON_RIGHT, INPUT_BUTTON_MIDDLE };
	uint8_t now = m->packet[0] & PACKET_BUTTONS, changed = now ^ m->buttons;

	m->buttons = now;
	for (uint32_t i = 0; i < 3; i++)
		if (changed & 1 << i)
			n = put(out, n, INPUT_KEY, code[i], now >> i & 1);
	return n;
}

size_t ps2_mouse_byte(struct ps2_mouse *m, uint8_t byte, struct input_raw out[DECODE_REPORTS_MAX])
{
	size_t n;

	/* A packet's first byte is known by this bit: what comes before it is the rest of one whose beginning was lost. */
	if (m->bytes == 0 && !(byte & PACKET_ALWAYS))
		return 0;
	m->packet[m->bytes++] = byte;
	if (m->bytes < (m->has_wheel ? 4 : 3))
		return 0;
	m->bytes = 0;
	n = motion(m, out, 0);
	n = buttons(m, out, n);
	if (m->has_wheel && m->packet[3])
		n = put(out, n, INPUT_RELATIVE, INPUT_WHEEL, -(int8_t)m->packet[3]);
	return n ? put(out, n, INPUT_SYNC, 0, 0) : 0;
}
