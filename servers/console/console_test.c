/* servers/console/console_test.c - the terminal and its devices together. */
#include "lib/test/test.h"
#include "lib/tty/serve_fake.h"
#include "lib/native/heap.h"
#include "servers/console/console.h"

enum { WIDTH = 160, HEIGHT = 64 };

static struct server server;
static struct scheme scheme;
static struct console c;
static uint32_t pixels[WIDTH * HEIGHT];
static uint8_t font[4 + 256 * 16];
static struct message message;
static struct scheme_request request;
static uint8_t out[65536];
static void *terminal;

/* ---- A serial port and a keyboard controller --------------------------------------------------------------------------- */

static struct { uint8_t reg[8]; const char *received; char sent[65536]; size_t sent_bytes, room; } chip;
static uint32_t chip_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p, (void)bytes;
	if (offset == 0)
		return *chip.received ? (uint8_t)*chip.received++ : 0;
	if (offset == 5)
		return (*chip.received ? 1u : 0) | (chip.room > 0 ? 0x60 : 0);
	return chip.reg[offset];
}
static void chip_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p, (void)bytes;
	chip.reg[offset] = (uint8_t)value;
}
static void chip_out_many(const struct ports *p, uint32_t offset, const uint8_t *bytes, size_t count)
{
	(void)p, (void)offset;
	memcpy(chip.sent + chip.sent_bytes, bytes, count);
	chip.sent_bytes += count;
	chip.room = chip.room > count ? chip.room - count : 0;
	chip.sent[chip.sent_bytes] = 0;
}
static const struct ports serial = { .in = chip_in, .out = chip_out, .out_many = chip_out_many };

static const char *keys = "";
static uint32_t keys_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p, (void)bytes;
	if (offset == 0)
		return *keys ? (uint8_t)*keys++ : 0;
	return *keys ? 1 : 0;
}
static void keys_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p, (void)bytes;
	if (offset == 4 && value == 0x20)
		keys = "\x01";
}
static const struct ports keyboard = { .in = keys_in, .out = keys_out };

/* ---- A console with a client -------------------------------------------------------------------------------------------- */

static struct scheme_request *ask(const void *in, size_t in_bytes, size_t out_bytes)
{
	message = (struct message){
		.sender = { .pid = 10, .tid = 10, .group = 10, .session = 10 },
		.in_bytes = (uint32_t)in_bytes, .out_bytes = (uint32_t)out_bytes,
	};
	request = (struct scheme_request){
		.scheme = &scheme, .message = &message, .open = terminal, .in = in, .in_here = in_bytes, .in_bytes = in_bytes,
		.out = out, .out_room = out_bytes, .out_max = out_bytes, .passed = HANDLE_NONE,
	};
	return &request;
}

static void start(bool has_serial, bool has_display)
{
	struct boot_framebuffer f = {
		.address = 1, .width = WIDTH, .height = HEIGHT, .pitch_bytes = WIDTH * 4, .bits_per_pixel = 32,
		.red_shift = 16, .green_shift = 8,
	};

	memset(&chip, 0, sizeof(chip));
	chip.received = "";
	chip.room = sizeof(chip.sent);
	scheme = (struct scheme){ .ops = &console_ops, .server = &server, .context = &c };
	list_init(&scheme.deferred);
	fakes_reset();
	console_init(&c, &scheme, &outside);
	if (has_serial)
		console_add_serial(&c, &serial);
	memset(font, 0xff, sizeof(font));
	memcpy(font, (const uint8_t[]){ 0x36, 0x04, 0, 16 }, 4);
	memset(font + 4 + ' ' * 16, 0, 16);
	if (has_display)
		CHECK_EQ(console_add_display(&c, &f, (uint8_t *)pixels, font, sizeof(font)), OK);
	console_add_keyboard(&c, &keyboard);
	keys = "";
	console_set_size(&c, &(struct options){ 0 });
	terminal = NULL;
	CHECK_EQ(console_ops.open(ask("", 0, 0), "console", 7, OPEN_READ | OPEN_WRITE, 0), 0);
	terminal = request.opened;
	console_ops.opened(&scheme, terminal, 5);
}

static void finish(void)
{
	console_ops.close(&scheme, terminal);
	CHECK(list_is_empty(&scheme.deferred));
	if (c.display.is_present) {
		heap_free(c.display.cells, 0);
		heap_free(c.display.shown, 0);
	}
}

static int64_t write_text(const char *text)
{
	sending = text;
	return console_ops.write(ask(text, strlen(text), 0), strlen(text), 0);
}

TEST(only_the_console_can_be_opened)
{
	start(true, false);
	void *first = terminal;
	terminal = NULL;
	CHECK_EQ(console_ops.open(ask("", 0, 0), "other", 5, OPEN_READ, 0), ERR_NOENT);
	CHECK_EQ(console_ops.open(ask("", 0, 0), "/console", 8, OPEN_DIRECTORY, 0), ERR_NOTDIR);
	terminal = first;
	finish();
}

TEST(output_goes_to_the_serial_line_and_the_display)
{
	start(true, true);
	CHECK_EQ(write_text("hi\n"), 3);
	CHECK_STR(chip.sent, "hi\r\n");
	CHECK_EQ(term_line(&c.display.term, 0)[1].code, 'i');
	CHECK(c.draw_timer.deadline_ns > clock_ns);
	CHECK_EQ(pixels[0], 0);
	c.draw_timer.fire(&c.draw_timer);
	CHECK_EQ(pixels[0], 0xaaaaaa);
	finish();
}

TEST(the_display_alone_takes_everything)
{
	static char text[20001];

	start(false, true);
	memset(text, 'x', 20000);
	CHECK_EQ(write_text(text), 20000);
	finish();
}

TEST(a_console_without_devices_swallows_output)
{
	start(false, false);
	CHECK_EQ(write_text("x"), 1);
	finish();
}

TEST(a_slow_line_holds_the_writer)
{
	static char text[20001];

	start(true, false);
	chip.room = 100;
	memset(text, 'x', 20000);
	CHECK_EQ(write_text(text), SCHEME_LATER);
	CHECK_EQ(chip.reg[1] & 2, 2);
	for (int i = 0; i < 300 && answered == NOT_ANSWERED; i++) {
		chip.room = 100;
		console_serial_service(&c);
	}
	CHECK_EQ(answered, 20000);
	finish();
}

TEST(what_is_typed_on_the_line_is_read_and_echoed)
{
	start(true, false);
	CHECK_EQ(console_ops.read(ask("", 0, 100), 100, 0), SCHEME_LATER);
	chip.received = "ls\r";
	console_serial_service(&c);
	CHECK_EQ(answered, 3);
	CHECK_STR(answered_data, "ls\n");
	CHECK_STR(chip.sent, "ls\r\n");
	finish();
}

TEST(a_long_paste_loses_nothing)
{
	static char text[10001];
	struct tty_modes modes;
	size_t total = 0;

	start(true, false);
	modes = c.served.tty.modes;
	modes.local = 0;
	CHECK_EQ(console_ops.call(ask(&modes, sizeof(modes), 0), TTY_SET, 0), 0);
	for (int i = 0; i < 10000; i++)
		text[i] = (char)('a' + i % 26);
	chip.received = text;
	for (int i = 0; i < 10000 && total < 10000; i++) {
		if (chip.reg[1] & 1)
			console_serial_service(&c);
		int64_t got = console_ops.read(ask("", 0, 333), 333, 0);
		CHECK(got > 0);
		CHECK_MEM(out, text + total, (size_t)got);
		total += (size_t)got;
	}
	CHECK_EQ(total, 10000);
	finish();
}

TEST(keys_type_too)
{
	start(false, true);
	CHECK_EQ(console_ops.read(ask("", 0, 100), 100, 0), SCHEME_LATER);
	keys = "\x26\xa6\x1f\x9f\x1c\x9c";
	console_keyboard_service(&c);
	CHECK_STR(answered_data, "ls\n");
	CHECK_EQ(term_line(&c.display.term, 0)[0].code, 'l');
	finish();
}

TEST(control_c_on_the_line_signals)
{
	start(true, false);
	chip.received = "\x03";
	console_serial_service(&c);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGINT);
	finish();
}

TEST(the_display_answers_only_when_it_is_alone)
{
	struct tty_modes modes;

	start(false, true);
	modes = c.served.tty.modes;
	modes.local = 0;
	CHECK_EQ(console_ops.call(ask(&modes, sizeof(modes), 0), TTY_SET, 0), 0);
	CHECK_EQ(write_text("\033[6n"), 4);
	CHECK_EQ(console_ops.read(ask("", 0, 100), 100, 0), 6);
	CHECK_MEM(out, "\033[1;1R", 6);
	finish();
	start(true, true);
	CHECK_EQ(write_text("\033[6n"), 4);
	CHECK_EQ(tty_input_pending(&c.served.tty), 0);
	CHECK_EQ(c.display.term.answer_bytes, 0);
	finish();
}

TEST(the_size_is_what_fits_both)
{
	start(true, true);
	console_set_size(&c, &(struct options){ .rows = 50, .columns = 10 });
	CHECK_EQ(c.served.tty.size.rows, 4);
	CHECK_EQ(c.served.tty.size.columns, 10);
	finish();
	start(true, false);
	CHECK_EQ(c.served.tty.size.rows, 24);
	CHECK_EQ(c.served.tty.size.columns, 80);
	finish();
}

TEST(a_restart_forgets_neither_modes_nor_session)
{
	struct console_state state = { 0 };
	struct tty_modes modes;
	struct tty_size size = { 50, 132, 0, 0 };

	start(true, false);
	console_keep_state(&c, &state);
	CHECK_EQ(state.session, 10);
	modes = c.served.tty.modes;
	modes.local &= ~(uint32_t)TTY_ECHO;
	CHECK_EQ(console_ops.call(ask(&modes, sizeof(modes), 0), TTY_SET, 0), 0);
	CHECK_EQ(console_ops.call(ask(&size, sizeof(size), 0), TTY_SET_SIZE, 0), 0);
	CHECK_EQ(console_ops.call(ask("", 0, 0), TTY_SET_GROUP, 12), 0);
	void *old = terminal;
	watched_session = 0;

	console_init(&c, &scheme, &outside);
	console_set_size(&c, &(struct options){ 0 });
	console_keep_state(&c, &state);
	CHECK_EQ(c.served.tty.session, 10);
	CHECK_EQ(c.served.tty.foreground, 12);
	CHECK_EQ(watched_session, 10);
	CHECK_EQ(c.served.tty.size.columns, 132);
	CHECK_EQ(c.served.tty.modes.local, modes.local);
	terminal = NULL;
	ask("", 0, 0);
	request.id = 99;
	CHECK_EQ(console_ops.revive(&request), OK);
	CHECK_EQ(notified_id, 99);
	CHECK_EQ(notified, READY_WRITE);
	terminal = request.opened;
	finish();
	CHECK_EQ(state.session, 0);
	heap_free(old, sizeof(struct tty_open));
}

TEST(drain_waits_for_the_wire)
{
	start(true, false);
	chip.room = 1;
	CHECK_EQ(write_text("abc"), 3);
	CHECK_EQ(chip.room, 0);
	CHECK_EQ(console_ops.call(ask("", 0, 0), TTY_DRAIN, 0), SCHEME_LATER);
	c.drain_timer.fire(&c.drain_timer);
	CHECK_EQ(answered, NOT_ANSWERED);
	chip.room = 100;
	c.drain_timer.fire(&c.drain_timer);
	CHECK_EQ(answered, 0);
	finish();
}

TEST(a_display_that_makes_no_sense_is_not_used)
{
	struct boot_framebuffer f = { .address = 1, .width = 100, .height = 100, .pitch_bytes = 399, .bits_per_pixel = 32 };

	start(true, false);
	CHECK_EQ(console_add_display(&c, &f, (uint8_t *)pixels, font, sizeof(font)), ERR_INVAL);
	f.pitch_bytes = 400;
	f.bits_per_pixel = 24;
	CHECK_EQ(console_add_display(&c, &f, (uint8_t *)pixels, font, sizeof(font)), ERR_INVAL);
	CHECK_EQ(console_add_display(&c, &f, (uint8_t *)pixels, font, 3), ERR_BADMSG);
	CHECK(!c.display.is_present);
	finish();
}
