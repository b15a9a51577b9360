/* lib/native/sys.h - one stub per operation of abi/ops.def: sys_read(flags, handle, buffer, bytes, offset) ...
 *
 * flags are enum request_flags; the result is >= 0 or a negated error. sys_call_handle also gives the handle that came back.
 */
#pragma once
#include "abi/error.h"
#include "abi/ops.h"
#include "abi/types.h"
#if defined(__x86_64__)
#include "lib/native/arch/x86_64/enter.h"
#endif

#define SYS_STUB(name) static inline int64_t sys_##name
#define OP0(n, NAME, name, doc) SYS_STUB(name)(uint32_t flags, handle_t h)                                                 \
	{ return sys_enter_3(OP_##NAME, flags, h, 0, 0, 0); }
#define OP1(n, NAME, name, t0, a0, doc) SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0)                                  \
	{ return sys_enter_3(OP_##NAME, flags, h, (uint64_t)a0, 0, 0); }
#define OP2(n, NAME, name, t0, a0, t1, a1, doc) SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0, t1 a1)                   \
	{ return sys_enter_3(OP_##NAME, flags, h, (uint64_t)a0, (uint64_t)a1, 0); }
#define OP3(n, NAME, name, t0, a0, t1, a1, t2, a2, doc) SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0, t1 a1, t2 a2)    \
	{ return sys_enter_3(OP_##NAME, flags, h, (uint64_t)a0, (uint64_t)a1, (uint64_t)a2); }
#define OP4(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, doc)                                                           \
	SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0, t1 a1, t2 a2, t3 a3)                                             \
	{ uint64_t received; return sys_enter_6(OP_##NAME, flags, h, (uint64_t)a0, (uint64_t)a1, (uint64_t)a2,             \
	                                        (uint64_t)a3, 0, 0, &received); }
#define OP5(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, doc)                                                   \
	SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0, t1 a1, t2 a2, t3 a3, t4 a4)                                      \
	{ uint64_t received; return sys_enter_6(OP_##NAME, flags, h, (uint64_t)a0, (uint64_t)a1, (uint64_t)a2,             \
	                                        (uint64_t)a3, (uint64_t)a4, 0, &received); }
#define OP6(n, NAME, name, t0, a0, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, doc)                                           \
	SYS_STUB(name)(uint32_t flags, handle_t h, t0 a0, t1 a1, t2 a2, t3 a3, t4 a4, t5 a5)                               \
	{ uint64_t received; return sys_enter_6(OP_##NAME, flags, h, (uint64_t)a0, (uint64_t)a1, (uint64_t)a2,             \
	                                        (uint64_t)a3, (uint64_t)a4, (uint64_t)a5, &received); }
#include "abi/ops.def"
#undef OP0
#undef OP1
#undef OP2
#undef OP3
#undef OP4
#undef OP5
#undef OP6
#undef SYS_STUB

/* CALL with a handle to pass (or HANDLE_NONE). *received: the handle that came back, or HANDLE_NONE. */
static inline int64_t sys_call_handle(uint32_t flags, handle_t h, uint32_t code, handle_t pass, const void *in, size_t in_bytes,
                                      void *out, size_t out_bytes, uint64_t word, handle_t *received)
{
	uint64_t rdx;
	int64_t result = sys_enter_6(OP_CALL, flags, h, pack_handle(code, pass, false), (uint64_t)in, in_bytes, (uint64_t)out, out_bytes,
	                             word, &rdx);

	*received = result < 0 ? HANDLE_NONE : (handle_t)rdx;
	return result;
}
