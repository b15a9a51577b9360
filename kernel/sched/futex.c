/* kernel/sched/futex.c - hash buckets of sleepers.
 *
 * The word is compared after the sleeper is in its bucket: a waker that changed the word before looks into
 * the bucket afterwards, so one of the two sees the other.
 */
#include "kernel/sched/futex.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/thread.h"
#include "lib/base/try.h"

enum { FUTEX_BUCKETS = 256 };

struct futex_key {
	const void *owner;      /* space or memory object */
	uint64_t offset;
	struct memobj *object;  /* a reference, when shared */
};

struct sleeper {
	struct list_node link;
	struct futex_bucket *bucket;    /* [its lock] NULL once woken */
	struct futex_key key;
	struct thread *thread;
	uint32_t bits;
};

static struct futex_bucket {
	struct spinlock lock;           /* RANK_FUTEX; two are nested in order of address */
	struct list_node sleepers;
} buckets[FUTEX_BUCKETS];

void futex_init(void)
{
	for (uint32_t i = 0; i < FUTEX_BUCKETS; i++) {
		spin_init(&buckets[i].lock, RANK_FUTEX);
		list_init(&buckets[i].sleepers);
	}
}

static err_t key_get(uaddr_t address, struct futex_key *key)
{
	struct space *s = process_current()->space;

	if (address.raw % sizeof(uint32_t))
		return ERR_INVAL;
	if (!user_range_is_valid(address.raw, sizeof(uint32_t)))
		return ERR_FAULT;
	TRY(space_futex_key(s, address.raw, &key->object, &key->offset));
	key->owner = key->object ? (const void *)key->object : s;
	if (!key->object)
		key->offset = address.raw;
	return OK;
}

static void key_put(struct futex_key *key)
{
	memobj_put(key->object);
}

static bool key_is(const struct futex_key *a, const struct futex_key *b)
{
	return a->owner == b->owner && a->offset == b->offset;
}

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
	uint64_t h = ((uint64_t)key->owner >> 4 ^ key->offset >> 2) * 0x9e3779b97f4a7c15ull;
	return &buckets[h >> 56 & (FUTEX_BUCKETS - 1)];
}

static void enqueue(struct futex_bucket *b, struct sleeper *s)
{
	spin_lock(&b->lock);
	s->bucket = b;
	list_push_back(&b->sleepers, &s->link);
	spin_unlock(&b->lock);
}

/* Takes a sleeper out, wherever it has been moved to. False: it was woken. */
static bool dequeue(struct sleeper *s)
{
	struct futex_bucket *b;

	while ((b = __atomic_load_n(&s->bucket, __ATOMIC_ACQUIRE))) {
		spin_lock(&b->lock);
		if (s->bucket == b) {
			list_remove(&s->link);
			s->bucket = NULL;
			spin_unlock(&b->lock);
			return true;
		}
		spin_unlock(&b->lock);
	}
	/* The waker is done with us only when it has let go of its lock. */
	spin_lock(&bucket_of(&s->key)->lock);
	spin_unlock(&bucket_of(&s->key)->lock);
	return false;
}

static void wake(struct sleeper *s)
{
	struct thread *t = s->thread;
	list_remove(&s->link);
	__atomic_store_n(&s->bucket, NULL, __ATOMIC_RELEASE);
	thread_wake(t);
}

int64_t futex_wait(uaddr_t address, uint32_t expected, uint32_t bits, uint64_t deadline_ns, bool interruptible)
{
	struct sleeper s = { .thread = thread_current(), .bits = bits ? bits : UINT32_MAX };
	uint32_t value;
	err_t err;

	TRY(key_get(address, &s.key));
	struct futex_key key = s.key;           /* a requeue changes s.key */
	enqueue(bucket_of(&s.key), &s);
	err = load_user_u32(address, &value);
	if (!err && value != expected)
		err = ERR_AGAIN;
	while (!err && __atomic_load_n(&s.bucket, __ATOMIC_ACQUIRE))
		err = thread_park(deadline_ns, interruptible ? PARK_INTERRUPTIBLE : 0);
	if (!dequeue(&s))
		err = OK;
	key_put(&key);
	return err;
}

static int64_t wake_some(struct futex_bucket *b, const struct futex_key *key, uint64_t count, uint32_t bits) REQUIRES(&b->lock)
{
	struct sleeper *s, *next;
	int64_t woken = 0;

	list_each_safe(s, next, &b->sleepers, link) {
		if ((uint64_t)woken == count)
			break;
		if (!key_is(&s->key, key) || !(s->bits & bits))
			continue;
		wake(s);
		woken++;
	}
	return woken;
}

int64_t futex_wake(uaddr_t address, uint64_t count, uint32_t bits)
{
	struct futex_key key;

	TRY(key_get(address, &key));
	struct futex_bucket *b = bucket_of(&key);
	spin_lock(&b->lock);
	int64_t woken = wake_some(b, &key, count, bits ? bits : UINT32_MAX);
	spin_unlock(&b->lock);
	key_put(&key);
	return woken;
}

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	if (a > b) {
		struct futex_bucket *t = a;
		a = b;
		b = t;
	}
	spin_lock(&a->lock);
	if (a != b)
		spin_lock_nested(&b->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

int64_t futex_requeue(uaddr_t address, uint64_t wake_count, uint64_t move, uaddr_t to, uint64_t expected)
{
	struct futex_key from_key, to_key;
	struct sleeper *s, *next;
	uint32_t value;
	int64_t woken = 0, moved = 0;
	err_t err;

	TRY(key_get(address, &from_key));
	if ((err = key_get(to, &to_key)))
		goto put_from;
	struct futex_bucket *from_bucket = bucket_of(&from_key), *to_bucket = bucket_of(&to_key);
	lock_two(from_bucket, to_bucket);
	/* Compared under the locks: who went to sleep on a later value stays where its waker will look (tests/model/futex.pml). */
	while (expected != UINT64_MAX && !load_user_u32_present(address, &value)) {
		unlock_two(from_bucket, to_bucket);
		if ((err = load_user_u32(address, &value)))
			goto put_to;
		lock_two(from_bucket, to_bucket);
	}
	if (expected != UINT64_MAX && value != (uint32_t)expected) {
		unlock_two(from_bucket, to_bucket);
		err = ERR_AGAIN;
		goto put_to;
	}
	woken = wake_some(from_bucket, &from_key, wake_count, UINT32_MAX);
	list_each_safe(s, next, &from_bucket->sleepers, link) {
		if ((uint64_t)moved == move)
			break;
		if (!key_is(&s->key, &from_key))
			continue;
		/* The new key borrows the object: whoever wakes there has it mapped. */
		s->key.owner = to_key.owner;
		s->key.offset = to_key.offset;
		list_remove(&s->link);
		list_push_back(&to_bucket->sleepers, &s->link);
		s->bucket = to_bucket;
		moved++;
	}
	unlock_two(from_bucket, to_bucket);
	err = OK;

put_to:
	key_put(&to_key);
put_from:
	key_put(&from_key);
	return err ? err : woken + moved;
}
