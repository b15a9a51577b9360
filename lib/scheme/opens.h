/* lib/scheme/opens.h - what a server has open, in memory that outlives it: its next instance adopts it (ids_adopt). Pure. */
#pragma once
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { OPENS_MAX = 512 };

/* Zeroed at first. */
struct opens {
	struct opens_entry {
		uint64_t id;            /* 0: free */
		uint32_t kind, index;   /* the server's own */
	} entry[OPENS_MAX];
};

/* NFILE: too many. */
err_t opens_add(struct opens *o, uint64_t id, uint32_t kind, uint32_t index) NONNULL MUST_CHECK;
void opens_remove(struct opens *o, uint64_t id) NONNULL;
