/* abi/proto/posix.h - structs of procd's protocol (posix.def). Signal numbers are Linux x86_64's. */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

struct posix_fork {
	uint32_t exit_signal;           /* to the parent when the child ends; 0 none */
	uint32_t flags;                 /* enum posix_fork_flags */
};
enum posix_fork_flags { POSIX_FORK_SAME_PARENT = 1 << 0 /* CLONE_PARENT */, POSIX_FORK_VFORK = 1 << 1 };

struct posix_exec {
	uint32_t path_bytes, command_bytes;     /* both follow: path, then argv joined with 0s */
	uint32_t environment_bytes;
	uint32_t child_flags;                   /* enum posix_child_flags, of the new program */
};
enum posix_child_flags {
	POSIX_CHILD_NO_ZOMBIES = 1,     /* it ignores SIGCHLD, or SA_NOCLDWAIT */
	POSIX_CHILD_NO_STOPS = 2,       /* SA_NOCLDSTOP */
	POSIX_CHILD_UNSEEN = 4,         /* it does not handle SIGCHLD nor look for one, so that nothing would come of it: none is sent */
	POSIX_CHILD_FLAGS_ALL = 7,
	/* To POSIX_CHILD_FLAGS, without UNSEEN: the sender blocks SIGCHLD. If it was UNSEEN, one is made up for if a child has ended. */
	POSIX_CHILD_BLOCKED = 8,
};
struct posix_exec_result {
	uint32_t secure;                /* AT_SECURE: credentials changed */
	uint32_t uid, euid, gid, egid;  /* the saved ones are now the effective ones */
	uint32_t reserved;
};

/* POSIX_EXEC_ELEVATED. The program's name, its arguments and its environment follow: strings, each with its 0. */
struct posix_exec_elevated {
	uint32_t name_bytes, arguments_bytes, environment_bytes;
	uint32_t umask;
	uint64_t mask, ignored;                 /* signals: bit n - 1 for n */
	uint64_t alarm_due_ns, alarm_period_ns; /* ITIMER_REAL; 0: none */
};

enum posix_wait_options { POSIX_WNOHANG = 1, POSIX_WSTOPPED = 2, POSIX_WEXITED = 4, POSIX_WCONTINUED = 8, POSIX_WNOWAIT = 0x01000000 };
struct posix_usage {
	uint64_t user_ns, system_ns, max_resident_bytes;
	uint64_t minor_faults, major_faults, voluntary_switches, involuntary_switches;
};
struct posix_wait { int32_t target; uint32_t options; };   /* target as waitpid's pid */
struct posix_wait_result {
	uint32_t status;                /* as wait4's */
	uint32_t uid;
	struct posix_usage usage;
};

struct posix_signal {
	int32_t target;
	uint32_t signal;
	int32_t code;                   /* siginfo si_code */
	uint32_t pid, uid;              /* filled by procd */
	uint32_t reserved;
	uint64_t value;                 /* si_value, or SIGCHLD's status */
};

struct posix_ids {
	uint32_t pid, parent, group, session;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t tty;                   /* device number of the controlling terminal, 0 none */
	uint32_t reserved;
};
/* What procd knows of a process, for everybody to read: POSIX_RECORDS gives a memory object with one for each pid. procd writes, whole words
 * at a time; a process may trust its own. It also outlives procd, whose next instance goes on with what it finds (servers/procd/record.h). */
enum { POSIX_RECORDS = 32768 };
struct posix_record {
	uint32_t pid;                   /* 0: no such process */
	uint32_t parent, group, session;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint16_t status;                /* of a zombie, as wait4's */
	uint8_t flags;                  /* enum posix_record_flags */
	uint8_t child_flags;            /* as POSIX_CHILD_FLAGS */
	uint8_t exit_signal, death_signal, reserved[2];
	int32_t working, root;          /* as POSIX_PLACES */
	uint64_t started_ns;            /* as the kernel's task_info: tells apart who had the pid */
};
enum posix_record_flags { POSIX_IS_ZOMBIE = 1, POSIX_HAS_EXECUTED = 2, POSIX_IS_SUBREAPER = 4, POSIX_HAS_NO_NEW_PRIVILEGES = 8, POSIX_IS_GUARDED = 16 };
struct posix_set_ids { uint32_t uid, euid, suid, gid, egid, sgid; };
struct posix_limit { uint64_t soft, hard; };
