/* fs/ramfs/test_backing.h - for host tests: contents, pipes and answers made of malloc, and short names for what tests do. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "abi/proto/file.h"
#include "fs/ramfs/call.h"
#include "fs/ramfs/dir.h"
#include "fs/ramfs/fifo.h"
#include "fs/ramfs/fs.h"
#include "fs/ramfs/lock.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "fs/ramfs/tree.h"
#include "lib/native/heap.h"
#include "lib/test/test.h"

enum { TEST_CONTENTS = 1024, TEST_ANSWERS = 64 };

struct test_content {
	enum { TEST_FREE, TEST_BYTES, TEST_PIPE, TEST_END } kind;
	uint8_t *bytes;
	uint64_t length, changed_ns;
	uint32_t readers, writers;
	content_t pipe;
	enum pipe_end end;
};

struct test_answer { uint64_t tag; err_t err; content_t end; };

static struct test_content test_contents[TEST_CONTENTS];
static struct test_answer test_answers[TEST_ANSWERS];
static unsigned test_answer_count;
static int64_t test_now = 1000000000000;
static uint8_t test_image[16384];
/* The n-th content operation from now fails; 0 never. */
static uint64_t test_content_fails;

static bool test_content_failing(void)
{
	return test_content_fails > 0 && --test_content_fails == 0;
}

static int64_t test_now_ns(void)
{
	return ++test_now;
}

static void test_space(uint64_t *total, uint64_t *free_bytes)
{
	*total = 64 << 20;
	*free_bytes = 32 << 20;
}

static err_t test_take(unsigned kind, content_t *out)
{
	if (test_content_failing())
		return ERR_NOMEM;
	for (content_t i = 0; i < TEST_CONTENTS; i++)
		if (test_contents[i].kind == TEST_FREE) {
			test_contents[i] = (struct test_content){ .kind = kind };
			*out = i;
			return OK;
		}
	return ERR_MFILE;
}

static err_t test_content_new(content_t *out)
{
	return test_take(TEST_BYTES, out);
}

static err_t test_content_resize(content_t c, uint64_t bytes)
{
	struct test_content *t = &test_contents[c];
	uint8_t *grown;

	if (test_content_failing())
		return ERR_NOMEM;
	CHECK_EQ((int)t->kind, TEST_BYTES);
	grown = calloc(1, bytes + 1);
	if (t->bytes)
		memcpy(grown, t->bytes, bytes < t->length ? bytes : t->length);
	free(t->bytes);
	t->bytes = grown;
	t->length = bytes;
	t->changed_ns = (uint64_t)++test_now;
	return OK;
}

static err_t test_content_clone(uint64_t offset, uint64_t bytes, content_t *out)
{
	err_t err;

	CHECK(offset % 4096 == 0 && offset + bytes <= sizeof(test_image));
	if ((err = test_take(TEST_BYTES, out)))
		return err;
	test_contents[*out].bytes = calloc(1, bytes + 1);
	memcpy(test_contents[*out].bytes, test_image + offset, bytes);
	test_contents[*out].length = bytes;
	return OK;
}

static void test_content_drop(content_t c)
{
	struct test_content *t = &test_contents[c];

	CHECK((int)t->kind != TEST_FREE);
	if (t->kind == TEST_END) {
		test_contents[t->pipe].readers -= (t->end & PIPE_READ) != 0;
		test_contents[t->pipe].writers -= (t->end & PIPE_WRITE) != 0;
	}
	free(t->bytes);
	*t = (struct test_content){ 0 };
}

static err_t test_content_info(content_t c, struct mem_info *out)
{
	*out = (struct mem_info){ .bytes = test_contents[c].length, .held_bytes = (test_contents[c].length + 4095) & ~4095ull,
	                          .changed_ns = test_contents[c].changed_ns };
	return OK;
}

static err_t test_content_zero(content_t c, uint64_t offset, uint64_t bytes)
{
	if (test_content_failing())
		return ERR_NOMEM;
	CHECK(offset + bytes <= test_contents[c].length);
	memset(test_contents[c].bytes + offset, 0, bytes);
	return OK;
}

static err_t test_content_next_data(content_t c, uint64_t offset, uint64_t *out)
{
	for (*out = offset; *out < test_contents[c].length; ++*out)
		if (test_contents[c].bytes[*out])
			return OK;
	return ERR_NXIO;
}

static err_t test_pipe_new(content_t *out)
{
	return test_take(TEST_PIPE, out);
}

static err_t test_pipe_open(content_t pipe, enum pipe_end end, uint32_t open_flags, content_t *out)
{
	err_t err;

	(void)open_flags;
	if ((err = test_take(TEST_END, out)))
		return err;
	test_contents[*out].pipe = pipe;
	test_contents[*out].end = end;
	test_contents[pipe].readers += (end & PIPE_READ) != 0;
	test_contents[pipe].writers += (end & PIPE_WRITE) != 0;
	return OK;
}

static err_t test_pipe_ends(content_t pipe, uint32_t *readers, uint32_t *writers)
{
	*readers = test_contents[pipe].readers;
	*writers = test_contents[pipe].writers;
	return OK;
}

static void test_finish_open(uint64_t tag, content_t end)
{
	CHECK(test_answer_count < TEST_ANSWERS);
	test_answers[test_answer_count++] = (struct test_answer){ tag, OK, end };
}

static void test_finish(uint64_t tag, err_t err)
{
	CHECK(test_answer_count < TEST_ANSWERS);
	test_answers[test_answer_count++] = (struct test_answer){ tag, err, CONTENT_NONE };
}

static uint64_t test_hurried;           /* the last number */
static void test_close_soon(uint64_t number) { test_hurried = number; }

static const struct backing test_backing = {
	.now_ns = test_now_ns, .space = test_space,
	.content_new = test_content_new, .content_clone = test_content_clone, .content_drop = test_content_drop,
	.content_resize = test_content_resize, .content_info = test_content_info, .content_zero = test_content_zero,
	.content_next_data = test_content_next_data,
	.pipe_new = test_pipe_new, .pipe_open = test_pipe_open, .pipe_ends = test_pipe_ends,
	.close_soon = test_close_soon, .finish = test_finish, .finish_open = test_finish_open,
};

/* ---- Short names: one file system, paths as C strings ---- */

static struct fs F;
static const struct sender root = { .pid = 1, .uid = 0, .gid = 0 };
static const struct sender alice = { .pid = 100, .uid = 100, .gid = 10 };
static const struct sender bob = { .pid = 200, .uid = 200, .gid = 20 };
static const struct sender carol = { .pid = 300, .uid = 300, .gid = 10 };   /* in alice's group */

UNUSED static struct where at(const struct sender *s, const char *path)
{
	return (struct where){ s, F.root, path, strlen(path) };
}

UNUSED static struct where from(const struct sender *s, struct node *n, const char *path)
{
	return (struct where){ s, n, path, strlen(path) };
}

UNUSED static void begin(void)
{
	test_answer_count = 0;
	CHECK_EQ(fs_init(&F, &test_backing, 0x1234567890abcdef), OK);
	F.root->mode = MODE_DIRECTORY | 0777;
}

UNUSED static unsigned contents_in_use(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < TEST_CONTENTS; i++)
		count += test_contents[i].kind != TEST_FREE;
	return count;
}

/* Everything is given back: nodes, names, contents. */
UNUSED static void end(void)
{
	fs_fini(&F);
	CHECK_EQ(contents_in_use(), 0);
	CHECK_EQ(heap_used_bytes(), 0);
}

UNUSED static err_t do_mkdir(const struct sender *s, const char *path, uint32_t mode)
{
	struct where w = at(s, path);
	return tree_mkdir(&F, &w, mode);
}

UNUSED static err_t do_open(const struct sender *s, const char *path, uint32_t flags, uint32_t mode, struct open **id)
{
	struct where w = at(s, path);
	struct opened o;
	err_t err = open_path(&F, &w, flags, mode, 0, &o);

	if (!err)
		*id = o.open;
	return err;
}

/* Opens and closes at once. */
UNUSED static err_t do_try(const struct sender *s, const char *path, uint32_t flags)
{
	struct open *id;
	err_t err = do_open(s, path, flags, 0644, &id);

	if (!err)
		open_close(&F, id);
	return err;
}

UNUSED static err_t do_create(const struct sender *s, const char *path, uint32_t mode)
{
	struct open *id;
	err_t err = do_open(s, path, OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, mode, &id);

	if (!err)
		open_close(&F, id);
	return err;
}

/* What the kernel does for a client that writes. */
UNUSED static void do_write(struct open *o, const char *text)
{
	content_t c = o->node->file.content;

	CHECK_EQ(test_content_resize(c, strlen(text)), OK);
	memcpy(test_contents[c].bytes, text, strlen(text));
}

UNUSED static err_t do_unlink(const struct sender *s, const char *path)
{
	struct where w = at(s, path);
	return tree_unlink(&F, &w, 0);
}

UNUSED static err_t do_rmdir(const struct sender *s, const char *path)
{
	struct where w = at(s, path);
	return tree_unlink(&F, &w, AT_DIRECTORY);
}

UNUSED static err_t do_symlink(const struct sender *s, const char *target, const char *path)
{
	struct where w = at(s, path);
	return tree_symlink(&F, &w, target, strlen(target));
}

UNUSED static err_t do_link(const struct sender *s, const char *old, const char *new)
{
	struct where o = at(s, old), n = at(s, new);
	return tree_link(&F, &o, &n, AT_NOFOLLOW);
}

UNUSED static err_t do_rename(const struct sender *s, const char *old, const char *new, unsigned flags)
{
	struct where o = at(s, old), n = at(s, new);
	return tree_rename(&F, &o, &n, flags);
}

UNUSED static err_t do_mknod(const struct sender *s, const char *path, uint32_t mode, uint64_t rdev)
{
	struct where w = at(s, path);
	return tree_mknod(&F, &w, mode, rdev, CONTENT_NONE);
}

UNUSED static err_t do_chmod(const struct sender *s, const char *path, uint32_t mode)
{
	struct where w = at(s, path);
	return tree_chmod(&F, &w, mode, 0);
}

UNUSED static err_t do_chown(const struct sender *s, const char *path, uint32_t uid, uint32_t gid)
{
	struct where w = at(s, path);
	struct file_owner o = { uid, gid };
	return tree_chown(&F, &w, &o, 0);
}

UNUSED static err_t do_stat(const struct sender *s, const char *path, struct file_stat *out)
{
	struct where w = at(s, path);
	return tree_stat(&F, &w, AT_NOFOLLOW, out);
}

UNUSED static struct file_stat stat_of(const char *path)
{
	struct file_stat s;

	CHECK_EQ(do_stat(&root, path, &s), OK);
	return s;
}

UNUSED static err_t do_truncate(const struct sender *s, const char *path, uint64_t bytes)
{
	struct where w = at(s, path);
	return tree_truncate(&F, &w, bytes, false);
}

UNUSED static const char *path_of(struct open *o)
{
	static char buffer[8192];
	char *path;

	if (dir_path(o->node, o->serial, buffer, sizeof(buffer) - 1, &path))
		return "(none)";
	buffer[sizeof(buffer) - 1] = 0;
	return path;
}
