/* kernel/call/batch.c - one entry of a batch: linked, run, remembered; and BULK. */
#include "kernel/call/batch.h"
#include "kernel/call/ops.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"

enum { BULK_MAX = 256, BULK_CHUNK = 8, HISTORY = REQUEST_LINK_BACK_MAX + 1 };
/* What a result changes in an entry: handle to arg[0]. */
enum { RESULT_BYTES = offsetof(struct request, arg[1]) - offsetof(struct request, handle) };

static err_t link(const struct batch *b, struct request *q)
{
	uint32_t back = request_link_back(q->flags), argument = request_link_argument(q->flags);
	const struct batch_result *from = &b->results[(b->count - back) % HISTORY];

	if (!(q->flags & (REQUEST_LINK_HANDLE | REQUEST_LINK_ARG)))
		return OK;
	if (back == 0 || back >= HISTORY || back > b->count || argument >= ARRAY_COUNT(q->arg))
		return ERR_INVAL;
	if (from->result < 0)
		return ERR_CANCELED;
	if (q->flags & REQUEST_LINK_HANDLE)
		q->handle = from->handle != HANDLE_NONE ? from->handle : (handle_t)from->result;
	if (q->flags & REQUEST_LINK_ARG)
		q->arg[argument] = (uint64_t)from->result;
	return OK;
}

/* Batches do not nest, and what does not come back (or not to the same program) leaves nobody to go on with them. */
static bool is_refused(const struct request *q)
{
	uint32_t code = (uint32_t)q->arg[0];

	return q->op == OP_BULK || q->op == OP_EXIT || q->op == OP_THREAD_EXIT ||
	       (q->op == OP_CALL && (code == TASK_EXEC || (code >= RING_OPEN && code <= RING_CANCEL)));
}

int64_t batch_run(struct batch *b, struct request *q)
{
	uint32_t flags = q->flags;
	err_t err = b->is_stopped ? ERR_CANCELED : is_refused(q) ? ERR_INVAL : link(b, q);
	bool may_give_handle = !err && q->op == OP_CALL;
	int64_t result = err ? err : call_execute(q);

	bool goes_aside = false;

	if (UNLIKELY(result < 0)) {
		goes_aside = result == ERR_AGAIN && flags & REQUEST_ASIDE;
		b->is_stopped |= !goes_aside && !(flags & REQUEST_GO_ON);
	}
	if (!may_give_handle && !goes_aside)
		q->handle = HANDLE_NONE;
	b->results[b->count++ % HISTORY] = (struct batch_result){ .result = result, .handle = q->handle };
	return result;
}

int64_t op_bulk(struct request *q)
{
	struct request chunk[BULK_CHUNK];
	struct batch b = {0};
	size_t count = q->arg[1];

	if (count > BULK_MAX)
		return ERR_INVAL;
	while (b.count < count && !b.is_stopped) {
		struct request *entry = &chunk[b.count % BULK_CHUNK];
		uaddr_t at = uaddr(q->arg[0] + b.count * sizeof(*entry));
		err_t err = entry == chunk ? copy_from_user(chunk, at, MIN_OF(count - b.count, (size_t)BULK_CHUNK) * sizeof(*entry)) : OK;
		if (err)
			return b.count ? (int64_t)b.count : err;
		entry->arg[0] = (uint64_t)batch_run(&b, entry);
		TRY(copy_to_user(uaddr(at.raw + offsetof(struct request, handle)), &entry->handle, RESULT_BYTES));
		if (atomic_load(&thread_current()->attention) & ATTENTION_KILL)
			return ERR_INTR;
		if (entry == chunk)
			preempt_point();
	}
	return b.count;
}
