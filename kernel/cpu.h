/* kernel/cpu.h - what each CPU has of its own.
 *
 * cpu_this() (arch inline) finds it. Members: [c] touched by this CPU only, [a] atomic, [I] immutable after start.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include "kernel/arch/arch.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"

enum { CPU_MAX = 64, CPU_HELD_MAX = 12 };

struct space;
struct thread;
struct run_queue;

struct cpu {
	struct cpu *self;               /* [I] offset 0: arch code relies on it */
	struct thread *current;         /* [c] offset 8: arch code relies on it */
	uint64_t kernel_stack_top;      /* [c] offset 16: arch code relies on it */
	uint64_t scratch;               /* [c] offset 24: arch entry code's */
	uint32_t index;                 /* [I] 0 is the boot CPU */
	uint64_t bit;                   /* [I] 1 << index */
	uint32_t hardware_id;           /* [I] APIC id, MPIDR ... */
	struct space *space;            /* [c] whose tables are loaded */
	struct thread *idle;            /* [I] */
	_Atomic bool need_resched;
	_Atomic bool online;
	struct spinlock run_lock;       /* RANK_RUN_QUEUE */
	struct run_queue *run_queue;    /* [I] the queue; in it all but count: run_lock */
	struct thread *previous;        /* [c] sched.c: who ran before the switch just made */
	void *timers;                   /* [I] sched/timer.c's */
	uint64_t armed_ns;              /* [c] what the hardware timer is set to */
	uint64_t charged_ns;            /* [c] up to when time went into the next two */
	uint64_t idle_ns, busy_ns;      /* [c] written, read by anyone */
	uint64_t switches, interrupts, requests;        /* [c] written, read by anyone */
	uint64_t timer_interrupts, kicks, shootdowns;   /* likewise: of the interrupts, those of these kinds */
	const struct spinlock *held[CPU_HELD_MAX];      /* [c] debug: locks held */
	uint32_t held_count;
	bool faults_are_final;          /* [c] a copy under a lock: a page that is not there is not brought in (mem/usercopy.h) */
	struct { struct list_node *first; uint32_t count; } frame_cache;        /* [c] mem/frame.c's */
	struct arch_cpu arch;           /* arch's own */
};

extern struct cpu *cpus[CPU_MAX];       /* [I] after start; NULL beyond cpu_count */
extern uint32_t cpu_count;              /* [I] after start */

static inline uint64_t cpu_mask_all(void) { return UINT64_MAX >> (64 - cpu_count); }
