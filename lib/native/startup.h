/* lib/native/startup.h - how a native program begins, and what it was given.
 *
 * A program defines program_main; what it returns is its exit status. Handles are asked for by
 * the name under which the starter gave them. A native program may also be executed by a Linux one (from a shell,
 * say): then it has its arguments, its environment, and the handles stdin, stdout, stderr and log (standard output).
 */
#pragma once
#include "abi/startup.h"
#include "lib/base/attr.h"

/* Defined by each program. */
int program_main(const struct startup *startup);

/* HANDLE_NONE when there is none. Borrowed: it stays open for others that ask. */
handle_t startup_handle(const char *name) NONNULL;
const struct startup *startup_get(void);
/* NULL beyond the last. */
const char *startup_argument(uint32_t index);
/* The value of NAME=value; NULL when it is not set. */
const char *startup_environment(const char *name) NONNULL;
/* The process's own handle of proc: ("self", or opened); HANDLE_NONE when it cannot be had. */
handle_t startup_self(void);
/* Tells the starter that we can serve: writes to the "ready" handle and closes it. Without one: nothing. */
void startup_ready(void);
/* Tells it instead that there is nothing for us to do on this machine: we end, and are not to be started again. */
void startup_needless(void);
NORETURN void program_exit(int status);
