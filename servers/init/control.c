/* servers/init/control.c - the scheme init: what is running, and who may change that. */
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "servers/init/init.h"

enum { STATUS_BYTES = 16 * 1024 };

static struct scheme scheme;

/* ---- What is running ---------------------------------------------------------------------------------------------- */

static size_t line_write(char *to, size_t bytes, const struct service *s)
{
	static const char *const states[] = {
		[SERVICE_OFF] = "off", [SERVICE_ABSENT] = "absent", [SERVICE_WAITING] = "waiting", [SERVICE_STARTING] = "starting", [SERVICE_RUNNING] = "running",
		[SERVICE_READY] = "ready", [SERVICE_STOPPING] = "stopping", [SERVICE_STOPPED] = "stopped", [SERVICE_DONE] = "done",
		[SERVICE_FAILED] = "failed",
	};
	bool is_alive = service_is_alive(s);
	struct task_info info = { 0 };

	if (is_alive)
		handle_call(s->process, TASK_INFO, NULL, 0, &info, sizeof info, 0);
	return fmt(to, bytes, "%s %s %u %u %llu %llu %llu\n", s->name, states[s->state], s->pid, s->starts,
	           (unsigned long long)(is_alive ? (now_ns() - s->started_ns) / 1000000 : 0), (unsigned long long)info.resident_bytes,
	           (unsigned long long)(s->life ? s->life->finished : 0));
}

static size_t status_write(char *to, size_t bytes)
{
	struct service *s;
	size_t used = 0;

	list_each(s, &init.services, link)
		if (s->state > SERVICE_ABSENT && used < bytes)
			used += line_write(to + used, bytes - used, s);
	return MIN_OF(used, bytes - 1);
}

static int64_t init_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags;
	(void)mode;
	if (r->open || (ref_bytes > 0 && !string_is(ref, ref_bytes, "services")))
		return ERR_NOENT;
	r->opened = &init;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static int64_t init_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static char text[STATUS_BYTES];
	size_t length = status_write(text, sizeof text);

	if (offset >= length)
		return 0;
	size_t n = MIN_OF(MIN_OF(bytes, r->out_room), length - (size_t)offset);
	memcpy(r->out, text + offset, n);
	return (int64_t)n;
}

/* ---- Changes -------------------------------------------------------------------------------------------------------- */

static bool stands_still(const struct service *s)
{
	return s->state == SERVICE_STOPPED || s->state == SERVICE_FAILED || s->state == SERVICE_DONE;
}

static err_t service_change(struct service *s, uint32_t code)
{
	if (s->state <= SERVICE_ABSENT || s->has_gone || init.is_stopping)
		return ERR_NODEV;
	switch (code) {
	case INIT_KILL:
		return service_kill(s);
	case INIT_STOP:
		if (s->m->is_essential)
			return ERR_BUSY;
		service_stop(s, WISH_STOP);
		return OK;
	case INIT_RESTART:
		service_stop(s, WISH_RESTART);
		return OK;
	default:
		if (stands_still(s))
			service_begin(s);
		return OK;
	}
}

static int64_t machine_change(uint64_t word, uint32_t pid)
{
	enum power how = (enum power)(word & ~(uint64_t)POWER_EVERYBODY);

	if (how != POWER_OFF && how != POWER_RESTART)
		return ERR_INVAL;
	print("init: %s, as process %u asks\n", how == POWER_OFF ? "power off" : "restart", pid);
	machine_stop(how, word & POWER_EVERYBODY ? STOP_EVERYBODY : STOP_SERVICES);
	return OK;
}

static int64_t init_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code < INIT_POWER || code > INIT_KILL)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (code == INIT_POWER)
		return machine_change(word, r->message->sender.pid);
	struct service *s = service_find((const char *)r->in, r->in_here);
	return s ? service_change(s, code) : ERR_NOENT;
}

static const struct scheme_ops init_ops = { .open = init_open, .read = init_read, .call = init_call, .needs_sender = true };

err_t control_prepare(void)
{
	int64_t h = sys_scheme(0, HANDLE_NONE, 0);

	if (h < 0)
		return (err_t)h;
	server_add_endpoint(&init.server, &scheme, (handle_t)h, &init_ops, NULL);
	return result_error(sys_call(0, init.world.namespace, pack_handle(NS_BIND, (handle_t)h, false), "init", 4, NULL, 0, 0));
}
