/* kernel/call/ops_serve.c - operations of scheme servers. */
#include "kernel/call/ops.h"
#include "kernel/ipc/scheme.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"

static err_t find_endpoint(const struct request *q, struct resource **out)
{
	return handle_find(&process_current()->handles, q->handle, RIGHT_SERVE, out, NULL);
}

int64_t op_receive(struct request *q)
{
	uaddr_t message = uaddr(q->arg[0]);
	struct resource *r;
	uint64_t deadline_ns;
	err_t err;

	if ((err = copy_from_user(&deadline_ns, uaddr(message.raw + offsetof(struct message, offset)), sizeof(deadline_ns))))
		return err;
	if ((err = find_endpoint(q, &r)))
		return err;
	int64_t result = scheme_receive(r, message, uaddr(q->arg[1]), q->arg[2], deadline_ns, q->flags);
	resource_put(r);
	return result;
}

int64_t op_reply(struct request *q)
{
	struct scheme_answer a = {
		.tag = (uint32_t)q->arg[0], .result = (int64_t)q->arg[1], .data = uaddr(q->arg[2]), .bytes = q->arg[3],
		.handle_and_flags = q->arg[4],
	};
	struct resource *r;
	err_t err;

	if ((err = find_endpoint(q, &r)))
		return err;
	int64_t result = scheme_reply(r, &a);
	resource_put(r);
	return result;
}

int64_t op_reply_receive(struct request *q)
{
	struct resource *r;
	struct serve s;
	err_t err;

	if ((err = copy_from_user(&s, uaddr(q->arg[0]), sizeof(s))))
		return err;
	if ((err = find_endpoint(q, &r)))
		return err;
	struct scheme_answer a = {
		.tag = (uint32_t)s.tag, .result = s.result, .data = uaddr((uint64_t)s.data), .bytes = s.bytes,
		.handle_and_flags = s.handle_and_flags,
	};
	int64_t result = scheme_reply_receive(r, &a, uaddr((uint64_t)s.message), uaddr((uint64_t)s.buffer), s.buffer_bytes,
	                                      s.deadline_ns, q->flags);
	resource_put(r);
	return result;
}

int64_t op_copy(struct request *q)
{
	struct resource *r;
	err_t err;

	if ((err = find_endpoint(q, &r)))
		return err;
	int64_t result = scheme_copy(r, (uint32_t)q->arg[0], (uint32_t)q->arg[1], q->arg[2], uaddr(q->arg[3]), q->arg[4]);
	resource_put(r);
	return result;
}

int64_t op_notify(struct request *q)
{
	struct resource *r;
	err_t err;

	if ((err = find_endpoint(q, &r)))
		return err;
	int64_t result = scheme_notify(r, q->arg[0], (uint32_t)q->arg[1], (uint32_t)q->arg[2]);
	resource_put(r);
	return result;
}

int64_t op_scheme(struct request *q)
{
	struct passed p = { .rights = RIGHT_ALL, .flags = OPEN_PRIVATE };
	handle_t h;
	err_t err;

	if ((err = scheme_create((uint32_t)q->arg[0], &p.resource)))
		return err;
	if ((err = handle_open(&process_current()->handles, &p, HANDLE_PRIVATE, &h))) {
		resource_put(p.resource);
		return err;
	}
	return h;
}
