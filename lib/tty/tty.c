/* lib/tty/tty.c - modes, reading, job control: the program's side of a terminal. */
#include "lib/tty/private.h"

enum { TENTH_NS = 100 * 1000 * 1000 };

void tty_init(struct tty *t)
{
	__builtin_memset(t, 0, sizeof(*t));
	t->modes = (struct tty_modes){
		.input = TTY_ICRNL | TTY_IXON | TTY_IUTF8,
		.output = TTY_OPOST | TTY_ONLCR,
		.control = TTY_B38400 | TTY_CS8 | TTY_CREAD | TTY_HUPCL,
		.local = TTY_ISIG | TTY_ICANON | TTY_ECHO | TTY_ECHOE | TTY_ECHOK | TTY_ECHOCTL | TTY_ECHOKE
		         | TTY_IEXTEN,
		.chars = {
			[TTY_VINTR] = 'C' - '@', [TTY_VQUIT] = '\\' - '@', [TTY_VERASE] = 0x7f,
			[TTY_VKILL] = 'U' - '@', [TTY_VEOF] = 'D' - '@', [TTY_VMIN] = 1,
			[TTY_VSTART] = 'Q' - '@', [TTY_VSTOP] = 'S' - '@', [TTY_VSUSP] = 'Z' - '@',
			[TTY_VREPRINT] = 'R' - '@', [13] = 'O' - '@', [TTY_VWERASE] = 'W' - '@',
			[TTY_VLNEXT] = 'V' - '@',
		},
		.input_speed = 38400,
		.output_speed = 38400,
	};
}

/* Reading with lines begins: what lies in the ring becomes one line. */
static void enter_canonical(struct tty *t)
{
	t->committed = t->input_end;
	if (t->input_end != t->read_at)
		set_bit_at(t->line_end, t->input_end - 1, true);
	t->line_column = t->column;
}

/* Reading without lines begins: all bytes are there, and EOF marks are not bytes. */
static void leave_canonical(struct tty *t)
{
	uint32_t to = t->read_at;

	for (uint32_t from = t->read_at; from != t->input_end; from++)
		if (!bit_at(t->file_end, from))
			t->input[to++ % TTY_INPUT_BYTES] = t->input[from % TTY_INPUT_BYTES];
	t->input_end = t->committed = to;
	__builtin_memset(t->line_end, 0, sizeof(t->line_end));
	__builtin_memset(t->file_end, 0, sizeof(t->file_end));
}

/* Does the terminal itself stop at ^S, so that a remote master may do it locally? */
static bool stops_locally(const struct tty *t)
{
	return input_flag(t, TTY_IXON) && t->modes.chars[TTY_VSTOP] == 'S' - '@'
	       && t->modes.chars[TTY_VSTART] == 'Q' - '@';
}

void tty_set_modes(struct tty *t, const struct tty_modes *modes)
{
	bool was_canonical = local_flag(t, TTY_ICANON);
	bool stopped_locally = stops_locally(t);

	t->modes = *modes;
	if (was_canonical != local_flag(t, TTY_ICANON)) {
		t->literal_next = false;
		if (was_canonical)
			leave_canonical(t);
		else
			enter_canonical(t);
	}
	if (stopped_locally != stops_locally(t)) {
		t->packet_status &= (uint8_t)~(TTY_PACKET_DO_STOP | TTY_PACKET_NO_STOP);
		t->packet_status |= stops_locally(t) ? TTY_PACKET_DO_STOP : TTY_PACKET_NO_STOP;
	}
	if (!input_flag(t, TTY_IXON))
		tty_start_output(t);
	tty_update_input_flow(t);
}

void tty_set_size(struct tty *t, const struct tty_size *size)
{
	if (!__builtin_memcmp(&t->size, size, sizeof(*size)))
		return;
	t->size = *size;
	t->signals |= 1ull << (TTY_SIGWINCH - 1);
}

void tty_set_packet(struct tty *t, bool on)
{
	if (on && !t->packet)
		t->packet_status = 0;
	t->packet = on;
}

void tty_hangup(struct tty *t)
{
	t->hung_up = true;
	tty_flush(t, TTY_FLUSH_IN | TTY_FLUSH_OUT);
	t->output_stopped = t->output_held = false;
	t->urgent_bytes = 0;
}

uint64_t tty_take_signals(struct tty *t)
{
	uint64_t signals = t->signals;

	t->signals = 0;
	return t->foreground ? signals : 0;
}

err_t tty_check(const struct tty *t, uint32_t session, uint32_t group, enum tty_access access)
{
	if (t->session == 0 || session != t->session || t->foreground == 0 || group == t->foreground)
		return OK;
	if (access == TTY_ACCESS_WRITE && !local_flag(t, TTY_TOSTOP))
		return OK;
	return ERR_BACKGROUND;
}

/* Bytes a program could read now, in canonical mode those of complete lines. */
static uint32_t available(const struct tty *t)
{
	return (local_flag(t, TTY_ICANON) ? t->committed : t->input_end) - t->read_at;
}

size_t tty_input_pending(const struct tty *t)
{
	uint32_t end_marks = 0, count = available(t);

	for (uint32_t i = 0; i < count; i++)
		end_marks += bit_at(t->file_end, t->read_at + i);
	return count - end_marks;
}

uint32_t tty_ready(const struct tty *t)
{
	uint32_t needed = 1, ready = 0;

	if (t->hung_up)
		return READY_READ | READY_WRITE | READY_HANGUP | READY_ERROR;
	if (!local_flag(t, TTY_ICANON) && t->modes.chars[TTY_VTIME] == 0 && t->modes.chars[TTY_VMIN] > 0)
		needed = t->modes.chars[TTY_VMIN];
	if (available(t) >= needed)
		ready |= READY_READ;
	if (tty_output_pending(t) <= TTY_OUTPUT_BYTES / 2)
		ready |= READY_WRITE;
	return ready;
}

/* Up to and with the end of one line; an EOF mark is taken and not given. */
static size_t read_line(struct tty *t, uint8_t *out, size_t bytes)
{
	size_t got = 0;

	while (t->read_at != t->committed) {
		bool is_file_end = bit_at(t->file_end, t->read_at);
		bool is_end = bit_at(t->line_end, t->read_at);

		/* A full buffer still takes an EOF mark: it ended what was just read. */
		if (got == bytes && !is_file_end)
			break;
		if (!is_file_end)
			out[got++] = t->input[t->read_at % TTY_INPUT_BYTES];
		t->read_at++;
		if (is_end)
			break;
	}
	return got;
}

static size_t read_bytes(struct tty *t, uint8_t *out, size_t bytes)
{
	size_t got = 0;

	while (got < bytes && t->read_at != t->input_end)
		out[got++] = t->input[t->read_at++ % TTY_INPUT_BYTES];
	t->committed = t->read_at;
	return got;
}

/* Is a read without ICANON satisfied (POSIX 11.1.7)? If not, until when it waits. */
static bool is_satisfied(const struct tty *t, size_t bytes, uint64_t now_ns,
                         const struct tty_reader *reader, uint64_t *deadline_ns)
{
	uint32_t have = available(t), min = t->modes.chars[TTY_VMIN];
	uint64_t time_ns = (uint64_t)t->modes.chars[TTY_VTIME] * TENTH_NS;
	uint64_t since_ns = reader->started_ns;

	*deadline_ns = DEADLINE_NONE;
	if (have >= bytes || (min > 0 && have >= min))
		return true;
	if (min == 0 && (have > 0 || time_ns == 0))
		return true;
	if (reader->nonblocking)
		return have > 0;
	if (time_ns == 0 || (min > 0 && have == 0))
		return false;
	/* With MIN the clock starts anew at each byte, without it at the call. */
	if (min > 0 && t->last_input_ns > since_ns)
		since_ns = t->last_input_ns;
	*deadline_ns = since_ns + time_ns;
	return now_ns >= *deadline_ns;
}

err_t tty_read(struct tty *t, uint8_t *out, size_t bytes, uint64_t now_ns,
               const struct tty_reader *reader, size_t *got, uint64_t *deadline_ns)
{
	*deadline_ns = DEADLINE_NONE;
	*got = 0;
	if (t->hung_up || bytes == 0)
		return OK;
	if (local_flag(t, TTY_ICANON)) {
		if (available(t) == 0)
			return ERR_AGAIN;
		*got = read_line(t, out, bytes);
	} else {
		if (!is_satisfied(t, bytes, now_ns, reader, deadline_ns))
			return ERR_AGAIN;
		*got = read_bytes(t, out, bytes);
	}
	tty_update_input_flow(t);
	return OK;
}
