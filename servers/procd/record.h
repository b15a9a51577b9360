/* servers/procd/record.h - the engine's records of processes (struct posix_record) in memory that clients read and that outlives procd.
 *
 * A record says again what struct process says; it is written after each change that matters to either reader. Without that memory
 * (tree.records NULL) nothing is recorded.
 */
#pragma once
#include "servers/procd/tree.h"

/* Once, before the others: counts what an instance before this one left. */
void records_init(struct tree *t) NONNULL;
/* p is in the tree, and is as it will be found. */
void record_write(struct tree *t, const struct process *p) NONNULL;
/* The process of this number is out of the tree. */
void record_clear(struct tree *t, uint32_t pid) NONNULL;
/* Those there are, one after the other: after r, NULL for the first; NULL after the last. What is found may be cleared. */
struct posix_record *record_next(struct tree *t, struct posix_record *r);
/* What an instance before this one wrote about the process that started then; NULL: nothing. */
const struct posix_record *record_find(const struct tree *t, uint32_t pid, uint64_t started_ns) NONNULL;
