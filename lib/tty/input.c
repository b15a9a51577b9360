/* lib/tty/input.c - what happens to a byte that was typed, until it lies in the input ring. */
#include "lib/tty/private.h"

/* Under IXOFF the other side is stopped above the first mark, started below the second. */
enum { INPUT_HIGH = TTY_INPUT_BYTES - 512, INPUT_LOW = 512 };

static uint32_t level(const struct tty *t)
{
	return t->input_end - t->read_at;
}

void tty_update_input_flow(struct tty *t)
{
	if (t->input_stopped && (level(t) <= INPUT_LOW || !input_flag(t, TTY_IXOFF))) {
		t->input_stopped = false;
		tty_send_urgent(t, t->modes.chars[TTY_VSTART]);
	} else if (!t->input_stopped && input_flag(t, TTY_IXOFF) && level(t) >= INPUT_HIGH) {
		t->input_stopped = true;
		tty_send_urgent(t, t->modes.chars[TTY_VSTOP]);
	}
}

static void store(struct tty *t, uint8_t byte)
{
	set_bit_at(t->line_end, t->input_end, false);
	set_bit_at(t->file_end, t->input_end, false);
	t->input[t->input_end++ % TTY_INPUT_BYTES] = byte;
}

static void ring_bell(struct tty *t)
{
	if (input_flag(t, TTY_IMAXBEL))
		tty_echo_raw(t, "\a", 1);
}

/* How many bytes an ordinary character takes in the ring. */
static uint32_t stored_bytes(const struct tty *t, uint8_t byte)
{
	return byte == 0xff && input_flag(t, TTY_PARMRK) && !input_flag(t, TTY_ISTRIP) ? 2 : 1;
}

/* The last place of the ring is kept for a line's end. */
static void store_ordinary(struct tty *t, uint8_t byte, bool echo)
{
	uint32_t count = stored_bytes(t, byte);

	if (level(t) + count > TTY_INPUT_BYTES - 1) {
		ring_bell(t);
		return;
	}
	if (echo && local_flag(t, TTY_ECHO)) {
		if (t->input_end == t->committed)
			t->line_column = t->column;
		tty_echo_char(t, byte);
	}
	while (count-- > 0)
		store(t, byte);
}

static void end_line(struct tty *t, uint8_t byte, bool is_file_end)
{
	if (level(t) >= TTY_INPUT_BYTES) {
		ring_bell(t);
		return;
	}
	store(t, byte);
	set_bit_at(t->line_end, t->input_end - 1, true);
	set_bit_at(t->file_end, t->input_end - 1, is_file_end);
	t->committed = t->input_end;
}

static void type_newline(struct tty *t)
{
	if (local_flag(t, TTY_ECHO | TTY_ECHONL))
		tty_echo_processed(t, '\n');
	end_line(t, '\n', false);
}

/* Control characters that edit or end a line. False: byte is none of them. */
static bool edit(struct tty *t, uint8_t byte)
{
	bool extended = local_flag(t, TTY_IEXTEN);

	if (is_char(t, byte, TTY_VERASE)) {
		tty_erase(t, byte, TTY_VERASE);
	} else if (is_char(t, byte, TTY_VKILL)) {
		tty_erase(t, byte, TTY_VKILL);
	} else if (extended && is_char(t, byte, TTY_VWERASE)) {
		tty_erase(t, byte, TTY_VWERASE);
	} else if (extended && is_char(t, byte, TTY_VLNEXT)) {
		t->literal_next = true;
		if (local_flag(t, TTY_ECHO) && local_flag(t, TTY_ECHOCTL))
			tty_echo_raw(t, "^\b", 2);
	} else if (extended && is_char(t, byte, TTY_VREPRINT) && local_flag(t, TTY_ECHO)) {
		tty_reprint(t);
	} else if (byte == '\n') {
		type_newline(t);
	} else if (is_char(t, byte, TTY_VEOF)) {
		end_line(t, 0, true);
	} else if (is_char(t, byte, TTY_VEOL) || (extended && is_char(t, byte, TTY_VEOL2))) {
		if (local_flag(t, TTY_ECHO))
			tty_echo_char(t, byte);
		end_line(t, byte, false);
	} else {
		return false;
	}
	return true;
}

static uint32_t signal_of(const struct tty *t, uint8_t byte)
{
	if (!local_flag(t, TTY_ISIG))
		return 0;
	if (is_char(t, byte, TTY_VINTR))
		return TTY_SIGINT;
	if (is_char(t, byte, TTY_VQUIT))
		return TTY_SIGQUIT;
	return is_char(t, byte, TTY_VSUSP) ? TTY_SIGTSTP : 0;
}

static void raise_signal(struct tty *t, uint32_t signal)
{
	if (!local_flag(t, TTY_NOFLSH))
		tty_flush(t, TTY_FLUSH_IN | TTY_FLUSH_OUT);
	t->signals |= 1ull << (signal - 1);
}

/* START and STOP typed at us, and IXANY. True: byte was for us alone. */
static bool control_flow(struct tty *t, uint8_t byte)
{
	if (!input_flag(t, TTY_IXON))
		return false;
	if (is_char(t, byte, TTY_VSTART)) {
		tty_start_output(t);
		return true;
	}
	if (is_char(t, byte, TTY_VSTOP)) {
		tty_stop_output(t);
		return true;
	}
	if (t->output_stopped && input_flag(t, TTY_IXANY))
		tty_start_output(t);
	return false;
}

/* What c_iflag makes of a carriage return or newline. False: it is dropped. */
static bool translate(const struct tty *t, uint8_t *byte)
{
	if (*byte == '\r') {
		if (input_flag(t, TTY_IGNCR))
			return false;
		if (input_flag(t, TTY_ICRNL))
			*byte = '\n';
	} else if (*byte == '\n' && input_flag(t, TTY_INLCR)) {
		*byte = '\r';
	}
	return true;
}

static void receive(struct tty *t, uint8_t byte)
{
	uint32_t signal;

	if (input_flag(t, TTY_ISTRIP))
		byte &= 0x7f;
	if (input_flag(t, TTY_IUCLC) && local_flag(t, TTY_IEXTEN) && byte >= 'A' && byte <= 'Z')
		byte += 'a' - 'A';
	if (t->literal_next) {
		t->literal_next = false;
		store_ordinary(t, byte, true);
		return;
	}
	if (control_flow(t, byte))
		return;
	if ((signal = signal_of(t, byte))) {
		raise_signal(t, signal);
		tty_start_output(t);
		if (local_flag(t, TTY_ECHO))
			tty_echo_char(t, byte);
		return;
	}
	if (!translate(t, &byte))
		return;
	if (local_flag(t, TTY_ICANON) && edit(t, byte))
		return;
	if (byte == '\n' && local_flag(t, TTY_ECHO)) {
		tty_echo_processed(t, '\n');
		store_ordinary(t, byte, false);
	} else {
		store_ordinary(t, byte, true);
	}
}

void tty_input(struct tty *t, const uint8_t *bytes, size_t count, uint64_t now_ns)
{
	if (t->hung_up)
		return;
	for (size_t i = 0; i < count; i++)
		receive(t, bytes[i]);
	if (count > 0)
		t->last_input_ns = now_ns;
	tty_update_input_flow(t);
}

size_t tty_input_room(const struct tty *t)
{
	uint32_t free = TTY_INPUT_BYTES - 1 - (level(t) < TTY_INPUT_BYTES ? level(t) : TTY_INPUT_BYTES - 1);

	if (input_flag(t, TTY_PARMRK))
		free /= 3;
	/* A full line that has no end yet: only its end helps, so it must get in. */
	if (free == 0 && local_flag(t, TTY_ICANON) && t->committed == t->read_at)
		return 1;
	return free;
}

static void store_marked(struct tty *t, uint8_t byte)
{
	if (level(t) + 3 > TTY_INPUT_BYTES - 1)
		return;
	store(t, 0xff);
	store(t, 0);
	store(t, byte);
}

void tty_input_break(struct tty *t, uint64_t now_ns)
{
	if (t->hung_up || input_flag(t, TTY_IGNBRK))
		return;
	if (input_flag(t, TTY_BRKINT)) {
		raise_signal(t, TTY_SIGINT);
		return;
	}
	if (input_flag(t, TTY_PARMRK))
		store_marked(t, 0);
	else
		store_ordinary(t, 0, false);
	t->last_input_ns = now_ns;
}

void tty_input_error(struct tty *t, uint8_t byte, uint64_t now_ns)
{
	if (t->hung_up)
		return;
	if (!input_flag(t, TTY_INPCK)) {
		tty_input(t, &byte, 1, now_ns);
		return;
	}
	if (input_flag(t, TTY_IGNPAR))
		return;
	if (input_flag(t, TTY_PARMRK))
		store_marked(t, byte);
	else
		store_ordinary(t, 0, false);
	t->last_input_ns = now_ns;
}
