/* drivers/fs/virtio_9p/map.c - files as memory objects, for programs that map them.
 *
 * A mapped file is a copy of what the host had when it was first mapped; it serves as long as length and times say that the file is the same. So programs and
 * libraries run from the share, and one that is run again is not read again. A mapping cannot be written back: shared writable ones are refused (by the
 * kernel, for the handle lacks the right).
 */
#include "abi/proto/kernel.h"
#include "drivers/fs/virtio_9p/job.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"

enum { COPIES_MAX = 32 };
#define COPIES_BYTES_MAX (64ull << 20)  /* of all that nobody may be using */

static struct copy {
	handle_t object;                /* HANDLE_NONE: free */
	struct ninep_attr attr;         /* of the file it is of */
	uint64_t used;                  /* when, in maps */
} copies[COPIES_MAX];
static handle_t blank_object;
static uint64_t maps;

void map_init(handle_t blank)
{
	blank_object = blank;
	for (uint32_t i = 0; i < COPIES_MAX; i++)
		copies[i].object = HANDLE_NONE;
}

static bool is_same_time(const struct file_time *a, const struct file_time *b) { return a->seconds == b->seconds && a->nanoseconds == b->nanoseconds; }

static bool is_same(const struct ninep_attr *a, const struct ninep_attr *b)
{
	return a->qid.path == b->qid.path && a->bytes == b->bytes && is_same_time(&a->modified, &b->modified) && is_same_time(&a->changed, &b->changed);
}

static struct copy *copy_find(const struct ninep_attr *a)
{
	for (struct copy *c = copies; c < copies + COPIES_MAX; c++)
		if (c->object != HANDLE_NONE && is_same(&c->attr, a))
			return c;
	return NULL;
}

static void copy_drop(struct copy *c)
{
	handle_close(c->object);
	c->object = HANDLE_NONE;
}

/* A free place, the oldest copies making room for so many bytes. */
static struct copy *copy_room(uint64_t bytes)
{
	for (;;) {
		struct copy *oldest = NULL, *free = NULL;
		uint64_t all = bytes;
		for (struct copy *c = copies; c < copies + COPIES_MAX; c++) {
			if (c->object == HANDLE_NONE) {
				free = c;
				continue;
			}
			all += c->attr.bytes;
			if (!oldest || c->used < oldest->used)
				oldest = c;
		}
		if (free && (all <= COPIES_BYTES_MAX || !oldest))
			return free;
		copy_drop(oldest);
	}
}

struct target { handle_t object; uint64_t offset; };

static err_t put(void *user, const uint8_t *from, size_t bytes)
{
	struct target *t = user;

	TRY(handle_write_at(t->object, from, bytes, t->offset));
	t->offset += bytes;
	return OK;
}

/* A file that shrinks meanwhile is followed by zeros. */
static err_t content_read(struct share_job *j, struct share_open *o, uint64_t bytes, handle_t object)
{
	struct target t = { .object = object };

	while (t.offset < bytes) {
		int64_t got = share_read(j, o, t.offset, (size_t)MIN_OF(bytes - t.offset, (uint64_t)LINK_BODY_BYTES), put, &t);
		if (got < 0)
			return (err_t)got;
		if (got == 0)
			break;
	}
	return result_error(handle_call(object, MEM_RESIZE, NULL, 0, NULL, 0, bytes));
}

static err_t copy_make(struct share_job *j, struct share_open *o, const struct ninep_attr *a, handle_t *out)
{
	struct mem_window none = { 0, 0 };
	handle_t object;

	TRY(handle_call_get(blank_object, MEM_CLONE, &none, sizeof(none), 0, &object));
	err_t err = content_read(j, o, a->bytes, object);
	if (!err)
		err = handle_dup(object, RIGHT_READ | RIGHT_MAP | RIGHT_EXEC | RIGHT_DUP | RIGHT_SEND | RIGHT_CALL, out);
	handle_close(object);
	return err == ERR_NOSPC ? ERR_NOMEM : err;
}

err_t map_get(struct share_job *j, struct share_open *o, handle_t *out)
{
	struct ninep_attr a;
	struct copy *c;
	handle_t made;

	TRY(share_attributes(j, o, &a));
	if ((a.mode & MODE_TYPE) != MODE_FILE)
		return ERR_NODEV;
	if (!(c = copy_find(&a))) {
		TRY(copy_make(j, o, &a, &made));
		/* Somebody else may have made one meanwhile: two do no harm. */
		c = copy_room(a.bytes);
		c->object = made;
		c->attr = a;
	}
	c->used = ++maps;
	*out = c->object;
	return OK;
}
