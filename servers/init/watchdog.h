/* servers/init/watchdog.h - when a server that does not answer is as good as dead. Pure.
 *
 * Every `limit` seconds init asks it something (an OPEN of one of its schemes, in turn); any answer will do. It is stuck when it has owed the
 * answer for `limit` seconds and has finished nothing else in that time: a server that is busy, however slow, is not. One that finishes
 * others' requests but leaves ours is stuck after ten times as long.
 * Ticks are counted, not seconds: when init itself did not run for long, nobody else can be blamed.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

enum { WATCHDOG_PATIENCE = 10 };

enum watchdog_verdict { WATCHDOG_FINE, WATCHDOG_ASK, WATCHDOG_STUCK };

struct watchdog {
	uint32_t quiet, owed, idle;     /* in ticks: since the last answer; since the question; of that, without anything finished */
	uint64_t finished;              /* as it was at the last tick */
};

void watchdog_reset(struct watchdog *w) NONNULL;
/* A second has passed. owes: a question is not answered; finished: how many requests it has finished, ever. */
enum watchdog_verdict watchdog_tick(struct watchdog *w, uint32_t limit, bool owes, uint64_t finished) NONNULL;
