/* kernel/call/batch.h - requests run one after another in one entry of the kernel: BULK's array, and what lies on a ring.
 *
 * A batch remembers the last results, for the entries that are linked to them, and whether an error stopped it.
 */
#pragma once
#include "abi/types.h"
#include "lib/base/attr.h"

/* All zero: a new one. */
struct batch {
	struct batch_result {
		int64_t result;
		handle_t handle;        /* that came with it, or HANDLE_NONE */
	} results[REQUEST_LINK_BACK_MAX + 1];
	uint32_t count;                 /* entries that were run; the last ones' results are in results[n % (REQUEST_LINK_BACK_MAX + 1)] */
	bool is_stopped;                /* an entry failed that had no REQUEST_GO_ON: the others are cancelled */
};

/* Runs the next entry and remembers its result; q->handle is then what came with it, or HANDLE_NONE. */
int64_t batch_run(struct batch *b, struct request *q) NONNULL;
