/* kernel/call/ops.h - the functions behind abi/ops.def, one per operation.
 *
 * Each answers a result >= 0 or an err_t; CALL leaves in q->handle the handle that came back (HANDLE_NONE: none).
 */
#pragma once
#include "abi/ops.h"
#include "abi/types.h"

#define OP(n, NAME, name, doc) int64_t op_##name(struct request *q);
#include "abi/ops.def"

/* Runs one request, however it came. NOSYS (and counted) when there is no such operation. */
int64_t call_execute(struct request *q);
