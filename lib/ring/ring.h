/* lib/ring/ring.h - the few lines on which the order of memory accesses in a ring depends (abi/ring.h): used by the kernel, by
 * servers and by clients.
 *
 * An array is written before the position that shows it (release), and read after (acquire). Sleeping is the other half: the server
 * says that it sleeps and then looks once more, the client puts a request and then looks whether the server sleeps; between the two halves each
 * has a full fence, so that at least one sees the other (tests/model/ring.pml). Everything of the other side's is read once
 * and checked after that.
 */
#pragma once
#include <stdatomic.h>
#include "abi/error.h"
#include "abi/ring.h"
#include "lib/base/attr.h"

/* How much the other side has put that was not taken up to `taken`. PROTO: more than there can be. */
static inline err_t ring_count(const _Atomic uint32_t *put, uint32_t taken, uint32_t most, uint32_t *count)
{
	*count = atomic_load_explicit(put, memory_order_acquire) - taken;
	return *count > most ? ERR_PROTO : OK;
}

/* Shows what was written up to position. */
static inline void ring_publish(_Atomic uint32_t *put, uint32_t position)
{
	atomic_store_explicit(put, position, memory_order_release);
}

/* Part of an entry that the other side may be changing: whoever reads it once has it for good. */
static inline uint64_t ring_word(const void *from, size_t offset)
{
	return __atomic_load_n((const uint64_t *)((const char *)from + offset), __ATOMIC_RELAXED);
}

static inline uint32_t ring_half(const void *from, size_t offset)
{
	return __atomic_load_n((const uint32_t *)(const void *)((const char *)from + offset), __ATOMIC_RELAXED);
}

static inline void ring_entry_copy(void *to, const void *from, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += sizeof(uint64_t))
		*(uint64_t *)((char *)to + at) = ring_word(from, at);
}

static inline void ring_request_copy(struct request *to, const struct request *from) { ring_entry_copy(to, from, sizeof(*to)); }
static inline void ring_reply_copy(struct reply *to, const struct reply *from) { ring_entry_copy(to, from, sizeof(*to)); }

/* ---- Sleep and wake ---- */

/* The server looks at the ring from now on, without being called. */
static inline void ring_stay_awake(struct ring_header *h)
{
	atomic_store_explicit(&h->is_awake, 1, memory_order_relaxed);
}

/* The server is going to sleep unless a last look at requests_put, after this, finds something. */
static inline void ring_fall_asleep(struct ring_header *h)
{
	atomic_store_explicit(&h->is_awake, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

/* The client has published requests: must it call the server? */
static inline bool ring_must_call(const struct ring_header *h)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&h->is_awake, memory_order_relaxed) == 0;
}
