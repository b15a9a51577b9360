/* personality/linux/deliver.c - taking notices from the kernel and doing what their signals do. */
#include "personality/linux/deliver.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"
#include "personality/linux/entry.h"
#include "personality/linux/sigframe.h"
#include "personality/linux/strace.h"

enum { CALL_INSTRUCTION_BYTES = 2 };

static void info_from_procd(struct linux_siginfo *info, const struct posix_signal *s)
{
	*info = (struct linux_siginfo){ .signal = (int32_t)s->signal, .code = s->code };
	if (s->signal == LINUX_SIGCHLD && s->code > 0) {
		info->child.pid = (int32_t)s->pid;
		info->child.uid = s->uid;
		info->child.status = (int32_t)s->value;
	} else {
		info->sent.pid = (int32_t)s->pid;
		info->sent.uid = s->uid;
		info->sent.value = s->value;
	}
}

/* What is known about a notice just taken: from our own queue, else from procd. What is left of its kind is posted again. */
static void info_find(struct thread *t, uint32_t signal, struct linux_siginfo *info)
{
	struct process *p = t->process;
	struct posix_signal s;
	uint32_t more_tid;
	bool more;

	lock_take(&p->lock);
	bool found = signal_unqueue(&p->signal_queue, t->tid, signal, info, &more, &more_tid);
	lock_release(&p->lock);
	if (found) {
		if (more)
			(void)native_call(process_self(p), TASK_POST, 0, NULL, 0, NULL, 0, signal | (uint64_t)more_tid << 32);
		if (info->code == LINUX_SI_TIMER)
			info->timer.overrun = (int32_t)timer_taken(p, info->timer.id);
		return;
	}
	memset(&s, 0, sizeof(s));
	s.signal = signal;
	s.code = LINUX_SI_KERNEL;
	if (native_call(process_posix(p), POSIX_SIGNAL_INFO, 0, NULL, 0, &s, sizeof(s), signal | (uint64_t)t->tid << 32) < 0)
		s = (struct posix_signal){ .signal = signal, .code = LINUX_SI_KERNEL };
	s.signal = signal;
	info_from_procd(info, &s);
}

int64_t signal_take(struct thread *t, uint64_t set, uint64_t deadline_ns, struct linux_siginfo *info)
{
	thread_sync_mask(t);
	int64_t n = native(OP_NOTICE_TAKE, REQUEST_INTERRUPTIBLE, HANDLE_NONE, set, deadline_ns, 0, 0, 0, 0);

	if (n <= 0)
		return n < 0 ? n : ERR_AGAIN;
	info_find(t, (uint32_t)n, info);
	return n;
}

NORETURN void process_die(struct thread *t, uint32_t signal, bool core)
{
	struct process *p = t->process;

	strace_died(t, signal);
	(void)native_call(process_posix(p), POSIX_TERMINATED, 0, NULL, 0, NULL, 0, signal | (core ? 0x80 : 0));
	/* Without procd the status is a shell's. */
	for (;;)
		(void)native(OP_EXIT, 0, HANDLE_NONE, 128 + signal, 0, 0, 0, 0, 0);
}

/* The call that a handler interrupts ends with EINTR, or will be made again when the handler is done. */
static void call_settle(struct thread *t, const struct linux_sigaction *action)
{
	struct frame *f = &t->frame;
	int64_t result = (int64_t)f->rax;

	if (f->number == FRAME_NO_CALL)
		return;
	if (result == -LINUX_ERESTARTSYS && (action->flags & LINUX_SA_RESTART)) {
		f->rax = f->number;
		if (t->by_call) {
			/* Its return address is still where the call put it. */
			f->rip = (uint64_t)call_entry;
			f->rsp -= 8;
		} else {
			f->rip -= CALL_INSTRUCTION_BYTES;
		}
	} else if (result == -LINUX_ERESTARTSYS || result == -LINUX_ERESTARTNOHAND) {
		f->rax = (uint64_t)(int64_t)ERR_INTR;
	}
	f->number = FRAME_NO_CALL;
}

static void handler_enter(struct thread *t, uint32_t signal, const struct linux_siginfo *info)
{
	struct process *p = t->process;
	uint64_t back_to = t->is_mask_saved ? t->mask_saved : t->mask;

	lock_take(&p->lock);
	struct linux_sigaction action = p->signal.action[signal];
	uint64_t mask = signal_handler_mask(&p->signal, signal, t->mask);
	lock_release(&p->lock);
	call_settle(t, &action);
	t->full_exit = true;
	if (sigframe_push(t, &action, info, back_to))
		process_die(t, LINUX_SIGSEGV, true);
	t->is_mask_saved = false;
	thread_set_mask(t, mask);
}

static void process_stop(struct thread *t, uint32_t signal)
{
	(void)native_call(process_posix(t->process), POSIX_STOPPED, 0, NULL, 0, NULL, 0, signal);
}

/* True: a handler was entered. */
static bool signal_act(struct thread *t, uint32_t signal, const struct linux_siginfo *info)
{
	struct process *p = t->process;

	lock_take(&p->lock);
	enum signal_effect effect = signal_effect(&p->signal, signal);
	lock_release(&p->lock);
	if (effect != SIGNAL_IGNORE)
		strace_signal(t, info);
	switch (effect) {
	case SIGNAL_TERMINATE:
	case SIGNAL_CORE:
		process_die(t, signal, effect == SIGNAL_CORE);
	case SIGNAL_STOP:
		process_stop(t, signal);
		return false;
	case SIGNAL_HANDLE:
		handler_enter(t, signal, info);
		return true;
	default:
		return false;
	}
}

bool signal_deliver_own(struct thread *t)
{
	t->has_own = false;
	return signal_act(t, (uint32_t)t->own.signal, &t->own);
}

bool signal_deliver(struct thread *t)
{
	struct linux_siginfo info;
	bool is_handled = false, is_first = true;

	for (;; is_first = false) {
		/* Cleared first: a notice that comes after the last take sets it again, and the exit path looks again. */
		__atomic_store_n(&t->notice_flag, 0, __ATOMIC_SEQ_CST);
		int64_t n = native(OP_NOTICE_TAKE, 0, HANDLE_NONE, ~t->mask, DEADLINE_NOW, 0, 0, 0, 0);
		if (n <= 0) {
			/* What it told of is masked, and it does not know. */
			if (is_first)
				thread_sync_mask(t);
			return is_handled;
		}
		info_find(t, (uint32_t)n, &info);
		is_handled |= signal_act(t, (uint32_t)n, &info);
	}
}

void signal_force(struct thread *t, const struct linux_siginfo *info)
{
	struct process *p = t->process;
	uint32_t signal = (uint32_t)info->signal;

	lock_take(&p->lock);
	bool is_handled = signal_effect(&p->signal, signal) == SIGNAL_HANDLE && !(t->mask & LINUX_SIGNAL_BIT(signal));
	lock_release(&p->lock);
	strace_signal(t, info);
	if (!is_handled)
		process_die(t, signal, signal_default(signal) == SIGNAL_CORE);
	handler_enter(t, signal, info);
}

int64_t signal_send(struct process *p, uint32_t tid, const struct linux_siginfo *info)
{
	uint32_t signal = (uint32_t)info->signal;

	lock_take(&p->lock);
	err_t err = signal_queue(&p->signal_queue, tid, info);
	lock_release(&p->lock);
	/* A standard signal is never lost, only what it carries. */
	if (err && signal_is_realtime(signal) && info->code != LINUX_SI_USER)
		return err;
	return native_call(process_self(p), TASK_POST, 0, NULL, 0, NULL, 0, signal | (uint64_t)tid << 32);
}

int64_t signal_send_self(struct thread *t, uint32_t tid, uint32_t signal, int32_t code)
{
	struct linux_siginfo info = { .signal = (int32_t)signal, .code = code };

	info.sent.pid = (int32_t)t->process->pid;
	info.sent.uid = process_ids(t->process)->uid;
	/* Standard ones that this thread takes anyway, before the call returns. */
	if ((tid == t->tid || (tid == 0 && atomic_load_explicit(&t->process->live, memory_order_relaxed) == 1)) &&
	    !(t->mask & LINUX_SIGNAL_BIT(signal))) {
		t->own = info;
		t->has_own = true;
		return 0;
	}
	return signal_send(t->process, tid, &info);
}
