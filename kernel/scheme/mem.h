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
/* READ, WRITE, length and MAP of whatever has its content in an object (resource_ops.content). */
int64_t content_transfer(struct resource *r, struct transfer *t) NONNULL;
int64_t content_length(struct resource *r) NONNULL;
err_t content_map(struct resource *r, struct memobj **out, uint32_t *max_prot) NONNULL;
