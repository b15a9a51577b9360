/* kernel/obj/resource.h - open resources: what handles stand for, shared by dup and fork.
 *
 * Kernel schemes and user schemes look alike here: a table of functions and one pointer. A function
 * that is NULL means the resource cannot do that (the error is in resource.c, once).
 */
#pragma once
#include "abi/error.h"
#include "abi/ops.h"
#include "abi/proto/codes.h"
#include "abi/types.h"
#include "kernel/mem/addr.h"
#include "kernel/obj/object.h"
#include "kernel/obj/watch.h"

struct memobj;
struct resource;

/* A handle on its way: what passes between tables. The resource is a reference. */
struct passed {
	struct resource *resource;      /* NULL: none */
	uint32_t rights;
	uint32_t flags;                 /* enum open_flags: CLOEXEC, PRIVATE */
};

/* One READ or WRITE. */
struct transfer {
	uaddr_t buffer;
	size_t bytes;
	uint64_t offset;                /* where; resolved. 0 for what cannot seek */
	bool at_own_offset;             /* the caller gave -1: append applies, the offset moves */
	bool is_write;                  /* else a READ */
	uint32_t request_flags;         /* enum request_flags */
	uint32_t open_flags;            /* of the resource, NONBLOCK or-ed with the request's */
};

struct call_args {
	uint32_t code;
	uint32_t rights;                /* of the handle called through */
	uint32_t request_flags;
	uaddr_t in, out;
	size_t in_bytes, out_bytes;
	uint64_t word;
	struct passed passed;           /* what the caller sent; taken by the callee if it sets it to none, else dropped after */
	struct passed reply;            /* what goes back: the callee's reference, and its rights */
};

struct open_args {
	uaddr_t scheme, ref;            /* not copied yet, but within user space */
	size_t scheme_bytes, ref_bytes;
	uint32_t flags;                 /* enum open_flags */
	uint32_t mode;
	uint32_t request_flags;
};

struct resource_ops {
	const char *name;
	size_t data_bytes;              /* not 0: data lies behind the resource, so many bytes, zero at first */
	/* All answer a count or value >= 0, or an err_t. */
	int64_t (*read)(struct resource *, struct transfer *);
	int64_t (*write)(struct resource *, struct transfer *);
	int64_t (*call)(struct resource *, struct call_args *);
	/* Opens something relative to this one: *out is a reference with its rights. */
	err_t (*open)(struct resource *, const struct open_args *, struct passed *out);
	/* The object that MAP maps, with a reference; what may be done with it in *rights (enum map_flags). */
	err_t (*map)(struct resource *, struct memobj **out, uint32_t *max_prot);
	/* Present readiness (enum ready). NULL: always readable and writable. */
	uint32_t (*ready)(struct resource *);
	/* Length for SEEK_FROM_END. NULL: cannot seek. */
	int64_t (*length)(struct resource *);
	/* Of functions in scheme/mem.h: the object they work on, borrowed. */
	struct memobj *(*content)(struct resource *);
	/* The last handle is gone. */
	void (*destroy)(struct resource *);
};

/* Members: [l] lock, [I] immutable, [a] atomic. */
struct resource {
	struct object object;
	const struct resource_ops *ops; /* [I] */
	void *data;                     /* [I] of ops */
	uint64_t id;                    /* [I] of ops */
	struct spinlock lock;           /* RANK_RESOURCE */
	uint64_t offset;                /* [l] */
	_Atomic uint32_t open_flags;    /* enum open_flags */
	struct watch_list watch;
	struct list_node link;          /* of ops' owner */
};

/* A resource with one reference. data (NULL when the ops say how long it is) is the resource's in any case: destroy gets it at once
 * when there is no memory. NOMEM. */
err_t resource_create(const struct resource_ops *ops, void *data, uint32_t open_flags, struct resource **out) MUST_CHECK;
/* As everywhere: get gives back its argument; get and put take NULL. */
static inline struct resource *resource_get(struct resource *r) { return object_get(r); }
/* The last put runs ops->destroy: under no lock of rank HANDLES or above. */
void resource_destroy(struct resource *r);
static inline void resource_put(struct resource *r)
{
	if (r && object_put(&r->object))
		resource_destroy(r);
}
/* The data of a resource of this kind; NULL for another kind (or none). */
void *resource_data(struct resource *r, const struct resource_ops *ops);

/* The READ or WRITE that q asks for. */
int64_t resource_transfer(struct resource *r, bool is_write, const struct request *q, uint32_t more_flags);
int64_t resource_seek(struct resource *r, int64_t offset, uint32_t whence);
uint32_t resource_ready(struct resource *r);
/* Tells watchers. */
static inline void resource_notify(struct resource *r, uint32_t ready) { watch_notify(&r->watch, ready); }

/* For read functions of what lies in memory whole: as much from the transfer's offset on as fits. Bytes, or FAULT. */
int64_t transfer_bytes(const struct transfer *t, const void *from, size_t bytes) NONNULL;
/* Helpers for call functions: exact-size struct in, struct out (short buffers: INVAL). */
err_t call_in(const struct call_args *a, void *to, size_t bytes) MUST_CHECK;
err_t call_out(const struct call_args *a, const void *from, size_t bytes) MUST_CHECK;
