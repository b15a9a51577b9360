/* fs/ramfs/fifo.c - FIFOs: which open waits for a peer, and the kernel pipe that they then share.
 *
 * We keep a pipe without ends per FIFO: the ends go to the clients, so that end-of-file and EPIPE come by
 * themselves. How many ends are open the pipe knows; who waits for a peer we know; an open that waits counts as
 * its end already (POSIX: the two opens meet).
 */
#include "fs/ramfs/fifo.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/native/heap.h"

struct fifo_waiter {
	struct list_node link;          /* fs.fifo_waiters */
	struct node *node;              /* a reference */
	uint64_t tag;
	enum pipe_end end;
};

static bool has_waiter(struct fs *fs, const struct node *n, enum pipe_end end)
{
	struct fifo_waiter *w;

	list_each(w, &fs->fifo_waiters, link)
		if (w->node == n && w->end == end)
			return true;
	return false;
}

/* Also when it is the last to use the node. */
static void waiter_end(struct fs *fs, struct fifo_waiter *w)
{
	list_remove(&w->link);
	node_put(fs, w->node);
	heap_delete(w);
}

/* Everybody who waits with this end gets it. */
static void fifo_wake(struct fs *fs, struct node *n, enum pipe_end end)
{
	struct fifo_waiter *w, *next;
	content_t c;
	uint64_t tag;
	err_t err;

	node_get(n);
	list_each_safe(w, next, &fs->fifo_waiters, link) {
		if (w->node != n || w->end != end)
			continue;
		tag = w->tag;
		waiter_end(fs, w);
		if ((err = fs->backing->pipe_open(n->special.pipe, end, 0, &c)))
			fs->backing->finish(tag, err);
		else
			fs->backing->finish_open(tag, c);
	}
	node_put(fs, n);
}

/* The pipe, and who has ends of it or waits with one. A pipe that nobody has is empty again: a new one. */
static err_t fifo_prepare(struct fs *fs, struct node *n, uint32_t *readers, uint32_t *writers)
{
	err_t err;

	*readers = *writers = 0;
	if (n->special.pipe != CONTENT_NONE) {
		if ((err = fs->backing->pipe_ends(n->special.pipe, readers, writers)))
			return err;
		if (*readers + *writers == 0) {
			fs->backing->content_drop(n->special.pipe);
			n->special.pipe = CONTENT_NONE;
		}
	}
	if (n->special.pipe == CONTENT_NONE && (err = fs->backing->pipe_new(&n->special.pipe))) {
		n->special.pipe = CONTENT_NONE;
		return err;
	}
	*readers += has_waiter(fs, n, PIPE_READ);
	*writers += has_waiter(fs, n, PIPE_WRITE);
	return OK;
}

static err_t fifo_wait(struct fs *fs, struct node *n, enum pipe_end end, uint64_t tag, struct opened *out)
{
	struct fifo_waiter *w = heap_new(struct fifo_waiter);

	if (!w)
		return ERR_NOMEM;
	node_get(n);
	w->node = n;
	w->tag = tag;
	w->end = end;
	list_push_back(&fs->fifo_waiters, &w->link);
	out->how = OPENED_LATER;
	return OK;
}

static enum pipe_end end_of(uint32_t flags)
{
	if ((flags & OPEN_READ) && (flags & OPEN_WRITE))
		return PIPE_BOTH;
	return flags & OPEN_WRITE ? PIPE_WRITE : PIPE_READ;
}

err_t fifo_open(struct fs *fs, struct node *n, uint32_t flags, uint64_t tag, struct opened *out)
{
	enum pipe_end end = end_of(flags);
	uint32_t readers, writers;
	err_t err;

	if (!(flags & (OPEN_READ | OPEN_WRITE)))
		return ERR_INVAL;
	if ((err = fifo_prepare(fs, n, &readers, &writers)))
		return err;
	if (end == PIPE_WRITE && readers == 0 && (flags & OPEN_NONBLOCK))
		return ERR_NXIO;
	if (!(flags & OPEN_NONBLOCK) && ((end == PIPE_WRITE && readers == 0) || (end == PIPE_READ && writers == 0)))
		return fifo_wait(fs, n, end, tag, out);
	if ((err = fs->backing->pipe_open(n->special.pipe, end, flags & OPEN_NONBLOCK, &out->content)))
		return err;
	out->how = OPENED_FORWARD;
	if (end & PIPE_READ)
		fifo_wake(fs, n, PIPE_WRITE);
	if (end & PIPE_WRITE)
		fifo_wake(fs, n, PIPE_READ);
	return OK;
}

bool fifo_cancel(struct fs *fs, uint64_t tag)
{
	struct fifo_waiter *w;

	list_each(w, &fs->fifo_waiters, link)
		if (w->tag == tag) {
			waiter_end(fs, w);
			fs->backing->finish(tag, ERR_INTR);
			return true;
		}
	return false;
}
