/* personality/linux/native.h - requests to the kernel, with the flags that lib/native's stubs leave out.
 *
 * Results are as in a reply: >= 0 or a negated error, whose numbers are Linux's too.
 */
#pragma once
#include "abi/arch/regs.h"
#include "abi/error.h"
#include "abi/ops.h"
#include "lib/base/attr.h"

/* One request; *received gets the handle that came with the reply (HANDLE_NONE: none). */
static inline int64_t native_request(enum op op, uint32_t flags, handle_t handle, uint64_t a0, uint64_t a1, uint64_t a2,
                                     uint64_t a3, uint64_t a4, uint64_t a5, handle_t *received)
{
	register uint64_t r10 __asm__("r10") = a2;
	register uint64_t r8 __asm__("r8") = a3;
	register uint64_t r9 __asm__("r9") = a4;
	register uint64_t r12 __asm__("r12") = a5;
	int64_t result = (int64_t)((uint64_t)(NATIVE_CALL_BASE + op) | (uint64_t)flags << 32);
	__asm__ volatile("syscall" : "+a"(result), "+d"(a1)
	                 : "D"((int64_t)handle), "S"(a0), "r"(r10), "r"(r8), "r"(r9), "r"(r12)
	                 : "rcx", "r11", "memory");
	*received = (handle_t)a1;
	return result;
}

static inline int64_t native(enum op op, uint32_t flags, handle_t handle, uint64_t a0, uint64_t a1, uint64_t a2,
                             uint64_t a3, uint64_t a4, uint64_t a5)
{
	handle_t ignored;
	return native_request(op, flags, handle, a0, a1, a2, a3, a4, a5, &ignored);
}

/* CALL: a protocol's operation. Pointers may be the program's: the kernel checks them. */
static inline int64_t native_call(handle_t handle, uint32_t code, uint32_t flags, const void *in, size_t in_bytes,
                                  void *out, size_t out_bytes, uint64_t word)
{
	return native(OP_CALL, flags, handle, pack_handle(code, HANDLE_NONE, false), (uint64_t)in, in_bytes,
	              (uint64_t)out, out_bytes, word);
}

/* CALL that passes a handle (or HANDLE_NONE) and may receive one. */
static inline int64_t native_call_handle(handle_t handle, uint32_t code, uint32_t flags, handle_t pass, const void *in, size_t in_bytes,
                                         void *out, size_t out_bytes, uint64_t word, handle_t *received)
{
	return native_request(OP_CALL, flags, handle, pack_handle(code, pass, false), (uint64_t)in, in_bytes,
	                      (uint64_t)out, out_bytes, word, received);
}

/* OPEN of scheme:ref in the process's namespace. */
static inline int64_t native_open(const char *scheme, size_t scheme_bytes, const char *ref, size_t ref_bytes, uint64_t open_flags)
{
	return native(OP_OPEN, 0, HANDLE_NONE, (uint64_t)scheme, scheme_bytes, (uint64_t)ref, ref_bytes, open_flags, 0);
}
#define NATIVE_OPEN(scheme, ref, flags) native_open(scheme, sizeof(scheme) - 1, ref, sizeof(ref) - 1, flags)

static inline int64_t native_close(handle_t handle)
{
	return native(OP_CLOSE, 0, handle, 0, 0, 0, 0, 0, 0);
}

/* MAP into the own space; HANDLE_NONE: demand-zero memory. */
static inline int64_t native_map(uint64_t address, uint64_t bytes, uint64_t map_flags, handle_t object, uint64_t offset)
{
	return native(OP_MAP, 0, object, address, bytes, map_flags, offset, (uint64_t)(int64_t)HANDLE_NONE, 0);
}

static inline int64_t native_unmap(uint64_t address, uint64_t bytes)
{
	return native(OP_UNMAP, 0, HANDLE_NONE, address, bytes, 0, 0, 0, 0);
}

static inline uint64_t native_clock(enum clock_id clock)
{
	return (uint64_t)native(OP_CLOCK, 0, HANDLE_NONE, clock, 0, 0, 0, 0, 0);
}
