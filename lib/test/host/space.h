/* lib/test/host/space.h - a machine with one address space: what tests of kernel/mem/space* have in common.
 *
 * Definitions: exactly one file of a test program includes it.
 */
#pragma once
#include "abi/proto/task.h"
#include "kernel/mem/account.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space_inner.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { return &s->tables; }

enum { RAM = 32 << 20, RW = MAP_READ | MAP_WRITE, ALL = 7, P = PAGE_BYTES };

static uint64_t free_frames;
static struct space *space;

__attribute__((unused)) static void start(void)
{
	free_frames = machine_start(RAM);
	CHECK_EQ(space_create(NULL, &space), OK);
	space_switch(NULL, space);
}

__attribute__((unused)) static void finish(void)
{
	space_switch(machine_cpu->space, NULL);
	space_put(space);
	machine_check_free(free_frames);
}

__attribute__((unused)) static void run(struct space *s)
{
	space_switch(machine_cpu->space, s);
}

__attribute__((unused)) static uint64_t map(uint64_t address, uint64_t bytes, uint32_t flags, struct memobj *m, uint64_t offset)
{
	uint64_t at;
	CHECK_EQ(space_map(machine_cpu->space, address, bytes, flags, ALL, m, offset, &at), OK);
	return at;
}

__attribute__((unused)) static err_t poke(uint64_t address, uint64_t word)
{
	size_t done;
	return machine_user_copy(address, &word, sizeof word, true, &done);
}

__attribute__((unused)) static err_t peek(uint64_t address, uint64_t *word)
{
	size_t done;
	return machine_user_copy(address, word, sizeof *word, false, &done);
}

__attribute__((unused)) static void check_word(uint64_t address, uint64_t wanted)
{
	uint64_t word = ~wanted;
	CHECK_EQ(peek(address, &word), OK);
	CHECK_EQ(word, wanted);
}

__attribute__((unused)) static struct memobj *object(uint64_t bytes)
{
	struct memobj *m;
	CHECK_EQ(memobj_create(bytes, NULL, &m), OK);
	return m;
}

/* Writes into any space as space_copy does: under its lock, through the direct map. */
__attribute__((unused)) static err_t space_read(struct space *s, uint64_t address, void *to, size_t bytes, bool wait)
{
	size_t done;
	return space_copy(NULL, (uint64_t)to, s, address, bytes, wait, &done);
}

__attribute__((unused)) static err_t space_write(struct space *s, uint64_t address, const void *from, size_t bytes)
{
	struct page_step step = { .asked = 0 };
	struct page_entry e;
	if (!user_range_is_valid(address, bytes))
		return ERR_FAULT;
	for (size_t done = 0, part; done < bytes;) {
		part = part_in_page(address + done, bytes - done);
		spin_lock(&s->lock);
		err_t err = fault_locked(s, page_round_down(address + done), FAULT_WRITE, &e, &step);
		if (!err)
			memcpy(paddr_byte(e.frame, address + done), (const char *)from + done, part);
		spin_unlock(&s->lock);
		done += err ? 0 : part;
		if (err && (err = fault_retry(&step, err, true)))
			return err;
	}
	return OK;
}

__attribute__((unused)) static uint64_t resident(void)
{
	struct space_info info;
	space_get_info(machine_cpu->space, &info);
	CHECK_EQ(info.resident_bytes / P, pages_count(machine_cpu->space, 0, USER_MAX));
	return info.resident_bytes / P;
}

__attribute__((unused)) static uint32_t region_total(struct space *s)
{
	struct task_region info;
	uint32_t count = 0;
	for (uint64_t at = 0; space_region_info(s, at, &info); at = info.end)
		count++;
	return count;
}
