/* abi/proto/task.h - structs of the task protocol (task.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

/* The first process's handles, put there by the kernel. */
enum { HANDLE_BOOT_ADMIN = 0, HANDLE_BOOT_NAMESPACE = 1, HANDLE_BOOT_INITFS = 2 };

enum fork_flags {
	FORK_SHARE_SPACE = 1 << 0,      /* vfork: the same space, not a copy */
	FORK_NO_HANDLES  = 1 << 1,
};

/* Who goes before whom. IDLE to NORMAL share fairly, first between accounts, then by nice; SERVER and up go before all below them, in turns
 * (REALTIME + n is Linux's real-time priority n + 1); a DEADLINE thread has its runtime in each period, before all others. */
enum task_priority {
	PRIORITY_IDLE = 0, PRIORITY_LOW = 1, PRIORITY_NORMAL = 2, PRIORITY_SERVER = 3,
	PRIORITY_DRIVER = 4, PRIORITY_REALTIME = 5, PRIORITY_DEADLINE = PRIORITY_REALTIME + 99, PRIORITY_COUNT,
};

enum schedule_flags {
	SCHEDULE_FIFO          = 1 << 0,        /* SERVER and up: no turns, runs until it waits */
	SCHEDULE_BATCH         = 1 << 1,        /* NORMAL: when woken it does not interrupt others */
	SCHEDULE_RESET_ON_FORK = 1 << 2,        /* what it starts is not above NORMAL and nice 0 */
	SCHEDULE_ONLY_AFFINITY = 1 << 3,        /* in TASK_SCHEDULE: all else stays as it is */
};

/* How and where threads get the CPU. The times are 0, unless the priority is DEADLINE: then 0 < runtime <= deadline <= period. */
struct task_schedule {
	uint8_t priority;               /* enum task_priority */
	int8_t nice;                    /* -20 .. 19 */
	uint16_t flags;                 /* enum schedule_flags */
	uint32_t tid;                   /* whom it is for; 0: the process, the first thread to come */
	uint64_t runtime_ns, deadline_ns, period_ns;
	uint64_t affinity;              /* bit n: CPU n; 0 in TASK_SCHEDULE: it stays as it is */
};

enum task_state { TASK_RUNNABLE = 'R', TASK_SLEEPING = 'S', TASK_STOPPED = 'T', TASK_DEAD = 'Z' };

/* Why a process ended; task_info.status then says more. */
enum task_end {
	TASK_ALIVE = 0,
	TASK_EXITED = 1,                /* EXIT or the last THREAD_EXIT: status is its argument */
	TASK_KILLED = 2,                /* TASK_KILL: status is its word */
	TASK_FAULTED = 3,               /* an exception with no upcall to take it: status is the vector */
};

struct task_info {
	uint32_t pid, uid, gid, group, session;
	uint32_t threads;
	uint32_t state;                 /* enum task_state */
	uint32_t end;                   /* enum task_end */
	uint64_t status;
	uint64_t started_ns;
	uint64_t user_ns, system_ns;
	uint64_t mapped_bytes, resident_bytes;
	uint64_t minor_faults, major_faults, switches;
	uint64_t unknown_calls;         /* native operations that do not exist */
	int32_t priority, nice;
	uint32_t cpu;                   /* where its first thread ran last */
	uint32_t creator;               /* pid of the process that made it, which may be long gone */
	char name[16];
	uint64_t fault_ip, fault_address; /* TASK_FAULTED */
};

struct thread_info {
	uint32_t tid, state;
	uint64_t user_ns, system_ns;
	uint32_t cpu, reserved;
};

struct task_region {
	uint64_t start, end, offset;
	uint64_t object;                /* tells objects apart; 0: demand-zero memory */
	uint32_t map_flags, reserved;
	uint64_t resident_bytes;
};

struct task_cred {
	uint32_t uid, gid;
	uint32_t groups_count, reserved;
	uint32_t groups[32];
};
