/* personality/linux/sigcalls.c - the system calls about signals. */
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/sigframe.h"

enum { MASK_BYTES = 8 };

static void tell_child_flags(struct thread *t, uint32_t flags) REQUIRES(&t->process->lock)
{
	struct process *p = t->process;
	bool is_blocked = t->mask & LINUX_SIGNAL_BIT(LINUX_SIGCHLD) && !(flags & POSIX_CHILD_UNSEEN);

	if (flags == p->kept.child_flags)
		return;
	p->kept.child_flags = flags;
	(void)native_call(process_posix(p), POSIX_CHILD_FLAGS, 0, NULL, 0, NULL, 0, flags | (is_blocked ? POSIX_CHILD_BLOCKED : 0));
}

/* procd reaps children by itself when SIGCHLD is ignored, tells of stopped ones or not, and of none while nobody would see it. */
void signal_tell_child_flags(struct thread *t, uint32_t known)
{
	struct process *p = t->process;
	const struct linux_sigaction *action = &p->signal.action[LINUX_SIGCHLD];
	uint32_t flags = 0;

	lock_take(&p->lock);
	p->kept.child_flags = known == SIGNAL_CHILD_FLAGS_KNOWN ? p->kept.child_flags : known;
	if (action->handler == LINUX_SIG_IGN || (action->flags & LINUX_SA_NOCLDWAIT))
		flags |= POSIX_CHILD_NO_ZOMBIES;
	if (action->flags & LINUX_SA_NOCLDSTOP)
		flags |= POSIX_CHILD_NO_STOPS;
	if (action->handler == LINUX_SIG_IGN || action->handler == LINUX_SIG_DFL)
		flags |= p->kept.child_flags & POSIX_CHILD_UNSEEN;
	tell_child_flags(t, flags);
	lock_release(&p->lock);
}

uint32_t signal_child_flags_at_exec(const struct thread *t)
{
	return POSIX_CHILD_UNSEEN | (t->process->signal.action[LINUX_SIGCHLD].handler == LINUX_SIG_IGN ? POSIX_CHILD_NO_ZOMBIES : 0);
}

/* It looks for SIGCHLD, of which there is none without a handler unless it is blocked. */
static void child_seen(struct thread *t)
{
	struct process *p = t->process;

	lock_take(&p->lock);
	tell_child_flags(t, p->kept.child_flags & ~(uint32_t)POSIX_CHILD_UNSEEN);
	lock_release(&p->lock);
}

int64_t linux_rt_sigaction(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	struct linux_sigaction new, old;

	if (a[3] != MASK_BYTES)
		return ERR_INVAL;
	if (a[1] && user_read(&new, a[1], sizeof(new)))
		return ERR_FAULT;
	lock_take(&p->lock);
	err_t err = signal_set_action(&p->signal, a[0], a[1] ? &new : NULL, &old);
	lock_release(&p->lock);
	if (err)
		return err;
	if (a[1] && a[0] == LINUX_SIGCHLD)
		signal_tell_child_flags(t, SIGNAL_CHILD_FLAGS_KNOWN);
	return user_write_if(a[2], &old, sizeof(old));
}

int64_t linux_rt_sigprocmask(struct thread *t, const uint64_t *a)
{
	uint64_t old = t->mask, set;

	if (a[3] != MASK_BYTES)
		return ERR_INVAL;
	if (a[1]) {
		if (user_read(&set, a[1], sizeof(set)))
			return ERR_FAULT;
		set &= ~SIGNAL_UNBLOCKABLE;
		switch ((int32_t)a[0]) {
		case LINUX_SIG_BLOCK:
			thread_set_mask(t, old | set);
			break;
		case LINUX_SIG_UNBLOCK:
			thread_set_mask(t, old & ~set);
			break;
		case LINUX_SIG_SETMASK:
			thread_set_mask(t, set);
			break;
		default:
			return ERR_INVAL;
		}
	}
	return user_write_if(a[2], &old, sizeof(old));
}

int64_t linux_rt_sigreturn(struct thread *t, const uint64_t *a)
{
	(void)a;
	if (sigframe_pop(t))
		process_die(t, LINUX_SIGSEGV, true);
	return 0;
}

int64_t linux_rt_sigpending(struct thread *t, const uint64_t *a)
{
	uint64_t pending[2] = { 0, 0 }, ignored[2];

	if (a[1] > MASK_BYTES)
		return ERR_INVAL;
	if (t->mask & LINUX_SIGNAL_BIT(LINUX_SIGCHLD))
		child_seen(t);
	/* With nothing masked the kernel says all that is pending. */
	(void)native(OP_NOTICE_MASK, 0, HANDLE_NONE, 0, (uint64_t)pending, 0, 0, 0, 0);
	(void)native(OP_NOTICE_MASK, 0, HANDLE_NONE, t->mask, (uint64_t)ignored, 0, 0, 0, 0);
	t->kernel_mask = t->mask;
	pending[0] &= t->mask;
	return user_write(a[0], pending, a[1]);
}

int64_t linux_rt_sigsuspend(struct thread *t, const uint64_t *a)
{
	if (a[0] == 0)
		return ERR_FAULT;
	int64_t err = call_mask_swap(t, a[0], a[1]);
	if (err)
		return err;
	err = native(OP_SLEEP, REQUEST_INTERRUPTIBLE, HANDLE_NONE, DEADLINE_NONE, 0, 0, 0, 0, 0);
	return err == ERR_INTR ? -LINUX_ERESTARTNOHAND : ERR_INTR;
}

int64_t linux_pause(struct thread *t, const uint64_t *a)
{
	(void)t;
	(void)a;
	int64_t err = native(OP_SLEEP, REQUEST_INTERRUPTIBLE, HANDLE_NONE, DEADLINE_NONE, 0, 0, 0, 0, 0);
	return err == ERR_INTR ? -LINUX_ERESTARTNOHAND : ERR_INTR;
}

int64_t linux_rt_sigtimedwait(struct thread *t, const uint64_t *a)
{
	struct linux_siginfo info;
	uint64_t set, deadline;
	int64_t err;

	if (a[3] != MASK_BYTES)
		return ERR_INVAL;
	if (user_read(&set, a[0], sizeof(set)))
		return ERR_FAULT;
	if ((err = call_deadline_of(t, a[2], &deadline)))
		return err;
	if (set & LINUX_SIGNAL_BIT(LINUX_SIGCHLD))
		child_seen(t);
	int64_t n = signal_take(t, set & ~SIGNAL_UNBLOCKABLE, deadline, &info);
	if (n == ERR_TIMEDOUT)
		return ERR_AGAIN;
	if (n == ERR_INTR)
		return -LINUX_ERESTARTNOHAND;
	if (n < 0)
		return n;
	if ((err = user_write_if(a[1], &info, sizeof(info))))
		return err;
	return n;
}

int64_t linux_sigaltstack(struct thread *t, const uint64_t *a)
{
	bool is_on = sigframe_is_on_stack(&t->alternate, t->frame.rsp);
	struct linux_stack old = t->alternate, new;

	if (is_on)
		old.flags |= LINUX_SS_ONSTACK;
	if (a[0]) {
		if (user_read(&new, a[0], sizeof(new)))
			return ERR_FAULT;
		if (is_on)
			return ERR_PERM;
		uint32_t mode = (uint32_t)new.flags & ~LINUX_SS_AUTODISARM;
		if (mode != 0 && mode != LINUX_SS_DISABLE && mode != LINUX_SS_ONSTACK)
			return ERR_INVAL;
		if (mode == LINUX_SS_DISABLE)
			new = (struct linux_stack){ .flags = LINUX_SS_DISABLE };
		else if (new.bytes < LINUX_MINSIGSTKSZ)
			return ERR_NOMEM;
		new.flags &= ~LINUX_SS_ONSTACK;
		t->alternate = new;
	}
	return user_write_if(a[1], &old, sizeof(old));
}

/* Signals that end or stop whatever the target thinks of it are procd's to send, so that it knows. */
static bool is_for_procd(uint64_t signal)
{
	return signal == LINUX_SIGKILL || signal == LINUX_SIGSTOP || signal == LINUX_SIGCONT;
}

static int64_t send_by_procd(struct thread *t, uint32_t code, int32_t target, uint64_t signal, int32_t si_code, uint64_t value)
{
	struct posix_signal s = { .target = target, .signal = (uint32_t)signal, .code = si_code, .value = value };

	return native_call(process_posix(t->process), code, 0, &s, sizeof(s), NULL, 0, 0);
}

int64_t linux_kill(struct thread *t, const uint64_t *a)
{
	int32_t pid = (int32_t)a[0];
	uint64_t signal = (uint32_t)a[1];

	if (signal > LINUX_SIGNAL_MAX)
		return ERR_INVAL;
	if ((uint32_t)pid != t->process->pid || is_for_procd(signal))
		return send_by_procd(t, POSIX_KILL, pid, signal, LINUX_SI_USER, 0);
	return signal ? signal_send_self(t, 0, (uint32_t)signal, LINUX_SI_USER) : 0;
}

static bool is_own_thread(struct process *p, uint32_t tid)
{
	lock_take(&p->lock);
	bool is_own = thread_find(p, tid) != NULL;
	lock_release(&p->lock);
	return is_own;
}

static int64_t send_to_thread(struct thread *t, int32_t tgid, int32_t tid, uint64_t signal)
{
	if (signal > LINUX_SIGNAL_MAX || tid <= 0)
		return ERR_INVAL;
	bool is_own = is_own_thread(t->process, (uint32_t)tid);
	if (is_own && tgid > 0 && (uint32_t)tgid != t->process->pid)
		return ERR_SRCH;
	if (!is_own && (uint32_t)tgid == t->process->pid)
		return ERR_SRCH;
	if (!is_own)
		return send_by_procd(t, POSIX_SIGNAL_THREAD, tid, signal, LINUX_SI_TKILL, 0);
	if (is_for_procd(signal))
		return send_by_procd(t, POSIX_KILL, (int32_t)t->process->pid, signal, LINUX_SI_TKILL, 0);
	return signal ? signal_send_self(t, (uint32_t)tid, (uint32_t)signal, LINUX_SI_TKILL) : 0;
}

int64_t linux_tgkill(struct thread *t, const uint64_t *a)
{
	return (int32_t)a[0] <= 0 ? ERR_INVAL : send_to_thread(t, (int32_t)a[0], (int32_t)a[1], (uint32_t)a[2]);
}

int64_t linux_tkill(struct thread *t, const uint64_t *a)
{
	return send_to_thread(t, 0, (int32_t)a[0], (uint32_t)a[1]);
}

/* Only codes below zero, which cannot be taken for the kernel's (but SI_TKILL is ours), unless it is for oneself. */
static int64_t queue_info(struct thread *t, int32_t pid, uint32_t tid, uint64_t signal, uint64_t pointer)
{
	struct linux_siginfo info;
	bool is_self = (uint32_t)pid == t->process->pid;

	if (signal > LINUX_SIGNAL_MAX)
		return ERR_INVAL;
	if (user_read(&info, pointer, sizeof(info)))
		return ERR_FAULT;
	info.signal = (int32_t)signal;
	if ((info.code >= 0 || info.code == LINUX_SI_TKILL) && !is_self)
		return ERR_PERM;
	if (!is_self)
		return send_by_procd(t, tid ? POSIX_SIGNAL_THREAD : POSIX_KILL, tid ? (int32_t)tid : pid, signal, info.code, info.sent.value);
	if (tid && !is_own_thread(t->process, tid))
		return ERR_SRCH;
	if (is_for_procd(signal))
		return send_by_procd(t, POSIX_KILL, pid, signal, info.code, info.sent.value);
	return signal ? signal_send(t->process, tid, &info) : 0;
}

int64_t linux_rt_sigqueueinfo(struct thread *t, const uint64_t *a)
{
	/* No groups here, as kill has them. */
	return (int32_t)a[0] <= 0 ? ERR_SRCH : queue_info(t, (int32_t)a[0], 0, (uint32_t)a[1], a[2]);
}

int64_t linux_rt_tgsigqueueinfo(struct thread *t, const uint64_t *a)
{
	if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
		return ERR_INVAL;
	return queue_info(t, (int32_t)a[0], (uint32_t)a[1], (uint32_t)a[2], a[3]);
}
