/* servers/init/watchdog.c */
#include "servers/init/watchdog.h"

void watchdog_reset(struct watchdog *w)
{
	w->quiet = w->owed = w->idle = 0;
}

enum watchdog_verdict watchdog_tick(struct watchdog *w, uint32_t limit, bool owes, uint64_t finished)
{
	bool has_finished = finished != w->finished;

	w->finished = finished;
	if (limit == 0)
		return WATCHDOG_FINE;
	if (!owes) {
		w->owed = w->idle = 0;
		if (++w->quiet < limit)
			return WATCHDOG_FINE;
		w->quiet = 0;
		return WATCHDOG_ASK;
	}
	w->owed++;
	w->idle = has_finished ? 0 : w->idle + 1;
	if (w->idle < limit && w->owed / WATCHDOG_PATIENCE < limit)
		return WATCHDOG_FINE;
	watchdog_reset(w);
	return WATCHDOG_STUCK;
}
