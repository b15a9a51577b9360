/* lib/display/serve.c - the driver's side of the display protocol, over jobs. */
#include "lib/display/serve.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- Jobs ------------------------------------------------------------------------------------------------------------ */

static struct display_job *job_new(struct display *d, enum display_op op, struct surface *s, uint32_t rectangles)
{
	size_t bytes = sizeof(struct display_job) + rectangles * sizeof(struct display_rectangle);
	struct display_job *j = heap_alloc(bytes);

	if (!j)
		return NULL;
	j->display = d;
	j->op = op;
	j->surface = s;
	j->bytes = bytes;
	j->rectangle = (struct display_rectangle *)(j + 1);
	list_init(&j->link);
	return j;
}

static void job_start(struct display *d, struct display_job *j)
{
	if (j->surface)
		j->surface->jobs++;
	d->ops->start(d->driver, j);
}

static void surface_delete(struct surface *s)
{
	surface_unmap(s);
	heap_free(s->destroy, s->destroy->bytes);
	heap_delete(s);
}

/* Nobody names it any more; when no job does either, it goes. */
static void surface_put(struct surface *s)
{
	struct display *d = s->destroy->display;

	if (s->number || s->jobs)
		return;
	list_remove(&s->link);
	d->surface_count--;
	for (uint32_t i = 0; i < d->output_count; i++)
		if (d->output[i].shown == s) {
			d->output[i].shown = NULL;
			s->destroy->outputs |= 1u << i;
		}
	job_start(d, s->destroy);
}

static void surface_forget(struct surface *s)
{
	s->number = 0;
	s->client = NULL;
	surface_put(s);
}

/* What the job did counts from now on. */
static void job_settle(struct display_job *j)
{
	struct display *d = j->display;

	if (j->op == OUTPUT_MODE && !j->err) {
		d->output[j->output].is.size = j->size;
		d->output[j->output].is.generation = ++d->state->generation;
	}
	if (j->op == OUTPUT_SHOW && j->err && d->output[j->output].shown == j->surface)
		d->output[j->output].shown = NULL;
}

static void job_end(struct display_job *j)
{
	struct surface *s = j->surface;

	if (j->op == SURFACE_DESTROY) {
		surface_delete(s);
		return;
	}
	heap_free(j, j->bytes);
	if (s) {
		s->jobs--;
		surface_put(s);
	}
}

static int64_t job_result(const struct display_job *j)
{
	return j->err ? j->err : j->op == SURFACE_CREATE ? (int64_t)j->surface->number : OK;
}

/* A surface that did not come about is nobody's. */
static void create_failed(struct display_job *j)
{
	if (j->op == SURFACE_CREATE && j->err)
		j->surface->number = 0;
}

void display_done(struct display_job *j, err_t err)
{
	ASSERT(!j->is_done);
	j->is_done = true;
	j->err = err;
	job_settle(j);
	if (!j->is_waited_for && j->op != SURFACE_DESTROY)
		return;         /* job_run is still there */
	if (j->is_waited_for)
		(void)!scheme_answer(&j->waiting, job_result(j));
	create_failed(j);
	job_end(j);
}

/* Answers at once when the driver did it at once. */
static int64_t job_run(struct scheme_request *r, struct display *d, struct display_job *j)
{
	job_start(d, j);
	if (!j->is_done) {
		j->is_waited_for = true;
		return scheme_defer(r, &j->waiting);
	}
	int64_t result = job_result(j);
	create_failed(j);
	job_end(j);
	return result;
}

/* ---- Clients --------------------------------------------------------------------------------------------------------- */

static uint32_t every_output(const struct display *d) { return (1u << d->output_count) - 1; }

static void client_tell(struct display *d, struct display_client *c)
{
	if (c->id)
		scheme_notify(d->scheme, c->id, c->untold ? READY_PRIORITY : 0, READY_PRIORITY);
}

void display_tell(struct display *d)
{
	struct display_client *c;

	list_each(c, &d->clients, link)
		client_tell(d, c);
}

static struct display_client *client_new(struct display *d, uint64_t id, uint32_t untold)
{
	struct display_client *c = heap_new(struct display_client);

	if (!c)
		return NULL;
	c->id = id;
	c->untold = untold;
	list_push_back(&d->clients, &c->link);
	return c;
}

static int64_t display_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	struct display *d = r->scheme->context;

	(void)ref, (void)open_flags, (void)mode;
	if (ref_bytes > 0)
		return ERR_NOENT;
	if (!(r->opened = client_new(d, 0, 0)))
		return ERR_NOMEM;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

/* A client that the state did not remember is one nevertheless. */
static err_t display_revive(struct scheme_request *r)
{
	struct display *d = r->scheme->context;

	if (!(r->opened = client_new(d, r->id, every_output(d))))
		return ERR_NOMEM;
	opens_remove(&d->state->opens, r->id);
	(void)!opens_add(&d->state->opens, r->id, 0, 0);
	return OK;
}

static void display_named(struct scheme *s, void *open, uint64_t id)
{
	struct display *d = s->context;
	struct display_client *c = open;

	c->id = id;
	/* One too many is not told after a restart, no more. */
	(void)!opens_add(&d->state->opens, id, 0, 0);
}

static void display_opened(struct scheme *s, void *open, uint64_t id)
{
	struct display_client *c = open;

	c->id = id;
	client_tell(s->context, c);
}

static void display_close(struct scheme *scheme, void *open)
{
	struct display *d = scheme->context;
	struct display_client *c = open;
	struct surface *s, *next;

	list_each_safe(s, next, &d->surfaces, link)
		if (s->client == c)
			surface_forget(s);
	opens_remove(&d->state->opens, c->id);
	list_remove(&c->link);
	heap_delete(c);
}

static void display_forget(struct scheme *s, uint64_t id)
{
	struct display *d = s->context;

	opens_remove(&d->state->opens, id);
}

/* What the device has begun it ends soon, and a killed client's request is gone already: there is nothing to hurry. */
static void display_cancel(struct scheme_deferred *w)
{
	(void)w;
}

/* ---- The calls ------------------------------------------------------------------------------------------------------- */

static err_t surface_find(const struct display *d, const struct display_client *c, uint64_t number, struct surface **out)
{
	struct surface *s;

	list_each(s, &d->surfaces, link)
		if (number && s->number == number && s->client == c) {
			*out = s;
			return OK;
		}
	return ERR_NOENT;
}

/* 0 is none. */
static err_t surface_find_or_none(const struct display *d, const struct display_client *c, uint32_t number, struct surface **out)
{
	*out = NULL;
	return number ? surface_find(d, c, number, out) : OK;
}

static int64_t call_output(struct scheme_request *r, struct display *d, struct display_client *c, uint64_t n)
{
	if (n >= d->output_count)
		return ERR_NOENT;
	TRY(scheme_out(r, &d->output[n].is, sizeof(d->output[n].is)));
	if (c->untold & 1u << n) {
		c->untold &= ~(1u << n);
		client_tell(d, c);
	}
	return OK;
}

static int64_t call_mode(struct scheme_request *r, struct display *d, uint64_t n)
{
	struct display_size size;
	struct display_job *j;

	TRY(scheme_in_struct(r, &size, sizeof(size)));
	if (n >= d->output_count)
		return ERR_NOENT;
	if (!d->ops->has_modes)
		return ERR_OPNOTSUPP;
	if (size.width == 0 || size.height == 0 || size.width > DISPLAY_SIDE_MAX || size.height > DISPLAY_SIDE_MAX)
		return ERR_INVAL;
	if (!(j = job_new(d, OUTPUT_MODE, NULL, 0)))
		return ERR_NOMEM;
	j->output = (uint32_t)n;
	j->size = size;
	return job_run(r, d, j);
}

/* 0 is never a number, nor is one that another has. */
static uint32_t number_next(struct display *d)
{
	struct surface *s;
	bool is_taken;

	do {
		is_taken = ++d->state->next_surface == 0;
		list_each(s, &d->surfaces, link)
			is_taken |= s->number == d->state->next_surface;
	} while (is_taken);
	return d->state->next_surface;
}

/* With the job that will end it, so that ending needs no memory. */
static struct surface *surface_new(struct display *d, struct display_client *c)
{
	struct surface *s = heap_new(struct surface);

	if (!s)
		return NULL;
	if (!(s->destroy = job_new(d, SURFACE_DESTROY, s, 0))) {
		heap_delete(s);
		return NULL;
	}
	s->client = c;
	s->object = HANDLE_NONE;
	return s;
}

static int64_t call_surface(struct scheme_request *r, struct display *d, struct display_client *c)
{
	struct display_job *j;
	struct surface *s;
	err_t err;

	if (r->passed == HANDLE_NONE || r->in_bytes != sizeof(struct display_surface))
		return ERR_INVAL;
	if (d->surface_count == SURFACES_MAX)
		return ERR_NOSPC;
	if (!(s = surface_new(d, c)))
		return ERR_NOMEM;
	s->object = scheme_take_handle(r);
	if ((err = scheme_in_struct(r, &s->is, sizeof(s->is))) || (err = surface_map(s, d->ops->wants_pixels)))
		goto delete_surface;
	if (!(j = job_new(d, SURFACE_CREATE, s, 0))) {
		err = ERR_NOMEM;
		goto delete_surface;
	}
	s->number = number_next(d);
	list_push_back(&d->surfaces, &s->link);
	d->surface_count++;
	return job_run(r, d, j);

delete_surface:
	surface_delete(s);
	return err;
}

static int64_t call_free(struct scheme_request *r, struct display *d, struct display_client *c, uint64_t number)
{
	struct surface *s;

	TRY(surface_find(d, c, number, &s));
	struct display_job *j = s->destroy;
	j->is_waited_for = true;
	int64_t later = scheme_defer(r, &j->waiting);
	surface_forget(s);
	return later;
}

static int64_t call_show(struct scheme_request *r, struct display *d, struct display_client *c, uint64_t word)
{
	uint32_t output = (uint32_t)(word >> 32);
	struct display_job *j;
	struct surface *s;

	if (output >= d->output_count)
		return ERR_NOENT;
	TRY(surface_find_or_none(d, c, (uint32_t)word, &s));
	if (!(j = job_new(d, OUTPUT_SHOW, s, 0)))
		return ERR_NOMEM;
	j->output = output;
	d->output[output].shown = s;
	return job_run(r, d, j);
}

static int64_t call_damage(struct scheme_request *r, struct display *d, struct display_client *c, uint64_t number)
{
	size_t count = r->in_bytes / sizeof(struct display_rectangle);
	struct display_job *j;
	struct surface *s;

	if (r->in_bytes % sizeof(struct display_rectangle) || count > DISPLAY_RECTANGLES_MAX || r->in_here < r->in_bytes)
		return ERR_INVAL;
	TRY(surface_find(d, c, number, &s));
	if (!(j = job_new(d, SURFACE_DAMAGE, s, (uint32_t)count)))
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		struct display_rectangle *to = &j->rectangle[j->count];
		memcpy(to, r->in + i * sizeof(*to), sizeof(*to));
		j->count += rectangle_clip(to, s->is.size);
	}
	if (j->count > 0)
		return job_run(r, d, j);
	heap_free(j, j->bytes);
	return OK;
}

static int64_t call_cursor(struct scheme_request *r, struct display *d, struct display_client *c, uint64_t number)
{
	struct display_cursor hot = { 0 };
	struct display_job *j;
	struct surface *s;

	if (!d->ops->move)
		return ERR_OPNOTSUPP;
	TRY(surface_find_or_none(d, c, (uint32_t)number, &s));
	if (s) {
		TRY(scheme_in_struct(r, &hot, sizeof(hot)));
		if (s->is.size.width != DISPLAY_CURSOR_SIDE || s->is.size.height != DISPLAY_CURSOR_SIDE)
			return ERR_INVAL;
		if (hot.hot_x < 0 || hot.hot_y < 0 || hot.hot_x >= DISPLAY_CURSOR_SIDE || hot.hot_y >= DISPLAY_CURSOR_SIDE)
			return ERR_INVAL;
	}
	if (!(j = job_new(d, CURSOR_SET, s, 0)))
		return ERR_NOMEM;
	j->hot = hot;
	return job_run(r, d, j);
}

static int64_t call_move(struct scheme_request *r, struct display *d, uint64_t output)
{
	struct display_point at;

	TRY(scheme_in_struct(r, &at, sizeof(at)));
	if (output >= d->output_count)
		return ERR_NOENT;
	if (!d->ops->move)
		return ERR_OPNOTSUPP;
	d->ops->move(d->driver, (uint32_t)output, at);
	return OK;
}

static int64_t display_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct display *d = r->scheme->context;
	struct display_client *c = r->open;

	if (d->is_gone)
		return ERR_NODEV;
	switch (code) {
	case DISPLAY_OUTPUT:
		return call_output(r, d, c, word);
	case DISPLAY_MODE:
		return call_mode(r, d, word);
	case DISPLAY_SURFACE:
		return call_surface(r, d, c);
	case DISPLAY_FREE:
		return call_free(r, d, c, word);
	case DISPLAY_SHOW:
		return call_show(r, d, c, word);
	case DISPLAY_DAMAGE:
		return call_damage(r, d, c, word);
	case DISPLAY_CURSOR:
		return call_cursor(r, d, c, word);
	case DISPLAY_MOVE:
		return call_move(r, d, word);
	default:
		return ERR_NOTTY;
	}
}

const struct scheme_ops display_scheme_ops = {
	.open = display_open, .revive = display_revive, .named = display_named, .opened = display_opened, .close = display_close,
	.forget = display_forget, .cancel = display_cancel, .call = display_call,
};

/* ---- What drivers say ------------------------------------------------------------------------------------------------- */

void display_output_set(struct display *d, uint32_t n, const struct display_output *is)
{
	struct display_place *p = &d->output[n];
	struct display_output new = *is;
	struct display_client *c;

	ASSERT(n < DISPLAY_OUTPUTS_MAX && n <= d->output_count);
	if (n == d->output_count)
		d->output_count++;
	new.generation = p->is.generation;
	if (new.generation && memcmp(&new, &p->is, sizeof(new)) == 0)
		return;
	p->is = new;
	/* Before display_setup there is nobody to tell. */
	if (!d->state)
		return;
	p->is.generation = ++d->state->generation;
	list_each(c, &d->clients, link) {
		c->untold |= 1u << n;
		client_tell(d, c);
	}
}

void display_remove(struct display *d)
{
	d->is_gone = true;
}

/* ---- The start -------------------------------------------------------------------------------------------------------- */

/* What an instance before us left. A client that there is no memory for comes by display_revive. */
static void clients_adopt(struct display *d)
{
	struct display_client *c;

	for (uint32_t i = 0; i < OPENS_MAX; i++) {
		uint64_t id = d->state->opens.entry[i].id;
		if (!id || !(c = client_new(d, id, every_output(d))))
			continue;
		if (ids_adopt(&d->scheme->ids, id, c)) {
			list_remove(&c->link);
			heap_delete(c);
			d->state->opens.entry[i].id = 0;
		}
	}
}

void display_setup(struct display *d, struct scheme *s, struct display_state *state)
{
	list_init(&d->clients);
	list_init(&d->surfaces);
	d->scheme = s;
	d->state = state;
	if (state->magic != DISPLAY_STATE_MAGIC)
		*state = (struct display_state){ .magic = DISPLAY_STATE_MAGIC };
	for (uint32_t i = 0; i < d->output_count; i++)
		d->output[i].is.generation = ++state->generation;
	clients_adopt(d);
}
