/* servers/procd/image.c - keeps the beginning of a process's path, arguments and environment. */
#include "servers/procd/image.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

void image_put(struct tree *t, struct image *i)
{
	ASSERT(i->references > 0);
	if (--i->references == 0)
		t->outside->release(i, sizeof *i + i->path_bytes + i->command_bytes + i->environment_bytes);
}

static void set_name(struct image *i)
{
	const char *path = image_path(i);
	uint32_t from = i->path_bytes;

	while (from > 0 && path[from - 1] != '/')
		from--;
	string_copy_counted(i->name, sizeof i->name, path + from, i->path_bytes - from);
}

static err_t read_texts(struct tree *t, uint64_t tag, const struct posix_exec *exec, struct image *i)
{
	const struct outside *o = t->outside;
	uint64_t from = sizeof *exec;
	err_t err;

	if (i->path_bytes && (err = o->read_in(tag, from, i->text, i->path_bytes)))
		return err;
	from += exec->path_bytes;
	if (i->command_bytes && (err = o->read_in(tag, from, i->text + i->path_bytes, i->command_bytes)))
		return err;
	from += exec->command_bytes;
	if (!i->environment_bytes)
		return OK;
	return o->read_in(tag, from, i->text + i->path_bytes + i->command_bytes, i->environment_bytes);
}

err_t image_read(struct tree *t, uint64_t tag, const struct posix_exec *exec, uint64_t in_bytes, struct image **out)
{
	uint32_t path = MIN_OF(exec->path_bytes, (uint32_t)IMAGE_PATH_MAX);
	uint32_t command = MIN_OF(exec->command_bytes, (uint32_t)IMAGE_COMMAND_MAX);
	uint32_t environment = MIN_OF(exec->environment_bytes, (uint32_t)IMAGE_ENVIRONMENT_MAX);
	struct image *i;
	err_t err;

	if (sizeof *exec + (uint64_t)exec->path_bytes + exec->command_bytes + exec->environment_bytes > in_bytes)
		return ERR_INVAL;
	i = t->outside->allocate(sizeof *i + path + command + environment);
	if (!i)
		return ERR_NOMEM;
	*i = (struct image){ .references = 1, .path_bytes = path, .command_bytes = command, .environment_bytes = environment };
	if ((err = read_texts(t, tag, exec, i))) {
		image_put(t, i);
		return err;
	}
	set_name(i);
	*out = i;
	return OK;
}
