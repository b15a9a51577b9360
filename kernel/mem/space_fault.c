/* kernel/mem/space_fault.c - one page comes: demand-zero, copy on write, from an object, below a stack.
 *
 * Common: an anonymous page that is not there yet, or one that fork shares. Everything happens under the space's
 * lock and at most the object's; what would wait is named in a step, done without locks, and the fault begins anew.
 */
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

enum { AROUND_PAGES = 16 };

/* ---- Which region ---- */

/* A stack grows down to address if that is near enough and free. */
static bool stack_grow(struct space *s, struct region *r, uint64_t address) REQUIRES(&s->lock)
{
	struct region *before = region_at(&s->regions, region_index(&s->regions, r->start) - 1);
	uint64_t floor = before ? before->end + (before->flags & PROT_MASK ? STACK_GUARD_BYTES : 0) : USER_MIN;
	if (!(r->flags & MAP_GROWSDOWN) || r->end - address > STACK_BYTES_MAX || address < floor)
		return false;
	s->mapped_bytes += r->start - address;
	r->start = address;
	return true;
}

static struct region *region_for(struct space *s, uint64_t address) REQUIRES(&s->lock)
{
	struct region *r = s->last;
	if (r && r->start <= address && address < r->end)
		return r;
	r = region_at_or_after(&s->regions, address);
	if (!r || (r->start > address && !stack_grow(s, r, address)))
		return NULL;
	s->last = r;
	return r;
}

static err_t access_check(const struct region *r, uint32_t fault_flags)
{
	uint32_t need = fault_flags & FAULT_WRITE ? MAP_WRITE : fault_flags & FAULT_EXECUTE ? MAP_EXEC : PROT_MASK;
	return r->flags & need ? OK : ERR_ACCES;
}

/* ---- Entries ---- */

/* Puts e (whose reference it takes, also when it fails) at address, where old (flags 0: nothing) is. */
static err_t entry_put_in(struct space *s, uint64_t address, struct page_entry *e, const struct page_entry *old) REQUIRES(&s->lock)
{
	err_t err = paging_set(&s->tables, s->account, address, *e);
	if (UNLIKELY(err)) {
		entry_put(e);
		return err;
	}
	if (old->flags == 0) {
		s->resident_count++;
		return OK;
	}
	/* More rights to the same frame need no shootdown: whose TLB is behind faults and comes back. */
	if (old->frame.raw != e->frame.raw)
		space_shootdown(s, address, address + PAGE_BYTES);
	entry_put(old);
	return OK;
}

/* A page of the anonymous layer: zeroes, or a copy. */
static err_t anon_page(struct space *s, struct region *r, const paddr_t *copy_of, struct page_entry *e) REQUIRES(&s->lock)
{
	TRY(frame_alloc(0, copy_of ? 0 : FRAME_ZEROED, s->account, &e->frame));
	if (copy_of)
		arch_page_copy(paddr_to_kernel(e->frame), paddr_to_kernel(*copy_of));
	r->has_anon = true;
	e->flags = region_page_flags(r) | PAGE_ANON | (r->flags & MAP_WRITE ? PAGE_WRITE : 0);
	return OK;
}

/* ---- The object's page ---- */

static err_t object_page(struct region *r, uint64_t address, enum page_mode mode, struct page_entry *e, struct page_step *step)
{
	uint64_t page = (r->offset + (address - r->start)) >> PAGE_SHIFT;
	err_t err = memobj_page_try(r->object, page, mode, &e->frame, step);
	e->flags = region_page_flags(r) | r->object->cache_flags;
	if (err == ERR_AGAIN)
		memobj_get(r->object);
	return err;
}

/* A program that reads one page of a file soon reads the next: what the object has at hand around it is mapped along. */
static void fault_around(struct space *s, const struct region *r, uint64_t address) REQUIRES(&s->lock)
{
	paddr_t frames[AROUND_PAGES];
	struct page_entry e[AROUND_PAGES];
	uint64_t start = MAX_OF(round_down(address, AROUND_PAGES * PAGE_BYTES), r->start);
	uint64_t end = MIN_OF(round_down(address, AROUND_PAGES * PAGE_BYTES) + AROUND_PAGES * PAGE_BYTES, r->end);
	uint32_t count = (uint32_t)((end - start) >> PAGE_SHIFT), set;
	if (count == 1 || r->object->kind == MEMOBJ_PHYSICAL)
		return;
	memobj_pages_near(r->object, (r->offset + (start - r->start)) >> PAGE_SHIFT, count, frames);
	for (uint32_t i = 0; i < count; i++)
		e[i] = (struct page_entry){ .frame = frames[i], .flags = region_page_flags(r) };
	set = paging_fill(&s->tables, start, e, count);
	s->resident_count += (uint64_t)__builtin_popcount(set);
	for (uint32_t i = 0; i < count; i++)
		if (frames[i].raw && !(set & 1u << i))
			frame_put(frames[i]);
}

static bool object_can_copy(const struct memobj *m)
{
	return m->kind != MEMOBJ_PHYSICAL || frame_range_is_ram(m->physical, m->bytes);
}

static err_t fault_shared(struct space *s, struct region *r, uint64_t address, bool write, struct page_entry *e,
                          const struct page_entry *old, struct page_step *step) REQUIRES(&s->lock)
{
	TRY(object_page(r, address, write ? PAGE_CHANGE : PAGE_SHOW, e, step));
	/* Device memory has no "first write" that anybody must see. */
	if (write || (e->flags & PAGE_DEVICE && r->flags & MAP_WRITE))
		e->flags |= PAGE_WRITE;
	TRY(entry_put_in(s, address, e, old));
	if (!write)
		fault_around(s, r, address);
	return OK;
}

static err_t fault_private(struct space *s, struct region *r, uint64_t address, bool write, struct page_entry *e,
                           const struct page_entry *old, struct page_step *step) REQUIRES(&s->lock)
{
	struct page_entry shown;
	if (!write) {
		TRY(object_page(r, address, PAGE_SHOW, e, step));
		TRY(entry_put_in(s, address, e, old));
		fault_around(s, r, address);
		return OK;
	}
	if (!object_can_copy(r->object))
		return ERR_ACCES;
	TRY(object_page(r, address, PAGE_LOOK, &shown, step));
	err_t err = anon_page(s, r, shown.frame.raw == frame_zero().raw ? NULL : &shown.frame, e);
	frame_put(shown.frame);
	return err ? err : entry_put_in(s, address, e, old);
}

/* ---- The anonymous layer ---- */

/* A write to a page that is there and read-only: ours alone now, or to be copied. */
static err_t anon_write(struct space *s, struct region *r, uint64_t address, struct page_entry *e, const struct page_entry *old) REQUIRES(&s->lock)
{
	if (old->flags & PAGE_ANON && frame_refs(old->frame) == 1) {
		*e = *old;
		e->flags |= PAGE_WRITE;
		return paging_set(&s->tables, s->account, address, *e);
	}
	if (old->flags & PAGE_DEVICE && !frame_of(old->frame))
		return ERR_ACCES;       /* the kernel does not read device memory */
	err_t err = anon_page(s, r, old->frame.raw == frame_zero().raw ? NULL : &old->frame, e);
	return err ? err : entry_put_in(s, address, e, old);
}

static err_t fault_anonymous(struct space *s, struct region *r, uint64_t address, bool write, struct page_entry *e,
                             const struct page_entry *old) REQUIRES(&s->lock)
{
	if (write) {
		err_t err = anon_page(s, r, NULL, e);
		return err ? err : entry_put_in(s, address, e, old);
	}
	*e = (struct page_entry){ .frame = frame_zero(), .flags = region_page_flags(r) | PAGE_DEVICE };
	return entry_put_in(s, address, e, old);
}

/* ---- The fault ---- */

err_t fault_locked(struct space *s, uint64_t address, uint32_t fault_flags, struct page_entry *e, struct page_step *step)
{
	bool write = fault_flags & FAULT_WRITE;
	struct page_entry old = { .flags = 0 };
	struct region *r = region_for(s, address);
	if (!r)
		return ERR_FAULT;
	TRY(access_check(r, fault_flags));
	bool present = paging_get(&s->tables, address, &old);
	if (present && (!write || old.flags & PAGE_WRITE)) {
		*e = old;       /* another CPU was faster, or our TLB is behind */
		return OK;
	}
	bool is_shared = r->object && r->flags & MAP_SHARED;
	if (is_shared)
		return fault_shared(s, r, address, write, e, &old, step);
	if (present)
		return anon_write(s, r, address, e, &old);
	if (r->object)
		return fault_private(s, r, address, write, e, &old, step);
	return fault_anonymous(s, r, address, write, e, &old);
}

err_t fault_retry(struct page_step *step, err_t err, bool wait)
{
	bool has_object = err == ERR_AGAIN;
	err = memobj_page_retry(step, err, wait);
	if (has_object)
		memobj_put(step->object);
	return err;
}

err_t space_fault(struct space *s, uint64_t address, uint32_t fault_flags, bool wait)
{
	struct page_step step = { .asked = 0 };
	struct page_entry e;
	for (;;) {
		spin_lock(&s->lock);
		err_t err = fault_locked(s, page_round_down(address), fault_flags, &e, &step);
		spin_unlock(&s->lock);
		if (LIKELY(!err) || (err = fault_retry(&step, err, wait)))
			return err;
	}
}
