/* servers/procd/fake_outside.h - a pretended kernel for the host tests of the engine.
 *
 * It keeps tasks, handles, notices and replies, and counts every handle and allocation, so that fake_end
 * finds what the engine lost. fake_fail_after makes the n-th fallible thing from now on fail.
 */
#pragma once
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/test/test.h"
#include "servers/procd/posix.h"

enum { FAKE_TASKS = 4096, FAKE_HANDLES = 8192, FAKE_REPLIES = 4096, FAKE_INIT = 1, FAKE_DATA = 4096, FAKE_PROGRAM = 3999, FAKE_THREADS = 3 };

struct fake_task {
	bool exists, watched, stopped;
	struct task_info info;
	struct task_cred cred;
	uint64_t pending;               /* notices, bit n - 1 */
	uint32_t posts[65];
	handle_t account;
	uint64_t handle_limit;
	struct task_schedule schedule[FAKE_THREADS];    /* of its thread pid + n */
};

struct fake_reply {
	bool waiting, answered;
	int64_t result;
	size_t bytes, room;
	uint8_t data[512];
};

static struct {
	struct tree tree;
	struct fake_task tasks[FAKE_TASKS];     /* by pid */
	uint32_t handles[FAKE_HANDLES];         /* pid it stands for; 0 free; FAKE_TASKS an account */
	uint32_t handles_open, next_pid;
	int64_t allocations;
	size_t allocated;
	long fail_after;                        /* -1 never */
	bool failed;
	struct fake_reply replies[FAKE_REPLIES];
	uint64_t last_tag;
	uint8_t in[FAKE_DATA];                  /* what the request under way carries */
	size_t in_bytes;
	uint64_t last_notify;
	uint32_t last_ready;
	uint64_t now_ns;
	struct posix_record records[POSIX_RECORDS];
	uint64_t records_dropped;               /* bytes */
	struct file_stat program;               /* what the handle FAKE_PROGRAM is */
	bool is_elsewhere;                      /* directories that processes hold are not the root */
	bool succession_fails;
	uint32_t successor;                     /* the last one's number, before it takes another's */
	char successor_words[256];              /* and argument 0 */
	uint32_t successor_arguments, successor_environment;
} fake;

static bool fake_fails(void)
{
	if (fake.fail_after < 0)
		return false;
	if (fake.fail_after-- > 0)
		return false;
	fake.failed = true;
	return true;
}

static void *fake_allocate(size_t bytes)
{
	if (fake_fails())
		return NULL;
	fake.allocations++;
	fake.allocated += bytes;
	return malloc(bytes);
}

static void fake_release(void *p, size_t bytes)
{
	fake.allocations--;
	fake.allocated -= bytes;
	free(p);
}

static handle_t fake_open(uint32_t what)
{
	for (handle_t h = 1; h < FAKE_HANDLES; h++)
		if (!fake.handles[h]) {
			fake.handles[h] = what;
			fake.handles_open++;
			return h;
		}
	abort();
}

static void fake_close(handle_t h)
{
	CHECK(h > 0 && h < FAKE_HANDLES && fake.handles[h]);
	fake.handles[h] = 0;
	fake.handles_open--;
}

static struct fake_task *fake_task(handle_t h)
{
	CHECK(h > 0 && h < FAKE_HANDLES && fake.handles[h] && fake.handles[h] < FAKE_TASKS);
	return &fake.tasks[fake.handles[h]];
}

static err_t fake_find(uint32_t pid, task_t *out)
{
	if (pid >= FAKE_TASKS || !fake.tasks[pid].exists)
		return ERR_SRCH;
	if (fake_fails())
		return ERR_NOMEM;
	*out = fake_open(pid);
	return OK;
}

/* Tests pass a pid as the handle; what is no process is a handle that is no task. */
static err_t fake_info(task_t h, struct task_info *out)
{
	struct fake_task *k = fake_task(h);

	if (fake_fails())
		return ERR_NOMEM;
	*out = k->info;
	out->state = k->stopped ? TASK_STOPPED : TASK_SLEEPING;
	return OK;
}

static err_t fake_take(handle_t passed, uint32_t *pid, task_t *out, struct task_info *info)
{
	err_t err;

	if (passed <= 0 || passed >= FAKE_TASKS || !fake.tasks[passed].exists)
		return ERR_NOTTY;
	*pid = (uint32_t)passed;
	if ((err = fake_find(*pid, out)))
		return err;
	if ((err = fake_info(*out, info)))
		fake_close(*out);
	return err;
}

static err_t fake_kill(task_t h, uint64_t status)
{
	struct fake_task *k = fake_task(h);

	if (k->info.end == TASK_ALIVE) {
		k->info.end = TASK_KILLED;
		k->info.status = status;
		k->info.threads = 0;
	}
	return OK;
}

static err_t fake_stop(task_t h) { fake_task(h)->stopped = true; return OK; }
static err_t fake_continue(task_t h) { fake_task(h)->stopped = false; return OK; }

static err_t fake_post(task_t h, uint32_t notice, uint32_t tid)
{
	struct fake_task *k = fake_task(h);

	CHECK(notice >= 1 && notice <= 64);
	if (tid && tid != k->info.pid)
		return ERR_SRCH;
	if (k->info.end != TASK_ALIVE)
		return ERR_SRCH;
	k->pending |= 1ull << (notice - 1);
	k->posts[notice]++;
	return OK;
}

static void fake_withdraw(task_t h, uint64_t mask) { fake_task(h)->pending &= ~mask; }

static err_t fake_label(task_t h, uint32_t group, uint32_t session)
{
	fake_task(h)->info.group = group;
	fake_task(h)->info.session = session;
	return OK;
}

static err_t fake_cred(task_t h, const struct task_cred *cred)
{
	if (fake_fails())
		return ERR_NOMEM;
	fake_task(h)->cred = *cred;
	fake_task(h)->info.uid = cred->uid;
	fake_task(h)->info.gid = cred->gid;
	return OK;
}

static struct task_schedule *fake_schedule_of(task_t h, uint32_t tid)
{
	struct fake_task *k = fake_task(h);
	uint32_t n = tid - k->info.pid;

	return n < k->info.threads && n < FAKE_THREADS ? &k->schedule[n] : NULL;
}

static err_t fake_schedule_info(task_t h, uint32_t tid, struct task_schedule *out)
{
	struct task_schedule *s = fake_schedule_of(h, tid);

	if (s)
		*out = *s;
	return s ? OK : ERR_SRCH;
}

static err_t fake_schedule(task_t h, const struct task_schedule *s)
{
	struct task_schedule *to = fake_schedule_of(h, s->tid);

	if (!to)
		return ERR_SRCH;
	uint64_t affinity = s->affinity ? s->affinity : to->affinity;
	if (!(s->flags & SCHEDULE_ONLY_AFFINITY))
		*to = *s;
	to->affinity = affinity;
	return OK;
}

static err_t fake_name(task_t h, const char *name, size_t bytes)
{
	struct fake_task *k = fake_task(h);

	CHECK(bytes < sizeof k->info.name);
	memset(k->info.name, 0, sizeof k->info.name);
	memcpy(k->info.name, name, bytes);
	return OK;
}

static err_t fake_account(task_t h, handle_t account)
{
	CHECK(account == HANDLE_NONE || fake.handles[account] == FAKE_TASKS);
	fake_task(h)->account = account;
	return OK;
}

static err_t fake_watch(task_t h, uint32_t pid)
{
	CHECK(fake.handles[h] == pid);
	if (fake_fails())
		return ERR_NOMEM;
	fake_task(h)->watched = true;
	return OK;
}

static int64_t fake_list(uint32_t *pids, size_t capacity)
{
	int64_t n = 0;

	for (uint32_t pid = 1; pid < FAKE_TASKS; pid++)
		if (fake.tasks[pid].exists && fake.tasks[pid].info.end == TASK_ALIVE && (size_t)n++ < capacity)
			pids[n - 1] = pid;
	return n;
}

static err_t fake_next_thread(task_t h, uint32_t above, struct thread_info *out)
{
	struct task_info *info = &fake_task(h)->info;
	uint32_t tid = above < info->pid ? info->pid : above + 1;

	*out = (struct thread_info){ .tid = tid, .state = TASK_SLEEPING };
	return tid < info->pid + info->threads ? OK : ERR_SRCH;
}

static int64_t fake_regions(task_t h, uint64_t address, struct task_region *regions, size_t capacity)
{
	(void)fake_task(h);
	if (address > 0x400000 || capacity == 0)
		return 0;
	regions[0] = (struct task_region){ .start = 0x400000, .end = 0x402000, .object = 7, .offset = 0x1000,
	                                   .map_flags = MAP_READ | MAP_EXEC, .resident_bytes = 4096 };
	return 1;
}

/* Every task has the numbers 0 to 2. */
static int64_t fake_handles(task_t h, handle_t from, handle_t *numbers, size_t capacity)
{
	int64_t count = 0;

	(void)fake_task(h);
	for (; from < 3 && (size_t)count < capacity; from++)
		numbers[count++] = from;
	return count;
}

static err_t fake_handle_limit(task_t h, uint64_t count) { fake_task(h)->handle_limit = count; return OK; }

static err_t fake_copy_handle(task_t h, handle_t number, handle_t *out)
{
	(void)fake_task(h);
	if (number < 0 || number > 2)
		return ERR_BADF;
	*out = fake_open(FAKE_TASKS);
	return OK;
}

static err_t fake_thread_find(uint32_t tid, uint32_t *pid)
{
	for (uint32_t n = 0; n < FAKE_THREADS && n < tid && tid < FAKE_TASKS; n++)
		if (fake.tasks[tid - n].exists && (n == 0 || n < fake.tasks[tid - n].info.threads)) {
			*pid = tid - n;
			return OK;
		}
	return ERR_SRCH;
}

static err_t fake_account_create(const struct account_limits *limits, handle_t *out)
{
	CHECK(limits->pages > 0 && limits->threads > 0);
	if (fake_fails())
		return ERR_NOMEM;
	*out = fake_open(FAKE_TASKS);
	return OK;
}

static err_t fake_system(struct system_info *out)
{
	*out = (struct system_info){ .memory_bytes = 256 << 20, .free_bytes = 200 << 20, .kernel_bytes = 4 << 20,
	                             .cached_bytes = 8 << 20, .uptime_ns = 12345678901ull, .cpus = 2, .processes = 3,
	                             .threads = 4, .running = 1, .tsc_hz = 1000000000 };
	return OK;
}

static uint64_t fake_now(void) { return fake.now_ns; }
static void fake_random(void *to, size_t bytes) { memset(to, 0x5a, bytes); }

static void fake_reply(uint64_t tag, int64_t result, const void *data, size_t bytes)
{
	struct fake_reply *r = &fake.replies[tag % FAKE_REPLIES];

	CHECK(tag > 0 && tag <= fake.last_tag && r->waiting && !r->answered);
	r->answered = true;
	r->result = result;
	r->bytes = bytes < r->room ? bytes : r->room;
	CHECK(r->bytes <= sizeof r->data);
	if (r->bytes)
		memcpy(r->data, data, r->bytes);
}

static err_t fake_read_in(uint64_t tag, uint64_t offset, void *to, size_t bytes)
{
	CHECK_EQ(tag, fake.last_tag);
	CHECK(offset + bytes <= fake.in_bytes);
	if (fake_fails())
		return ERR_FAULT;
	memcpy(to, fake.in + offset, bytes);
	return OK;
}

static void fake_records_drop(uint64_t offset, uint64_t bytes)
{
	const uint8_t *from = (const uint8_t *)fake.records + offset;

	CHECK(offset % 4096 == 0 && bytes == 4096 && offset + bytes <= sizeof fake.records);
	for (uint64_t i = 0; i < bytes; i++)
		CHECK_EQ(from[i], 0);
	fake.records_dropped += bytes;
}

static int64_t fake_records_next(uint64_t offset) { return offset < sizeof fake.records ? (int64_t)offset : ERR_NXIO; }

static void fake_notify(uint64_t id, uint32_t ready) { fake.last_notify = id; fake.last_ready = ready; }

static uint32_t fake_new_task(uint32_t like, uint32_t threads);

/* Copies of others' handles (fake_copy_handle) are the root, mostly. */
static err_t fake_file_stat(handle_t h, struct file_stat *out)
{
	if (fake_fails())
		return ERR_NOMEM;
	if (h == FAKE_PROGRAM && fake.program.mode) {
		*out = fake.program;
		return OK;
	}
	if (h != HANDLE_NONE && (h <= 0 || h >= FAKE_HANDLES || fake.handles[h] != FAKE_TASKS))
		return ERR_XDEV;
	*out = (struct file_stat){ .device = 1, .node = h != HANDLE_NONE && fake.is_elsewhere ? 2 : 1, .mode = MODE_DIRECTORY | 0755 };
	return OK;
}

static err_t fake_successor_create(const struct successor_plan *plan, struct successor *out)
{
	if (fake_fails())
		return ERR_NOMEM;
	CHECK_EQ(plan->program, FAKE_PROGRAM);
	CHECK(strlen(plan->arguments[0]) < sizeof fake.successor_words);
	strcpy(fake.successor_words, plan->arguments[0]);
	fake.successor_arguments = plan->argument_count;
	fake.successor_environment = plan->environment_count;
	for (uint32_t i = 0; i < plan->environment_count; i++)
		CHECK(strlen(plan->environment[i]) < FAKE_DATA);
	fake.successor = fake_new_task(fake_task(plan->like)->info.pid, 0);
	*out = (struct successor){ .task = fake_open(fake.successor), .ip = 1, .sp = 2, .block = 3 };
	return OK;
}

static err_t fake_successor_succeed(task_t successor, task_t ended)
{
	uint32_t to = fake.handles[ended], from = fake.handles[successor];
	struct fake_task new = *fake_task(successor), old = *fake_task(ended);

	CHECK(old.info.end != TASK_ALIVE && new.info.threads == 0);
	if (fake.succession_fails)
		return ERR_BUSY;
	new.info.pid = to;
	new.info.started_ns = old.info.started_ns;
	new.info.creator = old.info.creator;
	old.info.pid = from;
	fake.tasks[to] = new;
	fake.tasks[from] = old;
	for (handle_t h = 1; h < FAKE_HANDLES; h++)
		if (fake.handles[h] == to || fake.handles[h] == from)
			fake.handles[h] = fake.handles[h] == to ? from : to;
	return OK;
}

static err_t fake_successor_start(task_t h, const struct successor *s)
{
	CHECK(s->ip == 1 && s->sp == 2 && s->block == 3);
	if (fake_fails())
		return ERR_NOMEM;
	fake_task(h)->info.threads = 1;
	return OK;
}

static const struct outside fake_outside = {
	.allocate = fake_allocate, .release = fake_release,
	.task_take = fake_take, .task_find = fake_find, .task_put = fake_close, .task_info = fake_info, .task_kill = fake_kill,
	.task_stop = fake_stop, .task_continue = fake_continue, .task_post = fake_post, .task_withdraw = fake_withdraw,
	.task_label = fake_label, .task_cred = fake_cred,
	.task_schedule_info = fake_schedule_info, .task_schedule = fake_schedule, .task_name = fake_name,
	.task_account = fake_account, .task_watch = fake_watch, .task_list = fake_list, .task_next_thread = fake_next_thread,
	.task_regions = fake_regions, .task_handles = fake_handles, .task_copy_handle = fake_copy_handle, .task_handle_limit = fake_handle_limit,
	.thread_find = fake_thread_find, .file_stat = fake_file_stat, .successor_create = fake_successor_create,
	.successor_succeed = fake_successor_succeed, .successor_start = fake_successor_start, .account_create = fake_account_create,
	.account_put = fake_close, .records_drop = fake_records_drop, .records_next = fake_records_next, .system_info = fake_system, .now_ns = fake_now, .random = fake_random,
	.reply = fake_reply, .read_in = fake_read_in, .notify = fake_notify,
};

/* ---- What tests say ---- */

/* A kernel process out of nowhere; `like` gives ids and labels (0: root's). */
static uint32_t fake_new_task(uint32_t like, uint32_t threads)
{
	uint32_t pid = fake.next_pid++;
	struct fake_task *k = &fake.tasks[pid];

	CHECK(pid < FAKE_TASKS);
	*k = (struct fake_task){ .exists = true, .account = HANDLE_NONE };
	if (like) {
		k->info = fake.tasks[like].info;
		k->cred = fake.tasks[like].cred;
		k->account = fake.tasks[like].account;
		k->schedule[0] = fake.tasks[like].schedule[0];
	}
	k->info.pid = pid;
	k->info.creator = like;
	k->info.started_ns = pid;
	k->info.threads = threads;
	k->info.end = TASK_ALIVE;
	return pid;
}

static void UNUSED fake_begin(void)
{
	memset(&fake, 0, sizeof fake);
	fake.fail_after = -1;
	fake.next_pid = FAKE_INIT;
	fake.now_ns = 1000000000;
	fake_new_task(0, 1);
	CHECK_EQ(tree_init(&fake.tree, &fake_outside, FAKE_INIT, fake.records), OK);
	fake.next_pid = 10;
}

/* Everything the engine ever took must have been given back. */
static void UNUSED fake_end(void)
{
	tree_fini(&fake.tree);
	CHECK_EQ(fake.allocations, 0);
	CHECK_EQ(fake.allocated, 0u);
	CHECK_EQ(fake.handles_open, 0u);
}

/* Sends a request of pid; the tag, whose reply may come later. */
static uint64_t fake_send(uint32_t pid, uint32_t code, uint64_t word, const void *in, size_t in_bytes, size_t room, handle_t passed)
{
	uint64_t tag = ++fake.last_tag;
	const struct task_info *info = &fake.tasks[pid].info;
	struct posix_call c = {
		.tag = tag, .code = code, .word = word, .passed = passed, .in = fake.in, .in_here = in_bytes, .in_bytes = in_bytes,
		.out_bytes = room,
		.sender = { .pid = pid, .tid = pid, .uid = info->uid, .gid = info->gid, .group = info->group, .session = info->session },
	};

	CHECK(in_bytes <= sizeof fake.in);
	if (in_bytes)
		memcpy(fake.in, in, in_bytes);
	fake.in_bytes = in_bytes;
	fake.replies[tag % FAKE_REPLIES] = (struct fake_reply){ .waiting = true, .room = room };
	posix_serve(&fake.tree, &c);
	CHECK(fake.replies[tag % FAKE_REPLIES].answered || posix_may_wait(code));
	return tag;
}

static struct fake_reply *fake_reply_of(uint64_t tag) { return &fake.replies[tag % FAKE_REPLIES]; }
static bool UNUSED fake_is_answered(uint64_t tag) { return fake_reply_of(tag)->answered; }

/* A request that is answered at once: its result. */
static int64_t fake_call_full(uint32_t pid, uint32_t code, uint64_t word, const void *in, size_t in_bytes, void *out, size_t room, handle_t passed)
{
	struct fake_reply *r = fake_reply_of(fake_send(pid, code, word, in, in_bytes, room, passed));

	CHECK(r->answered);
	if (r->result >= 0 && out)
		memcpy(out, r->data, r->bytes);
	return r->result;
}

static int64_t UNUSED fake_call(uint32_t pid, uint32_t code, uint64_t word)
{
	return fake_call_full(pid, code, word, NULL, 0, NULL, 0, HANDLE_NONE);
}

static int64_t UNUSED fake_ask(uint32_t pid, uint32_t code, uint64_t word, void *out, size_t room)
{
	return fake_call_full(pid, code, word, NULL, 0, out, room, HANDLE_NONE);
}

static int64_t UNUSED fake_tell(uint32_t pid, uint32_t code, uint64_t word, const void *in, size_t in_bytes)
{
	return fake_call_full(pid, code, word, in, in_bytes, NULL, 0, HANDLE_NONE);
}

/* fork(): the child runs. 0 when it was refused, then the error is in *err (if not NULL). */
static uint32_t UNUSED fake_fork_flags(uint32_t parent, uint32_t flags, int64_t *err)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD, .flags = flags };
	uint32_t pid = fake_new_task(parent, 0);
	int64_t result = fake_call_full(parent, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)pid);

	if (err)
		*err = result;
	fake.tasks[pid].info.threads = result == OK;
	if (result) {
		fake.tasks[pid].exists = false;
		return 0;
	}
	return pid;
}

static uint32_t UNUSED fake_fork(uint32_t parent)
{
	uint32_t pid = fake_fork_flags(parent, 0, NULL);

	CHECK(pid != 0);
	(void)fake_call(pid, POSIX_GET_GROUPS, 0);      /* it says something, so it runs */
	return pid;
}

/* A session leader that init started, as a login would be. */
static uint32_t UNUSED fake_login(void)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t pid = fake_new_task(0, 1);

	CHECK_EQ(fake_call_full(FAKE_INIT, POSIX_ADOPT, 0, &fork, sizeof fork, NULL, 0, (handle_t)pid), OK);
	return pid;
}

/* The kernel ends a process, and says so. */
static void UNUSED fake_end_task(uint32_t pid, enum task_end end, uint64_t status)
{
	struct fake_task *k = &fake.tasks[pid];

	if (k->info.end == TASK_ALIVE) {
		k->info.end = end;
		k->info.status = status;
	}
	k->info.threads = 0;
	tree_task_ended(&fake.tree, pid);
}

static void UNUSED fake_exit(uint32_t pid, uint64_t status) { fake_end_task(pid, TASK_EXITED, status); }
/* What TASK_KILL began becomes known. */
static void UNUSED fake_settle(void)
{
	for (uint32_t pid = 1; pid < fake.next_pid; pid++)
		if (fake.tasks[pid].exists && fake.tasks[pid].info.end != TASK_ALIVE)
			tree_task_ended(&fake.tree, pid);
}

static uint64_t UNUSED fake_wait_send(uint32_t pid, int32_t target, uint32_t options)
{
	struct posix_wait w = { .target = target, .options = options };

	return fake_send(pid, POSIX_WAIT, 0, &w, sizeof w, sizeof(struct posix_wait_result), HANDLE_NONE);
}

/* waitpid that does not wait: pid or error, the status in *status. */
static int64_t UNUSED fake_wait(uint32_t pid, int32_t target, uint32_t options, uint32_t *status)
{
	struct fake_reply *r = fake_reply_of(fake_wait_send(pid, target, options | POSIX_WNOHANG));
	struct posix_wait_result result;

	CHECK(r->answered);
	if (r->result > 0) {
		CHECK_EQ(r->bytes, sizeof result);
		memcpy(&result, r->data, sizeof result);
		if (status)
			*status = result.status;
	}
	return r->result;
}

static int64_t UNUSED fake_kill_call(uint32_t pid, int32_t target, uint32_t signal)
{
	struct posix_signal s = { .target = target, .signal = signal };

	return fake_tell(pid, POSIX_KILL, 0, &s, sizeof s);
}

static int64_t UNUSED fake_set_group(uint32_t pid, uint32_t target, uint32_t group)
{
	return fake_call(pid, POSIX_SET_GROUP, target | (uint64_t)group << 32);
}

static int64_t UNUSED fake_set_uid(uint32_t pid, uint32_t uid)
{
	struct posix_set_ids ids = { uid, uid, uid, uid, uid, uid };

	return fake_tell(pid, POSIX_SET_IDS, 0, &ids, sizeof ids);
}

static bool UNUSED fake_has_notice(uint32_t pid, uint32_t signal) { return fake.tasks[pid].pending >> (signal - 1) & 1; }

/* The process takes a pending notice. */
static bool UNUSED fake_take_notice(uint32_t pid, uint32_t signal)
{
	bool had = fake_has_notice(pid, signal);

	fake.tasks[pid].pending &= ~(1ull << (signal - 1));
	return had;
}

static bool UNUSED fake_is_gone(uint32_t pid) { return tree_find(&fake.tree, pid) == NULL; }
