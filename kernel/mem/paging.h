/* kernel/mem/paging.h - one address space's page tables; implemented per cpu.
 *
 * Tables are plain frames. A user entry is absent, or holds a frame, its protection and
 * two software bits: ANON (the frame belongs to this space's anonymous layer and is reference
 * counted by it; else it is borrowed from a memory object, which holds a reference too) and, for memory without any
 * access (PROT_NONE), "present for us but not for the CPU". The caller holds the space's lock,
 * and does the TLB shootdown after taking rights away. Table frames are charged by the caller's account
 * through frame_alloc's argument (null: the kernel's own).
 */
#pragma once
#include "abi/error.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

#define PAGE_TABLE_BYTES (2ull << 20)   /* what a table of pages maps */
struct account;
struct page_tables {
	paddr_t root;
	uint64_t table_frames;          /* how many frames the tables hold, root included, but for */
	uint64_t shared_count;          /* tables of pages that other spaces show too, or did */
	struct list_node tables;        /* the frames of table_frames */
};

/* Values are free: with these x86 encodes most of them as they are. */
enum page_flags {
	PAGE_READ = 1 << 0, PAGE_WRITE = 1 << 1, PAGE_EXEC = 1 << 2,   /* none: kept but inaccessible */
	PAGE_WRITE_COMBINING = 1 << 3, PAGE_UNCACHED = 1 << 3 | 1 << 4,
	PAGE_ANON = 1 << 9,             /* software: owned by the anonymous layer */
	PAGE_DEVICE = 1 << 10,          /* software: no struct frame, never counted */
};

struct page_entry {
	paddr_t frame;
	uint32_t flags;                 /* enum page_flags */
};

/* A new empty user half over the shared kernel half. NOMEM. */
err_t paging_create(struct page_tables *p, struct account *a) MUST_CHECK;
/* Frees the table frames; every user entry must have been removed. */
void paging_destroy(struct page_tables *p);
/* Sets an entry (present or not before). NOMEM: a table could not be had, no entry changed. */
err_t paging_set(struct page_tables *p, struct account *a, uint64_t address, struct page_entry e) MUST_CHECK;
/* Sets those of count entries from address on that are absent, have a frame (not 0), and lie in the leaf table of address,
 * if that exists. The mask of those set. count: up to 32. */
uint32_t paging_fill(struct page_tables *p, uint64_t address, const paddr_t *frames, uint32_t flags, uint32_t count) NONNULL;
/* The entry at address; false when absent. */
bool paging_get(const struct page_tables *p, uint64_t address, struct page_entry *out) NONNULL;
/* A walk over the entries that are there in [next, end), at most USER_MAX: begun with tables, next and end. Entries may be set
 * meanwhile; the one found last may be replaced or (flags 0, frame 0) taken out. */
struct page_walk {
	struct page_tables *tables;
	uint64_t next, end;             /* what is left to be seen */
	uint64_t address;               /* of the entry found last, or near it */
	uint64_t *slot;                 /* its place, the implementation's; null at first */
};
/* The next entry that is there; false: no more. */
bool paging_next(struct page_walk *w, struct page_entry *e) NONNULL;
void paging_replace(struct page_walk *w, struct page_entry e) NONNULL;
/* Takes out up to room of the next entries without the flag keep (PAGE_ANON; 0: any), to *frames. How many; 0: no more. */
uint32_t paging_take(struct page_walk *w, uint32_t keep, uint32_t room, paddr_t *frames) NONNULL;
/* For fork: entries with PAGE_ANON that are left to be seen appear in `to` at the same addresses, and none may be written any more, here or there
 * (a shootdown is due). Each gets a reference to its frame; or, if whole, tables that lie in the range with all they map are shared as they are,
 * whatever is in them. *count grows by how many entries. NOMEM: some did. */
err_t paging_share(struct page_walk *w, struct page_tables *to, struct account *a, bool whole, uint64_t *count) MUST_CHECK;
/* Of the next shared table the space has a copy of its own (or drop: no table) from now on; *left is the old one (its place w->address), to be put
 * after a shootdown. Those that no other has any more just cease to be shared. 0: there is no more. NOMEM. */
err_t paging_unshare(struct page_walk *w, struct account *a, bool drop, paddr_t *left) MUST_CHECK;
/* Gives back a space's reference to a shared table; the last one's gives back what it holds. */
void paging_table_put(paddr_t table);
/* Takes out the tables that hold nothing in [start, end): their frames go on the list (free_link), to be put after
 * a shootdown of everything, since CPUs remember tables too. */
void paging_trim(struct page_tables *p, uint64_t start, uint64_t end, struct list_node *out) NONNULL;
/* Makes these tables the CPU's (NULL: the kernel's own, without a user half). */
void paging_load(const struct page_tables *p);
/* Drops all user entries of this CPU's TLB. */
void paging_flush_all(void);
/* A page of device registers (interrupt controllers) as the kernel sees it, uncached. NULL: it is out of reach, above 4 GiB. */
void *paging_map_device(paddr_t start);
