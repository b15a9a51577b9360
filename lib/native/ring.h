/* lib/native/ring.h - rings for programs: many requests with few calls of the kernel, or none (doc/howto/rings.md).
 *
 * ring_open makes one with the kernel or with the server of an open thing; ring_put (lib/ring/client.h) adds requests, ring_wait
 * waits for replies, ring_take takes them. Rights are checked once, when the ring is opened; after that whoever may
 * write to its memory may ask for what the handle allows, in nobody's name (lib/scheme/scheme.h). One thread at a time.
 */
#pragma once
#include "abi/proto/ring.h"
#include "lib/ring/client.h"

/* A ring on h: `ring:` of the kernel, or something open of a user scheme. entries: a power of two (abi/ring.h), data_bytes for
 * offsets in requests to refer to. Needs mem: in the namespace. h is borrowed and outlives the ring. NOTTY: its server
 * has no rings, or must know who asks; INVAL, NOMEM. */
err_t ring_open(struct ring *r, handle_t h, uint32_t entries, size_t data_bytes) NONNULL MUST_CHECK;
/* Other sizes: the ring must be at rest (nothing in flight), else BUSY. Data is lost. On an error the old ring stays. */
err_t ring_resize(struct ring *r, uint32_t entries, size_t data_bytes) NONNULL MUST_CHECK;
/* The server lets go of it; what is in flight is cancelled or answered to nobody. */
void ring_close(struct ring *r) NONNULL;
/* Shows the server what was put, without waiting for replies. Calls it if it sleeps. */
void ring_submit(struct ring *r) NONNULL;
/* The same, and waits until a reply can be taken. NODATA: nothing is in flight. INTR: when request_flags say so. A lost ring is
 * no error here: ring_take gives every request's reply then. */
err_t ring_wait(struct ring *r, uint32_t request_flags) NONNULL MUST_CHECK;
/* Shows what was put, and asks that the ring's handle be ready (READY_PRIORITY, for poll and event queues) from the next reply on, until this
 * is asked again. AGAIN: there is something to take now. */
err_t ring_arm(struct ring *r) NONNULL MUST_CHECK;
/* Asks that what is in flight under tag end soon; its reply comes as always. SRCH: it is finished or was never waiting. */
err_t ring_cancel(struct ring *r, uint32_t tag) NONNULL MUST_CHECK;
