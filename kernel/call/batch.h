/* kernel/call/batch.h - requests run one after another in one entry of the kernel: BULK's array, and what lies on a ring.
 *
 * A batch remembers the last results, for the entries that are linked to them, and whether an error stopped it.
 */
#pragma once
#include "kernel/call/ops.h"

enum { BATCH_HISTORY = REQUEST_LINK_BACK_MAX + 1 };

/* To begin one, or to go on after an error, plain_ops is set to batch_plain_ops. */
struct batch {
	int64_t results[BATCH_HISTORY];         /* of entry n: in place n % BATCH_HISTORY */
	handle_t handles[BATCH_HISTORY];        /* that came with them, or HANDLE_NONE */
	uint64_t plain_ops;                     /* 0: an entry failed that had no REQUEST_GO_ON; the others are cancelled */
};

/* Operations that any entry may ask for, and with whose result no handle comes. */
static const uint64_t batch_plain_ops = (0
#define OP(n, NAME, name, doc) | 1ull << n
#include "abi/ops.def"
	) & ~(1ull << OP_CALL | 1ull << OP_BULK | 1ull << OP_EXIT | 1ull << OP_THREAD_EXIT);

/* Runs an entry that is linked, a CALL (q->handle is then what came with the result, or HANDLE_NONE), or not to be run. */
int64_t batch_run_any(const struct batch *b, uint32_t n, struct request *q) NONNULL;

/* Runs entry n, and remembers its result. */
static ALWAYS_INLINE int64_t batch_run(struct batch *b, uint32_t n, struct request *q)
{
	/* One look at op and flags: no links, and op is a bit's number. */
	uint64_t word = *(const uint64_t *)q, rare = (uint64_t)(REQUEST_LINK_HANDLE | REQUEST_LINK_ARG) << 32 | (uint32_t)~63;
	bool is_plain = LIKELY(!(word & rare)) && LIKELY(b->plain_ops >> q->op & 1);
	int64_t result = LIKELY(is_plain) ? operations[q->op](q) : batch_run_any(b, n, q);

	b->handles[n % BATCH_HISTORY] = LIKELY(is_plain) || q->op != OP_CALL ? HANDLE_NONE : q->handle;
	b->results[n % BATCH_HISTORY] = result;
	if (UNLIKELY(result < 0) && !(q->flags & REQUEST_GO_ON) && !(result == ERR_AGAIN && q->flags & REQUEST_ASIDE))
		b->plain_ops = 0;
	return result;
}
