/* kernel/obj/handle.h - a process's handles: small numbers that stand for open resources,
 * each with the rights it was given.
 *
 * New handles get the lowest free number (POSIX), or the lowest from HANDLE_PRIVATE up. Numbers are bare: what must not be
 * confused by reuse (events, messages) names the resource, not the number.
 */
#pragma once
#include "abi/error.h"
#include "abi/types.h"
#include "kernel/obj/resource.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/attr.h"

struct account;
enum { HANDLE_SEGMENT_MAX = 1 << 16 };  /* numbers in each of the two parts */

struct handle_slot {
	struct resource *resource;      /* NULL: free */
	uint32_t rights;
	bool cloexec;
};

/* Members: [l] lock, [I] immutable. */
struct handle_table {
	struct spinlock lock;           /* RANK_HANDLES */
	struct handle_segment {
		handle_t first;                 /* [I] 0 or HANDLE_PRIVATE */
		struct handle_slot *slots;      /* [l] */
		uint32_t capacity;              /* [l] so many are charged */
		uint32_t lowest_free;           /* [l] no free number below it */
		uint32_t limit;                 /* [l] new numbers are below it */
	} segments[2];
	struct account *account;        /* [I] a reference */
};

/* a may be NULL. */
void handle_table_init(struct handle_table *t, struct account *a);
/* Closes all. */
void handle_table_fini(struct handle_table *t) NONNULL;
/* Copies every slot of from (has_private false: but private numbers) into a new table. NOMEM, MFILE: only some of them. */
err_t handle_table_copy(struct handle_table *to, struct handle_table *from, bool has_private) NONNULL MUST_CHECK;
/* Gives p a number, and the table p's reference, which is dropped when there is an error. at_least: the lowest acceptable (HANDLE_PRIVATE and
 * up: that part). INVAL, MFILE, NOMEM. */
handle_t handle_open(struct handle_table *t, const struct passed *p, handle_t at_least) NONNULL MUST_CHECK;
/* Puts p at exactly h, closing what is there; the reference as above. BADF (out of range), NOMEM. */
err_t handle_replace(struct handle_table *t, handle_t h, const struct passed *p) NONNULL MUST_CHECK;
/* The segment of a number, and its place there: beyond all for one that is below 0. */
static inline struct handle_segment *handle_segment_of(struct handle_table *t, handle_t h, uint32_t *index)
{
	struct handle_segment *s = &t->segments[h >= HANDLE_PRIVATE];

	*index = (uint32_t)h - (uint32_t)s->first;
	return s;
}

static inline struct handle_slot *handle_slot_of(struct handle_table *t, handle_t h) REQUIRES(&t->lock)
{
	uint32_t i;
	struct handle_segment *s = handle_segment_of(t, h, &i);

	return i < s->capacity && s->slots[i].resource ? &s->slots[i] : NULL;
}

/* A copy of h's slot if it grants every right in need, its resource with one more reference. BADF, ACCES. */
MUST_CHECK static inline err_t handle_slot_get(struct handle_table *t, handle_t h, uint32_t need, struct handle_slot *out) REQUIRES(&t->lock)
{
	const struct handle_slot *slot = handle_slot_of(t, h);

	if (UNLIKELY(!slot))
		return ERR_BADF;
	*out = *slot;
	if (UNLIKELY(need & ~out->rights))
		return ERR_ACCES;
	resource_get(out->resource);
	return OK;
}

/* The resource, with a reference, if h grants every right in need. BADF, ACCES. */
MUST_CHECK static inline err_t handle_find(struct handle_table *t, handle_t h, uint32_t need, struct resource **out, uint32_t *rights_out)
{
	struct handle_slot slot;

	spin_lock(&t->lock);
	err_t err = handle_slot_get(t, h, need, &slot);
	if (LIKELY(!err)) {
		*out = slot.resource;
		if (rights_out)
			*rights_out = slot.rights;
	}
	spin_unlock(&t->lock);
	return err;
}

/* What CONTROL_GET tells: flags of the open resource and of the handle, rights << 32. BADF. */
static inline int64_t handle_describe(struct handle_table *t, handle_t h)
{
	spin_lock(&t->lock);
	const struct handle_slot *slot = handle_slot_of(t, h);
	int64_t result = UNLIKELY(!slot) ? ERR_BADF : (int64_t)((uint64_t)slot->rights << 32 | atomic_load(&slot->resource->open_flags) |
	                                                        (slot->cloexec ? OPEN_CLOEXEC : 0));
	spin_unlock(&t->lock);
	return result;
}

/* As handle_find with the handle's flags: to dup or send it. */
err_t handle_find_passed(struct handle_table *t, handle_t h, uint32_t need, struct passed *out) NONNULL MUST_CHECK;
/* Numbers from limit up (but private ones) are not given out any more. */
void handle_set_limit(struct handle_table *t, uint32_t limit) NONNULL;
/* The lowest number in use from h on. BADF: none. */
handle_t handle_next(struct handle_table *t, handle_t h) NONNULL;
err_t handle_close(struct handle_table *t, handle_t h) NONNULL MUST_CHECK;
err_t handle_set_cloexec(struct handle_table *t, handle_t h, bool on) NONNULL MUST_CHECK;
void handle_close_on_exec(struct handle_table *t) NONNULL;
