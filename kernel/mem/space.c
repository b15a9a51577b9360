/* kernel/mem/space.c - address spaces: their life, which CPUs have them loaded, and facts about them. */
#include "kernel/mem/space.h"
#include "abi/proto/task.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space_inner.h"
#include "kernel/mem/space_switch.h"

err_t space_create(struct account *a, struct space **out)
{
	struct space *s = heap_new(struct space);
	err_t err = s ? paging_create(&s->tables, a) : ERR_NOMEM;
	if (err) {
		heap_delete(s);
		return err;
	}
	object_init(&s->object);
	spin_init(&s->lock, RANK_SPACE);
	list_init(&s->gone);
	s->account = s->regions.account = account_get(a);
	*out = s;
	return OK;
}

struct space *space_get(struct space *s) { return object_get(s); }

/* A CPU whose thread has left the process may not have switched yet: it is about to. */
static void wait_unloaded(struct space *s)
{
	ASSERT(!(atomic_load(&s->cpu_mask) & 1ull << cpu_this()->index));
	while (atomic_load(&s->cpu_mask) != 0) {
		arch_poll_requests();
		arch_pause();
	}
}

void space_put(struct space *s)
{
	if (!s || !object_put(&s->object))
		return;
	wait_unloaded(s);
	/* Nobody comes any more: no lock is needed, and who changes an object's mappings passes by a space without references. */
	for (uint32_t i = 0; i < s->regions.count; i++) {
		struct region *r = s->regions.at[i];
		pages_drop(s, r->start, r->end);
		if (r->object) {
			memobj_region_remove(r->object, r);
			memobj_put(r->object);
		}
		heap_delete(r);
	}
	s->regions.count = 0;
	region_set_fini(&s->regions);
	paging_destroy(&s->tables);
	account_put(s->account);
	heap_delete(s);
}

void space_unlock(struct space *s)
{
	while (!list_is_empty(&s->gone)) {
		struct region *r = list_first(&s->gone, struct region, link);
		list_remove(&r->link);
		spin_unlock(&s->lock);
		memobj_put(r->object);
		heap_delete(r);
		spin_lock(&s->lock);
	}
	spin_unlock(&s->lock);
}

void space_switch(struct space *from, struct space *to) { space_switch_inline(cpu_this(), from, to, false); }

void space_shootdown(struct space *s, uint64_t start, uint64_t end)
{
	atomic_thread_fence(memory_order_seq_cst);
	uint64_t mask = atomic_load(&s->cpu_mask);
	if (mask)
		arch_shootdown(mask, start, end);
}

/* ---- Facts ---- */

void space_get_info(struct space *s, struct space_info *out)
{
	spin_lock(&s->lock);
	*out = (struct space_info){
		.mapped_bytes = s->mapped_bytes,
		.resident_bytes = s->resident_count << PAGE_SHIFT,
		.table_bytes = (s->tables.table_frames + s->tables.shared_count) << PAGE_SHIFT,
	};
	spin_unlock(&s->lock);
}

bool space_region_info(struct space *s, uint64_t address, struct task_region *out)
{
	spin_lock(&s->lock);
	struct region *r = region_at_or_after(&s->regions, address);
	if (r)
		*out = (struct task_region){
			.start = r->start, .end = r->end, .offset = r->offset, .map_flags = r->flags,
			.object = r->object ? r->object->id : 0,
			.resident_bytes = pages_count(s, r->start, r->end) << PAGE_SHIFT,
		};
	spin_unlock(&s->lock);
	return r != NULL;
}

err_t space_futex_key(struct space *s, uint64_t address, struct memobj **obj_with_ref, uint64_t *offset)
{
	spin_lock(&s->lock);
	struct region *r = region_at_or_after(&s->regions, address);
	bool found = r && r->start <= address;
	bool is_shared = found && r->object && r->flags & MAP_SHARED;
	*obj_with_ref = is_shared ? memobj_get(r->object) : NULL;
	*offset = is_shared ? r->offset + (address - r->start) : address;
	spin_unlock(&s->lock);
	return found ? OK : ERR_FAULT;
}
