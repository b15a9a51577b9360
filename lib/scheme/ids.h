/* lib/scheme/ids.h - numbers for what a server has opened: instance, generation, index.
 *
 * A number that was removed is refused, also by the next instance of a restarted server. Zero is never a
 * number, nor is one that would be negative as int64_t. Pure: runs on the host.
 */
#pragma once
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { ID_ADOPTED_BUCKETS = 64 };

struct ids {
	struct id_slot {
		void *value;            /* NULL: free */
		uint32_t generation;
		uint32_t next_free;
	} *slots;
	uint32_t capacity, count;
	uint32_t first_free;            /* capacity when there is none */
	uint32_t instance;
	struct id_adopted *adopted[ID_ADOPTED_BUCKETS]; /* numbers of earlier instances */
};

/* instance: different for each instance of a server (its start time will do; 16 bits count). */
void ids_init(struct ids *t, uint32_t instance) NONNULL;
void ids_fini(struct ids *t) NONNULL;
/* value is not NULL. NOMEM, NFILE. */
err_t ids_add(struct ids *t, void *value, uint64_t *out) NONNULL MUST_CHECK;
/* From now on id, a number that an earlier instance gave, stands for value. NOMEM; INVAL: it is (or could be) one of ours. */
err_t ids_adopt(struct ids *t, uint64_t id, void *value) NONNULL MUST_CHECK;
/* NULL when id is not (or no longer) a number of ours. */
void *ids_find(const struct ids *t, uint64_t id) NONNULL;
void *ids_remove(struct ids *t, uint64_t id) NONNULL;
