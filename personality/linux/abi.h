/* personality/linux/abi.h - the Linux x86_64 ABI as programs see it: numbers and layouts.
 *
 * Written from knowledge of the ABI; everything has the LINUX_ prefix, since names of our own
 * ABI would clash. Error numbers and signal-free values that equal ours (abi/error.def,
 * abi/types.h ready bits) are not repeated. Files have their own half: abi_file.h.
 */
#pragma once
#include <stdint.h>
#include "lib/base/assert.h"

enum { LINUX_CALL_COUNT = 451, LINUX_PATH_MAX = 4096, LINUX_PAGE = 4096, LINUX_CLOCK_TICKS = 100 };

/* Errors that only the inside of a system call sees: what to do when a signal ended it. */
enum {
	LINUX_ERESTARTSYS = 512,        /* again after SA_RESTART handlers, else EINTR */
	LINUX_ERESTARTNOHAND = 514,     /* again only when no handler ran */
};
/* Errors that our own ABI does not have. */
enum {
	LINUX_ENOTBLK = 15, LINUX_ELIBBAD = 80, LINUX_ENOTSOCK = 88, LINUX_EDESTADDRREQ = 89, LINUX_EMSGSIZE = 90, LINUX_EPROTOTYPE = 91,
	LINUX_ENOPROTOOPT = 92, LINUX_EPROTONOSUPPORT = 93, LINUX_ESOCKTNOSUPPORT = 94, LINUX_EAFNOSUPPORT = 97, LINUX_EADDRINUSE = 98, LINUX_EADDRNOTAVAIL = 99,
	LINUX_ENETUNREACH = 101, LINUX_ECONNABORTED = 103, LINUX_ENOBUFS = 105, LINUX_EISCONN = 106,
	LINUX_ENOTCONN = 107, LINUX_ECONNREFUSED = 111, LINUX_EALREADY = 114, LINUX_EINPROGRESS = 115,
};

/* ---- Signals (asm/signal.h) ---- */
enum linux_signal {
	LINUX_SIGHUP = 1, LINUX_SIGINT, LINUX_SIGQUIT, LINUX_SIGILL, LINUX_SIGTRAP, LINUX_SIGABRT, LINUX_SIGBUS, LINUX_SIGFPE,
	LINUX_SIGKILL, LINUX_SIGUSR1, LINUX_SIGSEGV, LINUX_SIGUSR2, LINUX_SIGPIPE, LINUX_SIGALRM, LINUX_SIGTERM, LINUX_SIGSTKFLT,
	LINUX_SIGCHLD, LINUX_SIGCONT, LINUX_SIGSTOP, LINUX_SIGTSTP, LINUX_SIGTTIN, LINUX_SIGTTOU, LINUX_SIGURG, LINUX_SIGXCPU,
	LINUX_SIGXFSZ, LINUX_SIGVTALRM, LINUX_SIGPROF, LINUX_SIGWINCH, LINUX_SIGIO, LINUX_SIGPWR, LINUX_SIGSYS,
	LINUX_SIGRTMIN = 32, LINUX_SIGNAL_MAX = 64,
};
#define LINUX_SIGNAL_BIT(signal) (1ull << ((signal) - 1))

#define LINUX_SIG_DFL 0ull
#define LINUX_SIG_IGN 1ull

enum linux_sa_flags {
	LINUX_SA_NOCLDSTOP = 1, LINUX_SA_NOCLDWAIT = 2, LINUX_SA_SIGINFO = 4, LINUX_SA_RESTORER = 0x04000000,
	LINUX_SA_ONSTACK = 0x08000000, LINUX_SA_RESTART = 0x10000000, LINUX_SA_NODEFER = 0x40000000,
};
#define LINUX_SA_RESETHAND 0x80000000u

enum { LINUX_SIG_BLOCK = 0, LINUX_SIG_UNBLOCK = 1, LINUX_SIG_SETMASK = 2 };
enum { LINUX_SS_ONSTACK = 1, LINUX_SS_DISABLE = 2, LINUX_MINSIGSTKSZ = 2048 };
#define LINUX_SS_AUTODISARM 0x80000000u

/* si_code */
enum {
	LINUX_SI_USER = 0, LINUX_SI_KERNEL = 0x80, LINUX_SI_QUEUE = -1, LINUX_SI_TIMER = -2, LINUX_SI_TKILL = -6,
	LINUX_SEGV_MAPERR = 1, LINUX_SEGV_ACCERR = 2, LINUX_BUS_ADRALN = 1, LINUX_BUS_ADRERR = 2, LINUX_BUS_OBJERR = 3,
	LINUX_FPE_INTDIV = 1, LINUX_FPE_INTOVF = 2, LINUX_FPE_FLTDIV = 3, LINUX_FPE_FLTOVF = 4, LINUX_FPE_FLTUND = 5,
	LINUX_FPE_FLTRES = 6, LINUX_FPE_FLTINV = 7, LINUX_ILL_ILLOPN = 2, LINUX_TRAP_BRKPT = 1, LINUX_TRAP_TRACE = 2,
	LINUX_CLD_EXITED = 1, LINUX_CLD_KILLED = 2, LINUX_CLD_DUMPED = 3, LINUX_CLD_STOPPED = 5, LINUX_CLD_CONTINUED = 6,
};

struct linux_sigaction { uint64_t handler, flags, restorer, mask; };
struct linux_stack { uint64_t base; int32_t flags; uint32_t pad; uint64_t bytes; };

struct linux_siginfo {
	int32_t signal, error, code, pad;
	union {
		struct { int32_t pid; uint32_t uid; uint64_t value; } sent;
		struct { int32_t pid; uint32_t uid; int32_t status; int32_t pad; int64_t user_ticks, system_ticks; } child;
		struct { int32_t id, overrun; uint64_t value; } timer;
		struct { uint64_t address; } fault;
		uint8_t bytes[112];
	};
};
STATIC_ASSERT(sizeof(struct linux_siginfo) == 128, "Linux's siginfo_t");

/* Registers in a signal frame, in struct sigcontext's order. */
struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error_code, trap, old_mask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};
struct linux_ucontext {
	uint64_t flags, link;
	struct linux_stack stack;
	struct linux_sigcontext context;
	uint64_t mask;
};
enum { LINUX_UC_FP_XSTATE = 1, LINUX_UC_SIGCONTEXT_SS = 2, LINUX_UC_STRICT_RESTORE_SS = 4 };
/* On the stack: this, siginfo after it; fpstate (64-aligned) above. rsp points to it at the handler's first instruction. */
struct linux_rt_sigframe {
	uint64_t return_address;        /* the restorer */
	struct linux_ucontext context;
	struct linux_siginfo info;
};

/* What the kernel notes in the software part of an fxsave image (bytes 464...). */
#define LINUX_FP_MAGIC1 0x46505853u
#define LINUX_FP_MAGIC2 0x46505845u
struct linux_fp_software {
	uint32_t magic1, extended_bytes;
	uint64_t features;
	uint32_t state_bytes, padding[7];
};
enum { LINUX_FXSAVE_BYTES = 512, LINUX_FP_SOFTWARE_OFFSET = 464, LINUX_XSAVE_HEADER_BYTES = 64 };

/* ---- Processes ---- */
#define LINUX_CLONE_VM             0x00000100ull
#define LINUX_CLONE_FS             0x00000200ull
#define LINUX_CLONE_FILES          0x00000400ull
#define LINUX_CLONE_SIGHAND        0x00000800ull
#define LINUX_CLONE_PIDFD          0x00001000ull
#define LINUX_CLONE_PTRACE         0x00002000ull
#define LINUX_CLONE_VFORK          0x00004000ull
#define LINUX_CLONE_PARENT         0x00008000ull
#define LINUX_CLONE_THREAD         0x00010000ull
#define LINUX_CLONE_NEWNS          0x00020000ull
#define LINUX_CLONE_SYSVSEM        0x00040000ull
#define LINUX_CLONE_SETTLS         0x00080000ull
#define LINUX_CLONE_PARENT_SETTID  0x00100000ull
#define LINUX_CLONE_CHILD_CLEARTID 0x00200000ull
#define LINUX_CLONE_DETACHED       0x00400000ull
#define LINUX_CLONE_UNTRACED       0x00800000ull
#define LINUX_CLONE_CHILD_SETTID   0x01000000ull
#define LINUX_CLONE_NAMESPACES     0x7e020080ull    /* every CLONE_NEW... flag */
#define LINUX_CLONE_CLEAR_SIGHAND  0x100000000ull
#define LINUX_CLONE_INTO_CGROUP    0x200000000ull
#define LINUX_CSIGNAL              0x000000ffull

struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_bytes, tls, set_tid, set_tid_count, cgroup;
};
enum { LINUX_CLONE_ARGS_FIRST = 64 };

enum { LINUX_WNOHANG = 1, LINUX_WUNTRACED = 2, LINUX_WSTOPPED = 2, LINUX_WEXITED = 4, LINUX_WCONTINUED = 8, LINUX_WNOWAIT = 0x01000000 };
#define LINUX_WNOTHREAD 0x20000000
#define LINUX_WALL      0x40000000
#define LINUX_WCLONE    0x80000000u
enum { LINUX_P_ALL = 0, LINUX_P_PID = 1, LINUX_P_PGID = 2, LINUX_P_PIDFD = 3 };

enum { LINUX_ARCH_SET_GS = 0x1001, LINUX_ARCH_SET_FS = 0x1002, LINUX_ARCH_GET_FS = 0x1003, LINUX_ARCH_GET_GS = 0x1004 };

struct linux_robust_list { uint64_t next; };
struct linux_robust_head { uint64_t list; int64_t futex_offset; uint64_t pending; };

/* ---- Auxiliary vector ---- */
enum linux_aux {
	LINUX_AT_NULL = 0, LINUX_AT_PHDR = 3, LINUX_AT_PHENT = 4, LINUX_AT_PHNUM = 5, LINUX_AT_PAGESZ = 6, LINUX_AT_BASE = 7,
	LINUX_AT_FLAGS = 8, LINUX_AT_ENTRY = 9, LINUX_AT_UID = 11, LINUX_AT_EUID = 12, LINUX_AT_GID = 13, LINUX_AT_EGID = 14,
	LINUX_AT_PLATFORM = 15, LINUX_AT_HWCAP = 16, LINUX_AT_CLKTCK = 17, LINUX_AT_SECURE = 23, LINUX_AT_RANDOM = 25,
	LINUX_AT_HWCAP2 = 26, LINUX_AT_EXECFN = 31, LINUX_AT_SYSINFO = 32, LINUX_AT_SYSINFO_EHDR = 33, LINUX_AT_MINSIGSTKSZ = 51,
};

/* ---- Memory ---- */
enum { LINUX_PROT_READ = 1, LINUX_PROT_WRITE = 2, LINUX_PROT_EXEC = 4, LINUX_PROT_GROWSDOWN = 0x01000000, LINUX_PROT_GROWSUP = 0x02000000 };
enum linux_mmap_flags {
	LINUX_MAP_SHARED = 1, LINUX_MAP_PRIVATE = 2, LINUX_MAP_SHARED_VALIDATE = 3, LINUX_MAP_TYPE = 15, LINUX_MAP_FIXED = 0x10,
	LINUX_MAP_ANONYMOUS = 0x20, LINUX_MAP_32BIT = 0x40, LINUX_MAP_GROWSDOWN = 0x100, LINUX_MAP_DENYWRITE = 0x800,
	LINUX_MAP_EXECUTABLE = 0x1000, LINUX_MAP_LOCKED = 0x2000, LINUX_MAP_NORESERVE = 0x4000, LINUX_MAP_POPULATE = 0x8000,
	LINUX_MAP_NONBLOCK = 0x10000, LINUX_MAP_STACK = 0x20000, LINUX_MAP_HUGETLB = 0x40000, LINUX_MAP_SYNC = 0x80000,
	LINUX_MAP_FIXED_NOREPLACE = 0x100000,
};
enum { LINUX_MREMAP_MAYMOVE = 1, LINUX_MREMAP_FIXED = 2, LINUX_MREMAP_DONTUNMAP = 4 };
enum { LINUX_MFD_CLOEXEC = 1, LINUX_MFD_ALLOW_SEALING = 2, LINUX_MFD_NOEXEC_SEAL = 8, LINUX_MFD_EXEC = 16, LINUX_MEMFD_NAME_MAX = 249 };
enum { LINUX_MS_ASYNC = 1, LINUX_MS_INVALIDATE = 2, LINUX_MS_SYNC = 4 };
enum linux_madvise {
	LINUX_MADV_NORMAL = 0, LINUX_MADV_RANDOM, LINUX_MADV_SEQUENTIAL, LINUX_MADV_WILLNEED, LINUX_MADV_DONTNEED,
	LINUX_MADV_FREE = 8, LINUX_MADV_REMOVE, LINUX_MADV_DONTFORK, LINUX_MADV_DOFORK, LINUX_MADV_MERGEABLE,
	LINUX_MADV_UNMERGEABLE, LINUX_MADV_HUGEPAGE, LINUX_MADV_NOHUGEPAGE, LINUX_MADV_DONTDUMP, LINUX_MADV_DODUMP,
	LINUX_MADV_WIPEONFORK, LINUX_MADV_KEEPONFORK, LINUX_MADV_COLD, LINUX_MADV_PAGEOUT,
};

/* ---- Futex ---- */
enum linux_futex {
	LINUX_FUTEX_WAIT = 0, LINUX_FUTEX_WAKE = 1, LINUX_FUTEX_REQUEUE = 3, LINUX_FUTEX_CMP_REQUEUE = 4, LINUX_FUTEX_WAKE_OP = 5,
	LINUX_FUTEX_LOCK_PI = 6, LINUX_FUTEX_UNLOCK_PI = 7, LINUX_FUTEX_TRYLOCK_PI = 8,
	LINUX_FUTEX_WAIT_BITSET = 9, LINUX_FUTEX_WAKE_BITSET = 10,
	LINUX_FUTEX_PRIVATE = 128, LINUX_FUTEX_CLOCK_REALTIME = 256,
};
#define LINUX_FUTEX_WAITERS    0x80000000u
#define LINUX_FUTEX_OWNER_DIED 0x40000000u
#define LINUX_FUTEX_TID_MASK   0x3fffffffu

/* ---- Time ---- */
enum linux_clock {
	LINUX_CLOCK_REALTIME = 0, LINUX_CLOCK_MONOTONIC = 1, LINUX_CLOCK_PROCESS_CPUTIME = 2, LINUX_CLOCK_THREAD_CPUTIME = 3,
	LINUX_CLOCK_MONOTONIC_RAW = 4, LINUX_CLOCK_REALTIME_COARSE = 5, LINUX_CLOCK_MONOTONIC_COARSE = 6, LINUX_CLOCK_BOOTTIME = 7,
	LINUX_CLOCK_REALTIME_ALARM = 8, LINUX_CLOCK_BOOTTIME_ALARM = 9, LINUX_CLOCK_TAI = 11,
};
enum { LINUX_TIMER_ABSTIME = 1, LINUX_TIMER_CANCEL_ON_SET = 2 };
enum { LINUX_ITIMER_REAL = 0, LINUX_ITIMER_VIRTUAL = 1, LINUX_ITIMER_PROF = 2 };
enum { LINUX_SIGEV_SIGNAL = 0, LINUX_SIGEV_NONE = 1, LINUX_SIGEV_THREAD = 2, LINUX_SIGEV_THREAD_ID = 4 };

enum {
	LINUX_SCHED_OTHER = 0, LINUX_SCHED_FIFO = 1, LINUX_SCHED_RR = 2, LINUX_SCHED_BATCH = 3, LINUX_SCHED_IDLE = 5, LINUX_SCHED_DEADLINE = 6,
	LINUX_SCHED_RESET_ON_FORK = 0x40000000,
	LINUX_SCHED_FLAG_RESET_ON_FORK = 1, LINUX_SCHED_FLAG_KEEP_POLICY = 8, LINUX_SCHED_FLAG_KEEP_PARAMS = 16,
	LINUX_SCHED_ATTR_SIZE_0 = 48,
};
struct linux_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};
struct linux_timespec { int64_t seconds, nanoseconds; };
struct linux_timeval { int64_t seconds, microseconds; };
struct linux_itimerval { struct linux_timeval interval, value; };
struct linux_itimerspec { struct linux_timespec interval, value; };
struct linux_sigevent { uint64_t value; int32_t signal, notify; int32_t thread; int32_t pad[11]; };
struct linux_timezone { int32_t minutes_west, dst; };
struct linux_tms { int64_t user, system, children_user, children_system; };

/* ---- Information ---- */
struct linux_utsname { char sysname[65], nodename[65], release[65], version[65], machine[65], domain[65]; };
struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3], total, free, shared, buffer, total_swap, free_swap;
	uint16_t processes, pad;
	uint32_t pad2;
	uint64_t total_high, free_high;
	uint32_t unit, pad3;
};
STATIC_ASSERT(sizeof(struct linux_sysinfo) == 112, "Linux's struct sysinfo");
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_resident_kib, shared, data, stack, minor_faults, major_faults, swaps, in_blocks, out_blocks;
	int64_t messages_sent, messages_received, signals, voluntary_switches, involuntary_switches;
};
enum { LINUX_RUSAGE_SELF = 0, LINUX_RUSAGE_CHILDREN = -1, LINUX_RUSAGE_THREAD = 1 };

enum linux_limit {
	LINUX_RLIMIT_CPU = 0, LINUX_RLIMIT_FSIZE, LINUX_RLIMIT_DATA, LINUX_RLIMIT_STACK, LINUX_RLIMIT_CORE, LINUX_RLIMIT_RSS,
	LINUX_RLIMIT_NPROC, LINUX_RLIMIT_NOFILE, LINUX_RLIMIT_MEMLOCK, LINUX_RLIMIT_AS, LINUX_RLIMIT_LOCKS,
	LINUX_RLIMIT_SIGPENDING, LINUX_RLIMIT_MSGQUEUE, LINUX_RLIMIT_NICE, LINUX_RLIMIT_RTPRIO, LINUX_RLIMIT_RTTIME, LINUX_RLIMIT_COUNT,
};
struct linux_rlimit { uint64_t soft, hard; };

enum linux_prctl {
	LINUX_PR_SET_PDEATHSIG = 1, LINUX_PR_GET_PDEATHSIG = 2, LINUX_PR_GET_DUMPABLE = 3, LINUX_PR_SET_DUMPABLE = 4,
	LINUX_PR_GET_KEEPCAPS = 7, LINUX_PR_SET_KEEPCAPS = 8, LINUX_PR_SET_NAME = 15, LINUX_PR_GET_NAME = 16,
	LINUX_PR_GET_SECCOMP = 21, LINUX_PR_CAPBSET_READ = 23, LINUX_PR_CAPBSET_DROP = 24, LINUX_PR_GET_SECUREBITS = 27,
	LINUX_PR_SET_TIMERSLACK = 29, LINUX_PR_GET_TIMERSLACK = 30, LINUX_PR_SET_CHILD_SUBREAPER = 36,
	LINUX_PR_GET_CHILD_SUBREAPER = 37, LINUX_PR_SET_NO_NEW_PRIVS = 38, LINUX_PR_GET_NO_NEW_PRIVS = 39,
	LINUX_PR_GET_TID_ADDRESS = 40, LINUX_PR_CAP_AMBIENT = 47,
};
enum { LINUX_CAP_LAST = 40 };
#define LINUX_CAP_VERSION_1 0x19980330u
#define LINUX_CAP_VERSION_2 0x20071026u
#define LINUX_CAP_VERSION_3 0x20080522u
struct linux_cap_header { uint32_t version; int32_t pid; };
struct linux_cap_data { uint32_t effective, permitted, inheritable; };

enum { LINUX_GRND_NONBLOCK = 1, LINUX_GRND_RANDOM = 2, LINUX_GRND_INSECURE = 4 };
enum { LINUX_AT_FDCWD = -100, LINUX_AT_EMPTY_PATH = 0x1000, LINUX_AT_SYMLINK_NOFOLLOW = 0x100 };

/* reboot(2) */
#define LINUX_REBOOT_MAGIC_1 0xfee1deadu
enum { LINUX_REBOOT_MAGIC_2A = 0x28121969, LINUX_REBOOT_MAGIC_2B = 0x05121996, LINUX_REBOOT_MAGIC_2C = 0x16041998, LINUX_REBOOT_MAGIC_2D = 0x20112000 };
#define LINUX_REBOOT_RESTART   0x01234567u
#define LINUX_REBOOT_HALT      0xcdef0123u
#define LINUX_REBOOT_POWER_OFF 0x4321fedcu
#define LINUX_REBOOT_CAD_ON    0x89abcdefu
#define LINUX_REBOOT_CAD_OFF   0u
