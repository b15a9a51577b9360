/* servers/procd/outside.h - what the engine asks of the kernel, so that it also runs on the host.
 *
 * main.c gives the functions that do it; tests give ones that pretend. A task is an
 * admin handle of a kernel process, and belongs to whoever got it.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "abi/types.h"

typedef handle_t task_t;

/* A process made and not yet started, that is to take another's place (POSIX_EXEC_ELEVATED): nobody else holds it. */
struct successor {
	task_t task;
	uint64_t ip, sp, block;
	uint32_t euid, egid;            /* what it will be; ~0: as now */
};
struct successor_plan {
	task_t like;                    /* whose place it is */
	handle_t program, working;      /* handed over; working HANDLE_NONE: the root */
	const char *const *arguments, *const *environment;
	uint32_t argument_count, environment_count;
};

struct outside {
	/* Heap. NULL when there is none left; bytes as allocated. */
	void *(*allocate)(size_t bytes);
	void (*release)(void *, size_t bytes);

	/* Processes. The passed handle stays the caller's; ERR_NOTTY when it is no process. */
	err_t (*task_take)(handle_t passed, uint32_t *pid, task_t *out, struct task_info *info);
	err_t (*task_find)(uint32_t pid, task_t *out);          /* ERR_SRCH */
	void (*task_put)(task_t);
	err_t (*task_info)(task_t, struct task_info *out);
	err_t (*task_kill)(task_t, uint64_t status);
	err_t (*task_stop)(task_t);
	err_t (*task_continue)(task_t);
	err_t (*task_post)(task_t, uint32_t notice, uint32_t tid);
	void (*task_withdraw)(task_t, uint64_t mask);
	err_t (*task_label)(task_t, uint32_t group, uint32_t session);
	err_t (*task_cred)(task_t, const struct task_cred *);
	/* Of its thread with that number. */
	err_t (*task_schedule_info)(task_t, uint32_t tid, struct task_schedule *out);
	err_t (*task_schedule)(task_t, const struct task_schedule *);
	err_t (*task_name)(task_t, const char *name, size_t bytes);
	/* HANDLE_NONE: the account without limits. */
	err_t (*task_account)(task_t, handle_t account);
	/* From now on its end is reported: tree_task_ended(pid). Ends with task_put. */
	err_t (*task_watch)(task_t, uint32_t pid);
	/* How many there are (also when they do not fit), or a negated error. */
	int64_t (*task_list)(uint32_t *pids, size_t capacity);
	/* The thread with the lowest number above this one; SRCH. */
	err_t (*task_next_thread)(task_t, uint32_t above, struct thread_info *out);
	int64_t (*task_regions)(task_t, uint64_t address, struct task_region *regions, size_t capacity);
	/* Its handles' numbers from `from` on; a copy of one, the caller's to close. */
	int64_t (*task_handles)(task_t, handle_t from, handle_t *numbers, size_t capacity);
	err_t (*task_handle_limit)(task_t, uint64_t count);     /* RLIMIT_NOFILE */
	err_t (*task_copy_handle)(task_t, handle_t number, handle_t *out);
	/* Which process a thread is in. */
	err_t (*thread_find)(uint32_t tid, uint32_t *pid);

	/* What a handle from anywhere stands for, if our own file: says that it is its; HANDLE_NONE: the root. XDEV: it is not. */
	err_t (*file_stat)(handle_t file, struct file_stat *out);
	/* Its task and where it starts. It belongs to the caller, who ends it with task_kill and task_put. */
	err_t (*successor_create)(const struct successor_plan *, struct successor *out);
	err_t (*successor_succeed)(task_t successor, task_t ended);
	err_t (*successor_start)(task_t task, const struct successor *s);

	err_t (*account_create)(const struct account_limits *, handle_t *out);
	void (*account_put)(handle_t);

	/* The memory of the records: this part, whole pages of zeroes, is not needed. Where the next page is that holds something, from
	 * offset on; negative: nowhere. */
	void (*records_drop)(uint64_t offset, uint64_t bytes);
	int64_t (*records_next)(uint64_t offset);

	/* The system. */
	err_t (*system_info)(struct system_info *out);
	uint64_t (*now_ns)(void);       /* CLOCK_MONOTONIC_NS */
	void (*random)(void *to, size_t bytes);

	/* Requests. Each tag is answered once. Data beyond what the client takes is cut off. */
	void (*reply)(uint64_t tag, int64_t result, const void *data, size_t bytes);
	/* Bytes of what the client sent, from offset on. */
	err_t (*read_in)(uint64_t tag, uint64_t offset, void *to, size_t bytes);
	/* The open resource with this number (posix_opened) has become ready so. */
	void (*notify)(uint64_t number, uint32_t ready);
};
