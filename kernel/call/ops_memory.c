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
	TRY(err);
	if (!(rights & RIGHT_EXEC))
		*max_prot &= ~(uint32_t)MAP_EXEC;
	if (!(flags & MAP_SHARED))
		*max_prot |= MAP_WRITE;         /* a private copy may always be changed */
	else if (!(rights & RIGHT_WRITE))
		*max_prot &= ~(uint32_t)MAP_WRITE;
	return OK;
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

/* What an operation does to the space that its handle names. */
static int64_t on_space(struct request *q, enum op op)
{
	uint64_t start = q->arg[0], bytes = q->arg[1], address = 0;
	struct space *s;
	err_t err;

	TRY(find_space(op == OP_MAP ? (handle_t)q->arg[4] : q->handle, &s));
	err = op == OP_MAP     ? map(s, q, &address)
	    : op == OP_UNMAP   ? space_unmap(s, start, bytes)
	    : op == OP_PROTECT ? space_protect(s, start, bytes, (uint32_t)q->arg[2])
	    : op == OP_REMAP   ? space_remap(s, start, bytes, q->arg[2], (uint32_t)q->arg[3], q->arg[4], &address)
	                       : space_advise(s, start, bytes, (uint32_t)q->arg[2]);
	space_put(s);
	return err ? err : (int64_t)address;
}

int64_t op_map(struct request *q) { return on_space(q, OP_MAP); }
int64_t op_unmap(struct request *q) { return on_space(q, OP_UNMAP); }
int64_t op_protect(struct request *q) { return on_space(q, OP_PROTECT); }
int64_t op_remap(struct request *q) { return on_space(q, OP_REMAP); }
int64_t op_advise(struct request *q) { return on_space(q, OP_ADVISE); }
