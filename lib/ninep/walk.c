/* lib/ninep/walk.c - from a path to the node or the place it names, and who may do what there.
 *
 * The path still to go lies in place.rest: a symlink's target is put before what follows the link.
 */
#include "lib/ninep/private.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- Permissions ----------------------------------------------------------------------------------------------------- */

bool share_in_group(struct share_job *j, uint32_t gid)
{
	uint32_t group[SHARE_GROUPS_MAX], count;

	if (j->sender.gid == gid)
		return true;
	count = j->groups ? j->groups(j, group) : 0;
	for (uint32_t i = 0; i < count; i++)
		if (group[i] == gid)
			return true;
	return false;
}

err_t share_may(struct share_job *j, const struct ninep_attr *a, unsigned want)
{
	unsigned granted = a->mode;

	if (j->sender.uid == 0)
		return (want & MAY_EXEC) && (a->mode & MODE_TYPE) != MODE_DIRECTORY && !(a->mode & 0111) ? ERR_ACCES : OK;
	if (j->sender.uid == a->uid)
		granted >>= 6;
	else if (((granted ^ granted >> 3) & want) && share_in_group(j, a->gid))
		granted >>= 3;
	return want & ~granted ? ERR_ACCES : OK;
}

/* The same of a fid. Who may anything needs not ask. */
static err_t may_at(struct share_job *j, uint32_t fid, unsigned want, struct ninep_attr *a)
{
	*a = (struct ninep_attr){ 0 };
	if (j->sender.uid == 0)
		return OK;
	TRY(ninep_getattr(&j->share->ninep, fid, a));
	return share_may(j, a, want);
}

err_t share_may_add(struct share_job *j, const struct share_place *p)
{
	struct ninep_attr dir;

	return may_at(j, p->dir, MAY_WRITE | MAY_EXEC, &dir);
}

err_t share_may_remove(struct share_job *j, const struct share_place *p)
{
	struct ninep_attr dir, node;

	TRY(may_at(j, p->dir, MAY_WRITE | MAY_EXEC, &dir));
	if (!(dir.mode & MODE_STICKY) || share_is_owner(j, &dir))
		return OK;
	TRY(ninep_getattr(&j->share->ninep, p->fid, &node));
	return share_is_owner(j, &node) ? OK : ERR_PERM;
}

void share_give_to_sender(struct share_job *j, uint32_t fid)
{
	struct ninep_change c = { .valid = NINEP_SET_UID | NINEP_SET_GID, .uid = j->sender.uid, .gid = j->sender.gid };

	if (j->sender.uid != 0)
		(void)!ninep_setattr(&j->share->ninep, fid, &c);
}

/* ---- Places ---------------------------------------------------------------------------------------------------------- */

static void fid_drop(struct share_place *p)
{
	if (p->fid_is_ours)
		ninep_clunk(&p->job->share->ninep, p->fid);
	p->fid = NINEP_NO_FID;
	p->fid_is_ours = false;
}

static void dir_drop(struct share_place *p)
{
	if (p->dir_is_ours)
		ninep_clunk(&p->job->share->ninep, p->dir);
	p->dir = NINEP_NO_FID;
	p->dir_is_ours = false;
}

void share_place_end(struct share_place *p)
{
	fid_drop(p);
	dir_drop(p);
}

/* The node becomes the directory of what is looked for. */
static void into(struct share_place *p)
{
	dir_drop(p);
	p->dir = p->fid;
	p->dir_is_ours = p->fid_is_ours;
	p->fid = NINEP_NO_FID;
	p->fid_is_ours = false;
}

/* And back, when its name was a link. */
static void out_of(struct share_place *p)
{
	fid_drop(p);
	p->fid = p->dir;
	p->fid_is_ours = p->dir_is_ours;
	p->dir = NINEP_NO_FID;
	p->dir_is_ours = false;
	p->qid.kind = NINEP_KIND_DIRECTORY;
}

/* ---- The path -------------------------------------------------------------------------------------------------------- */

static void skip_slashes(struct share_place *p)
{
	while (p->rest_at < p->rest_bytes && p->rest[p->rest_at] == '/')
		p->rest_at++;
}

static enum share_last kind_of(const char *name, size_t bytes)
{
	if (bytes == 1 && name[0] == '.')
		return LAST_DOT;
	return bytes == 2 && name[0] == '.' && name[1] == '.' ? LAST_DOTDOT : LAST_NAME;
}

/* Takes the next name off the path. False: there is none. */
static bool next_name(struct share_place *p, size_t *start, size_t *bytes)
{
	skip_slashes(p);
	*start = p->rest_at;
	while (p->rest_at < p->rest_bytes && p->rest[p->rest_at] != '/')
		p->rest_at++;
	*bytes = p->rest_at - *start;
	return *bytes > 0;
}

static bool is_last(struct share_place *p)
{
	size_t at = p->rest_at;

	while (at < p->rest_bytes && p->rest[at] == '/')
		at++;
	p->slash = at > p->rest_at;
	return at == p->rest_bytes;
}

static err_t path_add(struct share_place *p)
{
	size_t slash = p->path_bytes > 0;

	if (!range_fits(p->path_bytes, slash + p->name_bytes, SHARE_PATH_MAX))
		return ERR_NAMETOOLONG;
	if (slash)
		p->path[p->path_bytes] = '/';
	memcpy(p->path + p->path_bytes + slash, p->name, p->name_bytes);
	p->path_bytes += slash + p->name_bytes;
	return OK;
}

static void path_cut(struct share_place *p)
{
	while (p->path_bytes > 0 && p->path[--p->path_bytes] != '/')
		;
}

/* What is still to go begins at the guest's root. */
static err_t leads_out(struct share_place *p, size_t from)
{
	size_t bytes = p->rest_bytes - from, slash = bytes == 0 || p->rest[from] != '/';

	if (!range_fits(slash, bytes, REST_MAX))
		return ERR_NAMETOOLONG;
	memmove(p->rest + slash, p->rest + from, bytes);
	p->rest[0] = '/';
	p->rest_bytes = slash + bytes;
	return ERR_XDEV;
}

/* ---- Steps ----------------------------------------------------------------------------------------------------------- */

static err_t step_up(struct share_place *p)
{
	static const struct ninep_name up = { "..", 2 };
	uint32_t fid;

	if (p->path_bytes == 0)
		return leads_out(p, p->rest_at);
	TRY(ninep_walk(&p->job->share->ninep, p->fid, &up, &fid, &p->qid));
	fid_drop(p);
	p->fid = fid;
	p->fid_is_ours = true;
	path_cut(p);
	return OK;
}

/* NOENT when it was the last name: that is no error. */
static err_t step_down(struct share_place *p, bool last)
{
	struct ninep_name name = { p->name, p->name_bytes };

	into(p);
	err_t err = ninep_walk(&p->job->share->ninep, p->dir, &name, &p->fid, &p->qid);
	p->fid_is_ours = err == OK;
	if (err && !(err == ERR_NOENT && last))
		return err;
	return path_add(p);
}

static bool must_follow(const struct share_place *p, bool last, unsigned flags)
{
	if (p->fid == NINEP_NO_FID || !(p->qid.kind & NINEP_KIND_SYMLINK))
		return false;
	return !last || (!(flags & WALK_RAW) && (!(flags & WALK_NOFOLLOW) || p->slash));
}

/* The link's target and what follows it are what is still to go. */
static err_t follow(struct share_place *p)
{
	char target[NINEP_TARGET_MAX];
	size_t bytes, after = p->rest_bytes - p->rest_at;

	if (++p->links > SYMLINKS_MAX)
		return ERR_LOOP;
	TRY(ninep_readlink(&p->job->share->ninep, p->fid, target, &bytes));
	if (!range_fits(bytes, after, REST_MAX))
		return ERR_NAMETOOLONG;
	memmove(p->rest + bytes, p->rest + p->rest_at, after);
	memcpy(p->rest, target, bytes);
	p->rest_at = 0;
	p->rest_bytes = bytes + after;
	if (target[0] == '/')
		return leads_out(p, 0);
	out_of(p);
	path_cut(p);
	p->last = LAST_ROOT;
	return OK;
}

/* May the next name be looked up here? */
static err_t may_search(struct share_place *p, size_t name_bytes)
{
	struct ninep_attr here;

	if (!share_place_is_dir(p))
		return ERR_NOTDIR;
	if (name_bytes > NINEP_NAME_MAX)
		return ERR_NAMETOOLONG;
	return may_at(p->job, p->fid, MAY_EXEC, &here);
}

static err_t walk_rest(struct share_place *p, unsigned flags)
{
	size_t start, bytes;

	while (next_name(p, &start, &bytes)) {
		TRY(may_search(p, bytes));
		p->last = kind_of(p->rest + start, bytes);
		memcpy(p->name, p->rest + start, bytes);
		p->name_bytes = bytes;
		bool last = is_last(p);
		if (last && p->slash && p->last == LAST_NAME && (flags & WALK_CREATE))
			return ERR_ISDIR;
		if (p->last == LAST_DOTDOT)
			TRY(step_up(p));
		else if (p->last == LAST_NAME)
			TRY(step_down(p, last));
		if (must_follow(p, last, flags))
			TRY(follow(p));
		else if (last)
			break;
	}
	return p->fid != NINEP_NO_FID && p->slash && !share_place_is_dir(p) && !(flags & WALK_RAW) ? ERR_NOTDIR : OK;
}

static err_t walk_start(struct share_place *p, const struct share_where *w)
{
	struct share_open *at = w->bytes > 0 && w->path[0] == '/' ? NULL : w->at;

	if (w->bytes > SHARE_PATH_MAX)
		return ERR_NAMETOOLONG;
	if (w->bytes > 0 && memchr(w->path, 0, w->bytes))
		return ERR_INVAL;
	p->last = w->bytes == 0 && w->at && w->at->path_bytes > 0 ? LAST_SELF : LAST_ROOT;
	memcpy(p->rest, w->path, w->bytes);
	p->rest_bytes = w->bytes;
	p->fid = NINEP_FID_ROOT;
	p->qid.kind = NINEP_KIND_DIRECTORY;
	if (!at)
		return OK;
	TRY(share_open_fid(p->job, at, &p->fid));
	p->qid = (struct ninep_qid){ .kind = at->kind, .path = at->node };
	if (at->path_bytes > 0)
		memcpy(p->path, at->path, at->path_bytes);
	p->path_bytes = at->path_bytes;
	return OK;
}

err_t share_walk(struct share_job *j, const struct share_where *w, unsigned flags, struct share_place *p)
{
	p->job = j;
	p->fid = p->dir = NINEP_NO_FID;
	p->fid_is_ours = p->dir_is_ours = p->slash = false;
	p->links = 0;
	p->name_bytes = p->path_bytes = p->rest_at = p->rest_bytes = 0;
	p->qid = (struct ninep_qid){ 0 };
	err_t err = walk_start(p, w);
	if (!err)
		err = walk_rest(p, flags);
	if (err)
		share_place_end(p);
	return err;
}

err_t share_walk_at(struct share_job *j, const struct share_where *w, uint64_t at_flags, struct share_place *p)
{
	TRY(share_walk(j, w, at_flags & AT_NOFOLLOW ? WALK_NOFOLLOW : WALK_FOLLOW, p));
	if (p->fid != NINEP_NO_FID)
		return OK;
	share_place_end(p);
	return ERR_NOENT;
}
