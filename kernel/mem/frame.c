/* kernel/mem/frame.c - buddy allocator over banks of RAM, with a per-CPU cache of single frames.
 *
 * A bank is the RAM below or above 4 GiB (holes included) whose struct frames lie in one array, carved from the
 * memory map at start. Free blocks hang in one list per order and zone (below 4 GiB or not). Common:
 * one frame from or to this CPU's cache. Rare: a batch from the buddy lists, under the lock.
 */
#include "kernel/mem/frame.h"
#include "kernel/cpu.h"
#include "kernel/mem/account.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/boot/boot_check.h"

enum {
	CACHE_ORDER = 4, CACHE_BATCH = 1 << CACHE_ORDER, CACHE_MAX = 3 * CACHE_BATCH,
	ORDERS = FRAME_ORDER_MAX + 1,
};
#define PAGE_NUMBER_4G (1ull << (32 - PAGE_SHIFT))
#define PAGE_NUMBER_MAX (1ull << (52 - PAGE_SHIFT))

enum frame_state {
	STATE_RESERVED = 0,     /* never handed out: what a zeroed array says */
	STATE_USED,             /* refs of the block's first frame say for how long */
	STATE_CACHED,           /* in some CPU's cache */
	STATE_FREE,             /* first frame of a free block in the lists */
};

enum zone { ZONE_LOW, ZONE_HIGH, ZONES };      /* below 4 GiB or not: what some devices can reach */

/* Members: [I] after start, [l] lock, [a] atomic. */
static struct {
	struct spinlock lock;
	/* The RAM of a zone, from its first page to its last. */
	struct bank {
		uint64_t first, count;          /* [I] page numbers */
		struct frame *frames;           /* [I] */
		struct list_node free[ORDERS];  /* [l] */
	} banks[ZONES];
	uint64_t free_count;            /* [l] frames in the lists */
	uint64_t total, reserved;       /* [I] frames of usable RAM; of those, never handed out */
	uint64_t reserve;               /* [I] frames only FRAME_USE_RESERVE may take */
	paddr_t zero;                   /* [I] */
	_Atomic uint64_t kernel_used;   /* [a] handed out and charged to nobody */
	_Atomic uint64_t fail_after;    /* [a] */
} memory = { .lock = SPINLOCK_INIT(RANK_FRAME) };

/* ---- Records ---- */

static inline struct frame *frame_of_number(uint64_t number)
{
	for (uint32_t i = 0; i < ZONES; i++) {
		uint64_t index = number - memory.banks[i].first;
		if (index < memory.banks[i].count)
			return &memory.banks[i].frames[index];
	}
	return NULL;
}

struct frame *frame_of(paddr_t p) { return frame_of_number(p.raw >> PAGE_SHIFT); }

static struct bank *bank_of(const struct frame *f)
{
	for (struct bank *b = memory.banks; b < memory.banks + ZONES; b++)
		if (f >= b->frames && f < b->frames + b->count)
			return b;
	ASSERT(!"a frame of some bank");
	return NULL;
}

static uint64_t number_of(const struct frame *f)
{
	const struct bank *b = bank_of(f);
	return b->first + (uint64_t)(f - b->frames);
}

paddr_t frame_address(const struct frame *f) { return paddr(number_of(f) << PAGE_SHIFT); }

bool frame_range_is_ram(paddr_t start, uint64_t bytes)
{
	const struct frame *first = frame_of(start), *last = frame_of(paddr(start.raw + bytes - 1));
	return first && last && bank_of(first) == bank_of(last);
}

/* ---- Buddy lists ---- */

static void block_push(struct frame *f, uint32_t order) REQUIRES(&memory.lock)
{
	f->order = (uint8_t)order;
	f->state = STATE_FREE;
	list_push_front(&bank_of(f)->free[order], &f->free_link);
	memory.free_count += 1ull << order;
}

static void block_pull(struct frame *f) REQUIRES(&memory.lock)
{
	list_remove(&f->free_link);
	f->state = STATE_USED;
	memory.free_count -= 1ull << f->order;
}

/* Gives a block back, joined with its buddy as often as that is free. */
static void buddy_free(struct frame *f, uint32_t order) REQUIRES(&memory.lock)
{
	for (; order < FRAME_ORDER_MAX; order++) {
		struct frame *other = frame_of_number(number_of(f) ^ 1ull << order);
		if (!other || other->state != STATE_FREE || other->order != order)
			break;
		block_pull(other);
		f = MIN_OF(f, other);
	}
	block_push(f, order);
}

static struct frame *bank_take(struct bank *b, uint32_t order) REQUIRES(&memory.lock)
{
	uint32_t have = order;
	while (have < ORDERS && list_is_empty(&b->free[have]))
		have++;
	if (have == ORDERS)
		return NULL;
	struct frame *f = list_first(&b->free[have], struct frame, free_link);
	block_pull(f);
	while (have-- > order)
		block_push(f + (1ull << have), have);
	f->order = (uint8_t)order;
	f->is_zeroed = false;
	return f;
}

/* Memory above 4 GiB first: some devices reach only what is below. */
static struct frame *buddy_take(uint32_t order, uint32_t flags) REQUIRES(&memory.lock)
{
	uint64_t floor = flags & FRAME_USE_RESERVE ? 0 : memory.reserve;
	if (memory.free_count < floor + (1ull << order))
		return NULL;
	struct frame *f = flags & FRAME_BELOW_4G ? NULL : bank_take(&memory.banks[ZONE_HIGH], order);
	return f ? f : bank_take(&memory.banks[ZONE_LOW], order);
}

/* ---- This CPU's cache ---- */

static struct frame *cache_pop(struct cpu *c)
{
	struct frame *f = container_of(c->frame_cache.first, struct frame, free_link);
	c->frame_cache.first = f->free_link.next;
	c->frame_cache.count--;
	f->state = STATE_USED;
	return f;
}

static void cache_push(struct cpu *c, struct frame *f, bool zeroed)
{
	f->state = STATE_CACHED;
	f->is_zeroed = zeroed;
	f->order = 0;
	f->free_link.next = c->frame_cache.first;
	c->frame_cache.first = &f->free_link;
	c->frame_cache.count++;
}

static NOINLINE void cache_fill(struct cpu *c, uint32_t flags)
{
	struct frame *f;
	uint32_t order = CACHE_ORDER;
	spin_lock(&memory.lock);
	/* Of the reserve no more than is needed. */
	while (!(f = buddy_take(order, order == 0 ? flags : 0)) && order > 0)
		order--;
	for (uint32_t i = 1u << order; f && i-- > 0;)
		cache_push(c, f + i, false);
	spin_unlock(&memory.lock);
}

static NOINLINE void cache_drain(struct cpu *c, uint32_t keep)
{
	spin_lock(&memory.lock);
	while (c->frame_cache.count > keep)
		buddy_free(cache_pop(c), 0);
	spin_unlock(&memory.lock);
}

static struct frame *take_one(uint32_t flags)
{
	struct cpu *c = cpu_this();
	if (UNLIKELY(c->frame_cache.count == 0))
		cache_fill(c, flags);
	return LIKELY(c->frame_cache.count != 0) ? cache_pop(c) : NULL;
}

static NOINLINE struct frame *take_block(uint32_t order, uint32_t flags)
{
	spin_lock(&memory.lock);
	struct frame *f = buddy_take(order, flags);
	spin_unlock(&memory.lock);
	if (LIKELY(f != NULL) || cpu_this()->frame_cache.count == 0)
		return f;
	/* What this CPU's cache holds may be the missing buddies. */
	cache_drain(cpu_this(), 0);
	return take_block(order, flags);
}

/* ---- Allocation ---- */

void frame_fail_after(uint64_t count) { atomic_store(&memory.fail_after, count); }

static void count_charge(struct account *a, uint64_t count)
{
	if (a)
		account_uncharge(a, ACCOUNT_PAGES, count);
	else
		atomic_fetch_sub_explicit(&memory.kernel_used, count, memory_order_relaxed);
}

err_t frame_alloc(uint32_t order, uint32_t flags, struct account *a, paddr_t *out)
{
	uint64_t count = 1ull << order;
	ASSERT(order <= FRAME_ORDER_MAX);
	if (UNLIKELY(is_to_fail(&memory.fail_after)))
		return ERR_NOMEM;
	if (a) {
		TRY(account_charge(a, ACCOUNT_PAGES, count));
	} else {
		atomic_fetch_add_explicit(&memory.kernel_used, count, memory_order_relaxed);
	}
	struct frame *f = order == 0 && !(flags & FRAME_BELOW_4G) ? take_one(flags) : take_block(order, flags);
	if (UNLIKELY(!f)) {
		count_charge(a, count);
		return ERR_NOMEM;
	}
	DASSERT(atomic_load_explicit(&f->refs, memory_order_relaxed) == 0);
	f->account = a;
	atomic_store_explicit(&f->refs, 1, memory_order_relaxed);
	paddr_t p = frame_address(f);
	if (flags & FRAME_ZEROED && !f->is_zeroed)
		for (uint64_t i = 0; i < count; i++)
			arch_page_zero((char *)paddr_to_kernel(p) + i * PAGE_BYTES);
	*out = p;
	return OK;
}

err_t frame_copy(const void *page, struct account *a, paddr_t *out)
{
	bool zeroed = !page || page == paddr_to_kernel(memory.zero);
	TRY(frame_alloc(0, zeroed ? FRAME_ZEROED : 0, a, out));
	if (!zeroed)
		arch_page_copy(paddr_to_kernel(*out), page);
	return OK;
}

void frame_split(paddr_t p)
{
	struct frame *f = frame_of(p);
	for (uint32_t i = 1u << f->order; i-- > 0;) {
		f[i].order = 0;
		f[i].state = STATE_USED;
		f[i].account = f->account;
		atomic_store_explicit(&f[i].refs, 1, memory_order_relaxed);
	}
}

void frame_get(paddr_t p)
{
	struct frame *f = frame_of(p);
	if (!f || f->state == STATE_RESERVED)
		return;
	uint32_t old = atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	ASSERT(old != 0 && old != UINT32_MAX);
}

static NOINLINE void frame_free(struct frame *f, bool zeroed)
{
	count_charge(f->account, 1ull << f->order);
	f->account = NULL;
	if (f->order != 0) {
		spin_lock(&memory.lock);
		buddy_free(f, f->order);
		spin_unlock(&memory.lock);
		return;
	}
	struct cpu *c = cpu_this();
	cache_push(c, f, zeroed);
	if (UNLIKELY(c->frame_cache.count > CACHE_MAX))
		cache_drain(c, CACHE_BATCH);
}

static ALWAYS_INLINE void reference_drop(paddr_t p, bool zeroed)
{
	struct frame *f = frame_of_number(p.raw >> PAGE_SHIFT);
	if (!f || f->state == STATE_RESERVED)
		return;
	uint32_t old = atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel);
	ASSERT(old != 0);
	if (old == 1)
		frame_free(f, zeroed);
}

void frame_put(paddr_t p) { reference_drop(p, false); }

void frame_put_zeroed(paddr_t p, bool zeroed) { reference_drop(p, zeroed); }

void frames_put(const paddr_t *p, uint32_t count)
{
	for (; count > 0; count--, p++)
		reference_drop(*p, false);
}

bool frame_put_shared(paddr_t p)
{
	struct frame *f = frame_of(p);
	uint32_t refs = atomic_load_explicit(&f->refs, memory_order_acquire);
	while (refs > 1 && !atomic_compare_exchange_weak_explicit(&f->refs, &refs, refs - 1, memory_order_acq_rel, memory_order_acquire))
		;
	return refs > 1;
}

uint32_t frame_refs(paddr_t p)
{
	struct frame *f = frame_of(p);
	return f ? atomic_load_explicit(&f->refs, memory_order_acquire) : 0;
}

paddr_t frame_zero(void) { return memory.zero; }

uint64_t frame_count_total(void) { return memory.total; }

uint64_t frame_count_free(void)
{
	uint64_t count = memory.free_count;
	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i])
			count += cpus[i]->frame_cache.count;
	return count;
}

bool frame_is_short(void) { return frame_count_free() < 3 * memory.reserve + CACHE_MAX; }

uint64_t frame_count_kernel(void)
{
	return memory.reserved + atomic_load_explicit(&memory.kernel_used, memory_order_relaxed);
}

/* ---- Start: of a checked and normalized map (lib/boot/boot_check.h) ---- */

static uint64_t first_page(const struct boot_memory *m) { return m->start >> PAGE_SHIFT; }

static uint64_t end_page(const struct boot_memory *m) { return (m->start + m->bytes) >> PAGE_SHIFT; }

/* The part of [first, end) that lies in [low, high) belongs to the bank. */
static void bank_cover(struct bank *b, uint64_t first, uint64_t end, uint64_t low, uint64_t high)
{
	first = MAX_OF(first, low);
	end = MIN_OF(end, high);
	if (first >= end)
		return;
	if (b->count != 0) {
		first = MIN_OF(first, b->first);
		end = MAX_OF(end, b->first + b->count);
	}
	*b = (struct bank){ .first = first, .count = end - first };
}

static void banks_find(const struct boot_info *boot)
{
	memset(memory.banks, 0, sizeof memory.banks);
	memory.total = 0;
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *m = &boot->memory[i];
		/* The firmware's tables are RAM too, but may lie far from the rest. */
		if (m->kind != BOOT_MEMORY_FREE && m->kind != BOOT_MEMORY_LOADER)
			continue;
		bank_cover(&memory.banks[ZONE_LOW], first_page(m), end_page(m), 0, PAGE_NUMBER_4G);
		bank_cover(&memory.banks[ZONE_HIGH], first_page(m), end_page(m), PAGE_NUMBER_4G, PAGE_NUMBER_MAX);
		memory.total += m->kind == BOOT_MEMORY_FREE ? end_page(m) - first_page(m) : 0;
	}
}

/* A bank's records are taken from the end of the map's memory: what is low stays for devices that reach no more. */
static err_t bank_init(struct boot_info *boot, struct bank *b)
{
	uint64_t bytes = page_round_up(b->count * sizeof(struct frame));
	for (int order = 0; order < ORDERS; order++)
		list_init(&b->free[order]);
	if (bytes == 0)
		return OK;
	uint64_t start = boot_memory_take(boot, bytes, UINT64_MAX);
	if (start == 0)
		return ERR_INVAL;
	b->frames = paddr_to_kernel(paddr(start));
	memset(b->frames, 0, bytes);
	return OK;
}

/* Frees [first, end) in blocks as large as their place allows. */
static void range_release(uint64_t first, uint64_t end)
{
	for (uint64_t n = first; n < end; n++)
		frame_of_number(n)->state = STATE_USED;
	while (first < end) {
		uint32_t order = MIN_OF(highest_bit(end - first), (uint32_t)FRAME_ORDER_MAX);
		order = first ? MIN_OF(order, lowest_bit(first)) : order;
		buddy_free(frame_of_number(first), order);
		first += 1ull << order;
	}
}

err_t frame_init(struct boot_info *boot)
{
	memory.free_count = memory.reserve = 0;
	atomic_store(&memory.kernel_used, 0);
	banks_find(boot);
	TRY(bank_init(boot, &memory.banks[ZONE_LOW]));
	TRY(bank_init(boot, &memory.banks[ZONE_HIGH]));
	for (uint32_t i = 0; i < boot->memory_count; i++)
		if (boot->memory[i].kind == BOOT_MEMORY_FREE)
			range_release(first_page(&boot->memory[i]), end_page(&boot->memory[i]));
	struct frame *zero = buddy_take(0, 0);
	if (!zero)
		return ERR_INVAL;
	memory.zero = frame_address(zero);
	arch_page_zero(paddr_to_kernel(memory.zero));
	zero->state = STATE_RESERVED;
	memory.reserved = memory.total - memory.free_count;
	memory.reserve = memory.free_count / 100;
	return OK;
}
