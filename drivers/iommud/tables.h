/* drivers/iommud/tables.h - pages that the IOMMU reads: translation tables and queues. Physically contiguous, behind struct domains in the
 * state object, so that they stay as long as that. Pure.
 */
#pragma once
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { TABLES_MAX = 1024, TABLE_BYTES = 4096, TABLE_WORDS = TABLE_BYTES / 8 };

struct tables {
	uint8_t *pages;                         /* TABLES_MAX of them */
	struct tables_kept {                    /* in the state object */
		uint64_t physical, offset;      /* where they begin (0: not made yet), and where in the object */
		uint8_t is_used[TABLES_MAX];
	} *kept;
};

/* A zeroed page: its physical address. NOMEM. */
err_t table_alloc(struct tables *t, uint64_t *physical) NONNULL MUST_CHECK;
void table_free(struct tables *t, uint64_t physical) NONNULL;
/* NULL: it is none of ours. */
volatile uint64_t *table_at(const struct tables *t, uint64_t physical) NONNULL;
