/* tests/native/file.c - file:, rand: and log: as a native program sees them; prints TAP. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/tap.h"

enum { MANY = 2000 };

/* ---- Short names ---- */

static handle_t top = HANDLE_NONE;

/* The handle, or the error. */
static int64_t at(const char *path, uint64_t flags)
{
	return sys_open(0, top, "", 0, path, strlen(path), flags | OPEN_PRIVATE, 0644);
}

static int64_t call_path(enum code code, const char *path, uint64_t word)
{
	return handle_call(top, code, path, strlen(path), NULL, 0, word);
}

static int64_t rename_to(const char *old_and_new, size_t bytes, uint64_t word)
{
	return handle_call(top, FILE_RENAME, old_and_new, bytes, NULL, 0, word);
}

static struct file_stat stat_at(const char *path)
{
	struct file_stat s = { 0 };

	CHECK(handle_call(top, FILE_STAT, path, strlen(path), &s, sizeof(s), AT_NOFOLLOW) == 0);
	return s;
}

static bool content_is(handle_t h, const char *wanted)
{
	char text[64];
	int64_t bytes = sys_read(0, h, text, sizeof(text), 0);

	return bytes == (int64_t)strlen(wanted) && !memcmp(text, wanted, (size_t)bytes);
}

/* ---- Rules ---- */

static void write_and_read(void)
{
	int64_t h = at("f", OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE);

	CHECK(h >= 0);
	CHECK(sys_write(0, (handle_t)h, "hello", 5, -1) == 5);
	CHECK(sys_write(0, (handle_t)h, " world", 6, -1) == 6);
	CHECK(content_is((handle_t)h, "hello world"));
	CHECK(sys_seek(0, (handle_t)h, -5, SEEK_FROM_END) == 6);
	struct file_stat s = stat_at("f");
	CHECK(s.bytes == 11 && s.links == 1 && s.mode == (MODE_FILE | 0644));
	CHECK(s.blocks == 8);
	CHECK(at("f", OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE) == ERR_EXIST);
	handle_close((handle_t)h);
	CHECK(stat_at("f").bytes == 11);
	h = at("f", OPEN_WRITE | OPEN_APPEND);
	CHECK(sys_write(0, (handle_t)h, "!", 1, -1) == 1);
	CHECK(sys_read(0, (handle_t)h, &s, 1, 0) < 0);
	handle_close((handle_t)h);
	h = at("f", OPEN_READ);
	CHECK(content_is((handle_t)h, "hello world!"));
	CHECK(sys_write(0, (handle_t)h, "x", 1, -1) < 0);
	handle_close((handle_t)h);
	h = at("f", OPEN_WRITE | OPEN_TRUNCATE);
	CHECK(stat_at("f").bytes == 0);
	handle_close((handle_t)h);
}

static void times_of_writes(void)
{
	int64_t h = at("t", OPEN_WRITE | OPEN_CREATE);
	struct file_stat before = stat_at("t"), after;

	CHECK(sys_write(0, (handle_t)h, "x", 1, -1) == 1);
	after = stat_at("t");
	CHECK(after.modified.seconds > before.modified.seconds || after.modified.nanoseconds > before.modified.nanoseconds);
	handle_close((handle_t)h);
	struct { struct file_times times; char path[1]; } u = { { { 5, 6, 0 }, { 7, 8, 0 } }, "t" };
	CHECK(handle_call(top, FILE_UTIME, &u, sizeof(u.times) + 1, NULL, 0, 0) == 0);
	after = stat_at("t");
	CHECK(after.modified.seconds == 7 && after.modified.nanoseconds == 8 && after.accessed.seconds == 5);
}

static void image_files(void)
{
	int64_t h = sys_open(0, HANDLE_NONE, "file", 4, "/etc/passwd", 11, OPEN_READ | OPEN_PRIVATE, 0), w;
	char before[16] = "", after[16] = "";

	CHECK(h >= 0);
	CHECK(sys_read(0, (handle_t)h, before, sizeof(before), 0) == sizeof(before));
	CHECK(!memcmp(before, "root:", 5));
	handle_close((handle_t)h);
	w = sys_open(0, HANDLE_NONE, "file", 4, "/etc/passwd", 11, OPEN_READ | OPEN_WRITE | OPEN_PRIVATE, 0);
	CHECK(sys_write(0, (handle_t)w, "ROOT", 4, 0) == 4);
	CHECK(sys_read(0, (handle_t)w, after, sizeof(after), 0) == sizeof(after));
	CHECK(!memcmp(after, "ROOT", 4) && !memcmp(after + 4, before + 4, 12));
	CHECK(sys_write(0, (handle_t)w, before, 4, 0) == 4);
	handle_close((handle_t)w);
}

static void renames(void)
{
	int64_t dir;

	CHECK(call_path(FILE_MKDIR, "d", 0755) == 0);
	handle_close((handle_t)at("r", OPEN_WRITE | OPEN_CREATE));
	CHECK(rename_to("r\0d/s", 5, 0) == 0);
	CHECK(at("r", OPEN_READ) == ERR_NOENT);
	dir = at("d", OPEN_READ | OPEN_DIRECTORY);
	CHECK(dir >= 0);
	/* The new name is relative to the passed directory: which is the server's own. */
	CHECK(sys_call(0, top, pack_handle(FILE_RENAME, (handle_t)dir, false), "d/s\0t", 5, NULL, 0, 0) == 0);
	CHECK(stat_at("d/t").links == 1);
	CHECK(sys_call(0, (handle_t)dir, pack_handle(FILE_LINK, top, false), "t\0linked", 8, NULL, 0, 0) == 0);
	CHECK(stat_at("linked").links == 2);
	CHECK(call_path(FILE_UNLINK, "d", AT_DIRECTORY) == ERR_NOTEMPTY);
	CHECK(call_path(FILE_UNLINK, "d/t", 0) == 0);
	CHECK(call_path(FILE_UNLINK, "d", AT_DIRECTORY) == 0);
	char path[64] = "";
	int64_t bytes = handle_call((handle_t)dir, FILE_PATH, NULL, 0, path, sizeof(path), 0);
	CHECK(bytes == ERR_NOENT);
	handle_close((handle_t)dir);
	bytes = handle_call(top, FILE_PATH, NULL, 0, path, sizeof(path), 0);
	CHECK(bytes == 10 && !memcmp(path, "/tmp/ftest", 10));
}

static void foreign_handles(void)
{
	handle_t pipe;

	CHECK(handle_open("pipe", "", OPEN_READ, &pipe) == OK);
	handle_close((handle_t)at("x", OPEN_WRITE | OPEN_CREATE));
	CHECK(sys_call(0, top, pack_handle(FILE_RENAME, pipe, false), "x\0y", 3, NULL, 0, 0) == ERR_XDEV);
	handle_close(pipe);
}

static void unlinked_files(void)
{
	int64_t h = at("u", OPEN_READ | OPEN_WRITE | OPEN_CREATE);

	CHECK(sys_write(0, (handle_t)h, "still", 5, -1) == 5);
	CHECK(call_path(FILE_UNLINK, "u", 0) == 0);
	CHECK(at("u", OPEN_READ) == ERR_NOENT);
	CHECK(content_is((handle_t)h, "still"));
	struct file_stat s;
	CHECK(handle_call((handle_t)h, FILE_STAT, NULL, 0, &s, sizeof(s), 0) == 0 && s.links == 0);
	handle_close((handle_t)h);
}

static void mappings(void)
{
	int64_t h = at("m", OPEN_READ | OPEN_WRITE | OPEN_CREATE);
	int64_t address;
	char *text;

	CHECK(handle_call((handle_t)h, FILE_TRUNCATE, NULL, 0, NULL, 0, 10000) == 0);
	CHECK(stat_at("m").bytes == 10000);
	CHECK(stat_at("m").blocks == 0);
	address = sys_map(0, (handle_t)h, 0, 10000, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	CHECK(address > 0);
	if (address <= 0)
		return;
	text = (char *)(uintptr_t)address;
	handle_close((handle_t)h);
	text[5000] = 'm';
	h = at("m", OPEN_READ);
	char c = 0;
	CHECK(sys_read(0, (handle_t)h, &c, 1, 5000) == 1 && c == 'm');
	CHECK(stat_at("m").blocks == 8);
	handle_close((handle_t)h);
	CHECK(sys_unmap(0, HANDLE_NONE, (uint64_t)address, 10000) == 0);
}

static volatile uint32_t thread_done;
static int64_t thread_result;
static uint32_t thread_id;

static void fifo_writer(void *unused)
{
	int64_t h = at("p", OPEN_WRITE);

	(void)unused;
	thread_result = h < 0 ? h : sys_write(0, (handle_t)h, "through", 7, -1);
	handle_close((handle_t)h);
	thread_done = 1;
}

static void wait_thread(void)
{
	while (!thread_done)
		sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + 1000000);
	thread_done = 0;
}

static void fifos(void)
{
	char text[16];
	int64_t h;

	CHECK(call_path(FILE_MKNOD, "p", MODE_FIFO | 0600) == 0);
	CHECK(at("p", OPEN_WRITE | OPEN_NONBLOCK) == ERR_NXIO);
	CHECK(thread_create(fifo_writer, NULL, &thread_id) == OK);
	h = at("p", OPEN_READ);
	CHECK(h >= 0);
	CHECK(sys_read(0, (handle_t)h, text, sizeof(text), -1) == 7);
	CHECK(sys_read(0, (handle_t)h, text, sizeof(text), -1) == 0);
	wait_thread();
	CHECK(thread_result == 7);
	handle_close((handle_t)h);
	CHECK(call_path(FILE_UNLINK, "p", 0) == 0);
}

static void locker(void *unused)
{
	struct file_lock lock = { .kind = LOCK_EXCLUSIVE };
	int64_t h = at("l", OPEN_READ | OPEN_WRITE);

	(void)unused;
	thread_result = handle_call((handle_t)h, FILE_LOCK, &lock, sizeof(lock), NULL, 0, LOCK_SET_WAIT | LOCK_WHOLE);
	handle_close((handle_t)h);
	thread_done = 1;
}

static void locks(void)
{
	struct file_lock lock = { .kind = LOCK_EXCLUSIVE };
	int64_t h = at("l", OPEN_READ | OPEN_WRITE | OPEN_CREATE), other = at("l", OPEN_READ);

	CHECK(handle_call((handle_t)h, FILE_LOCK, &lock, sizeof(lock), NULL, 0, LOCK_SET | LOCK_WHOLE) == 0);
	CHECK(handle_call((handle_t)other, FILE_LOCK, &lock, sizeof(lock), NULL, 0, LOCK_SET | LOCK_WHOLE) == ERR_AGAIN);
	thread_result = 1;
	CHECK(thread_create(locker, NULL, &thread_id) == OK);
	sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + 20000000);
	CHECK(thread_result == 1);
	handle_close((handle_t)h);
	wait_thread();
	CHECK(thread_result == 0);
	handle_close((handle_t)other);
}

static unsigned list_count(const char *path)
{
	static _Alignas(8) char buffer[4096];
	int64_t h = at(path, OPEN_READ | OPEN_DIRECTORY), bytes;
	uint64_t cookie = 0;
	unsigned count = 0;

	while ((bytes = handle_call((handle_t)h, FILE_LIST, NULL, 0, buffer, sizeof(buffer), cookie)) > 0)
		for (int64_t i = 0; i < bytes;) {
			struct file_entry *e = (void *)(buffer + i);
			cookie = e->cookie;
			i += e->entry_bytes;
			count++;
		}
	CHECK(bytes == 0);
	handle_close((handle_t)h);
	return count;
}

static void many_files(void)
{
	char path[32];
	uint64_t start = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);

	CHECK(call_path(FILE_MKDIR, "many", 0755) == 0);
	for (unsigned i = 0; i < MANY; i++) {
		fmt(path, sizeof(path), "many/file%u", i);
		int64_t h = at(path, OPEN_WRITE | OPEN_CREATE);
		CHECK(h >= 0 && sys_write(0, (handle_t)h, path, 8, -1) == 8);
		handle_close((handle_t)h);
	}
	CHECK(list_count("many") == MANY + 2);
	for (unsigned i = 0; i < MANY; i++) {
		fmt(path, sizeof(path), "many/file%u", i);
		CHECK(stat_at(path).bytes == 8);
	}
	for (unsigned i = 0; i < MANY; i++) {
		fmt(path, sizeof(path), "many/file%u", i);
		CHECK(call_path(FILE_UNLINK, path, 0) == 0);
	}
	CHECK(list_count("many") == 2);
	CHECK(call_path(FILE_UNLINK, "many", AT_DIRECTORY) == 0);
	print("# %u files made, written, listed, asked about and removed in %llu us\n", MANY,
	      (unsigned long long)((uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) - start) / 1000);
}

static void walks_and_mounts(void)
{
	char path[64] = "";

	CHECK(call_path(FILE_MKDIR, "mnt", 0755) == 0);
	CHECK(handle_call(top, FILE_SYMLINK, "../ftest/mnt\0link", 17, NULL, 0, 0) == 0);
	CHECK(call_path(FILE_MOUNT, "mnt", 1) == 0);
	CHECK(at("link/x/y", OPEN_READ) == ERR_XDEV);
	int64_t bytes = handle_call(top, FILE_RESOLVE, "link/x/y", 8, path, sizeof(path), 0);
	CHECK(bytes == 18 && !memcmp(path, "/tmp/ftest/mnt/x/y", 18));
	CHECK(call_path(FILE_MOUNT, "mnt", 0) == 0);
	CHECK(call_path(FILE_UNLINK, "mnt", AT_DIRECTORY) == 0);
	CHECK(at("link", OPEN_READ) == ERR_NOENT);
	CHECK(at("link", OPEN_READ | OPEN_NOFOLLOW) == ERR_LOOP);
}

static void sparse_files(void)
{
	int64_t h = at("s", OPEN_READ | OPEN_WRITE | OPEN_CREATE);
	struct file_range r = { 4096 * 3, 4096 * 2 };
	char c = 1;

	CHECK(sys_write(0, (handle_t)h, "end", 3, 1 << 30) == 3);
	CHECK(stat_at("s").bytes == (1 << 30) + 3);
	CHECK(stat_at("s").blocks == 8);
	CHECK(sys_read(0, (handle_t)h, &c, 1, 12345678) == 1 && c == 0);
	CHECK(handle_call((handle_t)h, MEM_NEXT_DATA, NULL, 0, NULL, 0, 5) == 1 << 30);
	CHECK(sys_write(0, (handle_t)h, "x", 1, 4096 * 4) == 1);
	CHECK(handle_call((handle_t)h, FILE_ALLOCATE, &r, sizeof(r), NULL, 0, ALLOCATE_PUNCH) == 0);
	CHECK(sys_read(0, (handle_t)h, &c, 1, 4096 * 4) == 1 && c == 0);
	CHECK(handle_call((handle_t)h, FILE_TRUNCATE, NULL, 0, NULL, 0, 10) == 0);
	CHECK(stat_at("s").bytes == 10 && stat_at("s").blocks == 0);
	handle_close((handle_t)h);
}

/* Whatever is sent, the server answers and lives. */
static void garbage(void)
{
	static char noise[9000];
	uint64_t x = 88172645463325252ull;

	for (unsigned i = 0; i < 3000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		size_t bytes = x % (i % 50 ? 64 : sizeof(noise));
		for (size_t n = 0; n < bytes; n++)
			noise[n] = (char)(x >> n % 57);
		/* Not those that undo what the other tests need: they get words that name nothing. */
		sys_call(REQUEST_NONBLOCK, top, pack_handle((uint32_t)(300 + x / 7 % 24), HANDLE_NONE, false), noise, bytes, noise, x / 3 % sizeof(noise),
		         x >> 20);
	}
	CHECK(handle_call(top, 299, NULL, 0, NULL, 0, 0) == ERR_NOTTY);
	handle_close((handle_t)at("after", OPEN_WRITE | OPEN_CREATE));
	CHECK(stat_at("after").links == 1);
}

static void random_bytes(void)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	handle_t h;

	CHECK(handle_open("rand", "", OPEN_READ | OPEN_WRITE, &h) == OK);
	CHECK(sys_read(0, h, a, sizeof(a), -1) == sizeof(a));
	CHECK(sys_write(0, h, "mix", 3, -1) == 3);
	CHECK(sys_read(0, h, b, sizeof(b), -1) == sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)));
	handle_close(h);
}

static void logs(void)
{
	static char text[65536];
	handle_t h, w;
	int64_t bytes;

	CHECK(handle_open("log", "", OPEN_READ, &h) == OK);
	CHECK(handle_open("log", "tester", OPEN_WRITE, &w) == OK);
	CHECK(handle_write(w, "a line of the te", 16) == OK);
	CHECK(handle_write(w, "st\n", 3) == OK);
	bytes = sys_read(0, h, text, sizeof(text) - 1, -1);
	CHECK(bytes > 0);
	text[bytes < 0 ? 0 : bytes] = 0;
	bool found = false, kernel = false;
	for (char *s = text; *s; s++) {
		found |= string_starts_with(s, "tester: a line of the test\n");
		kernel |= string_starts_with(s, "] kernel: ");
	}
	CHECK(found);
	CHECK(kernel);
	CHECK(sys_read(0, h, text, sizeof(text), -1) == 0);
	handle_close(h);
	handle_close(w);
}

int program_main(const struct startup *startup)
{
	handle_t tmp;

	(void)startup;
	if (handle_open("file", "/tmp", OPEN_READ | OPEN_DIRECTORY, &tmp)) {
		print("Bail out! no file:/tmp\n");
		return 1;
	}
	handle_call(tmp, FILE_MKDIR, "ftest", 5, NULL, 0, 0755);
	if (handle_open_at(tmp, "ftest", OPEN_READ | OPEN_DIRECTORY, &top)) {
		print("Bail out! no directory to test in\n");
		return 1;
	}
	run("what is written is read back", write_and_read);
	run("writes show in the times, and times can be set", times_of_writes);
	run("files of the image are changed apart from it", image_files);
	run("names move between directories, also passed ones", renames);
	run("another server's handle is no directory of ours", foreign_handles);
	run("an unlinked file lives while it is open", unlinked_files);
	run("a mapped file is one with what is read", mappings);
	run("a FIFO brings two opens together", fifos);
	run("a lock is waited for", locks);
	run("many files", many_files);
	run("walks end at mount points, and resolve says where", walks_and_mounts);
	run("sparse files hold what was written and no more", sparse_files);
	run("garbage is answered with errors", garbage);
	run("random bytes differ", random_bytes);
	run("the log has lines of programs and of the kernel", logs);
	print("1..%u\n", points);
	return failures ? 1 : 0;
}
