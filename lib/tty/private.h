/* lib/tty/private.h - what the files of lib/tty share with each other and nobody else. */
#pragma once
#include "lib/tty/tty.h"

static inline bool input_flag(const struct tty *t, uint32_t flag) { return t->modes.input & flag; }
static inline bool local_flag(const struct tty *t, uint32_t flag) { return t->modes.local & flag; }

/* Is byte this control character, and is that one enabled? */
static inline bool is_char(const struct tty *t, uint8_t byte, enum tty_char which)
{
	return byte != TTY_CHAR_DISABLED && byte == t->modes.chars[which];
}

static inline bool is_control(uint8_t byte) { return byte < 0x20 || byte == 0x7f; }
static inline bool is_utf8_tail(const struct tty *t, uint8_t byte)
{
	return input_flag(t, TTY_IUTF8) && (byte & 0xc0) == 0x80;
}

static inline bool bit_at(const uint64_t *map, uint32_t position)
{
	position %= TTY_INPUT_BYTES;
	return map[position / 64] >> position % 64 & 1;
}

static inline void set_bit_at(uint64_t *map, uint32_t position, bool value)
{
	position %= TTY_INPUT_BYTES;
	map[position / 64] &= ~(1ull << position % 64);
	map[position / 64] |= (uint64_t)value << position % 64;
}

/* output.c. Both drop what does not fit: an echo is not worth waiting for. */
void tty_echo_processed(struct tty *t, uint8_t byte);
void tty_echo_raw(struct tty *t, const char *bytes, size_t count);
/* Adds STOP or START for the other side, before all other output. */
void tty_send_urgent(struct tty *t, uint8_t byte);
void tty_start_output(struct tty *t);
void tty_stop_output(struct tty *t);

/* edit.c: what VERASE, VWERASE, VKILL and VREPRINT do to the line being edited. */
void tty_erase(struct tty *t, uint8_t byte, enum tty_char how);
void tty_reprint(struct tty *t);
void tty_echo_char(struct tty *t, uint8_t byte);

/* input.c: after bytes left the ring, or modes changed. */
void tty_update_input_flow(struct tty *t);
