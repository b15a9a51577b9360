/* servers/ptyd/pty_test.c - masters and slaves: data both ways, ends, hangups, the directory. */
#include "lib/test/test.h"
#include "lib/tty/serve_fake.h"
#include "lib/native/heap.h"
#include "servers/ptyd/pty.h"

static struct server server;
static struct scheme scheme;
static struct ptys ptys;
static uint8_t out[65536];
static struct message message;
static struct scheme_request request;
static uint32_t asker = 10, asker_uid;
static uint64_t next_id;

static struct scheme_request *ask(void *open, const void *in, size_t in_bytes, size_t out_bytes)
{
	message = (struct message){
		.sender = { .pid = asker, .tid = asker, .uid = asker_uid, .gid = asker_uid, .group = asker, .session = asker / 10 * 10 },
		.in_bytes = (uint32_t)in_bytes, .out_bytes = (uint32_t)out_bytes,
	};
	request = (struct scheme_request){
		.scheme = &scheme, .message = &message, .open = open, .in = in, .in_here = in_bytes, .in_bytes = in_bytes,
		.out = out, .out_room = out_bytes, .out_max = out_bytes, .passed = HANDLE_NONE,
	};
	return &request;
}

static void start(void)
{
	scheme = (struct scheme){ .ops = &pty_ops, .server = &server, .context = &ptys };
	list_init(&scheme.deferred);
	fakes_reset();
	asker = 10;
	asker_uid = 0;
	ptys_init(&ptys, &scheme, &outside, 0);
}

static int64_t try_open(const char *ref, uint32_t flags, void **opened)
{
	int64_t result = pty_ops.open(ask(NULL, ref, strlen(ref), 0), ref, strlen(ref), flags, 0);

	*opened = request.opened;
	if (result == 0)
		pty_ops.opened(&scheme, *opened, ++next_id);
	return result;
}

static void *open_it(const char *ref)
{
	void *opened;

	CHECK_EQ(try_open(ref, OPEN_READ | OPEN_WRITE, &opened), 0);
	return opened;
}

static int64_t call(void *open, uint32_t code, uint64_t word) { return pty_ops.call(ask(open, "", 0, sizeof(out)), code, word); }
static int64_t call_path(void *open, uint32_t code, const char *path, uint64_t word)
{
	return pty_ops.call(ask(open, path, strlen(path), sizeof(out)), code, word);
}
static void close_it(void *open) { pty_ops.close(&scheme, open); }

static void *open_master(void)
{
	void *m = open_it("new");

	CHECK_EQ(call(m, PTY_LOCK, 0), 0);
	return m;
}

static const char *read_it(void *open, size_t bytes)
{
	int64_t got = pty_ops.read(ask(open, "", 0, bytes), bytes, 0);

	if (got == SCHEME_LATER)
		return "(later)";
	if (got < 0)
		return "(error)";
	out[got] = 0;
	return (const char *)out;
}

static int64_t write_it(void *open, const char *text)
{
	sending = text;
	return pty_ops.write(ask(open, text, strlen(text), 0), strlen(text), 0);
}

static void stop(void)
{
	CHECK(list_is_empty(&scheme.deferred));
	heap_free(ptys.by_number, ptys.capacity * sizeof(*ptys.by_number));
}

TEST(what_the_master_types_the_slave_reads)
{
	start();
	void *m = open_master(), *s = open_it("0");
	CHECK_EQ(write_it(m, "ls\r"), 3);
	CHECK_STR(read_it(s, 100), "ls\n");
	CHECK_STR(read_it(m, 100), "ls\r\n");
	CHECK_EQ(write_it(s, "x\n"), 2);
	CHECK_STR(read_it(m, 100), "x\r\n");
	close_it(s);
	close_it(m);
	stop();
}

TEST(a_locked_slave_stays_shut)
{
	void *opened;

	start();
	void *m = open_it("new");
	CHECK_EQ(try_open("0", OPEN_READ, &opened), ERR_IO);
	CHECK_EQ(call(m, PTY_LOCK, 0), 0);
	close_it(open_it("/0"));
	CHECK_EQ(try_open("1", OPEN_READ, &opened), ERR_NOENT);
	CHECK_EQ(try_open("00", OPEN_READ, &opened), ERR_NOENT);
	CHECK_EQ(try_open("x", OPEN_READ, &opened), ERR_NOENT);
	CHECK_EQ(try_open("99999999999", OPEN_READ, &opened), ERR_NOENT);
	close_it(m);
	stop();
}

TEST(numbers_are_the_lowest_free_and_come_back)
{
	start();
	void *a = open_master(), *b = open_master();
	CHECK_EQ(call(b, PTY_NUMBER, 0), 1);
	close_it(a);
	a = open_master();
	CHECK_EQ(call(a, PTY_NUMBER, 0), 0);
	close_it(a);
	close_it(b);
	stop();
}

TEST(readers_of_both_ends_wait_for_the_other)
{
	start();
	void *m = open_master(), *s = open_it("0");
	CHECK_STR(read_it(s, 100), "(later)");
	CHECK_EQ(write_it(m, "a\n"), 2);
	CHECK_STR(answered_data, "a\n");
	CHECK_STR(read_it(m, 100), "a\r\n");
	CHECK_STR(read_it(m, 100), "(later)");
	CHECK_EQ(write_it(s, "b"), 1);
	CHECK_STR(answered_data, "b");
	close_it(s);
	close_it(m);
	stop();
}

TEST(a_master_without_slaves_reads_the_rest_then_the_end)
{
	start();
	void *m = open_master(), *s = open_it("0");
	CHECK_EQ(write_it(s, "bye"), 3);
	close_it(s);
	CHECK_STR(read_it(m, 100), "bye");
	CHECK_STR(read_it(m, 100), "(error)");
	CHECK(((struct pty_open *)m)->pty->master_ready & READY_HANGUP);
	s = open_it("0");
	CHECK_STR(read_it(m, 100), "(later)");
	close_it(s);
	CHECK_EQ(answered, ERR_IO);
	close_it(m);
	stop();
}

TEST(a_master_waits_for_its_first_slave)
{
	start();
	void *m = open_master();
	CHECK_STR(read_it(m, 100), "(later)");
	CHECK_EQ(answered, NOT_ANSWERED);
	pty_ops.cancel(list_first(&scheme.deferred, struct scheme_deferred, link));
	close_it(m);
	stop();
}

TEST(closing_the_master_hangs_up_the_slave)
{
	void *opened;

	start();
	void *m = open_master(), *s = open_it("0");
	CHECK_EQ(watched_session, 10);
	CHECK_STR(read_it(s, 100), "(later)");
	close_it(m);
	CHECK_EQ(answered, 0);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGHUP);
	CHECK_EQ(write_it(s, "x"), ERR_IO);
	CHECK_EQ(try_open("0", OPEN_READ, &opened), ERR_NOENT);
	void *other = open_master();
	CHECK_EQ(call(other, PTY_NUMBER, 0), 0);
	close_it(s);
	close_it(other);
	stop();
}

TEST(a_flood_of_typing_waits_for_the_reader)
{
	static char text[10001];
	struct tty_modes modes;

	start();
	void *m = open_master(), *s = open_it("0");
	modes = ((struct pty_open *)s)->pty->slave.tty.modes;
	modes.local = modes.input = 0;
	CHECK_EQ(pty_ops.call(ask(s, &modes, sizeof(modes), 0), TTY_SET, 0), 0);
	for (int i = 0; i < 10000; i++)
		text[i] = (char)('a' + i % 26);
	CHECK_EQ(write_it(m, text), SCHEME_LATER);
	CHECK_EQ(((struct pty_open *)m)->pty->master_ready & READY_WRITE, 0);
	for (size_t i = 0; i < 10000; i += 500)
		CHECK_MEM(read_it(s, 500), text + i, 500);
	CHECK_EQ(answered, 10000);
	CHECK(((struct pty_open *)m)->pty->master_ready & READY_WRITE);
	close_it(s);
	close_it(m);
	stop();
}

TEST(a_flood_of_output_waits_for_the_master)
{
	static char text[20001];
	size_t total = 0;

	start();
	void *m = open_master(), *s = open_it("0");
	memset(text, 'x', 20000);
	CHECK_EQ(write_it(s, text), SCHEME_LATER);
	for (int i = 0; i < 100 && total < 20000; i++)
		total += strlen(read_it(m, 3000));
	CHECK_EQ(total, 20000);
	CHECK_EQ(answered, 20000);
	close_it(s);
	close_it(m);
	stop();
}

TEST(the_master_reads_the_foreground_group_and_sets_the_size)
{
	struct tty_size size = { 30, 100, 0, 0 };

	start();
	void *m = open_master(), *s = open_it("0");
	asker = 20;
	CHECK_EQ(call(m, TTY_GET_GROUP, 0), 10);
	CHECK_EQ(call(s, TTY_GET_GROUP, 0), ERR_NOTTY);
	CHECK_EQ(pty_ops.call(ask(m, &size, sizeof(size), 0), TTY_SET_SIZE, 0), 0);
	CHECK_EQ(sent[0].group, 10);
	CHECK_EQ(sent[0].signal, TTY_SIGWINCH);
	CHECK_EQ(call(s, PTY_NUMBER, 0), ERR_NOTTY);
	close_it(s);
	close_it(m);
	stop();
}

TEST(packet_mode_puts_a_byte_in_front)
{
	start();
	void *m = open_master(), *s = open_it("0");
	CHECK_EQ(call(m, PTY_PACKET, 1), 0);
	CHECK_EQ(write_it(s, "x"), 1);
	(void)read_it(m, 100);
	CHECK_MEM(out, "\0x", 2);
	CHECK_EQ(call(s, TTY_FLUSH, TTY_FLUSH_OUT), 0);
	(void)read_it(m, 100);
	CHECK_EQ(out[0], TTY_PACKET_FLUSH_WRITE);
	close_it(s);
	close_it(m);
	stop();
}

TEST(the_directory_lists_who_is_there)
{
	static const char *const names[] = { ".", "..", "ptmx", "0", "2" };
	struct file_stat stat;
	size_t count = 0;

	start();
	void *a = open_master(), *b = open_master(), *c = open_master(), *d;
	CHECK_EQ(try_open("", OPEN_READ | OPEN_WRITE, &d), ERR_ISDIR);
	CHECK_EQ(try_open("", OPEN_READ, &d), 0);
	close_it(b);
	int64_t bytes = call(d, FILE_LIST, 0);
	for (int64_t at = 0; at < bytes; count++) {
		struct file_entry e;
		memcpy(&e, out + at, sizeof(e));
		CHECK_EQ(e.name_bytes, strlen(names[count]));
		CHECK_MEM(out + at + sizeof(e), names[count], e.name_bytes);
		at += e.entry_bytes;
	}
	CHECK_EQ(count, 5);
	CHECK_EQ(call(d, FILE_LIST, 19), 0);
	CHECK_EQ(pty_ops.call(ask(d, "", 0, 10), FILE_LIST, 0), ERR_INVAL);
	CHECK_EQ(call_path(d, FILE_STAT, "2", 0), 0);
	memcpy(&stat, out, sizeof(stat));
	CHECK_EQ(stat.rdev, 136ull << 32 | 2);
	CHECK_EQ(call_path(d, FILE_STAT, "1", 0), ERR_NOENT);
	CHECK_EQ(call_path(d, FILE_STAT, "", 0), 0);
	memcpy(&stat, out, sizeof(stat));
	CHECK_EQ(stat.mode, MODE_DIRECTORY | 0755);
	CHECK_EQ(call_path(d, FILE_MKDIR, "x", 0), ERR_PERM);
	close_it(a);
	close_it(c);
	close_it(d);
	stop();
}

TEST(only_who_may_opens_a_slave)
{
	void *opened;

	start();
	void *m = open_master();
	asker_uid = 1000;
	CHECK_EQ(try_open("0", OPEN_READ, &opened), ERR_ACCES);
	asker_uid = 5;          /* the group tty may write */
	CHECK_EQ(try_open("0", OPEN_READ, &opened), ERR_ACCES);
	asker = 15;
	CHECK_EQ(try_open("0", OPEN_WRITE, &opened), 0);
	close_it(opened);
	close_it(m);
	stop();
}
