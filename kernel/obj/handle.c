/* kernel/obj/handle.c - two growing arrays of slots. */
#include "kernel/obj/handle.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "lib/base/try.h"

enum { SEGMENT_FIRST = 16 };

static struct handle_segment *segment_of(struct handle_table *t, handle_t h, uint32_t *index)
{
	bool high = h >= HANDLE_PRIVATE;
	*index = (uint32_t)(high ? h - HANDLE_PRIVATE : h);
	return high ? &t->high : &t->low;
}

static struct handle_slot *slot_of(struct handle_table *t, handle_t h)
{
	uint32_t i;
	struct handle_segment *s = segment_of(t, h, &i);

	if (h < 0 || i >= s->capacity || !s->slots[i].resource)
		return NULL;
	return &s->slots[i];
}

void handle_table_init(struct handle_table *t, struct account *a)
{
	*t = (struct handle_table){ .low_limit = HANDLE_SEGMENT_MAX };
	spin_init(&t->lock, RANK_HANDLES);
	if (a)
		account_get(a);
	t->account = a;
}

static void segment_free(struct handle_segment *s)
{
	heap_free(s->slots, s->capacity * sizeof(*s->slots));
	*s = (struct handle_segment){0};
}

static void segment_close_all(struct handle_table *t, struct handle_segment *s)
{
	for (uint32_t i = 0; i < s->capacity; i++) {
		spin_lock(&t->lock);
		struct resource *r = s->slots[i].resource;
		s->slots[i].resource = NULL;
		spin_unlock(&t->lock);
		resource_put(r);
	}
	spin_lock(&t->lock);
	struct handle_segment old = *s;
	*s = (struct handle_segment){0};
	spin_unlock(&t->lock);
	segment_free(&old);
}

void handle_table_fini(struct handle_table *t)
{
	segment_close_all(t, &t->low);
	segment_close_all(t, &t->high);
	account_uncharge(t->account, ACCOUNT_HANDLES, t->charged);
	t->charged = 0;
	if (t->account)
		account_put(t->account);
	t->account = NULL;
}

/* Makes room for number index. */
static err_t segment_grow(struct handle_table *t, struct handle_segment *s, uint32_t index) REQUIRES(&t->lock)
{
	uint32_t capacity = s->capacity ? s->capacity : SEGMENT_FIRST;

	if (index >= HANDLE_SEGMENT_MAX)
		return ERR_MFILE;
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
	t->charged += capacity - s->capacity;
	s->slots = slots;
	s->capacity = capacity;
	return OK;
}

static uint32_t find_free(const struct handle_segment *s, uint32_t from)
{
	uint32_t i = from < s->lowest_free ? s->lowest_free : from;
	while (i < s->capacity && s->slots[i].resource)
		i++;
	return i;
}

static void fill(struct handle_slot *slot, const struct passed *p)
{
	slot->resource = p->resource;
	slot->rights = p->rights;
	slot->cloexec = p->flags & OPEN_CLOEXEC;
}

err_t handle_open(struct handle_table *t, const struct passed *p, handle_t at_least, handle_t *out)
{
	uint32_t from;
	struct handle_segment *s = segment_of(t, at_least, &from);
	err_t err;

	if (at_least < 0)
		return ERR_INVAL;
	spin_lock(&t->lock);
	uint32_t i = find_free(s, from);
	err = ERR_MFILE;
	if (s == &t->low && i >= t->low_limit)
		goto unlock;
	if ((err = segment_grow(t, s, i)))
		goto unlock;
	fill(&s->slots[i], p);
	if (from <= s->lowest_free)
		s->lowest_free = i + 1;
	*out = (handle_t)i + (s == &t->high ? HANDLE_PRIVATE : 0);
unlock:
	spin_unlock(&t->lock);
	return err;
}

err_t handle_replace(struct handle_table *t, handle_t h, const struct passed *p)
{
	uint32_t i;
	struct handle_segment *s = segment_of(t, h, &i);
	struct resource *old = NULL;
	err_t err;

	if (h < 0 || i >= HANDLE_SEGMENT_MAX)
		return ERR_BADF;
	spin_lock(&t->lock);
	err = s == &t->low && i >= t->low_limit ? ERR_BADF : segment_grow(t, s, i);
	if (!err) {
		old = s->slots[i].resource;
		fill(&s->slots[i], p);
	}
	spin_unlock(&t->lock);
	resource_put(old);
	return err;
}

err_t handle_find_passed(struct handle_table *t, handle_t h, uint32_t need, struct passed *out)
{
	err_t err = OK;

	spin_lock(&t->lock);
	struct handle_slot *slot = slot_of(t, h);
	if (!slot) {
		err = ERR_BADF;
	} else if (need & ~slot->rights) {
		err = ERR_ACCES;
	} else {
		resource_get(slot->resource);
		*out = (struct passed){ slot->resource, slot->rights, slot->cloexec ? OPEN_CLOEXEC : 0 };
	}
	spin_unlock(&t->lock);
	return err;
}

err_t handle_find(struct handle_table *t, handle_t h, uint32_t need, struct resource **out, uint32_t *rights_out)
{
	struct passed p;

	TRY(handle_find_passed(t, h, need, &p));
	*out = p.resource;
	if (rights_out)
		*rights_out = p.rights;
	return OK;
}

void handle_set_limit(struct handle_table *t, uint32_t limit)
{
	spin_lock(&t->lock);
	t->low_limit = limit;
	spin_unlock(&t->lock);
}

handle_t handle_next(struct handle_table *t, handle_t h)
{
	handle_t found = HANDLE_NONE;
	uint32_t i;

	spin_lock(&t->lock);
	while (h >= 0 && found == HANDLE_NONE) {
		struct handle_segment *s = segment_of(t, h, &i);
		while (i < s->capacity && !s->slots[i].resource)
			i++;
		if (i < s->capacity)
			found = (handle_t)i + (s == &t->high ? HANDLE_PRIVATE : 0);
		h = s == &t->low ? HANDLE_PRIVATE : HANDLE_NONE;
	}
	spin_unlock(&t->lock);
	return found;
}

err_t handle_close(struct handle_table *t, handle_t h)
{
	struct resource *r = NULL;
	uint32_t i;

	spin_lock(&t->lock);
	struct handle_slot *slot = slot_of(t, h);
	if (slot) {
		struct handle_segment *s = segment_of(t, h, &i);
		r = slot->resource;
		slot->resource = NULL;
		if (i < s->lowest_free)
			s->lowest_free = i;
	}
	spin_unlock(&t->lock);
	if (!r)
		return ERR_BADF;
	resource_put(r);
	return OK;
}

err_t handle_set_cloexec(struct handle_table *t, handle_t h, bool on)
{
	spin_lock(&t->lock);
	struct handle_slot *slot = slot_of(t, h);
	if (slot)
		slot->cloexec = on;
	spin_unlock(&t->lock);
	return slot ? OK : ERR_BADF;
}

err_t handle_drop_rights(struct handle_table *t, handle_t h, uint32_t keep)
{
	spin_lock(&t->lock);
	struct handle_slot *slot = slot_of(t, h);
	if (slot)
		slot->rights &= keep;
	spin_unlock(&t->lock);
	return slot ? OK : ERR_BADF;
}

static void segment_close_on_exec(struct handle_table *t, struct handle_segment *s, handle_t base)
{
	for (uint32_t i = 0; i < s->capacity; i++)
		if (s->slots[i].resource && s->slots[i].cloexec)
			if (handle_close(t, base + (handle_t)i))
				continue;       /* another thread was quicker; there is none in exec */
}

void handle_close_on_exec(struct handle_table *t)
{
	segment_close_on_exec(t, &t->low, 0);
	segment_close_on_exec(t, &t->high, HANDLE_PRIVATE);
}

static err_t segment_copy(struct handle_table *to, struct handle_segment *ts, const struct handle_segment *fs)
{
	if (!fs->capacity)
		return OK;
	TRY(segment_grow(to, ts, fs->capacity - 1));
	for (uint32_t i = 0; i < fs->capacity; i++) {
		if (!fs->slots[i].resource)
			continue;
		ts->slots[i] = fs->slots[i];
		resource_get(ts->slots[i].resource);
	}
	ts->lowest_free = fs->lowest_free;
	return OK;
}

err_t handle_table_copy(struct handle_table *to, struct handle_table *from)
{
	err_t err;

	/* `to` is not in use yet: its lock is taken for the checker's sake only, nested. */
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock);
	to->low_limit = from->low_limit;
	if (!(err = segment_copy(to, &to->low, &from->low)))
		err = segment_copy(to, &to->high, &from->high);
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
	if (err) {
		segment_close_all(to, &to->low);
		segment_close_all(to, &to->high);
	}
	return err;
}
