/* kernel/arch/x86_64/smp.c - the other CPUs: starting them, waking them, having them drop TLB entries, stopping them.
 *
 * A TLB shootdown is a request in the asking CPU's own place, so CPUs that ask different ones do not wait for each other. Who
 * waits for answers, or for any spinlock, answers meanwhile.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/paging.h"
#include "lib/base/string.h"

enum { SECONDARY_STACK_BYTES = 16384 };
#define START_TRY_NS    2000000ull
#define START_TRIES     500
#define STOP_WAIT_NS    200000000ull
/* More pages than this are dropped by dropping all. */
enum { FLUSH_PAGES_MAX = 32 };

static struct secondary {
	struct cpu cpu;
	uint8_t ist_stacks[IST_STACKS * IST_STACK_BYTES] ALIGNED(16);
	uint8_t stack[SECONDARY_STACK_BYTES] ALIGNED(16);
} *starting;
static _Atomic uint64_t started = 1;     /* by index: CPUs that run kernel code; only rises */

/* ---- Starting ---- */

NORETURN static void smp_main(void)
{
	struct cpu *c = &starting->cpu;

	descriptors_init_cpu(c, starting->ist_stacks);
	features_init_cpu();
	paging_load(NULL);
	apic_init_cpu();
	apic_timer_unmask();
	/* Came too late: its place was given to the next. */
	if (apic_id() != c->hardware_id)
		cpu_halt();
	atomic_fetch_or(&started, 1ull << c->index);
	kernel_main_secondary();
}

static bool has_started(const struct cpu *c) { return atomic_load(&started) >> c->index & 1; }

static bool wait_until_started(const struct cpu *c)
{
	for (uint64_t end = arch_clock_ns() + START_TRY_NS; arch_clock_ns() < end; arch_pause())
		if (has_started(c))
			return true;
	return false;
}

/* The startup interrupt is repeated: it is lost while the CPU still handles the one before. One that has started ignores it. */
static bool start_cpu(struct secondary *s)
{
	struct cpu *c = &s->cpu;

	starting = s;
	start_entry = smp_main;
	atomic_store(&start_stack, s->stack + SECONDARY_STACK_BYTES);
	apic_send(c->hardware_id, APIC_INIT);
	for (int i = 0; i < START_TRIES; i++) {
		apic_send(c->hardware_id, APIC_STARTUP | (uint32_t)(trampoline_page.raw >> PAGE_SHIFT));
		if (wait_until_started(c))
			return true;
	}
	/* Took its stack but got no further: it must not be freed. */
	return atomic_exchange(&start_stack, NULL) == NULL && wait_until_started(c);
}

static err_t add_cpu(uint32_t hardware_id)
{
	struct secondary *s;

	if (!apic_can_reach(hardware_id))
		return ERR_NXIO;
	if (!(s = heap_new(struct secondary)))
		return ERR_NOMEM;
	s->cpu.index = cpu_count;
	s->cpu.bit = 1ull << cpu_count;
	s->cpu.hardware_id = hardware_id;
	cpus[cpu_count] = &s->cpu;
	cpu_count++;
	if (start_cpu(s))
		return OK;
	/* It may still be somewhere in our start code: its memory stays its own. */
	cpu_count--;
	cpus[cpu_count] = NULL;
	return ERR_TIMEDOUT;
}

void arch_start_cpus(void)
{
	err_t err;

	if (acpi_machine.cpus_left_out)
		klog("arch: %u CPUs are beyond the limit of %u\n", acpi_machine.cpus_left_out, (unsigned)CPU_MAX);
	if (trampoline_page.raw == 0) {
		klog("arch: no page below 1 MiB to start other CPUs from\n");
		return;
	}
	memcpy(paddr_to_kernel(trampoline_page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	for (uint32_t i = 0; i < acpi_machine.cpu_count && cpu_count < CPU_MAX; i++) {
		if (acpi_machine.cpu_id[i] == boot_cpu.hardware_id)
			continue;
		if ((err = add_cpu(acpi_machine.cpu_id[i])))
			klog("arch: CPU with id %u did not come (error %d)\n", acpi_machine.cpu_id[i], -err);
	}
}

/* ---- TLB shootdown ---- */

static void flush_range(uint64_t start, uint64_t end)
{
	if (end == 0 || end - start > FLUSH_PAGES_MAX * (uint64_t)PAGE_BYTES) {
		paging_flush_all();
		return;
	}
	for (uint64_t at = page_round_down(start); at < end; at += PAGE_BYTES)
		invlpg(at);
}

void arch_poll_requests(void)
{
	struct cpu *c = cpu_this();

	if (LIKELY(!atomic_load_explicit(&c->arch.flush_asked, memory_order_relaxed)))
		return;
	for (uint64_t asked = atomic_exchange(&c->arch.flush_asked, 0); asked; asked &= asked - 1) {
		struct arch_cpu *by = &cpus[__builtin_ctzll(asked)]->arch;
		flush_range(by->flush_start, by->flush_end);
		atomic_fetch_and(&by->flush_waits_for, ~(1ull << c->index));
	}
}

static void shootdown_others(struct cpu *c, uint64_t mask, uint64_t start, uint64_t end)
{
	c->arch.flush_start = start;
	c->arch.flush_end = end;
	atomic_store(&c->arch.flush_waits_for, mask);
	for (uint64_t left = mask; left; left &= left - 1) {
		struct cpu *to = cpus[__builtin_ctzll(left)];
		if (!atomic_fetch_or(&to->arch.flush_asked, 1ull << c->index))  /* else its interrupt is on the way */
			apic_send(to->hardware_id, VECTOR_SHOOTDOWN);
	}
	while (atomic_load_explicit(&c->arch.flush_waits_for, memory_order_acquire)) {
		arch_pause();
		arch_poll_requests();
	}
}

void arch_shootdown(uint64_t cpu_mask, uint64_t start, uint64_t end)
{
	struct cpu *c = cpu_this();
	uint64_t self = 1ull << c->index;

	if (cpu_mask & self)
		flush_range(start, end);
	cpu_mask &= atomic_load_explicit(&started, memory_order_relaxed) & ~self;
	if (cpu_mask)
		shootdown_others(c, cpu_mask, start, end);
}

/* ---- Kick and idle ---- */

enum idle_state { IDLE_NO, IDLE_POLLING, IDLE_HALTED };
/* A wake-up by another CPU that comes this soon is seen without an interrupt; waking a halted CPU takes far longer. */
#define IDLE_POLL_NS    20000ull

void arch_kick(uint32_t cpu)
{
	struct cpu *c = cpus[cpu];

	atomic_store(&c->arch.kicked, true);
	if (atomic_load(&c->arch.idle_state) != IDLE_POLLING)
		apic_send(c->hardware_id, VECTOR_KICK);
}

/* Interrupts are on: their handlers set kick_seen. */
static void idle_poll(struct arch_cpu *a)
{
	uint64_t end = arch_clock_ns() + IDLE_POLL_NS;

	arch_interrupts_on();
	while (!atomic_load(&a->kicked) && !*(volatile bool *)&a->kick_seen && arch_clock_ns() < end)
		arch_pause();
	arch_interrupts_off();
}

void arch_idle(void)
{
	struct arch_cpu *a = &cpu_this()->arch;

	a->kick_seen = false;
	if (cpu_count > 1) {
		atomic_store(&a->idle_state, IDLE_POLLING);
		idle_poll(a);
	}
	/* From here on a kick comes as an interrupt, which stays pending until hlt can be woken by it. */
	atomic_store(&a->idle_state, IDLE_HALTED);
	if (!atomic_load(&a->kicked) && !a->kick_seen)
		__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
	atomic_store(&a->idle_state, IDLE_NO);
	atomic_store(&a->kicked, false);
}

/* ---- Stopping ---- */

static _Atomic bool stopping;

NORETURN void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}

void smp_stop_here(struct regs *r)
{
	struct cpu *c = cpu_this();

	if (!atomic_load(&stopping))
		return;
	klog("CPU %u:\n", c->index);
	arch_backtrace(r->rbp, r->rip);
	atomic_store(&c->arch.stopped, true);
	cpu_halt();
}

static void stop(struct cpu *c)
{
	apic_send(c->hardware_id, APIC_NMI);
	for (uint64_t end = arch_clock_ns() + STOP_WAIT_NS; arch_clock_ns() < end; arch_pause())
		if (atomic_load(&c->arch.stopped))
			return;
	klog("CPU %u does not answer\n", c->index);
}

/* One after the other, so that their traces do not mix. */
void arch_stop_others(void)
{
	struct cpu *self = cpu_this();

	atomic_store(&stopping, true);
	for (uint32_t i = 0; i < cpu_count; i++)
		if (cpus[i] != self && has_started(cpus[i]) && !atomic_load(&cpus[i]->arch.stopped))
			stop(cpus[i]);
}
