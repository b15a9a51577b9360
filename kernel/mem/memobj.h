/* kernel/mem/memobj.h - memory objects: pages that can be mapped, read and written.
 *
 * Four kinds: anonymous (missing pages read as zero), a copy-on-write clone of a window of another object that is
 * anonymous or physical, physical (device memory or the initfs image: fixed frames),
 * and paged (missing pages are asked of a scheme). Length is in bytes; the rest of the last page is zero.
 *
 * Lock: memobj.lock (RANK_MEMOBJ). A clone shares the frames that were there when it was made: both mark them, and the first write to
 * either copies. The pages of a physical parent must not be changed.
 * Whoever takes pages away (resize, punch, clone) holds no lock of RANK_SPACE or later: mappings are changed too.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/kernel.h"
#include "kernel/mem/addr.h"
#include "kernel/obj/object.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct account;
struct dma_piece;
struct scheme;
struct memobj;
struct space;

/* Anonymous, of length bytes; its pages are charged to a. NOMEM. */
err_t memobj_create(uint64_t bytes, struct account *a, struct memobj **out) MUST_CHECK;
/* Over [start, start + bytes): page-aligned. RAM frames there keep being owned by the caller (initfs) and never freed: who asks for others
 * than the kernel must not get any of the allocator's (scheme/mem.c). NOMEM, INVAL. */
err_t memobj_create_physical(paddr_t start, uint64_t bytes, enum mem_cache cache, struct memobj **out) MUST_CHECK;
/* A clone of [offset, offset + bytes) of parent; later writes to either are not seen by the other. NOMEM, INVAL
 * (also: it is paged, of which a private mapping is as good). */
err_t memobj_create_clone(struct memobj *parent, uint64_t offset, uint64_t bytes, struct account *a, struct memobj **out) MUST_CHECK;
/* Missing pages: ask(context, page_offset) is called without locks, by a thread that needs the page; it fills the page with
 * memobj_supply or returns an error. Charged to a. NOMEM. */
err_t memobj_create_paged(uint64_t bytes, struct account *a, err_t (*ask)(void *context, struct memobj *m, uint64_t offset),
                          void (*drop)(void *context), void *context, struct memobj **out) MUST_CHECK;
/* Appends physically contiguous zeroed pages (2^FRAME_ORDER_MAX at most) to an anonymous object; where they lie. flags: enum frame_flags.
 * NOMEM: then perhaps some; INVAL. */
err_t memobj_append(struct memobj *m, uint64_t pages, uint32_t flags, paddr_t *out) NONNULL MUST_CHECK;
/* Holds on, as long as keeper lives, under page numbers from at on (below 2^48), to the frames that pages from start (bytes) on of from, or (NULL) of
 * space, have now, as far as they are contiguous: piece->bytes says how much at most and how much it is. write: such as are from's own.
 * INVAL (physical, paged: nobody is waited for), EXIST, and as memobj_page or space_page: none is kept. */
err_t memobj_keep(struct memobj *keeper, uint64_t at, struct memobj *from, struct space *space, uint64_t start, bool write, struct dma_piece *piece) MUST_CHECK;
void memobj_unkeep(struct memobj *keeper, uint64_t at, uint64_t count) NONNULL;
/* m, which may be NULL in both. */
struct memobj *memobj_get(struct memobj *m);
void memobj_put(struct memobj *m);

/* The frame for the page at offset, with a reference for the caller: this object's own, safe to change until it is cloned, or
 * (to be read) what is found, for a hole the shared zero frame. May wait for a pager. NOMEM, RANGE (beyond the end), IO (pager), INTR. */
err_t memobj_page(struct memobj *m, uint64_t offset, bool write, paddr_t *out) NONNULL MUST_CHECK;
/* Gives back pages that a pager can bring again, about count of them: how many. 0 when memory is not
 * short. Nobody's locks are held. */
uint64_t memobj_reclaim(uint64_t count);
/* Pager: fills the page at offset from kernel memory or (NULL) zeroes, unless it is there already. INVAL (not paged), RANGE, NOMEM. */
err_t memobj_supply(struct memobj *m, uint64_t offset, const void *page) MUST_CHECK;

/* Byte copies between an object and the current process's memory. *done counts what was copied, also on an error
 * (FAULT, NOMEM, IO). Reading stops at the end; writing grows the object (append: at its end, atomically; the place in *offset). FBIG, PERM: sealed; NOSPC: no memory. */
err_t memobj_read(struct memobj *m, uint64_t offset, uaddr_t to, size_t bytes, size_t *done) NONNULL MUST_CHECK;
err_t memobj_write(struct memobj *m, uint64_t *offset, bool append, uaddr_t from, size_t bytes, size_t *done) NONNULL MUST_CHECK;
uint64_t memobj_bytes(struct memobj *m) NONNULL;
/* Grows or cuts; cut pages vanish from every mapping too (their next touch is FAULT: SIGBUS). NOMEM, INVAL (physical). */
err_t memobj_resize(struct memobj *m, uint64_t bytes) NONNULL MUST_CHECK;
/* Anonymous, of exactly this length: brings every page in and lets none go any more: who maps it has it for good, whatever others with a
 * handle do (resize, punch and clone are PERM). INVAL: another kind or length; NOMEM: sealed, but not all is there. */
err_t memobj_seal(struct memobj *m, uint64_t bytes) NONNULL MUST_CHECK;
err_t memobj_punch(struct memobj *m, uint64_t offset, uint64_t bytes) NONNULL MUST_CHECK;
/* The first offset from this one on where a page may be that is not a hole. NXIO. */
int64_t memobj_next_data(struct memobj *m, uint64_t offset) NONNULL MUST_CHECK;
void memobj_info(struct memobj *m, struct mem_info *out) NONNULL;
