/* lib/scheme/opens.c - a short list, looked through. */
#include "lib/scheme/opens.h"
#include <stddef.h>

static struct opens_entry *find(struct opens *o, uint64_t id)
{
	for (struct opens_entry *e = o->entry; e < o->entry + OPENS_MAX; e++)
		if (e->id == id)
			return e;
	return NULL;
}

err_t opens_add(struct opens *o, uint64_t id, uint32_t kind, uint32_t index)
{
	struct opens_entry *e = find(o, 0);

	if (!e)
		return ERR_NFILE;
	*e = (struct opens_entry){ .id = id, .kind = kind, .index = index };
	return OK;
}

void opens_remove(struct opens *o, uint64_t id)
{
	struct opens_entry *e = id ? find(o, id) : NULL;

	if (e)
		e->id = 0;
}
