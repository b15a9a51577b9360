/* lib/tty/serve_test.c - requests at a served terminal: who waits, who is told, who may what. */
#include "lib/test/test.h"
#include "lib/tty/serve.h"
#include "lib/tty/serve_fake.h"

/* ---- A server with one terminal ------------------------------------------------------------------------------------ */

static struct tty_served served;
static struct tty_open opened;
static struct server server;
static struct scheme scheme;
static char screen[65536];
static size_t screen_bytes, screen_room;

static void take_output(struct tty_served *s)
{
	const uint8_t *span;
	size_t count;

	while (screen_room > 0 && (count = tty_output(&s->tty, &span)) > 0) {
		count = count < screen_room ? count : screen_room;
		memcpy(screen + screen_bytes, span, count);
		tty_output_taken(&s->tty, count);
		screen_bytes += count;
		screen_room -= count;
	}
	screen[screen_bytes] = 0;
}
static bool is_drained(struct tty_served *s) { return tty_output_pending(&s->tty) == 0; }
static const struct tty_owner owner = { .output = take_output, .is_drained = is_drained };

static const struct scheme_ops ops = {
	.open = NULL, .cancel = tty_wait_cancel,
};
static uint8_t out[65536];
static struct message message;
static uint32_t asks_with = OPEN_READ | OPEN_WRITE;    /* what the open thing was opened for */
static struct scheme_request request;
static uint64_t tag;

/* A request of process pid of group; session is its tens. */
static struct scheme_request *ask(uint32_t pid, uint32_t group, const char *in, size_t in_bytes, size_t out_bytes)
{
	message = (struct message){
		.sender = { .pid = pid, .tid = pid, .uid = pid >= 50 ? 1000 : 0, .group = group, .session = group / 10 * 10 },
		.in_bytes = (uint32_t)in_bytes, .out_bytes = (uint32_t)out_bytes, .request.tag = (uint32_t)++tag, .open_flags = asks_with,
	};
	request = (struct scheme_request){
		.scheme = &scheme, .message = &message, .open = &opened, .in = (const uint8_t *)in, .in_here = in_bytes,
		.in_bytes = in_bytes, .out = out, .out_room = out_bytes, .out_max = out_bytes, .passed = HANDLE_NONE,
	};
	return &request;
}

static void start(void)
{
	scheme = (struct scheme){ .ops = &ops, .server = &server };
	list_init(&scheme.deferred);
	screen_bytes = 0;
	screen_room = sizeof(screen) - 1;
	fakes_reset();
	tty_served_init(&served, &scheme, &owner, &outside);
	served.major = 5;
	served.minor = 1;
	strcpy(served.name, "/dev/console");
	tty_serve_open(&served, &opened, ask(10, 10, "", 0, 0), 0);
	CHECK(request.reply_flags & REPLY_NOTIFIES);
	tty_serve_opened(&opened, 77);
}

static void type(const char *text)
{
	tty_serve_input(&served, (const uint8_t *)text, strlen(text));
}

static int64_t read_as(uint32_t group, size_t bytes)
{
	return tty_serve_read(&served, ask(group, group, "", 0, bytes), bytes);
}

static int64_t write_as(uint32_t group, const char *text)
{
	sending = text;
	return tty_serve_write(&served, ask(group, group, text, strlen(text), 0), strlen(text));
}

static int64_t call_as(uint32_t pid, uint32_t group, uint32_t code, uint64_t word, const void *in, size_t in_bytes)
{
	return tty_serve_call(&served, ask(pid, group, in, in_bytes, sizeof(out)), code, word, false);
}

static void finish(void)
{
	tty_serve_close(&opened);
	tty_served_fini(&served);
	CHECK(list_is_empty(&scheme.deferred));
}

TEST(the_first_open_of_a_leader_makes_it_the_controlling_terminal)
{
	start();
	CHECK_EQ(served.tty.session, 10);
	CHECK_EQ(served.tty.foreground, 10);
	CHECK_EQ(watched_session, 10);
	CHECK_EQ(terminal_of[1], 5 << 8 | 1);
	finish();
	CHECK_EQ(watched_session, 0);
	CHECK_EQ(terminal_of[1], 0);
}

TEST(a_read_waits_for_a_line)
{
	start();
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	type("ab");
	CHECK_EQ(answered, NOT_ANSWERED);
	type("c\n");
	CHECK_EQ(answered, 4);
	CHECK_STR(answered_data, "abc\n");
	CHECK_STR(screen, "abc\r\n");
	finish();
}

TEST(readers_are_served_in_turn)
{
	start();
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	uint64_t first = tag;
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	type("a\n");
	CHECK_EQ(answered_tag, first);
	type("b\n");
	CHECK_EQ(answered_tag, first + 1);
	finish();
}

TEST(what_a_killed_reader_did_not_get_stays)
{
	start();
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	client_is_gone = true;
	type("a\n");
	client_is_gone = false;
	CHECK_EQ(read_as(10, 100), 2);
	finish();
}

TEST(a_cancelled_read_is_interrupted)
{
	start();
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	tty_wait_cancel(list_first(&scheme.deferred, struct scheme_deferred, link));
	CHECK_EQ(answered, ERR_INTR);
	type("a\n");
	CHECK_EQ(read_as(10, 100), 2);
	finish();
}

TEST(a_nonblocking_read_says_again)
{
	start();
	ask(10, 10, "", 0, 100);
	request.is_nonblock = true;
	CHECK_EQ(tty_serve_read(&served, &request, 100), ERR_AGAIN);
	finish();
}

TEST(a_timed_read_ends_by_itself)
{
	struct tty_modes modes;

	start();
	modes = served.tty.modes;
	modes.local = 0;
	modes.chars[TTY_VMIN] = 0;
	modes.chars[TTY_VTIME] = 1;
	CHECK_EQ(call_as(10, 10, TTY_SET, TTY_NOW, &modes, sizeof(modes)), 0);
	CHECK_EQ(read_as(10, 100), SCHEME_LATER);
	CHECK_EQ(timer_ns, 1000 + 100000000);
	clock_ns = timer_ns;
	served.timer.fire(&served.timer);
	CHECK_EQ(answered, 0);
	CHECK_EQ(timer_ns, 0);
	finish();
}

TEST(a_write_that_does_not_fit_waits_and_ends_whole)
{
	static char text[30001];

	start();
	screen_room = 0;
	for (int i = 0; i < 30000; i++)
		text[i] = (char)('a' + i % 26);
	CHECK_EQ(write_as(10, text), SCHEME_LATER);
	CHECK_EQ(served.tty.output_end - served.tty.output_at, TTY_OUTPUT_BYTES - TTY_ECHO_RESERVE);
	CHECK_EQ(answered, NOT_ANSWERED);
	for (int i = 0; answered == NOT_ANSWERED && i < 100; i++) {
		screen_room = 1000;
		tty_serve_settle(&served);
	}
	CHECK_EQ(answered, 30000);
	screen_room = sizeof(screen) - 1 - screen_bytes;
	tty_serve_settle(&served);
	CHECK_STR(screen, text);
	finish();
}

TEST(a_cancelled_write_says_how_far_it_came)
{
	static char text[10001];

	start();
	screen_room = 0;
	memset(text, 'x', 10000);
	CHECK_EQ(write_as(10, text), SCHEME_LATER);
	tty_wait_cancel(list_first(&scheme.deferred, struct scheme_deferred, link));
	CHECK_EQ(answered, TTY_OUTPUT_BYTES - TTY_ECHO_RESERVE);
	finish();
}

TEST(drain_waits_until_all_is_out)
{
	start();
	screen_room = 0;
	CHECK_EQ(write_as(10, "abc"), 3);
	CHECK_EQ(call_as(10, 10, TTY_DRAIN, 0, "", 0), SCHEME_LATER);
	screen_room = 100;
	tty_serve_settle(&served);
	CHECK_EQ(answered, 0);
	CHECK_EQ(call_as(10, 10, TTY_DRAIN, 0, "", 0), 0);
	finish();
}

TEST(new_modes_can_wait_for_output)
{
	struct tty_modes modes;

	start();
	screen_room = 0;
	CHECK_EQ(write_as(10, "abc"), 3);
	modes = served.tty.modes;
	modes.local &= ~(uint32_t)TTY_ECHO;
	CHECK_EQ(call_as(10, 10, TTY_SET, TTY_FLUSH_INPUT, &modes, sizeof(modes)), SCHEME_LATER);
	type("x\n");
	CHECK(served.tty.modes.local & TTY_ECHO);
	screen_room = 100;
	tty_serve_settle(&served);
	CHECK_EQ(answered, 0);
	CHECK(!(served.tty.modes.local & TTY_ECHO));
	CHECK_EQ(tty_input_pending(&served.tty), 0);
	CHECK_EQ(call_as(10, 10, TTY_SET, 3, &modes, sizeof(modes)), ERR_INVAL);
	CHECK_EQ(call_as(10, 10, TTY_SET, 0, &modes, 5), ERR_INVAL);
	finish();
}

TEST(readiness_is_told_when_it_changes)
{
	start();
	CHECK_EQ(notified, READY_WRITE);
	type("a");
	CHECK_EQ(notified_count, 1);
	type("\n");
	CHECK_EQ(notified, READY_READ | READY_WRITE);
	CHECK_EQ(read_as(10, 10), 2);
	CHECK_EQ(notified, READY_WRITE);
	finish();
}

TEST(control_characters_signal_the_foreground_group)
{
	start();
	CHECK_EQ(call_as(10, 10, TTY_SET_GROUP, 12, "", 0), 0);
	type("\x03\x1a");
	CHECK_EQ(sent_count, 2);
	CHECK_EQ(sent[0].group, 12);
	CHECK_EQ(sent[0].signal, TTY_SIGINT);
	CHECK_EQ(sent[1].signal, TTY_SIGTSTP);
	finish();
}

TEST(the_background_is_told_so_and_orphans_fail)
{
	struct tty_modes modes;

	start();
	modes = served.tty.modes;
	CHECK_EQ(read_as(12, 10), ERR_BACKGROUND);
	CHECK_EQ(call_as(12, 12, TTY_SET, 0, &modes, sizeof(modes)), ERR_BACKGROUND);
	CHECK_EQ(write_as(12, "x"), 1);
	ask(12, 12, (const char *)&modes, sizeof(modes), 0);
	message.request.flags = REQUEST_FROM_BACKGROUND;
	CHECK_EQ(tty_serve_call(&served, &request, TTY_SET, 0, false), 0);
	message.request.flags = REQUEST_FROM_BACKGROUND;
	CHECK_EQ(tty_serve_read(&served, &request, 10), ERR_BACKGROUND);
	orphaned_group = 12;
	CHECK_EQ(read_as(12, 10), ERR_IO);
	finish();
}

TEST(only_groups_of_the_session_come_to_the_foreground)
{
	start();
	CHECK_EQ(call_as(10, 10, TTY_SET_GROUP, 22, "", 0), ERR_PERM);
	CHECK_EQ(call_as(10, 10, TTY_SET_GROUP, 101, "", 0), ERR_SRCH);
	CHECK_EQ(call_as(10, 10, TTY_SET_GROUP, 0, "", 0), ERR_INVAL);
	CHECK_EQ(call_as(20, 20, TTY_SET_GROUP, 22, "", 0), ERR_NOTTY);
	CHECK_EQ(call_as(10, 10, TTY_GET_GROUP, 0, "", 0), 10);
	CHECK_EQ(call_as(20, 20, TTY_GET_GROUP, 0, "", 0), ERR_NOTTY);
	CHECK_EQ(call_as(10, 10, TTY_GET_SESSION, 0, "", 0), 10);
	finish();
}

TEST(another_session_gets_the_terminal_only_by_stealing)
{
	start();
	CHECK_EQ(call_as(21, 20, TTY_ACQUIRE, 0, "", 0), ERR_PERM);
	CHECK_EQ(call_as(20, 20, TTY_ACQUIRE, 0, "", 0), ERR_PERM);
	CHECK_EQ(call_as(50, 50, TTY_ACQUIRE, 1, "", 0), ERR_PERM);
	CHECK_EQ(call_as(20, 20, TTY_ACQUIRE, 1, "", 0), 0);
	CHECK_EQ(served.tty.session, 20);
	CHECK_EQ(terminal_of[1], 0);
	CHECK_EQ(watched_session, 20);
	terminal_of[3] = 1;
	CHECK_EQ(call_as(30, 30, TTY_ACQUIRE, 1, "", 0), ERR_PERM);
	CHECK_EQ(served.tty.session, 20);
	finish();
}

TEST(the_leaders_end_frees_the_terminal_and_hangs_up_the_foreground)
{
	start();
	CHECK_EQ(call_as(10, 10, TTY_SET_GROUP, 12, "", 0), 0);
	tty_serve_leader_ended(&served);
	CHECK_EQ(sent_count, 2);
	CHECK_EQ(sent[0].group, 12);
	CHECK_EQ(sent[0].signal, TTY_SIGHUP);
	CHECK_EQ(sent[1].signal, TTY_SIGCONT);
	CHECK_EQ(served.tty.session, 0);
	CHECK_EQ(call_as(20, 20, TTY_ACQUIRE, 0, "", 0), 0);
	finish();
}

TEST(a_session_whose_leader_is_gone_keeps_no_terminal)
{
	start();
	dead_leader = 10;
	CHECK_EQ(call_as(20, 20, TTY_ACQUIRE, 0, "", 0), 0);
	CHECK_EQ(served.tty.session, 20);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGHUP);
	finish();
}

TEST(a_leader_may_give_the_terminal_up)
{
	start();
	CHECK_EQ(call_as(11, 10, TTY_RELEASE, 0, "", 0), 0);
	CHECK_EQ(served.tty.session, 10);
	CHECK_EQ(call_as(10, 10, TTY_RELEASE, 0, "", 0), 0);
	CHECK_EQ(served.tty.session, 0);
	CHECK_EQ(call_as(10, 10, TTY_RELEASE, 0, "", 0), ERR_NOTTY);
	finish();
}

TEST(a_hangup_wakes_everybody)
{
	static char text[10001];

	start();
	screen_room = 0;
	memset(text, 'x', 10000);
	CHECK_EQ(write_as(10, text), SCHEME_LATER);
	CHECK_EQ(read_as(10, 10), SCHEME_LATER);
	tty_serve_hangup(&served);
	CHECK_EQ(answered, 0);
	CHECK(list_is_empty(&scheme.deferred));
	CHECK_EQ(write_as(10, "x"), ERR_IO);
	CHECK_EQ(read_as(10, 10), 0);
	CHECK(notified & READY_HANGUP);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGHUP);
	finish();
}

TEST(it_says_what_it_is)
{
	struct file_stat stat;

	start();
	CHECK_EQ(call_as(10, 10, TTY_NAME, 0, "", 0), 12);
	CHECK_MEM(out, "/dev/console", 12);
	CHECK_EQ(call_as(10, 10, FILE_STAT, 0, "", 0), 0);
	memcpy(&stat, out, sizeof(stat));
	CHECK_EQ(stat.rdev, 5ull << 32 | 1);
	CHECK_EQ(stat.mode & MODE_TYPE, MODE_CHARACTER);
	CHECK_EQ(call_as(10, 10, FILE_STAT, 0, "x", 1), ERR_NOTDIR);
	CHECK_EQ(call_as(50, 50, FILE_CHMOD, 0600, "", 0), ERR_PERM);
	CHECK_EQ(call_as(10, 10, FILE_CHMOD, 0600, "", 0), 0);
	CHECK_EQ(served.mode, 0600);
	CHECK_EQ(call_as(10, 10, 9999, 0, "", 0), ERR_NOTTY);
	finish();
}

TEST(typing_for_others_is_roots)
{
	start();
	CHECK_EQ(call_as(50, 50, TTY_INJECT, 0, "x\n", 2), ERR_PERM);
	CHECK_EQ(call_as(10, 10, TTY_INJECT, 0, "x\n", 2), 2);
	CHECK_EQ(read_as(10, 10), 2);
	finish();
}

TEST(a_new_size_is_told_to_the_foreground)
{
	struct tty_size size = { 50, 132, 0, 0 };

	start();
	CHECK_EQ(call_as(10, 10, TTY_SET_SIZE, 0, &size, sizeof(size)), 0);
	CHECK_EQ(sent[0].signal, TTY_SIGWINCH);
	CHECK_EQ(call_as(10, 10, TTY_GET_SIZE, 0, "", 0), 0);
	CHECK_MEM(out, &size, sizeof(size));
	finish();
}

TEST(to_execute_a_terminal_is_to_read_it)
{
	start();
	served.mode = 0620;
	CHECK(!tty_serve_may(&served, &(struct sender){ .pid = 50, .uid = 1000, .gid = 1000, .session = 50 }, OPEN_EXEC));
	finish();
}

TEST(what_was_opened_for_nothing_changes_nothing)
{
	struct tty_modes modes = { 0 };

	start();
	for (asks_with = 0;; asks_with = OPEN_PATH | OPEN_READ) {
		CHECK_EQ(call_as(50, 50, TTY_SET, TTY_NOW, &modes, sizeof(modes)), ERR_PERM);
		CHECK_EQ(call_as(50, 50, TTY_FLUSH, TTY_FLUSH_IN, NULL, 0), ERR_PERM);
		CHECK_EQ(call_as(50, 50, TTY_FLOW, 0, NULL, 0), ERR_PERM);
		CHECK(call_as(50, 50, TTY_GET, 0, NULL, 0) >= 0);
		if (asks_with)
			break;
	}
	asks_with = OPEN_WRITE;
	CHECK_EQ(call_as(50, 50, TTY_FLUSH, TTY_FLUSH_IN, NULL, 0), OK);
	asks_with = OPEN_READ | OPEN_WRITE;
	finish();
}

TEST(a_free_terminal_is_taken_only_by_who_may_read_it)
{
	struct tty_open other;

	start();
	CHECK_EQ(call_as(10, 10, TTY_RELEASE, 0, NULL, 0), OK);
	CHECK_EQ(served.tty.session, 0);
	tty_serve_open(&served, &other, ask(50, 50, "", 0, 0), 0);
	CHECK_EQ(served.tty.session, 0);
	for (asks_with = 0; asks_with <= OPEN_WRITE; asks_with += OPEN_WRITE)
		CHECK_EQ(call_as(50, 50, TTY_ACQUIRE, 0, NULL, 0), ERR_PERM);
	CHECK_EQ(served.tty.session, 0);
	asks_with = OPEN_READ | OPEN_WRITE;
	CHECK_EQ(call_as(50, 50, TTY_ACQUIRE, 0, NULL, 0), OK);
	CHECK_EQ(served.tty.session, 50);
	tty_serve_close(&other);
	finish();
}
