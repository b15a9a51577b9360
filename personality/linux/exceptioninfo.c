/* personality/linux/exceptioninfo.c - the pure half of exceptions: vector to signal. */
#include "personality/linux/exception.h"
#include "abi/error.h"

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
