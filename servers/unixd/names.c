/* servers/unixd/names.c - the table of names. Those of dead sockets go when they are met, or when there are too many. */
#include "servers/unixd/names.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

enum { NAMES_MADE = 1 << 20 };

void names_init(struct names *n, bool (*is_alive)(handle_t), void (*drop)(handle_t))
{
	*n = (struct names){ .is_alive = is_alive, .drop = drop };
	for (size_t i = 0; i < NAME_BUCKETS; i++)
		list_init(&n->buckets[i]);
}

static struct list_node *bucket_of(struct names *n, const char *text, size_t bytes)
{
	uint32_t hash = 2166136261u;    /* FNV-1a */

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	return &n->buckets[(hash ^ hash >> 16) % NAME_BUCKETS];
}

static void name_remove(struct names *n, struct name *e)
{
	list_remove(&e->link);
	n->count--;
	n->drop(e->socket);
	heap_delete(e);
}

/* A living one; NULL. */
static struct name *find(struct names *n, const char *text, size_t bytes)
{
	struct name *e, *next;

	list_each_safe(e, next, bucket_of(n, text, bytes), link) {
		if (e->bytes != bytes || memcmp(e->text, text, bytes) != 0)
			continue;
		if (n->is_alive(e->socket))
			return e;
		name_remove(n, e);
	}
	return NULL;
}

err_t names_find(struct names *n, const char *text, size_t bytes, handle_t *out)
{
	struct name *e = find(n, text, bytes);

	if (!e)
		return ERR_CONNREFUSED;
	*out = e->socket;
	return OK;
}

/* Drops names of dead sockets; how many living ones the user has. */
static uint32_t sweep(struct names *n, uint32_t uid)
{
	struct name *e, *next;
	uint32_t count = 0;

	for (size_t i = 0; i < NAME_BUCKETS; i++)
		list_each_safe(e, next, &n->buckets[i], link) {
			if (!n->is_alive(e->socket))
				name_remove(n, e);
			else
				count += e->uid == uid;
		}
	return count;
}

static uint32_t count_of(struct names *n, uint32_t uid)
{
	struct name *e;
	uint32_t count = 0;

	for (size_t i = 0; i < NAME_BUCKETS; i++)
		list_each(e, &n->buckets[i], link)
			count += e->uid == uid;
	return count;
}

/* There are more than a user may have of both: some are free. */
static void make_name(struct names *n, char text[NAME_MADE_BYTES + 1])
{
	text[0] = 0;
	do {
		n->next_made = (n->next_made + 1) % NAMES_MADE;
		fmt(text + 1, NAME_MADE_BYTES, "%05x", n->next_made);
	} while (find(n, text, NAME_MADE_BYTES));
}

err_t names_add(struct names *n, const char *text, size_t bytes, uint32_t uid, handle_t socket, const struct name **out)
{
	char made[NAME_MADE_BYTES + 1];
	struct name *e;

	if (bytes > PIPE_NAME_MAX)
		return ERR_INVAL;
	if (bytes && find(n, text, bytes))
		return ERR_ADDRINUSE;
	if ((n->count >= NAMES_MAX || count_of(n, uid) >= NAMES_PER_USER) && (sweep(n, uid) >= NAMES_PER_USER || n->count >= NAMES_MAX))
		return ERR_NOSPC;
	if (!bytes) {
		make_name(n, made);
		text = made;
		bytes = NAME_MADE_BYTES;
	}
	if (!(e = heap_new(struct name)))
		return ERR_NOMEM;
	*e = (struct name){ .socket = socket, .uid = uid, .bytes = (uint32_t)bytes };
	memcpy(e->text, text, bytes);
	list_push_back(bucket_of(n, text, bytes), &e->link);
	n->count++;
	*out = e;
	return OK;
}
