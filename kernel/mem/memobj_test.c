/* kernel/mem/memobj_test.c - memory objects: bytes in and out, length, holes, clones, pagers, failures. */
#include "kernel/mem/account.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space_inner.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { return &s->tables; }

enum { RAM = 32 << 20 };
#define BUFFER 0x10000000ull            /* user memory of the space that runs */
#define BUFFER_BYTES (1ull << 20)

static uint64_t free_frames;
static struct space *space;

static void start(void)
{
	uint64_t at;
	free_frames = machine_start(RAM);
	CHECK_EQ(space_create(NULL, &space), OK);
	space_switch(NULL, space);
	CHECK_EQ(space_map(space, BUFFER, BUFFER_BYTES, MAP_READ | MAP_WRITE | MAP_FIXED, 7, NULL, 0, &at), OK);
}

static void finish(void)
{
	space_switch(space, NULL);
	space_put(space);
	machine_check_free(free_frames);
}

static err_t object_write(struct memobj *m, uint64_t offset, const void *bytes, size_t count, size_t *done)
{
	size_t copied;
	CHECK_EQ(machine_user_copy(BUFFER, (void *)bytes, count, true, &copied), OK);
	return memobj_write(m, &offset, false, uaddr(BUFFER), count, done);
}

static void put(struct memobj *m, uint64_t offset, const void *bytes, size_t count)
{
	size_t done;
	CHECK_EQ(object_write(m, offset, bytes, count, &done), OK);
	CHECK_EQ(done, count);
}

static size_t get(struct memobj *m, uint64_t offset, void *bytes, size_t count)
{
	size_t done, copied;
	CHECK_EQ(memobj_read(m, offset, uaddr(BUFFER + 77), count, &done), OK);
	CHECK_EQ(machine_user_copy(BUFFER + 77, bytes, done, false, &copied), OK);
	return done;
}

static void check_word(struct memobj *m, uint64_t offset, uint64_t wanted)
{
	uint64_t word = ~wanted;
	CHECK_EQ(get(m, offset, &word, sizeof word), sizeof word);
	CHECK_EQ(word, wanted);
}

static void put_word(struct memobj *m, uint64_t offset, uint64_t word)
{
	put(m, offset, &word, sizeof word);
}

TEST(bytes_come_back_as_an_array_would_hold_them)
{
	enum { MAX = 40000 };
	static uint8_t model[MAX], buffer[MAX];
	size_t length = 0;
	struct memobj *m;
	start();
	memset(model, 0, sizeof model);
	CHECK_EQ(memobj_create(0, NULL, &m), OK);
	for (int step = 0; step < 3000; step++) {
		uint64_t at = test_random() % MAX, count = test_random() % (step % 2 ? 300 : 9000);
		uint64_t action = test_random() % 8;
		count = count < MAX - at ? count : MAX - at;
		if (action < 3 && count) {
			for (size_t i = 0; i < count; i++)
				model[at + i] = buffer[i] = (uint8_t)test_random();
			put(m, at, buffer, count);
			length = length > at + count ? length : at + count;
		} else if (action == 3) {
			size_t done, copied;
			uint64_t offset = 99;
			count = count < MAX - length ? count : MAX - length;
			for (size_t i = 0; i < count; i++)
				model[length + i] = buffer[i] = (uint8_t)test_random();
			CHECK_EQ(machine_user_copy(BUFFER, buffer, count, true, &copied), OK);
			CHECK_EQ(memobj_write(m, &offset, true, uaddr(BUFFER), count, &done), OK);
			CHECK_EQ(done, count);
			CHECK(count == 0 || offset == length);
			length += count;
		} else if (action == 4) {
			CHECK_EQ(memobj_resize(m, at), OK);
			if (at < length)
				memset(model + at, 0, length - at);
			length = at;
		} else if (action == 5) {
			CHECK_EQ(memobj_punch(m, at, count), OK);
			memset(model + at, 0, count);
		} else {
			size_t got = get(m, at, buffer, count);
			CHECK_EQ(got, at >= length ? 0 : count < length - at ? count : length - at);
			CHECK_MEM(buffer, model + at, got);
		}
		CHECK_EQ(memobj_bytes(m), length);
	}
	memobj_put(m);
	finish();
}

TEST(what_was_cut_off_reads_as_zero_when_it_comes_back)
{
	struct memobj *m;
	start();
	CHECK_EQ(memobj_create(3 * PAGE_BYTES, NULL, &m), OK);
	for (uint64_t at = 0; at < 3 * PAGE_BYTES; at += 8)
		put_word(m, at, ~0ull);
	CHECK_EQ(memobj_resize(m, 100), OK);
	CHECK_EQ(memobj_resize(m, 3 * PAGE_BYTES), OK);
	check_word(m, 88, ~0ull);
	check_word(m, 96, 0xffffffff);
	check_word(m, 104, 0);
	check_word(m, PAGE_BYTES, 0);
	memobj_put(m);
	finish();
}

TEST(what_a_mapping_writes_behind_the_end_is_gone_when_the_object_grows)
{
	struct memobj *m;
	uint64_t at, word = ~0ull;
	size_t done;
	start();
	CHECK_EQ(memobj_create(100, NULL, &m), OK);
	CHECK_EQ(space_map(space, 0, PAGE_BYTES, MAP_READ | MAP_WRITE | MAP_SHARED, 7, m, 0, &at), OK);
	CHECK_EQ(machine_user_copy(at + 104, &word, 8, true, &done), OK);
	CHECK_EQ(memobj_resize(m, 200), OK);
	check_word(m, 104, 0);
	CHECK_EQ(machine_user_copy(at + 208, &word, 8, true, &done), OK);
	put_word(m, 300, 5);
	check_word(m, 208, 0);
	memobj_put(m);
	finish();
}

TEST(a_hole_holds_no_memory_and_next_data_skips_it)
{
	struct memobj *m;
	struct mem_info info;
	uint64_t next;
	start();
	CHECK_EQ(memobj_create(1ull << 40, NULL, &m), OK);
	put_word(m, 5ull << 30, 1);
	put_word(m, 7ull << 38, 2);
	memobj_info(m, &info);
	CHECK_EQ(info.held_bytes, 2 * PAGE_BYTES);
	CHECK(info.changed_ns != 0);
	CHECK_EQ(memobj_resize(m, 8ull << 38), OK);
	next = (uint64_t)memobj_next_data(m, 0);
	CHECK_EQ(next, 5ull << 30);
	next = (uint64_t)memobj_next_data(m, (5ull << 30) + 9);
	CHECK_EQ(next, (5ull << 30) + 9);
	next = (uint64_t)memobj_next_data(m, (5ull << 30) + PAGE_BYTES);
	CHECK_EQ(next, 7ull << 38);
	CHECK_EQ(memobj_next_data(m, (7ull << 38) + PAGE_BYTES), ERR_NXIO);
	CHECK_EQ(memobj_next_data(m, UINT64_MAX), ERR_NXIO);
	memobj_put(m);
	finish();
}

TEST(lengths_and_offsets_beyond_reason_are_refused)
{
	struct memobj *m;
	uint64_t offset = UINT64_MAX - 3;
	size_t done;
	start();
	CHECK_EQ(memobj_create(UINT64_MAX, NULL, &m), ERR_INVAL);
	CHECK_EQ(memobj_create(10, NULL, &m), OK);
	CHECK_EQ(memobj_resize(m, UINT64_MAX), ERR_INVAL);
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 10, &done), ERR_FBIG);
	CHECK_EQ(memobj_read(m, UINT64_MAX - 1, uaddr(BUFFER), 10, &done), OK);
	CHECK_EQ(done, 0);
	CHECK_EQ(memobj_punch(m, UINT64_MAX, UINT64_MAX), ERR_INVAL);
	CHECK_EQ(memobj_punch(m, 5, 1ull << 62), OK);
	CHECK_EQ(memobj_create_physical(paddr(0xfee00000), UINT64_MAX & ~PAGE_MASK, MEM_UNCACHED, &m), ERR_INVAL);
	struct memobj *c;
	CHECK_EQ(memobj_create_clone(m, 1, PAGE_BYTES, NULL, &c), ERR_INVAL);
	CHECK_EQ(memobj_create_clone(m, 1ull << 40, PAGE_BYTES, NULL, &c), OK);
	check_word(c, 8, 0);
	memobj_put(c);
	memobj_put(m);
	finish();
}

TEST(a_wild_pointer_is_a_fault_and_counts_what_was_copied)
{
	struct memobj *m;
	uint64_t offset = 0;
	size_t done;
	start();
	CHECK_EQ(memobj_create(3 * PAGE_BYTES, NULL, &m), OK);
	CHECK_EQ(memobj_read(m, 0, uaddr(8), 10, &done), ERR_FAULT);
	CHECK_EQ(memobj_read(m, 0, uaddr(UINT64_MAX - 4), 10, &done), ERR_FAULT);
	CHECK_EQ(memobj_read(m, 0, uaddr(BUFFER + BUFFER_BYTES - PAGE_BYTES), 2 * PAGE_BYTES, &done), ERR_FAULT);
	CHECK_EQ(done, PAGE_BYTES);
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER + BUFFER_BYTES - PAGE_BYTES), 2 * PAGE_BYTES, &done), ERR_FAULT);
	CHECK_EQ(done, PAGE_BYTES);
	CHECK_EQ(memobj_write(m, &offset, true, uaddr(BUFFER + BUFFER_BYTES - PAGE_BYTES), 2 * PAGE_BYTES, &done), ERR_FAULT);
	CHECK_EQ(memobj_bytes(m), 4 * PAGE_BYTES);
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(UINT64_MAX - 99), 4096, &done), ERR_FAULT);
	memobj_put(m);
	finish();
}

TEST(a_full_account_is_no_space_left)
{
	struct memobj *m;
	struct account *a;
	size_t done;
	start();
	CHECK_EQ(account_create(NULL, &(struct account_limits){ 2, 0, 0 }, &a), OK);
	CHECK_EQ(memobj_create(0, a, &m), OK);
	uint64_t offset = 0;
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 3 * PAGE_BYTES, &done), ERR_NOSPC);
	CHECK_EQ(done, 2 * PAGE_BYTES);
	CHECK_EQ(memobj_bytes(m), 2 * PAGE_BYTES);
	memobj_put(m);
	account_put(a);
	finish();
}

/* ---- Clones ---- */

TEST(clones_of_clones_see_what_was_there_when_they_were_made)
{
	enum { OBJECTS = 12, PAGES = 20 };
	static uint64_t model[OBJECTS][PAGES];
	struct memobj *m[OBJECTS] = { NULL };
	start();
	memset(model, 0, sizeof model);
	CHECK_EQ(memobj_create(PAGES * PAGE_BYTES, NULL, &m[0]), OK);
	for (int step = 0; step < 8000; step++) {
		uint32_t i = test_random() % OBJECTS, j = test_random() % OBJECTS, page = test_random() % PAGES;
		uint32_t action = test_random() % 16;
		if (!m[i])
			continue;
		if (action == 0 && i != 0) {
			memobj_put(m[i]);
			m[i] = NULL;
		} else if (action <= 2 && !m[j]) {
			CHECK_EQ(memobj_create_clone(m[i], page * PAGE_BYTES, PAGES * PAGE_BYTES, NULL, &m[j]), OK);
			memset(model[j], 0, sizeof model[j]);
			memcpy(model[j], model[i] + page, (PAGES - page) * sizeof(uint64_t));
		} else if (action == 3) {
			CHECK_EQ(memobj_punch(m[i], page * PAGE_BYTES, 2 * PAGE_BYTES), OK);
			model[i][page] = 0;
			if (page + 1 < PAGES)
				model[i][page + 1] = 0;
		} else if (action == 4) {
			CHECK_EQ(memobj_resize(m[i], page * PAGE_BYTES), OK);
			CHECK_EQ(memobj_resize(m[i], PAGES * PAGE_BYTES), OK);
			memset(model[i] + page, 0, (PAGES - page) * sizeof(uint64_t));
		} else if (action < 10) {
			put_word(m[i], page * PAGE_BYTES + 16, model[i][page] = test_random());
		} else {
			check_word(m[i], page * PAGE_BYTES + 16, model[i][page]);
		}
	}
	for (uint32_t i = 0; i < OBJECTS; i++)
		if (m[i])
			memobj_put(m[i]);
	finish();
}

TEST(a_clone_of_the_initfs_changes_without_it)
{
	/* Memory that the allocator does not own: the zero frame's like is hard to have, so a frame is taken out of RAM by hand. */
	struct memobj *m, *c, *d;
	start();
	/* The frame records lie in RAM and are nobody's to hand out. */
	paddr_t fixed = frame_zero();
	CHECK_EQ(memobj_create_physical(fixed, PAGE_BYTES, MEM_CACHED, &m), OK);
	CHECK_EQ(memobj_create_clone(m, 0, PAGE_BYTES, NULL, &c), OK);
	CHECK_EQ(memobj_create_clone(c, 0, 2 * PAGE_BYTES, NULL, &d), OK);
	check_word(c, 0, 0);
	put_word(c, 0, 7);
	check_word(d, 0, 0);
	check_word(d, PAGE_BYTES, 0);
	check_word(m, 0, 0);
	check_word(c, 0, 7);
	memobj_put(m);
	memobj_put(c);
	check_word(d, 0, 0);
	memobj_put(d);
	finish();
}

TEST(device_memory_is_not_copied)
{
	struct memobj *m, *c;
	uint64_t at, offset = 0;
	size_t done;
	char byte;
	start();
	CHECK_EQ(memobj_create_physical(paddr(0xfee00000), PAGE_BYTES, MEM_UNCACHED, &m), OK);
	CHECK_EQ(memobj_create_clone(m, 0, PAGE_BYTES, NULL, &c), ERR_INVAL);
	CHECK_EQ(memobj_read(m, 0, uaddr(BUFFER), 1, &done), ERR_IO);
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 1, &done), ERR_IO);
	CHECK_EQ(memobj_resize(m, 0), ERR_INVAL);
	CHECK_EQ(space_map(space, 0, PAGE_BYTES, MAP_READ | MAP_WRITE | MAP_SHARED, 7, m, 0, &at), OK);
	CHECK_EQ(space_copy(NULL, (uint64_t)&byte, space, at, 1, true, &done), ERR_FAULT);
	CHECK_EQ(space_fault(space, at, FAULT_WRITE, true), OK);
	CHECK_EQ(space_map(space, 0, PAGE_BYTES, MAP_READ | MAP_WRITE, 7, m, 0, &at), OK);
	CHECK_EQ(space_fault(space, at, 0, true), OK);
	CHECK_EQ(space_fault(space, at, FAULT_WRITE, true), ERR_ACCES);
	memobj_put(m);
	finish();
}

TEST(a_sealed_object_keeps_every_page)
{
	struct memobj *m, *early, *c;
	struct mem_info info;
	paddr_t before, after;
	uint64_t offset;
	size_t done;

	start();
	CHECK_EQ(memobj_create(4 * PAGE_BYTES, NULL, &m), OK);
	put_word(m, PAGE_BYTES, 77);
	CHECK_EQ(memobj_create_clone(m, 0, 4 * PAGE_BYTES, NULL, &early), OK);
	CHECK_EQ(memobj_seal(m, 3 * PAGE_BYTES), ERR_INVAL);
	CHECK_EQ(memobj_seal(m, 4 * PAGE_BYTES), OK);
	/* All is there, and its own: what a clone from before shared was copied. */
	memobj_info(m, &info);
	CHECK_EQ(info.held_bytes, 4 * PAGE_BYTES);
	CHECK_EQ(memobj_page(m, PAGE_BYTES, true, &before), OK);
	put_word(early, PAGE_BYTES, 5);
	CHECK_EQ(memobj_resize(m, 0), ERR_PERM);
	CHECK_EQ(memobj_resize(m, 3 * PAGE_BYTES), ERR_PERM);
	CHECK_EQ(memobj_resize(m, 100), ERR_PERM);
	CHECK_EQ(memobj_punch(m, 0, 4 * PAGE_BYTES), ERR_PERM);
	CHECK_EQ(memobj_punch(m, 5, 100), ERR_PERM);
	CHECK_EQ(memobj_create_clone(m, 0, PAGE_BYTES, NULL, &c), ERR_PERM);
	check_word(m, PAGE_BYTES, 77);
	put_word(m, PAGE_BYTES, 78);
	CHECK_EQ(memobj_page(m, PAGE_BYTES, true, &after), OK);
	CHECK_EQ(before.raw, after.raw);
	frame_put(before);
	frame_put(after);
	check_word(early, PAGE_BYTES, 5);
	/* Nor does it grow: not by a write behind the end, not by an append, and what is inside may be written. */
	offset = 4 * PAGE_BYTES - 4;
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 8, &done), ERR_PERM);
	CHECK_EQ(memobj_write(m, &offset, true, uaddr(BUFFER), 1, &done), ERR_PERM);
	offset = 9 * PAGE_BYTES;
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 1, &done), ERR_PERM);
	CHECK_EQ(memobj_bytes(m), 4 * PAGE_BYTES);
	offset = 4 * PAGE_BYTES - 4;
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 4, &done), OK);
	/* A clone that could read through to others, and one whose pages a pager has, cannot be sealed. */
	CHECK_EQ(memobj_seal(m, 4 * PAGE_BYTES), OK);
	memobj_put(early);
	memobj_put(m);
	CHECK_EQ(memobj_create_physical(paddr(0xfee00000), PAGE_BYTES, MEM_UNCACHED, &m), OK);
	CHECK_EQ(memobj_seal(m, PAGE_BYTES), ERR_INVAL);
	memobj_put(m);
	finish();
}

TEST(a_seal_without_memory_says_so)
{
	struct memobj *m;

	start();
	CHECK_EQ(memobj_create(4 * PAGE_BYTES, NULL, &m), OK);
	frame_fail_after(3);
	CHECK_EQ(memobj_seal(m, 4 * PAGE_BYTES), ERR_NOMEM);
	frame_fail_after(0);
	CHECK_EQ(memobj_resize(m, 0), ERR_PERM);
	CHECK_EQ(memobj_seal(m, 4 * PAGE_BYTES), OK);
	memobj_put(m);
	finish();
}

/* ---- Pagers ---- */

static uint32_t asks, pager_lies, pager_errors, drops;

static err_t pager_ask(void *context, struct memobj *m, uint64_t offset)
{
	uint64_t page[PAGE_BYTES / 8];
	CHECK_EQ(machine_cpu->held_count, 0);
	asks++;
	if (pager_errors && asks % pager_errors == 0)
		return ERR_IO;
	if (pager_lies)
		return OK;
	for (size_t i = 0; i < PAGE_BYTES / 8; i++)
		page[i] = *(uint64_t *)context + offset;
	return memobj_supply(m, offset, page);
}

static void pager_drop(void *context)
{
	(void)context;
	drops++;
}

static struct memobj *paged(uint64_t bytes, uint64_t *content)
{
	struct memobj *m;
	asks = pager_lies = pager_errors = drops = 0;
	CHECK_EQ(memobj_create_paged(bytes, NULL, pager_ask, pager_drop, content, &m), OK);
	return m;
}

TEST(a_missing_page_is_asked_of_the_pager_once)
{
	uint64_t content = 1000;
	start();
	struct memobj *m = paged(4 * PAGE_BYTES - 100, &content);
	check_word(m, PAGE_BYTES, 1000 + PAGE_BYTES);
	check_word(m, PAGE_BYTES + 8, 1000 + PAGE_BYTES);
	CHECK_EQ(asks, 1);
	content = 5;
	check_word(m, PAGE_BYTES, 1000 + PAGE_BYTES);
	CHECK_EQ(memobj_punch(m, PAGE_BYTES, PAGE_BYTES), OK);
	check_word(m, PAGE_BYTES, 5 + PAGE_BYTES);
	/* The rest of the last page is zero whatever the pager said. */
	CHECK_EQ(memobj_supply(m, 3 * PAGE_BYTES, NULL), OK);
	check_word(m, 3 * PAGE_BYTES, 0);
	CHECK_EQ(memobj_supply(m, 4 * PAGE_BYTES, NULL), ERR_RANGE);
	CHECK_EQ(memobj_supply(m, 100, NULL), ERR_INVAL);
	memobj_put(m);
	CHECK_EQ(drops, 1);
	finish();
}

TEST(a_pager_that_lies_or_fails_is_an_error_not_a_hang)
{
	uint64_t content = 1, offset = 0;
	size_t done;
	paddr_t frame;
	start();
	struct memobj *m = paged(PAGE_BYTES, &content);
	pager_lies = 1;
	CHECK_EQ(memobj_read(m, 0, uaddr(BUFFER), 1, &done), ERR_IO);
	CHECK_EQ(memobj_write(m, &offset, false, uaddr(BUFFER), 1, &done), ERR_IO);
	uint64_t at;
	CHECK_EQ(space_map(space, 0, PAGE_BYTES, MAP_READ | MAP_WRITE, 7, m, 0, &at), OK);
	CHECK_EQ(space_fault(space, at, 0, true), ERR_IO);
	CHECK_EQ(space_fault(space, at, FAULT_WRITE, true), ERR_IO);
	CHECK_EQ(space_fault(space, at, 0, false), ERR_AGAIN);
	CHECK_EQ(memobj_page(m, 0, false, &frame), ERR_IO);
	pager_lies = 0;
	pager_errors = 1;
	CHECK_EQ(memobj_read(m, 0, uaddr(BUFFER), 1, &done), ERR_IO);
	pager_errors = 0;
	check_word(m, 0, 1);
	memobj_put(m);
	finish();
}

TEST(a_paged_object_agrees_with_its_pager_and_has_no_clones)
{
	enum { PAGES = 12 };
	uint64_t model[PAGES], content = 77;
	struct memobj *m, *c;
	start();
	m = paged(PAGES * PAGE_BYTES, &content);
	for (uint64_t i = 0; i < PAGES; i++)
		model[i] = content + i * PAGE_BYTES;
	for (int step = 0; step < 12000; step++) {
		uint32_t page = test_random() % PAGES, action = test_random() % 16;
		if (action == 0) {
			CHECK_EQ(memobj_create_clone(m, 0, PAGES * PAGE_BYTES, NULL, &c), ERR_INVAL);
		} else if (action == 1) {
			CHECK_EQ(memobj_punch(m, page * PAGE_BYTES, PAGE_BYTES), OK);
			model[page] = content + page * PAGE_BYTES;
		} else if (action < 9) {
			put_word(m, page * PAGE_BYTES + 16, model[page] = test_random());
		} else {
			check_word(m, page * PAGE_BYTES + 16, model[page]);
		}
	}
	memobj_put(m);
	CHECK_EQ(drops, 1);
	finish();
}

TEST(clean_pages_of_a_pager_are_given_back_when_memory_is_short)
{
	uint64_t content = 3, pages = 2000;
	struct memobj *hog;
	size_t done;
	start();
	struct memobj *m = paged(pages * PAGE_BYTES, &content);
	put_word(m, 0, 42);
	for (uint64_t i = 1; i < pages; i++)
		check_word(m, i * PAGE_BYTES, content + i * PAGE_BYTES);
	CHECK_EQ(memobj_create(0, NULL, &hog), OK);
	uint64_t offset = 0;
	err_t err;
	while (!(err = memobj_write(hog, &offset, false, uaddr(BUFFER), PAGE_BYTES, &done)))
		offset += PAGE_BYTES;
	/* No space left, while there is some for programs. */
	CHECK_EQ(err, ERR_NOSPC);
	CHECK(frame_is_short());
	CHECK(frame_count_free() > RAM / PAGE_BYTES / 50);
	CHECK(offset > RAM - (RAM >> 3) - BUFFER_BYTES);
	struct mem_info info;
	memobj_info(m, &info);
	CHECK_EQ(info.held_bytes, PAGE_BYTES);
	memobj_put(hog);
	check_word(m, 0, 42);
	check_word(m, PAGE_BYTES, content + PAGE_BYTES);
	memobj_put(m);
	finish();
}

/* ---- Failures ---- */

static void do_everything(struct memobj *base)
{
	struct memobj *m, *c;
	uint64_t word = 5, offset = 3 * PAGE_BYTES - 4;
	size_t done;
	if (memobj_create(5 * PAGE_BYTES, NULL, &m))
		return;
	(void)!memobj_write(m, &offset, false, uaddr(BUFFER), 8, &done);
	if (!memobj_create_clone(m, 0, 5 * PAGE_BYTES, NULL, &c)) {
		offset = 100 * PAGE_BYTES;
		(void)!memobj_write(c, &offset, false, uaddr(BUFFER), 2 * PAGE_BYTES, &done);
		offset = 3 * PAGE_BYTES - 4;
		(void)!memobj_write(m, &offset, false, uaddr(BUFFER), 8, &done);
		(void)!memobj_punch(c, 10, 4 * PAGE_BYTES);
		(void)!memobj_resize(c, 2 * PAGE_BYTES + 5);
		memobj_put(c);
	}
	if (!memobj_create_clone(base, 0, 5 * PAGE_BYTES, NULL, &c)) {
		offset = PAGE_BYTES;
		(void)!memobj_write(base, &offset, false, uaddr(BUFFER), 8, &done);
		(void)!memobj_write(c, &offset, false, uaddr(BUFFER), PAGE_BYTES, &done);
		(void)!memobj_read(c, 0, uaddr(BUFFER), PAGE_BYTES, &done);
		(void)!memobj_punch(c, 0, PAGE_BYTES);
		(void)!memobj_punch(base, 0, 5 * PAGE_BYTES);
		memobj_put(c);
	}
	(void)word;
	memobj_put(m);
}

TEST(a_failed_allocation_anywhere_leaks_nothing)
{
	uint64_t content = 9;
	start();
	for (uint64_t i = 0; i < BUFFER_BYTES; i += PAGE_BYTES)
		CHECK_EQ(space_fault(space, BUFFER + i, FAULT_WRITE, true), OK);
	uint64_t before = frame_count_free();
	for (uint64_t n = 1; n < 60; n++) {
		struct memobj *base = paged(5 * PAGE_BYTES, &content);
		heap_fail_after(n);
		do_everything(base);
		heap_fail_after(0);
		frame_fail_after(n);
		do_everything(base);
		frame_fail_after(0);
		memobj_put(base);
		CHECK_EQ(frame_count_free(), before);
	}
	finish();
}
