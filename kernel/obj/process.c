/* kernel/obj/process.c - processes: their start, their threads, notices, exec and end. */
#include "kernel/obj/process.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/scheme.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/obj/namespace.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

struct task_schedule process_inherit(const struct process *p)
{
	struct thread *t = thread_current();

	return schedule_inherit(t->process == p ? &t->turn.schedule : &p->schedule);
}

err_t process_create(struct space *s, struct process *like, struct process **out)
{
	struct account *payer = like ? process_account(like) : NULL;
	struct process *p = heap_new(struct process);
	err_t err = p ? account_charge(payer, ACCOUNT_THREADS, 1) : ERR_NOMEM;

	if (err)
		goto free;
	object_init(&p->object);
	spin_init(&p->lock, RANK_PROCESS);
	list_init(&p->threads);
	list_init(&p->resources);
	list_init(&p->served);
	p->schedule = like ? process_inherit(like) : (struct task_schedule){ .priority = PRIORITY_NORMAL, .affinity = cpu_mask_all() };
	p->started_ns = clock_now_ns();
	if (like) {
		p->creator = like->pid;
		p->sender = like->sender;
		p->cred = like->cred;
		memcpy(p->name, like->name, sizeof(p->name));
	}
	p->payer = payer;
	p->account = account_get(payer);
	handle_table_init(&p->handles, payer);
	if ((err = id_add(ID_PROCESS, &p->object, 0, &p->pid)))
		goto fini;
	p->sender.pid = p->pid;
	p->space = s;
	*out = p;
	return OK;

fini:
	handle_table_fini(&p->handles);
	account_put(p->account);
	account_uncharge(payer, ACCOUNT_THREADS, 1);
free:
	heap_delete(p);
	account_put(payer);
	space_put(s);
	return err;
}

err_t process_fork(struct process *p, uint32_t fork_flags, struct process **out)
{
	struct space *space = p->space;
	struct process *child;
	err_t err = OK;

	if (fork_flags & ~(uint32_t)(FORK_SHARE_SPACE | FORK_NO_HANDLES))
		return ERR_INVAL;
	struct account *a = process_account(p);
	if (fork_flags & FORK_SHARE_SPACE)
		space_get(space);
	else
		err = space_fork(space, a, &space);
	account_put(a);
	TRY(err);
	TRY(process_create(space, p, &child));
	child->namespace = process_namespace(p);
	if (!(fork_flags & FORK_NO_HANDLES) && (err = handle_table_copy(&child->handles, &p->handles, true))) {
		process_put(child);
		return err;
	}
	*out = child;
	return OK;
}

/* Tells who holds a handle of p. */
static void tell_holders(struct process *p, uint32_t ready) REQUIRES(&p->lock)
{
	struct resource *r;

	list_each(r, &p->resources, link)
		resource_notify(r, ready);
}

/* What a process holds goes when its last thread has left, or when it never had one and is dropped. Who waits for its end is told. */
static void release(struct process *p)
{
	spin_lock(&p->lock);
	struct space *space = p->space;
	struct namespace *namespace = p->namespace;
	p->space = NULL;
	p->namespace = NULL;
	spin_unlock(&p->lock);
	if (!space)
		return;
	scheme_server_gone(p);
	handle_table_fini(&p->handles);
	namespace_put(namespace);
	space_put(space);
	spin_lock(&p->lock);
	tell_holders(p, READY_READ);
	spin_unlock(&p->lock);
}

void process_put(struct process *p)
{
	if (!p || !object_put(&p->object))
		return;
	id_remove(ID_PROCESS, p->pid);
	release(p);
	account_put(p->account);
	account_put(p->account_before);
	account_uncharge(p->payer, ACCOUNT_THREADS, 1);
	account_put(p->payer);
	heap_delete(p);
}

err_t process_start_thread(struct process *p, const struct thread_start *start, uint32_t *tid)
{
	struct thread *t;
	err_t err;

	TRY(thread_create(p, start, &t));
	if ((err = id_add(ID_THREAD, &t->object, p->pid, &t->tid)))
		goto put;
	*tid = t->tid;
	spin_lock(&p->lock);
	if (p->end || !p->space || p->exec_thread) {
		err = ERR_SRCH;
	} else {
		list_push_back(&p->threads, &t->process_link);
		p->thread_count++;
		if (p->stopped)
			atomic_fetch_or(&t->attention, ATTENTION_STOP);
		process_review_notices(t);
	}
	spin_unlock(&p->lock);
	if (err)
		goto remove_id;
	trace(TRACE_SPAWN, 0, t->tid, p->pid);
	thread_start(t);        /* the running thread owns the reference */
	return OK;

remove_id:
	id_remove(ID_THREAD, t->tid);
put:
	thread_put(t);
	return err;
}

void process_end(struct process *p, enum task_end end, uint64_t status)
{
	struct thread *t;

	spin_lock(&p->lock);
	if (!p->end) {
		p->end = (uint8_t)end;
		p->status = status;
	}
	bool empty = p->thread_count == 0;
	list_each(t, &p->threads, process_link)
		thread_attend(t, ATTENTION_KILL);
	spin_unlock(&p->lock);
	if (empty)
		release(p);
}

void process_leave(struct thread *t)
{
	struct process *p = t->process;

	trace(TRACE_EXIT, 0, t->tid, p->status);
	sched_charge();
	/* Before who execs, and takes the first thread's number, may see that it is alone. */
	id_remove(ID_THREAD, t->tid);
	spin_lock(&p->lock);
	list_remove(&t->process_link);
	bool last = --p->thread_count == 0;
	if (last && !p->end)
		p->end = TASK_EXITED;
	if (p->exec_thread)
		thread_wake(p->exec_thread);
	p->user_ns += t->user_ns;
	p->system_ns += t->system_ns;
	p->switches += t->switches;
	spin_unlock(&p->lock);
	if (!last)
		return;
	/* The tables must not be loaded here any more when the space goes. */
	struct cpu *c = cpu_this();
	space_switch(c->space, NULL);
	c->space = NULL;
	release(p);
}

/* Makes the caller the only thread. INTR: another one execs, or the process ends. */
static err_t become_single(struct process *p, struct thread *self)
{
	struct thread *t;
	err_t err = OK;

	spin_lock(&p->lock);
	if (p->exec_thread || p->end) {
		err = ERR_INTR;
	} else {
		p->exec_thread = self;
		list_each(t, &p->threads, process_link)
			if (t != self)
				thread_attend(t, ATTENTION_KILL);
	}
	spin_unlock(&p->lock);
	/* Who leaves counts itself out under the lock, which is taken once more before anything changes. */
	while (!err && __atomic_load_n(&p->thread_count, __ATOMIC_ACQUIRE) != 1)
		err = thread_park(DEADLINE_NONE, 0);
	return err;
}

err_t process_exec(struct space *s, const struct thread_start *start)
{
	struct thread *self = thread_current();
	struct process *p = self->process;

	TRY(become_single(p, self));
	spin_lock(&p->lock);
	struct space *old = p->space;
	p->space = space_get(s);
	p->exec_thread = NULL;
	self->notice_mask = start->notice_mask;
	process_review_notices(self);
	spin_unlock(&p->lock);
	if (self->tid != p->pid)
		id_swap(ID_THREAD, self->tid, p->pid);
	self->tid = p->pid;
	struct cpu *c = cpu_this();
	space_switch(c->space, s);
	c->space = s;
	space_put(old);
	spin_lock(&p->lock);
	p->executed = true;
	tell_holders(p, READY_PRIORITY);
	spin_unlock(&p->lock);
	handle_close_on_exec(&p->handles);
	self->upcall = (struct upcall_setup){0};
	arch_regs_start(self->user_regs, start);
	arch_thread_reset(self);        /* nothing of the old program in the FPU registers either */
	arch_thread_set_bases(self, start);
	return OK;
}

void process_set_stopped(struct process *p, bool stopped)
{
	struct thread *t;

	spin_lock(&p->lock);
	p->stopped = stopped;
	list_each(t, &p->threads, process_link) {
		if (stopped) {
			thread_attend(t, ATTENTION_STOP);
		} else {
			atomic_fetch_and(&t->attention, ~(uint32_t)ATTENTION_STOP);
			thread_wake(t);
		}
	}
	spin_unlock(&p->lock);
}

void process_review_notices(struct thread *t)
{
	uint64_t pending = t->notice_pending | t->process->notice_pending;

	if (pending & ~t->notice_mask)
		thread_attend(t, ATTENTION_NOTICE);
	else
		atomic_fetch_and(&t->attention, ~(uint32_t)ATTENTION_NOTICE);
}

/* The thread with this tid; for 0 the first that does not mask the notice. */
static struct thread *notice_target(struct process *p, uint32_t tid, uint64_t bit) REQUIRES(&p->lock)
{
	struct thread *t;

	list_each(t, &p->threads, process_link)
		if (tid ? t->tid == tid : !(t->notice_mask & bit))
			return t;
	return NULL;
}

err_t process_post(struct process *p, uint32_t tid, uint32_t notice)
{
	struct thread *t;

	if (notice < 1 || notice > 64)
		return ERR_INVAL;
	uint64_t bit = 1ull << (notice - 1);
	trace(TRACE_NOTICE, (uint16_t)notice, tid ? tid : p->pid, 0);
	spin_lock(&p->lock);
	struct thread *target = notice_target(p, tid, bit);
	bool found = target || !tid;
	if (found)
		*(tid ? &target->notice_pending : &p->notice_pending) |= bit;
	if (target && !(target->notice_mask & bit)) {
		thread_attend(target, ATTENTION_NOTICE);
	} else {
		/* Waiters in NOTICE_TAKE mask what they wait for. */
		list_each(t, &p->threads, process_link)
			if (t->notice_wanted & bit && (!tid || t == target))
				thread_wake(t);
	}
	spin_unlock(&p->lock);
	return found ? OK : ERR_SRCH;
}

void process_withdraw(struct process *p, uint64_t notices)
{
	struct thread *t;

	spin_lock(&p->lock);
	p->notice_pending &= ~notices;
	list_each(t, &p->threads, process_link) {
		t->notice_pending &= ~notices;
		process_review_notices(t);
	}
	spin_unlock(&p->lock);
}

uint32_t process_take_notice(uint64_t set)
{
	struct thread *t = thread_current();
	struct process *p = t->process;
	uint32_t notice = 0;

	spin_lock(&p->lock);
	uint64_t found = (t->notice_pending | p->notice_pending) & set;
	if (found) {
		notice = lowest_bit(found) + 1;
		uint64_t bit = 1ull << (notice - 1);
		*(t->notice_pending & bit ? &t->notice_pending : &p->notice_pending) &= ~bit;
	}
	t->notice_wanted = notice ? 0 : set;
	process_review_notices(t);
	spin_unlock(&p->lock);
	return notice;
}

uint64_t process_set_notice_mask(uint64_t mask, uint64_t *pending)
{
	struct thread *t = thread_current();
	struct process *p = t->process;

	spin_lock(&p->lock);
	uint64_t old = t->notice_mask;
	t->notice_mask = mask;
	*pending = t->notice_pending | p->notice_pending;
	process_review_notices(t);
	spin_unlock(&p->lock);
	return old;
}

struct account *process_account(struct process *p)
{
	spin_lock(&p->lock);
	struct account *a = account_get(p->account);
	spin_unlock(&p->lock);
	return a;
}

void process_set_account(struct process *p, struct account *a)
{
	account_get(a);
	spin_lock(&p->lock);
	/* Another thread may be charging the old one just now: it goes at the next change. */
	struct account *older = p->account_before;
	p->account_before = p->account;
	p->account = a;
	struct thread *t;
	list_each(t, &p->threads, process_link)
		sched_set_account(t, a);
	spin_unlock(&p->lock);
	account_put(older);
}

struct namespace *process_namespace(struct process *p)
{
	spin_lock(&p->lock);
	struct namespace *n = namespace_get(p->namespace);
	spin_unlock(&p->lock);
	return n;
}

struct sender process_sender(struct thread *t)
{
	struct process *p = t->process;

	spin_lock(&p->lock);
	struct sender s = p->sender;
	spin_unlock(&p->lock);
	s.tid = t->tid;
	return s;
}

void process_trace_name(struct process *p)
{
	uint64_t words[2];
	STATIC_ASSERT(sizeof(words) == sizeof(p->name), "a trace record holds a whole name");

	spin_lock(&p->lock);
	memcpy(words, p->name, sizeof(words));
	trace(TRACE_NAME, (uint16_t)p->pid, words[0], words[1]);
	spin_unlock(&p->lock);
}

void process_trace_names(void)
{
	for (uint32_t pid = id_next(ID_PROCESS, 1); pid; pid = id_next(ID_PROCESS, pid + 1)) {
		struct process *p = process_find(pid);
		if (p)
			process_trace_name(p);
		process_put(p);
	}
}
