/* lib/tty/output.c - output processing (OPOST), the output ring and flow control. */
#include "lib/tty/private.h"

static uint32_t room(const struct tty *t, uint32_t reserve)
{
	uint32_t limit = TTY_OUTPUT_BYTES - reserve;
	uint32_t level = t->output_end - t->output_at;

	return level < limit ? limit - level : 0;
}

static void put(struct tty *t, uint8_t byte)
{
	t->output[t->output_end++ % TTY_OUTPUT_BYTES] = byte;
}

static bool put_newline(struct tty *t, uint32_t reserve)
{
	bool with_return = t->modes.output & TTY_ONLCR;

	if (room(t, reserve) < (with_return ? 2u : 1u))
		return false;
	if (with_return)
		put(t, '\r');
	put(t, '\n');
	if (t->modes.output & (TTY_ONLCR | TTY_ONLRET))
		t->column = t->line_column = 0;
	return true;
}

static bool put_return(struct tty *t, uint32_t reserve)
{
	if ((t->modes.output & TTY_ONOCR) && t->column == 0)
		return true;
	if (room(t, reserve) < 1)
		return false;
	if (t->modes.output & TTY_OCRNL) {
		put(t, '\n');
		if (t->modes.output & TTY_ONLRET)
			t->column = t->line_column = 0;
		return true;
	}
	put(t, '\r');
	t->column = t->line_column = 0;
	return true;
}

static bool put_tab(struct tty *t, uint32_t reserve)
{
	uint32_t spaces = 8 - t->column % 8;
	bool expand = (t->modes.output & TTY_TABDLY) == TTY_XTABS;

	if (room(t, reserve) < (expand ? spaces : 1))
		return false;
	t->column += spaces;
	if (!expand)
		put(t, '\t');
	for (; expand && spaces > 0; spaces--)
		put(t, ' ');
	return true;
}

static bool put_ordinary(struct tty *t, uint8_t byte, uint32_t reserve)
{
	if (room(t, reserve) < 1)
		return false;
	if ((t->modes.output & TTY_OLCUC) && byte >= 'a' && byte <= 'z')
		byte -= 'a' - 'A';
	if (byte == '\b')
		t->column -= t->column > 0;
	else if (!is_control(byte) && !is_utf8_tail(t, byte))
		t->column++;
	put(t, byte);
	return true;
}

/* Puts one byte as c_oflag says, wholly or (false) not at all. */
static bool put_processed(struct tty *t, uint8_t byte, uint32_t reserve)
{
	if (!(t->modes.output & TTY_OPOST)) {
		if (room(t, reserve) < 1)
			return false;
		put(t, byte);
		return true;
	}
	switch (byte) {
	case '\n':
		return put_newline(t, reserve);
	case '\r':
		return put_return(t, reserve);
	case '\t':
		return put_tab(t, reserve);
	default:
		return put_ordinary(t, byte, reserve);
	}
}

void tty_echo_processed(struct tty *t, uint8_t byte)
{
	(void)put_processed(t, byte, 0);
}

void tty_echo_raw(struct tty *t, const char *bytes, size_t count)
{
	if (room(t, 0) < count)
		return;
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\b')
			t->column -= t->column > 0;
		else if (!is_control((uint8_t)bytes[i]) && !is_utf8_tail(t, (uint8_t)bytes[i]))
			t->column++;
		put(t, (uint8_t)bytes[i]);
	}
}

err_t tty_write(struct tty *t, const uint8_t *bytes, size_t count, size_t *taken)
{
	size_t i = 0;

	if (t->hung_up)
		return ERR_IO;
	while (i < count && put_processed(t, bytes[i], TTY_ECHO_RESERVE))
		i++;
	/* What is written now stands before what is being typed. */
	if (t->committed == t->input_end)
		t->line_column = t->column;
	*taken = i;
	return OK;
}

size_t tty_output_pending(const struct tty *t)
{
	return t->output_end - t->output_at;
}

size_t tty_output(struct tty *t, const uint8_t **bytes)
{
	uint32_t at = t->output_at % TTY_OUTPUT_BYTES;
	uint32_t level = t->output_end - t->output_at;

	*bytes = t->urgent;
	if (t->urgent_bytes > 0)
		return t->urgent_bytes;
	*bytes = t->output + at;
	if (t->output_stopped || t->output_held)
		return 0;
	return level < TTY_OUTPUT_BYTES - at ? level : TTY_OUTPUT_BYTES - at;
}

void tty_output_taken(struct tty *t, size_t count)
{
	if (t->urgent_bytes == 0) {
		ASSERT(count <= t->output_end - t->output_at);
		t->output_at += (uint32_t)count;
		return;
	}
	ASSERT(count <= t->urgent_bytes);
	for (size_t i = count; i < t->urgent_bytes; i++)
		t->urgent[i - count] = t->urgent[i];
	t->urgent_bytes -= (uint32_t)count;
}

bool tty_master_has_data(const struct tty *t)
{
	bool stopped = t->output_stopped || t->output_held;

	return (t->packet && t->packet_status) || t->urgent_bytes > 0
	       || (!stopped && t->output_end != t->output_at);
}

err_t tty_master_read(struct tty *t, uint8_t *out, size_t bytes, size_t *got)
{
	const uint8_t *span;
	size_t done = 0, count;

	if (bytes == 0 || !tty_master_has_data(t)) {
		*got = 0;
		return bytes == 0 ? OK : ERR_AGAIN;
	}
	if (t->packet) {
		out[done++] = t->packet_status;
		if (t->packet_status) {
			t->packet_status = 0;
			*got = 1;
			return OK;
		}
	}
	while (done < bytes && (count = tty_output(t, &span)) > 0) {
		if (count > bytes - done)
			count = bytes - done;
		__builtin_memcpy(out + done, span, count);
		tty_output_taken(t, count);
		done += count;
	}
	*got = done;
	return OK;
}

void tty_send_urgent(struct tty *t, uint8_t byte)
{
	if (byte == TTY_CHAR_DISABLED)
		return;
	/* The newest word counts: a STOP that never left is undone by a START. */
	if (t->urgent_bytes == sizeof(t->urgent))
		t->urgent_bytes--;
	t->urgent[t->urgent_bytes++] = byte;
}

static void note_packet(struct tty *t, uint8_t set, uint8_t clear)
{
	t->packet_status = (uint8_t)((t->packet_status & ~clear) | set);
}

void tty_start_output(struct tty *t)
{
	if (t->output_stopped)
		note_packet(t, TTY_PACKET_START, TTY_PACKET_STOP);
	t->output_stopped = false;
}

void tty_stop_output(struct tty *t)
{
	if (!t->output_stopped)
		note_packet(t, TTY_PACKET_STOP, TTY_PACKET_START);
	t->output_stopped = true;
}

err_t tty_flow(struct tty *t, uint32_t what)
{
	switch (what) {
	case TTY_OUTPUT_OFF:
		t->output_held = true;
		return OK;
	case TTY_OUTPUT_ON:
		t->output_held = false;
		tty_start_output(t);
		return OK;
	case TTY_INPUT_OFF:
		tty_send_urgent(t, t->modes.chars[TTY_VSTOP]);
		return OK;
	case TTY_INPUT_ON:
		tty_send_urgent(t, t->modes.chars[TTY_VSTART]);
		return OK;
	default:
		return ERR_INVAL;
	}
}

void tty_flush(struct tty *t, uint32_t what)
{
	if (what & TTY_FLUSH_IN) {
		t->read_at = t->committed = t->input_end;
		t->literal_next = false;
		note_packet(t, TTY_PACKET_FLUSH_READ, 0);
		tty_update_input_flow(t);
	}
	if (what & TTY_FLUSH_OUT) {
		t->output_at = t->output_end;
		note_packet(t, TTY_PACKET_FLUSH_WRITE, 0);
	}
}
