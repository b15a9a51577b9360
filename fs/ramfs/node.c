/* fs/ramfs/node.c - nodes: making, freeing, permissions, times, attributes.
 *
 * A file's bytes live in a memory object that the kernel reads and writes for the clients. It is made at the
 * first open: empty, or as a copy-on-write copy of the file's window of the initfs image. Once the
 * file was open for writing, only the object knows length and time of change, for a mapping may change it long
 * after the last close. One that was never written, or is empty, is dropped when many are idle, and made again.
 */
#include "fs/ramfs/node.h"
#include "fs/ramfs/dir.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

enum { IDLE_MAX = 512, BLOCK_BYTES = 4096, DEVICE_NUMBER = 1 };
#define NS_PER_SECOND 1000000000ll
#define DAY_NS (24 * 60 * 60 * NS_PER_SECOND)

err_t node_create(struct fs *fs, uint32_t mode, uint32_t uid, uint32_t gid, int64_t now_ns, struct node **out)
{
	struct node *n;

	if (fs->node_count >= fs->node_max || !(n = heap_new(struct node)))
		return ERR_NOSPC;
	n->number = fs->next_number++;
	n->mode = mode;
	n->uid = uid;
	n->gid = gid;
	n->refs = 1;
	n->accessed_ns = n->modified_ns = n->changed_ns = n->born_ns = now_ns;
	list_init(&n->names);
	list_init(&n->locks);
	if (node_is(n, MODE_FILE)) {
		n->file.content = CONTENT_NONE;
		list_init(&n->file.idle);
	} else if (node_is_dir(n)) {
		list_init(&n->dir.entries);
		n->dir.next_cookie = COOKIE_FIRST;
	} else if (!node_is(n, MODE_SYMLINK)) {
		n->special.pipe = CONTENT_NONE;
	}
	fs->node_count++;
	*out = n;
	return OK;
}

static void idle_remove(struct fs *fs, struct node *n)
{
	if (list_is_empty(&n->file.idle))
		return;
	list_remove(&n->file.idle);
	fs->idle_count--;
}

static void content_forget(struct fs *fs, struct node *n)
{
	idle_remove(fs, n);
	if (n->file.content != CONTENT_NONE)
		fs->backing->content_drop(n->file.content);
	n->file.content = CONTENT_NONE;
	n->file.written = false;
	n->file.held_bytes = 0;
}

/* Frees n and says whose reference it held. */
static struct node *node_destroy(struct fs *fs, struct node *n)
{
	struct node *parent = NULL;

	ASSERT(list_is_empty(&n->locks));
	if (node_is(n, MODE_FILE))
		content_forget(fs, n);
	else if (node_is_dir(n))
		parent = n->dir.parent != n ? n->dir.parent : NULL;
	else if (!node_is(n, MODE_SYMLINK) && n->special.pipe != CONTENT_NONE)
		fs->backing->content_drop(n->special.pipe);
	else if (node_is(n, MODE_SYMLINK) && !n->link.borrowed)
		heap_free((void *)(uintptr_t)n->link.target, n->link.bytes);
	heap_delete(n);
	fs->node_count--;
	return parent;
}

void node_put(struct fs *fs, struct node *n)
{
	struct node *next = n;

	while (next) {
		n = next;
		ASSERT(n->refs > 0);
		if (--n->refs > 0 || n->links > 0)
			return;
		next = node_destroy(fs, n);
	}
}

err_t node_set_target(struct node *n, const char *target, size_t bytes, bool borrowed)
{
	char *copy;

	if (!borrowed) {
		if (!(copy = heap_alloc(bytes)))
			return ERR_NOSPC;
		memcpy(copy, target, bytes);
		target = copy;
	}
	n->link.target = target;
	n->link.bytes = (uint32_t)bytes;
	n->link.borrowed = borrowed;
	return OK;
}

bool (*sender_has_group)(const struct sender *s, uint32_t gid);

bool sender_in_group(const struct sender *s, uint32_t gid)
{
	return s->gid == gid || (sender_has_group && sender_has_group(s, gid));
}

err_t node_access(const struct node *n, const struct sender *s, unsigned want)
{
	unsigned granted = n->mode;

	if (s->uid == 0) {
		if ((want & MAY_EXEC) && !node_is_dir(n) && !(n->mode & 0111))
			return ERR_ACCES;
		return OK;
	}
	if (s->uid == n->uid)
		granted >>= 6;
	else if (((granted ^ granted >> 3) & want) && sender_in_group(s, n->gid))
		granted >>= 3;          /* (the look-up costs: only where it matters) */
	return (want & ~granted) ? ERR_ACCES : OK;
}

void node_touch(struct fs *fs, struct node *n, unsigned times)
{
	int64_t now = fs->backing->now_ns();

	if (times & NODE_TIME_MODIFIED)
		n->modified_ns = now;
	if (times & NODE_TIME_CHANGED)
		n->changed_ns = now;
	if (times & NODE_TIME_ACCESSED)
		n->accessed_ns = now;
}

void node_touch_accessed(struct fs *fs, struct node *n)
{
	int64_t now = fs->backing->now_ns();

	if (n->accessed_ns <= n->modified_ns || n->accessed_ns <= n->changed_ns || now - n->accessed_ns >= DAY_NS)
		n->accessed_ns = now;
}

void node_refresh(struct fs *fs, struct node *n)
{
	struct mem_info info;

	if (!node_is(n, MODE_FILE) || n->file.content == CONTENT_NONE || !n->file.written)
		return;
	if (fs->backing->content_info(n->file.content, &info))
		return;
	n->file.bytes = info.bytes;
	n->file.held_bytes = info.held_bytes;
	n->file.image_bytes = MIN_OF(n->file.image_bytes, info.bytes);
	if (info.changed_ns == n->file.seen_ns)
		return;
	n->file.seen_ns = info.changed_ns;
	if (n->file.user_writes)
		node_drop_setid(n, NULL);
	n->modified_ns = (int64_t)info.changed_ns;
	n->changed_ns = MAX_OF(n->changed_ns, n->modified_ns);
}

uint32_t node_lost_setid(const struct node *n, const struct sender *s)
{
	uint32_t lost = MODE_SETUID;

	if (node_is_dir(n))
		return 0;
	if ((n->mode & 010) || (s && s->uid != 0 && !sender_in_group(s, n->gid)))
		lost |= MODE_SETGID;
	return n->mode & lost;
}

void node_drop_setid(struct node *n, const struct sender *s)
{
	n->mode &= ~node_lost_setid(n, s);
}

int64_t time_to_ns(const struct file_time *t)
{
	int64_t ns;

	if (__builtin_mul_overflow(t->seconds, NS_PER_SECOND, &ns) || __builtin_add_overflow(ns, (int64_t)t->nanoseconds, &ns))
		return t->seconds < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

static struct file_time time_from_ns(int64_t ns)
{
	int64_t seconds = ns / NS_PER_SECOND, rest = ns % NS_PER_SECOND;

	if (rest < 0) {
		seconds--;
		rest += NS_PER_SECOND;
	}
	return (struct file_time){ .seconds = seconds, .nanoseconds = (uint32_t)rest };
}

static uint64_t file_blocks(const struct node *n)
{
	uint64_t most = round_up(n->file.bytes, BLOCK_BYTES);
	uint64_t held = n->file.held_bytes + round_up(n->file.image_bytes, BLOCK_BYTES);

	return MIN_OF(held, most) / 512;
}

void node_stat(struct fs *fs, struct node *n, struct file_stat *out)
{
	node_refresh(fs, n);
	*out = (struct file_stat){
		.device = DEVICE_NUMBER, .node = n->number,
		.mode = n->mode, .links = n->links, .uid = n->uid, .gid = n->gid,
		.block_bytes = BLOCK_BYTES,
		.accessed = time_from_ns(n->accessed_ns), .modified = time_from_ns(n->modified_ns),
		.changed = time_from_ns(n->changed_ns), .born = time_from_ns(n->born_ns),
	};
	if (node_is(n, MODE_FILE)) {
		out->bytes = n->file.bytes;
		out->blocks = file_blocks(n);
	} else if (node_is_dir(n)) {
		out->bytes = ((uint64_t)n->dir.count + 2) * 32;
	} else if (node_is(n, MODE_SYMLINK)) {
		out->bytes = n->link.bytes;
	} else {
		out->rdev = n->special.rdev;
	}
}

/* Gives up the objects longest unused, when there are too many or memory is short. */
static void idle_trim(struct fs *fs, uint32_t keep)
{
	while (fs->idle_count > keep)
		content_forget(fs, list_first(&fs->idle, struct node, file.idle));
}

static err_t content_make(struct fs *fs, struct node *n)
{
	if (n->file.image_bytes == 0)
		return fs->backing->content_new(&n->file.content);
	return fs->backing->content_clone(n->file.image_offset, n->file.image_bytes, &n->file.content);
}

err_t node_content(struct fs *fs, struct node *n, content_t *out)
{
	struct mem_info info;
	err_t err;

	if (n->file.content == CONTENT_NONE) {
		err = content_make(fs, n);
		if (err && fs->idle_count > 0) {
			idle_trim(fs, 0);
			err = content_make(fs, n);
		}
		if (err) {
			n->file.content = CONTENT_NONE;
			return err;
		}
		/* That it was just made is no change of the file. */
		n->file.seen_ns = fs->backing->content_info(n->file.content, &info) == OK ? info.changed_ns : 0;
	}
	*out = n->file.content;
	return OK;
}

void node_content_open(struct fs *fs, struct node *n, bool for_writing)
{
	ASSERT(n->file.content != CONTENT_NONE);
	idle_remove(fs, n);
	n->file.opens++;
	n->file.written |= for_writing;
}

void node_content_close(struct fs *fs, struct node *n)
{
	ASSERT(n->file.opens > 0);
	if (--n->file.opens > 0)
		return;
	node_refresh(fs, n);
	n->file.user_writes = false;
	/* What can be made again: the image's bytes, or none. */
	if (n->file.written && n->file.bytes > 0)
		return;
	list_push_back(&fs->idle, &n->file.idle);
	fs->idle_count++;
	idle_trim(fs, IDLE_MAX);
}

err_t node_resize(struct fs *fs, struct node *n, uint64_t bytes)
{
	struct mem_info info;
	content_t content;
	uint64_t image_bytes = n->file.image_bytes;
	err_t err;

	if (bytes > FILE_BYTES_MAX)
		return ERR_FBIG;
	node_refresh(fs, n);
	/* Nothing of the image is wanted: no need to copy it. */
	if (bytes == 0 && n->file.content == CONTENT_NONE)
		n->file.image_bytes = 0;
	if ((err = node_content(fs, n, &content))) {
		n->file.image_bytes = image_bytes;
		return err;
	}
	/* An idle object could be made again as it was: not this one any more. */
	idle_remove(fs, n);
	n->file.written = true;
	if (bytes != n->file.bytes && (err = fs->backing->content_resize(content, bytes)))
		return err;
	n->file.bytes = bytes;
	n->file.image_bytes = MIN_OF(n->file.image_bytes, bytes);
	if (fs->backing->content_info(content, &info) == OK) {
		n->file.held_bytes = info.held_bytes;
		n->file.seen_ns = info.changed_ns;
	}
	node_touch(fs, n, NODE_TIME_MODIFIED | NODE_TIME_CHANGED);
	return OK;
}
