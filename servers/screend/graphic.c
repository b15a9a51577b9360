/* servers/screend/graphic.c - a graphic screen: its holder's surfaces, and the input that is for it. */
#include "abi/proto/display.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "servers/screend/screens.h"

err_t graphic_init(struct screen *n)
{
	struct graphic *g = heap_new(struct graphic);

	if (!g)
		return ERR_NOMEM;
	list_init(&g->damaging);
	list_init(&g->shown_soon);
	list_init(&g->readers);
	n->graphic = g;
	return OK;
}

static bool is_current(const struct screen *n)
{
	return n->all->current == n;
}

static void show(struct screen *n, struct surface *u)
{
	n->graphic->shown = u;
	n->graphic->damage_count = 0;   /* of the one before; this one is drawn whole */
	if (is_current(n))
		output_show(&n->all->output, u ? &u->target : NULL);
}

static struct surface *find(struct graphic *g, uint64_t number)
{
	for (struct surface *u = g->surface; u < g->surface + GRAPHIC_SURFACES_MAX; u++)
		if (u->number != 0 && u->number == number)
			return u;
	return NULL;
}

static void surface_free(struct screen *n, struct surface *u)
{
	if (n->graphic->shown == u)
		show(n, NULL);
	output_forget(&n->all->output, &u->target);
	n->all->outside->close(u->target.object);
	u->number = 0;
}

/* ---- Drawing ------------------------------------------------------------------------------------------------------------ */

size_t graphic_draw(struct screen *n, struct display_rectangle *out)
{
	struct graphic *g = n->graphic;
	size_t count = g->damage_count;

	memcpy(out, g->damage, count * sizeof(*out));
	g->damage_count = 0;
	while (!list_is_empty(&g->damaging)) {
		struct tty_wait *w = list_first(&g->damaging, struct tty_wait, link);

		list_remove(&w->link);
		list_push_back(&g->shown_soon, &w->link);
	}
	return count;
}

void graphic_drawn(struct screen *n)
{
	tty_wait_answer_all(&n->graphic->shown_soon, OK);
	graphic_let_pass(n);
}

void graphic_let_pass(struct screen *n)
{
	if (!is_current(n) || !output_is_there(&n->all->output)) {
		tty_wait_answer_all(&n->graphic->damaging, OK);
		n->graphic->damage_count = 0;
	}
}

/* What is too much becomes one that covers all. */
static void add_damage(struct graphic *g, const struct display_rectangle *r)
{
	if (g->damage_count < DISPLAY_RECTANGLES_MAX) {
		g->damage[g->damage_count++] = *r;
		return;
	}
	g->damage[0] = (struct display_rectangle){ 0, 0, g->shown->target.is.size.width, g->shown->target.is.size.height };
	g->damage_count = 1;
}

static int64_t damage(struct screen *n, struct scheme_request *r, uint64_t number)
{
	struct display_rectangle rectangle[DISPLAY_RECTANGLES_MAX];
	struct surface *u = find(n->graphic, number);
	size_t count = r->in_bytes / sizeof(*rectangle);
	err_t err;

	if (!u)
		return ERR_NOENT;
	if (r->in_bytes % sizeof(*rectangle) != 0 || count > DISPLAY_RECTANGLES_MAX)
		return ERR_INVAL;
	if ((err = scheme_in(r, 0, rectangle, r->in_bytes)))
		return err;
	for (size_t i = 0; i < count; i++)
		if (!range_fits(rectangle[i].x, rectangle[i].width, u->target.is.size.width)
		    || !range_fits(rectangle[i].y, rectangle[i].height, u->target.is.size.height))
			return ERR_INVAL;
	if (u != n->graphic->shown || !is_current(n) || !output_is_there(&n->all->output) || u->target.is_bad || count == 0)
		return OK;
	for (size_t i = 0; i < count; i++)
		add_damage(n->graphic, &rectangle[i]);
	int64_t result = tty_wait_defer(r, &n->graphic->damaging, NULL);
	output_go_on(&n->all->output);
	return result;
}

/* ---- Surfaces ------------------------------------------------------------------------------------------------------------ */

static int64_t surface_make(struct screen *n, struct scheme_request *r)
{
	struct graphic *g = n->graphic;
	struct display_surface is;
	struct surface *u = g->surface;
	int64_t bytes;
	err_t err;

	if ((err = scheme_in_struct(r, &is, sizeof(is))))
		return err;
	if (r->passed == HANDLE_NONE || is.size.width == 0 || is.size.height == 0 || is.size.width > DISPLAY_SIDE_MAX || is.size.height > DISPLAY_SIDE_MAX
	    || is.pitch_bytes % 4 != 0 || is.pitch_bytes / 4 < is.size.width || is.pitch_bytes > 8 * 4 * DISPLAY_SIDE_MAX || is.offset % 4096 != 0)
		return ERR_INVAL;
	if ((bytes = n->all->outside->object_bytes(r->passed)) < 0)
		return ERR_INVAL;
	if (!range_fits(is.offset, (uint64_t)is.pitch_bytes * (is.size.height - 1) + is.size.width * 4, (uint64_t)bytes))
		return ERR_INVAL;
	while (u < g->surface + GRAPHIC_SURFACES_MAX && u->number != 0)
		u++;
	if (u == g->surface + GRAPHIC_SURFACES_MAX)
		return ERR_NOSPC;
	*u = (struct surface){ .number = ++g->next_number, .target = { .object = scheme_take_handle(r), .is = is } };
	return u->number;
}

/* Number 0: nothing. There is one output. */
static int64_t surface_show(struct screen *n, uint64_t word)
{
	struct surface *u = find(n->graphic, (uint32_t)word);

	if (word >> 32 != 0 || ((uint32_t)word != 0 && !u))
		return ERR_NOENT;
	show(n, u);
	return OK;
}

static int64_t output_tell(struct screen *n, struct scheme_request *r, uint64_t number)
{
	if (number != 0 || !output_is_there(&n->all->output))
		return ERR_NOENT;
	struct display_output is = n->all->output.is;
	is.display_flags &= ~(uint32_t)(DISPLAY_HAS_CURSOR | DISPLAY_HAS_MODES);
	is.wanted = is.size;
	n->graphic->is_output_new = false;
	graphic_tell(n);
	return scheme_out(r, &is, sizeof(is));
}

int64_t graphic_call(struct screen *n, struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct surface *u;

	switch (code) {
	case DISPLAY_OUTPUT:
		return output_tell(n, r, word);
	case DISPLAY_SURFACE:
		return surface_make(n, r);
	case DISPLAY_FREE:
		if (!(u = find(n->graphic, word)))
			return ERR_NOENT;
		surface_free(n, u);
		return OK;
	case DISPLAY_SHOW:
		return surface_show(n, word);
	case DISPLAY_DAMAGE:
		return damage(n, r, word);
	case DISPLAY_MODE: case DISPLAY_CURSOR: case DISPLAY_MOVE:
		return ERR_OPNOTSUPP;
	default:
		return ERR_NOTTY;
	}
}

void graphic_let_go(struct screen *n)
{
	struct graphic *g = n->graphic;

	for (struct surface *u = g->surface; u < g->surface + GRAPHIC_SURFACES_MAX; u++)
		if (u->number != 0)
			surface_free(n, u);
	tty_wait_answer_all(&g->damaging, ERR_CONNRESET);
	tty_wait_answer_all(&g->shown_soon, ERR_CONNRESET);
	tty_wait_answer_all(&g->readers, ERR_CONNRESET);
	g->event_at = g->event_end = 0;
	g->damage_count = 0;
	g->ready = 0;
	g->holder = NULL;
}

/* ---- Input ---------------------------------------------------------------------------------------------------------------- */

void graphic_tell(struct screen *n)
{
	struct graphic *g = n->graphic;
	uint32_t ready = (g->event_at != g->event_end ? READY_READ : 0) | (g->is_output_new ? READY_PRIORITY : 0);

	if (!g->holder || g->holder->id == 0 || ready == g->ready)
		return;
	g->ready = ready;
	scheme_notify(n->all->scheme, g->holder->id, ready, ~0u);
}

static size_t take_events(struct graphic *g, void *out, size_t bytes)
{
	struct input_event *to = out;
	size_t count = 0;

	for (; count < bytes / sizeof(*to) && g->event_at != g->event_end; count++)
		to[count] = g->event[g->event_at++ % GRAPHIC_EVENTS_MAX];
	return count * sizeof(*to);
}

int64_t graphic_read(struct screen *n, struct scheme_request *r, size_t bytes)
{
	struct graphic *g = n->graphic;

	bytes = MIN_OF(bytes, r->out_room);
	if (bytes < sizeof(struct input_event))
		return ERR_INVAL;
	if (g->event_at == g->event_end)
		return r->is_nonblock ? ERR_AGAIN : tty_wait_defer(r, &g->readers, NULL);
	bytes = take_events(g, r->out, bytes);
	graphic_tell(n);
	return (int64_t)bytes;
}

/* When nobody reads, motion goes first, then what came last; a release never: there are fewer keys than places. */
static bool has_room(const struct graphic *g, const struct input_event *e)
{
	uint32_t used = g->event_end - g->event_at;
	bool is_release = (e->kind == INPUT_EVENT_KEY || e->kind == INPUT_EVENT_BUTTON) && e->value == INPUT_UP;

	return used < (is_release ? GRAPHIC_EVENTS_MAX : e->kind == INPUT_EVENT_POINTER ? GRAPHIC_EVENTS_MAX / 4 : GRAPHIC_EVENTS_MAX / 2);
}

void graphic_event(struct screen *n, const struct input_event *e)
{
	struct graphic *g = n->graphic;

	if (!g->holder || !has_room(g, e))
		return;
	g->event[g->event_end++ % GRAPHIC_EVENTS_MAX] = *e;
	while (!list_is_empty(&g->readers) && g->event_at != g->event_end) {
		struct tty_wait *w = list_first(&g->readers, struct tty_wait, link);
		struct input_event some[16];
		size_t bytes = take_events(g, some, MIN_OF(w->deferred.out_max, sizeof(some)));

		(void)!tty_wait_answer(w, (int64_t)bytes, some);
	}
	graphic_tell(n);
}
