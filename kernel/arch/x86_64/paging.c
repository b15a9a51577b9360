/* kernel/arch/x86_64/paging.c - four-level page tables: each space's user half, and the one kernel half they all share.
 *
 * A table's frame record tells its level; leaf tables go back to the frame allocator as zero as they came.
 * Common: paging_set and paging_get of one page, whose tables exist. Rare: large ranges (walk), the kernel half's set-up.
 *
 * Shared after fork: a leaf table has a reference per space that shows it, and one reference to each frame in it, however many show it. The
 * directory entries are then without ENTRY_WRITE, which rules all 2 MiB. Nobody adds, takes out or changes its entries any more (but for taking
 * away ENTRY_WRITE, which may happen twice), so no lock is needed between the spaces: who wants to change something leaves with a copy, or, being the
 * last, has the table as its own again. Objects take pages back from any table and cannot fail: a shared one shows none of theirs.
 */
#include "kernel/mem/paging.h"
#include "kernel/arch/x86_64/cpu.h"
#include "lib/base/try.h"
#include "lib/boot/boot_check.h"
#include "kernel/mem/frame.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

#define ENTRY_PRESENT   (1ull << 0)
#define ENTRY_WRITE     (1ull << 1)
#define ENTRY_USER      (1ull << 2)
#define ENTRY_PWT       (1ull << 3)     /* alone: write-combining (features.c); with PCD: uncached */
#define ENTRY_PCD       (1ull << 4)
#define ENTRY_LARGE     (1ull << 7)
#define ENTRY_GLOBAL    (1ull << 8)
#define ENTRY_ANON      (1ull << 9)     /* software */
#define ENTRY_DEVICE    (1ull << 10)    /* software */
#define ENTRY_KEPT      (1ull << 11)    /* software: there for us, not for the CPU */
#define ENTRY_NX        (1ull << 63)
#define ENTRY_FRAME     0x000ffffffffff000ull
/* Of enum page_flags these are bits of an entry. */
#define ENTRY_SAME      (PAGE_WRITE | PAGE_UNCACHED | PAGE_ANON | PAGE_DEVICE)
STATIC_ASSERT(ENTRY_SAME == (ENTRY_WRITE | ENTRY_PWT | ENTRY_PCD | ENTRY_ANON | ENTRY_DEVICE), "the flags have x86's bits");
#define ENTRY_TABLE     (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER)

enum {
	LEVELS = 4, TABLE_ENTRIES = 512, LEVEL_BITS = 9, KERNEL_HALF = 256, IMAGE_SLOT = 511,
	SHARE_MIN = 128,        /* a table with fewer entries is copied at fork: its frame and a fault later would cost more */
};
#define LARGE_BYTES     (2ull << 20)
#define GIANT_BYTES     (1ull << 30)

static page_table_t kernel_root ALIGNED(PAGE_BYTES), image_pages ALIGNED(PAGE_BYTES);

/* ---- Entries ---- */

static uint64_t entry_encode(struct page_entry e)
{
	return e.frame.raw | (e.flags & ENTRY_SAME) | (e.flags & PAGE_EXEC ? 0 : ENTRY_NX) |
	       (e.flags & (PAGE_READ | PAGE_WRITE | PAGE_EXEC) ? ENTRY_PRESENT | ENTRY_USER : ENTRY_KEPT);
}

static struct page_entry entry_decode(uint64_t raw)
{
	uint32_t rights = raw & ENTRY_NX ? PAGE_READ : PAGE_READ | PAGE_EXEC;

	return (struct page_entry){ paddr(raw & ENTRY_FRAME), (raw & ENTRY_SAME) | (raw & ENTRY_PRESENT ? rights : 0) };
}

static uint64_t *table_at(paddr_t p) { return paddr_to_kernel(p); }

static uint64_t *table_of(uint64_t entry) { return table_at(paddr(entry & ENTRY_FRAME)); }

/* level 0 holds pages. */
static uint32_t slot_index(uint64_t address, uint32_t level)
{
	return address >> (PAGE_SHIFT + level * LEVEL_BITS) & (TABLE_ENTRIES - 1);
}

static uint64_t level_bytes(uint32_t level) { return (uint64_t)PAGE_BYTES << level * LEVEL_BITS; }

/* ---- Finding a page's slot ---- */

/* *rights: what the tables above it allow. */
static uint64_t *slot_find(const struct page_tables *p, uint64_t address, uint64_t *rights)
{
	uint64_t *table = table_at(p->root);

	for (uint32_t level = LEVELS - 1; level > 0; level--) {
		uint64_t entry = table[slot_index(address, level)];

		if (!entry)
			return NULL;
		*rights = entry;
		table = table_of(entry);
	}
	return &table[slot_index(address, 0)];
}

static err_t table_alloc(struct page_tables *p, struct account *a, uint32_t level, paddr_t *out)
{
	TRY(frame_alloc(0, FRAME_ZEROED, a, out));
	struct frame *f = frame_of(*out);
	f->table_level = (uint16_t)level;
	list_push_back(&p->tables, &f->free_link);
	p->table_frames++;
	return OK;
}

/* The entry of this level for address. Tables made on the way stay when a later one cannot be had: empty ones do no harm and paging_trim finds them. */
static ALWAYS_INLINE err_t slot_make(struct page_tables *p, struct account *a, uint64_t address, uint32_t level, uint64_t **out)
{
	uint64_t *table = table_at(p->root);
	paddr_t fresh;

	for (uint32_t above = LEVELS - 1; above > level; above--) {
		uint64_t *slot = &table[slot_index(address, above)];

		if (!*slot) {
			TRY(table_alloc(p, a, above - 1, &fresh));
			*slot = fresh.raw | ENTRY_TABLE;
		}
		DASSERT(above - 1 > level || level > 0 || *slot & ENTRY_WRITE);
		table = table_of(*slot);
	}
	*out = &table[slot_index(address, level)];
	return OK;
}

/* ---- One page ---- */

err_t paging_set(struct page_tables *p, struct account *a, uint64_t address, struct page_entry e)
{
	uint64_t *slot;

	TRY(slot_make(p, a, address, 0, &slot));
	*slot = entry_encode(e);
	return OK;
}

uint32_t paging_fill(struct page_tables *p, uint64_t address, const paddr_t *frames, uint32_t flags, uint32_t count)
{
	uint64_t rights, *slot = slot_find(p, address, &rights), raw = entry_encode((struct page_entry){ .flags = flags });
	uint32_t set = 0;

	count = MIN_OF(count, TABLE_ENTRIES - slot_index(address, 0));
	for (uint32_t i = 0; slot && i < count; i++) {
		if (slot[i] || !frames[i].raw)
			continue;
		slot[i] = raw | frames[i].raw;
		set |= 1u << i;
	}
	return set;
}

bool paging_get(const struct page_tables *p, uint64_t address, struct page_entry *out)
{
	uint64_t rights, *slot = slot_find(p, address, &rights);

	if (!slot || !*slot)
		return false;
	*out = entry_decode(*slot & (rights | ~ENTRY_WRITE));
	return true;
}

/* ---- Ranges ---- */

/* The first entry in [i, end) that is not 0; end or more: none. Most are 0: eight at a time. */
static uint64_t used_from(const uint64_t *table, uint64_t i, uint64_t end)
{
	for (; i < end && !table[i]; i++) {
		const uint64_t *t = table + i + 1;

		for (; (i + 1) % 8 == 0 && i + 1 < end && !(t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7]); t += 8)
			i += 8;
	}
	return i;
}

/* Moves w->next on to the first page at or after it that has an entry in this table; false: none that is of interest. */
static bool walk_skip(struct page_walk *w, const uint64_t *table, uint32_t level)
{
	uint32_t shift = PAGE_SHIFT + level * LEVEL_BITS;
	uint64_t i = slot_index(w->next, level);
	if (table[i])
		return true;
	uint64_t end = MIN_OF(i + ((w->end - 1) >> shift) - (w->next >> shift) + 1, (uint64_t)TABLE_ENTRIES);
	uint64_t used = used_from(table, i, end);

	if (used > i)
		w->next = ((w->next >> shift) + (used - i)) << shift;
	return used < end;
}

/* Moves w->next on to the first page at or after it that has an entry, at w->slot. */
static bool walk_find(struct page_walk *w)
{
	/* What was found last was in a table that may have the next too. */
	bool same_table = w->slot && (w->next ^ w->address) < level_bytes(1);
	uint64_t *root = table_at(w->tables->root), *table = same_table ? (uint64_t *)page_round_down((uint64_t)w->slot) : root;
	uint32_t level = same_table ? 0 : LEVELS - 1;

	while (w->next < w->end) {
		if (!walk_skip(w, table, level)) {
			table = root;
			level = LEVELS - 1;
		} else if (level > 0) {
			table = table_of(table[slot_index(w->next, level)]);
			level--;
		} else {
			w->slot = &table[slot_index(w->next, 0)];
			w->address = w->next;
			return true;
		}
	}
	return false;
}

bool paging_next(struct page_walk *w, struct page_entry *e)
{
	/* Common: the next of the same table. */
	if (w->slot && slot_index(w->next, 0) != 0 && w->next == w->address + PAGE_BYTES && w->next < w->end && w->slot[1]) {
		w->slot++;
		w->address = w->next;
	} else if (!walk_find(w)) {
		return false;
	}
	w->next += PAGE_BYTES;
	*e = entry_decode(*w->slot);
	return true;
}

void paging_replace(struct page_walk *w, struct page_entry e)
{
	*w->slot = e.flags || e.frame.raw ? entry_encode(e) : 0;
}

uint32_t paging_take(struct page_walk *w, uint32_t keep, uint32_t room, paddr_t *frames)
{
	uint32_t taken = 0;

	while (taken < room && walk_find(w)) {
		uint64_t most = MIN_OF((w->end - w->next) >> PAGE_SHIFT, (uint64_t)TABLE_ENTRIES - slot_index(w->next, 0)), i = 0;

		for (most = MIN_OF(most, (uint64_t)room - taken); i < most && w->slot[i]; i++) {
			if (w->slot[i] & keep)
				continue;
			frames[taken++] = paddr(w->slot[i] & ENTRY_FRAME);
			w->slot[i] = 0;
		}
		w->next += i << PAGE_SHIFT;
	}
	return taken;
}

static void trim_table(struct page_tables *p, uint64_t *table, uint32_t level, uint64_t base, uint64_t start, uint64_t end,
                       struct list_node *out)
{
	uint64_t bytes = level_bytes(level);
	uint64_t last = MIN_OF((end - base + bytes - 1) / bytes, (uint64_t)TABLE_ENTRIES);

	for (uint64_t i = start > base ? (start - base) / bytes : 0; (i = used_from(table, i, last)) < last; i++) {
		paddr_t below = paddr(table[i] & ENTRY_FRAME);

		if (level > 1)
			trim_table(p, table_at(below), level - 1, base + i * bytes, start, end, out);
		if (used_from(table_at(below), 0, TABLE_ENTRIES) == TABLE_ENTRIES) {
			table[i] = 0;
			list_remove(&frame_of(below)->free_link);
			list_push_back(out, &frame_of(below)->free_link);
			p->table_frames--;
		}
	}
}

void paging_trim(struct page_tables *p, uint64_t start, uint64_t end, struct list_node *out)
{
	trim_table(p, table_at(p->root), LEVELS - 1, 0, start, MIN_OF(end, USER_MAX), out);
}

/* ---- Shared tables ---- */

static uint32_t table_count(const uint64_t *table)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		count += table[i] != 0;
	return count;
}

/* Entries [i, end) that have a bit of `which` appear in `to` too, each with a reference to its frame, and cannot be written any more. How many. */
static uint64_t entries_copy(uint64_t *from, uint64_t *to, uint64_t i, uint64_t end, uint64_t which)
{
	uint64_t count = 0;

	for (; (i = used_from(from, i, end)) < end; i++) {
		if (!(from[i] & which))
			continue;
		to[i] = from[i] &= ~ENTRY_WRITE;
		frame_get(paddr(from[i] & ENTRY_FRAME));
		count++;
	}
	return count;
}

err_t paging_share(struct page_walk *w, struct page_tables *to, struct account *a, bool whole, uint64_t *count)
{
	for (uint64_t start = w->next, end, *directory, *copy; walk_find(w); w->next = end) {
		uint64_t base = round_down(w->next, level_bytes(1)), i = slot_index(w->next, 0), *table = w->slot - i;
		end = MIN_OF(base + level_bytes(1), w->end);
		uint32_t used = whole && base >= start && end - base == level_bytes(1) ? table_count(table) : 0;

		if (used < SHARE_MIN) {
			TRY(slot_make(to, a, base, 0, &copy));
			*count += entries_copy(table, copy, i, (end - base) >> PAGE_SHIFT, ENTRY_ANON);
			continue;
		}
		TRY(slot_make(to, a, base, 1, &copy));
		TRY(slot_make(w->tables, a, base, 1, &directory));
		struct frame *f = frame_of(paddr(*directory & ENTRY_FRAME));
		if (*directory & ENTRY_WRITE) {
			list_remove(&f->free_link);
			f->table_used = (uint16_t)used;
			w->tables->table_frames--;
			w->tables->shared_count++;
		}
		frame_get(frame_address(f));
		*copy = *directory &= ~ENTRY_WRITE;
		to->shared_count++;
		*count += used;
	}
	return OK;
}

err_t paging_unshare(struct page_walk *w, struct account *a, bool drop, paddr_t *left)
{
	struct page_tables *p = w->tables;
	uint64_t *directory;

	for (*left = paddr(0); !left->raw && walk_find(w); w->next = w->address + level_bytes(1)) {
		w->address = round_down(w->next, level_bytes(1));
		TRY(slot_make(p, a, w->address, 1, &directory));
		if (*directory & ENTRY_WRITE)
			continue;
		paddr_t table = paddr(*directory & ENTRY_FRAME), own = drop ? paddr(0) : table;
		if (!drop && frame_refs(table) > 1) {
			TRY(table_alloc(p, a, 0, &own));
			(void)entries_copy(table_at(table), table_at(own), 0, TABLE_ENTRIES, UINT64_MAX);
		} else if (!drop) {
			list_push_back(&p->tables, &frame_of(table)->free_link);
			p->table_frames++;
		}
		*directory = drop ? 0 : own.raw | ENTRY_TABLE;
		p->shared_count--;
		*left = own.raw == table.raw ? paddr(0) : table;
	}
	return OK;
}

void paging_table_put(paddr_t p)
{
	uint64_t *table = table_at(p);

	if (frame_put_shared(p))
		return;
	for (uint64_t i = 0; (i = used_from(table, i, TABLE_ENTRIES)) < TABLE_ENTRIES; table[i++] = 0)
		frame_put(paddr(table[i] & ENTRY_FRAME));
	frame_put_zeroed(p, true);
}

/* ---- A space's tables ---- */

err_t paging_create(struct page_tables *p, struct account *a)
{
	p->table_frames = p->shared_count = 0;
	list_init(&p->tables);
	TRY(table_alloc(p, a, LEVELS - 1, &p->root));
	memcpy(table_at(p->root) + KERNEL_HALF, kernel_root + KERNEL_HALF, sizeof(page_table_t) / 2);
	return OK;
}

void paging_destroy(struct page_tables *p)
{
	struct frame *f, *next;

	list_each_safe(f, next, &p->tables, free_link)
		frame_put_zeroed(frame_address(f), f->table_level == 0);
}

void paging_load(const struct page_tables *p) { cr3_write(p ? p->root.raw : image_to_paddr(kernel_root).raw); }

/* Kernel entries are global and stay. */
void paging_flush_all(void) { cr3_write(cr3_read()); }

/* ---- The kernel half ---- */

static void image_protect(uint64_t start, uint64_t end, uint64_t flags)
{
	for (uint64_t at = start; at < end; at += PAGE_BYTES)
		image_pages[slot_index(at, 0)] = (at - KERNEL_VIRTUAL) | ENTRY_PRESENT | ENTRY_GLOBAL | flags;
}

/* The one large page of the start becomes pages: code that cannot be written, data that cannot be run. */
static void image_init(void)
{
	image_protect((uint64_t)image_text_start, (uint64_t)image_rodata_start, 0);
	image_protect((uint64_t)image_rodata_start, (uint64_t)image_data_start, ENTRY_NX);
	image_protect((uint64_t)image_data_start, (uint64_t)image_end, ENTRY_WRITE | ENTRY_NX);
	image_directory[slot_index((uint64_t)image_text_start, 1)] = image_to_paddr(image_pages).raw | ENTRY_PRESENT | ENTRY_WRITE;
}

/* Large pages for [start, start + 1 GiB) in a table of their own. */
static void direct_map_add(struct boot_info *boot, uint64_t start)
{
	uint64_t table = boot_memory_take(boot, PAGE_BYTES, 4ull << 30);

	if (table == 0)
		boot_stop("there is no memory for the direct map's tables");
	for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
		table_at(paddr(table))[i] = (start + i * LARGE_BYTES) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE | ENTRY_GLOBAL | ENTRY_NX;
	direct_map_top[start / GIANT_BYTES] = table | ENTRY_PRESENT | ENTRY_WRITE;
}

static void direct_map_init(struct boot_info *boot)
{
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *m = &boot->memory[i];
		uint64_t end = MIN_OF(m->start + m->bytes, DIRECT_MAP_BYTES);

		for (uint64_t at = round_down(m->start, GIANT_BYTES); m->kind != BOOT_MEMORY_RESERVED && at < end; at += GIANT_BYTES)
			if (!direct_map_top[at / GIANT_BYTES])
				direct_map_add(boot, at);
	}
}

/* boot_root keeps what the other CPUs start with: the low 4 GiB at 0, executable. kernel_root has neither. */
void paging_init(struct boot_info *boot)
{
	image_init();
	direct_map_init(boot);
	kernel_root[IMAGE_SLOT] = boot_root[IMAGE_SLOT];
	kernel_root[KERNEL_HALF] = image_to_paddr(direct_map_top).raw | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_NX;
	paging_load(NULL);
}

const void *paging_lend(void *context UNUSED, uint64_t address, size_t bytes)
{
	if (address == 0 || bytes == 0 || !range_fits(address, bytes, DIRECT_MAP_BYTES))
		return NULL;
	for (uint64_t at = address / GIANT_BYTES; at <= (address + bytes - 1) / GIANT_BYTES; at++)
		if (!direct_map_top[at])
			return NULL;
	return paddr_to_kernel(paddr(address));
}

void *paging_map_device(paddr_t start)
{
	uint64_t page = start.raw / LARGE_BYTES;

	if (page >= sizeof(boot_directory) / sizeof(uint64_t))
		return NULL;
	boot_directory[page / TABLE_ENTRIES][page % TABLE_ENTRIES] |= ENTRY_PCD | ENTRY_PWT;
	paging_flush_all();
	return paddr_to_kernel(start);
}
