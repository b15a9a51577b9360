/* servers/procd/load.h - load averages: how many threads wanted to run, lately.
 *
 * Brought up to date when somebody asks: each 5 s that passed counts with the number running now. That costs nothing when nobody looks.
 */
#pragma once
#include <stdint.h>

struct load {
	uint64_t average[3];            /* over 1, 5 and 15 minutes; 16 fractional bits */
	uint64_t until_ns;              /* counted up to here */
};

/* running: threads now, without who asks. */
void load_update(struct load *l, uint64_t now_ns, uint32_t running);
