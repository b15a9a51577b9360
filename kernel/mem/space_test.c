/* kernel/mem/space_test.c - address spaces: random operations against a model, and every allocation failing once. */
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/test/host/space.h"

/* ---- Random operations against a model ---- */

enum { PROCESSES = 4, PAGES_MAX = 1280, OBJECTS = 4, OBJECT_PAGES = 24 };
#define BASE 0x70000000ull

struct model_page {
	bool mapped, shared, copied;
	uint8_t prot;
	int8_t object;                  /* -1: none */
	uint32_t object_page;
	uint64_t value;                 /* of the page's own, when copied or without object */
};

static struct model {
	struct space *space;
	struct model_page page[PAGES_MAX];
} model[PROCESSES];

static struct {
	struct memobj *m;
	uint64_t pages;
	uint64_t value[OBJECT_PAGES];
	uint32_t users;                 /* mapped pages: an object that is mapped stays */
} objects[OBJECTS];

/* Either some pages of one table, or enough of three that fork shares them: then operations cover whole halves of tables too. */
static uint64_t pages = 96;
static bool is_wide;
static uint64_t random_state, tables_shared;

/* xorshift64*: test_random's sequence is always the same one. */
static uint64_t random_word(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull;
}

static uint64_t pick(uint64_t count) { return (random_word() >> 20) % count; }

static uint64_t pager_value(int i, uint64_t page) { return i == 0 ? 0xabc000 + page : 0; }

static err_t random_ask(void *context, struct memobj *m, uint64_t offset)
{
	uint64_t page[P / 8] = { 0 };
	(void)context;
	page[0] = page[P / 8 - 1] = pager_value(0, offset / P);
	return memobj_supply(m, offset, page);
}

/* What a page should hold; the error that touching it should give. */
static err_t model_access(const struct model_page *p, bool write, uint64_t *value)
{
	if (!p->mapped)
		return ERR_FAULT;
	if (!(p->prot & (write ? MAP_WRITE : ALL)))
		return ERR_ACCES;
	*value = p->value;
	if (p->object < 0 || p->copied)
		return OK;
	if (p->object_page >= objects[p->object].pages)
		return ERR_RANGE;
	*value = objects[p->object].value[p->object_page];
	return OK;
}

static void check_page(struct model *p, uint64_t i)
{
	uint64_t wanted = 0, word = 1, last = 2;
	err_t err = model_access(&p->page[i], false, &wanted);
	CHECK_EQ(peek(BASE + i * P, &word), err);
	if (err)
		return;
	CHECK_EQ(word, wanted);
	CHECK_EQ(peek(BASE + i * P + P - 8, &last), OK);
	CHECK_EQ(last, wanted);
}

static void op_write(struct model *p, uint64_t i)
{
	uint64_t old, value = random_word();
	struct model_page *page = &p->page[i];
	err_t wanted = model_access(page, true, &old), err = poke(BASE + i * P, value);
	if (err == ERR_NOMEM)
		return;                 /* injected */
	CHECK_EQ(err, wanted);
	if (err)
		return;
	CHECK_EQ(poke(BASE + i * P + P - 8, value), OK);
	if (page->object >= 0 && page->shared) {
		objects[page->object].value[page->object_page] = value;
	} else {
		page->copied = true;
		page->value = value;
	}
}

static void page_forget(struct model_page *p)
{
	if (p->mapped && p->object >= 0)
		objects[p->object].users--;
	*p = (struct model_page){ .object = -1 };
}

/* (Populating a private mapping of an object copies what could be had: that would be a guess.) */
static void op_map(struct model *p, uint64_t i, uint64_t count)
{
	uint64_t out;
	int o = (int)pick(OBJECTS * 2) - OBJECTS;
	bool shared = o >= 0 && pick(2);
	uint32_t prot = (uint32_t)pick(4), offset = (uint32_t)pick(OBJECT_PAGES);
	if (o >= 0 && !objects[o].m)
		o = -1;
	prot = prot < 3 ? RW : prot == 3 ? MAP_READ : 0;
	err_t err = space_map(p->space, BASE + i * P, count * P, prot | MAP_FIXED | (shared && o >= 0 ? MAP_SHARED : 0) | (pick(4) || (o >= 0 && !shared) ? 0 : MAP_POPULATE),
	                      ALL, o >= 0 ? objects[o].m : NULL, o >= 0 ? offset * P : 0, &out);
	if (err) {
		CHECK_EQ(err, ERR_NOMEM);
		return;
	}
	for (uint64_t n = 0; n < count; n++) {
		page_forget(&p->page[i + n]);
		p->page[i + n] = (struct model_page){
			.mapped = true, .shared = shared && o >= 0, .prot = (uint8_t)prot, .object = (int8_t)(o >= 0 ? o : -1), .object_page = offset + (uint32_t)n,
		};
		if (o >= 0)
			objects[o].users++;
	}
}

static void op_unmap(struct model *p, uint64_t i, uint64_t count)
{
	if (space_unmap(p->space, BASE + i * P, count * P))
		return;
	for (uint64_t n = 0; n < count; n++)
		page_forget(&p->page[i + n]);
}

static void op_protect(struct model *p, uint64_t i, uint64_t count)
{
	uint32_t prot = (uint32_t[]){ 0, MAP_READ, RW, RW }[pick(4)];
	bool whole = true;
	for (uint64_t n = 0; n < count; n++)
		whole &= p->page[i + n].mapped;
	err_t err = space_protect(p->space, BASE + i * P, count * P, prot);
	CHECK(err == OK ? whole : err == ERR_NOMEM);
	for (uint64_t n = 0; n < count && !err; n++)
		p->page[i + n].prot = (uint8_t)prot;
}

static void op_dontneed(struct model *p, uint64_t i, uint64_t count)
{
	if (space_advise(p->space, BASE + i * P, count * P, ADVICE_DONTNEED))
		return;
	for (uint64_t n = 0; n < count; n++) {
		p->page[i + n].copied = false;
		p->page[i + n].value = 0;
	}
}

/* Moves a stretch of like pages. */
static void op_remap(struct model *p, uint64_t i, uint64_t count)
{
	uint64_t to = pick(pages - count), out;
	struct model_page copy[PAGES_MAX];
	if (to < i + count && i < to + count)
		return;
	err_t err = space_remap(p->space, BASE + i * P, count * P, count * P, REMAP_MOVE, BASE + to * P, &out);
	if (err == ERR_NOMEM) {
		/* The target may have been cleared already, as it may be by any fixed mapping: look. */
		struct task_region info;
		for (uint64_t n = 0; n < count; n++)
			if (!space_region_info(p->space, BASE + (to + n) * P, &info) || info.start > BASE + (to + n) * P)
				page_forget(&p->page[to + n]);
		return;
	}
	if (err) {
		CHECK_EQ(err, ERR_FAULT);
		return;
	}
	memcpy(copy, p->page + i, count * sizeof *copy);
	for (uint64_t n = 0; n < count; n++) {
		page_forget(&p->page[to + n]);
		p->page[to + n] = copy[n];
		p->page[i + n] = (struct model_page){ .object = -1 };
	}
}

static void model_forget(struct model *p)
{
	for (uint64_t i = 0; i < pages; i++)
		page_forget(&p->page[i]);
	p->space = NULL;
}

static void op_exit(uint64_t i)
{
	struct space *s = model[i].space;
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++) {
		machine_run_on(cpu);
		if (machine_cpu->space == s)
			run(NULL);
	}
	space_put(s);
	model_forget(&model[i]);
}

static void op_fork(uint64_t from, uint64_t to)
{
	struct space *child;
	if (model[to].space)
		op_exit(to);
	err_t err = space_fork(model[from].space, NULL, &child);
	if (err) {
		CHECK_EQ(err, ERR_NOMEM);
		return;
	}
	model[to] = model[from];
	model[to].space = child;
	tables_shared += child->tables.shared_count;
	for (uint64_t i = 0; i < pages; i++)
		if (model[to].page[i].mapped && model[to].page[i].object >= 0)
			objects[model[to].page[i].object].users++;
}

/* Through the kernel's own copies into another process. */
static void op_space_write(struct model *p, uint64_t i)
{
	uint64_t value = random_word(), old;
	struct model_page *page = &p->page[i];
	err_t wanted = model_access(page, true, &old), err = space_write(p->space, BASE + i * P, &value, 8);
	if (err == ERR_NOMEM)
		return;
	CHECK_EQ(err, wanted);
	if (!err)
		err = space_write(p->space, BASE + i * P + P - 8, &value, 8);
	if (err)
		return;
	if (page->object >= 0 && page->shared)
		objects[page->object].value[page->object_page] = value;
	else
		page->copied = true, page->value = value;
}

static void inject_stop(void)
{
	heap_fail_after(0);
	frame_fail_after(0);
}

static void object_fill(int o)
{
	for (uint64_t i = 0; i < OBJECT_PAGES; i++)
		objects[o].value[i] = i < objects[o].pages ? pager_value(o, i) : 0;
}

/* What private mappings copied of pages beyond the end goes too. */
static void object_cut(int o)
{
	for (int i = 0; i < PROCESSES; i++)
		for (uint64_t n = 0; n < pages; n++) {
			struct model_page *p = &model[i].page[n];
			if (p->mapped && p->object == o && p->object_page >= objects[o].pages)
				p->copied = false, p->value = 0;
		}
}

static err_t object_read(struct memobj *m, uint64_t page, uint64_t *word)
{
	paddr_t frame;
	err_t err = memobj_page(m, page * P, false, &frame);
	if (err)
		return err;
	*word = *(uint64_t *)paddr_to_kernel(frame);
	frame_put(frame);
	return OK;
}

static void op_object(int o)
{
	uint64_t page = pick(OBJECT_PAGES), count = pick(6);
	struct memobj *c;
	err_t err;
	if (!objects[o].m) {
		int of = (int)pick(OBJECTS);
		err = pick(2) && objects[of].m ? memobj_create_clone(objects[of].m, 0, OBJECT_PAGES * P, NULL, &c) : memobj_create(OBJECT_PAGES * P, NULL, &c);
		if (err)
			return;
		inject_stop();
		objects[o].m = c;
		objects[o].pages = OBJECT_PAGES;
		/* A clone holds its parent's pages; an empty object none, and so do clones of one. */
		uint64_t word;
		for (uint64_t i = 0; i < OBJECT_PAGES; i++) {
			CHECK_EQ(object_read(c, i, &word), OK);
			CHECK(word == 0 || word == objects[of].value[i]);
			objects[o].value[i] = word;
		}
		return;
	}
	switch (pick(4)) {
	case 0:
		if (o == 0)             /* paged: clones may still want its pages */
			return;
		if (memobj_resize(objects[o].m, page * P))
			return;
		for (uint64_t i = page; i < OBJECT_PAGES; i++)
			objects[o].value[i] = 0;
		objects[o].pages = page;
		object_cut(o);
		break;
	case 1:
		if (memobj_punch(objects[o].m, page * P, count * P)) {
			/* Which pages went is not said: look. */
			inject_stop();
			for (uint64_t i = 0; i < objects[o].pages; i++)
				CHECK_EQ(object_read(objects[o].m, i, &objects[o].value[i]), OK);
			return;
		}
		for (uint64_t i = page; i < page + count && i < objects[o].pages; i++)
			objects[o].value[i] = pager_value(o, i);
		break;
	case 2:
		if (o != 0 && objects[o].users == 0) {
			memobj_put(objects[o].m);
			objects[o].m = NULL;
		}
		break;
	default:
		if (o != 0 && !memobj_resize(objects[o].m, OBJECT_PAGES * P))
			objects[o].pages = OBJECT_PAGES;
	}
}

static void inject(void)
{
	heap_fail_after(pick(8) ? 0 : 1 + pick(6));
	frame_fail_after(pick(8) ? 0 : 1 + pick(6));
}

static void random_step(void)
{
	uint64_t who = pick(PROCESSES), i = pick(pages), count = 1 + pick(12), action = pick(64);
	struct model *p = &model[who];
	if (is_wide && pick(3)) {
		i = pick(pages / 256) * 256;
		count = 256 * (1 + pick(3));
	}
	count = MIN_OF(count, pages - i);
	machine_run_on((uint32_t)pick(MACHINE_CPUS));
	if (!p->space) {
		inject();
		if (!space_create(NULL, &p->space))
			for (uint64_t n = 0; n < pages; n++)
				p->page[n].object = -1;
		else
			p->space = NULL;
		inject_stop();
		return;
	}
	run(p->space);
	if (action < 20) {
		check_page(p, i);
		return;
	}
	if (action < 36) {
		for (uint64_t n = 0; n < (is_wide ? count : 1); n++)
			op_write(p, i + n);
		return;
	}
	if (pick(2))
		inject();
	if (action < 42)
		op_map(p, i, count);
	else if (action < 45)
		op_unmap(p, i, count);
	else if (action < 48)
		op_protect(p, i, count);
	else if (action < 50)
		op_dontneed(p, i, count);
	else if (action < 52)
		op_remap(p, i, count);
	else if (action < 55)
		op_space_write(p, i);
	else if (action < 58) {
		uint64_t to = pick(PROCESSES);
		if (to != who)
			op_fork(who, to);
	} else if (action == 58) {
		op_exit(who);
	} else if (is_wide && action > 61) {
		op_fork(who, (who + 1) % PROCESSES);
	} else {
		op_object((int)pick(OBJECTS));
	}
	inject_stop();
}

static void run_random(uint64_t step_count)
{
	const char *seed = getenv("SEED"), *steps = getenv("STEPS");
	uint64_t n = seed ? strtoull(seed, NULL, 0) : 1;
	step_count = steps ? strtoull(steps, NULL, 0) : step_count;
	printf("# SEED=%llu STEPS=%llu\n", (unsigned long long)n, (unsigned long long)step_count);
	free_frames = machine_start(RAM);
	random_state = (n + 1) * 0x9e3779b97f4a7c15ull;
	memset(model, 0, sizeof model);
	memset(objects, 0, sizeof objects);
	CHECK_EQ(memobj_create_paged(OBJECT_PAGES * P, NULL, random_ask, NULL, NULL, &objects[0].m), OK);
	objects[0].pages = OBJECT_PAGES;
	object_fill(0);
	for (uint64_t step = 0; step < step_count; step++) {
		random_step();
		if (step % 1000 == 0)
			for (int i = 0; i < PROCESSES; i++)
				for (uint64_t page = 0; page < pages && model[i].space; page++) {
					run(model[i].space);
					(void)(page == 0 && resident());
					check_page(&model[i], page);
				}
	}
	for (int i = 0; i < PROCESSES; i++)
		if (model[i].space)
			op_exit((uint64_t)i);
	for (int o = 0; o < OBJECTS; o++)
		if (objects[o].m)
			memobj_put(objects[o].m);
	machine_run_on(0);
	machine_check_free(free_frames);
}

TEST(random_operations_agree_with_a_model)
{
	run_random(60000);
}

TEST(random_operations_on_shared_tables_agree_with_a_model)
{
	pages = PAGES_MAX;
	is_wide = true;
	run_random(20000);
	CHECK(tables_shared > 50);
	printf("# %llu tables were shared\n", (unsigned long long)tables_shared);
}

/* ---- Failures one by one ---- */

static void do_everything(void)
{
	struct space *child;
	struct memobj *m = NULL;
	uint64_t at = 0, shared = 0, out;
	if (!memobj_create(4 * P, NULL, &m)) {
		if (!space_map(space, 0, 4 * P, RW | MAP_SHARED, ALL, m, 0, &shared))
			(void)!poke(shared + P, 1);
		if (!space_map(space, 0, 4 * P, RW, ALL, m, 0, &shared))
			(void)!poke(shared + P, 1);
	}
	if (!space_map(space, 0x20000000, 8 * P, RW | MAP_FIXED | MAP_POPULATE, ALL, NULL, 0, &at)) {
		(void)!space_protect(space, at + 2 * P, P, MAP_READ);
		(void)!space_unmap(space, at + 5 * P, P);
		(void)!space_remap(space, at, 2 * P, 600 * P, REMAP_MOVE, 0x30000000, &out);
		(void)!space_map(space, at + 3 * P, P, RW | MAP_FIXED | MAP_SHARED, ALL, NULL, 0, &out);
	}
	/* Enough for a table that fork shares. */
	if (!space_map(space, 0x40000000, 512 * P, RW | MAP_FIXED | MAP_POPULATE, ALL, NULL, 0, &out))
		at = out;
	if (!space_fork(space, NULL, &child)) {
		(void)!poke(at + 2 * P, 1);
		(void)!space_unmap(space, at + 3 * P, P);
		(void)!space_protect(child, at + 9 * P, P, MAP_READ);
		space_put(child);
	}
	if (m)
		memobj_put(m);
}

TEST(a_failed_allocation_anywhere_leaks_nothing)
{
	for (uint64_t n = 1; n < 80 + 560; n = n == 79 ? 570 : n + 1) {
		start();
		heap_fail_after(n);
		do_everything();
		heap_fail_after(0);
		finish();
		start();
		frame_fail_after(n);
		do_everything();
		frame_fail_after(0);
		finish();
	}
}
