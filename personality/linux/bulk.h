/* personality/linux/bulk.h - requests that do not need each other's answers, in one entry of the kernel (BULK).
 *
 * Pays from about ten on that the kernel itself answers: each costs some 20 instructions less, all together some 180 more. One that goes to a
 * server costs more in a batch than alone, and what waits would hold up the others (doc/decisions/0007-fork-and-bulk.md).
 */
#pragma once
#include "personality/linux/native.h"

enum { BULK_ENTRIES = 16 };

/* What requests point to stays as it is until they were run. */
struct bulk {
	uint32_t count;                 /* that wait to be run */
	uint32_t writes;                /* which of them are WRITEs: bit by place */
	int64_t err;                    /* of the first that failed; those after it are not run */
	struct request requests[BULK_ENTRIES];
};

static inline void bulk_begin(struct bulk *b)
{
	b->count = b->writes = 0;
	b->err = 0;
}

/* Runs what waits: 0, or what the first that failed answered, this time or before. A WRITE that is cut short fails with FAULT. */
int64_t bulk_run(struct bulk *b) NONNULL MUST_CHECK;

/* The next request. When there is no more room, those that wait are run. */
static ALWAYS_INLINE void bulk_add(struct bulk *b, enum op op, handle_t handle, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
                                   uint64_t a4, uint64_t a5)
{
	if (UNLIKELY(b->count == BULK_ENTRIES))
		(void)!bulk_run(b);
	if (op == OP_WRITE)
		b->writes |= 1u << b->count;
	b->requests[b->count++] = (struct request){ .op = op, .handle = handle, .arg = { a0, a1, a2, a3, a4, a5 } };
}
