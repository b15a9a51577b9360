/* lib/ninep/call.c - the file protocol: attributes, lists and what concerns no names. */
#include "lib/ninep/change.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

#define SHARE_DEVICE 0x9000ull          /* st_dev of everything here */

static struct share_where where_of(const struct share_call *c, size_t skip)
{
	return (struct share_where){ c->open, c->in + skip, c->in_bytes - skip };
}

static err_t take_in(const struct share_call *c, void *to, size_t bytes)
{
	if (c->in_bytes < bytes)
		return ERR_INVAL;
	memcpy(to, c->in, bytes);
	return OK;
}

static err_t put_out(struct share_call *c, const void *from, size_t bytes)
{
	if (c->out_room < bytes)
		return ERR_INVAL;
	memcpy(c->out, from, bytes);
	c->out_bytes = bytes;
	return OK;
}

/* ---- What a node is ---------------------------------------------------------------------------------------------------- */

/* Linux's packed device number, as the host has it. */
static uint64_t rdev_of(uint64_t packed)
{
	return (packed >> 8 & 0xfff) << 32 | (packed & 0xff) | (packed >> 12 & 0xfff00);
}

static struct file_stat stat_of(const struct ninep_attr *a)
{
	return (struct file_stat){
		.device = SHARE_DEVICE, .node = a->qid.path, .mode = a->mode, .links = (uint32_t)MIN_OF(a->links, (uint64_t)UINT32_MAX), .uid = a->uid, .gid = a->gid,
		.rdev = rdev_of(a->rdev), .bytes = a->bytes, .blocks = a->blocks, .block_bytes = 128 * 1024,
		.accessed = a->accessed, .modified = a->modified, .changed = a->changed, .born = a->changed,
	};
}

static int64_t call_stat(struct share_job *j, struct share_call *c)
{
	struct share_where w = where_of(c, 0);
	struct ninep_attr a;
	struct share_place p;

	if (c->has_other && !c->other)
		return ERR_XDEV;
	if (c->has_other)
		w.at = c->other;
	TRY(share_walk_at(j, &w, c->word, &p));
	err_t err = ninep_getattr(&j->share->ninep, p.fid, &a);
	share_place_end(&p);
	TRY(err);
	struct file_stat s = stat_of(&a);
	return put_out(c, &s, sizeof(s));
}

static int64_t call_access(struct share_job *j, struct share_call *c)
{
	unsigned want = (c->word & OPEN_READ ? MAY_READ : 0) | (c->word & OPEN_WRITE ? MAY_WRITE : 0) | (c->word & OPEN_EXEC ? MAY_EXEC : 0);
	struct share_where w = where_of(c, 0);
	struct ninep_attr a;
	struct share_place p;

	TRY(share_walk_at(j, &w, c->word >> 32, &p));
	err_t err = ninep_getattr(&j->share->ninep, p.fid, &a);
	share_place_end(&p);
	return err ? err : share_may(j, &a, want);
}

static int64_t call_readlink(struct share_job *j, struct share_call *c)
{
	struct share_where w = where_of(c, 0);
	char target[NINEP_TARGET_MAX];
	struct share_place p;
	size_t bytes = 0;

	TRY(share_walk_at(j, &w, AT_NOFOLLOW, &p));
	err_t err = p.qid.kind & NINEP_KIND_SYMLINK ? ninep_readlink(&j->share->ninep, p.fid, target, &bytes) : ERR_INVAL;
	share_place_end(&p);
	bytes = MIN_OF(bytes, c->out_room);
	TRY(err);
	TRY(put_out(c, target, bytes));
	return (int64_t)bytes;
}

/* The share's place in the guest, then path. */
static int64_t put_path(struct share_job *j, struct share_call *c, const char *path, size_t bytes)
{
	const char *mount = j->share->mount;
	size_t length = strlen(mount), slash = bytes > 0;

	if (length + slash + bytes > c->out_room)
		return ERR_RANGE;
	memcpy(c->out, mount, length);
	if (slash)
		c->out[length] = '/';
	memcpy(c->out + length + slash, path, bytes);
	c->out_bytes = length + slash + bytes;
	return (int64_t)c->out_bytes;
}

static int64_t call_resolve(struct share_job *j, struct share_call *c)
{
	struct share_where w = where_of(c, 0);
	struct share_place p;
	err_t err = share_walk_at(j, &w, c->word, &p);

	if (err == ERR_XDEV) {
		TRY(put_out(c, p.rest, p.rest_bytes));
		return (int64_t)p.rest_bytes;
	}
	TRY(err);
	share_place_end(&p);
	return put_path(j, c, p.path, p.path_bytes);
}

/* ---- Lists -------------------------------------------------------------------------------------------------------------- */

static bool take_entry(void *taker, const struct ninep_entry *e)
{
	struct share_call *c = taker;
	struct file_entry to = {
		.node = e->qid.path, .cookie = e->cookie, .entry_bytes = (uint16_t)round_up(sizeof(to) + e->name_bytes, 8),
		.name_bytes = (uint16_t)e->name_bytes, .mode = (uint32_t)(e->type & 15) << 12,
	};

	if (!range_fits(c->out_bytes, to.entry_bytes, c->out_room))
		return false;
	memset(c->out + c->out_bytes, 0, to.entry_bytes);
	memcpy(c->out + c->out_bytes, &to, sizeof(to));
	memcpy(c->out + c->out_bytes + sizeof(to), e->name, e->name_bytes);
	c->out_bytes += to.entry_bytes;
	return true;
}

/* What the server sends of an entry is at most as long as what we make of it, but for one that does not fit: then nothing comes. */
static int64_t call_list(struct share_job *j, struct share_call *c)
{
	enum { ENTRY_MAX = sizeof(struct file_entry) + NINEP_NAME_MAX + 8 };
	uint32_t fid;

	if (!(c->open->kind & NINEP_KIND_DIRECTORY))
		return ERR_NOTDIR;
	if (c->open->open_flags & OPEN_PATH)
		return ERR_BADF;
	if (c->out_room < ENTRY_MAX)
		return ERR_INVAL;
	TRY(share_open_list_fid(j, c->open, &fid));
	TRY(ninep_readdir(&j->share->ninep, fid, c->word, c->out_room, take_entry, c));
	return (int64_t)c->out_bytes;
}

/* ---- Changing what a node is ---------------------------------------------------------------------------------------------- */

/* Walks to a node, asks the rule what may be changed of it, and has that done. */
static int64_t change(struct share_job *j, const struct share_where *w, uint64_t at_flags, struct ninep_change *change,
                      err_t (*rule)(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c))
{
	struct ninep_attr a;
	struct share_place p;

	TRY(share_walk_at(j, w, at_flags, &p));
	err_t err = ninep_getattr(&j->share->ninep, p.fid, &a);
	if (!err)
		err = rule(j, &a, change);
	if (!err && change->valid)
		err = ninep_setattr(&j->share->ninep, p.fid, change);
	share_place_end(&p);
	return err;
}

static err_t may_chmod(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c)
{
	if ((a->mode & MODE_TYPE) == MODE_SYMLINK)
		return ERR_OPNOTSUPP;
	if (!share_is_owner(j, a))
		return ERR_PERM;
	if (j->sender.uid != 0 && !share_in_group(j, a->gid))
		c->mode &= ~(uint32_t)MODE_SETGID;
	return OK;
}

static int64_t call_chmod(struct share_job *j, struct share_call *c)
{
	struct ninep_change to = { .valid = NINEP_SET_MODE, .mode = (uint32_t)c->word & MODE_PERMISSIONS };
	struct share_where w = where_of(c, 0);

	return change(j, &w, c->word >> 32, &to, may_chmod);
}

static err_t may_chown(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c)
{
	if (j->sender.uid == 0)
		return OK;
	if ((c->valid & NINEP_SET_UID) && (j->sender.uid != a->uid || c->uid != a->uid))
		return ERR_PERM;
	if ((c->valid & NINEP_SET_GID) && (j->sender.uid != a->uid || (c->gid != a->gid && !share_in_group(j, c->gid))))
		return ERR_PERM;
	return OK;
}

static int64_t call_chown(struct share_job *j, struct share_call *c)
{
	struct file_owner owner;

	TRY(take_in(c, &owner, sizeof(owner)));
	struct share_where w = where_of(c, sizeof(owner));
	struct ninep_change to = {
		.valid = (owner.uid != ~0u ? NINEP_SET_UID : 0) | (owner.gid != ~0u ? NINEP_SET_GID : 0), .uid = owner.uid, .gid = owner.gid,
	};
	return change(j, &w, c->word, &to, may_chown);
}

static err_t may_utime(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c)
{
	if (!c->valid || share_is_owner(j, a))
		return OK;
	if (c->valid != (NINEP_SET_ACCESSED | NINEP_SET_MODIFIED))
		return ERR_PERM;
	return share_may(j, a, MAY_WRITE);
}

static err_t time_valid(const struct file_time *t, uint32_t set, uint32_t given, uint32_t *valid)
{
	if (t->nanoseconds == FILE_TIME_OMIT)
		return OK;
	*valid |= set;
	if (t->nanoseconds == FILE_TIME_NOW)
		return OK;
	*valid |= given;
	return t->nanoseconds < 1000000000u ? OK : ERR_INVAL;
}

static int64_t call_utime(struct share_job *j, struct share_call *c)
{
	struct ninep_change to = { 0 };
	struct file_times times;

	TRY(take_in(c, &times, sizeof(times)));
	struct share_where w = where_of(c, sizeof(times));
	TRY(time_valid(&times.accessed, NINEP_SET_ACCESSED, NINEP_SET_ACCESSED_GIVEN, &to.valid));
	TRY(time_valid(&times.modified, NINEP_SET_MODIFIED, NINEP_SET_MODIFIED_GIVEN, &to.valid));
	to.accessed = times.accessed;
	to.modified = times.modified;
	return change(j, &w, c->word, &to, may_utime);
}

static err_t may_truncate(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c)
{
	uint32_t type = a->mode & MODE_TYPE;

	(void)c;
	if (type != MODE_FILE)
		return type == MODE_DIRECTORY ? ERR_ISDIR : ERR_INVAL;
	return share_may(j, a, MAY_WRITE);
}

/* Of an open file its own access counts. */
static err_t may_truncate_open(struct share_job *j, const struct ninep_attr *a, struct ninep_change *c)
{
	(void)j, (void)c;
	return (a->mode & MODE_TYPE) == MODE_FILE ? OK : ERR_INVAL;
}

static int64_t call_truncate(struct share_job *j, struct share_call *c)
{
	struct ninep_change to = { .valid = NINEP_SET_SIZE, .bytes = c->word };
	struct share_where w = where_of(c, 0);

	if (c->word > INT64_MAX)
		return ERR_INVAL;
	if (c->in_bytes == 0 && (c->open->open_flags & OPEN_PATH))
		return ERR_BADF;
	if (c->in_bytes == 0 && !(c->open->open_flags & OPEN_WRITE))
		return ERR_INVAL;
	return change(j, &w, 0, &to, c->in_bytes ? may_truncate : may_truncate_open);
}

/* Growing is all that a host can be asked for. */
static int64_t call_allocate(struct share_job *j, struct share_call *c)
{
	struct ninep_change to = { .valid = NINEP_SET_SIZE };
	struct share_where w = { c->open, "", 0 };
	struct ninep_attr a;
	struct file_range r;

	TRY(take_in(c, &r, sizeof(r)));
	if (!(c->open->open_flags & OPEN_WRITE))
		return ERR_BADF;
	if (r.bytes == 0 || r.offset > INT64_MAX || r.bytes > INT64_MAX - r.offset)
		return ERR_INVAL;
	if (c->word != ALLOCATE_RESERVE)
		return ERR_OPNOTSUPP;
	TRY(share_attributes(j, c->open, &a));
	to.bytes = r.offset + r.bytes;
	return to.bytes > a.bytes ? change(j, &w, 0, &to, may_truncate_open) : OK;
}

/* ---- The rest -------------------------------------------------------------------------------------------------------------- */

static int64_t call_statfs(struct share_job *j, struct share_call *c)
{
	struct file_system s;
	uint32_t fid;

	TRY(share_open_fid(j, c->open, &fid));
	TRY(ninep_statfs(&j->share->ninep, fid, &s));
	return put_out(c, &s, sizeof(s));
}

static int64_t call_sync(struct share_job *j, struct share_call *c)
{
	uint32_t fid;

	if ((c->open->open_flags & OPEN_PATH) || (c->open->kind & (NINEP_KIND_DIRECTORY | NINEP_KIND_SYMLINK)))
		return OK;
	TRY(share_open_fid(j, c->open, &fid));
	return ninep_fsync(&j->share->ninep, fid);
}

int64_t share_call(struct share_job *j, struct share_call *c)
{
	c->out_bytes = 0;
	switch (c->code) {
	case FILE_STAT:
		return call_stat(j, c);
	case FILE_LIST:
		return call_list(j, c);
	case FILE_READLINK:
		return call_readlink(j, c);
	case FILE_CHMOD:
		return call_chmod(j, c);
	case FILE_CHOWN:
		return call_chown(j, c);
	case FILE_UTIME:
		return call_utime(j, c);
	case FILE_TRUNCATE:
		return call_truncate(j, c);
	case FILE_ACCESS:
		return call_access(j, c);
	case FILE_RESOLVE:
		return call_resolve(j, c);
	case FILE_PATH:
		return c->open->is_removed ? ERR_NOENT : put_path(j, c, c->open->path, c->open->path_bytes);
	case FILE_STATFS:
		return call_statfs(j, c);
	case FILE_SYNC:
		return call_sync(j, c);
	case FILE_ALLOCATE:
		return call_allocate(j, c);
	case FILE_LOCK:
		return ERR_NOLCK;
	case FILE_MOUNT:
		return ERR_PERM;
	case FILE_CONNECT:
		return ERR_CONNREFUSED;
	default:
		return share_call_names(j, c);
	}
}
