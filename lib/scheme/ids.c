/* lib/scheme/ids.c - a growing array of slots with a free list through it. */
#include "lib/scheme/ids.h"
#include <stdbool.h>
#include "lib/base/assert.h"
#include "lib/native/heap.h"

enum {
	INDEX_BITS = 20, GENERATION_BITS = 27, INSTANCE_BITS = 16,
	CAPACITY_FIRST = 16, CAPACITY_MAX = 1 << INDEX_BITS, GENERATION_MAX = (1 << GENERATION_BITS) - 1,
};
STATIC_ASSERT(INDEX_BITS + GENERATION_BITS + INSTANCE_BITS == 63, "a number is a positive int64_t");

void ids_init(struct ids *t, uint32_t instance)
{
	*t = (struct ids){ .instance = instance & ((1 << INSTANCE_BITS) - 1) };
}

static uint64_t id_of(const struct ids *t, uint32_t generation, uint32_t index)
{
	return (uint64_t)t->instance << (GENERATION_BITS + INDEX_BITS) | (uint64_t)generation << INDEX_BITS | index;
}

/* A number of an earlier instance that lives on. */
struct id_adopted {
	struct id_adopted *next;
	uint64_t id;
	void *value;
};

static struct id_adopted **adopted_find(const struct ids *t, uint64_t id)
{
	struct id_adopted *const *at = &t->adopted[id % ID_ADOPTED_BUCKETS];

	while (*at && (*at)->id != id)
		at = &(*at)->next;
	return (struct id_adopted **)(uintptr_t)at;
}

static void *adopted_remove(struct id_adopted **at)
{
	struct id_adopted *a = *at;
	void *value = a->value;

	*at = a->next;
	heap_delete(a);
	return value;
}

static bool is_own(const struct ids *t, uint64_t id)
{
	return id >> (GENERATION_BITS + INDEX_BITS) == t->instance;
}

err_t ids_adopt(struct ids *t, uint64_t id, void *value)
{
	if (is_own(t, id) || id == 0 || *adopted_find(t, id))
		return ERR_INVAL;
	struct id_adopted *a = heap_new(struct id_adopted);
	if (!a)
		return ERR_NOMEM;
	struct id_adopted **bucket = &t->adopted[id % ID_ADOPTED_BUCKETS];
	*a = (struct id_adopted){ .next = *bucket, .id = id, .value = value };
	*bucket = a;
	return OK;
}

void ids_fini(struct ids *t)
{
	for (int i = 0; i < ID_ADOPTED_BUCKETS; i++)
		while (t->adopted[i])
			adopted_remove(&t->adopted[i]);
	heap_free(t->slots, t->capacity * sizeof *t->slots);
	ids_init(t, t->instance);
}

static err_t grow(struct ids *t)
{
	uint32_t capacity = t->capacity ? t->capacity * 2 : CAPACITY_FIRST;

	if (t->capacity == CAPACITY_MAX)
		return ERR_NFILE;
	struct id_slot *slots = heap_grow(t->slots, t->capacity * sizeof *slots, capacity * sizeof *slots);
	if (!slots)
		return ERR_NOMEM;
	for (uint32_t i = t->capacity; i < capacity; i++)
		slots[i] = (struct id_slot){ .generation = 1, .next_free = i + 1 };
	t->slots = slots;
	t->first_free = t->capacity;
	t->capacity = capacity;
	return OK;
}

err_t ids_add(struct ids *t, void *value, uint64_t *out)
{
	err_t err;

	if (t->first_free == t->capacity && (err = grow(t)))
		return err;
	uint32_t i = t->first_free;
	struct id_slot *s = &t->slots[i];
	ASSERT(!s->value);
	t->first_free = s->next_free;
	s->value = value;
	t->count++;
	*out = id_of(t, s->generation, i);
	return OK;
}

static struct id_slot *slot_of(const struct ids *t, uint64_t id)
{
	uint32_t i = id & (CAPACITY_MAX - 1);

	if (i >= t->capacity || !t->slots[i].value || id_of(t, t->slots[i].generation, i) != id)
		return NULL;
	return &t->slots[i];
}

void *ids_find(const struct ids *t, uint64_t id)
{
	struct id_slot *s = slot_of(t, id);

	if (s)
		return s->value;
	struct id_adopted *a = *adopted_find(t, id);
	return a ? a->value : NULL;
}

void *ids_remove(struct ids *t, uint64_t id)
{
	struct id_slot *s = slot_of(t, id);

	if (!s) {
		struct id_adopted **at = adopted_find(t, id);
		return *at ? adopted_remove(at) : NULL;
	}
	void *value = s->value;
	s->value = NULL;
	t->count--;
	/* A slot out of generations retires: reusing it would revive old numbers. */
	if (s->generation++ < GENERATION_MAX) {
		s->next_free = t->first_free;
		t->first_free = (uint32_t)(s - t->slots);
	}
	return value;
}
