/* personality/linux/wait.h - what a child's status means as siginfo. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

/* status as wait4's. Pure. */
void wait_info(struct linux_siginfo *info, uint32_t pid, uint32_t uid, uint32_t status) NONNULL;
