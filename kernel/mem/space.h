/* kernel/mem/space.h - address spaces: regions over memory objects, with an anonymous layer.
 *
 * The anonymous layer lives in the page tables: an entry with PAGE_ANON owns a reference to its frame. Fork shares those frames read-only, some
 * with the table they are in (arch paging.c); the first write to a frame with more than one reference, in a table of the space's own, copies it.
 * A region is a range with one protection, object and offset; neighbours that continue each other are merged.
 *
 * Lock: space.lock (RANK_SPACE). Never held while a pager is asked or user memory is touched by its address; bytes that
 * go into a space through the direct map are copied under it, so that no fork comes between.
 */
#pragma once
#include "abi/error.h"
#include "abi/types.h"
#include "kernel/mem/addr.h"
#include "kernel/obj/object.h"
#include "lib/base/attr.h"

struct account;
struct memobj;
struct space;
struct task_region;

err_t space_create(struct account *a, struct space **out) MUST_CHECK;
/* s, which may be NULL in both. */
struct space *space_get(struct space *s);
/* The last reference frees everything mapped. Not under any lock. */
void space_put(struct space *s);
/* A copy-on-write copy. NOMEM: nothing remains of it. */
err_t space_fork(struct space *s, struct account *a, struct space **out) MUST_CHECK;

/* Maps bytes (rounded up to pages) of obj from offset (NULL: demand-zero). address: a hint, or exact with MAP_FIXED or MAP_NOREPLACE. max_prot limits
 * later space_protect (enum map_flags). INVAL, NOMEM, EXIST, ACCES. On OK the region holds its own reference to obj. */
err_t space_map(struct space *s, uint64_t address, uint64_t bytes, uint32_t map_flags, uint32_t max_prot,
                struct memobj *obj, uint64_t offset, uint64_t *out) MUST_CHECK;
err_t space_unmap(struct space *s, uint64_t address, uint64_t bytes) NONNULL MUST_CHECK;
/* NOMEM: not all of it is mapped. ACCES: beyond max_prot. */
err_t space_protect(struct space *s, uint64_t address, uint64_t bytes, uint32_t map_flags) NONNULL MUST_CHECK;
err_t space_remap(struct space *s, uint64_t address, uint64_t bytes, uint64_t new_bytes, uint32_t remap_flags,
                  uint64_t new_address, uint64_t *out) NONNULL MUST_CHECK;
err_t space_advise(struct space *s, uint64_t address, uint64_t bytes, uint32_t advice) NONNULL MUST_CHECK;

/* Resolves a fault at address (fault_flags: enum in arch.h, FAULT_WRITE, FAULT_EXECUTE). May wait for a pager when wait; else AGAIN.
 * FAULT: nothing mapped. ACCES: not allowed. RANGE: beyond the object's end (SIGBUS). NOMEM, IO, INTR. */
err_t space_fault(struct space *s, uint64_t address, uint32_t fault_flags, bool wait) NONNULL MUST_CHECK;

/* The object and offset that a futex at address in shared memory means; *obj NULL for private memory (then the key is space and address). */
err_t space_futex_key(struct space *s, uint64_t address, struct memobj **obj_with_ref, uint64_t *offset) NONNULL MUST_CHECK;

/* Copies between two spaces' memory, or (to is NULL) from a space's to kernel memory, page by page through the direct map. wait as in space_fault.
 * *done counts also on an error. */
err_t space_copy(struct space *to, uint64_t to_address, struct space *from, uint64_t from_address, size_t bytes, bool wait, size_t *done) __attribute__((nonnull(3))) MUST_CHECK;
/* The frame that the space has at address, with a reference: to be written, its own. FAULT also for what is no RAM; else as space_fault. */
err_t space_page(struct space *s, uint64_t address, bool write, bool wait, paddr_t *out) NONNULL MUST_CHECK;

/* Called by the scheduler around a switch: makes the tables current on this CPU, and notes which CPUs have them loaded (for shootdowns).
 * NULL: the kernel's own tables. */
void space_switch(struct space *from, struct space *to);

struct space_info { uint64_t mapped_bytes, resident_bytes, table_bytes; };
void space_get_info(struct space *s, struct space_info *out) NONNULL;
/* Describes the region at or after address, for /proc/PID/maps; false when there is none. */
bool space_region_info(struct space *s, uint64_t address, struct task_region *out) NONNULL;
