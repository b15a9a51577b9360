/* kernel/scheme/proc.c - proc: processes, threads and spaces (abi/proto/task.def).
 *
 * proc:self is the caller's process, proc:space a new space. The admin handle is given, never opened.
 */
#include "kernel/scheme/proc.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "kernel/mem/account.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/namespace.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/sys.h"
#include "kernel/scheme/table.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- spaces ---- */

static int64_t space_transfer(struct resource *r, struct transfer *t)
{
	struct space *mine = process_current()->space;
	size_t done = 0;
	err_t err;

	if (!user_range_is_valid(t->offset, t->bytes))
		return ERR_FAULT;
	err = t->is_write ? space_copy(r->data, t->offset, mine, t->buffer.raw, t->bytes, true, &done)
	                  : space_copy(mine, t->buffer.raw, r->data, t->offset, t->bytes, true, &done);
	return done ? (int64_t)done : err;
}

static void space_destroy_op(struct resource *r) { space_put(r->data); }

static const struct resource_ops space_ops = {
	.name = "space", .read = space_transfer, .write = space_transfer, .length = no_length, .destroy = space_destroy_op,
};

struct space *space_of(struct resource *r) { return resource_data(r, &space_ops); }

/* Eats the reference. */
static err_t space_resource(struct space *s, struct resource **out)
{
	return resource_create(&space_ops, s, OPEN_READ | OPEN_WRITE, out);
}

/* ---- processes ---- */

static const struct resource_ops process_ops;

static err_t process_resource(struct process *p, struct resource **out)
{
	TRY(resource_create(&process_ops, process_get(p), OPEN_READ | OPEN_WRITE, out));
	spin_lock(&p->lock);
	list_push_back(&p->resources, &(*out)->link);
	spin_unlock(&p->lock);
	return OK;
}

/* Answers with a handle for p and its pid; eats the reference. */
static int64_t give_process(struct call_args *a, struct process *p, uint32_t rights)
{
	uint32_t pid = p->pid;
	err_t err = process_resource(p, &a->reply.resource);

	a->reply.rights = rights;
	process_put(p);
	return err ? err : (int64_t)pid;
}

/* p's space with a reference; NULL once it has ended. */
static struct space *take_space(struct process *p)
{
	spin_lock(&p->lock);
	struct space *s = space_get(p->space);
	spin_unlock(&p->lock);
	return s;
}

enum { PROCESS_RIGHTS = RIGHT_READ | RIGHT_WRITE | RIGHT_CALL | RIGHT_DUP | RIGHT_SEND };

static int64_t task_fork(struct process *p, struct call_args *a)
{
	struct process *child;

	if (p != process_current())
		return ERR_PERM;
	TRY(process_fork(p, (uint32_t)a->word, &child));
	return give_process(a, child, PROCESS_RIGHTS);
}

/* Without handles, or as a successor with those that exec would leave but for private ones. */
static int64_t task_create(struct process *like, struct call_args *a)
{
	struct space *space = space_of(a->passed.resource);
	bool succeeds = a->code == TASK_SUCCESSOR;
	struct process *p;
	err_t err;

	if (!space)
		return ERR_BADF;
	if (!succeeds && like != process_current())
		return ERR_PERM;
	TRY(process_create(space_get(space), like, &p));
	if (succeeds && (err = handle_table_copy(&p->handles, &like->handles, false))) {
		process_put(p);
		return err;
	}
	handle_close_on_exec(&p->handles);
	return give_process(a, p, succeeds ? RIGHT_ALL & ~(uint32_t)RIGHT_SERVE : PROCESS_RIGHTS);
}

static bool has_started(struct process *p)
{
	spin_lock(&p->lock);
	bool started = p->thread_count || p->end;
	spin_unlock(&p->lock);
	return started;
}

static int64_t task_give(struct process *p, struct call_args *a)
{
	if (!a->passed.resource || a->word > INT32_MAX)
		return ERR_BADF;
	if (has_started(p))
		return ERR_BUSY;
	struct passed given = a->passed;
	a->passed.resource = NULL;
	return handle_replace(&p->handles, (handle_t)a->word, &given);
}

static int64_t task_thread(struct process *p, struct call_args *a)
{
	struct thread_start start;
	uint32_t tid;

	TRY(call_in(a, &start, sizeof(start)));
	if (start.ip >= USER_MAX)
		return ERR_INVAL;
	if (a->passed.resource)
		TRY((err_t)task_give(p, a));
	TRY(process_start_thread(p, &start, &tid));
	return tid;
}

static int64_t task_exec(struct process *p, struct call_args *a)
{
	struct space *space = space_of(a->passed.resource);
	struct thread_start start;

	if (p != process_current())
		return ERR_PERM;
	if (!space || space == p->space)
		return ERR_BADF;
	TRY(call_in(a, &start, sizeof(start)));
	if (start.ip >= USER_MAX)
		return ERR_INVAL;
	return process_exec(space, &start);
}

static int64_t task_info(struct process *p, struct call_args *a)
{
	struct space_info space = {0};
	uint64_t now = clock_now_ns();
	struct thread *t;

	spin_lock(&p->lock);
	struct task_info i = {
		.pid = p->pid, .uid = p->sender.uid, .gid = p->sender.gid, .group = p->sender.group,
		.session = p->sender.session, .threads = p->thread_count, .end = p->end, .status = p->status, .creator = p->creator,
		.started_ns = p->started_ns, .user_ns = p->user_ns, .system_ns = p->system_ns, .switches = p->switches,
		.minor_faults = p->minor_faults, .major_faults = p->major_faults, .unknown_calls = p->unknown_calls,
		.priority = p->schedule.priority, .nice = p->schedule.nice, .fault_ip = p->fault_ip, .fault_address = p->fault_address,
		.state = !p->space ? TASK_DEAD : p->stopped ? TASK_STOPPED : TASK_SLEEPING,
	};
	list_each(t, &p->threads, process_link) {
		i.user_ns += t->user_ns + sched_uncharged_ns(t, now);
		i.system_ns += t->system_ns;
		i.switches += t->switches;
		if (i.state == TASK_SLEEPING && (t->state == THREAD_RUNNING || t->state == THREAD_READY))
			i.state = TASK_RUNNABLE;
		if (t->cpu)
			i.cpu = t->cpu->index;
	}
	memcpy(i.name, p->name, sizeof(i.name));
	spin_unlock(&p->lock);
	struct space *s = take_space(p);
	if (s)
		space_get_info(s, &space);
	space_put(s);
	i.mapped_bytes = space.mapped_bytes;
	i.resident_bytes = space.resident_bytes;
	return call_out(a, &i, sizeof(i));
}

static int64_t task_name(struct process *p, struct call_args *a)
{
	char name[sizeof(p->name)] = {0};
	size_t bytes = a->in_bytes < sizeof(name) - 1 ? a->in_bytes : sizeof(name) - 1;

	TRY(copy_from_user(name, a->in, bytes));
	spin_lock(&p->lock);
	memcpy(p->name, name, sizeof(name));
	spin_unlock(&p->lock);
	process_trace_name(p);
	return OK;
}

/* Nobody but the caller knows p. The old one lives on under the number that p had. */
static int64_t task_succeed(struct process *p, struct call_args *a)
{
	struct process *old = resource_data(a->passed.resource, &process_ops);

	if (!old || !process_has_ended(old) || has_started(p))
		return ERR_INVAL;
	uint32_t number = old->pid;
	id_swap(ID_PROCESS, p->pid, number);
	old->pid = p->pid;
	spin_lock(&p->lock);
	p->pid = p->sender.pid = number;
	p->creator = old->creator;
	p->started_ns = old->started_ns;
	p->notice_pending = old->notice_pending;
	p->user_ns = old->user_ns;
	p->system_ns = old->system_ns;
	spin_unlock(&p->lock);
	return OK;
}

static int64_t task_namespace(struct process *p, struct call_args *a)
{
	struct namespace *n = namespace_of(a->passed.resource);

	if (a->passed.resource && !n)
		return ERR_BADF;
	if (p != process_current() && has_started(p))
		return ERR_BUSY;
	spin_lock(&p->lock);
	struct namespace *old = p->namespace;
	p->namespace = namespace_get(n);
	spin_unlock(&p->lock);
	namespace_put(old);
	return OK;
}

/* Of p's thread with this number, *t; of 0 (*t NULL): of the first that it will have. NULL: there is none such. */
static struct task_schedule *schedule_of(struct process *p, uint32_t tid, struct thread **t) REQUIRES(&p->lock)
{
	struct thread *each;

	*t = NULL;
	list_each(each, &p->threads, process_link)
		if (each->tid == tid)
			*t = each;
	return *t ? &(*t)->turn.schedule : tid ? NULL : &p->schedule;
}

static int64_t task_schedule(struct process *p, struct call_args *a)
{
	struct task_schedule s, *old;
	struct thread *t;

	TRY(call_in(a, &s, sizeof(s)));
	spin_lock(&p->lock);
	old = schedule_of(p, s.tid, &t);
	err_t err = old ? schedule_change(old, cpu_mask_all(), a->rights & RIGHT_ADMIN, &s) : ERR_SRCH;
	if (!err && t)
		err = sched_set(t, &s);
	if (!err && (!t || t->tid == p->pid))
		p->schedule = s;
	spin_unlock(&p->lock);
	return err;
}

static int64_t task_schedule_info(struct process *p, struct call_args *a)
{
	struct task_schedule s, *found;
	struct thread *t;

	spin_lock(&p->lock);
	if ((found = schedule_of(p, (uint32_t)a->word, &t)))
		s = *found;
	spin_unlock(&p->lock);
	return found ? call_out(a, &s, sizeof(s)) : ERR_SRCH;
}

static int64_t task_label(struct process *p, struct call_args *a)
{
	spin_lock(&p->lock);
	p->sender.group = (uint32_t)a->word;
	p->sender.session = (uint32_t)(a->word >> 32);
	spin_unlock(&p->lock);
	return OK;
}

static int64_t task_cred(struct process *p, struct call_args *a)
{
	struct task_cred cred;

	TRY(call_in(a, &cred, sizeof(cred)));
	if (cred.groups_count > 32)
		return ERR_INVAL;
	spin_lock(&p->lock);
	p->cred = cred;
	p->sender.uid = cred.uid;
	p->sender.gid = cred.gid;
	spin_unlock(&p->lock);
	return OK;
}

static int64_t task_account(struct process *p, struct call_args *a)
{
	struct account *account = account_of(a->passed.resource);

	if (!account)
		return ERR_BADF;
	process_set_account(p, account);
	return OK;
}

/* The thread with the lowest number above the word. */
static int64_t task_next_thread(struct process *p, struct call_args *a)
{
	struct thread_info info = {0};
	struct thread *t;

	spin_lock(&p->lock);
	list_each(t, &p->threads, process_link)
		if (t->tid > a->word && (!info.tid || t->tid < info.tid))
			info = (struct thread_info){
				.tid = t->tid, .user_ns = t->user_ns, .system_ns = t->system_ns,
				.cpu = t->cpu ? t->cpu->index : 0,
				.state = p->stopped ? TASK_STOPPED : t->state == THREAD_PARKED ? TASK_SLEEPING : TASK_RUNNABLE,
			};
	spin_unlock(&p->lock);
	return info.tid ? call_out(a, &info, sizeof(info)) : ERR_SRCH;
}

static int64_t task_handles(struct process *p, struct call_args *a)
{
	size_t capacity = a->out_bytes / sizeof(handle_t), count = 0;
	handle_t h = a->word > INT32_MAX ? HANDLE_NONE : (handle_t)a->word;

	for (; count < capacity && h >= 0 && (h = handle_next(&p->handles, h)) >= 0; count++, h++)
		TRY(copy_to_user(uaddr(a->out.raw + count * sizeof(h)), &h, sizeof(h)));
	return (int64_t)count;
}

static int64_t task_handle_limit(struct process *p, struct call_args *a)
{
	handle_set_limit(&p->handles, a->word < HANDLE_SEGMENT_MAX ? (uint32_t)a->word : HANDLE_SEGMENT_MAX);
	return OK;
}

static int64_t task_copy_handle(struct process *p, struct call_args *a)
{
	if (a->word > INT32_MAX)
		return ERR_BADF;
	return handle_find_passed(&p->handles, (handle_t)a->word, 0, &a->reply);
}

static int64_t task_regions(struct process *p, struct call_args *a)
{
	size_t capacity = a->out_bytes / sizeof(struct task_region), count = 0;
	struct space *s = take_space(p);
	uint64_t address = a->word;
	struct task_region region;
	err_t err = OK;

	if (!s)
		return 0;
	for (; count < capacity && !err && space_region_info(s, address, &region); count++, address = region.end)
		err = copy_to_user(uaddr(a->out.raw + count * sizeof(region)), &region, sizeof(region));
	space_put(s);
	return err ? err : (int64_t)count;
}

/* What needs no more than a word. */
static int64_t task_steer(struct process *p, struct call_args *a)
{
	if (a->code == TASK_POST)
		return process_post(p, (uint32_t)(a->word >> 32), (uint32_t)a->word);
	if (a->code == TASK_WITHDRAW)
		process_withdraw(p, a->word);
	else if (a->code == TASK_KILL)
		process_end(p, TASK_KILLED, a->word);
	else
		process_set_stopped(p, a->code == TASK_STOP);
	return OK;
}

static int64_t process_call(struct resource *r, struct call_args *a)
{
	static int64_t (*const calls[])(struct process *, struct call_args *) = {
		[TASK_FORK - TASK_FORK] = task_fork, [TASK_CREATE - TASK_FORK] = task_create,
		[TASK_THREAD - TASK_FORK] = task_thread, [TASK_EXEC - TASK_FORK] = task_exec,
		[TASK_KILL - TASK_FORK] = task_steer, [TASK_STOP - TASK_FORK] = task_steer,
		[TASK_CONTINUE - TASK_FORK] = task_steer, [TASK_POST - TASK_FORK] = task_steer,
		[TASK_INFO - TASK_FORK] = task_info, [TASK_NAME - TASK_FORK] = task_name,
		[TASK_GIVE - TASK_FORK] = task_give, [TASK_NAMESPACE - TASK_FORK] = task_namespace,
		[TASK_LABEL - TASK_FORK] = task_label, [TASK_CRED - TASK_FORK] = task_cred,
		[TASK_ACCOUNT - TASK_FORK] = task_account,
		[TASK_NEXT_THREAD - TASK_FORK] = task_next_thread, [TASK_WITHDRAW - TASK_FORK] = task_steer,
		[TASK_REGIONS - TASK_FORK] = task_regions, [TASK_HANDLES - TASK_FORK] = task_handles,
		[TASK_COPY_HANDLE - TASK_FORK] = task_copy_handle, [TASK_HANDLE_LIMIT - TASK_FORK] = task_handle_limit,
		[TASK_SUCCESSOR - TASK_FORK] = task_create, [TASK_SUCCEED - TASK_FORK] = task_succeed,
		[TASK_SCHEDULE - TASK_FORK] = task_schedule, [TASK_SCHEDULE_INFO - TASK_FORK] = task_schedule_info,
	};
	uint32_t index = a->code - TASK_FORK;
	bool needs_admin = (a->code >= TASK_LABEL && a->code <= TASK_ACCOUNT) || (a->code >= TASK_HANDLES && a->code <= TASK_SUCCEED);

	if (index >= sizeof(calls) / sizeof(*calls) || !calls[index])
		return ERR_NOTTY;
	if (needs_admin && !(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	return calls[index](r->data, a);
}

static uint32_t process_ready(struct resource *r)
{
	struct process *p = r->data;

	return (process_has_ended(p) ? READY_READ : 0) | (__atomic_load_n(&p->executed, __ATOMIC_ACQUIRE) ? READY_PRIORITY : 0);
}

static void process_destroy_op(struct resource *r)
{
	struct process *p = r->data;
	spin_lock(&p->lock);
	list_remove(&r->link);
	spin_unlock(&p->lock);
	process_put(p);
}

static const struct resource_ops process_ops = {
	.name = "process", .call = process_call, .ready = process_ready, .destroy = process_destroy_op,
};

/* ---- the admin handle ---- */

static int64_t admin_find(struct call_args *a)
{
	struct process *p = a->word ? process_find((uint32_t)a->word) : resource_data(a->passed.resource, &process_ops);

	if (!p)
		return a->word ? ERR_SRCH : ERR_NOTTY;
	if (!a->word)
		process_get(p);
	int64_t told = a->out_bytes ? task_info(p, a) : OK;
	if (told < 0) {
		process_put(p);
		return told;
	}
	return give_process(a, p, RIGHT_ALL & ~(uint32_t)RIGHT_SERVE);
}

/* As many pids as there is room for; the result is how many there are. */
static int64_t admin_list(struct call_args *a)
{
	uint32_t count = 0;

	for (uint32_t pid = id_next(ID_PROCESS, 1); pid; pid = id_next(ID_PROCESS, pid + 1), count++)
		if ((count + 1) * sizeof(pid) <= a->out_bytes)
			TRY(copy_to_user(uaddr(a->out.raw + count * sizeof(pid)), &pid, sizeof(pid)));
	return count;
}

static int64_t admin_find_thread(struct call_args *a)
{
	struct thread *t = thread_find((uint32_t)a->word);
	if (!t)
		return ERR_SRCH;
	uint32_t pid = t->process->pid;
	thread_put(t);
	return pid;
}

static int64_t proc_admin_call(struct resource *r UNUSED, struct call_args *a)
{
	if (!(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	if (a->code == TASK_FIND)
		return admin_find(a);
	if (a->code == TASK_LIST)
		return admin_list(a);
	return a->code == TASK_FIND_THREAD ? admin_find_thread(a) : ERR_NOTTY;
}

static const struct resource_ops proc_admin_ops = { .name = "proc admin", .call = proc_admin_call };

err_t proc_create_admin(struct resource **out) { return resource_create(&proc_admin_ops, NULL, 0, out); }

/* ---- proc: ---- */

static err_t open_self(uint32_t kind UNUSED, const char *rest UNUSED, const struct open_args *a UNUSED, struct passed *out)
{
	out->rights = PROCESS_RIGHTS;
	return process_resource(process_current(), &out->resource);
}

err_t proc_open_space(struct account *payer, struct passed *out)
{
	struct space *s;

	TRY(space_create(payer, &s));
	out->rights = PROCESS_RIGHTS | RIGHT_MAP;
	return space_resource(s, &out->resource);
}

static err_t open_space(uint32_t kind UNUSED, const char *rest UNUSED, const struct open_args *a UNUSED, struct passed *out)
{
	return proc_open_space(process_current()->account, out);
}

const struct scheme_entry proc_scheme[] = { { .ref = "self", .open = open_self }, { .ref = "space", .open = open_space }, {0} };
