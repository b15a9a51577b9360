/* kernel/scheme/proc.h - processes and address spaces as resources. */
#pragma once
#include "kernel/obj/resource.h"

struct account;
struct space;
/* A new space, whose own pages payer (may be null) pays. */
err_t proc_open_space(struct account *payer, struct passed *out) MUST_CHECK;
/* The space behind a handle, borrowed; NULL: it is something else. */
struct space *space_of(struct resource *r);
/* The resource with which the first process administers all others (HANDLE_BOOT_ADMIN). */
err_t proc_create_admin(struct resource **out) MUST_CHECK;
