/* kernel/obj/id.c - for each number the process and the thread that have it. */
#include "kernel/obj/id.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/page_index.h"

/* [l] id_lock. A slot once made stays: its number comes back. */
static struct page_index table[ID_KINDS];
static uint32_t used[ID_KINDS], last_id;
static struct spinlock id_lock = SPINLOCK_INIT(RANK_PROCESS_LIST);

static struct object *owner_of(enum id_kind kind, uint32_t id) REQUIRES(&id_lock)
{
	const uint64_t *slot = page_index_find(&table[kind], id);
	return slot ? (struct object *)*slot : NULL;
}

/* The next number after the last one given that nobody has: numbers come back late. 0: none. */
static uint32_t find_free(void) REQUIRES(&id_lock)
{
	for (uint32_t tries = 0; tries < ID_MAX; tries++) {
		last_id = last_id + 1 < ID_MAX ? last_id + 1 : 1;
		if (!owner_of(ID_PROCESS, last_id) && !owner_of(ID_THREAD, last_id))
			return last_id;
	}
	return 0;
}

err_t id_add(enum id_kind kind, struct object *o, uint32_t wanted, uint32_t *out)
{
	uint64_t *slot;

	spin_lock(&id_lock);
	uint32_t id = wanted && !owner_of(kind, wanted) ? wanted : find_free();
	err_t err = id ? page_index_make(&table[kind], id, &slot) : ERR_AGAIN;
	if (!err) {
		*slot = (uint64_t)o;
		used[kind]++;
		*out = id;
	}
	spin_unlock(&id_lock);
	return err;
}

void id_remove(enum id_kind kind, uint32_t id)
{
	spin_lock(&id_lock);
	*page_index_find(&table[kind], id) = 0;
	used[kind]--;
	spin_unlock(&id_lock);
}

void id_swap(enum id_kind kind, uint32_t a, uint32_t b)
{
	spin_lock(&id_lock);
	uint64_t *first = page_index_find(&table[kind], a), *second = page_index_find(&table[kind], b), owner = *first;
	*first = *second;
	*second = owner;
	spin_unlock(&id_lock);
}

struct object *id_find(enum id_kind kind, uint32_t id)
{
	spin_lock(&id_lock);
	struct object *o = owner_of(kind, id);
	if (o && !object_try_get(o))
		o = NULL;
	spin_unlock(&id_lock);
	return o;
}

uint32_t id_next(enum id_kind kind, uint32_t id)
{
	uint64_t found;

	spin_lock(&id_lock);
	bool any = page_index_next(&table[kind], id, ID_MAX, &found);
	spin_unlock(&id_lock);
	return any ? (uint32_t)found : 0;
}

uint32_t id_count(enum id_kind kind) { return used[kind]; }
