/* servers/init/order.h - in which order services are stopped: nobody before those who need him. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* USES: it can open what the other serves. NEEDS: it is not started without the other. */
enum dependence { UNRELATED, USES, NEEDS };

struct order_of {
	uint32_t count;
	bool (*is_left)(uint32_t i);                            /* to be stopped yet */
	enum dependence (*dependence)(uint32_t i, uint32_t on);
};

/* Which one is to be stopped next; count: none is left. In a circle those who only use others give way, and then who is later. */
uint32_t order_next_to_stop(const struct order_of *o) NONNULL;
