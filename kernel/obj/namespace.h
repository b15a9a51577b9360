/* kernel/obj/namespace.h - what scheme names a process can open. */
#pragma once
#include "abi/error.h"
#include "kernel/obj/object.h"
#include "kernel/obj/resource.h"
#include "lib/base/attr.h"

struct namespace;
enum { SCHEME_NAME_MAX = 32 };

/* Empty, one reference. */
err_t namespace_create(struct namespace **out) MUST_CHECK;
/* n, which may be NULL. */
struct namespace *namespace_get(struct namespace *n);
void namespace_put(struct namespace *n);
/* Opening `name:ref` is ops->open of the root resource bound to the name. Eats nothing: takes its own reference. */
err_t namespace_bind(struct namespace *n, const char *name, size_t name_bytes, struct resource *root) NONNULL MUST_CHECK;
/* OPEN in it. NODEV: no such scheme here. */
err_t namespace_open(struct namespace *n, const struct open_args *a, struct passed *out) NONNULL MUST_CHECK;
/* As a resource (sys:namespace): NS_ codes, and OPEN. */
err_t namespace_resource(struct namespace *n, struct resource **out) NONNULL MUST_CHECK;
struct namespace *namespace_of(struct resource *r);
