/* drivers/acpid/osl.h - what ACPICA's OS layer (osl.c, osl_reach.c) tells the rest of acpid, and what it needs.
 *
 * ACPICA runs in one thread, that of the server's loop: locks are nothing, what it wants done later waits in a queue that the loop runs.
 */
#pragma once
#include <acpi/acpi.h>
#include "abi/error.h"
#include "lib/base/attr.h"
#include "lib/scheme/scheme.h"

/* Reads what the loader knew of memory. Before ACPICA is started. */
err_t osl_init(struct server *s) NONNULL MUST_CHECK;
/* Runs what waits in the queue, and what that adds to it. */
void osl_run_queue(void);
/* The firmware's interrupt, if it came: for who waits for one within ACPICA. False: none within timeout_ns. */
bool osl_wait_interrupt(uint64_t timeout_ns);
/* Between the two files: the loop that runs us, and what it watches for us. */
void osl_loop(struct server *s) NONNULL;
void osl_watch(struct server_watch *w, handle_t h, void (*ready)(struct server_watch *w, uint32_t found)) NONNULL;
void osl_unwatch(struct server_watch *w) NONNULL;
