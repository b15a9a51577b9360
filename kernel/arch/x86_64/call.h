/* kernel/arch/x86_64/call.h - how a native call lies in the registers (abi/arch/x86_64/regs.h). */
#pragma once
#include "abi/arch/x86_64/regs.h"
#include "abi/ops.h"
#include "lib/base/assert.h"

STATIC_ASSERT(offsetof(struct request, flags) == 4 && offsetof(struct request, handle) == 8 && offsetof(struct request, arg) == 16,
              "struct regs has a call's registers in a request's order");

/* Is it an operation of ours? Which: *op. */
static inline bool regs_is_native_call(const struct regs *r, uint32_t *op)
{
	*op = (uint32_t)r->rax & 0xffff;
	return (uint32_t)r->rax >> 16 == NATIVE_CALL_BASE >> 16;
}

/* The native call as a request (its op and tag mean nothing). It lies in r: changes of it are changes of r. */
static inline struct request *regs_request(struct regs *r) { return (struct request *)(void *)&r->rax; }

static inline void regs_set_result(struct regs *r, int64_t result) { r->rax = (uint64_t)result; }

static inline void regs_set_received(struct regs *r, handle_t h) { r->rdx = (uint64_t)(int64_t)h; }

static inline uint64_t regs_call_number(const struct regs *r) { return r->rax; }
static inline uint64_t regs_ip(const struct regs *r) { return r->rip; }
/* Goes to code of the personality instead of back: without single steps, backward strings and the like, which the program may have on.
 * What it had is in the upcall's frame or, for a reflected call, in r11. */
static inline void regs_redirect(struct regs *r, uint64_t ip)
{
	enum { STEP = 1 << 8, DIRECTION = 1 << 10, NESTED = 1 << 14, ALIGNMENT = 1 << 18 };

	r->rip = ip;
	r->rflags &= ~(uint64_t)(STEP | DIRECTION | NESTED | ALIGNMENT);
}

static inline void regs_set_argument(struct regs *r, uint64_t value) { r->rdi = value; }
