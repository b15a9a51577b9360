/* kernel/mem/space_fault.c - one page comes: demand-zero, copy on write, from an object.
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

enum { AROUND_PAGES = 32 };

/* ---- Which region ---- */

static struct region *region_for(struct space *s, uint64_t address) REQUIRES(&s->lock)
{
	struct region *r = s->last;
	if (r && r->start <= address && address < r->end)
		return r;
	r = region_at_or_after(&s->regions, address);
	if (!r || r->start > address)
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
		frame_put(e->frame);
		return err;
	}
	if (old->flags == 0) {
		s->resident_count++;
		return OK;
	}
	/* More rights to the same frame need no shootdown: whose TLB is behind faults and comes back. */
	if (old->frame.raw != e->frame.raw)
		space_shootdown(s, address, address + PAGE_BYTES);
	frame_put(old->frame);
	return OK;
}

/* What the page holds while nobody has written to it here. *e has a reference. */
static err_t page_shown(struct region *r, uint64_t address, enum page_mode mode, struct page_entry *e, struct page_step *step)
{
	if (!r->object) {
		*e = (struct page_entry){ .frame = frame_zero(), .flags = region_page_flags(r) | PAGE_DEVICE };
		return OK;
	}
	err_t err = memobj_page_try(r->object, (r->offset + (address - r->start)) >> PAGE_SHIFT, mode, &e->frame, step);
	e->flags = region_page_flags(r) | r->object->cache_flags;
	if (err == ERR_AGAIN)
		memobj_get(step->object);
	return err;
}

/* A program that reads one page of a file soon reads the next: what the object has at hand around it is mapped along. */
static void fault_around(struct space *s, const struct region *r, uint64_t address) REQUIRES(&s->lock)
{
	paddr_t frames[AROUND_PAGES];
	uint64_t start = MAX_OF(round_down(address, AROUND_PAGES * PAGE_BYTES), r->start);
	uint64_t end = MIN_OF(round_down(address, AROUND_PAGES * PAGE_BYTES) + AROUND_PAGES * PAGE_BYTES, r->end);
	uint32_t count = (uint32_t)((end - start) >> PAGE_SHIFT), set;
	if (count == 1 || r->object->kind == MEMOBJ_PHYSICAL)
		return;
	memobj_pages_near(r->object, (r->offset + (start - r->start)) >> PAGE_SHIFT, count, frames);
	set = paging_fill(&s->tables, start, frames, region_page_flags(r), count);
	s->resident_count += (uint64_t)__builtin_popcount(set);
	for (uint32_t i = 0; i < count; i++)
		if (frames[i].raw && !(set & 1u << i))
			frame_put(frames[i]);
}

/* A page is to be read, or written to its object. */
static err_t fault_show(struct space *s, struct region *r, uint64_t address, bool write, struct page_entry *e,
                        const struct page_entry *old, struct page_step *step) REQUIRES(&s->lock)
{
	TRY(page_shown(r, address, write ? PAGE_CHANGE : PAGE_SHOW, e, step));
	/* Device memory has no "first write" that anybody must see. */
	if (write || (e->flags & PAGE_DEVICE && r->object && r->flags & MAP_SHARED && r->flags & MAP_WRITE))
		e->flags |= PAGE_WRITE;
	TRY(entry_put_in(s, address, e, old));
	if (!write && r->object)
		fault_around(s, r, address);
	return OK;
}

/* A page is to be written that is the space's own: it is already and alone, or becomes a copy of what is shown. */
static err_t fault_own(struct space *s, struct region *r, uint64_t address, struct page_entry *e,
                       const struct page_entry *old, struct page_step *step) REQUIRES(&s->lock)
{
	struct page_entry shown = *old;
	if (old->flags & PAGE_ANON && frame_refs(old->frame) == 1) {
		*e = shown;
		e->flags |= PAGE_WRITE;
		return paging_set(&s->tables, s->account, address, *e);
	}
	if (!old->flags)
		TRY(page_shown(r, address, PAGE_LOOK, &shown, step));
	/* The kernel does not read device memory. */
	err_t err = shown.flags & PAGE_DEVICE && !frame_of(shown.frame) ? ERR_ACCES
	          : frame_copy(paddr_to_kernel(shown.frame), s->account, &e->frame);
	if (!old->flags)
		frame_put(shown.frame);
	if (err)
		return err;
	r->has_anon = true;
	e->flags = region_page_flags(r) | PAGE_ANON | PAGE_WRITE;
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
	if (UNLIKELY(s->tables.shared_count) && (write || !present)) {
		TRY(pages_own(s, address, address + PAGE_BYTES));
		(void)paging_get(&s->tables, address, &old);
	}
	if (present && (!write || old.flags & PAGE_WRITE)) {
		*e = old;       /* another CPU was faster, or our TLB is behind */
		return OK;
	}
	if (write && !(r->object && r->flags & MAP_SHARED))
		return fault_own(s, r, address, e, &old, step);
	return fault_show(s, r, address, write, e, &old, step);
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
