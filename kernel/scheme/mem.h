/* kernel/scheme/mem.h - memory objects as resources. */
#pragma once
#include "kernel/mem/memobj.h"
#include "kernel/obj/resource.h"

struct account;

/* The object behind a mem: handle, borrowed; NULL: it is something else. */
struct memobj *memobj_of(struct resource *r);
/* A handle's resource for an object: takes its own reference. */
err_t memobj_resource(struct memobj *m, struct resource **out) NONNULL MUST_CHECK;
/* OPEN of a new object of this length, which payer pays. */
err_t mem_open_new(struct account *payer, uint64_t bytes, const struct open_args *a, struct passed *out) MUST_CHECK;
/* READ, WRITE and MAP of whatever is backed by an object: its bytes, or an err_t. */
int64_t memobj_transfer(struct memobj *m, struct transfer *t) NONNULL;
err_t memobj_give_map(struct memobj *m, struct memobj **out, uint32_t *max_prot) NONNULL;
