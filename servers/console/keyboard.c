/* servers/console/keyboard.c - keys to bytes as TERM=linux has them. */
#include "servers/console/keyboard.h"
#include "lib/base/string.h"

enum { EXTENDED = 0xe0, PAUSE = 0xe1, PAUSE_REST = 5, RELEASED = 0x80 };
enum key {
	KEY_CONTROL = 0x1d, KEY_LEFT_SHIFT = 0x2a, KEY_RIGHT_SHIFT = 0x36, KEY_ALT = 0x38, KEY_CAPS = 0x3a, KEY_F1 = 0x3b,
	KEY_F10 = 0x44, KEY_NUM = 0x45, KEY_PAD_FIRST = 0x47, KEY_PAD_LAST = 0x53, KEY_F11 = 0x57, KEY_F12 = 0x58,
	KEY_ENTER = 0x1c, KEY_TAB = 0x0f, KEY_BACKSPACE = 0x0e, KEY_PAD_STAR = 0x37, KEY_SLASH = 0x35,
	KEY_PAD_MINUS = 0x4a, KEY_PAD_PLUS = 0x4e,
};

/* By scan code; \0 for keys that send no character. */
static const char plain[0x3a] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x3a] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
/* The number pad from 0x47 under num lock. */
static const char pad_digits[] = "789-456+1230.";

static size_t put(uint8_t *out, const char *text)
{
	size_t bytes = strlen(text);

	memcpy(out, text, bytes);
	return bytes;
}

static size_t put_final(uint8_t *out, bool application, char final)
{
	out[0] = 0x1b;
	out[1] = application ? 'O' : '[';
	out[2] = (uint8_t)final;
	return 3;
}

/* Home, End, Insert ...: ESC [ number ~ */
static size_t put_number(uint8_t *out, const char *number)
{
	size_t bytes = put(out, "\033[");

	bytes += put(out + bytes, number);
	return bytes + put(out + bytes, "~");
}

/* The keys of the pad's codes when they stand for movement. */
static size_t movement(uint8_t code, bool application, uint8_t *out)
{
	switch (code) {
	case 0x47:
		return put_number(out, "1");
	case 0x48:
		return put_final(out, application, 'A');
	case 0x49:
		return put_number(out, "5");
	case 0x4b:
		return put_final(out, application, 'D');
	case 0x4c:
		return put_final(out, false, 'G');
	case 0x4d:
		return put_final(out, application, 'C');
	case 0x4f:
		return put_number(out, "4");
	case 0x50:
		return put_final(out, application, 'B');
	case 0x51:
		return put_number(out, "6");
	case 0x52:
		return put_number(out, "2");
	case 0x53:
		return put_number(out, "3");
	default:
		return 0;
	}
}

static size_t function(uint8_t code, uint8_t *out)
{
	static const char *const number[] = { "17", "18", "19", "20", "21" };

	if (code < KEY_F1 + 5) {
		size_t bytes = put(out, "\033[[");

		out[bytes] = (uint8_t)('A' + code - KEY_F1);
		return bytes + 1;
	}
	if (code <= KEY_F10)
		return put_number(out, number[code - KEY_F1 - 5]);
	return put_number(out, code == KEY_F11 ? "23" : "24");
}

/* True: the code was of a key that only changes what others mean. */
static bool modifier(struct keyboard *k, uint8_t code, bool down)
{
	switch (code) {
	case KEY_LEFT_SHIFT: case KEY_RIGHT_SHIFT:
		/* Extended, these come around arrow keys and mean nothing. */
		if (!k->extended)
			k->shift[code == KEY_RIGHT_SHIFT] = down;
		return true;
	case KEY_CONTROL:
		k->control[k->extended] = down;
		return true;
	case KEY_ALT:
		k->alt[k->extended] = down;
		return true;
	case KEY_CAPS:
		k->caps_lock ^= down;
		return true;
	case KEY_NUM:
		k->num_lock ^= down;
		return true;
	default:
		return false;
	}
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What control makes of a character. */
static uint8_t with_control(char c)
{
	if (c == ' ' || c == '2')
		return 0;
	if (c >= '3' && c <= '7')
		return (uint8_t)(c - '3' + 0x1b);
	if (c == '8')
		return 0x7f;
	if (c == '/' || c == '-')
		return 0x1f;
	if (c == '`' || c == '~')
		return 0;
	return (c >= '@' && c < 0x7f) ? c & 0x1f : (uint8_t)c;
}

static size_t character(const struct keyboard *k, uint8_t code, const struct keyboard_modes *modes, uint8_t *out)
{
	bool shift = k->shift[0] || k->shift[1], control = k->control[0] || k->control[1];
	char c = plain[code];
	size_t at = 0;

	if (c == 0)
		return 0;
	if (code == KEY_TAB && shift)
		return put(out, "\033[Z");
	if (shift != (k->caps_lock && is_letter(c)))
		c = shifted[code];
	if (k->alt[0] || k->alt[1])
		out[at++] = 0x1b;
	out[at++] = control ? with_control(c) : (uint8_t)c;
	if (code == KEY_ENTER && modes->newline)
		out[at++] = '\n';
	return at;
}

static size_t pad(const struct keyboard *k, uint8_t code, const struct keyboard_modes *modes, uint8_t *out)
{
	if (code == KEY_PAD_MINUS || code == KEY_PAD_PLUS || k->num_lock != (k->shift[0] || k->shift[1])) {
		out[0] = (uint8_t)pad_digits[code - KEY_PAD_FIRST];
		return 1;
	}
	return movement(code, modes->application_cursor, out);
}

static size_t pressed(const struct keyboard *k, uint8_t code, const struct keyboard_modes *modes, uint8_t *out)
{
	if (k->extended) {
		if (code == KEY_ENTER || code == KEY_SLASH)
			return character(k, code, modes, out);
		return movement(code, modes->application_cursor, out);
	}
	if ((code >= KEY_F1 && code <= KEY_F10) || code == KEY_F11 || code == KEY_F12)
		return function(code, out);
	if (code >= KEY_PAD_FIRST && code <= KEY_PAD_LAST)
		return pad(k, code, modes, out);
	return code < sizeof(plain) ? character(k, code, modes, out) : 0;
}

size_t keyboard_code(struct keyboard *k, uint8_t code, const struct keyboard_modes *modes, uint8_t out[KEYBOARD_BYTES_MAX])
{
	size_t bytes = 0;

	if (k->skip > 0) {
		k->skip--;
		return 0;
	}
	if (code == PAUSE) {
		k->skip = PAUSE_REST;
		return 0;
	}
	if (code == EXTENDED) {
		k->extended = true;
		return 0;
	}
	if (!modifier(k, code & ~RELEASED, !(code & RELEASED)) && !(code & RELEASED))
		bytes = pressed(k, code, modes, out);
	k->extended = false;
	return bytes;
}

/* ---- i8042 --------------------------------------------------------------------------------------------------------- */

enum { DATA = 0, STATUS = 4, COMMAND = 4 };
enum { STATUS_FULL = 1, STATUS_BUSY = 2, STATUS_MOUSE = 0x20 };
enum { READ_CONFIG = 0x20, WRITE_CONFIG = 0x60, DISABLE_MOUSE = 0xa7, ENABLE_KEYBOARD = 0xae, START_SCANNING = 0xf4 };
enum { CONFIG_INTERRUPT = 1, CONFIG_MOUSE_INTERRUPT = 2, CONFIG_NO_KEYBOARD = 0x10, CONFIG_TRANSLATE = 0x40 };
enum { TRIES = 1000 };

static bool wait_for(const struct ports *p, uint8_t bit, bool set)
{
	for (int i = 0; i < TRIES; i++)
		if (!!(port_in8(p, STATUS) & bit) == set)
			return true;
	return false;
}

static bool send(const struct ports *p, uint32_t port, uint8_t byte)
{
	if (!wait_for(p, STATUS_BUSY, false))
		return false;
	port_out8(p, port, byte);
	return true;
}

static void drop_pending(const struct ports *p)
{
	for (int i = 0; i < TRIES && (port_in8(p, STATUS) & STATUS_FULL); i++)
		(void)port_in8(p, DATA);
}

bool i8042_init(const struct ports *p)
{
	uint8_t config;

	if (port_in8(p, STATUS) == 0xff)
		return false;
	drop_pending(p);
	if (!send(p, COMMAND, DISABLE_MOUSE) || !send(p, COMMAND, READ_CONFIG) || !wait_for(p, STATUS_FULL, true))
		return false;
	config = port_in8(p, DATA);
	config |= CONFIG_INTERRUPT | CONFIG_TRANSLATE;
	config &= (uint8_t)~(CONFIG_MOUSE_INTERRUPT | CONFIG_NO_KEYBOARD);
	if (!send(p, COMMAND, WRITE_CONFIG) || !send(p, DATA, config) || !send(p, COMMAND, ENABLE_KEYBOARD)
	    || !send(p, DATA, START_SCANNING))
		return false;
	/* The keyboard acknowledges; that is no key. */
	(void)wait_for(p, STATUS_FULL, true);
	drop_pending(p);
	return true;
}

bool i8042_read(const struct ports *p, uint8_t *code)
{
	for (int i = 0; i < TRIES; i++) {
		uint8_t status = port_in8(p, STATUS);

		if (!(status & STATUS_FULL) || status == 0xff)
			return false;
		*code = port_in8(p, DATA);
		if (!(status & STATUS_MOUSE))
			return true;
	}
	return false;
}
