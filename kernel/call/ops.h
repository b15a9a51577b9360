/* kernel/call/ops.h - the functions behind abi/ops.def, one per operation.
 *
 * Each answers a result >= 0 or an err_t; CALL leaves in q->handle the handle that came back (HANDLE_NONE: none).
 */
#pragma once
#include "abi/ops.h"
#include "abi/types.h"

#define OP0(n, NAME, name, doc) int64_t op_##name(struct request *q);
#define OP1(n, NAME, name, t0, a0, doc) OP0(n, NAME, name, doc)
#define OP2(n, NAME, name, t0, a0, t1, a1, doc) OP0(n, NAME, name, doc)
#define OP3(n, NAME, name, t0, a0, t1, a1, t2, a2, doc) OP0(n, NAME, name, doc)
#define OP4(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, doc) OP0(n, NAME, name, doc)
#define OP5(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, doc) OP0(n, NAME, name, doc)
#define OP6(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, doc) OP0(n, NAME, name, doc)
#include "abi/ops.def"
#undef OP0
#undef OP1
#undef OP2
#undef OP3
#undef OP4
#undef OP5
#undef OP6

/* Runs one request, however it came. NOSYS (and counted) when there is no such operation. */
int64_t call_execute(struct request *q);
