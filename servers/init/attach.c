/* servers/init/attach.c - what a driver serves is handed to the server that has names for it (disk:, display:); disks are flushed before it goes.
 *
 * Handed over is a handle of the driver's whole scheme. It stays good over the driver's restarts, for its endpoint is init's; only a new
 * server of disk: has to get all of them again: with its start, so that no client finds it without.
 */
#include "abi/proto/disk.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "servers/init/init.h"

#define FLUSH_NS 10000000000ull

enum { LIST_BYTES = 4096 };

/* ---- Handing over ------------------------------------------------------------------------------------------------- */

/* It waits for the driver, and so is a thread's, like all of hand_over: s->root is that thread's while s->is_attaching. */
static err_t root_open(struct service *s)
{
	return s->root != HANDLE_NONE ? OK : handle_open_at(s->endpoint[0], "", OPEN_READ | OPEN_WRITE, &s->root);
}

static void hand_over(void *argument)
{
	struct service *s = argument;
	handle_t to;
	err_t err;

	if ((err = root_open(s)))
		goto say;
	if ((err = handle_open_in(init.world.namespace, s->m->attach_scheme, "", OPEN_READ | OPEN_WRITE, &to)))
		goto say;
	int64_t result = sys_call(0, to, pack_handle(ATTACH, s->root, false), s->name, strlen(s->name), NULL, 0, s->index);
	handle_close(to);
	if (!(err = result_error(result)))
		return;

say:
	print("init: %s cannot be attached to %s: error %d\n", s->name, s->m->attach_scheme, -err);
}

static void attach_go_on(struct service *s);

static void on_handed_over(void *argument)
{
	struct service *s = argument;

	s->is_attaching = false;
	attach_go_on(s);
}

static void attach_go_on(struct service *s)
{
	struct service *to = s->m->attach_scheme ? service_serving(s->m->attach_scheme) : NULL;

	if (!s->wants_attach || s->is_attaching || !to || to->state != SERVICE_READY || s->has_gone)
		return;
	s->wants_attach = false;
	s->is_attaching = true;
	init_work(hand_over, on_handed_over, s, NULL);
}

void attach_ready(struct service *s)
{
	struct service *other;

	if (s->m->attach_scheme && s->root == HANDLE_NONE && s->m->scheme_count > 0)
		s->wants_attach = true;
	attach_go_on(s);
	list_each(other, &init.services, link)
		if (other->m->attach_scheme && service_serving(other->m->attach_scheme) == s) {
			other->wants_attach |= other->root != HANDLE_NONE && !other->is_given;
			other->is_given = false;
			attach_go_on(other);
		}
}

/* ---- A new server of what others are attached to ---- */

static void attached_add(struct service *to, struct service *s)
{
	if (!to->attached && !(to->attached = heap_alloc(ATTACHED_MAX * sizeof(struct attached))))
		return;
	struct attached *a = &to->attached[to->attached_count];
	if (handle_dup(s->root, RIGHT_ALL, &a->root))
		return;
	fmt(a->text, sizeof a->text, "attached:%u=%s %u", to->attached_count, s->name, s->index);
	to->attached_count++;
	s->is_given = true;
}

/* Who finds no room, or is just being handed over, is attached once the server is ready. */
void attach_give(struct service *to)
{
	struct service *s;

	list_each(s, &init.services, link)
		if (s->m->attach_scheme && !s->is_attaching && s->root != HANDLE_NONE && !s->has_gone && to->attached_count < ATTACHED_MAX &&
		    service_serving(s->m->attach_scheme) == to)
			attached_add(to, s);
}

void attach_given(struct service *to)
{
	while (to->attached_count > 0)
		handle_close(to->attached[--to->attached_count].root);
	if (to->attached)
		heap_free(to->attached, ATTACHED_MAX * sizeof(struct attached));
	to->attached = NULL;
}

/* ---- Taking back ---- */

struct farewell {
	const char *scheme;
	char name[SERVICE_NAME_MAX + 1];
};

static void take_back(void *argument)
{
	struct farewell *f = argument;
	handle_t from;

	if (handle_open_in(init.world.namespace, f->scheme, "", OPEN_READ | OPEN_WRITE, &from))
		return;
	handle_call(from, DETACH, f->name, strlen(f->name), NULL, 0, 0);
	handle_close(from);
}

static void on_taken_back(void *argument)
{
	heap_free(argument, sizeof(struct farewell));
}

void attach_forget(const struct service *s)
{
	struct farewell *f;

	if (!s->m->attach_scheme || (s->root == HANDLE_NONE && !s->is_attaching) || !(f = heap_new(struct farewell)))
		return;
	f->scheme = s->m->attach_scheme;
	string_copy(f->name, s->name, sizeof f->name);
	init_work(take_back, on_taken_back, f, NULL);
}

/* ---- Flushing ----------------------------------------------------------------------------------------------------- */

/* One flush under way. Whatever comes first, its end or the time, lets the service end; the other finds that done. */
struct flush {
	struct service *s;
	handle_t root;                  /* a copy */
	void (*done)(void *s);          /* NULL: it was called */
	struct server_timer patience;
};

static void disk_flush(const struct flush *f, const char *name)
{
	handle_t disk;
	err_t err;

	if ((err = handle_open_at(f->root, name, OPEN_READ | OPEN_WRITE, &disk)) == OK) {
		err = result_error(handle_call(disk, DISK_FLUSH, NULL, 0, NULL, 0, 0));
		handle_close(disk);
	}
	if (err)
		print("init: disk %s was not flushed: error %d\n", name, -err);
}

/* Its list has a line "KIND NAME" per disk. */
static void flush_all(void *argument)
{
	struct flush *f = argument;
	char list[LIST_BYTES];
	int64_t n = sys_read(0, f->root, list, sizeof list - 1, 0);

	list[n > 0 ? n : 0] = 0;
	for (char *line = list, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		char *blank = strchr(line, ' ');
		disk_flush(f, blank ? blank + 1 : line);
	}
}

static void flush_tell(struct flush *f)
{
	void (*done)(void *s) = f->done;

	f->done = NULL;
	if (done)
		done(f->s);
}

static void on_flushed(void *argument)
{
	struct flush *f = argument;

	server_timer_clear(&f->patience);
	f->s->is_attaching = false;
	flush_tell(f);
	handle_close(f->root);
	heap_delete(f);
}

static void on_impatience(struct server_timer *t)
{
	struct flush *f = container_of(t, struct flush, patience);

	print("init: %s does not flush its disks\n", f->s->name);
	flush_tell(f);
}

static bool has_disks(const struct service *s)
{
	return strcmp(s->m->attach_scheme, "disk") == 0;
}

void attach_flush(struct service *s, void (*done)(void *s))
{
	struct flush *f;

	if (s->root == HANDLE_NONE || !has_disks(s) || s->has_gone || s->is_attaching || !(f = heap_new(struct flush))) {
		done(s);
		return;
	}
	*f = (struct flush){ .s = s, .done = done };
	if (handle_dup(s->root, RIGHT_ALL, &f->root)) {
		heap_delete(f);
		done(s);
		return;
	}
	s->is_attaching = true;         /* as long as the thread: s must stay */
	server_timer_init(&f->patience, on_impatience);
	server_timer_set(&init.server, &f->patience, now_ns() + FLUSH_NS);
	init_work(flush_all, on_flushed, f, NULL);
}
