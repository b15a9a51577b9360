/* fs/ramfs/model_test.c - thousands of random operations against a simple model of what a file system is, some of them
 * without memory. RAMFS_SEED=N in the environment chooses the sequence; a failure prints it.
 */
#include <stdio.h>
#include <stdlib.h>
#include "fs/ramfs/test_backing.h"

/* The model: names that know their parent, and the things they name. */
enum { NAMES = 7, MODEL_MAX = 600, HANDLES = 12, STEPS = 20000 };

struct thing { int links; uint32_t type; uint64_t bytes; };
struct name { bool used; int parent; char text[8]; int thing; };

static struct thing things[MODEL_MAX];
static struct name names[MODEL_MAX];            /* 0: the root */
static struct { struct open *open; int thing; } handles[HANDLES];

static uint32_t dice(uint32_t sides)
{
	return (uint32_t)(test_random() % sides);
}

static int model_find(int dir, const char *text)
{
	for (int i = 1; i < MODEL_MAX; i++)
		if (names[i].used && names[i].parent == dir && !strcmp(names[i].text, text))
			return i;
	return -1;
}

static bool model_is_dir(int name)
{
	return things[names[name].thing].type == MODE_DIRECTORY;
}

static bool model_is_empty(int dir)
{
	for (int i = 1; i < MODEL_MAX; i++)
		if (names[i].used && names[i].parent == dir)
			return false;
	return true;
}

static bool model_is_within(int name, int top)
{
	while (name != top && name != 0)
		name = names[name].parent;
	return name == top;
}

/* A place: a directory of the model (by a path of up to two names) and a last name. */
struct spot { int dir; char last[8]; char path[1024]; err_t err; };

/* The path of a name of the model; its length. */
static size_t model_path(int name, char *path)
{
	if (name == 0)
		return 0;
	size_t used = model_path(names[name].parent, path);
	return used + (size_t)sprintf(path + used, "/%s", names[name].text);
}

static struct spot random_spot(void)
{
	struct spot s = { .dir = 0 };
	uint32_t depth = dice(3);
	char text[8];
	size_t used = 0;
	int start = (int)dice(MODEL_MAX);

	/* Half of them below some directory that there is, however deep. */
	if (dice(2) && names[start].used && model_is_dir(start)) {
		s.dir = start;
		used = model_path(start, s.path);
		depth = 0;
	}
	for (uint32_t i = 0; i < depth; i++) {
		snprintf(text, sizeof(text), "n%u", dice(NAMES));
		used += (size_t)snprintf(s.path + used, sizeof(s.path) - used, "/%s", text);
		if (s.err)
			continue;
		int next = model_find(s.dir, text);
		if (next < 0 || things[names[next].thing].type == MODE_SYMLINK)
			s.err = ERR_NOENT;      /* the links lead nowhere */
		else if (!model_is_dir(next))
			s.err = ERR_NOTDIR;
		else
			s.dir = next;
	}
	snprintf(s.last, sizeof(s.last), "n%u", dice(NAMES));
	snprintf(s.path + used, sizeof(s.path) - used, "/%s", s.last);
	return s;
}

static int model_add(int dir, const char *text, int thing)
{
	for (int i = 1; i < MODEL_MAX; i++)
		if (!names[i].used) {
			names[i] = (struct name){ .used = true, .parent = dir, .thing = thing };
			strcpy(names[i].text, text);
			things[thing].links++;
			return i;
		}
	abort();
}

static int model_new(uint32_t type)
{
	for (int i = 0; i < MODEL_MAX; i++) {
		bool open = false;
		for (int h = 0; h < HANDLES; h++)
			open |= handles[h].open && handles[h].thing == i;
		if (things[i].links == 0 && !open) {
			things[i] = (struct thing){ .type = type };
			return i;
		}
	}
	abort();
}

static void model_remove(int name)
{
	things[names[name].thing].links--;
	names[name].used = false;
}

static err_t model_rename(const struct spot *a, const struct spot *b, unsigned flags)
{
	if (a->err || b->err)
		return a->err ? a->err : b->err;
	int old = model_find(a->dir, a->last), new = model_find(b->dir, b->last);
	if (old < 0)
		return ERR_NOENT;
	if ((flags & AT_NOREPLACE) && new >= 0)
		return ERR_EXIST;
	if ((flags & AT_EXCHANGE) && new < 0)
		return ERR_NOENT;
	if (model_is_dir(old) && model_is_within(b->dir, old))
		return ERR_INVAL;
	if (new >= 0 && model_is_dir(new) && model_is_within(a->dir, new))
		return flags & AT_EXCHANGE ? ERR_INVAL : ERR_NOTEMPTY;
	if (new >= 0 && names[old].thing == names[new].thing)
		return OK;
	if (flags & AT_EXCHANGE) {
		struct name keep = names[old];
		names[old].parent = names[new].parent;
		strcpy(names[old].text, names[new].text);
		names[new].parent = keep.parent;
		strcpy(names[new].text, keep.text);
		return OK;
	}
	if (new >= 0) {
		if (model_is_dir(old) != model_is_dir(new))
			return model_is_dir(old) ? ERR_NOTDIR : ERR_ISDIR;
		if (model_is_dir(new) && !model_is_empty(new))
			return ERR_NOTEMPTY;
		model_remove(new);
	}
	names[old].parent = b->dir;
	strcpy(names[old].text, b->last);
	return OK;
}

/* The model's answer must be ours, unless memory ran out: then nothing changed. */
static bool same(err_t got, err_t wanted, const char *what, const char *path)
{
	if (got == ERR_NOSPC || got == ERR_NOMEM)
		return false;
	if (got != wanted)
		test_fail(__FILE__, __LINE__, "%s %s gave %d, the model %d", what, path, got, wanted);
	return got == OK;
}

static void step_mkdir(void)
{
	struct spot s = random_spot();
	err_t wanted = s.err ? s.err : model_find(s.dir, s.last) >= 0 ? ERR_EXIST : OK;

	if (same(do_mkdir(&root, s.path, 0755), wanted, "mkdir", s.path))
		model_add(s.dir, s.last, model_new(MODE_DIRECTORY));
}

static void step_symlink(void)
{
	struct spot s = random_spot();
	err_t wanted = s.err ? s.err : model_find(s.dir, s.last) >= 0 ? ERR_EXIST : OK;

	if (same(do_symlink(&root, "somewhere/else", s.path), wanted, "symlink", s.path)) {
		int t = model_new(MODE_SYMLINK);
		things[t].bytes = 14;
		model_add(s.dir, s.last, t);
	}
}

static void step_remove(bool want_dir)
{
	struct spot s = random_spot();
	int name = s.err ? -1 : model_find(s.dir, s.last);
	err_t wanted = s.err ? s.err : name < 0 ? ERR_NOENT : OK;

	if (!wanted && want_dir)
		wanted = !model_is_dir(name) ? ERR_NOTDIR : !model_is_empty(name) ? ERR_NOTEMPTY : OK;
	else if (!wanted && model_is_dir(name))
		wanted = ERR_ISDIR;
	if (same(want_dir ? do_rmdir(&root, s.path) : do_unlink(&root, s.path), wanted, "remove", s.path))
		model_remove(name);
}

static void step_rename(void)
{
	static const unsigned ways[] = { 0, 0, AT_NOREPLACE, AT_EXCHANGE };
	struct spot a = random_spot(), b = random_spot();
	unsigned flags = ways[dice(4)];
	struct name names_before[MODEL_MAX];
	struct thing things_before[MODEL_MAX];

	memcpy(names_before, names, sizeof(names));
	memcpy(things_before, things, sizeof(things));
	err_t wanted = model_rename(&a, &b, flags), got = do_rename(&root, a.path, b.path, flags);
	if (!same(got, wanted, "rename", a.path)) {
		memcpy(names, names_before, sizeof(names));
		memcpy(things, things_before, sizeof(things));
	}
}

static void step_link(void)
{
	struct spot a = random_spot(), b = random_spot();
	int old = a.err ? -1 : model_find(a.dir, a.last);
	err_t wanted = a.err ? a.err : old < 0 ? ERR_NOENT : b.err ? b.err : model_find(b.dir, b.last) >= 0 ? ERR_EXIST :
	               model_is_dir(old) ? ERR_PERM : OK;

	if (same(do_link(&root, a.path, b.path), wanted, "link", a.path))
		model_add(b.dir, b.last, names[old].thing);
}

static void step_open(void)
{
	uint32_t h = dice(HANDLES);
	struct spot s = random_spot();
	int name = s.err ? -1 : model_find(s.dir, s.last);
	err_t wanted = s.err;
	struct open *o = NULL;

	if (handles[h].open) {
		open_close(&F, handles[h].open);
		handles[h].open = NULL;
	}
	if (!wanted && name >= 0)
		wanted = things[names[name].thing].type == MODE_SYMLINK ? ERR_LOOP : model_is_dir(name) ? ERR_ISDIR : OK;
	if (!same(do_open(&root, s.path, OPEN_READ | OPEN_WRITE | OPEN_CREATE | OPEN_NOFOLLOW, 0644, &o), wanted, "open", s.path))
		return;
	if (name < 0)
		name = model_add(s.dir, s.last, model_new(MODE_FILE));
	handles[h].open = o;
	handles[h].thing = names[name].thing;
	test_content_fails = 0;
	if (dice(2)) {
		do_write(o, "some text");
		things[handles[h].thing].bytes = 9;
	}
}

static void step_truncate(void)
{
	struct spot s = random_spot();
	int name = s.err ? -1 : model_find(s.dir, s.last);
	err_t wanted = s.err ? s.err : name < 0 ? ERR_NOENT : model_is_dir(name) ? ERR_ISDIR : OK;
	uint64_t bytes = dice(5000);

	if (!wanted && things[names[name].thing].type == MODE_SYMLINK)
		wanted = ERR_NOENT;
	if (same(do_truncate(&root, s.path, bytes), wanted, "truncate", s.path))
		things[names[name].thing].bytes = bytes;
}

/* Everything that the model knows is so, and there is nothing else. */
static void compare(int dir, const char *path)
{
	static _Alignas(8) char buffer[4096];
	char child[2048];
	unsigned listed = 0, known = 0;
	size_t used;
	struct file_stat s = stat_of(path);

	for (int i = 1; i < MODEL_MAX; i++)
		if (names[i].used && names[i].parent == dir) {
			struct thing *t = &things[names[i].thing];
			known++;
			snprintf(child, sizeof(child), "%s%s%s", path, path[1] ? "/" : "", names[i].text);
			s = stat_of(child);
			CHECK_EQ(s.mode & MODE_TYPE, t->type);
			if (t->type == MODE_DIRECTORY)
				compare(i, child);
			else
				CHECK(s.links == (unsigned)t->links && s.bytes == t->bytes);
		}
	struct where w = at(&root, path);
	struct opened o;
	CHECK_EQ(open_path(&F, &w, OPEN_READ, 0, 0, &o), OK);
	CHECK_EQ(dir_list(o.open->node, 2, buffer, sizeof(buffer), &used), OK);
	for (size_t i = 0; i < used; i += ((struct file_entry *)(void *)(buffer + i))->entry_bytes)
		listed++;
	CHECK_EQ(listed, known);
	CHECK_STR(path_of(o.open), path);
	open_close(&F, o.open);
}

static bool model_is_full(void)
{
	unsigned used = 0;

	for (int i = 0; i < MODEL_MAX; i++)
		used += names[i].used;
	return used > MODEL_MAX - 50;
}

/* Takes away every name that can be taken away. */
static void prune(void)
{
	char path[1024];

	for (int i = 1; i < MODEL_MAX; i++) {
		if (!names[i].used || (model_is_dir(i) && !model_is_empty(i)))
			continue;
		model_path(i, path);
		CHECK_EQ(model_is_dir(i) ? do_rmdir(&root, path) : do_unlink(&root, path), OK);
		model_remove(i);
	}
}

static void step(void)
{
	switch (dice(9)) {
	case 0:
		return step_mkdir();
	case 1:
		return step_symlink();
	case 2:
		return step_remove(false);
	case 3:
		return step_remove(true);
	case 4: case 5:
		return step_rename();
	case 6:
		return step_link();
	case 7:
		return step_truncate();
	default:
		return step_open();
	}
}

static void run_model(bool fail)
{
	const char *text = getenv("RAMFS_SEED");
	uint32_t seed = text ? (uint32_t)strtoul(text, NULL, 0) : 1;

	begin();
	memset(names, 0, sizeof(names));
	memset(things, 0, sizeof(things));
	memset(handles, 0, sizeof(handles));
	names[0].used = true;
	things[model_new(MODE_DIRECTORY)].links = 1;
	printf("# RAMFS_SEED=%u\n", seed);
	for (uint32_t i = 0; i < seed; i++)
		test_random();
	for (unsigned i = 0; i < STEPS; i++) {
		if (fail) {
			heap_fail_after(dice(4));
			test_content_fails = dice(3);
		}
		step();
		heap_fail_after(0);
		test_content_fails = 0;
		if (i % 250 == 0)
			compare(0, "/");
		if (model_is_full())
			prune();
	}
	for (int h = 0; h < HANDLES; h++)
		if (handles[h].open)
			open_close(&F, handles[h].open);
	CHECK_EQ(list_is_empty(&F.opens), 1);
	end();
}

TEST(random_operations_do_what_the_model_does)
{
	run_model(false);
}

TEST(random_operations_that_find_no_memory_change_nothing)
{
	run_model(true);
}
