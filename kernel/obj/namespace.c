/* kernel/obj/namespace.c - a list of bindings: names are few and looked up at OPEN only. */
#include "kernel/obj/namespace.h"
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/list.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

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

static void binding_destroy(struct binding *b)
{
	list_remove(&b->link);
	resource_put(b->root);
	heap_delete(b);
}

struct namespace *namespace_get(struct namespace *n)
{
	if (n)
		object_get(&n->object);
	return n;
}

void namespace_put(struct namespace *n)
{
	if (!n || !object_put(&n->object))
		return;
	while (!list_is_empty(&n->bindings))
		binding_destroy(list_first(&n->bindings, struct binding, link));
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

/* Adds or replaces a binding; *old is the root to be put once no lock is held. */
static err_t bind(struct namespace *n, const char *name, size_t name_bytes, struct resource *root, struct resource **old)
	REQUIRES(&n->lock)
{
	struct binding *b = find(n, name, name_bytes);

	*old = b ? b->root : NULL;
	if (!b) {
		if (n->count == NAMESPACE_NAMES_MAX)
			return ERR_NOSPC;
		if (!(b = heap_new(struct binding)))
			return ERR_NOMEM;
		b->name_bytes = (uint32_t)name_bytes;
		memcpy(b->name, name, name_bytes);
		list_push_back(&n->bindings, &b->link);
		n->count++;
	}
	resource_get(root);
	b->root = root;
	return OK;
}

err_t namespace_bind(struct namespace *n, const char *name, size_t name_bytes, struct resource *root)
{
	struct resource *old;

	if (name_bytes == 0 || name_bytes > SCHEME_NAME_MAX)
		return ERR_INVAL;
	spin_lock(&n->lock);
	err_t err = bind(n, name, name_bytes, root, &old);
	spin_unlock(&n->lock);
	resource_put(old);
	return err;
}

static err_t unbind(struct namespace *n, const char *name, size_t name_bytes)
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
	binding_destroy(b);
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

/* Binds what the names (each ended by 0) are bound to in n, or all when there are none. NODEV: not every name is there. */
static err_t copy_bindings(struct namespace *n, struct namespace *to, const char *names, size_t bytes)
{
	struct resource *none;
	struct binding *b;
	err_t err = OK;

	spin_lock(&n->lock);
	spin_lock_nested(&to->lock);
	if (bytes == 0)
		list_each(b, &n->bindings, link)
			err = err ? err : bind(to, b->name, b->name_bytes, b->root, &none);
	for (size_t at = 0, length; at < bytes && !err; at += length + 1) {
		length = strnlen(names + at, bytes - at);
		b = find(n, names + at, length);
		err = b ? bind(to, b->name, b->name_bytes, b->root, &none) : ERR_NODEV;
	}
	spin_unlock(&to->lock);
	spin_unlock(&n->lock);
	return err;
}

static int64_t clone(struct namespace *n, struct call_args *a, const char *names, size_t bytes)
{
	struct namespace *to;
	struct resource *r;

	TRY(namespace_create(&to));
	err_t err = copy_bindings(n, to, names, bytes);
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
	TRY(call_out(a, names, bytes));
	return (int64_t)bytes;
}

static int64_t call_with_names(struct namespace *n, struct call_args *a, char *names)
{
	if (a->in_bytes > NAMES_BYTES_MAX)
		return ERR_2BIG;
	TRY(copy_from_user(names, a->in, a->in_bytes));
	switch (a->code) {
	case NS_BIND:
		return a->passed.resource ? namespace_bind(n, names, a->in_bytes, a->passed.resource) : ERR_BADF;
	case NS_UNBIND:
		return unbind(n, names, a->in_bytes);
	case NS_CLONE:
		return clone(n, a, names, a->in_bytes);
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

static void ns_destroy(struct resource *r) { namespace_put(r->data); }

static const struct resource_ops namespace_ops = { .name = "namespace", .call = ns_call, .destroy = ns_destroy };

err_t namespace_resource(struct namespace *n, struct resource **out)
{
	TRY(resource_create(&namespace_ops, n, 0, out));
	namespace_get(n);
	return OK;
}

struct namespace *namespace_of(struct resource *r) { return resource_data(r, &namespace_ops); }
