/* kernel/call/batch.c - an entry of a batch that is not a plain one; and BULK. */
#include "kernel/call/batch.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "lib/base/bits.h"

enum { BULK_MAX = 256, BULK_CHUNK = 12 };

static err_t link(const struct batch *b, uint32_t n, struct request *q)
{
	uint32_t back = request_link_back(q->flags), argument = request_link_argument(q->flags), from = (n - back) % BATCH_HISTORY;

	if (!(q->flags & (REQUEST_LINK_HANDLE | REQUEST_LINK_ARG)))
		return OK;
	if (back == 0 || back >= BATCH_HISTORY || back > n || argument >= ARRAY_COUNT(q->arg))
		return ERR_INVAL;
	if (b->results[from] < 0)
		return ERR_CANCELED;
	if (q->flags & REQUEST_LINK_HANDLE)
		q->handle = b->handles[from] != HANDLE_NONE ? b->handles[from] : (handle_t)b->results[from];
	if (q->flags & REQUEST_LINK_ARG)
		q->arg[argument] = (uint64_t)b->results[from];
	return OK;
}

/* Batches do not nest, and what does not come back (or not to the same program) leaves nobody to go on with them. */
static bool is_refused(const struct request *q)
{
	uint32_t code = (uint32_t)q->arg[0];

	return q->op == OP_BULK || q->op == OP_EXIT || q->op == OP_THREAD_EXIT ||
	       (q->op == OP_CALL && (code == TASK_EXEC || (code >= RING_OPEN && code <= RING_CANCEL)));
}

int64_t batch_run_any(const struct batch *b, uint32_t n, struct request *q)
{
	err_t err = !b->plain_ops ? ERR_CANCELED : is_refused(q) ? ERR_INVAL : link(b, n, q);

	if (!err)
		return call_execute(q->op, q);
	q->handle = HANDLE_NONE;
	return err;
}

/* The user's array is read once, some entries at a time, and written as they end: what is told there is not looked at again. */
int64_t op_bulk(struct request *q)
{
	struct request chunk[BULK_CHUNK], *at = (struct request *)q->arg[0];
	size_t count = q->arg[1], n = 0;
	struct batch b;

	if (count > BULK_MAX)
		return ERR_INVAL;
	b.plain_ops = batch_plain_ops;
	while (n < count) {
		size_t end = MIN_OF(n + BULK_CHUNK, count);
		if (n)
			preempt_point();
		err_t err = copy_from_user(chunk, uaddr((uint64_t)at), (end - n) * sizeof(*at));
		if (err)
			return n ? (int64_t)n : err;
		for (struct request *entry = chunk; n < end; n++, entry++, at++) {
			int64_t result = batch_run(&b, (uint32_t)n, entry);
			if (UNLIKELY(result < 0) && !b.plain_ops)
				count = end = n + 1;
			if (!arch_store_user_both(&at->handle, b.handles[n % BATCH_HISTORY], &at->arg[0], (uint64_t)result))
				return ERR_FAULT;
			if (atomic_load(&thread_current()->attention) & ATTENTION_KILL)
				return ERR_INTR;
		}
	}
	return n;
}
