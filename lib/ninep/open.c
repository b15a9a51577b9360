/* lib/ninep/open.c - what clients have open: opening, finding again, listing's fid, following renames. */
#include "lib/ninep/private.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

void share_init(struct share *s, struct records *records, const char *mount)
{
	list_init(&s->opens);
	s->records = records;
	string_copy(s->mount, mount, sizeof(s->mount));
	records_start(records);
}

void share_change(struct share_job *j)
{
	if (!j->change)
		j->change = record_change_begin(j->share->records, &j->sender, j->hash, &j->is_repeated);
}

void share_job_end(struct share_job *j)
{
	record_change_end(j->change);
	j->change = NULL;
}

/* ---- Opens ------------------------------------------------------------------------------------------------------------ */

static bool path_set(struct share_open *o, const char *path, size_t bytes)
{
	char *copy = heap_alloc(bytes + 1);

	if (!copy)
		return false;
	memcpy(copy, path, bytes);
	if (o->path)
		heap_free(o->path, o->path_bytes + 1);
	o->path = copy;
	o->path_bytes = bytes;
	return true;
}

static struct share_open *open_create(struct share *s, const char *path, size_t path_bytes)
{
	struct share_open *o = heap_new(struct share_open);

	if (!o)
		return NULL;
	*o = (struct share_open){ .refs = 1, .fid = NINEP_NO_FID, .list_fid = NINEP_NO_FID, .record = RECORD_NONE };
	if (!path_set(o, path, path_bytes)) {
		heap_delete(o);
		return NULL;
	}
	list_init(&o->closing);
	list_push_back(&s->opens, &o->link);
	return o;
}

void share_open_put(struct share *s, struct share_open *o)
{
	if (!o || --o->refs > 0)
		return;
	ninep_clunk(&s->ninep, o->fid);
	ninep_clunk(&s->ninep, o->list_fid);
	list_remove(&o->link);
	heap_free(o->path, o->path_bytes + 1);
	heap_delete(o);
}

void share_open_close(struct share *s, struct share_open *o)
{
	record_remove(s->records, o->record);
	o->record = RECORD_NONE;
	share_open_put(s, o);
}

err_t share_open_revive(struct share *s, uint64_t id, struct share_open **out)
{
	uint32_t record;

	TRY(record_find(s->records, id, &record));
	const struct record *kept = &s->records->open[record];
	struct share_open *o = open_create(s, kept->path, MIN_OF(kept->path_bytes, (uint32_t)RECORD_PATH_MAX));
	if (!o)
		return ERR_NOMEM;
	o->open_flags = kept->open_flags;
	o->node = kept->node;
	o->kind = kept->kind;
	o->record = record;
	*out = o;
	return OK;
}

static uint32_t host_flags(uint32_t open_flags)
{
	uint32_t flags = !(open_flags & OPEN_WRITE) ? NINEP_OPEN_READ : open_flags & (OPEN_READ | OPEN_EXEC) ? NINEP_OPEN_BOTH : NINEP_OPEN_WRITE;

	return flags | (open_flags & OPEN_TRUNCATE ? NINEP_OPEN_TRUNCATE : 0) | (open_flags & OPEN_SYNC ? NINEP_OPEN_SYNC_DATA : 0) |
	       (open_flags & OPEN_APPEND ? NINEP_OPEN_APPEND : 0);
}

/* Is it open on the host, or only named there? */
static bool is_opened(uint32_t open_flags, uint8_t kind)
{
	return !(open_flags & OPEN_PATH) && !(kind & (NINEP_KIND_DIRECTORY | NINEP_KIND_SYMLINK));
}

/* By its path from the root, as the instance that opened it knew it. */
static err_t find_again(struct share_job *j, struct share_open *o, uint32_t *out)
{
	struct share_where w = { NULL, o->path, o->path_bytes };
	struct ninep *n = &j->share->ninep;
	struct share_job as_root = { .share = j->share };
	struct share_place p;
	struct ninep_qid qid;
	uint32_t fid;

	TRY(share_walk_at(&as_root, &w, AT_NOFOLLOW, &p));
	err_t err = p.qid.path == o->node ? ninep_walk(n, p.fid, NULL, &fid, &qid) : ERR_CONNRESET;
	share_place_end(&p);
	TRY(err);
	if (is_opened(o->open_flags, o->kind) && (err = ninep_lopen(n, fid, host_flags(o->open_flags & ~(uint32_t)OPEN_TRUNCATE), &qid))) {
		ninep_clunk(n, fid);
		return err;
	}
	*out = fid;
	return OK;
}

err_t share_open_fid(struct share_job *j, struct share_open *o, uint32_t *out)
{
	uint32_t fid;

	if (o->fid == NINEP_NO_FID && o->path_bytes == 0)
		o->fid = NINEP_FID_ROOT;
	if (o->fid == NINEP_NO_FID) {
		err_t err = find_again(j, o, &fid);
		if (err)
			return err == ERR_INTR || err == ERR_NOMEM || err == ERR_NFILE ? err : ERR_CONNRESET;
		/* Another job may have been quicker. */
		if (o->fid == NINEP_NO_FID)
			o->fid = fid;
		else
			ninep_clunk(&j->share->ninep, fid);
	}
	*out = o->fid;
	return OK;
}

err_t share_open_list_fid(struct share_job *j, struct share_open *o, uint32_t *out)
{
	struct ninep *n = &j->share->ninep;
	struct ninep_qid qid;
	uint32_t fid, list;

	if (o->list_fid == NINEP_NO_FID) {
		TRY(share_open_fid(j, o, &fid));
		TRY(ninep_walk(n, fid, NULL, &list, &qid));
		err_t err = ninep_lopen(n, list, NINEP_OPEN_READ | NINEP_OPEN_DIRECTORY, &qid);
		if (err || o->list_fid != NINEP_NO_FID)
			ninep_clunk(n, list);
		else
			o->list_fid = list;
		TRY(err);
	}
	*out = o->list_fid;
	return OK;
}

/* ---- Names change ------------------------------------------------------------------------------------------------------ */

static bool is_at_or_below(const struct share_open *o, const struct share_place *p)
{
	return o->path_bytes >= p->path_bytes && memcmp(o->path, p->path, p->path_bytes) == 0 &&
	       (o->path_bytes == p->path_bytes || o->path[p->path_bytes] == '/');
}

static void open_lost(struct share *s, struct share_open *o)
{
	o->is_removed = true;
	record_remove(s->records, o->record);
	o->record = RECORD_NONE;
}

static void open_move(struct share *s, struct share_open *o, const struct share_place *old, const struct share_place *new)
{
	char path[SHARE_PATH_MAX];
	size_t below = o->path_bytes - old->path_bytes;

	memcpy(path, new->path, new->path_bytes);
	if (!range_fits(new->path_bytes, below, sizeof(path))) {
		open_lost(s, o);
		return;
	}
	memcpy(path + new->path_bytes, o->path + old->path_bytes, below);
	if (!path_set(o, path, new->path_bytes + below))
		open_lost(s, o);
	else
		o->record = record_moved(s->records, o->record, o->path, o->path_bytes);
}

void share_opens_remove(struct share *s, const struct share_place *p)
{
	struct share_open *o;

	list_each(o, &s->opens, link)
		if (is_at_or_below(o, p))
			open_lost(s, o);
}

/* Also of those that an instance before us opened and nobody has used since. */
static void records_move(struct share *s, const struct share_place *old, const struct share_place *new)
{
	char path[RECORD_PATH_MAX];

	for (uint32_t i = 0; i < RECORDS_MAX; i++) {
		struct record *k = &s->records->open[i];
		size_t bytes = MIN_OF(k->path_bytes, (uint32_t)RECORD_PATH_MAX), below = bytes - MIN_OF(old->path_bytes, bytes);
		if (k->id == 0 || bytes < old->path_bytes || memcmp(k->path, old->path, old->path_bytes) || (below && k->path[old->path_bytes] != '/') ||
		    new->path_bytes + below > RECORD_PATH_MAX)
			continue;
		memcpy(path, new->path, new->path_bytes);
		memcpy(path + new->path_bytes, k->path + old->path_bytes, below);
		(void)!record_moved(s->records, i, path, new->path_bytes + below);
	}
}

void share_opens_move(struct share *s, const struct share_place *old, const struct share_place *new)
{
	struct share_open *o;

	share_opens_remove(s, new);
	records_move(s, old, new);
	list_each(o, &s->opens, link)
		if (!o->is_removed && is_at_or_below(o, old))
			open_move(s, o, old, new);
}

/* ---- OPEN --------------------------------------------------------------------------------------------------------------- */

static unsigned wanted_access(uint32_t flags)
{
	return (flags & OPEN_READ ? MAY_READ : 0) | (flags & (OPEN_WRITE | OPEN_TRUNCATE) ? MAY_WRITE : 0) | (flags & OPEN_EXEC ? MAY_EXEC : 0);
}

/* Devices on the host's disk are not the guest's: they are not opened. */
static err_t check_existing(struct share_job *j, const struct ninep_attr *a, uint32_t flags)
{
	uint32_t type = a->mode & MODE_TYPE;

	if ((flags & OPEN_DIRECTORY) && type != MODE_DIRECTORY)
		return ERR_NOTDIR;
	if (flags & OPEN_PATH)
		return OK;
	if (type == MODE_SYMLINK)
		return ERR_LOOP;
	if (type == MODE_DIRECTORY && (flags & (OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE)))
		return ERR_ISDIR;
	TRY(share_may(j, a, wanted_access(flags)));
	if (type == MODE_CHARACTER || type == MODE_BLOCK)
		return ERR_ACCES;
	return type == MODE_FILE || type == MODE_DIRECTORY ? OK : ERR_NXIO;
}

/* fid becomes *out's, or goes. */
static err_t open_finish(struct share_job *j, const struct share_place *p, uint32_t fid, const struct ninep_qid *qid, uint32_t flags, struct share_open **out)
{
	struct share_open *o = open_create(j->share, p->path, p->path_bytes);

	if (!o) {
		ninep_clunk(&j->share->ninep, fid);
		return ERR_NOMEM;
	}
	o->fid = fid;
	o->open_flags = flags;
	o->kind = qid->kind;
	o->node = qid->path;
	o->record = record_add(j->share->records, flags, o->node, o->kind, o->path, o->path_bytes);
	*out = o;
	return OK;
}

static err_t open_existing(struct share_job *j, struct share_place *p, uint32_t flags, struct share_open **out)
{
	struct ninep *n = &j->share->ninep;
	struct ninep_qid qid, opened;
	struct ninep_attr a;
	uint32_t fid;
	err_t err;

	TRY(ninep_getattr(n, p->fid, &a));
	TRY(check_existing(j, &a, flags));
	TRY(ninep_walk(n, p->fid, NULL, &fid, &qid));
	if (is_opened(flags, a.qid.kind) && (err = ninep_lopen(n, fid, host_flags(flags), &opened))) {
		ninep_clunk(n, fid);
		return err;
	}
	return open_finish(j, p, fid, &a.qid, flags, out);
}

/* EXIST: somebody was quicker. */
static err_t open_new(struct share_job *j, struct share_place *p, uint32_t flags, uint32_t mode, struct share_open **out)
{
	struct ninep *n = &j->share->ninep;
	struct ninep_qid qid;
	uint32_t fid;

	TRY(share_may_add(j, p));
	TRY(ninep_walk(n, p->dir, NULL, &fid, &qid));
	err_t err = ninep_lcreate(n, fid, share_place_name(p), host_flags(flags & ~(uint32_t)OPEN_TRUNCATE) | NINEP_OPEN_EXCLUSIVE,
	                          mode & MODE_PERMISSIONS, j->sender.gid, &qid);
	if (err) {
		ninep_clunk(n, fid);
		return err;
	}
	share_give_to_sender(j, fid);
	return open_finish(j, p, fid, &qid, flags, out);
}

/* How the walk is to treat the last name. */
static unsigned walk_flags_of(uint32_t flags)
{
	unsigned create = flags & OPEN_CREATE ? WALK_CREATE : 0;

	if ((flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE))
		return create | WALK_RAW;
	return create | (flags & OPEN_NOFOLLOW ? WALK_NOFOLLOW : WALK_FOLLOW);
}

/* AGAIN: it came to be meanwhile. */
static err_t open_once(struct share_job *j, const struct share_where *w, uint32_t flags, uint32_t mode, struct share_open **out)
{
	bool is_exclusive = (flags & OPEN_CREATE) && (flags & OPEN_EXCLUSIVE) && !j->is_repeated;
	struct share_place p;
	err_t err;

	TRY(share_walk(j, w, walk_flags_of(flags), &p));
	if (p.fid == NINEP_NO_FID) {
		err = flags & OPEN_CREATE ? open_new(j, &p, flags, mode, out) : ERR_NOENT;
		if (err == ERR_EXIST && !is_exclusive)
			err = ERR_AGAIN;
	} else {
		err = is_exclusive ? ERR_EXIST : open_existing(j, &p, flags, out);
	}
	share_place_end(&p);
	return err;
}

/* How paths are sent to the share: nothing need be asked for it. */
static err_t open_root(struct share_job *j, struct share_open **out)
{
	struct share_open *o = open_create(j->share, "", 0);

	if (!o)
		return ERR_NOMEM;
	o->open_flags = OPEN_PATH;
	o->kind = NINEP_KIND_DIRECTORY;
	o->record = record_add(j->share->records, OPEN_PATH, 0, o->kind, "", 0);
	*out = o;
	return OK;
}

err_t share_open_path(struct share_job *j, struct share_open *at, const char *path, size_t bytes, uint32_t flags, uint32_t mode, struct share_open **out)
{
	struct share_where w = { at, path, bytes };

	if (flags & OPEN_PATH)
		flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NOFOLLOW;
	if (!at && bytes == 0 && (flags & OPEN_PATH))
		return open_root(j, out);
	if (flags & OPEN_UNNAMED)
		return ERR_OPNOTSUPP;
	if ((flags & OPEN_CREATE) && (flags & OPEN_DIRECTORY))
		return ERR_INVAL;
	if (flags & OPEN_CREATE)
		share_change(j);
	err_t err = open_once(j, &w, flags, mode, out);
	return err == ERR_AGAIN ? open_once(j, &w, flags, mode, out) : err;
}
