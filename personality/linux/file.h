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
	uint32_t umask;
	uint32_t cwd_is_foreign;        /* cwd is behind a prefix: not in the root's tree */
};

/* Survives fork, not exec. */
struct file_state {
	bool has_locks;                 /* it has set a POSIX range lock, once */
};

/* Could a program mean this by a file descriptor? Private handles are not. */
static inline bool fd_is_valid(uint64_t fd) { return (uint32_t)fd < HANDLE_PRIVATE; }

/* Was it opened with O_PATH: good for what takes names, not for what takes a file? */
bool fd_only_names(uint64_t fd);
/* O_... as enum open_flags, and back (what F_GETFL shows). */
uint64_t file_open_flags(uint32_t linux_flags);
uint32_t file_linux_flags(uint64_t open_flags);
/* One read or write, signals and job control included; offset -1: the handle's own. */
int64_t file_read(struct thread *t, uint64_t fd, uint64_t buffer, uint64_t bytes, int64_t offset) NONNULL;
int64_t file_write(struct thread *t, uint64_t fd, uint64_t buffer, uint64_t bytes, int64_t offset) NONNULL;
/* Called once at the first start: takes over "root" and "cwd" from the starter. */
void file_start(struct process *p, handle_t root, handle_t cwd) NONNULL;
/* POSIX: the process's range locks on a file go with any of its descriptors of it, before that is closed. */
void file_drop_locks(struct process *p, uint64_t fd) NONNULL;
/* Called when the process is about to end of itself. (One that is killed loses its locks with the last handle of each file.) */
void file_ending(struct process *p) NONNULL;
/* Called in a fork's child, before it runs. */
void file_forked(struct process *p) NONNULL;
/* ioctl of a block device (block.c); ERR_NOTTY: fd is none, or there is no such request. */
int64_t block_ioctl(uint64_t fd, uint32_t request, uint64_t argument);
