/* kernel/mem/memobj_copy.c - bytes between a memory object and user or kernel memory.
 *
 * Reading copies straight from the object's frame, held by a reference. Writing must not reach into a clone made
 * meanwhile, so it copies under the object's lock, what is present of the source; what is not is brought in without locks, and the
 * copy begins anew.
 */
#include "kernel/mem/memobj.h"
#include "kernel/mem/memobj_inner.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/sched.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

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
		TRY(copy_pause(*done, at));
		err_t err = memobj_page(m, at, false, &frame);
		if (err)
			return err == ERR_RANGE ? OK : err;     /* cut meanwhile: that is the end */
		err = copy_to_user(uaddr(to.raw + *done), paddr_byte(frame, at), part);
		frame_put(frame);
		TRY(err);
		*done += part;
	}
	return OK;
}

/* ---- Writing ---- */

/* Would a write at page n take a new frame when little is left? The last few percent are for programs to go on, not for files. */
static bool must_leave_rest(struct memobj *m, uint64_t n) REQUIRES(&m->lock)
{
	const uint64_t *slot = page_index_find(&m->pages, n);
	return m->kind != MEMOBJ_PHYSICAL && !(slot && *slot) && frame_is_short();
}

err_t memobj_part_change(struct memobj *m, uint64_t at, const uaddr_t *from, uint64_t part)
{
	struct page_step step = { .asked = 0 };
	char byte;
	for (;;) {
		paddr_t frame;
		uint64_t n = at >> PAGE_SHIFT, old_bytes = m->bytes;
		/* It stays longer when a pager then fails: others may have written there meanwhile. */
		if (from && m->kind != MEMOBJ_PHYSICAL)
			m->bytes = MAX_OF(m->bytes, at + part);
		err_t err = from && must_leave_rest(m, n) ? ERR_NOMEM : memobj_page_locked(m, n, PAGE_CHANGE, &frame, &step);
		if (!err && !from)
			memset(paddr_byte(frame, at), 0, part);
		if (!err && (!from || copy_from_user_present(paddr_byte(frame, at), *from, part)))
			return OK;
		if (err != ERR_AGAIN)
			m->bytes = old_bytes;
		spin_unlock(&m->lock);
		err = err ? memobj_page_retry(&step, err, true) : copy_from_user(&byte, *from, 1);
		spin_lock(&m->lock);
		TRY(err);
	}
}

static err_t range_write(struct memobj *m, uint64_t offset, uaddr_t from, size_t bytes, size_t *done)
{
	while (*done < bytes) {
		uaddr_t source = uaddr(from.raw + *done);
		uint64_t part = part_in_page(source.raw, part_in_page(offset + *done, bytes - *done));
		TRY(copy_pause(*done, offset + *done));
		spin_lock(&m->lock);
		err_t err = memobj_part_change(m, offset + *done, &source, part);
		spin_unlock(&m->lock);
		if (err)
			return err == ERR_NOMEM ? ERR_NOSPC : err;
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
	else if (m->is_sealed && *offset + bytes > m->bytes)
		err = ERR_PERM;
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
	if (m->bytes == *offset + bytes)
		m->bytes = *offset + *done;
	spin_unlock(&m->lock);
	return err;
}
