/* personality/linux/exception.c - what the kernel's events become: signals, or the end of a broken image. */
#include "personality/linux/exception.h"
#include "lib/base/fmt.h"
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/entry.h"
#include "personality/linux/fpu.h"

static int32_t float_code_now(bool is_simd)
{
	struct fpu_status s;

	fpu_status(&s);
	return exception_float_code(is_simd ? s.mxcsr & ~(s.mxcsr >> 7) & 63 : s.status & ~(uint32_t)s.control & 63);
}

static void frame_from_regs(struct frame *f, const struct regs *r)
{
	*f = (struct frame){
		.argument = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 },
		.rax = r->rax, .rbx = r->rbx, .rbp = r->rbp, .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
		.rcx = r->rcx, .r11 = r->r11, .number = FRAME_NO_CALL,
		.rip = r->rip, .cs = r->cs, .rflags = r->rflags, .rsp = r->rsp, .ss = r->ss,
	};
}

/* A fault of our own code: there is nothing to trust in this process any more. */
static NORETURN void image_broken(struct thread *t)
{
	/* When even this faults, the program has overwritten what we are made of. */
	while (t->is_broken)
		(void)native(OP_EXIT, 0, HANDLE_NONE, 128 + LINUX_SIGILL, 0, 0, 0, 0, 0);
	t->is_broken = true;
	char text[160];
	size_t bytes = fmt(text, sizeof(text), "linux: fault in the personality: pid %u vector %lu at %#lx (image+%#lx), address %#lx\n",
	                   t->process->pid, t->event.vector, t->event.regs.rip, t->event.regs.rip - (uint64_t)image_start, t->event.address);
	process_complain(t->process, text, bytes);
	process_die(t, LINUX_SIGILL, true);
}

static bool is_within(uint64_t ip, const char *start, const char *end)
{
	return ip >= (uint64_t)start && ip < (uint64_t)end;
}

void event_dispatch(struct thread *t)
{
	struct linux_siginfo info;
	uint64_t ip = t->event.regs.rip;

	if (is_within(ip, image_start, image_end))
		image_broken(t);
	/* In the exit window the program's registers are still all in t->frame. */
	if (!is_within(ip, exit_window_start, exit_window_end))
		frame_from_regs(&t->frame, &t->event.regs);
	t->frame.number = FRAME_NO_CALL;
	if (t->event.reason == UPCALL_NOTICE) {
		(void)signal_deliver(t);
		return;
	}
	exception_info(&t->event, t->event.vector == VECTOR_X87 || t->event.vector == VECTOR_SIMD ? float_code_now(t->event.vector == VECTOR_SIMD) : 0, &info);
	signal_force(t, &info);
	(void)signal_deliver(t);
}
