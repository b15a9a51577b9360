/* servers/procd/main.c - procd: the schemes posix: and procfs:, and the engine's way to the kernel.
 *
 * Started with the handles "scheme:posix", "scheme:procfs", "admin" (of a process, with RIGHT_ADMIN), "state" and "personality" (the image of
 * Linux programs); it opens sys:info, sys:account and event:. Its namespace is what set-uid programs get; file: is asked about them.
 */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/procd/posix.h"
#include "servers/procd/procfs.h"
#include "servers/procd/random.h"
#include "servers/procd/wait.h"

enum { INIT_PID = 1, EVENTS_AT_ONCE = 32 };

static struct server server;
static struct scheme posix_scheme, procfs_scheme;
static struct server_watch ends_watch;
static struct tree tree;
static struct procfs procfs;
static handle_t admin, accounts, information, ends, namespace, root = HANDLE_NONE, records = HANDLE_NONE, records_view = HANDLE_NONE;

/* ---- Requests of posix: that wait ------------------------------------------------------------------------------- */

/* The engine knows a request by its tag: the address of this. */
struct waiting {
	struct scheme_deferred deferred;
};

/* The one whose function runs now. */
static struct {
	struct scheme_request *request;
	uint64_t tag;
	bool is_answered;
	int64_t result;
} now;
/* For the next request that must wait: made before the engine is asked. */
static struct waiting *spare;

static void reply(uint64_t tag, int64_t result, const void *data, size_t bytes)
{
	if (now.request && tag == now.tag) {
		now.is_answered = true;
		now.result = result;
		bytes = MIN_OF(bytes, now.request->out_max);
		if (bytes && scheme_out(now.request, data, bytes))
			now.result = ERR_INVAL;
		return;
	}
	struct waiting *w = (struct waiting *)tag;
	/* A client that is gone does not miss it. */
	(void)scheme_answer_data(&w->deferred, result, data, MIN_OF(bytes, w->deferred.out_max));
	heap_delete(w);
}

static err_t read_in(uint64_t tag, uint64_t offset, void *to, size_t bytes)
{
	ASSERT(now.request && tag == now.tag);
	return scheme_in(now.request, offset, to, bytes);
}

static void notify(uint64_t number, uint32_t ready)
{
	scheme_notify(&posix_scheme, number, ready, ~0u);
}

/* ---- What the engine asks of the kernel ------------------------------------------------------------------------- */

static err_t find(uint64_t pid, handle_t passed, uint32_t *found, task_t *out, struct task_info *info)
{
	handle_t received;
	int64_t result = sys_call_handle(0, admin, TASK_FIND, passed, NULL, 0, info, info ? sizeof *info : 0, pid, &received);

	if (result < 0)
		return (err_t)result;
	if (received == HANDLE_NONE)
		return ERR_PROTO;
	*found = (uint32_t)result;
	*out = received;
	return OK;
}

static err_t task_take(handle_t passed, uint32_t *pid, task_t *out, struct task_info *info)
{
	return find(0, passed, pid, out, info);
}

static err_t task_find(uint32_t pid, task_t *out)
{
	uint32_t found;

	return pid == 0 ? ERR_SRCH : find(pid, HANDLE_NONE, &found, out, NULL);
}

static err_t plain(task_t task, enum code code, uint64_t word)
{
	return result_error(handle_call(task, code, NULL, 0, NULL, 0, word));
}

static err_t task_info(task_t task, struct task_info *out)
{
	return result_error(handle_call(task, TASK_INFO, NULL, 0, out, sizeof *out, 0));
}

static err_t task_kill(task_t task, uint64_t status) { return plain(task, TASK_KILL, status); }
static err_t task_stop(task_t task) { return plain(task, TASK_STOP, 0); }
static err_t task_continue(task_t task) { return plain(task, TASK_CONTINUE, 0); }
static err_t task_post(task_t task, uint32_t notice, uint32_t tid) { return plain(task, TASK_POST, notice | (uint64_t)tid << 32); }
static void task_withdraw(task_t task, uint64_t mask) { (void)plain(task, TASK_WITHDRAW, mask); }

static err_t task_label(task_t task, uint32_t group, uint32_t session)
{
	return plain(task, TASK_LABEL, group | (uint64_t)session << 32);
}

static err_t task_cred(task_t task, const struct task_cred *cred)
{
	return result_error(handle_call(task, TASK_CRED, cred, sizeof *cred, NULL, 0, 0));
}

static err_t task_next_thread(task_t task, uint32_t above, struct thread_info *out)
{
	return result_error(handle_call(task, TASK_NEXT_THREAD, NULL, 0, out, sizeof *out, above));
}

static err_t task_schedule_info(task_t task, uint32_t tid, struct task_schedule *out)
{
	return result_error(handle_call(task, TASK_SCHEDULE_INFO, NULL, 0, out, sizeof *out, tid));
}

static err_t task_schedule(task_t task, const struct task_schedule *s)
{
	return result_error(handle_call(task, TASK_SCHEDULE, s, sizeof *s, NULL, 0, 0));
}

static err_t task_name(task_t task, const char *name, size_t bytes)
{
	return result_error(handle_call(task, TASK_NAME, name, bytes, NULL, 0, 0));
}

static err_t task_account(task_t task, handle_t account)
{
	return result_error(handle_call_pass(task, TASK_ACCOUNT, account == HANDLE_NONE ? accounts : account, 0));
}

/* Level and once: an end that came before is told too, and none twice. */
static err_t task_watch(task_t task, uint32_t pid)
{
	struct event_interest interest = { .handle = task, .wanted = READY_READ, .mode = EVENT_ONE_SHOT, .cookie = pid };

	return result_error(handle_call(ends, EVENT_ADD, &interest, sizeof interest, NULL, 0, 0));
}

static int64_t task_list(uint32_t *pids, size_t capacity)
{
	return handle_call(admin, TASK_LIST, NULL, 0, pids, capacity * sizeof *pids, 0);
}

static int64_t task_regions(task_t task, uint64_t address, struct task_region *regions, size_t capacity)
{
	return handle_call(task, TASK_REGIONS, NULL, 0, regions, capacity * sizeof *regions, address);
}

static int64_t task_handles(task_t task, handle_t from, handle_t *numbers, size_t capacity)
{
	return handle_call(task, TASK_HANDLES, NULL, 0, numbers, capacity * sizeof *numbers, (uint64_t)from);
}

static err_t task_handle_limit(task_t task, uint64_t count) { return plain(task, TASK_HANDLE_LIMIT, count); }

static err_t task_copy_handle(task_t task, handle_t number, handle_t *out)
{
	return handle_call_get(task, TASK_COPY_HANDLE, NULL, 0, (uint64_t)number, out);
}

static err_t thread_find(uint32_t tid, uint32_t *pid)
{
	int64_t result = handle_call(admin, TASK_FIND_THREAD, NULL, 0, NULL, 0, tid);

	if (result <= 0)
		return result ? (err_t)result : ERR_SRCH;
	*pid = (uint32_t)result;
	return OK;
}

static err_t file_stat(handle_t file, struct file_stat *out)
{
	err_t err;

	/* Not before somebody asks: it is served after us. */
	if (root == HANDLE_NONE && (err = handle_open("file", "/", OPEN_READ | OPEN_DIRECTORY, &root)))
		return err;
	return result_error(sys_call(0, root, pack_handle(FILE_STAT, file, false), NULL, 0, out, sizeof *out, 0));
}

static err_t successor_create(const struct successor_plan *plan, struct successor *out)
{
	const struct spawn_handle handles[] = {
		{ "self-image", startup_handle("personality"), HANDLE_NONE }, { "program", plan->program, HANDLE_NONE },
		{ "cwd", plan->working, HANDLE_NONE },
	};
	struct spawn_options o = {
		.image = startup_handle("personality"), .name = "exec", .arguments = plan->arguments, .argument_count = plan->argument_count,
		.environment = plan->environment, .environment_count = plan->environment_count,
		.handles = handles, .handle_count = ARRAY_COUNT(handles) - (plan->working == HANDLE_NONE),
		.namespace = namespace, .account = HANDLE_NONE, .successor_of = plan->like, .admin = HANDLE_NONE,
	};
	struct mem_info image;
	struct spawned s;
	err_t err;

	if ((err = result_error(handle_call(o.image, MEM_INFO, NULL, 0, &image, sizeof image, 0))))
		return err;
	o.image_bytes = image.bytes;
	if ((err = spawn_prepare(&o, &s)))
		return err;
	*out = (struct successor){ .task = s.process, .ip = s.ip, .sp = s.sp, .block = s.block };
	return OK;
}

static err_t successor_succeed(task_t successor, task_t ended)
{
	return result_error(handle_call_pass(successor, TASK_SUCCEED, ended, 0));
}

static err_t successor_start(task_t task, const struct successor *s)
{
	return spawn_start(&(struct spawned){ .process = task, .ip = s->ip, .sp = s->sp, .block = s->block });
}

static err_t account_create(const struct account_limits *limits, handle_t *out)
{
	return handle_call_get(accounts, ACCOUNT_CREATE, limits, sizeof *limits, 0, out);
}

static void records_drop(uint64_t offset, uint64_t bytes)
{
	struct mem_window window = { .offset = offset, .bytes = bytes };

	(void)handle_call(records, MEM_PUNCH, &window, sizeof window, NULL, 0, 0);
}

static int64_t records_next(uint64_t offset)
{
	return handle_call(records, MEM_NEXT_DATA, NULL, 0, NULL, 0, offset);
}

static err_t system_info(struct system_info *out)
{
	return result_error(handle_call(information, SYS_INFO, NULL, 0, out, sizeof *out, 0));
}

static uint64_t now_ns(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static const struct outside outside = {
	.allocate = heap_alloc, .release = heap_free,
	.task_take = task_take, .task_find = task_find, .task_put = handle_close, .task_info = task_info, .task_kill = task_kill,
	.task_stop = task_stop, .task_continue = task_continue, .task_post = task_post, .task_withdraw = task_withdraw,
	.task_label = task_label, .task_cred = task_cred,
	.task_schedule_info = task_schedule_info, .task_schedule = task_schedule, .task_name = task_name,
	.task_account = task_account, .task_watch = task_watch, .task_list = task_list, .task_next_thread = task_next_thread,
	.task_regions = task_regions, .task_handles = task_handles, .task_copy_handle = task_copy_handle, .task_handle_limit = task_handle_limit,
	.thread_find = thread_find, .file_stat = file_stat, .successor_create = successor_create,
	.successor_succeed = successor_succeed, .successor_start = successor_start, .account_create = account_create, .account_put = handle_close,
	.records_drop = records_drop, .records_next = records_next, .system_info = system_info, .now_ns = now_ns, .random = random_fill, .reply = reply, .read_in = read_in, .notify = notify,
};

/* ---- posix: ------------------------------------------------------------------------------------------------------ */

static int64_t posix_scheme_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	uint64_t id;
	err_t err;

	(void)open_flags, (void)mode;
	if ((err = posix_open(&tree, &r->message->sender, ref, ref_bytes, &id)))
		return err;
	r->opened = (void *)id;
	r->reply_flags = REPLY_NOTIFIES;
	return 0;
}

/* Every process has its own posix:self from an instance before us, and who asks is in each request. */
static err_t posix_scheme_revive(struct scheme_request *r)
{
	r->opened = (void *)(uint64_t)POSIX_SELF;
	return OK;
}

static void posix_scheme_opened(struct scheme *s, void *open, uint64_t number)
{
	(void)s;
	posix_opened(&tree, (uint64_t)open, number);
}

static void posix_scheme_close(struct scheme *s, void *open)
{
	(void)s;
	posix_close(&tree, (uint64_t)open);
}

/* To look at: only we write. */
static int64_t records_give(struct scheme_request *r)
{
	if (records_view == HANDLE_NONE)
		return ERR_OPNOTSUPP;
	r->reply_handle = records_view;
	r->reply_flags = REPLY_HANDLE | REPLY_COPY_HANDLE;
	return 0;
}

static int64_t posix_scheme_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code == POSIX_RECORDS_OPEN)
		return records_give(r);
	struct posix_call call = {
		.code = code, .word = word, .sender = r->message->sender, .passed = r->passed,
		.in = r->in, .in_here = r->in_here, .in_bytes = r->in_bytes, .out_bytes = r->out_max,
	};
	bool may_wait = posix_may_wait(code);

	if (may_wait && !spare && !(spare = heap_new(struct waiting)))
		return ERR_NOMEM;
	call.tag = may_wait ? (uint64_t)spare : 1;
	now.request = r;
	now.tag = call.tag;
	now.is_answered = false;
	posix_serve(&tree, &call);
	if (!now.is_answered && r->is_nonblock) {
		wait_cancel(&tree, call.tag);
		now.result = ERR_AGAIN;
	}
	now.request = NULL;
	if (now.is_answered)
		return now.result;
	struct waiting *w = spare;
	spare = NULL;
	/* Whoever passed one with this code made a mistake. */
	handle_close(scheme_take_handle(r));
	return scheme_defer(r, &w->deferred);
}

static void posix_scheme_cancel(struct scheme_deferred *d)
{
	wait_cancel(&tree, (uint64_t)container_of(d, struct waiting, deferred));
}

static const struct scheme_ops posix_ops = {
	.open = posix_scheme_open, .opened = posix_scheme_opened, .close = posix_scheme_close,
	.call = posix_scheme_call, .cancel = posix_scheme_cancel, .revive = posix_scheme_revive, .needs_sender = true,
};

/* ---- procfs: ----------------------------------------------------------------------------------------------------- */

static int64_t procfs_scheme_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	handle_t forward;
	uint64_t id;
	err_t err;

	(void)mode;
	if ((err = procfs_open(&procfs, &r->message->sender, (uint64_t)r->open, ref, ref_bytes, open_flags, &id, &forward)))
		return err;
	if (forward != HANDLE_NONE) {
		r->reply_handle = forward;
		r->reply_flags = REPLY_FORWARD;
		return 0;
	}
	r->opened = (void *)id;
	r->reply_flags = REPLY_SEEKABLE;
	return 0;
}

static int64_t procfs_scheme_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	return procfs_read(&procfs, &r->message->sender, (uint64_t)r->open, offset, r->out, MIN_OF(bytes, r->out_room));
}

static int64_t procfs_scheme_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	if (r->in_here < bytes)
		return ERR_INVAL;
	return procfs_write(&procfs, &r->message->sender, (uint64_t)r->open, offset, r->in, bytes);
}

static int64_t procfs_scheme_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (r->in_here < r->in_bytes)
		return ERR_NAMETOOLONG;
	return procfs_call(&procfs, &r->message->sender, (uint64_t)r->open, code, word, r->in, r->in_bytes,
	                   r->out, MIN_OF(r->out_room, r->out_max), &r->out_bytes);
}

static const struct scheme_ops procfs_ops = {
	.open = procfs_scheme_open, .read = procfs_scheme_read, .write = procfs_scheme_write, .call = procfs_scheme_call,
	.needs_sender = true,
};

/* ---- Start ------------------------------------------------------------------------------------------------------- */

/* Ends of tasks, as the event queue tells them. */
static void ends_ready(struct server_watch *w, uint32_t found)
{
	struct event events[EVENTS_AT_ONCE];
	int64_t count = handle_call(w->handle, EVENT_WAIT, NULL, 0, events, sizeof events, DEADLINE_NOW);

	(void)found;
	for (int64_t i = 0; i < MIN_OF(count, (int64_t)EVENTS_AT_ONCE); i++)
		tree_task_ended(&tree, (uint32_t)events[i].cookie);
}

static err_t resources_open(void)
{
	err_t err;

	if ((admin = startup_handle("admin")) == HANDLE_NONE)
		return ERR_NOENT;
	if ((err = handle_open("sys", "info", OPEN_READ, &information)))
		return err;
	if ((err = handle_open("sys", "account", OPEN_READ | OPEN_WRITE, &accounts)))
		return err;
	if ((err = handle_open("sys", "self-namespace", OPEN_READ, &namespace)))
		return err;
	return handle_open("event", "", OPEN_READ | OPEN_WRITE, &ends);
}

/* The supervisor's memory for what must outlive us. Without it we do, but restarts lose more. */
static struct posix_record *records_map(void)
{
	int64_t at;

	if ((records = startup_handle("state")) == HANDLE_NONE)
		return NULL;
	at = sys_map(0, records, 0, sizeof(struct posix_record[POSIX_RECORDS]), MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (at < 0 || handle_dup(records, RIGHT_READ | RIGHT_MAP | RIGHT_DUP | RIGHT_SEND, &records_view))
		return NULL;
	return (struct posix_record *)(uintptr_t)at;
}

static err_t start(void)
{
	err_t err;

	if ((err = resources_open()) || (err = server_init(&server)))
		return err;
	if ((err = tree_init(&tree, &outside, INIT_PID, records_map())))
		return err;
	tree_recover(&tree);
	procfs_init(&procfs, &tree);
	if ((err = server_add_scheme(&server, &posix_scheme, "scheme:posix", &posix_ops, NULL)) ||
	    (err = server_add_scheme(&server, &procfs_scheme, "scheme:procfs", &procfs_ops, NULL)))
		return err;
	server_add_watch(&server, &ends_watch, ends, READY_READ, ends_ready);
	return server_run(&server);
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	err = start();
	print("procd ends: error %d\n", -err);
	return err != OK;
}
