/* lib/tty/serve_call.c - the calls of abi/proto/tty.def, and of file.def as far as a terminal has them. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/tty/private.h"
#include "lib/tty/serve.h"
#include "lib/tty/serve_private.h"

/* As Linux shows a device in /proc, and as POSIX_SET_TTY wants it. */
static uint32_t device_number(const struct tty_served *s)
{
	return (s->minor & 255) | s->major << 8 | (s->minor & ~255u) << 12;
}

/* ---- Sessions ---------------------------------------------------------------------------------------------------- */

void serve_forget_session(struct tty_served *s)
{
	if (s->tty.session == 0)
		return;
	s->outside->unwatch_leader(s);
	/* A session that is gone has no terminal either: its error is no news. */
	(void)!s->outside->set_tty(s->tty.session, 0);
	s->tty.session = s->tty.foreground = 0;
}

err_t serve_acquire(struct tty_served *s, const struct sender *sender, bool steal)
{
	err_t err;

	if (sender->session == 0 || sender->pid != sender->session)
		return ERR_PERM;
	if (s->tty.session == sender->session)
		return OK;
	/* Should the watch of its leader have been lost (with a procd that died), this notices. */
	if (s->tty.session != 0 && s->outside->session_of(s->tty.session) != s->tty.session)
		tty_serve_leader_ended(s);
	if (s->tty.session != 0 && !(steal && sender->uid == 0))
		return ERR_PERM;
	if ((err = s->outside->set_tty(sender->session, device_number(s))))
		return err;
	serve_forget_session(s);
	s->tty.session = sender->session;
	s->tty.foreground = sender->group;
	s->outside->watch_leader(s, sender->session);
	tty_serve_settle(s);
	return OK;
}

static void signal_hangup(struct tty_served *s, uint32_t group)
{
	if (group == 0)
		return;
	s->outside->signal_group(group, TTY_SIGHUP);
	s->outside->signal_group(group, TTY_SIGCONT);
}

void tty_serve_leader_ended(struct tty_served *s)
{
	signal_hangup(s, s->tty.foreground);
	serve_forget_session(s);
	tty_serve_settle(s);
}

void tty_serve_hangup(struct tty_served *s)
{
	/* The leader's group has the session's number. */
	signal_hangup(s, s->tty.session);
	serve_forget_session(s);
	tty_hangup(&s->tty);
	tty_serve_settle(s);
}

void tty_serve_resume(struct tty_served *s, uint32_t session, uint32_t foreground)
{
	s->tty.session = session;
	s->tty.foreground = session ? foreground : 0;
	/* Whether its leader still lives, the watch will tell. */
	if (session)
		s->outside->watch_leader(s, session);
}

static int64_t release(struct tty_served *s, const struct sender *sender)
{
	if (sender->session == 0 || s->tty.session != sender->session)
		return ERR_NOTTY;
	/* Others of the session cannot give up what is not theirs alone. */
	if (sender->pid == sender->session)
		tty_serve_leader_ended(s);
	return 0;
}

static int64_t set_foreground(struct tty_served *s, const struct scheme_request *r, uint64_t word)
{
	const struct sender *sender = &r->message->sender;
	uint32_t group = (uint32_t)word, session;
	err_t err;

	if (s->tty.session == 0 || sender->session != s->tty.session)
		return ERR_NOTTY;
	if ((err = serve_check(s, r, TTY_ACCESS_CHANGE)))
		return err == ERR_IO ? ERR_NOTTY : err;
	if (word == 0 || word > INT32_MAX)
		return ERR_INVAL;
	if (!(s->outside->group_state(group) & TTY_GROUP_EXISTS))
		return ERR_SRCH;
	/* The group's first process tells its session, as long as it lives. */
	session = s->outside->session_of(group);
	if (session != 0 && session != s->tty.session)
		return ERR_PERM;
	s->tty.foreground = group;
	tty_serve_settle(s);
	return 0;
}

static int64_t get_foreground(const struct tty_served *s, const struct sender *sender, bool is_master)
{
	if (!is_master && (s->tty.session == 0 || sender->session != s->tty.session))
		return ERR_NOTTY;
	return s->tty.foreground;
}

static int64_t get_session(const struct tty_served *s, const struct sender *sender, bool is_master)
{
	if (s->tty.session == 0 || (!is_master && sender->session != s->tty.session))
		return ERR_NOTTY;
	return s->tty.session;
}

/* ---- Modes, size, queues ------------------------------------------------------------------------------------------- */

void serve_set_modes(struct tty_served *s, const struct tty_modes *modes, uint32_t when)
{
	if (when == TTY_FLUSH_INPUT)
		tty_flush(&s->tty, TTY_FLUSH_IN);
	tty_set_modes(&s->tty, modes);
	s->must_settle = true;
}

static bool must_drain(struct tty_served *s)
{
	return s->owner->is_drained && !s->tty.hung_up && !s->owner->is_drained(s);
}

static int64_t set_modes(struct tty_served *s, struct scheme_request *r, uint64_t when)
{
	struct tty_modes modes;
	struct tty_wait *w;
	int64_t result;
	err_t err;

	if (when > TTY_FLUSH_INPUT)
		return ERR_INVAL;
	if ((err = scheme_in_struct(r, &modes, sizeof(modes))))
		return err;
	if (when == TTY_NOW || !must_drain(s)) {
		serve_set_modes(s, &modes, (uint32_t)when);
		tty_serve_settle(s);
		return 0;
	}
	result = tty_wait_defer(r, &s->drainers, &w);
	if (result == SCHEME_LATER) {
		w->modes = modes;
		w->when = (uint32_t)when;
		w->is_set = true;
	}
	return result;
}

static int64_t set_size(struct tty_served *s, struct scheme_request *r)
{
	struct tty_size size;
	err_t err;

	if ((err = scheme_in_struct(r, &size, sizeof(size))))
		return err;
	tty_set_size(&s->tty, &size);
	if (s->owner->size_changed)
		s->owner->size_changed(s);
	tty_serve_settle(s);
	return 0;
}

static int64_t flush(struct tty_served *s, uint64_t what)
{
	if (what == 0 || what > (TTY_FLUSH_IN | TTY_FLUSH_OUT))
		return ERR_INVAL;
	tty_flush(&s->tty, (uint32_t)what);
	tty_serve_settle(s);
	return 0;
}

static int64_t flow(struct tty_served *s, uint64_t what)
{
	err_t err;

	if (what > UINT32_MAX || (err = tty_flow(&s->tty, (uint32_t)what)))
		return ERR_INVAL;
	tty_serve_settle(s);
	return 0;
}

static int64_t pending(struct tty_served *s, uint64_t which)
{
	if (which == TTY_FLUSH_IN)
		return (int64_t)tty_input_pending(&s->tty);
	return which == TTY_FLUSH_OUT ? (int64_t)tty_output_pending(&s->tty) : ERR_INVAL;
}

static int64_t inject(struct tty_served *s, struct scheme_request *r)
{
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	tty_serve_input(s, r->in, r->in_here);
	return (int64_t)r->in_here;
}

static int64_t put_name(struct tty_served *s, struct scheme_request *r)
{
	size_t bytes = strnlen(s->name, sizeof(s->name));
	err_t err;

	if (bytes > r->out_room)
		return ERR_RANGE;
	if ((err = scheme_out(r, s->name, bytes)))
		return err;
	return (int64_t)bytes;
}

/* Anybody may open it for nothing (access 0), to ask about it: that is no right to change it, or to take it. */
static bool was_opened_for(const struct tty_served *s, const struct scheme_request *r, uint32_t access)
{
	const struct message *m = r->message;
	bool is_of_session = s->tty.session != 0 && m->sender.session == s->tty.session;

	return m->sender.uid == 0 || is_of_session || (!(m->open_flags & OPEN_PATH) && m->open_flags & access);
}

/* Calls that change the terminal: from the background only with a flag. */
static int64_t change(struct tty_served *s, struct scheme_request *r, uint32_t code, uint64_t word, bool is_master)
{
	err_t err;

	if (!is_master && !was_opened_for(s, r, OPEN_READ | OPEN_WRITE))
		return ERR_PERM;
	if (!is_master && (err = serve_check(s, r, TTY_ACCESS_CHANGE)))
		return err;
	switch (code) {
	case TTY_SET:
		return set_modes(s, r, word);
	case TTY_SET_SIZE:
		return set_size(s, r);
	case TTY_FLUSH:
		return flush(s, word);
	case TTY_DRAIN:
		return must_drain(s) ? tty_wait_defer(r, &s->drainers, NULL) : 0;
	case TTY_FLOW:
		return flow(s, word);
	default:
		return ERR_NOTTY;
	}
}

/* ---- As a file --------------------------------------------------------------------------------------------------- */

void tty_serve_stat(const struct tty_served *s, struct file_stat *out)
{
	*out = (struct file_stat){
		.device = 0x1cd1, .node = s->node, .mode = MODE_CHARACTER | s->mode, .links = 1, .uid = s->uid, .gid = s->gid,
		.rdev = (uint64_t)s->major << 32 | s->minor, .block_bytes = 1024,
		.accessed = s->changed, .modified = s->changed, .changed = s->changed, .born = s->changed,
	};
}

static int64_t put_stat(const struct tty_served *s, struct scheme_request *r)
{
	struct file_stat stat;

	tty_serve_stat(s, &stat);
	return scheme_out(r, &stat, sizeof(stat));
}

bool tty_serve_may(const struct tty_served *s, const struct sender *sender, uint32_t open_flags)
{
	/* Who opens it to execute it may read, says the kernel. */
	uint32_t mode = s->mode, needed = (open_flags & (OPEN_READ | OPEN_EXEC) ? 4 : 0) | (open_flags & OPEN_WRITE ? 2 : 0);

	if (sender->uid == 0)
		return true;
	/* Whose controlling terminal it is has it by way of /dev/tty, whatever its mode. */
	if (s->tty.session != 0 && sender->session == s->tty.session)
		return true;
	if (sender->uid == s->uid)
		mode >>= 6;
	else if (sender->gid == s->gid)
		mode >>= 3;
	return (needed & ~mode & 7) == 0;
}

int64_t tty_serve_chown(struct tty_served *s, const struct sender *sender, const struct file_owner *owner)
{
	if (sender->uid != 0)
		return ERR_PERM;
	if (owner->uid != UINT32_MAX)
		s->uid = owner->uid;
	if (owner->gid != UINT32_MAX)
		s->gid = owner->gid;
	return 0;
}

int64_t tty_serve_chmod(struct tty_served *s, const struct sender *sender, uint32_t mode)
{
	if (sender->uid != 0 && sender->uid != s->uid)
		return ERR_PERM;
	s->mode = mode & MODE_PERMISSIONS;
	return 0;
}

static int64_t chown_open(struct tty_served *s, struct scheme_request *r)
{
	struct file_owner owner;
	err_t err;

	if ((err = scheme_in_struct(r, &owner, sizeof(owner))))
		return err;
	if (r->in_bytes > sizeof(owner))
		return ERR_NOTDIR;
	return tty_serve_chown(s, &r->message->sender, &owner);
}

static int64_t call_file(struct tty_served *s, struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code == FILE_CHOWN)
		return chown_open(s, r);
	if (code == FILE_UTIME)
		return 0;
	/* A terminal is no directory: the only path from it is the empty one. */
	if (r->in_bytes != 0)
		return ERR_NOTDIR;
	switch (code) {
	case FILE_STAT:
		return put_stat(s, r);
	case FILE_CHMOD:
		return tty_serve_chmod(s, &r->message->sender, (uint32_t)word);
	case FILE_PATH:
		return put_name(s, r);
	default:
		return ERR_NOTTY;
	}
}

int64_t tty_serve_call(struct tty_served *s, struct scheme_request *r, uint32_t code, uint64_t word, bool is_master)
{
	const struct sender *sender = &r->message->sender;

	switch (code) {
	case TTY_GET:
		return scheme_out(r, &s->tty.modes, sizeof(s->tty.modes));
	case TTY_GET_SIZE:
		return scheme_out(r, &s->tty.size, sizeof(s->tty.size));
	case TTY_GET_GROUP:
		return get_foreground(s, sender, is_master);
	case TTY_SET_GROUP:
		return set_foreground(s, r, word);
	case TTY_ACQUIRE:
		if (is_master || !was_opened_for(s, r, OPEN_READ))
			return is_master ? ERR_NOTTY : ERR_PERM;
		return serve_acquire(s, sender, word == 1);
	case TTY_RELEASE:
		return release(s, sender);
	case TTY_GET_SESSION:
		return get_session(s, sender, is_master);
	case TTY_PENDING:
		return pending(s, word);
	case TTY_BREAK:
		return 0;
	case TTY_INJECT:
		return inject(s, r);
	case TTY_NAME:
		return put_name(s, r);
	case FILE_STAT: case FILE_CHMOD: case FILE_CHOWN: case FILE_UTIME: case FILE_PATH:
		return call_file(s, r, code, word);
	default:
		return change(s, r, code, word, is_master);
	}
}
