/* lib/ninep/client.c - requests in 9P's form, and what the server answers. */
#include "lib/ninep/client.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* One request, from its first byte to the end of its answer. */
struct exchange {
	struct ninep *n;
	struct ninep_message *m;
	struct ninep_writer w;
	struct ninep_reader r;
	uint8_t type;
};

static void head_start(struct ninep_writer *w, struct ninep_message *m, uint8_t type, uint16_t tag)
{
	*w = (struct ninep_writer){ .at = m->head, .room = NINEP_HEAD_BYTES };
	ninep_put(w, 0, 4);
	ninep_put(w, type, 1);
	ninep_put(w, tag, 2);
	m->is_payload = false;
	m->payload_bytes = 0;
	m->clunked = NINEP_NO_FID;
}

static void head_end(struct ninep_writer *w, struct ninep_message *m)
{
	struct ninep_writer size = { .at = m->head, .room = 4 };

	ninep_put(&size, w->bytes + m->payload_bytes, 4);
	m->head_used = w->bytes;
}

static err_t begin(struct exchange *x, struct ninep *n, uint8_t type, uint32_t fid)
{
	*x = (struct exchange){ .n = n, .type = type };
	TRY(n->carrier->begin(n->context, &x->m));
	head_start(&x->w, x->m, type, type == NINEP_VERSION ? NINEP_NO_TAG : x->m->tag);
	if (fid != NINEP_NO_FID)
		ninep_put(&x->w, fid, 4);
	return OK;
}

static err_t end(struct exchange *x, err_t err)
{
	x->n->carrier->end(x->n->context, x->m);
	return err;
}

static void put_name(struct exchange *x, struct ninep_name name)
{
	ninep_put_string(&x->w, name.text, name.bytes);
}

/* Linux's numbers are ours, as far as we have them. */
static err_t error_of(uint64_t number)
{
	switch (number) {
	#define ERR(n, NAME, meaning) case n: return ERR_##NAME;
	#include "abi/error.def"
	#undef ERR
	default:
		return ERR_IO;
	}
}

/* Those that would mean something else to a client than what the server meant. */
static err_t error_told(uint64_t number)
{
	err_t err = error_of(number);

	return err == ERR_XDEV || err == ERR_NOTTY || err == ERR_BACKGROUND || err == ERR_NODEV || err == ERR_CANCELED || err == ERR_BADF || err == ERR_NXIO
	       ? ERR_IO : err;
}

/* The answer's header; r stands behind it. */
static err_t answer_check(struct exchange *x)
{
	const struct ninep_message *m = x->m;

	x->r = (struct ninep_reader){ .at = m->is_payload ? m->tail : m->body, .bytes = m->answer_bytes };
	uint64_t size = ninep_get(&x->r, 4);
	uint8_t type = (uint8_t)ninep_get(&x->r, 1);
	uint16_t tag = (uint16_t)ninep_get(&x->r, 2);
	if (x->r.is_short || size < NINEP_HEADER_BYTES || size > m->answer_bytes || tag != (x->type == NINEP_VERSION ? NINEP_NO_TAG : m->tag))
		return ERR_PROTO;
	x->r.bytes = (size_t)size;
	if (type == NINEP_RLERROR) {
		uint64_t number = ninep_get(&x->r, 4);
		return x->r.is_short ? ERR_PROTO : error_told(number);
	}
	return type == x->type + 1 ? OK : ERR_PROTO;
}

static err_t transact(struct exchange *x)
{
	if (x->w.is_full)
		return ERR_NAMETOOLONG;
	head_end(&x->w, x->m);
	TRY(x->n->carrier->transact(x->n->context, x->m));
	return answer_check(x);
}

/* For answers of which nothing more is wanted. */
static err_t finish(struct exchange *x)
{
	return end(x, transact(x));
}

static err_t finish_qid(struct exchange *x, struct ninep_qid *out)
{
	err_t err = transact(x);
	struct ninep_qid qid = err ? (struct ninep_qid){ 0 } : ninep_get_qid(&x->r);

	if (!err && x->r.is_short)
		err = ERR_PROTO;
	if (!err)
		*out = qid;
	return end(x, err);
}

/* ---- Fids ---------------------------------------------------------------------------------------------------------- */

err_t ninep_fid_take(struct ninep *n, uint32_t *out)
{
	for (uint32_t i = 0; i < ARRAY_COUNT(n->fids); i++)
		if (n->fids[i] != UINT64_MAX) {
			uint32_t bit = lowest_bit(~n->fids[i]);
			n->fids[i] |= 1ull << bit;
			*out = i * 64 + bit;
			return OK;
		}
	return ERR_NFILE;
}

void ninep_fid_give(struct ninep *n, uint32_t fid)
{
	if (fid != NINEP_FID_ROOT && fid < NINEP_FIDS_MAX)
		n->fids[fid / 64] &= ~(1ull << fid % 64);
}

void ninep_posted(struct ninep *n, const struct ninep_message *m)
{
	ninep_fid_give(n, m->clunked);
}

void ninep_clunk(struct ninep *n, uint32_t fid)
{
	struct exchange x;

	/* Without a server nobody will ask for its number. */
	if (fid == NINEP_NO_FID || fid == NINEP_FID_ROOT || begin(&x, n, NINEP_CLUNK, fid))
		return;
	head_end(&x.w, x.m);
	x.m->clunked = fid;
	n->carrier->post(n->context, x.m);
}

void ninep_flush(struct ninep_message *m, uint16_t tag)
{
	struct ninep_writer w;

	head_start(&w, m, NINEP_FLUSH, m->tag);
	ninep_put(&w, tag, 2);
	head_end(&w, m);
}

/* ---- The start ------------------------------------------------------------------------------------------------------ */

static err_t version_agree(struct ninep *n, uint32_t msize)
{
	static const char wanted[] = "9P2000.L";
	char version[sizeof(wanted)];
	struct exchange x;

	TRY(begin(&x, n, NINEP_VERSION, NINEP_NO_FID));
	ninep_put(&x.w, msize, 4);
	ninep_put_string(&x.w, wanted, sizeof(wanted) - 1);
	err_t err = transact(&x);
	n->msize = err ? 0 : (uint32_t)ninep_get(&x.r, 4);
	size_t bytes = err ? 0 : ninep_get_string(&x.r, version, sizeof(version));
	if (!err && (x.r.is_short || !string_is(version, bytes, wanted)))
		err = ERR_OPNOTSUPP;
	if (!err && (n->msize < NINEP_MSIZE_MIN || n->msize > msize))
		err = ERR_PROTO;
	return end(&x, err);
}

err_t ninep_start(struct ninep *n, const struct ninep_carrier *carrier, void *context, uint32_t msize, uint32_t uid)
{
	struct exchange x;
	struct ninep_qid root;

	*n = (struct ninep){ .carrier = carrier, .context = context, .fids[0] = 1 << NINEP_FID_ROOT };
	TRY(version_agree(n, msize));
	TRY(begin(&x, n, NINEP_ATTACH, NINEP_FID_ROOT));
	ninep_put(&x.w, NINEP_NO_FID, 4);
	ninep_put_string(&x.w, "root", 4);
	ninep_put_string(&x.w, "", 0);
	ninep_put(&x.w, uid, 4);
	TRY(finish_qid(&x, &root));
	return root.kind & NINEP_KIND_DIRECTORY ? OK : ERR_PROTO;
}

/* ---- Names ---------------------------------------------------------------------------------------------------------- */

static err_t walk_to(struct ninep *n, uint32_t fid, const struct ninep_name *name, uint32_t new, struct ninep_qid *qid)
{
	uint32_t count = name ? 1 : 0;
	struct exchange x;

	TRY(begin(&x, n, NINEP_WALK, fid));
	ninep_put(&x.w, new, 4);
	ninep_put(&x.w, count, 2);
	if (name)
		put_name(&x, *name);
	err_t err = transact(&x);
	if (!err && ninep_get(&x.r, 2) != count)
		err = ERR_PROTO;
	*qid = !err && name ? ninep_get_qid(&x.r) : (struct ninep_qid){ 0 };
	return end(&x, !err && x.r.is_short ? ERR_PROTO : err);
}

err_t ninep_walk(struct ninep *n, uint32_t fid, const struct ninep_name *name, uint32_t *out, struct ninep_qid *qid)
{
	uint32_t new;

	TRY(ninep_fid_take(n, &new));
	err_t err = walk_to(n, fid, name, new, qid);
	if (!err)
		*out = new;
	else if (err == ERR_PROTO || err == ERR_INTR)
		ninep_clunk(n, new);            /* who knows what it made of it */
	else
		ninep_fid_give(n, new);
	return err;
}

err_t ninep_lopen(struct ninep *n, uint32_t fid, uint32_t open_flags, struct ninep_qid *qid)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_LOPEN, fid));
	ninep_put(&x.w, open_flags, 4);
	return finish_qid(&x, qid);
}

err_t ninep_lcreate(struct ninep *n, uint32_t fid, struct ninep_name name, uint32_t open_flags, uint32_t mode, uint32_t gid, struct ninep_qid *qid)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_LCREATE, fid));
	put_name(&x, name);
	ninep_put(&x.w, open_flags, 4);
	ninep_put(&x.w, mode, 4);
	ninep_put(&x.w, gid, 4);
	return finish_qid(&x, qid);
}

err_t ninep_mkdir(struct ninep *n, uint32_t dir, struct ninep_name name, uint32_t mode, uint32_t gid)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_MKDIR, dir));
	put_name(&x, name);
	ninep_put(&x.w, mode, 4);
	ninep_put(&x.w, gid, 4);
	return finish(&x);
}

err_t ninep_symlink(struct ninep *n, uint32_t dir, struct ninep_name name, struct ninep_name target, uint32_t gid)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_SYMLINK, dir));
	put_name(&x, name);
	put_name(&x, target);
	ninep_put(&x.w, gid, 4);
	return finish(&x);
}

err_t ninep_link(struct ninep *n, uint32_t dir, uint32_t fid, struct ninep_name name)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_LINK, dir));
	ninep_put(&x.w, fid, 4);
	put_name(&x, name);
	return finish(&x);
}

err_t ninep_renameat(struct ninep *n, uint32_t from, struct ninep_name old, uint32_t to, struct ninep_name new)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_RENAMEAT, from));
	put_name(&x, old);
	ninep_put(&x.w, to, 4);
	put_name(&x, new);
	return finish(&x);
}

err_t ninep_unlinkat(struct ninep *n, uint32_t dir, struct ninep_name name, bool is_directory)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_UNLINKAT, dir));
	put_name(&x, name);
	ninep_put(&x.w, is_directory ? NINEP_REMOVE_DIRECTORY : 0, 4);
	return finish(&x);
}

err_t ninep_readlink(struct ninep *n, uint32_t fid, char *target, size_t *bytes)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_READLINK, fid));
	err_t err = transact(&x);
	*bytes = err ? 0 : ninep_get_string(&x.r, target, NINEP_TARGET_MAX);
	if (!err && (x.r.is_short || *bytes == 0 || memchr(target, 0, *bytes)))
		err = ERR_PROTO;
	return end(&x, err);
}

/* ---- Attributes ------------------------------------------------------------------------------------------------------ */

static struct file_time get_time(struct ninep_reader *r)
{
	struct file_time t = { .seconds = (int64_t)ninep_get(r, 8) };

	t.nanoseconds = (uint32_t)(ninep_get(r, 8) % 1000000000);
	return t;
}

static void put_time(struct ninep_writer *w, const struct file_time *t)
{
	ninep_put(w, (uint64_t)t->seconds, 8);
	ninep_put(w, t->nanoseconds, 8);
}

static void attr_get(struct ninep_reader *r, struct ninep_attr *a)
{
	(void)ninep_get(r, 8);          /* which are valid: the basic ones are */
	a->qid = ninep_get_qid(r);
	a->mode = (uint32_t)ninep_get(r, 4) & (MODE_TYPE | MODE_PERMISSIONS);
	a->uid = (uint32_t)ninep_get(r, 4);
	a->gid = (uint32_t)ninep_get(r, 4);
	a->links = ninep_get(r, 8);
	a->rdev = ninep_get(r, 8);
	a->bytes = ninep_get(r, 8);
	a->bytes = MIN_OF(a->bytes, (uint64_t)INT64_MAX);
	a->block_bytes = ninep_get(r, 8);
	a->blocks = ninep_get(r, 8);
	a->accessed = get_time(r);
	a->modified = get_time(r);
	a->changed = get_time(r);
}

err_t ninep_getattr(struct ninep *n, uint32_t fid, struct ninep_attr *out)
{
	struct exchange x;

	*out = (struct ninep_attr){ 0 };
	TRY(begin(&x, n, NINEP_GETATTR, fid));
	ninep_put(&x.w, NINEP_ATTR_BASIC, 8);
	err_t err = transact(&x);
	if (!err)
		attr_get(&x.r, out);
	return end(&x, !err && x.r.is_short ? ERR_PROTO : err);
}

err_t ninep_setattr(struct ninep *n, uint32_t fid, const struct ninep_change *change)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_SETATTR, fid));
	ninep_put(&x.w, change->valid, 4);
	ninep_put(&x.w, change->mode, 4);
	ninep_put(&x.w, change->uid, 4);
	ninep_put(&x.w, change->gid, 4);
	ninep_put(&x.w, change->bytes, 8);
	put_time(&x.w, &change->accessed);
	put_time(&x.w, &change->modified);
	return finish(&x);
}

err_t ninep_fsync(struct ninep *n, uint32_t fid)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_FSYNC, fid));
	ninep_put(&x.w, 0, 4);
	return finish(&x);
}

err_t ninep_statfs(struct ninep *n, uint32_t fid, struct file_system *out)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_STATFS, fid));
	err_t err = transact(&x);
	*out = (struct file_system){ .type = ninep_get(&x.r, 4) };
	out->block_bytes = ninep_get(&x.r, 4);
	out->blocks = ninep_get(&x.r, 8);
	(void)ninep_get(&x.r, 8);       /* free, some of it for root only */
	out->free_blocks = ninep_get(&x.r, 8);
	out->nodes = ninep_get(&x.r, 8);
	out->free_nodes = ninep_get(&x.r, 8);
	(void)ninep_get(&x.r, 8);       /* its number */
	out->name_max = ninep_get(&x.r, 4);
	out->name_max = MIN_OF(out->name_max, (uint64_t)NINEP_NAME_MAX);
	return end(&x, !err && x.r.is_short ? ERR_PROTO : err);
}

/* ---- What is in them ------------------------------------------------------------------------------------------------- */

static bool entry_get(struct ninep_reader *r, struct ninep_entry *e)
{
	e->qid = ninep_get_qid(r);
	e->cookie = ninep_get(r, 8);
	e->type = (uint8_t)ninep_get(r, 1);
	e->name_bytes = ninep_get_string(r, e->name, sizeof(e->name));
	return !r->is_short;
}

static bool name_is_sane(const struct ninep_entry *e)
{
	return e->name_bytes > 0 && !memchr(e->name, 0, e->name_bytes) && !memchr(e->name, '/', e->name_bytes);
}

err_t ninep_readdir(struct ninep *n, uint32_t fid, uint64_t cookie, size_t bytes, bool (*take)(void *taker, const struct ninep_entry *e), void *taker)
{
	struct ninep_entry e;
	struct exchange x;

	TRY(begin(&x, n, NINEP_READDIR, fid));
	bytes = MIN_OF(bytes, (size_t)(n->msize - NINEP_READ_HEADER));
	ninep_put(&x.w, cookie, 8);
	ninep_put(&x.w, bytes, 4);
	err_t err = transact(&x);
	uint64_t count = err ? 0 : ninep_get(&x.r, 4);
	if (!err && (x.r.is_short || count > bytes || !range_fits(x.r.done, count, x.r.bytes)))
		err = ERR_PROTO;
	for (x.r.bytes = x.r.done + (size_t)(err ? 0 : count); !err && x.r.done < x.r.bytes; ) {
		/* One that leads to where we came from would be read for ever. */
		if (!entry_get(&x.r, &e) || e.cookie == cookie || e.cookie == 0)
			err = ERR_PROTO;
		else if (name_is_sane(&e) && !take(taker, &e))
			break;
	}
	return end(&x, err);
}

err_t ninep_read(struct ninep *n, uint32_t fid, uint64_t offset, size_t bytes, err_t (*put)(void *user, const uint8_t *from, size_t bytes), void *user, size_t *done)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_READ, fid));
	bytes = MIN_OF(bytes, (size_t)(n->msize - NINEP_READ_HEADER));
	ninep_put(&x.w, offset, 8);
	ninep_put(&x.w, bytes, 4);
	err_t err = transact(&x);
	uint64_t count = err ? 0 : ninep_get(&x.r, 4);
	if (!err && (x.r.is_short || count > bytes || !range_fits(x.r.done, count, x.r.bytes)))
		err = ERR_PROTO;
	if (!err && count > 0)
		err = put(user, x.m->body + x.r.done, (size_t)count);
	*done = (size_t)count;
	return end(&x, err);
}

err_t ninep_write(struct ninep *n, uint32_t fid, uint64_t offset, size_t bytes, err_t (*fill)(void *user, uint8_t *to, size_t bytes), void *user, size_t *done)
{
	struct exchange x;

	TRY(begin(&x, n, NINEP_WRITE, fid));
	bytes = MIN_OF(bytes, (size_t)(n->msize - NINEP_WRITE_HEADER));
	ninep_put(&x.w, offset, 8);
	ninep_put(&x.w, bytes, 4);
	x.m->is_payload = true;
	x.m->payload_bytes = bytes;
	err_t err = fill(user, x.m->body, bytes);
	if (!err)
		err = transact(&x);
	uint64_t count = err ? 0 : ninep_get(&x.r, 4);
	if (!err && (x.r.is_short || count > bytes))
		err = ERR_PROTO;
	*done = (size_t)count;
	return end(&x, err);
}
