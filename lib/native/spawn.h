/* lib/native/spawn.h - starts a native program in a process of its own.
 *
 * The new process has exactly the handles, the namespace and the words given here. Its image is mapped
 * straight from the object that holds the ELF file: text and constants are shared by all who run it.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/task.h"
#include "abi/types.h"
#include "lib/base/attr.h"

/* A handle to give. */
struct spawn_handle {
	const char *name;               /* in the startup block; at most 23 bytes */
	handle_t handle;                /* the starter's; it keeps it */
	handle_t number;                /* in the new process; HANDLE_NONE: any private number */
};

enum { SPAWN_STACK_BYTES = 256 * 1024, SPAWN_HANDLES_MAX = 64, SPAWN_BLOCK_MAX = 1024 * 1024 };

struct spawn_options {
	handle_t image;                 /* readable and mappable (and executable): what holds the ELF file... */
	uint64_t image_offset;          /* ...from this page on... */
	uint64_t image_bytes;           /* ...this long */
	const char *name;               /* in lists of processes; NULL: argument 0 */
	const char *const *arguments;
	uint32_t argument_count;
	const char *const *environment;
	uint32_t environment_count;
	const struct spawn_handle *handles;
	uint32_t handle_count;
	handle_t namespace;             /* HANDLE_NONE: the null namespace */
	uint64_t priority;              /* enum task_priority; 0: the starter's */
	handle_t account;               /* HANDLE_NONE: the starter's */
	const struct task_cred *cred;   /* NULL: the starter's */
	handle_t successor_of;          /* 0: nobody's. An admin handle of the process whose identity, priority, account and (public) handles it gets */
	handle_t admin;                 /* an admin process handle: needed for account and cred; else HANDLE_NONE */
};

/* A running process: *process is its handle. Besides the handles given it holds "self", its own process handle (but a
 * successor). NOEXEC and the errors of
 * the calls it takes; nothing remains of a failed start. pid may be NULL. */
err_t spawn(const struct spawn_options *options, handle_t *process, uint32_t *pid) MUST_CHECK;
/* The same in two steps: made but without threads, so that the starter can do more to it; then started. A process that is never started
 * ends with its last handle. */
struct spawned { handle_t process; uint32_t pid; uint64_t ip, sp, block; };
err_t spawn_prepare(const struct spawn_options *options, struct spawned *out) NONNULL MUST_CHECK;
err_t spawn_start(const struct spawned *s) NONNULL MUST_CHECK;
/* Gives up a prepared one. */
void spawn_abandon(struct spawned *s) NONNULL;
