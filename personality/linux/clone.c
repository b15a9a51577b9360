/* personality/linux/clone.c - fork, vfork, clone and the ends of threads and processes.
 *
 * A thread starts in child_entry with its own block. A fork's child is in a copy of the parent's memory and goes on with the
 * copy of the parent's block. A vfork's child shares the memory: it gets a block and a struct process of its own, made by the parent,
 * who frees them when the kernel says that the child is gone: by its exec or end, however that comes.
 */
#include "personality/linux/clone.h"
#include "lib/base/string.h"
#include "personality/linux/area.h"
#include "personality/linux/call.h"
#include "personality/linux/deliver.h"
#include "personality/linux/entry.h"
#include "personality/linux/exec.h"
#include "personality/linux/futex.h"
#include "personality/linux/strace.h"

/* What the new thread's program sees: the caller's registers, its own stack, result 0. (The kernel gives it the caller's floating point state.) */
static void child_prepare(struct thread *from, struct thread *to, const struct linux_clone_args *args)
{
	to->frame = from->frame;
	to->frame.rax = 0;
	to->frame.number = FRAME_NO_CALL;
	if (args->stack)
		to->frame.rsp = args->stack;
	to->by_call = from->by_call;
	to->mask = from->mask;
	to->clear_child_tid = args->flags & LINUX_CLONE_CHILD_CLEARTID ? args->child_tid : 0;
	to->start_child_tid = args->flags & LINUX_CLONE_CHILD_SETTID ? args->child_tid : 0;
	memcpy(to->name, from->name, sizeof(to->name));
}

/* self: where a first thread's process is to find its own handle; else HANDLE_NONE. */
static int64_t thread_launch(handle_t process, handle_t self, struct thread *child, uint64_t pid, const struct linux_clone_args *args)
{
	struct thread_start start = {
		.ip = (uint64_t)child_entry, .sp = child->stack_top, .arg = { (uint64_t)child, pid },
		.fs_base = args->flags & LINUX_CLONE_SETTLS ? args->tls : thread_pointer_get(),
		.gs_base = (uint64_t)child, .notice_mask = ~0ull,
	};
	handle_t pass = self == HANDLE_NONE ? HANDLE_NONE : process, ignored;

	return native_call_handle(process, TASK_THREAD, 0, pass, &start, sizeof(start), NULL, 0, (uint32_t)self, &ignored);
}

/* ---- Threads ---- */

static int64_t clone_thread(struct thread *t, const struct linux_clone_args *args)
{
	struct process *p = t->process;
	struct thread *child;
	err_t err;

	if ((err = thread_create(p, THREAD_LIVE, &child)))
		return err == ERR_NOMEM ? ERR_AGAIN : err;
	child_prepare(t, child, args);
	atomic_fetch_add_explicit(&p->live, 1, memory_order_relaxed);
	thread_sync_mask(t);
	/* The child waits for the lock until its number is known to all. */
	lock_take(&p->lock);
	int64_t tid = thread_launch(process_self(p), HANDLE_NONE, child, 0, args);
	if (tid > 0) {
		child->tid = (uint32_t)tid;
		if (args->flags & LINUX_CLONE_PARENT_SETTID)
			(void)(user_write(args->parent_tid, &child->tid, sizeof(child->tid)) == 0);
	}
	lock_release(&p->lock);
	if (tid <= 0) {
		atomic_fetch_sub_explicit(&p->live, 1, memory_order_relaxed);
		thread_cancel(child);
	}
	return tid;
}

/* ---- Processes ---- */

/* Tells procd of the child, and starts it. */
static int64_t child_start(struct thread *t, handle_t child_process, struct thread *child, uint32_t pid, const struct linux_clone_args *args)
{
	struct posix_fork fork = {
		.exit_signal = (uint32_t)args->exit_signal,
		.flags = (args->flags & LINUX_CLONE_PARENT ? POSIX_FORK_SAME_PARENT : 0) | (args->flags & LINUX_CLONE_VFORK ? POSIX_FORK_VFORK : 0),
	};
	handle_t posix = process_posix(t->process), ignored;
	int64_t err = native_call_handle(posix, POSIX_FORK, 0, child_process, &fork, sizeof(fork), NULL, 0, 0, &ignored);

	/* A system without procd has processes all the same. */
	if (err < 0 && posix != HANDLE_NONE)
		return err;
	/* In the child its own handle takes the place of ours, which would keep us from going and could end us. (Not before procd knows of it,
	 * who ends what is never started: such a one would not go with its last handle any more.) */
	err = thread_launch(child_process, process_self(t->process), child, pid, args);
	/* Status 0 of what never ran: procd forgets it without a word to anybody. */
	if (err < 0)
		(void)native_call(child_process, TASK_KILL, 0, NULL, 0, NULL, 0, 0);
	return err < 0 ? err : 0;
}

static int64_t clone_fork(struct thread *t, const struct linux_clone_args *args)
{
	struct process *p = t->process;
	uint64_t clear = t->clear_child_tid;
	handle_t process;
	int64_t err;

	lock_take(&p->lock);
	/* The child gets a copy of this very block; what it needs is put in place before and taken back after. */
	struct frame frame = t->frame;
	child_prepare(t, t, args);
	int64_t pid = native_call_handle(process_self(p), TASK_FORK, 0, HANDLE_NONE, NULL, 0, NULL, 0, 0, &process);
	t->frame = frame;
	t->clear_child_tid = clear;
	t->start_child_tid = 0;
	lock_release(&p->lock);
	if (pid < 0)
		return pid;
	err = child_start(t, process, t, (uint32_t)pid, args);
	(void)native_close(process);
	if (err)
		return err == ERR_NOMEM ? ERR_NOMEM : ERR_AGAIN;
	if (args->flags & LINUX_CLONE_PARENT_SETTID)
		(void)(user_write(args->parent_tid, &(uint32_t){ (uint32_t)pid }, sizeof(uint32_t)) == 0);
	return pid;
}

/* A second struct process in the same memory, with one thread. */
static err_t process_twin(struct thread *t, struct process **out)
{
	struct process *p = t->process, *twin;
	void *memory;
	err_t err;

	if ((err = area_map(p, PROCESS_BLOCK_BYTES, &memory)))
		return err;
	twin = process_in(memory);
	lock_take(&p->lock);
	memcpy(twin, p, offsetof(struct process, signal_queue));
	twin->signal = p->signal;
	(void)string_copy(twin->path, p->path, sizeof(twin->path));
	lock_release(&p->lock);
	twin->lock = (struct lock){ 0 };
	twin->scratch = twin->scratch_strings = NULL;
	process_init(twin, twin);
	*out = twin;
	return OK;
}

static void twin_free(struct process *twin)
{
	if (twin->scratch)
		exec_plan_free(twin);
	area_unmap((void *)((uint64_t)twin - PROCESS_STACK_BYTES), PROCESS_BLOCK_BYTES);
}

/* Returns once the child has left our memory, by exec or its end. Nothing else ends this: we would go on on its stack. */
static void child_wait_gone(handle_t child_process)
{
	struct poll_entry gone = { .handle = child_process, .wanted = READY_READ | READY_PRIORITY };

	while (native(OP_POLL, 0, HANDLE_NONE, (uint64_t)&gone, 1, DEADLINE_NONE, 0, 0, 0) != 1)
		continue;
}

static int64_t clone_share(struct thread *t, const struct linux_clone_args *args)
{
	struct process *twin = NULL;
	handle_t process;
	int64_t err, pid;

	if ((err = process_twin(t, &twin)))
		return err;
	struct thread *child = &twin->first;
	child_prepare(t, child, args);
	if (args->flags & LINUX_CLONE_VFORK)
		child->alternate = t->alternate;
	pid = native_call_handle(process_self(t->process), TASK_FORK, 0, HANDLE_NONE, NULL, 0, NULL, 0, FORK_SHARE_SPACE, &process);
	if ((err = pid) < 0)
		goto free_twin;
	if ((err = child_start(t, process, child, (uint32_t)pid, args)))
		goto close_process;
	if (args->flags & LINUX_CLONE_PARENT_SETTID)
		(void)(user_write(args->parent_tid, &(uint32_t){ (uint32_t)pid }, sizeof(uint32_t)) == 0);
	if (args->flags & LINUX_CLONE_VFORK) {
		child_wait_gone(process);
		twin_free(twin);
	}
	(void)native_close(process);
	return pid;

close_process:
	(void)native_close(process);
free_twin:
	twin_free(twin);
	return err == ERR_NOMEM ? ERR_NOMEM : ERR_AGAIN;
}

static int64_t do_clone(struct thread *t, const struct linux_clone_args *args)
{
	int64_t err = clone_check(args);

	if (err)
		return err;
	if (args->flags & LINUX_CLONE_THREAD)
		return clone_thread(t, args);
	return args->flags & LINUX_CLONE_VM ? clone_share(t, args) : clone_fork(t, args);
}

int64_t linux_clone(struct thread *t, const uint64_t *a)
{
	struct linux_clone_args args = {
		.flags = (uint32_t)a[0] & ~LINUX_CSIGNAL, .exit_signal = a[0] & LINUX_CSIGNAL, .stack = a[1],
		.parent_tid = a[2], .child_tid = a[3], .tls = a[4],
	};
	/* Old programs set it; it means nothing. */
	args.flags &= ~LINUX_CLONE_DETACHED;
	return do_clone(t, &args);
}

int64_t linux_clone3(struct thread *t, const uint64_t *a)
{
	struct linux_clone_args args = { 0 };

	if (a[1] < LINUX_CLONE_ARGS_FIRST)
		return ERR_INVAL;
	if (a[1] > sizeof(args))
		return ERR_2BIG;
	if (user_read(&args, a[0], a[1]))
		return ERR_FAULT;
	if ((args.flags & LINUX_CSIGNAL) || (args.stack == 0) != (args.stack_bytes == 0))
		return ERR_INVAL;
	args.stack += args.stack_bytes;
	return do_clone(t, &args);
}

int64_t linux_fork(struct thread *t, const uint64_t *a)
{
	struct linux_clone_args args = { .exit_signal = LINUX_SIGCHLD };
	(void)a;
	return do_clone(t, &args);
}

int64_t linux_vfork(struct thread *t, const uint64_t *a)
{
	struct linux_clone_args args = { .flags = LINUX_CLONE_VM | LINUX_CLONE_VFORK, .exit_signal = LINUX_SIGCHLD };
	(void)a;
	return do_clone(t, &args);
}

/* ---- In the child ---- */

/* Of the parent's threads only the caller is here. */
static void process_forked(struct thread *t, uint32_t pid)
{
	struct process *p = t->process;
	struct thread *other;

	p->pid = pid;
	t->tid = pid;
	p->lock = (struct lock){ 0 };
	list_each(other, &p->threads, node)
		if (other != t)
			atomic_store_explicit(&other->state, THREAD_FREE, memory_order_relaxed);
	atomic_store_explicit(&p->live, 1, memory_order_relaxed);
	signal_queue_clear(&p->signal_queue);
	timer_clear(&p->timer);
	t->robust_head = 0;
	t->alternate.flags &= ~LINUX_SS_ONSTACK;
	file_forked(p);
}

void clone_child(struct thread *t, uint64_t pid)
{
	struct process *p = t->process;
	uint64_t mask = t->mask;

	if (thread_set_upcall(t))
		process_die(t, LINUX_SIGKILL, false);
	if (pid) {
		process_forked(t, (uint32_t)pid);
	} else {
		lock_take(&p->lock);
		lock_release(&p->lock);
	}
	t->is_mask_saved = false;
	t->notice_flag = 0;
	if (t->start_child_tid)
		(void)(user_write(t->start_child_tid, &t->tid, sizeof(t->tid)) == 0);
	/* The kernel started us with everything masked. */
	t->mask = t->kernel_mask = ~0ull;
	thread_set_mask(t, mask);
}

/* ---- Ends ---- */

static NORETURN void process_exit(struct thread *t, uint32_t status)
{
	futex_robust_release(t);
	strace_exit(t);
	file_ending(t->process);
	for (;;)
		(void)native(OP_EXIT, 0, HANDLE_NONE, status & 0xff, 0, 0, 0, 0, 0);
}

int64_t linux_exit_group(struct thread *t, const uint64_t *a)
{
	process_exit(t, (uint32_t)a[0]);
}

int64_t linux_exit(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;

	if (atomic_fetch_sub_explicit(&p->live, 1, memory_order_acq_rel) == 1)
		process_exit(t, (uint32_t)a[0]);
	futex_robust_release(t);
	/* No notice may be taken by a thread that goes. */
	thread_set_mask(t, ~0ull);
	lock_take(&p->lock);
	signal_queue_clear_thread(&p->signal_queue, t->tid);
	uint64_t clear = t->clear_child_tid;
	t->tid = 0;
	lock_release(&p->lock);
	thread_end(t, clear);
}
