/* tests/native/pty.c - pty: as a native program sees it; prints TAP. */
#include "abi/proto/file.h"
#include "abi/proto/tty.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "lib/tty/termios.h"
#include "tests/native/tap.h"

enum { FLOOD_BYTES = 1 << 20 };

/* ---- A pair ---------------------------------------------------------------------------------------------------------- */

static handle_t master = HANDLE_NONE, slave = HANDLE_NONE;
static int64_t number;

static err_t open_slave(handle_t *out)
{
	char ref[16];

	fmt(ref, sizeof(ref), "%d", (int)number);
	return handle_open("pty", ref, OPEN_READ | OPEN_WRITE | OPEN_NOCTTY, out);
}

static void open_pair(void)
{
	CHECK(handle_open("pty", "new", OPEN_READ | OPEN_WRITE, &master) == OK);
	number = handle_call(master, PTY_NUMBER, NULL, 0, NULL, 0, 0);
	CHECK(number >= 0);
	CHECK(open_slave(&slave) == ERR_IO);
	CHECK(handle_call(master, PTY_LOCK, NULL, 0, NULL, 0, 0) == 0);
	CHECK(open_slave(&slave) == OK);
}

static void close_pair(void)
{
	handle_close(slave);
	handle_close(master);
	slave = master = HANDLE_NONE;
}

static bool reads(handle_t h, const char *wanted)
{
	char text[256];
	int64_t bytes = sys_read(0, h, text, sizeof(text), -1);

	return bytes == (int64_t)strlen(wanted) && !memcmp(text, wanted, (size_t)bytes);
}

static uint32_t ready(handle_t h)
{
	struct poll_entry e = { .handle = h, .wanted = READY_READ | READY_WRITE };

	return sys_poll(0, HANDLE_NONE, &e, 1, DEADLINE_NOW) < 0 ? UINT32_MAX : e.found;
}

static void set_raw(void)
{
	struct tty_modes modes;

	CHECK(handle_call(slave, TTY_GET, NULL, 0, &modes, sizeof(modes), 0) >= 0);
	modes.input = modes.output = modes.local = 0;
	modes.chars[TTY_VMIN] = 1;
	modes.chars[TTY_VTIME] = 0;
	CHECK(handle_call(slave, TTY_SET, &modes, sizeof(modes), NULL, 0, TTY_NOW) == 0);
}

/* ---- Rules ----------------------------------------------------------------------------------------------------------- */

static void both_ways(void)
{
	open_pair();
	CHECK(handle_write(master, "ls\x7f\x7fps\r", 7) == OK);
	CHECK(reads(slave, "ps\n"));
	CHECK(reads(master, "ls\b \b\b \bps\r\n"));
	CHECK(handle_write(slave, "out\n", 4) == OK);
	CHECK(reads(master, "out\r\n"));
	close_pair();
}

static void readiness(void)
{
	open_pair();
	CHECK(ready(slave) == READY_WRITE);
	CHECK(ready(master) == READY_WRITE);
	CHECK(handle_write(master, "x", 1) == OK);
	CHECK(ready(slave) == READY_WRITE);
	CHECK(ready(master) == (READY_READ | READY_WRITE));
	CHECK(handle_write(master, "\n", 1) == OK);
	CHECK(ready(slave) == (READY_READ | READY_WRITE));
	char byte;
	CHECK(sys_read(REQUEST_NONBLOCK, slave, &byte, 1, -1) == 1);
	CHECK(sys_read(REQUEST_NONBLOCK, slave, &byte, 1, -1) == 1);
	CHECK(sys_read(REQUEST_NONBLOCK, slave, &byte, 1, -1) == ERR_AGAIN);
	CHECK(ready(slave) == READY_WRITE);
	close_pair();
}

static void type_later(void *argument)
{
	(void)argument;
	sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + 30000000);
	(void)!handle_write(master, "late\n", 5);
}

static void waiting_reads(void)
{
	uint32_t tid;

	open_pair();
	CHECK(thread_create(type_later, NULL, &tid) == OK);
	CHECK(reads(slave, "late\n"));
	close_pair();
}

static void close_later(void *argument)
{
	(void)argument;
	sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + 30000000);
	handle_close(master);
}

static void hangups(void)
{
	uint32_t tid;
	char byte;

	open_pair();
	CHECK(thread_create(close_later, NULL, &tid) == OK);
	CHECK(sys_read(0, slave, &byte, 1, -1) == 0);
	CHECK(ready(slave) & READY_HANGUP);
	CHECK(sys_write(0, slave, "x", 1, -1) == ERR_IO);
	handle_close(slave);
	CHECK(open_slave(&slave) == ERR_NOENT);

	open_pair();
	CHECK(handle_write(slave, "last words", 10) == OK);
	handle_close(slave);
	CHECK(reads(master, "last words"));
	CHECK(sys_read(0, master, &byte, 1, -1) == ERR_IO);
	CHECK(ready(master) & READY_HANGUP);
	handle_close(master);
}

static bool is_listed(handle_t directory, const char *wanted)
{
	uint8_t buffer[4096];
	struct file_entry e;
	int64_t bytes = handle_call(directory, FILE_LIST, NULL, 0, buffer, sizeof(buffer), 0);

	for (int64_t at = 0; at < bytes; at += e.entry_bytes) {
		memcpy(&e, buffer + at, sizeof(e));
		if (string_is((const char *)buffer + at + sizeof(e), e.name_bytes, wanted))
			return true;
	}
	return false;
}

static void directory(void)
{
	struct file_stat stat = { 0 };
	char name[16];
	handle_t d;

	open_pair();
	fmt(name, sizeof(name), "%d", (int)number);
	CHECK(handle_open("pty", "", OPEN_READ | OPEN_DIRECTORY, &d) == OK);
	CHECK(is_listed(d, name));
	CHECK(is_listed(d, "ptmx"));
	CHECK(handle_call(d, FILE_STAT, name, strlen(name), &stat, sizeof(stat), 0) >= 0);
	CHECK(stat.rdev == (136ull << 32 | (uint64_t)number));
	close_pair();
	CHECK(!is_listed(d, name));
	handle_close(d);
}

static uint8_t flood_byte(size_t i) { return (uint8_t)(i * 7 + i / 251); }

static void flood(void *argument)
{
	static uint8_t chunk[10000];
	size_t at = 0;

	(void)argument;
	while (at < FLOOD_BYTES) {
		size_t bytes = FLOOD_BYTES - at < sizeof(chunk) ? FLOOD_BYTES - at : sizeof(chunk);

		for (size_t i = 0; i < bytes; i++)
			chunk[i] = flood_byte(at + i);
		if (handle_write(slave, chunk, bytes))
			break;
		at += bytes;
	}
}

static void floods(void)
{
	static uint8_t buffer[7000];
	size_t at = 0;
	uint32_t tid;
	bool same = true;

	open_pair();
	set_raw();
	CHECK(thread_create(flood, NULL, &tid) == OK);
	while (at < FLOOD_BYTES) {
		int64_t bytes = sys_read(0, master, buffer, sizeof(buffer), -1);

		if (bytes <= 0)
			break;
		for (int64_t i = 0; i < bytes; i++)
			same = same && buffer[i] == flood_byte(at + (size_t)i);
		at += (size_t)bytes;
	}
	CHECK(at == FLOOD_BYTES);
	CHECK(same);
	close_pair();
}

static void garbage(void)
{
	uint8_t out[16];
	char long_name[300];
	handle_t h;

	memset(long_name, '9', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = 0;
	open_pair();
	CHECK(handle_call(slave, TTY_SET, "x", 1, NULL, 0, 0) == ERR_INVAL);
	CHECK(handle_call(slave, TTY_GET, NULL, 0, out, 4, 0) == ERR_INVAL);
	CHECK(handle_call(slave, 12345, NULL, 0, NULL, 0, 0) == ERR_NOTTY);
	CHECK(handle_call(slave, TTY_FLUSH, NULL, 0, NULL, 0, 99) == ERR_INVAL);
	CHECK(handle_call(slave, PTY_NUMBER, NULL, 0, NULL, 0, 0) == ERR_NOTTY);
	CHECK(handle_open("pty", long_name, OPEN_READ, &h) == ERR_NOENT);
	CHECK(handle_open("pty", "-1", OPEN_READ, &h) == ERR_NOENT);
	CHECK(sys_write(0, slave, (const void *)8, 100, -1) == ERR_FAULT);
	CHECK(handle_write(master, "ok\n", 3) == OK);
	CHECK(reads(slave, "ok\n"));
	close_pair();
}

int program_main(const struct startup *startup)
{
	(void)startup;
	run("what is typed at the master is edited, echoed and read", both_ways);
	run("readiness of both ends is told", readiness);
	run("a read waits for what comes later", waiting_reads);
	run("either end hears of the other's end", hangups);
	run("slaves are listed while their master is open", directory);
	run("a flood arrives whole and in order", floods);
	run("garbage is answered with errors", garbage);
	print("1..%u\n", points);
	return failures ? 1 : 0;
}
