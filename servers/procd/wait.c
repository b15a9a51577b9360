/* servers/procd/wait.c - waiting for children. */
#include "servers/procd/wait.h"
#include "servers/procd/cred.h"
#include "servers/procd/limit.h"

enum {
	WAIT_EVENTS = POSIX_WEXITED | POSIX_WSTOPPED | POSIX_WCONTINUED,
	WAIT_OPTIONS = WAIT_EVENTS | POSIX_WNOHANG | POSIX_WNOWAIT,
};

static struct list_node *tag_bucket(struct tree *t, uint64_t tag)
{
	return &t->pending[(tag ^ tag >> 32) % PENDING_BUCKETS];
}

static struct pending *pending_create(struct tree *t, struct process *p, uint64_t tag, enum pending_kind kind)
{
	struct pending *w = t->outside->allocate(sizeof *w);

	if (!w)
		return NULL;
	*w = (struct pending){ .tag = tag, .kind = kind };
	list_push_back(tag_bucket(t, tag), &w->by_tag);
	list_push_back(&p->pending, &w->in_process);
	return w;
}

static void pending_answer(struct tree *t, struct pending *w, int64_t result)
{
	t->outside->reply(w->tag, result, NULL, 0);
	list_remove(&w->by_tag);
	list_remove(&w->in_process);
	t->outside->release(w, sizeof *w);
}

static bool is_target(const struct process *child, int32_t target)
{
	if (target > 0)
		return child->pid == (uint32_t)target;
	return target == -1 || child->group->id == (uint32_t)-target;
}

static bool has_target(struct tree *t, struct process *parent, int32_t target)
{
	struct process *child;

	if (target > 0) {
		child = tree_find(t, (uint32_t)target);
		return child && child->parent == parent;
	}
	list_each(child, &parent->children, sibling)
		if (is_target(child, target))
			return true;
	return false;
}

/* The status word that options ask for and child has to tell. */
static bool has_news(const struct process *child, uint32_t options, uint32_t *status)
{
	if (child->state == PROCESS_ZOMBIE) {
		*status = child->status;
		return options & POSIX_WEXITED;
	}
	if (child->stop_news && options & POSIX_WSTOPPED) {
		*status = child->status;
		return true;
	}
	*status = WAIT_STATUS_CONTINUED;
	return child->continue_news && options & POSIX_WCONTINUED;
}

static void get_usage(struct tree *t, const struct process *child, struct posix_usage *out)
{
	struct task_info info;

	*out = child->usage;
	if (process_is_alive(child) && t->outside->task_info(child->task, &info) == OK)
		usage_of_task(&info, out);
	usage_add(out, &child->children_usage);
}

/* Tells about child, which is then reaped or has no more news unless options say NOWAIT. True when it was reaped. */
static bool tell(struct tree *t, uint64_t tag, struct process *child, uint32_t options, uint32_t status)
{
	struct posix_wait_result r = { .status = status, .uid = child->cred->uid };

	get_usage(t, child, &r.usage);
	t->outside->reply(tag, child->pid, &r, sizeof r);
	if (options & POSIX_WNOWAIT)
		return false;
	if (child->state == PROCESS_ZOMBIE) {
		tree_reap(t, child);
		return true;
	}
	if (status == WAIT_STATUS_CONTINUED)
		child->continue_news = false;
	else
		child->stop_news = false;
	return false;
}

static struct process *find_news(struct tree *t, struct process *parent, int32_t target, uint32_t options, uint32_t *status)
{
	struct process *child;

	if (target > 0) {
		child = tree_find(t, (uint32_t)target);
		return child && child->parent == parent && has_news(child, options, status) ? child : NULL;
	}
	list_each(child, &parent->children, sibling)
		if (is_target(child, target) && has_news(child, options, status))
			return child;
	return NULL;
}

void wait_begin(struct tree *t, struct process *parent, uint64_t tag, const struct posix_wait *wait)
{
	/* The own group is the one at the time of the call. */
	int32_t target = wait->target ? wait->target : -(int32_t)parent->group->id;
	const struct outside *o = t->outside;
	struct process *child;
	struct pending *w;
	uint32_t status;

	if (wait->options & ~(uint32_t)WAIT_OPTIONS || !(wait->options & WAIT_EVENTS)) {
		o->reply(tag, ERR_INVAL, NULL, 0);
		return;
	}
	if (target == INT32_MIN) {
		o->reply(tag, ERR_SRCH, NULL, 0);
		return;
	}
	if ((child = find_news(t, parent, target, wait->options, &status))) {
		if (tell(t, tag, child, wait->options, status))
			wait_child_gone(t, parent);
		return;
	}
	if (!has_target(t, parent, target)) {
		o->reply(tag, ERR_CHILD, NULL, 0);
		return;
	}
	if (wait->options & POSIX_WNOHANG) {
		o->reply(tag, 0, NULL, 0);
		return;
	}
	if (!(w = pending_create(t, parent, tag, PENDING_WAIT))) {
		o->reply(tag, ERR_NOMEM, NULL, 0);
		return;
	}
	w->target = target;
	w->options = wait->options;
}

err_t wait_for_continue(struct tree *t, struct process *p, uint64_t tag)
{
	return pending_create(t, p, tag, PENDING_STOP) ? OK : ERR_NOMEM;
}

void wait_cancel(struct tree *t, uint64_t tag)
{
	struct pending *w;

	list_each(w, tag_bucket(t, tag), by_tag)
		if (w->tag == tag) {
			pending_answer(t, w, ERR_INTR);
			return;
		}
}

bool wait_child_changed(struct tree *t, struct process *parent, struct process *child)
{
	struct pending *w, *next;
	uint32_t status;

	list_each_safe(w, next, &parent->pending, in_process) {
		if (w->kind != PENDING_WAIT || !is_target(child, w->target) || !has_news(child, w->options, &status))
			continue;
		uint64_t tag = w->tag;
		uint32_t options = w->options;
		list_remove(&w->by_tag);
		list_remove(&w->in_process);
		t->outside->release(w, sizeof *w);
		if (tell(t, tag, child, options, status)) {
			wait_child_gone(t, parent);
			return true;
		}
	}
	return false;
}

void wait_child_gone(struct tree *t, struct process *parent)
{
	struct pending *w, *next;

	list_each_safe(w, next, &parent->pending, in_process)
		if (w->kind == PENDING_WAIT && !has_target(t, parent, w->target))
			pending_answer(t, w, ERR_CHILD);
}

void wait_continued(struct tree *t, struct process *p)
{
	struct pending *w, *next;

	list_each_safe(w, next, &p->pending, in_process)
		if (w->kind == PENDING_STOP)
			pending_answer(t, w, 0);
}

void wait_abandon(struct tree *t, struct process *p)
{
	struct pending *w, *next;

	list_each_safe(w, next, &p->pending, in_process)
		pending_answer(t, w, ERR_INTR);
}
