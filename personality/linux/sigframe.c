/* personality/linux/sigframe.c - building a handler's frame in program memory, and taking it back. */
#include "personality/linux/sigframe.h"
#include "abi/error.h"
#include "personality/linux/deliver.h"
#include "personality/linux/fpu.h"
#include "personality/linux/process.h"
#include "personality/linux/thread.h"
#include "personality/linux/user.h"

enum { RED_ZONE = 128, MAGIC2_BYTES = SIGFRAME_MAGIC2_BYTES };
#define FLAG_DIRECTION   0x400ull
#define FLAG_TRAP        0x100ull
#define FLAG_RESUME      0x10000ull

/* What follows the registers in an fxsave image says to handlers (and to us) that an xsave image it is. */
static int64_t fpstate_write(const struct process_kept *kept, uint64_t at)
{
	struct linux_fp_software software = {
		.magic1 = LINUX_FP_MAGIC1, .extended_bytes = kept->fpu_bytes + MAGIC2_BYTES,
		.features = kept->xsave_features, .state_bytes = kept->fpu_bytes,
	};
	uint64_t header[LINUX_XSAVE_HEADER_BYTES / 8] = { 0 };
	uint32_t magic2 = LINUX_FP_MAGIC2;

	if (kept->xsave_features && user_write(at + LINUX_FXSAVE_BYTES, header, sizeof(header)))
		return ERR_FAULT;
	if (fpu_save(at, kept->xsave_features))
		return ERR_FAULT;
	if (!kept->xsave_features)
		return 0;
	if (user_write(at + LINUX_FP_SOFTWARE_OFFSET, &software, sizeof(software)))
		return ERR_FAULT;
	return user_write(at + kept->fpu_bytes, &magic2, sizeof(magic2));
}

static int64_t fpstate_read(const struct process_kept *kept, uint64_t at)
{
	struct linux_fp_software software;
	uint32_t magic2 = 0;
	bool is_extended;

	if (at == 0)
		return 0;
	if (at & 63)
		return ERR_FAULT;
	if (user_read(&software, at + LINUX_FP_SOFTWARE_OFFSET, sizeof(software)))
		return ERR_FAULT;
	is_extended = kept->xsave_features && software.magic1 == LINUX_FP_MAGIC1 && software.state_bytes == kept->fpu_bytes &&
	              !user_read(&magic2, at + kept->fpu_bytes, sizeof(magic2)) && magic2 == LINUX_FP_MAGIC2;
	return fpu_load(at, is_extended ? kept->xsave_features : 0);
}

static uint64_t stack_choose(const struct thread *t, const struct linux_sigaction *action)
{
	const struct linux_stack *s = &t->alternate;

	if ((action->flags & LINUX_SA_ONSTACK) && !(s->flags & LINUX_SS_DISABLE) && !sigframe_is_on_stack(s, t->frame.rsp))
		return s->base + s->bytes;
	return t->frame.rsp - RED_ZONE;
}

int64_t sigframe_push(struct thread *t, const struct linux_sigaction *action, const struct linux_siginfo *info, uint64_t mask)
{
	const struct process_kept *kept = &t->process->kept;
	struct sigframe_place place = sigframe_place(stack_choose(t, action), kept->fpu_bytes);
	struct linux_rt_sigframe f = {
		.return_address = action->restorer, .info = *info,
		.context = { .flags = LINUX_UC_SIGCONTEXT_SS | LINUX_UC_STRICT_RESTORE_SS | (kept->xsave_features ? LINUX_UC_FP_XSTATE : 0),
		             .stack = t->alternate, .mask = mask },
	};

	/* Without a restorer there is no way back: Linux does not support it on x86_64 either. */
	if (!(action->flags & LINUX_SA_RESTORER))
		return ERR_FAULT;
	if (sigframe_is_on_stack(&t->alternate, t->frame.rsp))
		f.context.stack.flags |= LINUX_SS_ONSTACK;
	sigframe_save_registers(&t->frame, &f.context.context);
	f.context.context.fpstate = place.fpstate;
	f.context.context.old_mask = mask;
	f.context.context.trap = t->event.vector;
	f.context.context.error_code = t->event.error_code;
	f.context.context.cr2 = t->event.address;
	if (fpstate_write(kept, place.fpstate) || user_write(place.frame, &f, sizeof(f)))
		return ERR_FAULT;
	if ((uint32_t)t->alternate.flags & LINUX_SS_AUTODISARM)
		t->alternate = (struct linux_stack){ .flags = LINUX_SS_DISABLE };
	t->frame.argument[FRAME_ARG_RDI] = (uint64_t)info->signal;
	t->frame.argument[FRAME_ARG_RSI] = place.frame + offsetof(struct linux_rt_sigframe, info);
	t->frame.argument[FRAME_ARG_RDX] = place.frame + offsetof(struct linux_rt_sigframe, context);
	t->frame.rax = 0;
	t->frame.rsp = place.frame;
	t->frame.rip = action->handler;
	t->frame.rflags &= ~(FLAG_DIRECTION | FLAG_TRAP | FLAG_RESUME);
	return 0;
}

int64_t sigframe_pop(struct thread *t)
{
	struct linux_ucontext c;

	if (user_read(&c, t->frame.rsp, sizeof(c)))
		return ERR_FAULT;
	if (!sigframe_load_registers(&t->frame, &c.context))
		return ERR_INVAL;
	if (fpstate_read(&t->process->kept, c.context.fpstate))
		return ERR_FAULT;
	t->frame.number = FRAME_NO_CALL;
	t->full_exit = true;
	c.stack.flags &= ~LINUX_SS_ONSTACK;
	if (c.stack.flags == 0 || c.stack.flags == LINUX_SS_DISABLE || (uint32_t)c.stack.flags == LINUX_SS_AUTODISARM)
		t->alternate = c.stack;
	thread_set_mask(t, c.mask & ~SIGNAL_UNBLOCKABLE);
	return 0;
}
