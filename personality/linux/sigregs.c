/* personality/linux/sigregs.c - the pure half of signal frames: where they lie, and registers in Linux's order. */
#include "personality/linux/sigframe.h"

/* CF PF AF ZF SF DF OF AC: what a program may set; Linux's FIX_EFLAGS without TF and RF, with which our way out would trap. */
#define FLAGS_OF_PROGRAM 0x40cd5ull
#define ADDRESS_LIMIT    0x7ffffffff000ull

struct sigframe_place sigframe_place(uint64_t top, uint32_t fpu_bytes)
{
	struct sigframe_place place;

	place.fpstate = (top - fpu_bytes - SIGFRAME_MAGIC2_BYTES) & ~63ull;
	/* At the handler's first instruction the stack is as after a call. */
	place.frame = ((place.fpstate - sizeof(struct linux_rt_sigframe)) & ~15ull) - 8;
	return place;
}

uint64_t sigframe_bytes(uint32_t fpu_bytes)
{
	return sizeof(struct linux_rt_sigframe) + fpu_bytes + SIGFRAME_MAGIC2_BYTES + 64 + 16 + 8;
}

bool sigframe_is_on_stack(const struct linux_stack *s, uint64_t sp)
{
	return !(s->flags & LINUX_SS_DISABLE) && sp > s->base && sp - s->base <= s->bytes;
}

void sigframe_save_registers(const struct frame *f, struct linux_sigcontext *to)
{
	to->r8 = f->argument[FRAME_ARG_R8];
	to->r9 = f->argument[FRAME_ARG_R9];
	to->r10 = f->argument[FRAME_ARG_R10];
	to->rdi = f->argument[FRAME_ARG_RDI];
	to->rsi = f->argument[FRAME_ARG_RSI];
	to->rdx = f->argument[FRAME_ARG_RDX];
	to->r11 = f->r11;
	to->r12 = f->r12;
	to->r13 = f->r13;
	to->r14 = f->r14;
	to->r15 = f->r15;
	to->rbp = f->rbp;
	to->rbx = f->rbx;
	to->rax = f->rax;
	to->rcx = f->rcx;
	to->rsp = f->rsp;
	to->rip = f->rip;
	to->rflags = f->rflags;
	to->cs = (uint16_t)f->cs;
	to->ss = (uint16_t)f->ss;
}

bool sigframe_load_registers(struct frame *f, const struct linux_sigcontext *from)
{
	if (from->rip >= ADDRESS_LIMIT)
		return false;
	f->argument[FRAME_ARG_R8] = from->r8;
	f->argument[FRAME_ARG_R9] = from->r9;
	f->argument[FRAME_ARG_R10] = from->r10;
	f->argument[FRAME_ARG_RDI] = from->rdi;
	f->argument[FRAME_ARG_RSI] = from->rsi;
	f->argument[FRAME_ARG_RDX] = from->rdx;
	f->r11 = from->r11;
	f->r12 = from->r12;
	f->r13 = from->r13;
	f->r14 = from->r14;
	f->r15 = from->r15;
	f->rbp = from->rbp;
	f->rbx = from->rbx;
	f->rax = from->rax;
	f->rcx = from->rcx;
	f->rsp = from->rsp;
	f->rip = from->rip;
	f->rflags = (f->rflags & ~FLAGS_OF_PROGRAM) | (from->rflags & FLAGS_OF_PROGRAM);
	return true;
}
