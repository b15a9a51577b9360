/* abi/ring.h - a ring in shared memory: requests one way, replies the other (DESIGN 3, doc/decisions/0002-rings.md).
 *
 * One memory object holds a header, `entries` requests, `entries` replies and then, between processes, data. Who asks is the
 * client; who answers is the kernel (`ring:`) or a scheme's server. Each writes only its own line of the header and its own array.
 *
 * Positions count for ever (modulo 2^32); an entry lies in the slot position % entries. The client has at most `entries` requests
 * in flight, each under a tag below `entries` that no other in flight has, and each gets exactly one reply. So neither array can run over:
 * a client that breaks this harms itself only.
 */
#pragma once
#include "abi/types.h"

enum { RING_ENTRIES_MIN = 4, RING_ENTRIES_MAX = 1024, RING_BYTES_MAX = 16 << 20 };

/* Between processes, beside the operations: a CALL of a code (arg[0]) and a word (arg[5]), without flags; the rest of it counts for nothing. */
enum { RING_BARE_CALL = 256 };

struct ring_header {
	/* The client's line. */
	_Alignas(64) _Atomic uint32_t requests_put;
	_Atomic uint32_t replies_taken;
	/* The server's line. */
	_Alignas(64) _Atomic uint32_t replies_put;
	_Atomic uint32_t is_awake;      /* it looks here by itself: nobody needs to ring (RING_WAIT) */
};
STATIC_ASSERT(sizeof(struct ring_header) == 128, "a ring's header is 128 bytes");

/* Where things lie, for a number of entries that is a power of two within the limits. */
static inline size_t ring_replies_offset(uint32_t entries) { return sizeof(struct ring_header) + entries * sizeof(struct request); }
static inline size_t ring_data_offset(uint32_t entries) { return ring_replies_offset(entries) + entries * sizeof(struct reply); }
static inline bool ring_entries_fit(uint64_t entries, uint64_t bytes)
{
	return entries >= RING_ENTRIES_MIN && entries <= RING_ENTRIES_MAX && (entries & (entries - 1)) == 0 &&
	       bytes <= RING_BYTES_MAX && ring_data_offset((uint32_t)entries) <= bytes;
}
