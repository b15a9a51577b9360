/* servers/procd/elevate.c - is it a file that elevates, who will it be; then the exchange. */
#include "servers/procd/elevate.h"
#include "abi/startup.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "servers/procd/cred.h"
#include "servers/procd/record.h"
#include "servers/procd/signal.h"
#include "servers/procd/wait.h"

enum { STRINGS_MAX = 512 << 10, WORDS_TEXT_BYTES = STARTUP_WORDS * 17 + 1 };
static const uint32_t KEEP = ~0u;
/* How we end the caller: nobody else ends one so, and where the successor is missing it reads SIGKILL. */
static const uint64_t ENDED_FOR_SUCCESSOR = 1ull << 32 | LINUX_SIGKILL;

/* ---- May it? ---- */

static bool may_execute(const struct cred *c, const struct file_stat *s)
{
	if (c->euid == 0)
		return s->mode & 0111;
	if (c->euid == s->uid)
		return s->mode & 0100;
	return s->mode & (cred_has_group(c, s->gid) ? 0010 : 0001);
}

/* One of p's directories, if it is one of file:'s that p may be in. */
static err_t take_directory(struct tree *t, struct process *p, handle_t number, handle_t *out, struct file_stat *stat)
{
	const struct outside *o = t->outside;
	err_t err;

	if (number == HANDLE_NONE)
		return ERR_NOENT;
	if ((err = o->task_copy_handle(p->task, number, out)))
		return err;
	if ((err = o->file_stat(*out, stat)) == OK && ((stat->mode & MODE_TYPE) != MODE_DIRECTORY || !may_execute(p->cred, stat)))
		err = ERR_NOTDIR;
	if (err)
		o->task_put(*out);
	return err;
}

/* Within another root names mean other files to it than they would to its successor. */
static bool has_true_root(struct tree *t, struct process *p)
{
	struct file_stat its, ours;
	handle_t h;

	if (take_directory(t, p, p->root, &h, &its))
		return false;
	t->outside->task_put(h);
	return t->outside->file_stat(HANDLE_NONE, &ours) == OK && its.device == ours.device && its.node == ours.node;
}

static err_t check(struct tree *t, struct process *p, handle_t file, struct file_stat *stat, struct successor *s)
{
	const struct cred *c = p->cred;

	if (p->no_new_privileges || p == t->init || file == HANDLE_NONE || t->outside->file_stat(file, stat))
		return ERR_PERM;
	if ((stat->mode & MODE_TYPE) != MODE_FILE || !may_execute(c, stat))
		return ERR_ACCES;
	s->euid = stat->mode & MODE_SETUID ? stat->uid : KEEP;
	s->egid = (stat->mode & (MODE_SETGID | 0010)) == (MODE_SETGID | 0010) ? stat->gid : KEEP;
	if ((s->euid == KEEP || s->euid == c->euid) && (s->egid == KEEP || s->egid == c->egid))
		return ERR_PERM;
	return has_true_root(t, p) ? OK : ERR_PERM;
}

/* ---- The successor ---- */

/* The strings that came, in one buffer: the words' text, then name, arguments and environment. */
struct strings {
	char *text;
	const char **pointers;
	size_t text_bytes;
	uint32_t argument_count, count, capacity;
};

static void strings_free(struct tree *t, struct strings *s)
{
	if (s->pointers)
		t->outside->release(s->pointers, s->capacity * sizeof *s->pointers);
	if (s->text)
		t->outside->release(s->text, s->text_bytes);
}

static uint32_t strings_count(const char *text, size_t bytes)
{
	uint32_t count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += !text[i];
	return count;
}

static void words_write(char *to, const struct posix_exec_elevated *e, const struct file_stat *stat)
{
	const uint64_t words[STARTUP_WORDS] = {
		[STARTUP_UMASK] = e->umask, [STARTUP_SIGNAL_MASK] = e->mask, [STARTUP_SIGNALS_IGNORED] = e->ignored,
		[STARTUP_ALARM_DUE_NS] = e->alarm_due_ns, [STARTUP_ALARM_PERIOD_NS] = e->alarm_period_ns,
		[STARTUP_FILE_NODE] = stat->node, [STARTUP_FILE_MODE] = stat->mode, [STARTUP_FILE_UID] = stat->uid, [STARTUP_FILE_GID] = stat->gid,
		[STARTUP_FILE_CHANGED_S] = (uint64_t)stat->changed.seconds, [STARTUP_FILE_CHANGED_NS] = stat->changed.nanoseconds,
	};

	for (int i = 0; i < STARTUP_WORDS; i++)
		to += fmt(to, 18, "%lx ", (unsigned long)words[i]);
}

static err_t strings_read(struct tree *t, const struct posix_call *c, const struct posix_exec_elevated *e, const struct file_stat *stat, struct strings *s)
{
	uint64_t arguments_bytes = (uint64_t)e->name_bytes + e->arguments_bytes, bytes = arguments_bytes + e->environment_bytes;
	err_t err;

	*s = (struct strings){ 0 };
	if (bytes > STRINGS_MAX)
		return ERR_2BIG;
	if (c->in_bytes != sizeof *e + bytes || e->name_bytes == 0 || e->arguments_bytes == 0)
		return ERR_INVAL;
	s->text_bytes = WORDS_TEXT_BYTES + bytes;
	if (!(s->text = t->outside->allocate(s->text_bytes)))
		return ERR_NOMEM;
	char *text = s->text + WORDS_TEXT_BYTES, *end = text + bytes;
	if ((err = t->outside->read_in(c->tag, sizeof *e, text, bytes)))
		return err;
	if (strings_count(text, e->name_bytes) != 1 || text[e->name_bytes - 1] || text[arguments_bytes - 1] || end[-1])
		return ERR_INVAL;
	words_write(s->text, e, stat);
	s->argument_count = 1 + strings_count(text, arguments_bytes);
	s->capacity = 1 + strings_count(text, bytes);
	if (!(s->pointers = t->outside->allocate(s->capacity * sizeof *s->pointers)))
		return ERR_NOMEM;
	s->pointers[s->count++] = s->text;
	for (; text < end; text += strlen(text) + 1)
		s->pointers[s->count++] = text;
	return OK;
}

static err_t successor_make(struct tree *t, struct process *p, handle_t file, const struct strings *strings, struct successor *s)
{
	struct successor_plan plan = {
		.like = p->task, .program = file, .working = HANDLE_NONE, .arguments = strings->pointers, .argument_count = strings->argument_count,
		.environment = strings->pointers + strings->argument_count, .environment_count = strings->count - strings->argument_count,
	};
	uint32_t euid = s->euid, egid = s->egid;
	struct file_stat stat;
	err_t err;

	if (take_directory(t, p, p->working, &plan.working, &stat))
		plan.working = HANDLE_NONE;
	err = t->outside->successor_create(&plan, s);
	s->euid = euid;
	s->egid = egid;
	if (plan.working != HANDLE_NONE)
		t->outside->task_put(plan.working);
	return err;
}

err_t elevate_begin(struct tree *t, struct process *p, const struct posix_call *c)
{
	struct posix_exec_elevated e;
	struct strings strings;
	struct file_stat stat;
	struct successor *s;
	err_t err;

	if (c->in_here < sizeof e)
		return ERR_INVAL;
	memcpy(&e, c->in, sizeof e);
	if (!(s = t->outside->allocate(sizeof *s)))
		return ERR_NOMEM;
	if ((err = check(t, p, c->passed, &stat, s)))
		goto release;
	if ((err = strings_read(t, c, &e, &stat, &strings)) || (err = successor_make(t, p, c->passed, &strings, s)))
		goto free_strings;
	strings_free(t, &strings);
	p->successor = s;
	if ((err = t->outside->task_kill(p->task, ENDED_FOR_SUCCESSOR)))
		elevate_drop(t, p);
	return err;

free_strings:
	strings_free(t, &strings);
release:
	t->outside->release(s, sizeof *s);
	return err;
}

/* ---- The exchange ---- */

void elevate_drop(struct tree *t, struct process *p)
{
	struct successor *s = p->successor;

	if (!s)
		return;
	p->successor = NULL;
	(void)t->outside->task_kill(s->task, LINUX_SIGKILL);
	t->outside->task_put(s->task);
	t->outside->release(s, sizeof *s);
}

/* p's task is the new one, which has yet to become all that the tree says of p. */
static err_t set_out(struct tree *t, struct process *p, const struct successor *s)
{
	const struct outside *o = t->outside;
	err_t err;

	p->guarded = true;
	p->death_signal = 0;
	if ((err = cred_elevate(t, p, s->euid, s->egid)))
		return err;
	if ((err = o->task_label(p->task, p->group->id, p->group->session->id)))
		return err;
	if ((err = o->task_watch(p->task, p->pid)))
		return err;
	if (p->state == PROCESS_STOPPED && (err = o->task_stop(p->task)))
		return err;
	signal_post_all(t, p);
	return o->successor_start(p->task, s);
}

bool elevate_finish(struct tree *t, struct process *p, const struct task_info *info)
{
	const struct outside *o = t->outside;
	struct successor *s = p->successor;
	task_t old = p->task;

	if (!s)
		return false;
	if (info->end != TASK_KILLED || info->status != ENDED_FOR_SUCCESSOR || o->successor_succeed(s->task, old)) {
		elevate_drop(t, p);
		return false;
	}
	p->successor = NULL;
	p->task = s->task;
	o->task_put(old);
	wait_abandon(t, p);
	bool runs = set_out(t, p, s) == OK;
	if (!runs)
		(void)o->task_kill(p->task, LINUX_SIGKILL);
	o->release(s, sizeof *s);
	return runs;
}
