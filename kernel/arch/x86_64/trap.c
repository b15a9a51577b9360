/* kernel/arch/x86_64/trap.c - what every exception and interrupt leads to.
 *
 * From user space: the portable kernel decides. From the kernel: only device interrupts while idle, and faults of a user copy,
 * are no bugs.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/debug/trace.h"

enum { EXCEPTION_NMI = 2, EXCEPTION_DOUBLE = 8, EXCEPTION_GENERAL = 13, EXCEPTION_PAGE = 14, EXCEPTIONS = 32 };

struct fixup { uint64_t at, go_on; };
extern const struct fixup fixup_start[], fixup_end[];

static const struct fixup *fixup_find(uint64_t ip)
{
	for (const struct fixup *f = fixup_start; f < fixup_end; f++)
		if (f->at == ip)
			return f;
	return NULL;
}

static void interrupt(uint64_t vector)
{
	struct cpu *c = cpu_this();

	c->interrupts++;
	c->arch.kick_seen = true;
	trace(TRACE_INTERRUPT, (uint16_t)vector, 0, 0);
	if (vector >= VECTOR_LINES && vector < VECTOR_LINES_END) {
		lines_interrupt((uint32_t)vector);
		return;
	}
	switch (vector) {
	case VECTOR_TIMER:
		c->timer_interrupts++;
		apic_end();
		kernel_timer_interrupt();
		break;
	case VECTOR_KICK:
		c->kicks++;
		apic_end();
		kernel_kicked();
		break;
	case VECTOR_SHOOTDOWN:
		c->shootdowns++;
		apic_end();
		arch_poll_requests();
		break;
	default:
		apic_end_unexpected((uint32_t)vector);
	}
}

void trap_from_user(struct regs *r, uint64_t vector, uint64_t error)
{
	if (vector >= EXCEPTIONS) {
		interrupt(vector);
	} else if (vector == EXCEPTION_PAGE && !(error & FAULT_USER)) {
		/* No CPU does this, but QEMU before 9.1 does lret and iret as the kernel, and SMAP stops it: no page helps. */
		kernel_exception(r, EXCEPTION_GENERAL, 0);
	} else if (vector == EXCEPTION_PAGE) {
		uint64_t address = cr2_read();

		(void)kernel_page_fault(r, address, (uint32_t)error & FAULT_FLAGS, error);
	} else {
		kernel_exception(r, (uint32_t)vector, error);
	}
	kernel_exit_to_user(r);
}

NORETURN static void trap_is_bug(struct regs *r, uint64_t vector, uint64_t error)
{
	panic_begin("exception %u, error %lx, in the kernel at %lx, address %lx", (unsigned)vector, error, r->rip, cr2_read());
	klog("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx rsp %lx", r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp);
	klog("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx flags %lx",
	     r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rflags);
	panic_end(r->rbp, r->rip);
}

/* True when it was a user copy's fault and the kernel goes on. */
static bool copy_fault(struct regs *r, uint64_t vector, uint64_t error)
{
	const struct fixup *f = fixup_find(r->rip);
	uint64_t address = cr2_read();

	if (!f)
		return false;
	if (vector == EXCEPTION_PAGE && address < USER_MAX && kernel_page_fault(r, address, (uint32_t)error & FAULT_FLAGS, error))
		return true;
	r->rip = f->go_on;
	return true;
}

void trap_from_kernel(struct regs *r, uint64_t vector, uint64_t error)
{
	if (vector >= EXCEPTIONS) {
		interrupt(vector);
		return;
	}
	if ((vector == EXCEPTION_PAGE || vector == EXCEPTION_GENERAL) && copy_fault(r, vector, error))
		return;
	trap_is_bug(r, vector, error);
}

void trap_on_own_stack(struct regs *r, uint64_t vector, uint64_t error)
{
	if (vector == EXCEPTION_NMI) {
		smp_stop_here(r);       /* returns when nobody asked for it */
		return;
	}
	trap_is_bug(r, vector, error);
}

void trap_bad_return(struct regs *r)
{
	kernel_exception(r, EXCEPTION_GENERAL, 0);
	kernel_exit_to_user(r);
}
