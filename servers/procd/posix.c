/* servers/procd/posix.c - one function per code of posix.def. */
#include "servers/procd/posix.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "servers/procd/cred.h"
#include "servers/procd/elevate.h"
#include "servers/procd/image.h"
#include "servers/procd/limit.h"
#include "servers/procd/record.h"
#include "servers/procd/schedule.h"
#include "servers/procd/session.h"
#include "servers/procd/signal.h"
#include "servers/procd/wait.h"

/* Also relative to posix:self, for those who cannot open the scheme by name. */
err_t posix_open(struct tree *t, const struct sender *sender, const char *ref, size_t ref_bytes, uint64_t *id)
{
	static const char leader[] = "leader/";
	const size_t prefix = sizeof leader - 1;
	uint64_t session;

	if (string_is(ref, ref_bytes, "self")) {
		*id = POSIX_SELF;
		return OK;
	}
	if (ref_bytes <= prefix || memcmp(ref, leader, prefix) ||
	    number_parse(ref + prefix, ref_bytes - prefix, 10, &session) || session > INT32_MAX)
		return ERR_NOENT;
	if (sender->uid != 0)
		return ERR_PERM;
	return session_watch_leader(t, (uint32_t)session, id);
}

void posix_opened(struct tree *t, uint64_t id, uint64_t number)
{
	if (id != POSIX_SELF)
		session_number_watch(t, id, number);
}

void posix_close(struct tree *t, uint64_t id)
{
	if (id != POSIX_SELF)
		session_unwatch_leader(t, id);
}

/* ---- Answers ---- */

static void answer(struct tree *t, const struct posix_call *c, int64_t result)
{
	t->outside->reply(c->tag, result, NULL, 0);
}

static void answer_data(struct tree *t, const struct posix_call *c, int64_t result, const void *data, size_t bytes)
{
	if (c->out_bytes < bytes)
		answer(t, c, ERR_INVAL);
	else
		t->outside->reply(c->tag, result, data, bytes);
}

/* The struct that the client sends; longer is refused as a mistake. */
static err_t get_in(const struct posix_call *c, void *to, size_t bytes)
{
	if (c->in_bytes != bytes || c->in_here != bytes)
		return ERR_INVAL;
	memcpy(to, c->in, bytes);
	return OK;
}

static uint32_t low(uint64_t word) { return (uint32_t)word; }
static uint32_t high(uint64_t word) { return (uint32_t)(word >> 32); }

static struct process *find_or_self(struct tree *t, struct process *sender, uint32_t pid)
{
	return pid == 0 ? sender : tree_discover(t, pid);
}

/* ---- Life ---- */

static void do_fork(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_fork fork;
	err_t err = get_in(c, &fork, sizeof fork);

	answer(t, c, err ? err : tree_fork(t, sender, c->passed, &fork));
}

static void do_exec(struct tree *t, struct process *sender, const struct posix_call *c)
{
	const struct cred *cred = sender->cred;
	const struct posix_exec_result result = {
		.uid = cred->uid, .euid = cred->euid, .gid = cred->gid, .egid = cred->egid,
		/* A set-uid program that changed hands stays careful in what it starts. */
		.secure = cred->uid != cred->euid || cred->gid != cred->egid,
	};
	struct posix_exec exec;
	struct image *image;
	err_t err;

	if (c->in_here < sizeof exec || c->out_bytes < sizeof result) {
		answer(t, c, ERR_INVAL);
		return;
	}
	memcpy(&exec, c->in, sizeof exec);
	if (exec.child_flags & ~(uint32_t)POSIX_CHILD_FLAGS_ALL) {
		answer(t, c, ERR_INVAL);
		return;
	}
	if ((err = image_read(t, c->tag, &exec, c->in_bytes, &image))) {
		answer(t, c, err);
		return;
	}
	if ((err = cred_save_ids(t, sender))) {
		image_put(t, image);
		answer(t, c, err);
		return;
	}
	if (sender->image)
		image_put(t, sender->image);
	sender->image = image;
	sender->executed = true;
	sender->guarded = result.secure;
	sender->child_flags = (uint8_t)exec.child_flags;
	record_write(t, sender);
	(void)t->outside->task_name(sender->task, image->name, strlen(image->name));
	answer_data(t, c, 0, &result, sizeof result);
}

static void do_exec_elevated(struct tree *t, struct process *sender, const struct posix_call *c)
{
	answer(t, c, elevate_begin(t, sender, c));
}

static void do_no_new_privileges(struct tree *t, struct process *sender, const struct posix_call *c)
{
	sender->no_new_privileges = true;
	record_write(t, sender);
	answer(t, c, 0);
}

static void do_wait(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_wait wait;

	if (get_in(c, &wait, sizeof wait) || c->out_bytes < sizeof(struct posix_wait_result))
		answer(t, c, ERR_INVAL);
	else
		wait_begin(t, sender, c->tag, &wait);
}

static void do_terminated(struct tree *t, struct process *sender, const struct posix_call *c)
{
	uint32_t signal = low(c->word) & 0x7f;

	if (c->word > 0xff || signal == 0 || signal > LINUX_SIGNAL_LAST)
		answer(t, c, ERR_INVAL);
	else
		answer(t, c, t->outside->task_kill(sender->task, c->word));
}

static void do_stopped(struct tree *t, struct process *sender, const struct posix_call *c)
{
	err_t err;

	if (c->word < LINUX_SIGSTOP || c->word > LINUX_SIGTTOU) {
		answer(t, c, ERR_INVAL);
		return;
	}
	if (!signal_stops(sender, low(c->word))) {
		answer(t, c, 0);
		return;
	}
	if ((err = wait_for_continue(t, sender, c->tag))) {
		answer(t, c, err);
		return;
	}
	process_stop(t, sender, low(c->word));
	/* The kernel would not: then nobody would continue it either. */
	if (sender->state != PROCESS_STOPPED)
		wait_continued(t, sender);
}

static void do_adopt(struct tree *t, const struct posix_call *c)
{
	struct posix_fork fork;

	if (c->sender.uid != 0)
		answer(t, c, ERR_PERM);
	else if (get_in(c, &fork, sizeof fork))
		answer(t, c, ERR_INVAL);
	else
		answer(t, c, tree_adopt(t, c->passed, &fork));
}

/* ---- Signals ---- */

static void do_kill(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_signal info;
	err_t err = get_in(c, &info, sizeof info);

	answer(t, c, err ? err : signal_kill(t, sender, info));
}

static void do_signal_thread(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_signal info;
	err_t err = get_in(c, &info, sizeof info);

	answer(t, c, err ? err : signal_kill_thread(t, sender, info));
}

static void do_signal_info(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_signal info;
	bool more;
	err_t err;

	if (low(c->word) == 0 || low(c->word) > LINUX_SIGNAL_LAST || c->out_bytes < sizeof info) {
		answer(t, c, ERR_INVAL);
		return;
	}
	if ((err = signal_take_info(t, sender, low(c->word), high(c->word), &info, &more)))
		answer(t, c, err);
	else
		answer_data(t, c, more, &info, sizeof info);
}

static void do_signal_group(struct tree *t, const struct posix_call *c)
{
	struct posix_signal info;
	struct group *g;

	if (c->sender.uid != 0) {
		answer(t, c, ERR_PERM);
		return;
	}
	if (get_in(c, &info, sizeof info) || info.signal > LINUX_SIGNAL_LAST) {
		answer(t, c, ERR_INVAL);
		return;
	}
	g = info.target > 0 ? tree_find_group(t, (uint32_t)info.target) : NULL;
	if (g && info.signal)
		signal_raise_group(t, g, info.signal);
	answer(t, c, g ? OK : ERR_SRCH);
}

static void do_child_flags(struct tree *t, struct process *sender, const struct posix_call *c)
{
	bool was_unseen = sender->child_flags & POSIX_CHILD_UNSEEN;

	if (c->word & ~(uint64_t)(POSIX_CHILD_FLAGS_ALL | POSIX_CHILD_BLOCKED) ||
	    (c->word & POSIX_CHILD_BLOCKED && c->word & POSIX_CHILD_UNSEEN)) {
		answer(t, c, ERR_INVAL);
		return;
	}
	sender->child_flags = c->word & POSIX_CHILD_FLAGS_ALL;
	record_write(t, sender);
	if (was_unseen && c->word & POSIX_CHILD_BLOCKED)
		tree_signal_ended_child(t, sender);
	answer(t, c, 0);
}

static void do_death_signal(struct tree *t, struct process *sender, const struct posix_call *c)
{
	if (c->word > LINUX_SIGNAL_LAST) {
		answer(t, c, ERR_INVAL);
		return;
	}
	sender->death_signal = (uint8_t)c->word;
	record_write(t, sender);
	answer(t, c, 0);
}

/* ---- Groups, sessions ---- */

static void do_set_group(struct tree *t, struct process *sender, const struct posix_call *c)
{
	answer(t, c, session_set_group(t, sender, low(c->word), high(c->word)));
}

static void do_set_session(struct tree *t, struct process *sender, const struct posix_call *c)
{
	err_t err = session_create(t, sender);

	answer(t, c, err ? err : (int64_t)sender->pid);
}

static void do_set_tty(struct tree *t, const struct posix_call *c)
{
	if (c->sender.uid != 0)
		answer(t, c, ERR_PERM);
	else
		answer(t, c, session_set_tty(t, low(c->word), high(c->word)));
}

static void do_subreaper(struct tree *t, struct process *sender, const struct posix_call *c)
{
	sender->subreaper = c->word != 0;
	record_write(t, sender);
	answer(t, c, 0);
}

static void do_places(struct tree *t, struct process *sender, const struct posix_call *c)
{
	sender->working = (handle_t)low(c->word);
	sender->root = (handle_t)high(c->word);
	record_write(t, sender);
	answer(t, c, 0);
}

/* ---- Ids ---- */

static void do_get_ids(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct process *p = c->word > INT32_MAX ? NULL : find_or_self(t, sender, low(c->word));
	struct posix_ids ids;

	if (!p) {
		answer(t, c, ERR_SRCH);
		return;
	}
	ids = (struct posix_ids){
		.pid = p->pid, .parent = p->parent ? p->parent->pid : 0,
		.group = p->group->id, .session = p->group->session->id,
		.uid = p->cred->uid, .euid = p->cred->euid, .suid = p->cred->suid,
		.gid = p->cred->gid, .egid = p->cred->egid, .sgid = p->cred->sgid,
		.tty = p->group->session->tty,
	};
	answer_data(t, c, 0, &ids, sizeof ids);
}

static void do_set_ids(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_set_ids ids;
	err_t err = get_in(c, &ids, sizeof ids);

	answer(t, c, err ? err : cred_set_ids(t, sender, &ids));
}

static void do_set_groups(struct tree *t, struct process *sender, const struct posix_call *c)
{
	uint32_t groups[CRED_GROUPS_MAX];

	if (c->in_bytes > sizeof groups || c->in_bytes % sizeof groups[0] || c->in_here != c->in_bytes) {
		answer(t, c, ERR_INVAL);
		return;
	}
	if (c->in_bytes)
		memcpy(groups, c->in, c->in_bytes);
	answer(t, c, cred_set_groups(t, sender, groups, c->in_bytes / sizeof groups[0]));
}

static void do_get_groups(struct tree *t, struct process *sender, const struct posix_call *c)
{
	const struct cred *cred = sender->cred;
	size_t bytes = cred->groups_count * sizeof cred->groups[0];

	if (c->out_bytes == 0)
		answer(t, c, cred->groups_count);
	else
		answer_data(t, c, cred->groups_count, cred->groups, bytes);
}

/* ---- Limits and usage ---- */

static struct process *limit_target(struct tree *t, struct process *sender, uint32_t pid)
{
	struct process *p = pid > INT32_MAX ? NULL : find_or_self(t, sender, pid);

	return p && process_is_alive(p) ? p : NULL;
}

static void do_get_limit(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct process *p = limit_target(t, sender, low(c->word));
	struct posix_limit limit;
	err_t err;

	if (!p)
		answer(t, c, ERR_SRCH);
	else if ((err = limit_find(sender, p, high(c->word), &limit)))
		answer(t, c, err);
	else
		answer_data(t, c, 0, &limit, sizeof limit);
}

static void do_set_limit(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct process *p = limit_target(t, sender, low(c->word));
	struct posix_limit limit;
	err_t err = get_in(c, &limit, sizeof limit);

	if (!err)
		err = p ? limit_set(t, sender, p, high(c->word), &limit) : ERR_SRCH;
	answer(t, c, err);
}

static void do_get_priority(struct tree *t, struct process *sender, const struct posix_call *c)
{
	answer(t, c, priority_get(t, sender, low(c->word), high(c->word)));
}

static void do_set_priority(struct tree *t, struct process *sender, const struct posix_call *c)
{
	uint32_t which = low(c->word) & 0xff, nice = low(c->word) >> 8;

	if (nice > 255)
		answer(t, c, ERR_INVAL);
	else
		answer(t, c, priority_set(t, sender, which, high(c->word), (int32_t)nice - 20));
}

static void do_get_schedule(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct task_schedule s;
	err_t err = c->word > INT32_MAX ? ERR_SRCH : schedule_get(t, low(c->word), &s);

	(void)sender;
	if (err)
		answer(t, c, err);
	else
		answer_data(t, c, 0, &s, sizeof s);
}

static void do_set_schedule(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct task_schedule s;
	err_t err = get_in(c, &s, sizeof s);

	answer(t, c, err ? err : schedule_set(t, sender, &s));
}

static void do_usage(struct tree *t, struct process *sender, const struct posix_call *c)
{
	struct posix_usage usage = sender->children_usage;
	struct task_info info;
	err_t err;

	if (c->word > 1) {
		answer(t, c, ERR_INVAL);
		return;
	}
	if (c->word == 0) {
		if ((err = t->outside->task_info(sender->task, &info))) {
			answer(t, c, err);
			return;
		}
		usage_of_task(&info, &usage);
	}
	answer_data(t, c, 0, &usage, sizeof usage);
}

/* ---- Dispatch ---- */

bool posix_may_wait(uint32_t code)
{
	return code == POSIX_WAIT || code == POSIX_STOPPED;
}

/* Codes of servers, which need not be in the tree themselves. */
static bool serve_server(struct tree *t, const struct posix_call *c)
{
	switch (c->code) {
	case POSIX_ADOPT:
		do_adopt(t, c);
		return true;
	case POSIX_SET_TTY:
		do_set_tty(t, c);
		return true;
	case POSIX_SIGNAL_GROUP:
		do_signal_group(t, c);
		return true;
	case POSIX_GROUP_STATE:
		answer(t, c, c->word > INT32_MAX ? 0 : session_group_state(t, c->word ? low(c->word) : c->sender.group));
		return true;
	default:
		return false;
	}
}

typedef void serve_function(struct tree *t, struct process *sender, const struct posix_call *c);

static serve_function *const serve[] = {
	[POSIX_FORK - POSIX_FORK] = do_fork,
	[POSIX_EXEC - POSIX_FORK] = do_exec,
	[POSIX_WAIT - POSIX_FORK] = do_wait,
	[POSIX_KILL - POSIX_FORK] = do_kill,
	[POSIX_SIGNAL_INFO - POSIX_FORK] = do_signal_info,
	[POSIX_SET_GROUP - POSIX_FORK] = do_set_group,
	[POSIX_GET_IDS - POSIX_FORK] = do_get_ids,
	[POSIX_SET_SESSION - POSIX_FORK] = do_set_session,
	[POSIX_SET_IDS - POSIX_FORK] = do_set_ids,
	[POSIX_SET_GROUPS - POSIX_FORK] = do_set_groups,
	[POSIX_GET_GROUPS - POSIX_FORK] = do_get_groups,
	[POSIX_GET_LIMIT - POSIX_FORK] = do_get_limit,
	[POSIX_SET_LIMIT - POSIX_FORK] = do_set_limit,
	[POSIX_GET_PRIORITY - POSIX_FORK] = do_get_priority,
	[POSIX_SET_PRIORITY - POSIX_FORK] = do_set_priority,
	[POSIX_STOPPED - POSIX_FORK] = do_stopped,
	[POSIX_TERMINATED - POSIX_FORK] = do_terminated,
	[POSIX_CHILD_FLAGS - POSIX_FORK] = do_child_flags,
	[POSIX_USAGE - POSIX_FORK] = do_usage,
	[POSIX_SET_DEATH_SIGNAL - POSIX_FORK] = do_death_signal,
	[POSIX_SIGNAL_THREAD - POSIX_FORK] = do_signal_thread,
	[POSIX_SUBREAPER - POSIX_FORK] = do_subreaper,
	[POSIX_PLACES - POSIX_FORK] = do_places,
	[POSIX_EXEC_ELEVATED - POSIX_FORK] = do_exec_elevated,
	[POSIX_NO_NEW_PRIVILEGES - POSIX_FORK] = do_no_new_privileges,
	[POSIX_GET_SCHEDULE - POSIX_FORK] = do_get_schedule,
	[POSIX_SET_SCHEDULE - POSIX_FORK] = do_set_schedule,
};

void posix_serve(struct tree *t, const struct posix_call *c)
{
	uint32_t index = c->code - POSIX_FORK;
	struct process *sender;

	if (serve_server(t, c))
		return;
	if (index >= ARRAY_COUNT(serve) || !serve[index]) {
		answer(t, c, ERR_NOTTY);
		return;
	}
	sender = tree_discover(t, c->sender.pid);
	if (!sender || !process_is_alive(sender)) {
		answer(t, c, ERR_SRCH);
		return;
	}
	/* Its word has stopped to count: what is there ends, and what comes has not begun. */
	if (sender->successor) {
		answer(t, c, ERR_INTR);
		return;
	}
	sender->started = true;
	if (c->code != POSIX_STOPPED)
		signal_forget_stops(sender);
	serve[index](t, sender, c);
}
