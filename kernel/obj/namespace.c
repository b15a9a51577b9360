/* kernel/obj/namespace.c - a list of bindings: names are few and looked up at OPEN only. */
#include "kernel/obj/namespace.h"
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"
#include "lib/base/string.h"

enum { NAMESPACE_NAMES_MAX = 256, NAMES_BYTES_MAX = 4096 };

struct binding {
	struct list_node link;
	struct resource *root;
	uint32_t name_bytes;
	char name[SCHEME_NAME_MAX];
};

/* Members: [l] lock. */
struct namespace {
	struct object object;
	struct spinlock lock;           /* RANK_NAMESPACE */
	struct list_node bindings;      /* [l] */
	uint32_t count;                 /* [l] */
};

err_t namespace_create(struct namespace **out)
{
	struct namespace *n = heap_new(struct namespace);
	if (!n)
		return ERR_NOMEM;
	object_init(&n->object);
	spin_init(&n->lock, RANK_NAMESPACE);
	list_init(&n->bindings);
	*out = n;
	return OK;
}

void namespace_get(struct namespace *n)
{
	object_get(&n->object);
}

void namespace_put(struct namespace *n)
{
	if (!n || !object_put(&n->object))
		return;
	while (!list_is_empty(&n->bindings)) {
		struct binding *b = list_first(&n->bindings, struct binding, link);
		list_remove(&b->link);
		resource_put(b->root);
		heap_delete(b);
	}
	heap_delete(n);
}

static struct binding *find(struct namespace *n, const char *name, size_t name_bytes) REQUIRES(&n->lock)
{
	struct binding *b;
	list_each(b, &n->bindings, link)
		if (b->name_bytes == name_bytes && memcmp(b->name, name, name_bytes) == 0)
			return b;
	return NULL;
}

err_t namespace_bind(struct namespace *n, const char *name, size_t name_bytes, struct resource *root)
{
	struct resource *old = root;
	err_t err = OK;

	if (name_bytes == 0 || name_bytes > SCHEME_NAME_MAX)
		return ERR_INVAL;
	struct binding *fresh = heap_new(struct binding);
	if (!fresh)
		return ERR_NOMEM;
	resource_get(root);
	spin_lock(&n->lock);
	struct binding *b = find(n, name, name_bytes);
	if (b) {
		old = b->root;
		b->root = root;
	} else if (n->count == NAMESPACE_NAMES_MAX) {
		err = ERR_NOSPC;
	} else {
		fresh->root = root;
		fresh->name_bytes = (uint32_t)name_bytes;
		memcpy(fresh->name, name, name_bytes);
		list_push_back(&n->bindings, &fresh->link);
		n->count++;
		fresh = NULL;
		old = NULL;
	}
	spin_unlock(&n->lock);
	if (fresh)
		heap_delete(fresh);
	resource_put(old);
	return err;
}

err_t namespace_unbind(struct namespace *n, const char *name, size_t name_bytes)
{
	spin_lock(&n->lock);
	struct binding *b = find(n, name, name_bytes);
	if (b) {
		list_remove(&b->link);
		n->count--;
	}
	spin_unlock(&n->lock);
	if (!b)
		return ERR_NODEV;
	resource_put(b->root);
	heap_delete(b);
	return OK;
}

err_t namespace_find(struct namespace *n, const char *name, size_t name_bytes, struct resource **out)
{
	spin_lock(&n->lock);
	struct binding *b = find(n, name, name_bytes);
	if (b) {
		resource_get(b->root);
		*out = b->root;
	}
	spin_unlock(&n->lock);
	return b ? OK : ERR_NODEV;
}

/* ---- as a resource ---- */

static err_t read_names(const struct call_args *a, char *names, size_t *bytes)
{
	if (a->in_bytes > NAMES_BYTES_MAX)
		return ERR_2BIG;
	*bytes = a->in_bytes;
	return copy_from_user(names, a->in, a->in_bytes);
}

/* Every binding of n, for NS_CLONE without names. */
static err_t copy_all(struct namespace *n, struct namespace *to)
{
	struct binding *b;
	err_t err = OK;

	for (uint32_t skip = 0; !err; skip++) {
		struct binding found = {0};
		uint32_t i = 0;
		spin_lock(&n->lock);
		list_each(b, &n->bindings, link)
			if (i++ == skip) {
				found = *b;
				resource_get(b->root);
				break;
			}
		spin_unlock(&n->lock);
		if (!found.root)
			break;
		err = namespace_bind(to, found.name, found.name_bytes, found.root);
		resource_put(found.root);
	}
	return err;
}

static err_t copy_named(struct namespace *n, struct namespace *to, const char *names, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		struct resource *root;
		size_t length = strnlen(names + at, bytes - at);
		err_t err = namespace_find(n, names + at, length, &root);
		if (err)
			return err;
		err = namespace_bind(to, names + at, length, root);
		resource_put(root);
		if (err)
			return err;
		at += length + 1;
	}
	return OK;
}

static int64_t clone(struct namespace *n, struct call_args *a, const char *names, size_t bytes)
{
	struct namespace *to;
	struct resource *r;
	err_t err;

	if ((err = namespace_create(&to)))
		return err;
	err = bytes ? copy_named(n, to, names, bytes) : copy_all(n, to);
	if (!err && !(err = namespace_resource(to, &r)))
		call_reply(a, r, RIGHT_ALL);
	namespace_put(to);
	return err;
}

static int64_t list_names(struct namespace *n, struct call_args *a, char *names)
{
	struct binding *b;
	size_t bytes = 0;

	spin_lock(&n->lock);
	list_each(b, &n->bindings, link) {
		if (bytes + b->name_bytes + 1 > NAMES_BYTES_MAX)
			break;
		memcpy(names + bytes, b->name, b->name_bytes);
		bytes += b->name_bytes;
		names[bytes++] = 0;
	}
	spin_unlock(&n->lock);
	err_t err = call_out(a, names, bytes);
	return err ? err : (int64_t)bytes;
}

static int64_t call_with_names(struct namespace *n, struct call_args *a, char *names)
{
	size_t bytes;
	err_t err;

	if ((err = read_names(a, names, &bytes)))
		return err;
	switch (a->code) {
	case NS_BIND:
		if (!a->passed.resource)
			return ERR_BADF;
		return namespace_bind(n, names, bytes, a->passed.resource);
	case NS_UNBIND:
		return namespace_unbind(n, names, bytes);
	case NS_CLONE:
		return clone(n, a, names, bytes);
	default:
		return list_names(n, a, names);
	}
}

static int64_t ns_call(struct resource *r, struct call_args *a)
{
	if (a->code < NS_BIND || a->code > NS_LIST)
		return ERR_NOTTY;
	if ((a->code == NS_BIND || a->code == NS_UNBIND) && !(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	char *names = heap_alloc(NAMES_BYTES_MAX);
	if (!names)
		return ERR_NOMEM;
	int64_t result = call_with_names(r->data, a, names);
	heap_free(names, NAMES_BYTES_MAX);
	return result;
}

static void ns_destroy(struct resource *r)
{
	namespace_put(r->data);
}

static const struct resource_ops namespace_ops = { .name = "namespace", .call = ns_call, .destroy = ns_destroy };

err_t namespace_resource(struct namespace *n, struct resource **out)
{
	err_t err = resource_create(&namespace_ops, n, 0, out);
	if (!err)
		namespace_get(n);
	return err;
}

struct namespace *namespace_of(struct resource *r)
{
	return resource_data(r, &namespace_ops);
}
