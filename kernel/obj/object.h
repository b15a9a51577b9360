/* kernel/obj/object.h - what all reference-counted kernel objects begin with.
 *
 * get and put never fail and may be called under any lock below RANK_HEAP's users: the destroy
 * function runs when the last reference goes, on the caller's stack, so a put that may be
 * the last must not happen under a lock that destroy takes (each type says which).
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/assert.h"

struct object {
	_Atomic uint32_t refs;
};

static inline void object_init(struct object *o) { atomic_store_explicit(&o->refs, 1, memory_order_relaxed); }

/* What begins with a struct object, with one more reference; NULL stays NULL. */
static inline void *object_get(void *object)
{
	struct object *o = object;
	uint32_t old = o ? atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed) : 1;
	ASSERT((int32_t)old > 0);
	return object;
}

/* True when that was the last reference: the caller destroys the object. */
static inline bool object_put(struct object *o)
{
	uint32_t old = atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel);
	ASSERT(old != 0);
	return old == 1;
}

/* Gives back a reference that is not the last. False: it is, or somebody came between; nothing has changed. */
static inline bool object_put_some(struct object *o)
{
	uint32_t refs = atomic_load_explicit(&o->refs, memory_order_relaxed);
	return refs > 1 && atomic_compare_exchange_strong_explicit(&o->refs, &refs, refs - 1, memory_order_release, memory_order_relaxed);
}

/* Takes a reference unless the last one is already gone (for look-ups in tables that hold none). */
static inline bool object_try_get(struct object *o)
{
	uint32_t refs = atomic_load_explicit(&o->refs, memory_order_relaxed);
	while (refs != 0)
		if (atomic_compare_exchange_weak_explicit(&o->refs, &refs, refs + 1,
		                                          memory_order_acquire, memory_order_relaxed))
			return true;
	return false;
}
