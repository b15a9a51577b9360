/* tests/native/native.c - lib/native as a program sees it: heap, locks, threads, new processes; prints TAP. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/mutex.h"
#include "lib/native/print.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/tap.h"

/* ---- Handles ---- */

static int64_t next_in_use(handle_t from) { return sys_control(0, from, CONTROL_NEXT, 0); }

static void handles_in_use_are_found_in_order(void)
{
	handle_t a, b;

	CHECK(handle_open("null", "", OPEN_READ, &a) == OK);
	int64_t high = sys_dup(0, a, 500, 0, RIGHT_ALL), private = sys_dup(0, a, HANDLE_PRIVATE + 700, 0, RIGHT_ALL);
	CHECK(high == 500 && private == HANDLE_PRIVATE + 700);
	CHECK(next_in_use(500) == 500 && next_in_use(400) == 500);
	/* Private numbers come after all others. */
	CHECK(next_in_use(501) >= HANDLE_PRIVATE && next_in_use((handle_t)private - 1) == private && next_in_use((handle_t)private) == private);
	CHECK(next_in_use((handle_t)private + 1) == ERR_BADF && next_in_use(INT32_MAX) == ERR_BADF);
	CHECK(next_in_use(HANDLE_NONE) == ERR_BADF && next_in_use(INT32_MIN) == ERR_BADF);
	CHECK(handle_open("null", "", OPEN_READ, &b) == OK && next_in_use(b) == b);
	handle_close(a), handle_close(b), handle_close((handle_t)high), handle_close((handle_t)private);
	CHECK(next_in_use((handle_t)private) == ERR_BADF && next_in_use(500) != 500);
}

/* ---- Heap ---- */

enum { BLOCKS = 300, ROUNDS = 20000 };

static uint32_t random_next(void)
{
	static uint32_t state = 1;

	return state = state * 1664525 + 1013904223;
}

struct block { uint8_t *p; size_t bytes; uint8_t fill; };

static bool block_is_whole(const struct block *b)
{
	for (size_t i = 0; i < b->bytes; i++)
		if (b->p[i] != b->fill)
			return false;
	return true;
}

static bool is_zero(const uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (p[i])
			return false;
	return true;
}

static void blocks_keep_their_bytes(void)
{
	static struct block blocks[BLOCKS];
	size_t before = heap_used_bytes();

	for (int round = 0; round < ROUNDS && current_ok; round++) {
		struct block *b = &blocks[(random_next() >> 8) % BLOCKS];
		if (b->p) {
			CHECK(block_is_whole(b));
			heap_free(b->p, b->bytes);
			b->p = NULL;
			continue;
		}
		uint32_t r = random_next() >> 8;
		b->bytes = r % 100 < 95 ? r % 700 : r % 20000;
		b->fill = (uint8_t)r;
		b->p = heap_alloc(b->bytes);
		CHECK(b->p && ((uintptr_t)b->p & 15) == 0 && is_zero(b->p, b->bytes));
		memset(b->p, b->fill, b->bytes);
	}
	for (int i = 0; i < BLOCKS; i++)
		heap_free(blocks[i].p, blocks[i].bytes);
	CHECK(heap_used_bytes() == before);
}

static void blocks_grow(void)
{
	size_t bytes = 1;
	uint8_t *p = heap_alloc(bytes);

	p[0] = 42;
	for (; p && bytes < 1 << 20; bytes *= 3) {
		uint8_t *more = heap_grow(p, bytes, bytes * 3);
		CHECK(more && more[0] == 42 && is_zero(more + bytes, bytes * 2));
		p = more;
	}
	heap_free(p, bytes);
}

static void too_much_is_refused(void)
{
	CHECK(heap_alloc(SIZE_MAX) == NULL);
	CHECK(heap_alloc((size_t)1 << 48) == NULL);
	heap_fail_after(2);
	void *p = heap_alloc(10);
	CHECK(p != NULL);
	CHECK(heap_alloc(10) == NULL);
	heap_free(p, 10);
}

/* ---- Threads and locks ---- */

enum { THREADS = 8, STEPS = 2000 };

static struct mutex lock;
static uint32_t shared, finished;

static void count_up(void *argument)
{
	(void)argument;
	for (int i = 0; i < STEPS; i++) {
		mutex_lock(&lock);
		uint32_t seen = shared;
		if (i % 100 == 0)
			sys_yield(0, HANDLE_NONE);
		shared = seen + 1;
		mutex_unlock(&lock);
		heap_free(heap_alloc(i), i);
	}
	__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &finished, 1, 0);
}

static void wait_for(uint32_t count)
{
	uint32_t seen;

	while ((seen = __atomic_load_n(&finished, __ATOMIC_ACQUIRE)) < count)
		sys_futex_wait(0, HANDLE_NONE, &finished, seen, DEADLINE_NONE);
}

static void a_lock_keeps_threads_apart(void)
{
	uint32_t tid;

	shared = finished = 0;
	for (int i = 0; i < THREADS; i++)
		CHECK(thread_create(count_up, NULL, &tid) == OK);
	wait_for(THREADS);
	CHECK(shared == THREADS * STEPS);
	CHECK(mutex_try_lock(&lock) && !mutex_try_lock(&lock));
	mutex_unlock(&lock);
}

static void finish_at_once(void *argument)
{
	(void)argument;
	__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &finished, 1, 0);
}

/* Counts itself as finished once it was woken. */
static void sleep_on(void *argument)
{
	sys_futex_wait(0, HANDLE_NONE, argument, 0, DEADLINE_NONE);
	finish_at_once(NULL);
}

static void sleepers_are_moved_if_the_word_is_as_expected(void)
{
	enum { SLEEPERS = 3, PAGE = 4096 };
	static uint32_t to;
	int64_t area = sys_map(0, HANDLE_NONE, 0, 2 * PAGE, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0), moved = 0;
	uint32_t *word = (uint32_t *)area, tid;

	CHECK(area > 0);
	finished = 0;
	/* A word that no page is there for yet, one that none will be there for, and no word. */
	CHECK(sys_futex_requeue(0, HANDLE_NONE, (uint32_t *)(area + PAGE), 1, 1, &to, 1) == ERR_AGAIN);
	CHECK(sys_futex_requeue(0, HANDLE_NONE, (uint32_t *)(area + PAGE), 1, 1, &to, 0) == 0);
	CHECK(sys_unmap(0, HANDLE_NONE, (uint64_t)area + PAGE, PAGE) == OK);
	CHECK(sys_futex_requeue(0, HANDLE_NONE, (uint32_t *)(area + PAGE), 1, 1, &to, 0) == ERR_FAULT);
	CHECK(sys_futex_requeue(0, HANDLE_NONE, (uint32_t *)(area + 2), 1, 1, &to, 0) == ERR_INVAL);
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(thread_create(sleep_on, word, &tid) == OK);
	while (moved < SLEEPERS) {
		CHECK(sys_futex_requeue(0, HANDLE_NONE, word, 0, SLEEPERS, &to, 7) == ERR_AGAIN);
		int64_t n = sys_futex_requeue(0, HANDLE_NONE, word, 0, SLEEPERS, &to, 0);
		moved += n;
		if (n == 0)
			sys_sleep(0, HANDLE_NONE, now_ns() + 1000000);
	}
	CHECK(moved == SLEEPERS && finished == 0 && sys_futex_wake(0, HANDLE_NONE, word, SLEEPERS, ~0u) == 0);
	CHECK(sys_futex_wake(0, HANDLE_NONE, &to, SLEEPERS, ~0u) == SLEEPERS);
	wait_for(SLEEPERS);
	sys_unmap(0, HANDLE_NONE, (uint64_t)area, PAGE);
}

static void many_threads_come_and_go(void)
{
	uint32_t tid;

	finished = 0;
	for (uint32_t i = 0; i < 500; i++) {
		CHECK(thread_create(finish_at_once, NULL, &tid) == OK);
		wait_for(i + 1);
	}
}

/* ---- Processes: this program again ---- */

static handle_t image;
static uint64_t image_bytes;

static err_t start_child(const char *mode, handle_t given, handle_t namespace, handle_t *process)
{
	const char *arguments[] = { "native", mode, "second" }, *environment[] = { "WORD=value" };
	struct spawn_handle handles[] = { { "given", given, HANDLE_NONE }, { "numbered", given, 7 } };
	struct spawn_options o = {
		.image = image, .image_bytes = image_bytes, .arguments = arguments, .argument_count = 3,
		.environment = environment, .environment_count = 1, .handles = handles, .handle_count = given == HANDLE_NONE ? 0 : 2,
		.namespace = namespace, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};

	return spawn(&o, process, NULL);
}

static struct task_info end_of(handle_t process)
{
	struct poll_entry p = { .handle = process, .wanted = READY_READ };
	struct task_info info = { 0 };

	sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NONE);
	CHECK(handle_call(process, TASK_INFO, NULL, 0, &info, sizeof info, 0) == 0);
	handle_close(process);
	return info;
}

static bool image_open(void)
{
	struct file_stat st;

	if (handle_open("file", startup_argument(0), OPEN_READ | OPEN_EXEC, &image))
		return false;
	int64_t result = handle_call(image, FILE_STAT, NULL, 0, &st, sizeof st, 0);
	image_bytes = st.bytes;
	return result >= 0;
}

static void a_child_has_what_it_was_given(void)
{
	handle_t reader, writer, process;
	char text[8] = "";

	CHECK(handle_open("pipe", "", OPEN_READ, &reader) == OK);
	CHECK(handle_open_at(reader, "write", OPEN_WRITE, &writer) == OK);
	CHECK(start_child("child", writer, HANDLE_NONE, &process) == OK);
	handle_close(writer);
	struct task_info info = end_of(process);
	CHECK(info.end == TASK_EXITED && info.status == 42);
	CHECK(sys_read(0, reader, text, sizeof text, -1) == 4 && memcmp(text, "word", 4) == 0);
	CHECK(sys_read(0, reader, text, sizeof text, -1) == 0);
	handle_close(reader);
}

static void a_child_that_crashes_says_where(void)
{
	handle_t process;

	CHECK(start_child("crash", HANDLE_NONE, HANDLE_NONE, &process) == OK);
	struct task_info info = end_of(process);
	CHECK(info.end == TASK_FAULTED && info.status == 14 && info.fault_address == 0x123);
}

static void an_assertion_ends_a_program(void)
{
	handle_t process;

	CHECK(start_child("assert", HANDLE_NONE, HANDLE_NONE, &process) == OK);
	CHECK(end_of(process).status == 134);
}

static void what_is_no_program_is_not_started(void)
{
	struct spawn_options o = { .image_bytes = 100, .namespace = HANDLE_NONE, .account = HANDLE_NONE, .admin = HANDLE_NONE };
	handle_t process;

	CHECK(handle_open("mem", "new", OPEN_READ | OPEN_WRITE, &o.image) == OK);
	CHECK(handle_call(o.image, MEM_RESIZE, NULL, 0, NULL, 0, 4096) == 0);
	CHECK(spawn(&o, &process, NULL) == ERR_NOEXEC);
	o.image_bytes = 5000;
	CHECK(spawn(&o, &process, NULL) == ERR_NOEXEC);
	handle_close(o.image);
}

/* ---- What the child does ---- */

static int child(void)
{
	handle_t given = startup_handle("given"), any;

	if (strcmp(startup_argument(2), "second") || startup_argument(3) || strcmp(startup_environment("WORD"), "value"))
		return 1;
	if (given < HANDLE_PRIVATE || startup_handle("numbered") != 7 || startup_handle("nothing") != HANDLE_NONE)
		return 2;
	/* The null namespace: it has its handles and nothing else. */
	if (handle_open("pipe", "", OPEN_READ, &any) == OK || handle_open("file", "/", OPEN_READ, &any) == OK)
		return 3;
	if (startup_handle("self") == HANDLE_NONE || handle_write(given, "wo", 2) || handle_write(7, "rd", 2))
		return 4;
	return 42;
}

static int child_main(const char *mode)
{
	if (strcmp(mode, "child") == 0)
		return child();
	if (strcmp(mode, "crash") == 0)
		*(volatile int *)0x123 = 1;
	ASSERT(strcmp(mode, "assert") != 0);
	return 5;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return child_main(startup_argument(1));
	run("handles in use are found in order", handles_in_use_are_found_in_order);
	run("blocks keep their bytes and come zeroed", blocks_keep_their_bytes);
	run("blocks grow", blocks_grow);
	run("too much memory is refused", too_much_is_refused);
	run("a lock keeps threads apart", a_lock_keeps_threads_apart);
	run("sleepers are moved if the word is as expected", sleepers_are_moved_if_the_word_is_as_expected);
	run("many threads come and go", many_threads_come_and_go);
	if (image_open()) {
		run("a child has what it was given and nothing else", a_child_has_what_it_was_given);
		run("a child that crashes says where", a_child_that_crashes_says_where);
		run("an assertion ends a program", an_assertion_ends_a_program);
		run("what is no program is not started", what_is_no_program_is_not_started);
	} else {
		print("not ok %u - the test's own file opens\n", ++points);
		failures++;
	}
	print("1..%u\n", points);
	return failures != 0;
}
