/* personality/linux/tty.h - terminals: ioctl, and job control of background processes (abi/proto/tty.def). */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

struct thread;

/* A read that was refused since we are in the background: the call's result (it stopped us and is to be done again, or EIO). */
int64_t tty_background_read(struct thread *t) NONNULL;
/* A write or change that was refused so. 0: do it again with REQUEST_FROM_BACKGROUND; else the call's result. */
int64_t tty_background_change(struct thread *t) NONNULL;
/* The ioctls of terminals. ENOTTY: not one of them. */
int64_t tty_ioctl(struct thread *t, uint64_t fd, uint32_t request, uint64_t argument) NONNULL;
