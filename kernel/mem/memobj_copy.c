/* kernel/mem/memobj_copy.c - bytes between a memory object and user or kernel memory.
 *
 * Reading copies straight from the object's frame, held by a reference. Writing must not leave a frame half
 * written by a copy that waits for a page of the writer's, nor reach into a clone made meanwhile: so the source is had
 * first (small: in a buffer on the stack, large: its frame by a reference) and copied under the object's lock.
 */
#include "kernel/cpu.h"
#include "kernel/mem/account.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/space.h"
#include "kernel/mem/usercopy.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { SMALL_BYTES = 256 };

err_t memobj_read(struct memobj *m, uint64_t offset, uaddr_t to, size_t bytes, size_t *done)
{
	*done = 0;
	if (!memobj_is_ram(m))
		return ERR_IO;
	uint64_t whole = memobj_bytes(m);
	bytes = offset < whole ? MIN_OF(bytes, whole - offset) : 0;
	while (*done < bytes) {
		uint64_t at = offset + *done, part = part_in_page(at, bytes - *done);
		paddr_t frame;
		err_t err = memobj_page(m, at, false, &frame);
		if (err)
			return err == ERR_RANGE ? OK : err;     /* cut meanwhile: that is the end */
		err = copy_to_user(uaddr(to.raw + *done), paddr_byte(frame, at), part);
		frame_put(frame);
		if (err)
			return err;
		*done += part;
	}
	return OK;
}

/* ---- Writing ---- */

/* Bytes to write that cannot go away: in buffer, or in a frame that is referenced. */
struct source {
	const char *bytes;
	paddr_t frame;
	bool is_frame;
	char buffer[SMALL_BYTES];
};

/* Up to *part bytes at from. FAULT, NOMEM, IO. */
static err_t source_get(struct source *s, uaddr_t from, uint64_t *part)
{
	s->is_frame = *part > SMALL_BYTES;
	if (!s->is_frame) {
		s->bytes = s->buffer;
		return copy_from_user(s->buffer, from, *part);
	}
	if (!user_range_is_valid(from.raw, *part))
		return ERR_FAULT;
	*part = part_in_page(from.raw, *part);
	err_t err = space_pin(cpu_this()->space, from.raw, false, true, &s->frame);
	if (err)
		return err == ERR_NOMEM || err == ERR_INTR ? err : ERR_FAULT;
	s->bytes = paddr_byte(s->frame, from.raw);
	return OK;
}

static void source_put(struct source *s)
{
	if (s->is_frame)
		frame_put(s->frame);
}

/* Would a write at page n take a new frame when little is left? The last few percent are for programs to go on, not for files. */
static bool must_leave_rest(struct memobj *m, uint64_t n) REQUIRES(&m->lock)
{
	const uint64_t *slot = page_index_find(&m->pages, n);
	return m->kind != MEMOBJ_PHYSICAL && !(slot && *slot) && frame_is_short();
}

err_t memobj_part_change(struct memobj *m, uint64_t at, const char *bytes, uint64_t part, bool grow)
{
	struct page_step step = { .asked = 0 };
	for (;;) {
		paddr_t frame;
		uint64_t n = at >> PAGE_SHIFT, old_bytes = m->bytes;
		/* It stays longer when a pager then fails: others may have written there meanwhile. */
		if (grow && m->kind != MEMOBJ_PHYSICAL)
			m->bytes = MAX_OF(m->bytes, at + part);
		err_t err = bytes && must_leave_rest(m, n) ? ERR_NOMEM : memobj_page_locked(m, n, PAGE_CHANGE, &frame, &step);
		if (!err) {
			char *to = paddr_byte(frame, at);
			if (bytes)
				arch_bytes_copy(to, bytes, part);
			else
				memset(to, 0, part);
			return OK;
		}
		if (err != ERR_AGAIN)
			m->bytes = old_bytes;
		spin_unlock(&m->lock);
		err = memobj_page_retry(&step, err, true);
		spin_lock(&m->lock);
		TRY(err);
	}
}

static err_t range_write(struct memobj *m, uint64_t offset, uaddr_t from, size_t bytes, size_t *done)
{
	struct source source;
	while (*done < bytes) {
		uint64_t at = offset + *done, part = part_in_page(at, bytes - *done);
		err_t err = source_get(&source, uaddr(from.raw + *done), &part);
		if (err)
			return err;
		spin_lock(&m->lock);
		err = memobj_part_change(m, at, source.bytes, part, true);
		spin_unlock(&m->lock);
		source_put(&source);
		if (err)
			return err == ERR_NOMEM && (frame_is_short() || account_is_full(m->account, ACCOUNT_PAGES)) ? ERR_NOSPC : err;
		*done += part;
	}
	return OK;
}

err_t memobj_write(struct memobj *m, uint64_t *offset, bool append, uaddr_t from, size_t bytes, size_t *done)
{
	err_t err = OK;
	*done = 0;
	if (!memobj_is_ram(m) || (append && m->kind == MEMOBJ_PHYSICAL))
		return ERR_IO;
	if (bytes == 0)
		return OK;
	spin_lock(&m->lock);
	if (append)
		*offset = m->bytes;
	bool has_gap = *offset > m->bytes;
	if (!range_fits(*offset, bytes, MEMOBJ_BYTES_MAX))
		err = ERR_FBIG;
	else if (append)
		m->bytes += bytes;      /* no other gets this place */
	spin_unlock(&m->lock);
	if (!err && has_gap && (err = memobj_resize(m, *offset)) == ERR_INVAL)
		err = ERR_IO;
	if (!err)
		err = range_write(m, *offset, from, bytes, done);
	if (!err || !append)
		return err;
	/* What was not filled goes again, unless somebody appended behind it: then it stays as zeroes. */
	spin_lock(&m->lock);
	if (m->bytes == *offset + bytes && !m->is_sealed)
		m->bytes = *offset + *done;
	spin_unlock(&m->lock);
	return err;
}
