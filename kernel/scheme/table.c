/* kernel/scheme/table.c - binding the kernel's schemes to their names. */
#include "kernel/scheme/table.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

static bool fits(const char *pattern, const char *ref, const char **rest)
{
	while (*pattern && *pattern == *ref)
		pattern++, ref++;
	*rest = ref;
	return *pattern == '*' || (!*pattern && !*ref);
}

static err_t root_open(struct resource *root, const struct open_args *a, struct passed *out)
{
	const struct scheme_entry *e = root->data;
	char ref[REF_MAX];
	const char *rest;

	TRY(open_ref(a, ref));
	while (e->ref && !fits(e->ref, ref, &rest))
		e++;
	if (!e->ref)
		return ERR_NOENT;
	if (e->is_privileged && process_current()->sender.uid != 0)
		return ERR_PERM;
	return e->ops ? open_give(e->ops, NULL, a, e->rights, out) : e->open(e->kind, rest, a, out);
}

static const struct resource_ops root_ops = { .name = "kernel scheme", .open = root_open };

/* At the start, which ends when this fails: nothing is undone. */
err_t schemes_create_namespace(struct namespace **out)
{
	static const struct {
		const char *name;
		const struct scheme_entry *entries;
	} schemes[] = {
#define X(name) { #name, name##_scheme },
		KERNEL_SCHEMES(X)
#undef X
	};

	TRY(namespace_create(out));
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
		struct resource *root;

		TRY(resource_create(&root_ops, (void *)schemes[i].entries, 0, &root));
		TRY(namespace_bind(*out, schemes[i].name, strlen(schemes[i].name), root));
		resource_put(root);
	}
	return OK;
}

err_t open_ref(const struct open_args *a, char ref[REF_MAX])
{
	if (a->ref_bytes >= REF_MAX)
		return ERR_NOENT;
	TRY(copy_from_user(ref, a->ref, a->ref_bytes));
	ref[a->ref_bytes] = 0;
	return strlen(ref) == a->ref_bytes ? OK : ERR_NOENT;
}

err_t open_give(const struct resource_ops *ops, void *data, const struct open_args *a, uint32_t more_rights,
                struct passed *out)
{
	uint32_t rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | more_rights;

	if (a->flags & OPEN_READ)
		rights |= RIGHT_READ | RIGHT_MAP;
	if (a->flags & OPEN_WRITE)
		rights |= RIGHT_WRITE | RIGHT_MAP;
	if (a->flags & OPEN_EXEC)
		rights |= RIGHT_EXEC | RIGHT_MAP;
	TRY(resource_create(ops, data, a->flags & (OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK | OPEN_APPEND), &out->resource));
	out->rights = rights;
	return OK;
}

int64_t no_length(struct resource *r UNUSED) { return 0; }
