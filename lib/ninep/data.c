/* lib/ninep/data.c - bytes of open files: straight from the host and to it, message by message. */
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/ninep/private.h"

/* Where in a client's buffer the next message's bytes go, or come from. */
struct part {
	err_t (*put)(void *user, const uint8_t *from, size_t bytes);
	err_t (*fill)(void *user, uint8_t *to, size_t bytes);
	void *user;
	size_t filled;                  /* of the last message */
};

static err_t part_put(void *part, const uint8_t *from, size_t bytes)
{
	struct part *p = part;

	return p->put(p->user, from, bytes);
}

static err_t part_fill(void *part, uint8_t *to, size_t bytes)
{
	struct part *p = part;

	p->filled = bytes;
	return p->fill(p->user, to, bytes);
}

static err_t check(const struct share_open *o, uint32_t needed)
{
	if (o->open_flags & OPEN_PATH)
		return ERR_BADF;
	if (o->kind & NINEP_KIND_DIRECTORY)
		return ERR_ISDIR;
	return o->open_flags & needed ? OK : ERR_BADF;
}

int64_t share_read(struct share_job *j, struct share_open *o, uint64_t offset, size_t bytes, err_t (*put)(void *user, const uint8_t *from, size_t bytes), void *user)
{
	struct part part = { .put = put, .user = user };
	size_t all = 0, done = 0;
	uint32_t fid;

	TRY(check(o, OPEN_READ | OPEN_EXEC));
	TRY(share_open_fid(j, o, &fid));
	while (all < bytes) {
		err_t err = ninep_read(&j->share->ninep, fid, offset + all, bytes - all, part_put, &part, &done);
		if (err)
			return all ? (int64_t)all : err;
		if (done == 0)
			break;
		all += done;
	}
	return (int64_t)all;
}

/* An append that an earlier instance began goes where that one put it: *is_done, or at *offset if it did not get there. */
static err_t append_begin(struct share_job *j, uint32_t fid, size_t bytes, uint64_t *offset, bool *is_done)
{
	struct ninep_attr a;

	share_change(j);
	TRY(ninep_getattr(&j->share->ninep, fid, &a));
	*is_done = j->is_repeated && j->change->bytes <= a.bytes && a.bytes - j->change->bytes >= bytes;
	if (j->change && j->change->bytes == RECORD_LENGTH_UNKNOWN)
		j->change->bytes = a.bytes;
	*offset = a.bytes;
	return OK;
}

int64_t share_write(struct share_job *j, struct share_open *o, uint64_t offset, bool appends, size_t bytes,
                    err_t (*fill)(void *user, uint8_t *to, size_t bytes), void *user)
{
	struct part part = { .fill = fill, .user = user };
	bool is_done = false;
	size_t all = 0, done = 0;
	uint32_t fid;

	TRY(check(o, OPEN_WRITE));
	TRY(share_open_fid(j, o, &fid));
	if (appends)
		TRY(append_begin(j, fid, bytes, &offset, &is_done));
	if (is_done)
		return (int64_t)bytes;
	while (all < bytes) {
		err_t err = ninep_write(&j->share->ninep, fid, offset + all, bytes - all, part_fill, &part, &done);
		if (err || done == 0)
			return all ? (int64_t)all : err ? err : ERR_IO;
		all += done;
		if (done < part.filled)
			break;
	}
	return (int64_t)all;
}

err_t share_attributes(struct share_job *j, struct share_open *o, struct ninep_attr *out)
{
	uint32_t fid;

	TRY(share_open_fid(j, o, &fid));
	return ninep_getattr(&j->share->ninep, fid, out);
}
