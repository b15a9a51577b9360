/* lib/native/handle.h - the everyday calls, with C strings and err_t.
 *
 * All of them wait as long as it takes and are not interruptible: a native program has no signals.
 */
#pragma once
#include "abi/proto/codes.h"
#include "lib/base/attr.h"
#include "lib/native/sys.h"

static inline err_t result_error(int64_t result) { return result < 0 ? (err_t)result : OK; }

/* Opens scheme:ref in the process's own namespace. The number is a private one (OPEN_PRIVATE), as native programs keep theirs. */
err_t handle_open(const char *scheme, const char *ref, uint64_t open_flags, handle_t *out) NONNULL MUST_CHECK;
/* The same in a namespace that the process holds. */
err_t handle_open_in(handle_t namespace, const char *scheme, const char *ref, uint64_t open_flags, handle_t *out) NONNULL MUST_CHECK;
/* Opens something relative to an open resource. */
err_t handle_open_at(handle_t at, const char *ref, uint64_t open_flags, handle_t *out) NONNULL MUST_CHECK;
/* HANDLE_NONE is fine. */
void handle_close(handle_t h);
/* Another handle with at most these rights (enum rights). */
err_t handle_dup(handle_t h, uint64_t rights, handle_t *out) NONNULL MUST_CHECK;
/* All of it, at the resource's own offset. */
err_t handle_write(handle_t h, const void *data, size_t bytes) NONNULL MUST_CHECK;
/* All of it, at offset. PIPE: nothing more was taken. */
err_t handle_write_at(handle_t h, const void *data, size_t bytes, uint64_t offset) NONNULL MUST_CHECK;
/* All of it, from offset. NODATA: there is less. */
err_t handle_read_at(handle_t h, void *to, size_t bytes, uint64_t offset) NONNULL MUST_CHECK;
/* CALL without handles; the result as it comes. in and out may be null when empty. */
static inline int64_t handle_call(handle_t h, enum code code, const void *in, size_t in_bytes, void *out, size_t out_bytes, uint64_t word)
{
	return sys_call(0, h, pack_handle(code, HANDLE_NONE, false), in, in_bytes, out, out_bytes, word);
}
/* CALL that passes a handle (a copy: the caller keeps its own) and nothing else. */
int64_t handle_call_pass(handle_t h, enum code code, handle_t pass, uint64_t word);
/* CALL that brings a handle back. PROTO: none came. */
err_t handle_call_get(handle_t h, enum code code, const void *in, size_t in_bytes, uint64_t word, handle_t *out) MUST_CHECK;
