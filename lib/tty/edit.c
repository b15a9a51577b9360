/* lib/tty/edit.c - editing of the line that is being typed (ICANON), and its echo. */
#include "lib/tty/private.h"

void tty_echo_char(struct tty *t, uint8_t byte)
{
	if (!local_flag(t, TTY_ECHOCTL) || !is_control(byte) || byte == '\t') {
		tty_echo_processed(t, byte);
		return;
	}
	char shown[2] = { '^', (char)(byte ^ 0x40) };
	tty_echo_raw(t, shown, 2);
}

/* How far the cursor moves when byte is echoed at column. */
static uint32_t width_of(const struct tty *t, uint8_t byte, uint32_t column)
{
	if (byte == '\t')
		return 8 - column % 8;
	if (is_utf8_tail(t, byte))
		return 0;
	if (is_control(byte))
		return local_flag(t, TTY_ECHOCTL) ? 2 : 0;
	return 1;
}

/* The column after the edited line up to (not including) position end. */
static uint32_t column_at(const struct tty *t, uint32_t end)
{
	uint32_t column = t->line_column;

	for (uint32_t i = t->committed; i != end; i++)
		column += width_of(t, t->input[i % TTY_INPUT_BYTES], column);
	return column;
}

/* Takes the last character (all bytes of it) off the line; the byte it began with. */
static uint8_t drop_char(struct tty *t)
{
	uint8_t byte;

	do
		byte = t->input[--t->input_end % TTY_INPUT_BYTES];
	while (is_utf8_tail(t, byte) && t->input_end != t->committed);
	return byte;
}

static void rub_out(struct tty *t, uint8_t byte)
{
	uint32_t start = column_at(t, t->input_end);
	uint32_t width = width_of(t, byte, start);

	for (; width > 0; width--)
		if (byte == '\t')
			tty_echo_raw(t, "\b", 1);
		else
			tty_echo_raw(t, "\b \b", 3);
}

static bool is_word(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
	       || byte == '_' || byte >= 0x80;
}

/* The first byte of the line's last character. */
static uint8_t last_char(const struct tty *t)
{
	uint32_t at = t->input_end - 1;

	while (at != t->committed && is_utf8_tail(t, t->input[at % TTY_INPUT_BYTES]))
		at--;
	return t->input[at % TTY_INPUT_BYTES];
}

static void erase_one(struct tty *t, uint8_t typed)
{
	uint8_t byte = drop_char(t);

	if (!local_flag(t, TTY_ECHO))
		return;
	if (local_flag(t, TTY_ECHOE))
		rub_out(t, byte);
	else
		tty_echo_char(t, typed);
}

static void erase_word(struct tty *t, uint8_t typed)
{
	bool in_word = false;

	while (t->input_end != t->committed) {
		if (is_word(last_char(t)))
			in_word = true;
		else if (in_word)
			break;
		uint8_t byte = drop_char(t);
		if (local_flag(t, TTY_ECHO) && local_flag(t, TTY_ECHOE))
			rub_out(t, byte);
	}
	if (local_flag(t, TTY_ECHO) && !local_flag(t, TTY_ECHOE))
		tty_echo_char(t, typed);
}

static void erase_line(struct tty *t, uint8_t typed)
{
	bool visibly = local_flag(t, TTY_ECHOK) && local_flag(t, TTY_ECHOKE) && local_flag(t, TTY_ECHOE);

	if (local_flag(t, TTY_ECHO) && visibly) {
		while (t->input_end != t->committed)
			rub_out(t, drop_char(t));
		return;
	}
	t->input_end = t->committed;
	if (!local_flag(t, TTY_ECHO))
		return;
	tty_echo_char(t, typed);
	if (local_flag(t, TTY_ECHOK))
		tty_echo_processed(t, '\n');
}

void tty_erase(struct tty *t, uint8_t byte, enum tty_char how)
{
	if (t->input_end == t->committed)
		return;
	if (how == TTY_VKILL)
		erase_line(t, byte);
	else if (how == TTY_VWERASE)
		erase_word(t, byte);
	else
		erase_one(t, byte);
	tty_update_input_flow(t);
}

void tty_reprint(struct tty *t)
{
	tty_echo_char(t, t->modes.chars[TTY_VREPRINT]);
	tty_echo_processed(t, '\n');
	t->line_column = t->column;
	for (uint32_t i = t->committed; i != t->input_end; i++)
		tty_echo_char(t, t->input[i % TTY_INPUT_BYTES]);
}
