/* fs/ramfs/dir.c - names: finding, adding, removing and listing them.
 *
 * One hash table holds the names of all directories, so that an empty directory costs nothing and a
 * large one needs nothing special. The hash is keyed, for names come from users. A listing
 * goes by cookies that only rise in a directory: names added or removed meanwhile neither hide nor double others.
 */
#include "fs/ramfs/dir.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

#define HASH_FACTOR 0x9e3779b97f4a7c15ull

static uint64_t hash_mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * HASH_FACTOR;
	return h ^ h >> 32;
}

static uint32_t name_hash(const struct fs *fs, const struct node *dir, const char *name, size_t bytes)
{
	uint64_t h = hash_mix(fs->hash_seed + bytes, dir->number);
	uint64_t word;

	for (; bytes >= 8; bytes -= 8, name += 8) {
		__builtin_memcpy(&word, name, 8);
		h = hash_mix(h, word);
	}
	for (word = 0; bytes > 0; bytes--)
		word = word << 8 | (uint8_t)*name++;
	h = hash_mix(h, word);
	return (uint32_t)hash_mix(h, fs->hash_seed);
}

static struct entry **bucket_of(struct fs *fs, uint32_t hash)
{
	return &fs->table[hash & (fs->table_count - 1)];
}

void dir_reserve(struct fs *fs, size_t count)
{
	size_t wanted = fs->table_count ? fs->table_count : 64;
	struct entry **old = fs->table, **table, *e;
	size_t old_count = fs->table_count;

	while (wanted < count)
		wanted *= 2;
	if (wanted == old_count || !(table = heap_alloc(wanted * sizeof(struct entry *))))
		return;
	fs->table = table;
	fs->table_count = wanted;
	for (size_t i = 0; i < old_count; i++) {
		while ((e = old[i])) {
			old[i] = e->hash_next;
			e->hash_next = *bucket_of(fs, e->hash);
			*bucket_of(fs, e->hash) = e;
		}
	}
	heap_free(old, old_count * sizeof(struct entry *));
}

struct entry *dir_find(struct fs *fs, const struct node *dir, const char *name, size_t name_bytes)
{
	uint32_t hash = name_hash(fs, dir, name, name_bytes);

	for (struct entry *e = *bucket_of(fs, hash); e; e = e->hash_next)
		if (e->hash == hash && e->dir == dir && e->name_bytes == name_bytes && !memcmp(e->name, name, name_bytes))
			return e;
	return NULL;
}

static void dir_account(struct node *dir, const struct node *child, int change)
{
	if (!node_is_dir(child))
		return;
	dir->links += (uint32_t)change;
	dir->dir.dirs += (uint32_t)change;
}

/* A directory counts its own "." too. */
static uint32_t links_per_name(const struct node *n)
{
	return node_is_dir(n) ? 2 : 1;
}

static void dir_set_parent(struct fs *fs, struct node *n, struct node *parent)
{
	struct node *old = n->dir.parent;

	node_get(parent);
	n->dir.parent = parent;
	if (old)
		node_put(fs, old);
}

/* The bytes of an entry that holds its name itself, or not. */
static size_t entry_bytes(size_t name_bytes, bool borrowed)
{
	return sizeof(struct entry) + (borrowed ? 0 : name_bytes);
}

static void entry_destroy(struct entry *e)
{
	heap_free(e, entry_bytes(e->name_bytes, e->name != (const char *)(e + 1)));
}

static err_t entry_create(const char *name, size_t name_bytes, bool borrowed, struct entry **out)
{
	struct entry *e = heap_alloc(entry_bytes(name_bytes, borrowed));

	if (!e)
		return ERR_NOSPC;
	e->name = name;
	if (!borrowed)
		e->name = memcpy(e + 1, name, name_bytes);
	e->name_bytes = (uint16_t)name_bytes;
	*out = e;
	return OK;
}

static void entry_attach(struct fs *fs, struct entry *e, struct node *dir, struct node *node)
{
	if (fs->entry_count >= fs->table_count)
		dir_reserve(fs, fs->entry_count + 1);
	e->hash = name_hash(fs, dir, e->name, e->name_bytes);
	e->node = node;
	e->dir = dir;
	e->cookie = dir->dir.next_cookie++;
	e->hash_next = *bucket_of(fs, e->hash);
	*bucket_of(fs, e->hash) = e;
	fs->entry_count++;
	list_push_back(&dir->dir.entries, &e->in_dir);
	list_push_back(&node->names, &e->in_names);
	dir->dir.count++;
	node->links += links_per_name(node);
	dir_account(dir, node, 1);
	if (node_is_dir(node))
		dir_set_parent(fs, node, dir);
}

static void entry_detach(struct fs *fs, struct entry *e)
{
	struct entry **at = bucket_of(fs, e->hash);

	while (*at != e)
		at = &(*at)->hash_next;
	*at = e->hash_next;
	fs->entry_count--;
	if (e->dir->dir.cursor == e)
		e->dir->dir.cursor = NULL;
	list_remove(&e->in_dir);
	list_remove(&e->in_names);
	e->dir->dir.count--;
	e->node->links -= links_per_name(e->node);
	dir_account(e->dir, e->node, -1);
}

err_t dir_add(struct fs *fs, struct node *dir, const char *name, size_t name_bytes, bool borrowed,
              struct node *node, struct entry **out)
{
	struct entry *e;
	err_t err;

	ASSERT(name_bytes > 0 && name_bytes <= NAME_BYTES_MAX);
	DASSERT(!dir_find(fs, dir, name, name_bytes));
	if ((node_is_dir(node) ? dir->links : node->links) >= LINKS_MAX)
		return ERR_MLINK;
	if ((err = entry_create(name, name_bytes, borrowed, &e)))
		return err;
	e->serial = fs->next_serial++;
	entry_attach(fs, e, dir, node);
	if (out)
		*out = e;
	return OK;
}

void dir_remove(struct fs *fs, struct entry *e)
{
	struct node *node = e->node;

	node_get(node);
	entry_detach(fs, e);
	entry_destroy(e);
	if (node->links == 0 && node->refs > 1)
		open_hurry_all(fs, node);
	/* A directory's reference on its parent stays with it, so that ".." goes on working in it. */
	node_put(fs, node);
}

err_t dir_move(struct fs *fs, struct entry *e, struct node *dir, const char *name, size_t name_bytes)
{
	struct node *node = e->node;
	struct entry *moved;
	err_t err;

	if (node_is_dir(node) && dir != e->dir && dir->links >= LINKS_MAX)
		return ERR_MLINK;
	if ((err = entry_create(name, name_bytes, false, &moved)))
		return err;
	moved->serial = e->serial;
	entry_detach(fs, e);
	entry_destroy(e);
	entry_attach(fs, moved, dir, node);
	return OK;
}

void dir_swap(struct fs *fs, struct entry *a, struct entry *b)
{
	struct node *was_a = a->node, *was_b = b->node;
	uint64_t serial = a->serial;

	dir_account(a->dir, was_a, -1);
	dir_account(b->dir, was_b, -1);
	list_remove(&a->in_names);
	list_remove(&b->in_names);
	a->node = was_b;
	b->node = was_a;
	/* A handle opened as a follows its node. */
	a->serial = b->serial;
	b->serial = serial;
	list_push_back(&was_b->names, &a->in_names);
	list_push_back(&was_a->names, &b->in_names);
	dir_account(a->dir, was_b, 1);
	dir_account(b->dir, was_a, 1);
	if (node_is_dir(was_a))
		dir_set_parent(fs, was_a, b->dir);
	if (node_is_dir(was_b))
		dir_set_parent(fs, was_b, a->dir);
}

/* Appends one record; false: it does not fit. */
static bool list_put(char *out, size_t bytes, size_t *used, const struct node *n, uint64_t cookie, const char *name, size_t name_bytes)
{
	size_t need = round_up(sizeof(struct file_entry) + name_bytes, 8);
	struct file_entry *record = (void *)(out + *used);

	if (need > bytes - *used)
		return false;
	*record = (struct file_entry){
		.node = n->number, .cookie = cookie, .mode = n->mode & MODE_TYPE,
		.entry_bytes = (uint16_t)need, .name_bytes = (uint16_t)name_bytes,
	};
	memcpy(record + 1, name, name_bytes);
	memset((char *)(record + 1) + name_bytes, 0, need - sizeof(*record) - name_bytes);
	*used += need;
	return true;
}

/* The list position before the first entry after cookie. */
static struct list_node *list_seek(struct node *dir, uint64_t cookie)
{
	struct list_node *at = &dir->dir.entries;

	if (dir->dir.cursor && dir->dir.cursor->cookie <= cookie)
		at = &dir->dir.cursor->in_dir;
	while (at->next != &dir->dir.entries && container_of(at->next, struct entry, in_dir)->cookie <= cookie)
		at = at->next;
	return at;
}

err_t dir_list(struct node *dir, uint64_t cookie, void *out, size_t bytes, size_t *used)
{
	struct list_node *at;
	struct entry *e;

	*used = 0;
	if (cookie < 1 && !list_put(out, bytes, used, dir, 1, ".", 1))
		return ERR_INVAL;
	if (cookie < 2 && !list_put(out, bytes, used, dir->dir.parent, 2, "..", 2))
		return *used ? OK : ERR_INVAL;
	for (at = list_seek(dir, cookie); at->next != &dir->dir.entries; at = at->next) {
		e = container_of(at->next, struct entry, in_dir);
		if (!list_put(out, bytes, used, e->node, e->cookie, e->name, e->name_bytes)) {
			if (*used == 0)
				return ERR_INVAL;
			break;
		}
		dir->dir.cursor = e;
	}
	return OK;
}

bool dir_is_within(const struct node *dir, const struct node *top)
{
	while (dir != top && dir->dir.parent != dir)
		dir = dir->dir.parent;
	return dir == top;
}

struct entry *dir_entry_by_serial(const struct node *n, uint64_t serial)
{
	struct entry *e;

	list_each(e, &n->names, in_names)
		if (e->serial == serial)
			return e;
	return NULL;
}

err_t dir_path(const struct node *n, uint64_t serial, char *buffer, size_t bytes, char **out)
{
	struct entry *e = dir_entry_by_serial(n, serial);
	char *at = buffer + bytes;

	if (!(node_is_dir(n) && n->dir.parent == n) && list_is_empty(&n->names))
		return ERR_NOENT;
	while (!(node_is_dir(n) && n->dir.parent == n)) {
		if (!e && list_is_empty(&n->names))
			return ERR_NOENT;
		if (!e)
			e = list_first(&n->names, struct entry, in_names);
		if ((size_t)(at - buffer) < (size_t)e->name_bytes + 1)
			return ERR_NAMETOOLONG;
		at -= e->name_bytes;
		memcpy(at, e->name, e->name_bytes);
		*--at = '/';
		n = e->dir;
		e = NULL;
	}
	if (at == buffer + bytes) {
		if (bytes == 0)
			return ERR_NAMETOOLONG;
		*--at = '/';
	}
	*out = at;
	return OK;
}
