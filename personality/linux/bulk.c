/* personality/linux/bulk.c - runs a batch and looks for what failed. */
#include "personality/linux/bulk.h"
#include "lib/base/bits.h"

int64_t bulk_run(struct bulk *b)
{
	uint32_t count = b->count, writes = b->writes;

	b->count = b->writes = 0;
	if (b->err || !count)
		return b->err;
	int64_t ran = native(OP_BULK, 0, HANDLE_NONE, (uint64_t)b->requests, count, 0, 0, 0, 0);
	/* None before the last one failed. */
	b->err = ran <= 0 ? ran : MIN_OF((int64_t)b->requests[ran - 1].arg[0], (int64_t)0);
	for (; !b->err && writes; writes &= writes - 1) {
		const struct request *q = &b->requests[__builtin_ctz(writes)];
		if (q->arg[0] != q->arg[1])
			b->err = ERR_FAULT;
	}
	return b->err;
}
