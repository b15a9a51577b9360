/* kernel/scheme/table.h - the kernel's own schemes: each a file that ends in one table of functions. */
#pragma once
#include "kernel/obj/namespace.h"
#include "kernel/obj/resource.h"
#include "lib/base/attr.h"

/* name:, as in abi/types.h's scheme names. */
#define KERNEL_SCHEMES(X) \
	X(debug) X(env) X(event) X(irq) X(mem) X(null) X(pipe) X(proc) X(ring) X(sys) X(time) X(zero)

/* One reference of a scheme; a scheme is an array of them, ended by a NULL ref. The first that fits counts. */
struct scheme_entry {
	const char *ref;                        /* a '*' at its end stands for anything */
	bool is_privileged;                     /* user 0 only */
	const struct resource_ops *ops;         /* a resource of this kind, without data, or NULL: */
	/* kind: this entry's; rest: what the '*' stands for */
	err_t (*open)(uint32_t kind, const char *rest, const struct open_args *, struct passed *out);
	uint32_t rights;                        /* for ops: more than the open flags give */
	uint32_t kind;                          /* for open */
};

#define X(name) extern const struct scheme_entry name##_scheme[];
KERNEL_SCHEMES(X)
#undef X

/* A namespace with all of them. */
err_t schemes_create_namespace(struct namespace **out) MUST_CHECK;

/* A length function for what has offsets but no end to seek from. */
int64_t no_length(struct resource *r) NONNULL;

enum { REF_MAX = 64 };
/* The reference of an OPEN of a kernel scheme, 0-terminated. NOENT: longer than any there is. */
err_t open_ref(const struct open_args *a, char ref[REF_MAX]) NONNULL MUST_CHECK;
/* For an open function: a resource as resource_create makes it, its rights by the open flags (CALL always). */
err_t open_give(const struct resource_ops *ops, void *data, const struct open_args *a, uint32_t more_rights,
                struct passed *out) MUST_CHECK;
