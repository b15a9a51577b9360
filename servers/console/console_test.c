/* servers/console/console_test.c - the terminal and its devices together. */
#include "lib/test/test.h"
#include "lib/tty/serve_fake.h"
#include "lib/native/heap.h"
#include "servers/console/console.h"

static struct server server;
static struct scheme scheme;
static struct console c;
static struct message message;
static struct scheme_request request;
static uint8_t out[65536];
static void *terminal;

/* ---- A serial port --------------------------------------------------------------------------- */

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

static void start(bool has_serial)
{
	memset(&chip, 0, sizeof(chip));
	chip.received = "";
	chip.room = sizeof(chip.sent);
	scheme = (struct scheme){ .ops = &console_ops, .server = &server, .context = &c };
	list_init(&scheme.deferred);
	fakes_reset();
	console_init(&c, &scheme, &outside);
	if (has_serial)
		console_add_serial(&c, &serial);
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
}

static int64_t write_text(const char *text)
{
	sending = text;
	return console_ops.write(ask(text, strlen(text), 0), strlen(text), 0);
}

TEST(only_the_console_can_be_opened)
{
	start(true);
	void *first = terminal;
	terminal = NULL;
	CHECK_EQ(console_ops.open(ask("", 0, 0), "other", 5, OPEN_READ, 0), ERR_NOENT);
	CHECK_EQ(console_ops.open(ask("", 0, 0), "/console", 8, OPEN_DIRECTORY, 0), ERR_NOTDIR);
	terminal = first;
	finish();
}

TEST(output_goes_to_the_serial_line)
{
	start(true);
	CHECK_EQ(write_text("hi\n"), 3);
	CHECK_STR(chip.sent, "hi\r\n");
	finish();
}

TEST(a_console_without_devices_swallows_output)
{
	start(false);
	CHECK_EQ(write_text("x"), 1);
	finish();
}

TEST(a_slow_line_holds_the_writer)
{
	static char text[20001];

	start(true);
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
	start(true);
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

	start(true);
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

TEST(control_c_on_the_line_signals)
{
	start(true);
	chip.received = "\x03";
	console_serial_service(&c);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGINT);
	finish();
}

TEST(the_size_is_what_was_said_or_the_usual)
{
	start(true);
	CHECK(c.served.tty.size.rows == 24 && c.served.tty.size.columns == 80);
	console_set_size(&c, &(struct options){ .rows = 50, .columns = 10 });
	CHECK(c.served.tty.size.rows == 50 && c.served.tty.size.columns == 10);
	finish();
}

TEST(a_restart_forgets_neither_modes_nor_session)
{
	struct console_state state = { 0 };
	struct tty_modes modes;
	struct tty_size size = { 50, 132, 0, 0 };

	start(true);
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
	start(true);
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
