/* kernel/call/ops_serve.c - operations of scheme servers. */
#include "kernel/call/ops.h"
#include "kernel/ipc/scheme.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "lib/base/try.h"

/* What an operation does with the endpoint that its handle names. */
static int64_t on_endpoint(struct request *q, int64_t (*act)(struct resource *, struct request *))
{
	struct resource *r;
	int64_t result = handle_find(&process_current()->handles, q->handle, RIGHT_SERVE, &r, NULL);

	if (result)
		return result;
	result = scheme_is_endpoint(r) ? act(r, q) : ERR_NOTTY;
	resource_put(r);
	return result;
}

static int64_t receive(struct resource *r, struct request *q)
{
	struct serve s = { .message = (struct message *)q->arg[0], .buffer = (void *)q->arg[1], .buffer_bytes = q->arg[2] };

	TRY(copy_from_user(&s.deadline_ns, uaddr(q->arg[0] + offsetof(struct message, offset)), sizeof(s.deadline_ns)));
	return scheme_receive(r, &s, q->flags);
}

static int64_t reply(struct resource *r, struct request *q)
{
	return scheme_reply(r, &(struct serve){
		.tag = q->arg[0], .result = (int64_t)q->arg[1], .data = (const void *)q->arg[2], .bytes = q->arg[3],
		.handle_and_flags = q->arg[4],
	});
}

int64_t op_receive(struct request *q) { return on_endpoint(q, receive); }
int64_t op_reply(struct request *q) { return on_endpoint(q, reply); }
int64_t op_copy(struct request *q) { return on_endpoint(q, scheme_copy); }
int64_t op_notify(struct request *q) { return on_endpoint(q, scheme_notify); }

int64_t op_scheme(struct request *q)
{
	struct passed p = { .rights = RIGHT_ALL, .flags = OPEN_PRIVATE };
	struct handle_table *t = &process_current()->handles;
	struct resource *beside = NULL;

	if (q->handle != HANDLE_NONE)
		TRY(handle_find(t, q->handle, RIGHT_SERVE, &beside, NULL));
	err_t err = scheme_create(beside, (uint32_t)q->arg[0], &p.resource);
	resource_put(beside);
	return err ? err : handle_open(t, &p, HANDLE_PRIVATE);
}
