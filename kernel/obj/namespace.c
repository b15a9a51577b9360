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

void namespace_get(struct namespace *n) { object_get(&n->object); }

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

/* Is b one of the names, each ended by 0? All are when there are none. */
static bool is_listed(const struct binding *b, const char *names, size_t bytes)
{
	for (size_t at = 0, length; at < bytes; at += length + 1) {
		length = strnlen(names + at, bytes - at);
		if (length == b->name_bytes && memcmp(names + at, b->name, length) == 0)
			return true;
	}
	return bytes == 0;
}

/* NODEV: not every name is there. */
static err_t copy_bindings(struct namespace *n, struct namespace *to, const char *names, size_t bytes)
{
	size_t missing = bytes && names[bytes - 1] ? 1 : 0;
	struct resource *none;
	struct binding *b;
	err_t err = OK;

	for (size_t i = 0; i < bytes; i++)
		missing += names[i] == 0;
	spin_lock(&n->lock);
	spin_lock_nested(&to->lock);
	list_each(b, &n->bindings, link)
		if (is_listed(b, names, bytes) && !(err = bind(to, b->name, b->name_bytes, b->root, &none)))
			missing -= bytes != 0;
		else if (err)
			break;
	spin_unlock(&to->lock);
	spin_unlock(&n->lock);
	return err ? err : missing ? ERR_NODEV : OK;
}

static int64_t clone(struct namespace *n, struct call_args *a, const char *names, size_t bytes)
{
	struct namespace *to;
	struct resource *r;
	err_t err;

	TRY(namespace_create(&to));
	err = copy_bindings(n, to, names, bytes);
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

	TRY(read_names(a, names, &bytes));
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

static void ns_destroy(struct resource *r) { namespace_put(r->data); }

static const struct resource_ops namespace_ops = { .name = "namespace", .call = ns_call, .destroy = ns_destroy };

err_t namespace_resource(struct namespace *n, struct resource **out)
{
	err_t err = resource_create(&namespace_ops, n, 0, out);
	if (!err)
		namespace_get(n);
	return err;
}

struct namespace *namespace_of(struct resource *r) { return resource_data(r, &namespace_ops); }
