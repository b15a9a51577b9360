/* servers/inputd/main.c - serves input: what devices report becomes events for whoever has the screens.
 *
 * Handles: scheme, log; state (what outlives us: core.h), env (the kernel's command line: layout=de).
 * It opens init: for Ctrl-Alt-Del.
 */
#include "abi/proto/init.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/keymap/keymap.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"
#include "lib/scheme/scheme.h"
#include "servers/inputd/core.h"

enum { COMMAND_LINE_MAX = 2048, REPORTS = 64, EVENTS = 64, TEXT_BYTES = 2048 };

/* Everything that can be open is one of these, or a device's record. */
static char list, layout, layouts, events;

static struct server server;
static struct scheme scheme;
static struct core *core;
static struct server_timer timer;

/* A read of input:events or of a device's lights, waiting. */
struct reader {
	struct scheme_deferred deferred;
	struct list_node link;
	void *open;
	size_t bytes;
};
static struct list_node readers = LIST_INIT(readers);

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

static struct core_device *device_of(void *open)
{
	struct core_device *d = open;

	return d >= core->device && d < core->device + CORE_DEVICES_MAX ? d : NULL;
}

static uint32_t index_of(const struct core_device *d) { return (uint32_t)(d - core->device); }

/* ---- What there is to read ------------------------------------------------------------------------------------------- */

static bool lights_changed(const struct core_device *d) { return d->lights_told != core_lights(core); }

/* Whole events or the lights, into room for bytes; 0: there is nothing. */
static size_t take(void *open, void *to, size_t bytes)
{
	struct core_device *d = device_of(open);

	if (!d)
		return core_take(core, to, (uint32_t)(bytes / sizeof(struct input_event))) * sizeof(struct input_event);
	if (!lights_changed(d))
		return 0;
	d->lights_told = core_lights(core);
	memcpy(to, &d->lights_told, sizeof(d->lights_told));
	return sizeof(d->lights_told);
}

static void answer_readers(void)
{
	struct input_event some[EVENTS];
	struct reader *r, *next;
	size_t bytes;

	list_each_safe(r, next, &readers, link)
		if ((bytes = take(r->open, some, MIN_OF(r->bytes, sizeof(some)))) > 0) {
			list_remove(&r->link);
			scheme_answer_data(&r->deferred, (int64_t)bytes, some, bytes);
			heap_delete(r);
		}
}

static void ask_for_restart(void)
{
	handle_t init;
	err_t err;

	core->wants_restart = false;
	print("inputd: Ctrl-Alt-Del: the machine is to start again\n");
	if (!(err = handle_open("init", "", OPEN_READ | OPEN_WRITE, &init))) {
		err = result_error(handle_call(init, INIT_POWER, NULL, 0, NULL, 0, POWER_RESTART));
		handle_close(init);
	}
	if (err)
		print("inputd: init cannot be told: error %d\n", -err);
}

/* After every change: whoever waits gets what came. */
static void settle(void)
{
	answer_readers();
	if (core->events_id)
		scheme_notify(&scheme, core->events_id, core->count ? READY_READ : 0, READY_READ);
	for (uint32_t i = 0; i < CORE_DEVICES_MAX; i++)
		if (core->device[i].is_used && core->device[i].id)
			scheme_notify(&scheme, core->device[i].id, lights_changed(&core->device[i]) ? READY_READ : 0, READY_READ);
	if (core_deadline(core) != UINT64_MAX)
		server_timer_set(&server, &timer, core_deadline(core));
	else
		server_timer_clear(&timer);
	if (core->wants_restart)
		ask_for_restart();
}

static void fire(struct server_timer *t)
{
	(void)t;
	core_tick(core, now());
	settle();
}

/* ---- input: ---------------------------------------------------------------------------------------------------------- */

static int64_t open_device(struct scheme_request *r)
{
	uint32_t device;

	if (r->message->sender.uid != 0)
		return ERR_PERM;
	TRY(core_device_add(core, &device));
	r->opened = &core->device[device];
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

static int64_t open_events(struct scheme_request *r)
{
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (core->is_read)
		return ERR_BUSY;
	core_forget_events(core);
	core->is_read = true;
	r->opened = &events;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

static int64_t input_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags, (void)mode;
	if (string_is(ref, ref_bytes, "device"))
		return open_device(r);
	if (string_is(ref, ref_bytes, "events"))
		return open_events(r);
	if (ref_bytes == 0)
		r->opened = &list;
	else if (string_is(ref, ref_bytes, "layout"))
		r->opened = &layout;
	else if (string_is(ref, ref_bytes, "layouts"))
		r->opened = &layouts;
	else
		return ERR_NOENT;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static void input_named(struct scheme *s, void *open, uint64_t id)
{
	struct core_device *d = device_of(open);

	(void)s;
	if (d)
		d->id = id;
	else if (open == &events)
		core->events_id = id;
}

/* Its number is known to the kernel now: it can be told. */
static void input_opened(struct scheme *s, void *open, uint64_t id)
{
	(void)s, (void)open, (void)id;
	settle();
}

static err_t input_revive(struct scheme_request *r)
{
	uint32_t device;

	if (r->id == core->events_id)
		r->opened = &events;
	else if (core_device_find(core, r->id, &device) == OK)
		r->opened = &core->device[device];
	else
		return ERR_CONNRESET;
	return OK;
}

static void close_id(uint64_t id)
{
	uint32_t device;

	if (id && id == core->events_id) {
		core->is_read = false;
		core->events_id = 0;
		core_forget_events(core);
	} else if (core_device_find(core, id, &device) == OK) {
		core_device_remove(core, device, now());
	}
	settle();
}

static void input_close(struct scheme *s, void *open)
{
	struct core_device *d = device_of(open);

	(void)s;
	if (d && !d->id)
		core_device_remove(core, index_of(d), now());
	else if (d)
		close_id(d->id);
	else if (open == &events)
		close_id(core->events_id);
}

static void input_forget(struct scheme *s, uint64_t id)
{
	(void)s;
	close_id(id);
}

/* ---- Texts ----------------------------------------------------------------------------------------------------------- */

static const char *kind_of(const struct core_device *d)
{
	return d->info.kinds & INPUT_IS_KEYBOARD ? "keyboard" : d->info.kinds & INPUT_IS_TABLET ? "tablet" : d->info.kinds ? "mouse" : "unknown";
}

static size_t text_of(const void *open, char *text, size_t room)
{
	size_t at = 0;

	if (open == &layout)
		return MIN_OF((size_t)fmt(text, room, "%s %u %u\n", core->layout, core->delay_ms, core->rate), room);
	if (open == &layouts)
		for (uint32_t i = 0; keymap_nth(i) && at < room; i++)
			at += (size_t)fmt(text + at, room - at, "%s\n", keymap_name(keymap_nth(i)));
	for (uint32_t i = 0; open == &list && i < CORE_DEVICES_MAX && at < room; i++)
		if (core->device[i].is_used)
			at += (size_t)fmt(text + at, room - at, "%s %s\n", kind_of(&core->device[i]), core->device[i].info.name);
	return MIN_OF(at, room);
}

static int64_t read_later(struct scheme_request *r, size_t bytes)
{
	struct reader *w;

	if (r->is_nonblock)
		return ERR_AGAIN;
	if (!(w = heap_new(struct reader)))
		return ERR_NOMEM;
	*w = (struct reader){ .open = r->open, .bytes = bytes };
	list_push_back(&readers, &w->link);
	return scheme_defer(r, &w->deferred);
}

static int64_t input_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	size_t least = device_of(r->open) ? sizeof(uint32_t) : sizeof(struct input_event), got;
	char text[TEXT_BYTES];

	bytes = MIN_OF(bytes, r->out_room);
	if (!device_of(r->open) && r->open != &events) {
		size_t all = text_of(r->open, text, sizeof(text));
		got = offset < all ? MIN_OF(bytes, all - (size_t)offset) : 0;
		memcpy(r->out, text + (offset < all ? offset : 0), got);
		return (int64_t)got;
	}
	if (bytes < least)
		return ERR_INVAL;
	if ((got = take(r->open, r->out, bytes)) == 0)
		return read_later(r, bytes);
	settle();
	return (int64_t)got;
}

static int64_t input_length(struct scheme_request *r)
{
	char text[TEXT_BYTES];

	return (int64_t)text_of(r->open, text, sizeof(text));
}

static int64_t write_layout(struct scheme_request *r, size_t bytes)
{
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (r->in_here != bytes)
		return ERR_INVAL;
	TRY(core_set_layout(core, (const char *)r->in, bytes));
	settle();
	return (int64_t)bytes;
}

static int64_t input_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct core_device *d = device_of(r->open);
	struct input_raw raw;
	size_t done = 0;

	(void)offset;
	if (r->open == &layout)
		return write_layout(r, bytes);
	if (!d)
		return ERR_BADF;
	if (bytes < sizeof(raw))
		return ERR_INVAL;
	for (uint64_t at = now(); done + sizeof(raw) <= r->in_here; done += sizeof(raw)) {
		memcpy(&raw, r->in + done, sizeof(raw));
		core_report(core, index_of(d), &raw, at);
	}
	settle();
	return (int64_t)done;
}

static int64_t input_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct core_device *d = device_of(r->open);
	struct input_device info;

	(void)word;
	if (!d || code != INPUT_DEVICE)
		return ERR_NOTTY;
	TRY(scheme_in_struct(r, &info, sizeof(info)));
	return core_device_set(core, index_of(d), &info);
}

static void input_cancel(struct scheme_deferred *deferred)
{
	struct reader *r = container_of(deferred, struct reader, deferred);

	list_remove(&r->link);
	scheme_answer(deferred, ERR_INTR);
	heap_delete(r);
}

static const struct scheme_ops input_ops = {
	.open = input_open, .named = input_named, .opened = input_opened, .revive = input_revive, .close = input_close, .forget = input_forget,
	.read = input_read, .length = input_length, .write = input_write, .call = input_call, .cancel = input_cancel, .needs_sender = true,
};

/* ---- Start ----------------------------------------------------------------------------------------------------------- */

/* *is_first: nobody was before us. */
static err_t state_take(bool *is_first)
{
	if (!(core = state_map(sizeof(*core))))
		return ERR_NOMEM;
	*is_first = core->magic == 0;
	core_init(core);
	return OK;
}

/* layout=NAME on the kernel's command line. */
static void layout_from_command_line(void)
{
	static const char word[] = "layout=";
	char line[COMMAND_LINE_MAX + 1];
	handle_t h = startup_handle("env");
	int64_t n = h == HANDLE_NONE ? 0 : sys_read(0, h, line, COMMAND_LINE_MAX, 0);

	line[MAX_OF(n, (int64_t)0)] = 0;
	for (char *at = line; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (!string_starts_with(at, word))
			continue;
		const char *name = at + sizeof(word) - 1, *end = strchr(name, ' ');
		if (core_set_layout(core, name, end ? (size_t)(end - name) : strlen(name)))
			print("inputd: there is no keyboard layout as the command line wants; see input:layouts\n");
		return;
	}
}

int program_main(const struct startup *startup)
{
	bool is_first;
	err_t err;

	(void)startup;
	server_timer_init(&timer, fire);
	if (!(err = state_take(&is_first)) && is_first)
		layout_from_command_line();
	if (!err && !(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &input_ops, NULL))) {
		/* Who waits is told at once: after the first receive, for only then the kernel takes our word. */
		server_timer_set(&server, &timer, 1);
		err = server_run(&server);
	}
	print("inputd: ended with error %d\n", -err);
	return 1;
}
