/* kernel/scheme/proc.h - processes and address spaces as resources. */
#pragma once
#include "kernel/obj/resource.h"

struct space;
/* The space behind a handle, borrowed; NULL: it is something else. */
struct space *space_of(struct resource *r);
/* The resource with which the first process administers all others (HANDLE_BOOT_ADMIN). */
err_t proc_create_admin(struct resource **out) MUST_CHECK;
