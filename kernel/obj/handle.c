/* kernel/obj/handle.c - two growing arrays of slots. */
#include "kernel/obj/handle.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

enum { SEGMENT_FIRST = 16 };

enum slot_want { WANT_FREE, WANT_USED, WANT_CLOEXEC };

/* The first slot from i on that is wanted; capacity or more: none. */
static uint32_t find_slot(const struct handle_segment *s, uint32_t i, enum slot_want want)
{
	for (; i < s->capacity; i++)
		if (want == WANT_CLOEXEC ? s->slots[i].cloexec : !s->slots[i].resource == (want == WANT_FREE))
			break;
	return i;
}

void handle_table_init(struct handle_table *t, struct account *a)
{
	*t = (struct handle_table){
		.segments = { { .limit = HANDLE_SEGMENT_MAX }, { .first = HANDLE_PRIVATE, .limit = HANDLE_SEGMENT_MAX } },
		.account = account_get(a),
	};
	spin_init(&t->lock, RANK_HANDLES);
}

static void segment_close(struct handle_table *t, struct handle_segment *s)
{
	spin_lock(&t->lock);
	struct handle_segment old = *s;
	s->slots = NULL;
	s->capacity = s->lowest_free = 0;
	spin_unlock(&t->lock);
	for (uint32_t i = 0; i < old.capacity; i++)
		resource_put(old.slots[i].resource);
	heap_free(old.slots, old.capacity * sizeof(*old.slots));
	account_uncharge(t->account, ACCOUNT_HANDLES, old.capacity);
}

void handle_table_fini(struct handle_table *t)
{
	segment_close(t, &t->segments[0]);
	segment_close(t, &t->segments[1]);
	account_put(t->account);
	t->account = NULL;
}

/* Makes room for number index. */
static err_t segment_grow(struct handle_table *t, struct handle_segment *s, uint32_t index) REQUIRES(&t->lock)
{
	uint32_t capacity = s->capacity ? s->capacity : SEGMENT_FIRST;

	while (capacity <= index)
		capacity *= 2;
	if (capacity == s->capacity)
		return OK;
	TRY(account_charge(t->account, ACCOUNT_HANDLES, capacity - s->capacity));
	struct handle_slot *slots = heap_grow(s->slots, s->capacity * sizeof(*slots), capacity * sizeof(*slots));
	if (!slots) {
		account_uncharge(t->account, ACCOUNT_HANDLES, capacity - s->capacity);
		return ERR_NOMEM;
	}
	s->slots = slots;
	s->capacity = capacity;
	return OK;
}

/* Puts p into slot i; *old is what was there. */
static err_t slot_fill(struct handle_table *t, struct handle_segment *s, uint32_t i, const struct passed *p, struct resource **old)
	REQUIRES(&t->lock)
{
	TRY(segment_grow(t, s, i));
	*old = s->slots[i].resource;
	s->slots[i] = (struct handle_slot){ p->resource, p->rights, p->flags & OPEN_CLOEXEC };
	return OK;
}

handle_t handle_open(struct handle_table *t, const struct passed *p, handle_t at_least)
{
	uint32_t from;
	struct handle_segment *s = handle_segment_of(t, at_least, &from);
	struct resource *none;

	spin_lock(&t->lock);
	uint32_t i = find_slot(s, MAX_OF(from, s->lowest_free), WANT_FREE);
	err_t err = at_least < 0 ? ERR_INVAL : i < s->limit ? slot_fill(t, s, i, p, &none) : ERR_MFILE;
	if (!err && from <= s->lowest_free)
		s->lowest_free = i + 1;
	spin_unlock(&t->lock);
	if (LIKELY(!err))
		return s->first + (handle_t)i;
	resource_put(p->resource);
	return err;
}

err_t handle_replace(struct handle_table *t, handle_t h, const struct passed *p)
{
	uint32_t i;
	struct handle_segment *s = handle_segment_of(t, h, &i);
	struct resource *old = NULL;

	spin_lock(&t->lock);
	err_t err = i < s->limit ? slot_fill(t, s, i, p, &old) : ERR_BADF;
	spin_unlock(&t->lock);
	resource_put(err ? p->resource : old);
	return err;
}

err_t handle_find_passed(struct handle_table *t, handle_t h, uint32_t need, struct passed *out)
{
	struct handle_slot slot;

	spin_lock(&t->lock);
	err_t err = handle_slot_get(t, h, need, &slot);
	if (LIKELY(!err))
		*out = (struct passed){ slot.resource, slot.rights, slot.cloexec ? OPEN_CLOEXEC : 0 };
	spin_unlock(&t->lock);
	return err;
}

void handle_set_limit(struct handle_table *t, uint32_t limit)
{
	spin_lock(&t->lock);
	t->segments[0].limit = limit;
	spin_unlock(&t->lock);
}

static handle_t next_handle(struct handle_table *t, handle_t h, enum slot_want want)
{
	handle_t found = ERR_BADF;
	uint32_t i;

	spin_lock(&t->lock);
	while (h >= 0 && found < 0) {
		struct handle_segment *s = handle_segment_of(t, h, &i);
		if ((i = find_slot(s, i, want)) < s->capacity)
			found = s->first + (handle_t)i;
		h = s->first ? HANDLE_NONE : HANDLE_PRIVATE;
	}
	spin_unlock(&t->lock);
	return found;
}

handle_t handle_next(struct handle_table *t, handle_t h) { return next_handle(t, h, WANT_USED); }

err_t handle_close(struct handle_table *t, handle_t h)
{
	struct resource *r = NULL;
	uint32_t i;

	spin_lock(&t->lock);
	struct handle_segment *s = handle_segment_of(t, h, &i);
	if (i < s->capacity) {
		r = s->slots[i].resource;
		s->slots[i] = (struct handle_slot){0};
		s->lowest_free = MIN_OF(s->lowest_free, i);
	}
	spin_unlock(&t->lock);
	resource_put(r);
	return r ? OK : ERR_BADF;
}

err_t handle_set_cloexec(struct handle_table *t, handle_t h, bool on)
{
	spin_lock(&t->lock);
	struct handle_slot *slot = handle_slot_of(t, h);
	if (slot)
		slot->cloexec = on;
	spin_unlock(&t->lock);
	return slot ? OK : ERR_BADF;
}

void handle_close_on_exec(struct handle_table *t)
{
	for (handle_t h = next_handle(t, 0, WANT_CLOEXEC); h >= 0; h = next_handle(t, h, WANT_CLOEXEC))
		if (handle_close(t, h))
			continue;       /* another thread was quicker; there is none in exec */
}

static err_t segment_copy(struct handle_table *to, struct handle_segment *ts, const struct handle_segment *fs)
{
	ts->limit = fs->limit;
	if (!fs->capacity)
		return OK;
	TRY(segment_grow(to, ts, fs->capacity - 1));
	for (uint32_t i = 0; i < fs->capacity; i++) {
		ts->slots[i] = fs->slots[i];
		resource_get(fs->slots[i].resource);
	}
	ts->lowest_free = fs->lowest_free;
	return OK;
}

err_t handle_table_copy(struct handle_table *to, struct handle_table *from, bool has_private)
{
	/* `to` is not in use yet: its lock is taken for the checker's sake only, nested. */
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock);
	err_t err = segment_copy(to, &to->segments[0], &from->segments[0]);
	if (!err && has_private)
		err = segment_copy(to, &to->segments[1], &from->segments[1]);
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
	return err;
}
