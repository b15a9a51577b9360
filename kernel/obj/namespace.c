/* kernel/obj/namespace.c - a list of bindings: names are few and looked up at OPEN only. */
#include "kernel/obj/namespace.h"
#include "abi/proto/kernel.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/bits.h"
#include "lib/base/list.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { NAMESPACE_NAMES_MAX = 256 };

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

struct namespace *namespace_get(struct namespace *n) { return object_get(n); }

void namespace_put(struct namespace *n)
{
	struct binding *b, *next;

	if (!n || !object_put(&n->object))
		return;
	list_each_safe(b, next, &n->bindings, link) {
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

static err_t add(struct namespace *n, const char *name, size_t name_bytes, struct binding **out) REQUIRES(&n->lock)
{
	if (n->count == NAMESPACE_NAMES_MAX)
		return ERR_NOSPC;
	struct binding *b = heap_new(struct binding);
	if (!b)
		return ERR_NOMEM;
	b->name_bytes = (uint32_t)name_bytes;
	memcpy(b->name, name, name_bytes);
	list_push_back(&n->bindings, &b->link);
	n->count++;
	*out = b;
	return OK;
}

err_t namespace_bind(struct namespace *n, const char *name, size_t name_bytes, struct resource *root)
{
	struct resource *old = NULL;

	if (name_bytes == 0 || name_bytes > SCHEME_NAME_MAX)
		return ERR_INVAL;
	spin_lock(&n->lock);
	struct binding *b = find(n, name, name_bytes);
	err_t err = b ? OK : add(n, name, name_bytes, &b);
	if (!err) {
		old = b->root;
		b->root = resource_get(root);
	}
	spin_unlock(&n->lock);
	resource_put(old);
	return err;
}

/* The root with a reference. */
static err_t find_root(struct namespace *n, const char *name, size_t name_bytes, struct resource **out)
{
	spin_lock(&n->lock);
	struct binding *b = find(n, name, name_bytes);
	if (b)
		*out = resource_get(b->root);
	spin_unlock(&n->lock);
	return b ? OK : ERR_NODEV;
}

err_t namespace_open(struct namespace *n, const struct open_args *a, struct passed *out)
{
	char name[SCHEME_NAME_MAX];
	struct resource *root;

	if (a->scheme_bytes > sizeof(name))
		return ERR_NODEV;
	TRY(copy_from_user(name, a->scheme, a->scheme_bytes));
	TRY(find_root(n, name, a->scheme_bytes, &root));
	err_t err = root->ops->open ? root->ops->open(root, a, out) : ERR_NOTDIR;
	resource_put(root);
	return err;
}

/* ---- as a resource ---- */

static int64_t ns_bind(struct namespace *n, struct call_args *a)
{
	char name[SCHEME_NAME_MAX];

	if (!(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	if (!a->passed.resource)
		return ERR_BADF;
	if (a->in_bytes > sizeof(name))
		return ERR_INVAL;
	TRY(copy_from_user(name, a->in, a->in_bytes));
	return namespace_bind(n, name, a->in_bytes, a->passed.resource);
}

/* Binds what the names (each ended by 0) are bound to in n. NODEV: not every name is there. */
static err_t copy_bindings(struct namespace *n, struct namespace *to, uaddr_t names, size_t bytes)
{
	char name[SCHEME_NAME_MAX + 1];

	for (size_t at = 0, length; at < bytes; at += length + 1) {
		size_t part = MIN_OF(bytes - at, sizeof(name));
		struct resource *root;

		TRY(copy_from_user(name, uaddr(names.raw + at), part));
		length = strnlen(name, part);
		TRY(find_root(n, name, length, &root));
		err_t err = namespace_bind(to, name, length, root);
		resource_put(root);
		TRY(err);
	}
	return OK;
}

static int64_t ns_clone(struct namespace *n, struct call_args *a)
{
	struct namespace *to;

	TRY(namespace_create(&to));
	err_t err = copy_bindings(n, to, a->in, a->in_bytes);
	if (!err)
		err = namespace_resource(to, &a->reply.resource);
	namespace_put(to);
	a->reply.rights = RIGHT_ALL;
	return err;
}

static int64_t ns_call(struct resource *r, struct call_args *a)
{
	return a->code == NS_BIND ? ns_bind(r->data, a) : a->code == NS_CLONE ? ns_clone(r->data, a) : ERR_NOTTY;
}

static err_t ns_open(struct resource *r, const struct open_args *a, struct passed *out) { return namespace_open(r->data, a, out); }

static void ns_destroy(struct resource *r) { namespace_put(r->data); }

static const struct resource_ops namespace_ops = { .name = "namespace", .call = ns_call, .open = ns_open, .destroy = ns_destroy };

err_t namespace_resource(struct namespace *n, struct resource **out)
{
	return resource_create(&namespace_ops, namespace_get(n), 0, out);
}

struct namespace *namespace_of(struct resource *r) { return resource_data(r, &namespace_ops); }
