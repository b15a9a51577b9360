/* lib/tty/posix.h - the real struct tty_outside: procd and the clock. */
#pragma once
#include "lib/tty/serve.h"

/* posix: the handle for procd; HANDLE_NONE: there is no job control. */
const struct tty_outside *tty_posix_init(handle_t posix);
