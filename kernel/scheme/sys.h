/* kernel/scheme/sys.h - accounts as resources. */
#pragma once
#include "kernel/obj/resource.h"

struct account;
/* The account behind a handle, borrowed; NULL: it is something else. */
struct account *account_of(struct resource *r);
