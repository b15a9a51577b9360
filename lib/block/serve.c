/* lib/block/serve.c - the disk protocol (abi/proto/disk.def) over the queue. */
#include "abi/proto/file.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/heap.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/block/queue.h"

enum { LIST_BYTES = BLOCK_DISKS_MAX * 32, DISK_GROUP = 6 };     /* Debian's group disk */

/* What a handle of ours stands for. queue NULL: the scheme itself. */
struct block_open {
	struct block_queue *queue;
	uint64_t first, bytes;          /* bytes 0: to the end */
	uint64_t rdev;
	uint32_t open_flags;            /* OPEN_READ, OPEN_WRITE */
	uint32_t record;                /* in the state */
};

/* ---- Opening --------------------------------------------------------------------------------------------------------- */

static uint64_t open_bytes(const struct block_open *o)
{
	uint64_t whole = o->queue->disk->info.bytes, rest = o->first < whole ? whole - o->first : 0;

	return o->bytes ? MIN_OF(o->bytes, rest) : rest;
}

static struct block_queue *queue_find(const char *name, size_t bytes)
{
	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (block.queue[i] && !block.queue[i]->is_gone && string_is(name, bytes, block.queue[i]->name))
			return block.queue[i];
	return NULL;
}

/* A number at the front of the text, which it is cut off from. */
static bool take_number(const char **text, size_t *bytes, uint64_t *out)
{
	size_t digits = number_scan(*text, *bytes, 10, out);

	*text += digits;
	*bytes -= digits;
	return digits > 0;
}

static bool take_sign(const char **text, size_t *bytes, char sign)
{
	if (*bytes == 0 || **text != sign)
		return false;
	++*text;
	--*bytes;
	return true;
}

/* OFFSET+BYTES[,RDEV], within what o is now. */
static err_t narrow(struct block_open *o, const char *ref, size_t ref_bytes)
{
	uint64_t offset, bytes, sector = o->queue->disk->info.sector_bytes;

	if (!take_number(&ref, &ref_bytes, &offset) || !take_sign(&ref, &ref_bytes, '+') || !take_number(&ref, &ref_bytes, &bytes))
		return ERR_NOENT;
	if (take_sign(&ref, &ref_bytes, ',') && !take_number(&ref, &ref_bytes, &o->rdev))
		return ERR_NOENT;
	if (ref_bytes > 0)
		return ERR_NOENT;
	if (offset % sector || bytes % sector || !range_fits(offset, bytes, open_bytes(o)))
		return ERR_INVAL;
	/* At the end of a part nothing is left, which 0 cannot say: it would be the rest of the disk. */
	if (bytes == 0 && o->bytes && !(bytes = o->bytes - offset))
		return ERR_INVAL;
	o->first += offset;
	o->bytes = bytes;
	return OK;
}

static err_t open_find(struct block_open *o, const char *ref, size_t ref_bytes)
{
	/* The same once more is how a process opens anew what it has a handle of. */
	if (o->queue)
		return ref_bytes > 0 ? narrow(o, ref, ref_bytes) : OK;
	if (ref_bytes > 0 && !(o->queue = queue_find(ref, ref_bytes)))
		return ERR_NOENT;
	return OK;
}

static int64_t disk_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	struct block_open found = r->open ? *(struct block_open *)r->open : (struct block_open){ 0 }, *o;

	(void)mode;
	/* Who holds a disk for reading does not get it for writing by asking it for a part. */
	open_flags &= OPEN_READ | OPEN_WRITE;
	if (found.queue && (open_flags & ~found.open_flags))
		return ERR_ACCES;
	found.open_flags = open_flags;
	TRY(open_find(&found, ref, ref_bytes));
	if (found.queue && (open_flags & OPEN_WRITE) && (found.queue->disk->info.disk_flags & DISK_READ_ONLY))
		return ERR_ROFS;
	if (!(o = heap_alloc(sizeof(*o))))
		return ERR_NOMEM;
	struct state_open record = {
		.first = found.first, .bytes = found.bytes, .rdev = found.rdev, .open_flags = open_flags,
		.disk = found.queue ? found.queue->index : STATE_OPENS_MAX,
	};
	err_t err = state_open_add(block.state, &record, &found.record);
	if (err) {
		heap_free(o, sizeof(*o));
		return err;
	}
	*o = found;
	r->opened = o;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static void disk_named(struct scheme *s, void *open, uint64_t id)
{
	const struct block_open *o = open;

	(void)s;
	state_open_named(block.state, o->record, id);
}

static err_t disk_revive(struct scheme_request *r)
{
	struct block_open *o;
	uint32_t record;

	if (state_open_find(block.state, r->id, &record))
		return ERR_CONNRESET;
	const struct state_open *s = &block.state->open[record];
	struct block_queue *queue = s->disk < BLOCK_DISKS_MAX ? block.queue[s->disk] : NULL;
	if (!queue && s->disk != STATE_OPENS_MAX)
		return ERR_NODEV;
	if (!(o = heap_alloc(sizeof(*o))))
		return ERR_NOMEM;
	*o = (struct block_open){ .queue = queue, .first = s->first, .bytes = s->bytes, .rdev = s->rdev, .open_flags = s->open_flags, .record = record };
	r->opened = o;
	return OK;
}

/* Closed without having been used since the instance that opened it. */
static void disk_forget(struct scheme *s, uint64_t id)
{
	uint32_t record;

	(void)s;
	if (state_open_find(block.state, id, &record) == OK)
		state_open_remove(block.state, record);
}

static void disk_close(struct scheme *s, void *open)
{
	struct block_open *o = open;

	(void)s;
	state_open_remove(block.state, o->record);
	heap_free(o, sizeof(*o));
}

/* ---- Data ------------------------------------------------------------------------------------------------------------ */

static int64_t list_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char text[LIST_BYTES];
	size_t length = 0;

	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (block.queue[i] && !block.queue[i]->is_gone)
			length += fmt(text + length, sizeof(text) - length, "%s %s\n", block.queue[i]->kind, block.queue[i]->name);
	if (offset >= length)
		return 0;
	bytes = MIN_OF(MIN_OF(bytes, r->out_room), length - offset);
	memcpy(r->out, text + offset, bytes);
	return (int64_t)bytes;
}

/* What of the bytes at offset is there. */
static uint64_t clip(const struct block_open *o, uint64_t offset, uint64_t bytes)
{
	uint64_t whole = open_bytes(o);

	return offset < whole ? MIN_OF(bytes, whole - offset) : 0;
}

/* A write of parts of sectors goes in one request. */
static uint64_t patch_max(const struct block_open *o, uint64_t offset, uint64_t bytes)
{
	const struct disk_info *i = &o->queue->disk->info;
	uint64_t most = MIN_OF(i->transfer_bytes_max, (uint32_t)BLOCK_COPY_MAX);

	if ((offset | bytes) % i->sector_bytes == 0)
		return bytes;
	return MIN_OF(bytes, most - offset % i->sector_bytes);
}

static int64_t disk_read(struct scheme_request *r, size_t wanted, uint64_t offset)
{
	const struct block_open *o = r->open;

	if (!o->queue)
		return list_read(r, wanted, offset);
	uint64_t bytes = clip(o, offset, wanted);
	return bytes ? block_take(r, o->queue, BLOCK_READ, o->first + offset, bytes) : 0;
}

static int64_t disk_write(struct scheme_request *r, size_t given, uint64_t offset)
{
	const struct block_open *o = r->open;

	if (!o->queue)
		return ERR_ACCES;
	uint64_t bytes = clip(o, offset, given);
	if (bytes == 0)
		return given ? ERR_NOSPC : 0;
	return block_take(r, o->queue, BLOCK_WRITE, o->first + offset, patch_max(o, o->first + offset, bytes));
}

static int64_t disk_length(struct scheme_request *r)
{
	const struct block_open *o = r->open;

	return o->queue ? (int64_t)open_bytes(o) : 0;
}

/* ---- The rest of the protocol ------------------------------------------------------------------------------------------ */

static int64_t give_info(struct scheme_request *r, const struct block_open *o)
{
	struct disk_info info = o->queue->disk->info;

	info.bytes = open_bytes(o);
	info.first_byte = o->first;
	return scheme_out(r, &info, sizeof(info));
}

static int64_t give_stat(struct scheme_request *r, const struct block_open *o)
{
	struct file_stat stat = {
		.node = o->record + 1, .mode = MODE_BLOCK | 0660, .links = 1, .gid = DISK_GROUP, .rdev = o->rdev, .block_bytes = 4096,
	};

	if (r->in_bytes > 0)
		return ERR_NOTDIR;
	return scheme_out(r, &stat, sizeof(stat));
}

static int64_t flush(struct scheme_request *r, const struct block_open *o)
{
	if (!(o->queue->disk->info.disk_flags & DISK_HAS_FLUSH))
		return o->queue->is_gone ? ERR_NODEV : OK;
	return block_take(r, o->queue, BLOCK_FLUSH, 0, 0);
}

static int64_t range(struct scheme_request *r, const struct block_open *o, enum block_op op, uint32_t ability)
{
	struct disk_range range;

	if (!(o->open_flags & OPEN_WRITE))
		return ERR_BADF;
	if (!(o->queue->disk->info.disk_flags & ability))
		return ERR_OPNOTSUPP;
	TRY(scheme_in_struct(r, &range, sizeof(range)));
	uint64_t sector = o->queue->disk->info.sector_bytes;
	if (range.offset % sector || range.bytes % sector || !range_fits(range.offset, range.bytes, open_bytes(o)))
		return ERR_INVAL;
	return range.bytes ? block_take(r, o->queue, op, o->first + range.offset, range.bytes) : 0;
}

static int64_t disk_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	const struct block_open *o = r->open;

	(void)word;
	if (!o->queue)
		return ERR_NOTTY;
	switch (code) {
	case DISK_INFO:
		return give_info(r, o);
	case DISK_FLUSH:
	case FILE_SYNC:
		return flush(r, o);
	case DISK_DISCARD:
		return range(r, o, BLOCK_DISCARD, DISK_HAS_DISCARD);
	case DISK_ZERO:
		return range(r, o, BLOCK_ZERO, DISK_HAS_ZERO);
	case DISK_STATISTICS:
		return scheme_out(r, o->queue->statistics, sizeof(*o->queue->statistics));
	case FILE_STAT:
		return give_stat(r, o);
	default:
		return ERR_NOTTY;
	}
}

/* What the device has begun it ends soon, and a killed client's request is gone already: there is nothing to hurry. */
static void disk_cancel(struct scheme_deferred *d)
{
	(void)d;
}

const struct scheme_ops block_scheme_ops = {
	.open = disk_open, .named = disk_named, .revive = disk_revive, .close = disk_close, .forget = disk_forget, .read = disk_read,
	.write = disk_write, .length = disk_length, .call = disk_call, .cancel = disk_cancel,
};
