/* personality/linux/clone.h - new threads and processes, and their ends. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct thread;

/* Are these flags ones that Linux takes, and that there are? 0 or a negative error. Pure. */
int64_t clone_check(const struct linux_clone_args *args) NONNULL MUST_CHECK;
/* From entry.S: the first thing in a new thread (pid 0) or process (its pid). */
void clone_child(struct thread *t, uint64_t pid) NONNULL;
