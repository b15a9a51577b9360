/* personality/linux/exception.c - what the kernel's events become: signals, or the end of a broken image. */
#include "personality/linux/exception.h"
#include "lib/base/fmt.h"
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/entry.h"
#include "personality/linux/fpu.h"

enum { VECTOR_DIVIDE = 0, VECTOR_DEBUG = 1, VECTOR_BREAKPOINT = 3, VECTOR_OVERFLOW = 4, VECTOR_BOUND = 5, VECTOR_OPCODE = 6,
       VECTOR_SEGMENT = 11, VECTOR_STACK = 12, VECTOR_PROTECTION = 13, VECTOR_PAGE = 14, VECTOR_X87 = 16,
       VECTOR_ALIGNMENT = 17, VECTOR_SIMD = 19 };
enum { FLOAT_INVALID = 1, FLOAT_DENORMAL = 2, FLOAT_DIVIDE = 4, FLOAT_OVERFLOW = 8, FLOAT_UNDERFLOW = 16, FLOAT_INEXACT = 32 };

int32_t exception_float_code(uint32_t unmasked)
{
	if (unmasked & FLOAT_INVALID)
		return LINUX_FPE_FLTINV;
	if (unmasked & FLOAT_DIVIDE)
		return LINUX_FPE_FLTDIV;
	if (unmasked & FLOAT_OVERFLOW)
		return LINUX_FPE_FLTOVF;
	if (unmasked & (FLOAT_UNDERFLOW | FLOAT_DENORMAL))
		return LINUX_FPE_FLTUND;
	return LINUX_FPE_FLTRES;
}

static int32_t float_code_now(bool is_simd)
{
	struct fpu_status s;

	fpu_status(&s);
	return exception_float_code(is_simd ? s.mxcsr & ~(s.mxcsr >> 7) & 63 : s.status & ~(uint32_t)s.control & 63);
}

static void page_info(const struct upcall_frame *e, struct linux_siginfo *info)
{
	info->fault.address = e->address;
	switch (-(int64_t)e->error) {
	case ERR_FAULT:
		info->signal = LINUX_SIGSEGV;
		info->code = LINUX_SEGV_MAPERR;
		return;
	case ERR_ACCES:
		info->signal = LINUX_SIGSEGV;
		info->code = LINUX_SEGV_ACCERR;
		return;
	default:
		info->signal = LINUX_SIGBUS;
		info->code = LINUX_BUS_ADRERR;
	}
}

void exception_info(const struct upcall_frame *e, int32_t float_code, struct linux_siginfo *info)
{
	*info = (struct linux_siginfo){ .signal = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };
	info->fault.address = e->regs.rip;
	switch (e->vector) {
	case VECTOR_DIVIDE:
		info->signal = LINUX_SIGFPE;
		info->code = LINUX_FPE_INTDIV;
		return;
	case VECTOR_DEBUG:
		info->signal = LINUX_SIGTRAP;
		info->code = LINUX_TRAP_TRACE;
		return;
	case VECTOR_BREAKPOINT:
		info->signal = LINUX_SIGTRAP;
		info->fault.address = 0;
		return;
	case VECTOR_OPCODE:
		info->signal = LINUX_SIGILL;
		info->code = LINUX_ILL_ILLOPN;
		return;
	case VECTOR_SEGMENT:
	case VECTOR_STACK:
		info->signal = LINUX_SIGBUS;
		info->fault.address = 0;
		return;
	case VECTOR_ALIGNMENT:
		info->signal = LINUX_SIGBUS;
		info->code = LINUX_BUS_ADRALN;
		info->fault.address = 0;
		return;
	case VECTOR_X87:
	case VECTOR_SIMD:
		info->signal = LINUX_SIGFPE;
		info->code = float_code;
		return;
	case VECTOR_PAGE:
		page_info(e, info);
		return;
	default:
		info->fault.address = 0;
	}
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
