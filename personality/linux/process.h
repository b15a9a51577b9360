/* personality/linux/process.h - one process's state. A vfork child has its own, in its parent's memory.
 *
 * Members: [l] under lock, [I] fixed once started, [a] atomic.
 */
#pragma once
#include "abi/types.h"
#include "abi/error.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "abi/proto/task.h"
#include "lib/base/list.h"
#include "personality/linux/abi.h"
#include "personality/linux/abi_file.h"
#include "personality/linux/file.h"
#include "personality/linux/lock.h"
#include "personality/linux/signal.h"
#include "personality/linux/thread.h"
#include "personality/linux/timer.h"

/* Private handles (numbers >= HANDLE_PRIVATE). */
struct process_handles {
	handle_t self;                  /* proc:self; opened anew in every process */
	handle_t posix;                 /* posix: (procd) */
	handle_t image;                 /* memory object of the personality's own ELF */
	handle_t time;                  /* time:page */
	handle_t random;                /* rand: , opened on first use */
	handle_t info;                  /* sys:info, opened on first use */
	handle_t records;               /* procd's struct posix_record[], opened on first use */
	handle_t strace;                /* log of calls, or HANDLE_NONE */
	handle_t missing;               /* memory object with struct missing_counts, shared by the process tree */
};

struct process_ids { uint32_t uid, euid, suid, gid, egid, sgid; };

/* What survives both fork and exec; exec copies it into the new image's memory as it is. */
struct process_kept {
	struct process_handles handles;
	struct file_kept file;          /* cwd, root, umask: the files half's */
	uint32_t strace_first;          /* the pid whose end prints the missing calls, 0 none */
	uint32_t child_flags;           /* what procd was told about SIGCHLD: enum posix_child_flags */
	uint32_t personality;           /* what personality() was told */
	bool no_new_privileges;         /* prctl */
	bool has_random;                /* the CPU (cpurandom.h) */
	uint64_t xsave_features;        /* 0: fxsave only */
	uint32_t fpu_bytes;             /* of an xsave (or fxsave) image */
	uint32_t cpu_features;          /* CPUID 1 edx: AT_HWCAP */
};

struct process {
	struct lock lock;
	struct list_node threads;       /* [l] every block, live or free */
	uint32_t pid;                   /* [I] */
	_Atomic uint32_t live;          /* [a] threads that are not helpers */
	_Atomic bool ids_known;         /* [a] ids is right */
	struct process_ids ids;         /* [l] */
	struct process_kept kept;

	struct file_state file;         /* the files half's; says its own locks */
	uint64_t area_next;             /* [l] where area_map looks next */
	uint64_t brk_start, brk_end;    /* [l] */
	uint64_t map_hint;              /* [I] where mmap starts to look */
	void *scratch;                  /* exec's buffers, NULL: none; a vfork parent frees its child's */
	size_t scratch_bytes;
	void *scratch_strings;          /* of exec, many: EXEC_STRINGS_BYTES of them; NULL: none. As scratch */
	uint64_t start_ns;              /* [I] */
	char name[16];                  /* of the program, for prctl and messages */
	struct missing_counts *_Atomic missing; /* [a] shared by the process tree; NULL: not mapped yet, or there are none */
	const struct time_page *clock;  /* mapped read-only, or NULL */
	const struct posix_record *_Atomic records;     /* [a] of every process, by pid, mapped read-only; NULL: not yet */
	struct signal_queue signal_queue;       /* [l] */
	struct timer_state timer;       /* [l] */
	struct signal_state signal;     /* [l] what signals do */
	struct thread first;            /* its first thread */
	/* All of the above lies in one page, which nearly every call touches. What follows is seldom touched, and then not copied by forks. */
	char path[LINUX_PATH_MAX];      /* [I] of the program: /proc/self/exe */
	struct timer timers[TIMER_COUNT];                       /* [l] */
	struct signal_queued signals_queued[SIGNAL_QUEUE_MAX];  /* [l] */
};
STATIC_ASSERT(offsetof(struct process, path) + 256 <= LINUX_PAGE, "a page for all, and for most paths");

/* Where a process lives: the first thread's stack, then its struct process. */
enum { PROCESS_STACK_BYTES = 64 << 10, PROCESS_BLOCK_BYTES = PROCESS_STACK_BYTES + ((sizeof(struct process) + LINUX_PAGE - 1) & ~(LINUX_PAGE - 1ul)) };

/* A block's process. */
static inline struct process *process_in(void *block) { return (struct process *)((uint64_t)block + PROCESS_STACK_BYTES); }
/* Makes what is zero a process with its first thread, both as they will be at the address `at` (mostly where they are). */
void process_init(struct process *p, struct process *at) NONNULL;

/* How often calls that are not there were made, by number. */
struct missing_counts { _Atomic uint32_t calls[512]; };

/* Kernel handles of one's own process: TASK_... codes are sent there. */
static inline handle_t process_self(const struct process *p) { return p->kept.handles.self; }
static inline handle_t process_posix(const struct process *p) { return p->kept.handles.posix; }

/* The counts of missing calls, or NULL. */
struct missing_counts *process_missing(struct process *p) NONNULL;
/* What procd keeps written about this process, its own words always up to date. NULL: not to be had. */
const struct posix_record *process_record(struct process *p) NONNULL;
/* The process's credentials, asked of procd once until they change. */
const struct process_ids *process_ids(struct process *p) NONNULL;
/* A line about trouble of our own: to stderr, the log or nowhere. */
void process_complain(struct process *p, const char *text, size_t bytes) NONNULL;
/* A handle of its own from a reference, opened on first use and kept in *where. HANDLE_NONE: not to be had. */
handle_t process_handle(struct process *p, handle_t *where, const char *scheme, const char *ref, uint64_t open_flags) NONNULL;
/* Opens what every process needs of its own: proc:self. Called in a new process before anything else. */
err_t process_open_self(struct process *p) NONNULL MUST_CHECK;
