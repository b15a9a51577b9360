/* servers/unixd/names.h - the table of names: plain code, which the host tests too. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/kernel.h"
#include "abi/types.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

enum { NAMES_MAX = 4096, NAMES_PER_USER = 1024, NAME_BUCKETS = 256, NAME_MADE_BYTES = 6 };

struct name {
	struct list_node link;          /* of its bucket */
	handle_t socket;                /* a write end of its pipe: ours */
	uint32_t uid, bytes;
	char text[PIPE_NAME_MAX];
};

struct names {
	struct list_node buckets[NAME_BUCKETS];
	uint32_t count;
	uint32_t next_made;             /* where the search for a free name of our own begins */
	/* From outside: is the socket still there? And: it is not needed any more. */
	bool (*is_alive)(handle_t socket);
	void (*drop)(handle_t socket);
};

void names_init(struct names *n, bool (*is_alive)(handle_t), void (*drop)(handle_t)) NONNULL;
/* The socket with this name, borrowed. CONNREFUSED. */
err_t names_find(struct names *n, const char *text, size_t bytes, handle_t *out) NONNULL MUST_CHECK;
/* On OK the socket is the table's, and *out has its name: text, or (bytes 0) a free one of five hexadecimal digits after a 0.
 * INVAL: too long; ADDRINUSE; NOSPC; NOMEM. */
err_t names_add(struct names *n, const char *text, size_t bytes, uint32_t uid, handle_t socket, const struct name **out) NONNULL MUST_CHECK;
