/* servers/init/order.c */
#include "servers/init/order.h"

/* Does somebody who is left depend on i this much? */
static bool is_wanted(const struct order_of *o, uint32_t i, enum dependence least)
{
	for (uint32_t j = 0; j < o->count; j++)
		if (j != i && o->is_left(j) && o->dependence(j, i) >= least)
			return true;
	return false;
}

uint32_t order_next_to_stop(const struct order_of *o)
{
	uint32_t last = o->count;

	for (int least = USES; least <= NEEDS; least++)
		for (uint32_t i = o->count; i-- > 0;) {
			if (!o->is_left(i))
				continue;
			if (last == o->count)
				last = i;
			if (!is_wanted(o, i, (enum dependence)least))
				return i;
		}
	return last;
}
