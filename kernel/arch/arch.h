/* kernel/arch/arch.h - all that the portable kernel asks of a cpu; implemented in
 * kernel/arch/<cpu>/, the inline part in kernel/arch/<cpu>/inline.h.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/arch/regs.h"
#include "abi/boot.h"
#include "abi/error.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"
#if defined(__x86_64__)
#include "kernel/arch/x86_64/inline.h"  /* cpu_this, arch_thread_current, arch_pause, arch_interrupts_*, struct context */
#include "kernel/arch/x86_64/call.h"    /* how a native call lies in registers */
#endif

struct cpu;
struct irq_message;
struct thread;
struct space;

/* ---- Start ---- */
/* Called on the boot CPU with the direct map in place and interrupts off; portable kernel entry. */
NORETURN void kernel_main(struct boot_info *boot);
/* Per-CPU portable entry of every other CPU, called once its struct cpu is set up. */
NORETURN void kernel_main_secondary(void);
/* Interrupt controllers, clock calibration. Needs no allocator. */
void arch_init_early(void);
/* Starts the other CPUs, each of which runs kernel_main_secondary. Those that do not come are said and left out. */
void arch_start_cpus(void);

/* ---- Time: monotonic ns since boot; the same on every CPU ---- */
uint64_t arch_clock_ns(void);
/* How programs read the same clock: ns = (ticks - start_ticks) * mult >> shift, ticks = TSC. */
struct clock_scale { uint64_t start_ticks; uint32_t mult, shift; };
struct clock_scale arch_clock_scale(void);
/* This CPU takes a timer interrupt (kernel_timer_interrupt is called) at or soon after the deadline, perhaps one too early; UINT64_MAX: none. */
void arch_timer_arm(uint64_t deadline_ns);

/* ---- Other CPUs ---- */
/* Makes a CPU pass through its interrupt entry, where it looks for work (cpu_kicked is called there). */
void arch_kick(uint32_t cpu);
/* Has every CPU in the mask drop TLB entries of [start, end) (or all, when end is 0); returns when all have. */
void arch_shootdown(uint64_t cpu_mask, uint64_t start, uint64_t end);
/* Answers shootdowns and stop requests meant for this CPU; called by those who spin. */
void arch_poll_requests(void);
/* Panic: stops every other CPU after it has written its stack trace to the log. */
void arch_stop_others(void);
/* Interrupts on, waits for one, interrupts off. Returns at once when arch_kick came since interrupts were last on. */
void arch_idle(void);

/* ---- Threads ---- */
/* Prepares a context so that the first switch to it calls entry(argument) on the kernel stack. */
void arch_context_init(struct context *c, void *stack_top, void (*entry)(void *), void *argument) NONNULL;
/* The switch itself is in kernel/arch/<cpu>/switch.h, which only kernel/sched/switch.h includes. */
/* A new thread's FPU state: initial, or (fork) a copy of another's. NOMEM. */
err_t arch_thread_init(struct thread *t, const struct thread *copy_from) MUST_CHECK;
void arch_thread_fini(struct thread *t) NONNULL;
/* EXEC: the current thread's FPU is initial again. */
void arch_thread_reset(struct thread *t) NONNULL;
/* The current thread's own FS and GS base (user code changes them without the kernel). */
void arch_user_bases_get(uint64_t *fs_out, uint64_t *gs_out) NONNULL;
/* Goes to user space with these registers; never returns. Clears everything that is not in them. */
NORETURN void arch_enter_user(struct regs *r) NONNULL;
/* Fills registers of a thread that starts in user space. */
void arch_regs_start(struct regs *r, const struct thread_start *start) NONNULL;
/* FS and GS base of a thread that starts or execs; loads them when it is the current one. One that is not canonical counts as 0. */
void arch_thread_set_bases(struct thread *t, const struct thread_start *start) NONNULL;
/* Where this thread's user registers lie: the top of its kernel stack. */
struct regs *arch_thread_regs(struct thread *t) NONNULL;

/* ---- User memory: FAULT when a page is not there and cannot be had ---- */
/* Copies with fault recovery; ranges were checked by user_range_is_valid. Returns bytes NOT copied. */
size_t arch_copy_from_user(void *to, uint64_t from, size_t bytes) MUST_CHECK;
size_t arch_copy_to_user(uint64_t to, const void *from, size_t bytes) MUST_CHECK;
/* Compare-free 32-bit load with fault recovery: FAULT. */
err_t arch_load_user_u32(uint64_t from, uint32_t *out) NONNULL MUST_CHECK;

/* ---- Page tables: kernel/mem/paging.h ---- */

/* ---- Interrupts of devices ---- */
/* Lines are global system interrupts (ISA IRQs on x86 after the ACPI overrides). The handler runs with interrupts
 * off under a lock of RANK_INTERRUPT_LINES; a level line is then masked until arch_irq_unmask, and any line of which it says true. INVAL: no such
 * line. BUSY: taken. */
err_t arch_irq_attach(uint32_t isa_irq, bool (*handler)(void *), void *argument) MUST_CHECK;
/* A message, on the CPUs in turn: what a device writes where to interrupt. number: for arch_irq_detach and unmask. NOSPC: all are taken. */
err_t arch_message_attach(bool (*handler)(void *), void *argument, uint32_t *number, struct irq_message *out) NONNULL MUST_CHECK;
/* Undoes the attach with this argument, if there was one; the handler does not run any more. */
void arch_irq_detach(uint32_t isa_irq, const void *argument);
void arch_irq_unmask(uint32_t isa_irq);

/* ---- The machine ---- */
/* Bytes to the debugging serial port, polled; safe at any time. */
void arch_serial_write(const char *bytes, size_t count) NONNULL;
/* The end of a panic: an emulator's exit device if there is one, else this CPU halts. */
NORETURN void arch_end(void);
/* Prints a stack trace from a frame pointer (0: the caller's), symbolized. */
void arch_backtrace(uint64_t frame_pointer, uint64_t ip);

/* Port I/O for mem:port ranges of user drivers. width: 1, 2 or 4 bytes. */
uint32_t arch_port_read(uint16_t port, size_t width);
void arch_port_write(uint16_t port, size_t width, uint32_t value);

/* ---- What the cpu's entry code calls in the portable kernel (kernel/syscall.c, trap.c) ---- */
/* A native or foreign system call, up to the way back. True: more in r than the call's results may have changed. */
bool kernel_syscall(struct regs *r) NONNULL;
enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_USER = 4, FAULT_EXECUTE = 16, FAULT_FLAGS = 23 };  /* as in x86's error code */
/* A page fault at address by user code, or by the kernel in a user copy (then false: take the copy's error exit). */
bool kernel_page_fault(struct regs *r, uint64_t address, uint32_t fault_flags, uint64_t error_code) NONNULL;
/* Any other exception in user mode. */
void kernel_exception(struct regs *r, uint32_t vector, uint64_t error_code) NONNULL;
void kernel_timer_interrupt(void);      /* the armed timer went off on this CPU */
void kernel_kicked(void);               /* arch_kick reached this CPU */
/* Last thing before any return to user space (interrupts off): reschedule, notices, stop, kill. May switch threads. */
void kernel_exit_to_user(struct regs *r) NONNULL;
