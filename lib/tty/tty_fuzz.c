/* lib/tty/tty_fuzz.c - hostile typists and programs: no sequence may break the rings. */
#include "lib/tty/tty.h"

static struct tty t;

struct input { const uint8_t *at; size_t left; };

static uint8_t next(struct input *in)
{
	return in->left > 0 ? (in->left--, *in->at++) : 0;
}

static void set_random_modes(struct input *in)
{
	struct tty_modes modes = t.modes;

	modes.input = next(in) | next(in) << 8;
	modes.output = next(in) | next(in) << 8;
	modes.local = next(in) | next(in) << 8;
	modes.chars[next(in) % 19] = next(in);
	tty_set_modes(&t, &modes);
}

static void step(struct input *in)
{
	uint8_t scratch[300], chunk = next(in), action = next(in) % 10;
	struct tty_reader reader = { .nonblocking = action & 1 };
	const uint8_t *span;
	uint64_t deadline;
	size_t count, length = chunk < in->left ? chunk : in->left;

	switch (action) {
	case 0: case 1: case 2:
		tty_input(&t, in->at, length, 0);
		in->at += length;
		in->left -= length;
		break;
	case 3: case 4:
		(void)!tty_read(&t, scratch, chunk, 0, &reader, &count, &deadline);
		break;
	case 5:
		(void)!tty_write(&t, in->at, length, &count);
		break;
	case 6:
		count = tty_output(&t, &span);
		tty_output_taken(&t, count < chunk ? count : chunk);
		break;
	case 7:
		(void)!tty_master_read(&t, scratch, chunk, &count);
		break;
	case 8:
		set_random_modes(in);
		break;
	default:
		if (chunk & 1)
			tty_input_break(&t, 0);
		else
			tty_flush(&t, chunk);
		tty_set_packet(&t, chunk & 4);
	}
	ASSERT(t.input_end - t.read_at <= TTY_INPUT_BYTES);
	ASSERT(t.input_end - t.committed <= t.input_end - t.read_at || !(t.modes.local & TTY_ICANON));
	ASSERT(tty_output_pending(&t) <= TTY_OUTPUT_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	tty_init(&t);
	while (in.left > 0)
		step(&in);
	return 0;
}
