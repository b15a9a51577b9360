/* lib/native/fiber.h - functions that wait in the middle while the one thread goes on with something else.
 *
 * A fiber is a stack of its own in the same thread: it runs when somebody calls fiber_run, until it calls fiber_pause or ends. So a server that asks others
 * can be written as if it were alone, and serves many at a time. Nothing runs at the same time as anything else: there are no locks.
 * Not thread-safe; fibers do not run each other.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct fiber {
	void *stack_pointer;            /* while it does not run */
	void (*run)(void *context);
	void *context;
	bool is_over;
};

/* It does not begin before fiber_run. The stack (whole pages; a page below it is not there, so that its overflow is a fault) stays for good.
 * run must not return before it is no more needed: then it is over. NOMEM. */
err_t fiber_create(struct fiber *f, size_t stack_bytes, void (*run)(void *context), void *context) NONNULL MUST_CHECK;
/* Goes on with f until it pauses or is over. Not called by a fiber. */
void fiber_run(struct fiber *f) NONNULL;
/* Back to who ran us. Called by a fiber. */
void fiber_pause(void);
/* The one that runs, or NULL. */
struct fiber *fiber_current(void);
