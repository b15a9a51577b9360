/* lib/net/state.h - what one instance of a network driver leaves for the next: who has what open, the filter, the statistics (internal to lib/net).
 *
 * It lies in the memory object that the supervisor keeps (handle "state"), which only this driver's instances write. A broken one did
 * write it: what is read from it is checked.
 */
#pragma once
#include "abi/proto/ethernet.h"
#include "lib/scheme/opens.h"

/* Of struct opens_entry: kind has open flags and these, index the queue or the tap's snap length. */
enum { NET_OPEN_TAP = 1 << 8, NET_OPEN_RING = 1 << 9 };

struct net_state {
	uint64_t magic;
	uint32_t link, reserved;
	struct ethernet_statistics statistics;
	struct ethernet_filter filter;
	struct opens opens;
};

/* Taken over when it makes sense, else emptied. */
void net_state_init(struct net_state *s) NONNULL;
