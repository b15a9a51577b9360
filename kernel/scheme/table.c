/* kernel/scheme/table.c - binding the kernel's schemes to their names. */
#include "kernel/scheme/table.h"
#include "kernel/mem/usercopy.h"
#include "lib/base/string.h"

static const struct {
	const char *name;
	const struct resource_ops *ops;
} schemes[] = {
#define X(name) { #name, &name##_scheme_ops },
	KERNEL_SCHEMES(X)
#undef X
};

err_t schemes_create_namespace(struct namespace **out)
{
	struct namespace *n;
	err_t err;

	if ((err = namespace_create(&n)))
		return err;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes) && !err; i++) {
		struct resource *root;
		if ((err = resource_create(schemes[i].ops, NULL, 0, &root)))
			break;
		err = namespace_bind(n, schemes[i].name, strlen(schemes[i].name), root);
		resource_put(root);
	}
	if (err) {
		namespace_put(n);
		return err;
	}
	*out = n;
	return OK;
}

err_t open_ref(const struct open_args *a, char ref[REF_MAX])
{
	err_t err;

	if (a->ref_bytes >= REF_MAX)
		return ERR_NOENT;
	if ((err = copy_from_user(ref, a->ref_user, a->ref_bytes)))
		return err;
	ref[a->ref_bytes] = 0;
	return strlen(ref) == a->ref_bytes ? OK : ERR_NOENT;
}

err_t open_give(const struct resource_ops *ops, void *data, const struct open_args *a, uint32_t more_rights,
                struct passed *out)
{
	uint32_t rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | more_rights;
	err_t err;

	if (a->flags & OPEN_READ)
		rights |= RIGHT_READ | RIGHT_MAP;
	if (a->flags & OPEN_WRITE)
		rights |= RIGHT_WRITE | RIGHT_MAP;
	if (a->flags & OPEN_EXEC)
		rights |= RIGHT_EXEC | RIGHT_MAP;
	if ((err = resource_create(ops, data, a->flags & (OPEN_READ | OPEN_WRITE | OPEN_NONBLOCK | OPEN_APPEND), &out->resource)))
		return err;
	out->rights = rights;
	return OK;
}
