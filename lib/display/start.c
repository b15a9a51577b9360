/* lib/display/start.c - what of a display driver is system calls: the state object, the scheme, surfaces' memory. */
#include "abi/proto/kernel.h"
#include "lib/base/try.h"
#include "lib/display/serve.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"

static struct scheme scheme;

/* The handle came from a client: only the kernel may answer, who alone does so at once. After that it is known to be a memory object. */
err_t surface_map(struct surface *s, bool map)
{
	struct mem_info info;

	TRY(result_error(sys_call(REQUEST_KERNEL, s->object, pack_handle(MEM_INFO, HANDLE_NONE, false), NULL, 0, &info, sizeof(info), 0)));
	TRY(surface_check(&s->is, info.bytes, &s->bytes));
	TRY(result_error(handle_call(s->object, MEM_SEAL, NULL, 0, NULL, 0, info.bytes)));
	if (!map)
		return OK;
	int64_t at = sys_map(0, s->object, 0, s->bytes, MAP_READ | MAP_SHARED | MAP_POPULATE, s->is.offset, HANDLE_NONE, 0);
	if (at < 0)
		return (err_t)at;
	s->pixels = (const uint8_t *)at;
	return OK;
}

void surface_unmap(struct surface *s)
{
	if (s->pixels)
		(void)sys_unmap(0, HANDLE_NONE, (uint64_t)s->pixels, s->bytes);
	handle_close(s->object);
}

/* The kernel hears notifications only once we receive. */
static void tell_first(struct server_timer *t)
{
	display_tell(container_of(t, struct display, first));
}

err_t display_init(struct display *d, struct server *s)
{
	struct display_state *state = state_map(sizeof(*state));

	if (!state)
		return ERR_NOMEM;
	TRY(server_add_scheme(s, &scheme, NULL, &display_scheme_ops, d));
	display_setup(d, &scheme, state);
	server_timer_init(&d->first, tell_first);
	server_timer_set(s, &d->first, 0);
	return OK;
}
