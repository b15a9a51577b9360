/* personality/linux/file.h - what the files half keeps per process, and what the core asks of it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"

struct process;
struct thread;

/* Survives fork and exec. Handles are private ones. */
struct file_kept {
	handle_t root, cwd;             /* open directories; path.c says what they may be */
	uint32_t umask, pad;
};

/* Survives fork, not exec. */
struct file_state {
	uint64_t reserved;
};

/* Could a program mean this by a file descriptor? Private handles are not. */
static inline bool fd_is_valid(uint64_t fd) { return (uint32_t)fd < HANDLE_PRIVATE; }

/* Called once at the first start: takes over "root" and "cwd" from the starter. */
void file_start(struct process *p, handle_t root, handle_t cwd) NONNULL;
/* Called in a fork's child, before it runs. */
void file_forked(struct process *p) NONNULL;
