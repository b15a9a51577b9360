/* servers/execd/session_test.c - a host's bytes in, the guest's bytes out. */
#include "lib/native/heap.h"
#include "lib/test/test.h"
#include "servers/execd/session.h"

static struct session s;
static uint8_t line[64 * 1024];         /* what was sent to the host */
static size_t line_used, line_at;

static void send_frame(uint8_t kind, uint8_t channel, const void *payload, uint16_t bytes)
{
	struct exec_frame f = { kind, channel, bytes };

	session_feed(&s, (uint8_t *)&f, sizeof f);
	if (bytes)
		session_feed(&s, payload, bytes);
}

static void send_u32(uint8_t kind, uint8_t channel, uint32_t v)
{
	send_frame(kind, channel, &v, sizeof v);
}

/* Moves what is queued to line. */
static void drain(void)
{
	const uint8_t *bytes;
	size_t n;

	while ((n = session_output(&s, &bytes)) > 0) {
		memcpy(line + line_used, bytes, n);
		line_used += n;
		session_sent(&s, n);
	}
}

/* The next frame sent to the host must be this one; its payload. */
static const uint8_t *expect(uint8_t kind, uint8_t channel, uint16_t *bytes)
{
	struct exec_frame f;

	drain();
	CHECK(line_used - line_at >= sizeof f);
	memcpy(&f, line + line_at, sizeof f);
	CHECK_EQ(f.kind, kind);
	CHECK_EQ(f.channel, channel);
	const uint8_t *payload = line + line_at + sizeof f;
	line_at += sizeof f + f.bytes;
	CHECK(line_at <= line_used);
	*bytes = f.bytes;
	return payload;
}

static void greet(void)
{
	struct exec_hello hello = { EXEC_MAGIC, EXEC_VERSION, 0 };
	uint16_t n;

	line_used = line_at = 0;
	CHECK_EQ(session_init(&s), OK);
	session_hello(&s);
	expect(EXEC_HELLO, 0, &n);
	CHECK_EQ(n, sizeof hello);
	send_frame(EXEC_HELLO, 0, &hello, sizeof hello);
	CHECK_EQ(s.state, SESSION_COMMAND);
}

static void run_it(void)
{
	uint16_t n;

	greet();
	send_u32(EXEC_CREDIT, EXEC_STDOUT, 10);
	send_frame(EXEC_COMMAND, 0, "abc", 3);
	send_frame(EXEC_COMMAND, 0, NULL, 0);
	CHECK_EQ(s.state, SESSION_READY);
	CHECK_EQ(s.command_bytes, 3);
	session_begin(&s);
	expect(EXEC_CREDIT, EXEC_STDIN, &n);
}

TEST(garbage_before_the_hello_is_dropped)
{
	struct exec_hello hello = { EXEC_MAGIC, EXEC_VERSION, 0 };
	uint8_t garbage[5000];

	CHECK_EQ(session_init(&s), OK);
	session_hello(&s);
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (uint8_t)test_random();
	session_feed(&s, garbage, sizeof garbage);
	session_feed(&s, (const uint8_t *)"\1\0\30\0Cathode", 11);
	CHECK_EQ(s.state, SESSION_SILENT);
	send_frame(EXEC_HELLO, 0, &hello, sizeof hello);
	CHECK_EQ(s.state, SESSION_COMMAND);
	CHECK(!s.is_broken);
	session_fini(&s);
}

TEST(frames_may_come_in_any_pieces)
{
	struct exec_frame f = { EXEC_COMMAND, 0, 300 };
	uint8_t payload[300];

	greet();
	for (size_t i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof f; i++)
		session_feed(&s, (uint8_t *)&f + i, 1);
	for (size_t i = 0; i < sizeof payload; i++)
		session_feed(&s, payload + i, 1);
	CHECK_EQ(s.command_bytes, 300);
	CHECK_MEM(s.command, payload, 300);
	session_fini(&s);
}

TEST(output_waits_for_credit)
{
	uint16_t n;

	run_it();
	CHECK_EQ(session_room(&s, EXEC_STDOUT), 10);
	CHECK_EQ(session_room(&s, EXEC_STDERR), 0);
	session_put(&s, EXEC_STDOUT, (const uint8_t *)"0123456789", 10);
	CHECK_EQ(session_room(&s, EXEC_STDOUT), 0);
	CHECK_MEM(expect(EXEC_DATA, EXEC_STDOUT, &n), "0123456789", 10);
	send_u32(EXEC_CREDIT, EXEC_STDOUT, 1 << 20);
	CHECK_EQ(session_room(&s, EXEC_STDOUT), EXEC_PAYLOAD_MAX);
	session_fini(&s);
}

TEST(a_full_line_leaves_room_for_the_small_frames)
{
	static const uint8_t block[EXEC_PAYLOAD_MAX];
	size_t n;

	run_it();
	send_u32(EXEC_CREDIT, EXEC_STDOUT, 1 << 19);
	while ((n = session_room(&s, EXEC_STDOUT)) > 0)
		session_put(&s, EXEC_STDOUT, block, n);
	session_put_end(&s, EXEC_STDOUT);
	session_put_end(&s, EXEC_STDERR);
	session_stdin_close(&s);
	session_exit(&s, 7);
	CHECK_EQ(s.state, SESSION_OVER);
	session_fini(&s);
}

TEST(standard_input_comes_in_order_and_is_granted_again)
{
	static uint8_t block[EXEC_PAYLOAD_MAX];
	const uint8_t *bytes;
	uint16_t payload_bytes;
	uint8_t next = 0, expected = 0;
	size_t n;

	run_it();
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < sizeof block; i++)
			block[i] = next++;
		send_frame(EXEC_DATA, EXEC_STDIN, block, sizeof block);
		CHECK(!s.is_broken);
		while ((n = session_stdin(&s, &bytes)) > 0) {
			for (size_t i = 0; i < n; i++)
				CHECK_EQ(bytes[i], expected++);
			session_stdin_taken(&s, n);
		}
		drain();
	}
	expect(EXEC_CREDIT, EXEC_STDIN, &payload_bytes);
	send_frame(EXEC_EOF, EXEC_STDIN, NULL, 0);
	CHECK(s.stdin_has_ended);
	session_fini(&s);
}

TEST(more_standard_input_than_granted_breaks_off)
{
	static const uint8_t block[EXEC_PAYLOAD_MAX];
	uint16_t n;

	run_it();
	for (int i = 0; i < 17; i++)
		send_frame(EXEC_DATA, EXEC_STDIN, block, sizeof block);
	CHECK(s.is_broken);
	expect(EXEC_FAILED, 0, &n);
	session_fini(&s);
}

TEST(a_closed_standard_input_swallows_what_is_under_way)
{
	const uint8_t *bytes;
	uint16_t n;

	run_it();
	session_stdin_close(&s);
	expect(EXEC_CLOSE, EXEC_STDIN, &n);
	send_frame(EXEC_DATA, EXEC_STDIN, "x", 1);
	CHECK(!s.is_broken);
	CHECK_EQ(session_stdin(&s, &bytes), 0);
	session_fini(&s);
}

TEST(broken_rules_break_off_and_a_new_hello_begins_again)
{
	struct exec_hello hello = { EXEC_MAGIC, EXEC_VERSION, 0 };

	for (int i = 0; i < 7; i++) {
		greet();
		switch (i) {
		case 0: send_frame(99, 0, NULL, 0); break;
		case 1: send_frame(EXEC_HELLO, 0, &hello, sizeof hello); break;
		case 2: send_frame(EXEC_CREDIT, EXEC_STDOUT, "x", 1); break;
		case 3: send_u32(EXEC_CREDIT, EXEC_STDOUT, EXEC_CREDIT_MAX + 1); break;
		case 4: send_u32(EXEC_SIGNAL, 0, 65); break;
		case 5: send_frame(EXEC_DATA, EXEC_STDIN, "x", 1); break;
		case 6: session_feed(&s, (const uint8_t *)"\3\0\1\20", 4); break;
		}
		CHECK(s.is_broken);
		session_hello(&s);
		send_frame(EXEC_HELLO, 0, &hello, sizeof hello);
		CHECK_EQ(s.state, SESSION_COMMAND);
		session_fini(&s);
	}
}

TEST(a_command_that_is_too_long_breaks_off)
{
	static const uint8_t block[EXEC_PAYLOAD_MAX];

	greet();
	for (int i = 0; i < EXEC_COMMAND_MAX / EXEC_PAYLOAD_MAX; i++)
		send_frame(EXEC_COMMAND, 0, block, sizeof block);
	CHECK(!s.is_broken);
	send_frame(EXEC_COMMAND, 0, block, 1);
	CHECK(s.is_broken);
	session_fini(&s);
}

TEST(signals_and_goodbye_arrive)
{
	run_it();
	send_u32(EXEC_SIGNAL, 0, 2);
	CHECK_EQ(s.signal, 2);
	session_exit(&s, 0);
	send_frame(EXEC_GOODBYE, 0, NULL, 0);
	CHECK_EQ(s.state, SESSION_GOODBYE);
	session_fini(&s);
}
