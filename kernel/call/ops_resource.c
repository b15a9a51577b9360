/* kernel/call/ops_resource.c - operations on handles: open to poll. */
#include "kernel/call/ops.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/namespace.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/wait.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { REFERENCE_MAX = 4096, POLL_MAX = 65536, POLL_ON_STACK = 4 };

/* Gives what was opened or received a number. */
static int64_t install(const struct passed *p)
{
	return handle_open(&process_current()->handles, p, p->flags & OPEN_PRIVATE ? HANDLE_PRIVATE : 0);
}

/* In a namespace, or relative to another resource. */
static err_t open(handle_t base, const struct open_args *a, struct passed *out)
{
	struct process *p = process_current();
	struct resource *r;
	err_t err;

	if (base == HANDLE_NONE) {
		struct namespace *n = process_namespace(p);
		err = n ? namespace_open(n, a, out) : ERR_NODEV;
		namespace_put(n);
		return err;
	}
	TRY(handle_find(&p->handles, base, 0, &r, NULL));
	if (a->scheme_bytes && !namespace_of(r))
		err = ERR_INVAL;
	else
		err = r->ops->open ? r->ops->open(r, a, out) : ERR_NOTDIR;
	resource_put(r);
	return err;
}

int64_t op_open(struct request *q)
{
	struct open_args a = {
		.scheme = uaddr(q->arg[0]), .scheme_bytes = q->arg[1], .ref = uaddr(q->arg[2]), .ref_bytes = q->arg[3],
		.flags = (uint32_t)q->arg[4], .mode = (uint32_t)q->arg[5], .request_flags = q->flags,
	};
	struct passed opened = {0};

	if (a.ref_bytes > REFERENCE_MAX)
		return ERR_NAMETOOLONG;
	if (!user_range_is_valid(a.ref.raw, a.ref_bytes))
		return ERR_FAULT;
	TRY(open(q->handle, &a, &opened));
	opened.flags = a.flags & (OPEN_CLOEXEC | OPEN_PRIVATE);
	return install(&opened);
}

int64_t op_close(struct request *q) { return handle_close(&process_current()->handles, q->handle); }

int64_t op_dup(struct request *q)
{
	struct handle_table *t = &process_current()->handles;
	handle_t at = (handle_t)q->arg[0];
	struct passed p;

	TRY(handle_find_passed(t, q->handle, RIGHT_DUP, &p));
	p.rights &= (uint32_t)q->arg[2];
	p.flags = q->arg[1] & DUP_CLOEXEC ? OPEN_CLOEXEC : 0;
	if (!(q->arg[1] & DUP_EXACT))
		return handle_open(t, &p, at);
	TRY(handle_replace(t, at, &p));
	return at;
}

NOINLINE static int64_t control_change(const struct request *q)
{
	struct handle_table *t = &process_current()->handles;
	const uint32_t changeable = OPEN_APPEND | OPEN_NONBLOCK;
	uint32_t value = (uint32_t)q->arg[1];
	struct resource *r;

	if (q->arg[0] == CONTROL_NEXT)
		return handle_next(t, q->handle);
	if (q->arg[0] == CONTROL_CLOEXEC)
		return handle_set_cloexec(t, q->handle, value);
	if (q->arg[0] != CONTROL_OPEN_FLAGS)
		return ERR_INVAL;
	TRY(handle_find(t, q->handle, 0, &r, NULL));
	atomic_fetch_and(&r->open_flags, ~changeable | value);
	atomic_fetch_or(&r->open_flags, changeable & value);
	resource_put(r);
	return OK;
}

int64_t op_control(struct request *q)
{
	return LIKELY(q->arg[0] == CONTROL_GET) ? handle_describe(&process_current()->handles, q->handle) : control_change(q);
}

static int64_t transfer(struct request *q, uint32_t right)
{
	struct resource *r;
	err_t err = handle_find(&process_current()->handles, q->handle, right, &r, NULL);

	if (err)
		return err == ERR_ACCES ? ERR_BADF : err;       /* POSIX: not open for reading, or writing */
	int64_t result = resource_transfer(r, right == RIGHT_WRITE, q, 0);
	resource_put(r);
	return result;
}

int64_t op_read(struct request *q) { return transfer(q, RIGHT_READ); }
int64_t op_write(struct request *q) { return transfer(q, RIGHT_WRITE); }

int64_t op_seek(struct request *q)
{
	struct resource *r;

	TRY(handle_find(&process_current()->handles, q->handle, 0, &r, NULL));
	int64_t result = resource_seek(r, (int64_t)q->arg[0], (uint32_t)q->arg[1]);
	resource_put(r);
	return result;
}

int64_t call_give_handle(struct passed *reply, int64_t result, handle_t *received)
{
	reply->flags |= OPEN_PRIVATE;
	int64_t h = install(reply);

	if (h >= 0)
		*received = (handle_t)h;
	return h < 0 && result >= 0 ? h : result;
}

int64_t call_general(struct request *q, struct resource *r, uint32_t rights, handle_t *received)
{
	struct call_args a = {
		.code = (uint32_t)q->arg[0], .rights = rights, .in = uaddr(q->arg[1]), .in_bytes = q->arg[2], .out = uaddr(q->arg[3]),
		.out_bytes = q->arg[4], .word = q->arg[5], .request_flags = q->flags,
	};
	handle_t pass = (handle_t)(q->arg[0] >> 32);
	int64_t result = ERR_FAULT;

	if (!user_range_is_valid(a.in.raw, a.in_bytes) || !user_range_is_valid(a.out.raw, a.out_bytes))
		goto put;
	if (pass != HANDLE_NONE && (result = handle_find_passed(&process_current()->handles, pass, RIGHT_SEND, &a.passed)))
		goto put;
	a.passed.flags = 0;
	result = r->ops->call ? r->ops->call(r, &a) : ERR_NOTTY;
	resource_put(a.passed.resource);
	if (a.reply.resource)
		result = call_give_handle(&a.reply, result, received);
put:
	resource_put(r);
	return result;
}

/* ---- POLL ---- */

struct poll_watch {
	struct watcher watcher;
	struct resource *resource;      /* NULL: nothing to watch */
	struct thread *thread;
	uint32_t wanted;
};

static void poll_notify(struct watcher *w, uint32_t ready)
{
	struct poll_watch *p = container_of(w, struct poll_watch, watcher);
	if (ready & (p->wanted | READY_ERROR | READY_HANGUP))
		thread_wake(p->thread);
}

/* Fills found; how many entries have something. */
static int64_t poll_look(struct poll_watch *watches, struct poll_entry *entries, size_t count)
{
	int64_t ready_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct resource *r = watches[i].resource;
		if (r)
			entries[i].found = resource_ready(r) & (entries[i].wanted | READY_ERROR | READY_HANGUP);
		ready_count += entries[i].found != 0;
	}
	return ready_count;
}

static void poll_begin(struct poll_watch *watches, struct poll_entry *entries, size_t count)
{
	struct handle_table *t = &process_current()->handles;

	for (size_t i = 0; i < count; i++) {
		handle_t h = entries[i].handle;
		entries[i].found = 0;
		if (h >= 0 && LIKELY(!handle_find(t, h, 0, &watches[i].resource, NULL)))
			continue;
		watches[i].resource = NULL;
		entries[i].found = h < 0 ? 0 : READY_INVALID;
	}
}

static void poll_watch(struct poll_watch *watches, const struct poll_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct poll_watch *w = &watches[i];
		w->watcher = (struct watcher){ .notify = poll_notify };
		w->thread = thread_current();
		w->wanted = entries[i].wanted;
		if (w->resource)
			watch_add(&w->resource->watch, &w->watcher);
	}
}

static void poll_end(struct poll_watch *watches, size_t count, bool are_watched)
{
	for (size_t i = 0; i < count; i++) {
		if (watches[i].resource && are_watched)
			watch_remove(&watches[i].resource->watch, &watches[i].watcher);
		resource_put(watches[i].resource);
	}
}

static int64_t poll_wait(struct poll_watch *watches, struct poll_entry *entries, size_t count, uint64_t deadline_ns,
                         uint32_t request_flags)
{
	uint32_t park_flags = park_flags_of(request_flags);
	bool are_watched = false;
	int64_t found;
	err_t err = OK;

	poll_begin(watches, entries, count);
	while (!(found = poll_look(watches, entries, count)) && !err) {
		/* Watching is for who must wait; it begins before the look that then counts. */
		if (are_watched || deadline_ns == DEADLINE_NOW)
			err = thread_park(deadline_ns, park_flags);
		else
			poll_watch(watches, entries, count);
		are_watched |= deadline_ns != DEADLINE_NOW;
	}
	poll_end(watches, count, are_watched);
	return found ? found : err == ERR_TIMEDOUT ? 0 : err;
}

int64_t op_poll(struct request *q)
{
	enum { EACH_BYTES = sizeof(struct poll_watch) + sizeof(struct poll_entry) };
	uint8_t small[POLL_ON_STACK * EACH_BYTES] ALIGNED(8);
	size_t count = q->arg[1], entry_bytes = count * sizeof(struct poll_entry);
	int64_t result = OK;

	if (count > POLL_MAX)
		return ERR_INVAL;
	void *block = count > POLL_ON_STACK ? heap_alloc(count * EACH_BYTES) : small;
	if (!block)
		return ERR_NOMEM;
	struct poll_entry *entries = (void *)((struct poll_watch *)block + count);
	if (count)
		result = copy_from_user(entries, uaddr(q->arg[0]), entry_bytes);
	if (!result)
		result = poll_wait(block, entries, count, q->arg[2], q->flags);
	if (count && result >= 0 && copy_to_user(uaddr(q->arg[0]), entries, entry_bytes))
		result = ERR_FAULT;
	if (block != small)
		heap_free(block, count * EACH_BYTES);
	return result;
}
