/* fs/ramfs/lock.c - advisory locks: of whole files (flock) and of ranges (POSIX), which do not see each other.
 *
 * A node's locks are a list in no order: they are few. Setting a range lock first carves the owner's
 * own locks out of the range, then adds the new one and joins what touches. The two blocks that this can need are
 * taken before anything changes.
 */
#include "fs/ramfs/lock.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/native/heap.h"

struct lock {
	struct list_node link;          /* node.locks */
	bool whole;
	bool of_open;                   /* owned by open; else by pid */
	uint32_t kind;                  /* enum file_lock_kind */
	uint32_t pid;
	const struct open *open;
	uint64_t start, last;           /* inclusive */
};

struct lock_waiter {
	struct list_node link;          /* fs.lock_waiters, first come first */
	struct node *node;              /* a reference */
	struct lock want;
	uint64_t tag;
};

static bool same_owner(const struct lock *a, const struct lock *b)
{
	return a->of_open == b->of_open && (a->of_open ? a->open == b->open : a->pid == b->pid);
}

static bool overlaps(const struct lock *a, const struct lock *b)
{
	return a->start <= b->last && b->start <= a->last;
}

static bool conflicts(const struct lock *a, const struct lock *b)
{
	return a->whole == b->whole && !same_owner(a, b) && overlaps(a, b) &&
	       (a->kind == LOCK_EXCLUSIVE || b->kind == LOCK_EXCLUSIVE);
}

/* The one that starts first: who asks for it walks the file from lock to lock. */
static struct lock *find_conflict(struct node *n, const struct lock *want)
{
	struct lock *l, *first = NULL;

	list_each(l, &n->locks, link)
		if (conflicts(l, want) && (!first || l->start < first->start))
			first = l;
	return first;
}

static void lock_remove(struct lock *l)
{
	list_remove(&l->link);
	heap_delete(l);
}

/* Frees own locks within want's range; what sticks out stays. *spare is used for a second half. */
static void carve(struct node *n, const struct lock *want, struct lock **spare)
{
	struct lock *l, *next, *half;

	list_each_safe(l, next, &n->locks, link) {
		if (l->whole != want->whole || !same_owner(l, want) || !overlaps(l, want))
			continue;
		if (l->start < want->start && l->last > want->last) {
			half = *spare;
			*spare = NULL;
			*half = *l;
			half->start = want->last + 1;
			list_insert_after(&l->link, &half->link);
			l->last = want->start - 1;
			return;
		}
		if (l->start < want->start)
			l->last = want->start - 1;
		else if (l->last > want->last)
			l->start = want->last + 1;
		else
			lock_remove(l);
	}
}

/* Joins l with the owner's locks of the same kind that touch it, so that the list stays short. */
static void join(struct node *n, struct lock *l)
{
	struct lock *other, *next;

	list_each_safe(other, next, &n->locks, link) {
		if (other == l || other->whole != l->whole || other->kind != l->kind || !same_owner(other, l) ||
		    other->open != l->open)
			continue;
		if (other->last != UINT64_MAX && other->last + 1 == l->start)
			l->start = other->start;
		else if (l->last != UINT64_MAX && l->last + 1 == other->start)
			l->last = other->last;
		else
			continue;
		lock_remove(other);
	}
}

/* Sets or clears; nothing is in the way. NOLCK: nothing changed. */
static err_t lock_set(struct node *n, const struct lock *want)
{
	struct lock *fresh = heap_new(struct lock), *spare = heap_new(struct lock);

	if (!fresh || !spare) {
		heap_free(fresh, sizeof(*fresh));
		heap_free(spare, sizeof(*spare));
		return ERR_NOLCK;
	}
	carve(n, want, &spare);
	if (want->kind != LOCK_NONE) {
		*fresh = *want;
		list_push_back(&n->locks, &fresh->link);
		join(n, fresh);
		fresh = NULL;
	}
	heap_free(fresh, sizeof(*fresh));
	heap_free(spare, sizeof(*spare));
	return OK;
}

static void waiter_end(struct fs *fs, struct lock_waiter *w, err_t err)
{
	struct node *n = w->node;
	uint64_t tag = w->tag;

	list_remove(&w->link);
	heap_delete(w);
	fs->backing->finish(tag, err);
	node_put(fs, n);
}

/* Something was freed on n: gives waiting requests what they can have now. */
static void wake(struct fs *fs, struct node *n)
{
	struct lock_waiter *w, *next;

	list_each_safe(w, next, &fs->lock_waiters, link)
		if (w->node == n && !find_conflict(n, &w->want))
			waiter_end(fs, w, lock_set(n, &w->want));
}

/* Would waiting for want close a circle of processes that wait for each other's ranges? */
static bool deadlocks(struct fs *fs, struct node *n, const struct lock *want)
{
	struct lock_waiter *w;
	struct lock *held = find_conflict(n, want);
	uint32_t steps = 0;
	bool found = true;

	while (held && found) {
		if (held->of_open)
			return false;
		if (held->pid == want->pid)
			return true;
		/* A circle that we are not part of: cannot be, but must not hang us. */
		if (++steps > 1000)
			return false;
		found = false;
		list_each(w, &fs->lock_waiters, link) {
			if (w->want.of_open || w->want.pid != held->pid)
				continue;
			held = find_conflict(w->node, &w->want);
			found = true;
			break;
		}
	}
	return false;
}

static err_t lock_wait(struct fs *fs, struct node *n, const struct lock *want, uint64_t tag)
{
	struct lock_waiter *w;

	if (!want->of_open && deadlocks(fs, n, want))
		return ERR_DEADLK;
	if (!(w = heap_new(struct lock_waiter)))
		return ERR_NOLCK;
	node_get(n);
	w->node = n;
	w->want = *want;
	w->tag = tag;
	list_push_back(&fs->lock_waiters, &w->link);
	return OK;
}

static err_t parse(const struct file_lock *f, const struct open *o, unsigned how, struct lock *out)
{
	if (f->kind > LOCK_NONE || (how & ~(unsigned)(LOCK_WHOLE | LOCK_OPEN)) > LOCK_SET_WAIT)
		return ERR_INVAL;
	out->kind = f->kind;
	out->whole = how & LOCK_WHOLE;
	out->of_open = how & (LOCK_WHOLE | LOCK_OPEN);
	out->start = 0;
	out->last = UINT64_MAX;
	if (out->whole)
		return OK;
	if (f->start > INT64_MAX)
		return ERR_INVAL;
	out->start = f->start;
	if (f->bytes && __builtin_add_overflow(f->start, f->bytes - 1, &out->last))
		return ERR_OVERFLOW;
	if ((how & 3) == LOCK_TEST)
		return OK;
	if ((f->kind == LOCK_SHARED && !(o->flags & OPEN_READ)) || (f->kind == LOCK_EXCLUSIVE && !(o->flags & OPEN_WRITE)))
		return ERR_BADF;
	return OK;
}

static void describe(const struct lock *l, struct file_lock *out)
{
	out->kind = l ? l->kind : (uint32_t)LOCK_NONE;
	if (!l)
		return;
	out->pid = l->of_open ? UINT32_MAX : l->pid;
	out->start = l->start;
	out->bytes = l->last == UINT64_MAX ? 0 : l->last - l->start + 1;
}

err_t lock_apply(struct fs *fs, struct open *o, const struct sender *s, unsigned how, struct file_lock *f, uint64_t tag, bool *later)
{
	struct lock want = { .pid = s->pid, .open = o };
	struct lock none;
	err_t err;

	*later = false;
	if (o->flags & OPEN_PATH)
		return ERR_BADF;
	if ((err = parse(f, o, how, &want)))
		return err;
	if ((how & 3) == LOCK_TEST) {
		describe(find_conflict(o->node, &want), f);
		return OK;
	}
	if (want.kind != LOCK_NONE && find_conflict(o->node, &want)) {
		/* Changing the kind of a whole-file lock gives the old one up first: two that both want more must not wait for each other. */
		none = want;
		none.kind = LOCK_NONE;
		if (want.whole && !(err = lock_set(o->node, &none)))
			wake(fs, o->node);
		if (err)
			return err;
		if ((how & 3) != LOCK_SET_WAIT)
			return ERR_AGAIN;
		err = lock_wait(fs, o->node, &want, tag);
		*later = !err;
		return err;
	}
	if ((err = lock_set(o->node, &want)))
		return err;
	wake(fs, o->node);
	return OK;
}

bool lock_cancel(struct fs *fs, uint64_t tag)
{
	struct lock_waiter *w;

	list_each(w, &fs->lock_waiters, link)
		if (w->tag == tag) {
			waiter_end(fs, w, ERR_INTR);
			return true;
		}
	return false;
}

void lock_drop_open(struct fs *fs, struct open *o)
{
	struct lock_waiter *w, *next_waiter;
	struct lock *l, *next;

	list_each_safe(w, next_waiter, &fs->lock_waiters, link)
		if (w->want.open == o)
			waiter_end(fs, w, ERR_BADF);
	list_each_safe(l, next, &o->node->locks, link)
		if (l->open == o)
			lock_remove(l);
	wake(fs, o->node);
}
