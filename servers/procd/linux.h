/* servers/procd/linux.h - Linux's numbers for signals, their codes, limits and priorities (x86_64). */
#pragma once
#include <stdint.h>

enum {
	LINUX_SIGHUP = 1, LINUX_SIGINT = 2, LINUX_SIGQUIT = 3, LINUX_SIGILL = 4, LINUX_SIGTRAP = 5,
	LINUX_SIGBUS = 7, LINUX_SIGFPE = 8, LINUX_SIGKILL = 9, LINUX_SIGSEGV = 11, LINUX_SIGTERM = 15,
	LINUX_SIGCHLD = 17, LINUX_SIGCONT = 18, LINUX_SIGSTOP = 19, LINUX_SIGTSTP = 20,
	LINUX_SIGTTIN = 21, LINUX_SIGTTOU = 22,
	LINUX_SIGRTMIN = 32, LINUX_SIGNAL_LAST = 64,
};

/* siginfo's si_code. */
enum {
	LINUX_SI_USER = 0, LINUX_SI_KERNEL = 0x80, LINUX_SI_QUEUE = -1, LINUX_SI_TKILL = -6,
	LINUX_CLD_EXITED = 1, LINUX_CLD_KILLED = 2, LINUX_CLD_DUMPED = 3, LINUX_CLD_STOPPED = 5, LINUX_CLD_CONTINUED = 6,
};

enum {
	LINUX_RLIMIT_CPU = 0, LINUX_RLIMIT_FSIZE = 1, LINUX_RLIMIT_DATA = 2, LINUX_RLIMIT_STACK = 3,
	LINUX_RLIMIT_CORE = 4, LINUX_RLIMIT_RSS = 5, LINUX_RLIMIT_NPROC = 6, LINUX_RLIMIT_NOFILE = 7,
	LINUX_RLIMIT_MEMLOCK = 8, LINUX_RLIMIT_AS = 9, LINUX_RLIMIT_LOCKS = 10, LINUX_RLIMIT_SIGPENDING = 11,
	LINUX_RLIMIT_MSGQUEUE = 12, LINUX_RLIMIT_NICE = 13, LINUX_RLIMIT_RTPRIO = 14, LINUX_RLIMIT_RTTIME = 15,
	LINUX_RLIMIT_COUNT = 16,
};
#define LINUX_RLIM_INFINITY UINT64_MAX

enum { LINUX_PRIO_PROCESS = 0, LINUX_PRIO_PGRP = 1, LINUX_PRIO_USER = 2 };
enum { LINUX_NICE_MIN = -20, LINUX_NICE_MAX = 19 };

/* wait4's status words. */
static inline uint16_t wait_status_exited(uint32_t code) { return (uint16_t)((code & 0xff) << 8); }
static inline uint16_t wait_status_stopped(uint32_t signal) { return (uint16_t)((signal & 0x7f) << 8 | 0x7f); }
enum { WAIT_STATUS_CONTINUED = 0xffff };

/* What uname and /proc say: the Linux whose calls the personality answers to. */
#define LINUX_OSTYPE    "Linux"
#define LINUX_OSRELEASE "6.1.0-cathode"
#define LINUX_VERSION   "#1 SMP Cathode"
