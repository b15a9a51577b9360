/* lib/ninep/change.c - making, moving and removing names. The order of the checks is Linux's, as in fs/ramfs. */
#include "lib/ninep/change.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- Making ---------------------------------------------------------------------------------------------------------- */

/* Where a new name is to be: the place is to be ended on OK. */
static err_t walk_new(struct share_job *j, const struct share_where *w, bool is_directory, struct share_place *p)
{
	TRY(share_walk(j, w, WALK_RAW, p));
	err_t err = p->fid != NINEP_NO_FID && p->last != LAST_SELF && !j->is_repeated ? ERR_EXIST : p->slash && !is_directory ? ERR_NOENT : p->last == LAST_NAME ? OK : p->last == LAST_SELF ? ERR_NOENT : ERR_EXIST;
	if (!err)
		err = share_may_add(j, p);
	if (err)
		share_place_end(p);
	return err;
}

/* What was made belongs to the sender. */
static void made(struct share_job *j, const struct share_place *p)
{
	struct ninep_name name = share_place_name(p);
	struct ninep_qid qid;
	uint32_t fid;

	if (j->sender.uid == 0 || ninep_walk(&j->share->ninep, p->dir, &name, &fid, &qid))
		return;
	share_give_to_sender(j, fid);
	ninep_clunk(&j->share->ninep, fid);
}

static int64_t make_end(struct share_job *j, struct share_place *p, err_t err)
{
	err = share_done_before(j, err, ERR_EXIST);
	if (!err)
		made(j, p);
	share_place_end(p);
	return err;
}

static int64_t call_mkdir(struct share_job *j, const struct share_where *w, uint32_t mode)
{
	struct share_place p;

	share_change(j);
	TRY(walk_new(j, w, true, &p));
	return make_end(j, &p, ninep_mkdir(&j->share->ninep, p.dir, share_place_name(&p), mode & (0777 | MODE_STICKY), j->sender.gid));
}

static err_t make_file(struct share_job *j, struct share_place *p, uint32_t mode)
{
	struct ninep *n = &j->share->ninep;
	struct ninep_qid qid;
	uint32_t fid;

	TRY(ninep_walk(n, p->dir, NULL, &fid, &qid));
	err_t err = ninep_lcreate(n, fid, share_place_name(p), NINEP_OPEN_WRITE | NINEP_OPEN_EXCLUSIVE, mode, j->sender.gid, &qid);
	ninep_clunk(n, fid);
	return err;
}

/* Special files would be the host's: a FIFO's other end, or a device. */
static int64_t call_mknod(struct share_job *j, const struct share_where *w, uint32_t mode)
{
	struct share_place p;

	if ((mode & MODE_TYPE) != MODE_FILE && (mode & MODE_TYPE) != 0)
		return ERR_PERM;
	share_change(j);
	TRY(walk_new(j, w, false, &p));
	return make_end(j, &p, make_file(j, &p, mode & MODE_PERMISSIONS));
}

/* Two strings with a 0 between them; the second is relative to the passed handle, if any. */
static err_t split(const struct share_call *c, struct share_where *first, struct share_where *second)
{
	const char *zero = c->in_bytes ? memchr(c->in, 0, c->in_bytes) : NULL;

	if (!zero)
		return ERR_INVAL;
	size_t bytes = (size_t)(zero - c->in);
	*first = (struct share_where){ c->open, c->in, bytes };
	*second = (struct share_where){ c->has_other ? c->other : c->open, zero + 1, c->in_bytes - bytes - 1 };
	return c->has_other && !c->other ? ERR_XDEV : OK;
}

static int64_t call_symlink(struct share_job *j, struct share_call *c)
{
	struct share_where target, w;
	struct share_place p;

	TRY(split(c, &target, &w));
	if (target.bytes == 0)
		return ERR_NOENT;
	if (target.bytes > NINEP_TARGET_MAX)
		return ERR_NAMETOOLONG;
	share_change(j);
	TRY(walk_new(j, &w, false, &p));
	struct ninep_name to = { target.path, target.bytes };
	return make_end(j, &p, ninep_symlink(&j->share->ninep, p.dir, share_place_name(&p), to, j->sender.gid));
}

/* As fs/ramfs: who could not copy it does not get another name for it. */
static err_t may_link(struct share_job *j, const struct ninep_attr *a)
{
	if ((a->mode & MODE_TYPE) == MODE_DIRECTORY)
		return ERR_PERM;
	if (share_is_owner(j, a))
		return OK;
	if ((a->mode & MODE_TYPE) != MODE_FILE || (a->mode & MODE_SETUID) || (a->mode & (MODE_SETGID | 010)) == (MODE_SETGID | 010))
		return ERR_PERM;
	return share_may(j, a, MAY_READ | MAY_WRITE) ? ERR_PERM : OK;
}

static int64_t link_to(struct share_job *j, const struct share_where *w, const struct share_place *from)
{
	struct ninep_attr a;
	struct share_place p;

	TRY(walk_new(j, w, false, &p));
	err_t err = ninep_getattr(&j->share->ninep, from->fid, &a);
	if (!err)
		err = may_link(j, &a);
	if (!err)
		err = share_done_before(j, ninep_link(&j->share->ninep, p.dir, from->fid, share_place_name(&p)), ERR_EXIST);
	share_place_end(&p);
	return err;
}

static int64_t call_link(struct share_job *j, struct share_call *c)
{
	struct share_where old, new;
	struct share_place from;

	TRY(split(c, &old, &new));
	share_change(j);
	TRY(share_walk_at(j, &old, c->word, &from));
	int64_t result = link_to(j, &new, &from);
	share_place_end(&from);
	return result;
}

/* ---- Removing -------------------------------------------------------------------------------------------------------- */

/* The errors of the names that are no names. */
static err_t check_last(const struct share_place *p, bool want_dir)
{
	if (p->last == LAST_NAME)
		return OK;
	if (!want_dir)
		return p->last == LAST_SELF ? ERR_NOENT : ERR_ISDIR;
	return p->last == LAST_DOT ? ERR_INVAL : p->last == LAST_DOTDOT ? ERR_NOTEMPTY : p->last == LAST_ROOT ? ERR_BUSY : ERR_NOENT;
}

static err_t unlink_at(struct share_job *j, struct share_place *p, bool want_dir)
{
	TRY(check_last(p, want_dir));
	if (p->fid == NINEP_NO_FID)
		return ERR_NOENT;
	bool is_dir = share_place_is_dir(p);
	if (!want_dir && p->slash)
		return is_dir ? ERR_ISDIR : ERR_NOTDIR;
	TRY(share_may_remove(j, p));
	if (is_dir != want_dir)
		return is_dir ? ERR_ISDIR : ERR_NOTDIR;
	TRY(ninep_unlinkat(&j->share->ninep, p->dir, share_place_name(p), want_dir));
	share_opens_remove(j->share, p);
	return OK;
}

static int64_t call_unlink(struct share_job *j, const struct share_where *w, uint64_t at_flags)
{
	struct share_place p;

	share_change(j);
	TRY(share_walk(j, w, WALK_RAW, &p));
	err_t err = share_done_before(j, unlink_at(j, &p, at_flags & AT_DIRECTORY), ERR_NOENT);
	share_place_end(&p);
	return err;
}

/* By the path it was opened with, if that still is it. */
static int64_t call_unlink_self(struct share_job *j, struct share_call *c)
{
	struct share_where w = { NULL, c->open->path, c->open->path_bytes };
	struct share_place p;

	if (c->open->is_removed)
		return ERR_NOENT;
	TRY(share_walk(j, &w, WALK_RAW, &p));
	err_t err = p.fid == NINEP_NO_FID || p.qid.path != c->open->node ? ERR_NOENT : unlink_at(j, &p, share_place_is_dir(&p));
	share_place_end(&p);
	return err;
}

/* ---- Moving ---------------------------------------------------------------------------------------------------------- */

static err_t check_places(const struct share_place *old, const struct share_place *new, uint64_t flags)
{
	if (old->last != LAST_NAME)
		return old->last == LAST_SELF ? ERR_NOENT : ERR_BUSY;
	if (new->last != LAST_NAME)
		return new->last == LAST_SELF ? ERR_NOENT : flags & AT_NOREPLACE ? ERR_EXIST : ERR_BUSY;
	if (old->fid == NINEP_NO_FID)
		return ERR_NOENT;
	if ((flags & AT_NOREPLACE) && new->fid != NINEP_NO_FID)
		return ERR_EXIST;
	if ((old->slash || new->slash) && !share_place_is_dir(old))
		return ERR_NOTDIR;
	return OK;
}

static bool is_within(const struct share_place *p, const struct share_place *top)
{
	return p->path_bytes > top->path_bytes && memcmp(p->path, top->path, top->path_bytes) == 0 && p->path[top->path_bytes] == '/';
}

/* The host checks the same, but says it in its own order. */
static err_t check_kinds(const struct share_place *old, const struct share_place *new)
{
	if (share_place_is_dir(old) && is_within(new, old))
		return ERR_INVAL;
	if (new->fid == NINEP_NO_FID)
		return OK;
	if (share_place_is_dir(new) && is_within(old, new))
		return ERR_NOTEMPTY;
	if (share_place_is_dir(old) == share_place_is_dir(new))
		return OK;
	return share_place_is_dir(old) ? ERR_NOTDIR : ERR_ISDIR;
}

/* A directory that gets another parent is itself changed (its ".."). */
static err_t check_move(struct share_job *j, const struct share_place *p)
{
	struct ninep_attr a;

	if (j->sender.uid == 0 || !share_place_is_dir(p))
		return OK;
	TRY(ninep_getattr(&j->share->ninep, p->fid, &a));
	return share_may(j, &a, MAY_WRITE);
}

static err_t rename_at(struct share_job *j, struct share_place *old, struct share_place *new, uint64_t flags)
{
	TRY(check_places(old, new, flags));
	if (new->fid != NINEP_NO_FID && new->qid.path == old->qid.path && !share_place_is_dir(old))
		return OK;              /* two names of the same: nothing happens */
	TRY(check_kinds(old, new));
	TRY(share_may_remove(j, old));
	TRY(new->fid == NINEP_NO_FID ? share_may_add(j, new) : share_may_remove(j, new));
	TRY(check_move(j, old));
	TRY(ninep_renameat(&j->share->ninep, old->dir, share_place_name(old), new->dir, share_place_name(new)));
	share_opens_move(j->share, old, new);
	return OK;
}

static int64_t call_rename(struct share_job *j, struct share_call *c)
{
	struct share_where from, to;
	struct share_place old, new;

	TRY(split(c, &from, &to));
	if (c->word & AT_EXCHANGE)
		return ERR_INVAL;       /* 9P has no such thing */
	share_change(j);
	TRY(share_walk(j, &from, WALK_RAW, &old));
	err_t err = share_walk(j, &to, WALK_RAW, &new);
	if (!err) {
		err = rename_at(j, &old, &new, c->word);
		if (err == ERR_NOENT && j->is_repeated && old.fid == NINEP_NO_FID && new.fid != NINEP_NO_FID) {
			share_opens_move(j->share, &old, &new);
			err = OK;
		}
		share_place_end(&new);
	}
	share_place_end(&old);
	return err;
}

int64_t share_call_names(struct share_job *j, struct share_call *c)
{
	struct share_where w = { c->open, c->in, c->in_bytes };

	switch (c->code) {
	case FILE_MKDIR:
		return call_mkdir(j, &w, (uint32_t)c->word);
	case FILE_MKNOD:
		return call_mknod(j, &w, (uint32_t)c->word);
	case FILE_SYMLINK:
		return call_symlink(j, c);
	case FILE_LINK:
		return call_link(j, c);
	case FILE_UNLINK:
		return call_unlink(j, &w, c->word);
	case FILE_UNLINK_SELF:
		return call_unlink_self(j, c);
	case FILE_RENAME:
		return call_rename(j, c);
	default:
		return ERR_NOTTY;
	}
}
