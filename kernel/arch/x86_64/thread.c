/* kernel/arch/x86_64/thread.c - what a thread owns of the CPU: kernel stack, segment bases, FPU state.
 *
 * The FPU state is saved and loaded at every switch, also from and to idle threads, which have one of their own. Not lazily, by a trap at
 * the first use: QEMU lets XSAVE and XRSTOR pass without that trap, so that a thread would see another's registers and lose its own.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/arch/x86_64/switch.h"
#include "kernel/mem/heap.h"
#include "kernel/sched/thread.h"
#include "lib/base/string.h"

enum { FPU_ALIGNMENT = 64, FCW_INITIAL = 0x37f, MXCSR_INITIAL = 0x1f80 };
#define RFLAGS_START    0x202ull

STATIC_ASSERT(sizeof(struct regs) == REGS_BYTES && offsetof(struct regs, rbp) == REGS_RBP && offsetof(struct regs, rip) == REGS_RIP && offsetof(struct regs, rcx) == REGS_RCX
              && offsetof(struct regs, r11) == REGS_R11 && offsetof(struct regs, r12) == REGS_R12 && offsetof(struct regs, ss) == REGS_SS, "layout.h must agree with regs.h");
STATIC_ASSERT(offsetof(struct cpu, current) == CPU_CURRENT && offsetof(struct cpu, scratch) == CPU_SCRATCH
              && offsetof(struct cpu, kernel_stack_top) == CPU_KERNEL_STACK_TOP, "layout.h must agree with cpu.h");

STATIC_ASSERT(NATIVE_CALL == NATIVE_CALL_BASE + OP_CALL && NATIVE_REPLY_RECEIVE == NATIVE_CALL_BASE + OP_REPLY_RECEIVE, "layout.h must agree with ops.def");

extern void context_start(void);

/* ---- Contexts ---- */

void arch_context_init(struct context *c, void *stack_top, void (*entry)(void *), void *argument)
{
	uint64_t *sp = (uint64_t *)((uint64_t)stack_top & ~15ull);

	*--sp = (uint64_t)argument;
	*--sp = (uint64_t)entry;
	*--sp = (uint64_t)context_start;
	c->sp = (uint64_t)sp;
}

struct regs *arch_thread_regs(struct thread *t) { return (struct regs *)t->kernel_stack_top - 1; }

void arch_regs_start(struct regs *r, const struct thread_start *start)
{
	*r = (struct regs){
		.rip = start->ip, .rsp = start->sp, .cs = SELECTOR_USER_CODE, .ss = SELECTOR_USER_DATA, .rflags = RFLAGS_START,
		.rdi = start->arg[0], .rsi = start->arg[1], .rdx = start->arg[2],
	};
}

/* ---- FPU ---- */

/* The legacy part's control words must be valid even when the state says "all initial". */
static void fpu_make_initial(void *area)
{
	memset(area, 0, fpu_state_bytes);
	*(uint16_t *)area = FCW_INITIAL;
	*(uint32_t *)((uint8_t *)area + 24) = MXCSR_INITIAL;
}

/* ---- Life ---- */

err_t arch_thread_init(struct thread *t, const struct thread *copy_from)
{
	t->arch = (struct arch_thread){0};
	t->arch.fpu_block = heap_alloc(fpu_state_bytes + FPU_ALIGNMENT);
	if (!t->arch.fpu_block)
		return ERR_NOMEM;
	t->arch.fpu = (void *)(((uint64_t)t->arch.fpu_block + FPU_ALIGNMENT - 1) & ~(uint64_t)(FPU_ALIGNMENT - 1));
	if (!copy_from || !copy_from->arch.fpu) {
		fpu_make_initial(t->arch.fpu);
		return OK;
	}
	if (copy_from == thread_current())
		__asm__ volatile("xsave64 (%0)" : : "r"(copy_from->arch.fpu), "a"(-1), "d"(-1) : "memory");
	memcpy(t->arch.fpu, copy_from->arch.fpu, fpu_state_bytes);
	return OK;
}

void arch_thread_fini(struct thread *t)
{
	heap_free(t->arch.fpu_block, fpu_state_bytes + FPU_ALIGNMENT);
}

void arch_thread_reset(struct thread *t)
{
	fpu_make_initial(t->arch.fpu);
	__asm__ volatile("xrstor64 (%0)" : : "r"(t->arch.fpu), "a"(-1), "d"(-1) : "memory");
}

void arch_user_bases_get(uint64_t *fs_out, uint64_t *gs_out)
{
	*fs_out = fs_base_read();
	*gs_out = user_gs_base_read();
}

/* A base that is not canonical would fault in the kernel. */
static bool base_is_canonical(uint64_t base) { return (uint64_t)((int64_t)(base << 16) >> 16) == base; }

void arch_thread_set_bases(struct thread *t, const struct thread_start *start)
{
	t->arch.fs_base = base_is_canonical(start->fs_base) ? start->fs_base : 0;
	t->arch.gs_base = base_is_canonical(start->gs_base) ? start->gs_base : 0;
	if (t != thread_current())
		return;
	fs_base_write(t->arch.fs_base);
	(void)user_gs_base_exchange(t->arch.gs_base);
}

/* ---- User memory ---- */

