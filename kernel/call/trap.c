/* kernel/call/trap.c - exceptions, interrupts and the way back to user space. */
#include "abi/ops.h"
#include "kernel/debug/log.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/timer.h"
#include "lib/base/try.h"

enum { PAGE_FAULT_VECTOR = 14 };

static bool is_in_image(const struct thread *t, uint64_t ip)
{
	return ip >= t->upcall.image_start && ip < t->upcall.image_end;
}

/* Saves the registers where the program's personality finds them, and goes to its event entry. */
static err_t enter_upcall(struct regs *r, struct upcall_frame *f)
{
	struct thread *t = thread_current();

	f->original_rax = regs_call_number(r);
	f->regs = *r;
	arch_user_bases_get(&f->fs_base, &f->gs_base);
	TRY(copy_to_user(uaddr(t->upcall.frame), f, sizeof(*f)));
	regs_redirect(r, t->upcall.event_entry);
	regs_set_argument(r, t->upcall.frame);
	return OK;
}

static void end_by_fault(struct regs *r, const struct upcall_frame *f)
{
	struct process *p = process_current();

	spin_lock(&p->lock);
	if (!p->end) {
		p->fault_ip = regs_ip(r);
		p->fault_address = f->address;
	}
	spin_unlock(&p->lock);
	klog("%s (pid %u): exception %u at ip 0x%lx, address 0x%lx, error 0x%lx: ended\n", p->name, p->pid,
	     (unsigned)f->vector, regs_ip(r), f->address, f->error_code);
	process_end(p, TASK_FAULTED, f->vector);
}

static void raise(struct regs *r, struct upcall_frame *f)
{
	f->reason = UPCALL_EXCEPTION;
	if (!thread_current()->upcall.event_entry || enter_upcall(r, f))
		end_by_fault(r, f);
}

void kernel_exception(struct regs *r, uint32_t vector, uint64_t error_code)
{
	struct upcall_frame f = { .vector = vector, .error_code = error_code };
	raise(r, &f);
}

bool kernel_page_fault(struct regs *r, uint64_t address, uint32_t fault_flags, uint64_t error_code)
{
	struct process *p = process_current();
	err_t err = ERR_FAULT;

	trace(TRACE_FAULT, (uint16_t)fault_flags, address, regs_ip(r));
	if (p && p->space && address < USER_MAX && !cpu_this()->faults_are_final) {
		p->minor_faults++;
		err = space_fault(p->space, address, fault_flags, true);
	}
	if (!err)
		return true;
	if (!(fault_flags & FAULT_USER))
		return false;
	if (err == ERR_INTR)    /* to be ended, or a notice while a pager was asked: try again after looking */
		return true;
	struct upcall_frame f = {
		.vector = PAGE_FAULT_VECTOR, .error_code = error_code, .address = address, .error = (uint64_t)-(int64_t)err,
	};
	raise(r, &f);
	return true;
}

void kernel_timer_interrupt(void)
{
	timer_run_due();
	sched_tick();
}

void kernel_kicked(void) { sched_tick(); }

static void wait_while_stopped(struct thread *t)
{
	while ((atomic_load(&t->attention) & (ATTENTION_STOP | ATTENTION_KILL)) == ATTENTION_STOP)
		if (thread_park(DEADLINE_NONE, 0))
			break;
}

/* Tells the thread's personality; a process without one takes notices only by asking. */
static void give_notice(struct thread *t, struct regs *r)
{
	struct upcall_frame f = { .reason = UPCALL_NOTICE };
	uint64_t flag = 1;

	if (!t->upcall.event_entry)
		return;
	if (!is_in_image(t, regs_ip(r))) {
		if (enter_upcall(r, &f))
			end_by_fault(r, &f);
	} else if (t->upcall.notice_flag && copy_to_user(uaddr(t->upcall.notice_flag), &flag, sizeof(flag))) {
		end_by_fault(r, &f);
	}
}

void kernel_exit_to_user(struct regs *r)
{
	struct thread *t = thread_current();
	bool told = false;

	for (;;) {
		sched_preempt();
		uint32_t attention = atomic_load(&t->attention);
		if (!attention)
			return;
		if (attention & ATTENTION_KILL)
			thread_finish();
		if (attention & ATTENTION_STOP)
			wait_while_stopped(t);
		else if (told)
			return;
		else {
			give_notice(t, r);
			told = true;
		}
	}
}
