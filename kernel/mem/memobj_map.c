/* kernel/mem/memobj_map.c - every mapping of an object, and taking pages out of all of them.
 *
 * The lock order is space before object, so the spaces are visited one at a time with only a reference: a region is
 * marked and put last on the list under the object's lock, its space is locked and changed after that is dropped. A region that
 * moves or is new begins unmarked and first, so none is missed.
 */
#include "kernel/arch/arch.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/region.h"
#include "kernel/mem/space_inner.h"
#include "lib/base/bits.h"

void memobj_region_add(struct memobj *m, struct region *r)
{
	spin_lock(&m->lock);
	r->zap_stamp = 0;
	list_push_front(&m->regions, &r->link);
	spin_unlock(&m->lock);
}

void memobj_region_remove(struct memobj *m, struct region *r)
{
	spin_lock(&m->lock);
	list_remove(&r->link);
	spin_unlock(&m->lock);
}

/* One at a time changes the mappings of an object. Comes back with the lock held; false: there are none. */
static bool zap_begin(struct memobj *m)
{
	spin_lock(&m->lock);
	while (m->zapping) {
		spin_unlock(&m->lock);
		arch_poll_requests();
		arch_pause();
		spin_lock(&m->lock);
	}
	if (list_is_empty(&m->regions))
		return false;
	m->zapping = true;
	m->zap_stamp++;
	return true;
}

/* The next region not visited, marked; NULL when all are. */
static struct region *zap_next(struct memobj *m) REQUIRES(&m->lock)
{
	if (list_is_empty(&m->regions))
		return NULL;
	struct region *r = list_first(&m->regions, struct region, link);
	if (r->zap_stamp == m->zap_stamp)
		return NULL;
	r->zap_stamp = m->zap_stamp;
	list_remove(&r->link);
	list_push_back(&m->regions, &r->link);
	return r;
}

void memobj_zap(struct memobj *m, uint64_t first, uint64_t end, bool private_too)
{
	struct region *r;
	if (zap_begin(m)) {
		while ((r = zap_next(m)) != NULL) {
			uint64_t start = r->start, bytes = r->end - r->start, offset = r->offset;
			struct space *s = r->space;
			bool meets = offset >> PAGE_SHIFT < end && (offset + bytes) >> PAGE_SHIFT > first;
			if (!meets || !object_try_get(&s->object))
				continue;
			spin_unlock(&m->lock);
			space_zap(s, start, start + bytes, m, first, end, private_too);
			space_put(s);
			spin_lock(&m->lock);
		}
		m->zapping = false;
	}
	spin_unlock(&m->lock);
}
