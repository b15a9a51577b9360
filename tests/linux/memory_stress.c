/* tests/linux/memory_stress.c - threads and processes that map, fork, protect and share at once: memory keeps what was written.
 *
 * Each worker knows what each of its pages must hold. MEMORY_STRESS_S says for how long they work.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lib/test/test.h"

enum { PAGE = 4096, PROCESSES = 2, THREADS = 3, OWN_PAGES = 4, SECONDS = 2 };
/* Some pages of one page table; whole tables, which fork shares, and parts of others. */
enum { FEW_PAGES = 64, MANY_PAGES = 1600 };

/* A worker and its private memory. */
struct worker {
	pthread_t thread;
	uint64_t random;
	uint32_t number;
	char *memory;
	uint64_t wanted[MANY_PAGES];    /* the first word of each page */
	uint32_t depth;                 /* how many forks ago it was a thread */
};

static char *shared;                    /* OWN_PAGES of the file for each worker */
static int file;
static time_t end;
static uint64_t pages;
static _Atomic int wrong;

static uint64_t next(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	return w->random ^= w->random << 17;
}

static volatile uint64_t *word(char *memory, uint64_t page)
{
	return (volatile uint64_t *)(memory + page * PAGE);
}

static void expect(bool right, const char *what, struct worker *w, uint64_t page)
{
	if (right)
		return;
	printf("# worker %u: %s, page %u\n", w->number, what, (unsigned)page);
	wrong++;
}

static void page_set(struct worker *w, uint64_t page)
{
	expect(*word(w->memory, page) == w->wanted[page], "its own memory changed", w, page);
	*word(w->memory, page) = w->wanted[page] = next(w);
}

/* A part of the memory becomes new, by a fixed mapping or by advice. */
static void part_renew(struct worker *w, uint64_t page, uint64_t count)
{
	char *at = w->memory + page * PAGE;
	bool done = next(w) % 2 ? madvise(at, count * PAGE, MADV_DONTNEED) == 0
	          : mmap(at, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
	expect(done, "renewing failed", w, page);
	for (uint64_t i = page; i < page + count; i++)
		w->wanted[i] = 0;
}

static void part_protect(struct worker *w, uint64_t page, uint64_t count)
{
	char *at = w->memory + page * PAGE;
	expect(mprotect(at, count * PAGE, PROT_READ) == 0 && mprotect(at, count * PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect failed", w, page);
}

/* Away and back, in a process without other threads: none takes the place meanwhile. */
static void part_move(struct worker *w, uint64_t page, uint64_t count)
{
	char *at = w->memory + page * PAGE, *away = mmap(NULL, count * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(away != MAP_FAILED && mremap(at, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away) == away, "mremap failed", w, page);
	expect(*word(away, 0) == w->wanted[page] && *word(away, count - 1) == w->wanted[page + count - 1], "mremap lost a page", w, page);
	expect(mremap(away, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at, "mremap failed", w, page);
}

static void all_check(struct worker *w, const char *what)
{
	for (uint64_t i = 0; i < pages; i++)
		expect(*word(w->memory, i) == w->wanted[i], what, w, i);
}

static void own_memory_step(struct worker *w);

/* The child sees all as it was at fork, whatever the parent does meanwhile, and changes only its own. */
static void child_check(struct worker *w)
{
	w->depth++;
	if (next(w) % 2)
		all_check(w, "a child sees another memory");
	for (uint64_t i = 0, steps = next(w) % 40; i < steps; i++)
		own_memory_step(w);
	all_check(w, "a child's memory changed");
	_exit(wrong != 0);
}

static void memory_fork(struct worker *w)
{
	int status;
	pid_t child = fork();
	if (child < 0)
		return;
	if (child == 0)
		child_check(w);
	for (int i = 0; i < 8; i++)
		page_set(w, next(w) % pages);
	for (int i = 0; i < 4 && w->depth == 0; i++)
		own_memory_step(w);
	expect(waitpid(child, &status, 0) == child && status == 0, "a child failed", w, 0);
}

/* Does something to a part, often of no more than a few pages. */
static void own_memory_step(struct worker *w)
{
	uint64_t count = next(w) % 4 ? 1 + next(w) % 4 : 1 + next(w) % (pages - 1), page = next(w) % (pages - count);
	switch (next(w) % 10) {
	case 0: part_renew(w, page, count); break;
	case 1: part_protect(w, page, count); break;
	case 2: if (next(w) % 8 == 0 && w->depth < 2) memory_fork(w); break;
	case 3: if (w->depth > 0) part_move(w, page, count); break;
	case 4:
		for (uint64_t i = page; i < page + count; i++)
			page_set(w, i);
		break;
	default: page_set(w, page); break;
	}
}

static void memory_move(struct worker *w)
{
	char *old = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(old != MAP_FAILED, "mmap failed", w, 0);
	*word(old, 1) = 77;
	char *moved = mremap(old, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
	expect(moved != MAP_FAILED && *word(moved, 1) == 77, "mremap lost a page", w, 0);
	munmap(moved, 9 * PAGE);
}

/* What the mapping writes the file has, and the other way round. */
static void file_share(struct worker *w)
{
	uint64_t page = w->number * OWN_PAGES + next(w) % OWN_PAGES, value = next(w), read = 0;
	*word(shared, page) = value;
	expect(pread(file, &read, 8, (off_t)page * PAGE) == 8 && read == value, "the file lacks what its mapping wrote", w, page);
	value = next(w);
	expect(pwrite(file, &value, 8, (off_t)page * PAGE + 16) == 8 && word(shared, page)[2] == value, "the mapping lacks what the file was given", w, page);
}

static void file_private(struct worker *w)
{
	char *copy = mmap(NULL, OWN_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, (off_t)w->number * OWN_PAGES * PAGE);
	expect(copy != MAP_FAILED, "mmap failed", w, 0);
	uint64_t before = *word(shared, w->number * OWN_PAGES);
	expect(*word(copy, 0) == before, "a private mapping shows another page", w, 0);
	*word(copy, 0) = ~before;
	expect(*word(shared, w->number * OWN_PAGES) == before, "a private write reached the file", w, 0);
	munmap(copy, OWN_PAGES * PAGE);
}

static void *work(void *context)
{
	struct worker *w = context;
	w->memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(w->memory != MAP_FAILED, "mmap failed", w, 0);
	for (uint64_t i = 0; i < pages; i++)
		page_set(w, i);
	while (!wrong && time(NULL) < end) {
		switch (next(w) % 8) {
		case 0: memory_move(w); break;
		case 1: file_share(w); break;
		case 2: file_private(w); break;
		default: own_memory_step(w); break;
		}
	}
	all_check(w, "its memory changed");
	return NULL;
}

static void open_file(void)
{
	char path[] = "/tmp/stress.XXXXXX";
	size_t bytes = PROCESSES * THREADS * OWN_PAGES * PAGE;
	CHECK((file = mkstemp(path)) >= 0);
	unlink(path);
	CHECK_EQ(ftruncate(file, (off_t)bytes), 0);
	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK(shared != MAP_FAILED);
}

static void run_process(uint32_t number)
{
	static struct worker workers[THREADS];
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].number = number * THREADS + i;
		workers[i].random = (workers[i].number + 1) * 0x9e3779b97f4a7c15ull;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			_exit(1);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	_exit(wrong != 0);
}

static void run_processes(uint64_t pages_each)
{
	const char *seconds = getenv("MEMORY_STRESS_S");
	int status;
	open_file();
	pages = pages_each;
	end = time(NULL) + (seconds ? atoi(seconds) : SECONDS);
	for (uint32_t i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			run_process(i);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
}

TEST(memory_keeps_what_was_written_whatever_others_do)
{
	run_processes(FEW_PAGES);
}

TEST(page_tables_that_fork_shares_keep_what_was_written)
{
	run_processes(MANY_PAGES);
}

/* ---- A file that is cut while others touch its mapping ---- */

static __thread sigjmp_buf escape;

static void on_bus_error(int number)
{
	siglongjmp(escape, number);
}

static void touch_page(struct worker *w, uint64_t page)
{
	if (sigsetjmp(escape, 1))
		return;
	/* 0: new after a cut; else what some thread wrote there. */
	uint64_t value = *word(shared, page);
	expect(value == 0 || value == page + 1, "a page of another place", w, page);
	*word(shared, page) = page + 1;
}

static void *touch(void *context)
{
	struct worker *w = context;
	while (time(NULL) < end)
		touch_page(w, next(w) % (PROCESSES * THREADS * OWN_PAGES));
	return NULL;
}

TEST(a_page_that_is_cut_off_is_a_bus_error_or_zero_never_another)
{
	static struct worker workers[THREADS];
	struct worker self = { .random = 99 };
	open_file();
	end = time(NULL) + 2;
	signal(SIGBUS, on_bus_error);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .number = i, .random = i + 1 };
		CHECK_EQ(pthread_create(&workers[i].thread, NULL, touch, &workers[i]), 0);
	}
	while (time(NULL) < end) {
		CHECK_EQ(ftruncate(file, (off_t)(next(&self) % (PROCESSES * THREADS * OWN_PAGES) * PAGE)), 0);
		CHECK_EQ(ftruncate(file, PROCESSES * THREADS * OWN_PAGES * PAGE), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	CHECK_EQ(wrong, 0);
}
