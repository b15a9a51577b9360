/* abi/startup.h - what a native program finds when it starts: arg0 is the address of this.
 *
 * Written by whoever started it (lib/native/spawn.h), in the new space, below the stack.
 * Names say what a handle is for: "stdin", "scheme" (to serve), "ready" (write one byte, enum startup_ready, when
 * ready), "log", "posix", "admin", "root" ...
 */
#pragma once
#include "abi/types.h"

/* NEEDLESS: there is nothing for it to do on this machine; it ends, and is not to be started again. */
enum startup_ready { STARTUP_READY = 'R', STARTUP_NEEDLESS = 'N' };

/* With a handle "program" (what procd starts for POSIX_EXEC_ELEVATED) argument 0 is these words in hexadecimal, argument 1 the program's name
 * (AT_EXECFN), and the rest is the program's. The file must still be what was looked at. */
enum startup_word {
	STARTUP_UMASK, STARTUP_SIGNAL_MASK, STARTUP_SIGNALS_IGNORED, STARTUP_ALARM_DUE_NS, STARTUP_ALARM_PERIOD_NS,
	STARTUP_FILE_NODE, STARTUP_FILE_MODE, STARTUP_FILE_UID, STARTUP_FILE_GID, STARTUP_FILE_CHANGED_S, STARTUP_FILE_CHANGED_NS,
	STARTUP_WORDS
};

struct startup_handle {
	char name[24];                  /* 0-terminated */
	handle_t handle;
	uint32_t reserved;
};

struct startup {
	uint32_t bytes;                 /* of the whole block, strings included */
	uint32_t argument_count, environment_count, handle_count;
	uint64_t arguments;             /* char *[argument_count + 1] */
	uint64_t environment;           /* char *[environment_count + 1] */
	uint64_t handles;               /* struct startup_handle[handle_count] */
	uint64_t image_base;            /* where the program's ELF was loaded (its bias) */
};
