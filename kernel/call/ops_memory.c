/* kernel/call/ops_memory.c - operations on address spaces. */
#include "kernel/call/ops.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space.h"
#include "kernel/obj/process.h"
#include "kernel/scheme/proc.h"
#include "lib/base/try.h"

/* The space that a handle names, or the caller's, with a reference. */
static err_t find_space(handle_t h, struct space **out)
{
	struct process *p = process_current();
	struct resource *r;

	if (h == HANDLE_NONE) {
		*out = space_get(p->space);
		return OK;
	}
	TRY(handle_find(&p->handles, h, RIGHT_MAP, &r, NULL));
	*out = space_get(space_of(r));
	resource_put(r);
	return *out ? OK : ERR_NOTTY;
}

/* The object to map, NULL for demand-zero memory, and what may be done with the mapping. */
static err_t find_object(const struct request *q, struct memobj **out, uint32_t *max_prot)
{
	uint32_t flags = (uint32_t)q->arg[2], rights;
	struct resource *r;
	err_t err;

	*out = NULL;
	*max_prot = MAP_READ | MAP_WRITE | MAP_EXEC;
	if (q->handle == HANDLE_NONE)
		return OK;
	TRY(handle_find(&process_current()->handles, q->handle, RIGHT_MAP, &r, &rights));
	if (!(rights & RIGHT_READ))
		err = ERR_ACCES;
	else if (!r->ops->map)
		err = ERR_NODEV;
	else
		err = r->ops->map(r, out, max_prot);
	resource_put(r);
	if (err)
		return err;
	if (!(rights & RIGHT_EXEC))
		*max_prot &= ~(uint32_t)MAP_EXEC;
	if (!(flags & MAP_SHARED))
		*max_prot |= MAP_WRITE;         /* a private copy may always be changed */
	else if (!(rights & RIGHT_WRITE))
		*max_prot &= ~(uint32_t)MAP_WRITE;
	return OK;
}

/* What an operation does to the space that a handle names. */
static int64_t on_space(handle_t h, err_t (*act)(struct space *, struct request *, uint64_t *address), struct request *q)
{
	struct space *space;
	uint64_t address = 0;
	err_t err;

	TRY(find_space(h, &space));
	err = act(space, q, &address);
	space_put(space);
	return err ? err : (int64_t)address;
}

static err_t map(struct space *space, struct request *q, uint64_t *address)
{
	struct memobj *object;
	uint32_t max_prot;
	err_t err;

	TRY(find_object(q, &object, &max_prot));
	err = space_map(space, q->arg[0], q->arg[1], (uint32_t)q->arg[2], max_prot, object, q->arg[3], address);
	memobj_put(object);
	return err;
}

static err_t unmap(struct space *space, struct request *q, uint64_t *address UNUSED)
{
	return space_unmap(space, q->arg[0], q->arg[1]);
}

static err_t protect(struct space *space, struct request *q, uint64_t *address UNUSED)
{
	return space_protect(space, q->arg[0], q->arg[1], (uint32_t)q->arg[2]);
}

static err_t remap(struct space *space, struct request *q, uint64_t *address)
{
	return space_remap(space, q->arg[0], q->arg[1], q->arg[2], (uint32_t)q->arg[3], q->arg[4], address);
}

static err_t advise(struct space *space, struct request *q, uint64_t *address UNUSED)
{
	return space_advise(space, q->arg[0], q->arg[1], (uint32_t)q->arg[2]);
}

int64_t op_map(struct request *q) { return on_space((handle_t)q->arg[4], map, q); }
int64_t op_unmap(struct request *q) { return on_space(q->handle, unmap, q); }
int64_t op_protect(struct request *q) { return on_space(q->handle, protect, q); }
int64_t op_remap(struct request *q) { return on_space(q->handle, remap, q); }
int64_t op_advise(struct request *q) { return on_space(q->handle, advise, q); }
