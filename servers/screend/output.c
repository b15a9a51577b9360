/* servers/screend/output.c - one question to a driver at a time; each answer decides the next. */
#include "servers/screend/output.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { FAILURES_MAX = 4 };      /* then it waits before it goes on */

void output_init(struct output *o, const struct output_outside *outside)
{
	*o = (struct output){ .outside = outside };
	for (size_t i = 0; i < OUTPUT_DRIVERS_MAX; i++)
		o->driver[i].root = HANDLE_NONE;
}

bool output_is_there(const struct output *o)
{
	return o->active && o->is.size.width > 0;
}

/* ---- Drivers come and go ---------------------------------------------------------------------------------------------- */

static struct output_driver *find(struct output *o, const char *instance, size_t bytes)
{
	for (size_t i = 0; i < OUTPUT_DRIVERS_MAX; i++)
		if (o->driver[i].root != HANDLE_NONE && string_is(instance, bytes, o->driver[i].instance))
			return &o->driver[i];
	return NULL;
}

/* The driver knows nothing of what it was given. */
static void forget_numbers(struct output *o)
{
	o->shown = 0;
	o->freed_count = 0;
	o->epoch++;
	if (o->target)
		o->target->is_bad = false;
	o->must_draw_all = true;
}

static uint64_t number_of(const struct output *o, const struct target *t)
{
	return t->epoch == o->epoch ? t->number : 0;
}

static void use(struct output *o, struct output_driver *d, uint32_t number, const struct display_output *is)
{
	bool is_other = d != o->active || number != o->active_output;
	bool has_other_size = d && (is->size.width != o->is.size.width || is->size.height != o->is.size.height);

	if (is_other)
		forget_numbers(o);
	o->active = d;
	o->active_output = number;
	o->is = d ? *is : (struct display_output){ 0 };
	if (is_other)
		o->tried = (struct display_size){ 0 };
	if (is_other || has_other_size)
		o->outside->changed(o);
	/* Perhaps it was started again: then it says so now. */
	o->must_draw_all = true;
}

err_t output_attach(struct output *o, const char *instance, size_t bytes, handle_t root)
{
	struct output_driver *d = find(o, instance, bytes);

	if (bytes == 0 || bytes >= OUTPUT_INSTANCE_BYTES)
		return ERR_INVAL;
	if (d) {
		if (d == o->active)
			use(o, NULL, 0, NULL);
		o->outside->close(d->root);
	}
	for (size_t i = 0; !d && i < OUTPUT_DRIVERS_MAX; i++)
		if (o->driver[i].root == HANDLE_NONE)
			d = &o->driver[i];
	if (!d)
		return ERR_NOSPC;
	string_copy_counted(d->instance, sizeof(d->instance), instance, bytes);
	d->root = root;
	output_look_again(o);
	return OK;
}

err_t output_detach(struct output *o, const char *instance, size_t bytes)
{
	struct output_driver *d = find(o, instance, bytes);

	if (!d)
		return ERR_NOENT;
	if (d == o->active)
		use(o, NULL, 0, NULL);
	o->outside->close(d->root);
	d->root = HANDLE_NONE;
	output_look_again(o);
	return OK;
}

void output_look_again(struct output *o)
{
	o->must_probe = true;
	o->is_probing = false;
	output_go_on(o);
}

void output_show(struct output *o, struct target *target)
{
	o->target = target;
	o->must_draw_all = true;
	output_go_on(o);
}

void output_forget(struct output *o, struct target *target)
{
	if (number_of(o, target) && o->freed_count < OUTPUT_FREED_MAX)
		o->freed[o->freed_count++] = target->number;
	target->number = 0;
	if (o->target == target)
		o->target = NULL;
	output_go_on(o);
}

/* ---- Questions ---------------------------------------------------------------------------------------------------------- */

static bool ask(struct output *o, handle_t root, uint32_t code, uint64_t word)
{
	o->call = (struct driver_call){ .root = root, .pass = HANDLE_NONE, .code = code, .word = word };
	return true;
}

static bool ask_with(struct output *o, uint32_t code, uint64_t word, const void *in, size_t in_bytes)
{
	ask(o, o->active->root, code, word);
	o->call.in = in;
	o->call.in_bytes = in_bytes;
	return true;
}

/* The next output to look at. False: all were. */
static bool probe(struct output *o)
{
	if (!o->is_probing) {
		o->is_probing = true;
		o->must_probe = false;
		o->probe_driver = o->probe_output = 0;
		o->best = NULL;
	}
	while (o->probe_driver < OUTPUT_DRIVERS_MAX && o->driver[o->probe_driver].root == HANDLE_NONE)
		o->probe_driver++;
	if (o->probe_driver < OUTPUT_DRIVERS_MAX) {
		ask(o, o->driver[o->probe_driver].root, DISPLAY_OUTPUT, o->probe_output);
		o->call.out = &o->answer;
		o->call.out_bytes = sizeof(o->answer);
		return true;
	}
	o->is_probing = false;
	use(o, o->best, o->best_output, &o->best_is);
	return false;
}

static void probed(struct output *o, int64_t result)
{
	bool is_boot = o->answer.display_flags & DISPLAY_IS_BOOT;

	if (result < 0 || ++o->probe_output >= DISPLAY_OUTPUTS_MAX) {
		o->probe_output = 0;
		o->probe_driver++;
		return;
	}
	if (!(o->answer.display_flags & DISPLAY_IS_CONNECTED) || o->answer.size.width > DISPLAY_SIDE_MAX || o->answer.size.height > DISPLAY_SIDE_MAX)
		return;
	if (o->best && (is_boot || !(o->best_is.display_flags & DISPLAY_IS_BOOT)))
		return;
	o->best = &o->driver[o->probe_driver];
	o->best_output = o->probe_output - 1;
	o->best_is = o->answer;
}

static bool wants_mode(const struct output *o)
{
	const struct display_size *w = &o->is.wanted;

	return (o->is.display_flags & DISPLAY_HAS_MODES) && w->width > 0 && w->height > 0 && w->width <= DISPLAY_SIDE_MAX && w->height <= DISPLAY_SIDE_MAX
	       && (w->width != o->is.size.width || w->height != o->is.size.height) && (w->width != o->tried.width || w->height != o->tried.height);
}

static bool ask_draw(struct output *o)
{
	size_t count = 1;

	if (o->must_draw_all)
		o->rectangle[0] = (struct display_rectangle){ 0, 0, o->target->is.size.width, o->target->is.size.height };
	/* What is new is drawn in any case. */
	size_t drawn = o->outside->draw(o, o->must_draw_all ? o->rectangle + 1 : o->rectangle);
	if (!o->must_draw_all && (count = drawn) == 0)
		return false;
	o->must_draw_all = false;
	return ask_with(o, DISPLAY_DAMAGE, number_of(o, o->target), o->rectangle, count * sizeof(*o->rectangle));
}

/* True: there is something to ask. */
static bool next(struct output *o)
{
	if ((o->must_probe || o->is_probing) && probe(o))
		return true;
	struct target *t = o->target;
	if (!output_is_there(o) && !(o->active && wants_mode(o)))
		return false;
	if (wants_mode(o)) {
		o->tried = o->is.wanted;
		return ask_with(o, DISPLAY_MODE, o->active_output, &o->tried, sizeof(o->tried));
	}
	if (o->freed_count > 0 && o->freed[o->freed_count - 1] != o->shown)
		return ask(o, o->active->root, DISPLAY_FREE, o->freed[--o->freed_count]);
	if (t && !t->is_bad && number_of(o, t) == 0) {
		ask_with(o, DISPLAY_SURFACE, 0, &t->is, sizeof(t->is));
		o->call.pass = t->object;
		return true;
	}
	uint64_t wanted = t && !t->is_bad ? number_of(o, t) : 0;
	if (o->shown != wanted)
		return ask(o, o->active->root, DISPLAY_SHOW, wanted | (uint64_t)o->active_output << 32);
	return wanted && ask_draw(o);
}

void output_go_on(struct output *o)
{
	if (o->is_calling || o->is_waiting || o->is_deciding)
		return;
	/* What is told on the way (changed) may come here again: it is heeded before this is through. */
	o->is_deciding = true;
	o->is_calling = next(o);
	o->is_deciding = false;
	if (o->is_calling)
		o->outside->call(o, &o->call);
}

/* ---- Answers -------------------------------------------------------------------------------------------------------------- */

static void failed(struct output *o, const struct driver_call *c)
{
	/* What it knew is gone, or it is. */
	forget_numbers(o);
	if (c->code == DISPLAY_SURFACE && c->result != ERR_NOENT && c->result != ERR_CONNRESET && o->target && o->target->object == c->pass)
		o->target->is_bad = true;
	o->must_probe = true;
	o->is_probing = false;
	if (++o->failures >= FAILURES_MAX) {
		o->is_waiting = true;
		o->outside->failed(o);
	}
}

static void succeeded(struct output *o, const struct driver_call *c)
{
	switch (c->code) {
	case DISPLAY_MODE:
		o->must_probe = true;
		break;
	case DISPLAY_SURFACE:
		if (o->target && o->target->object == c->pass) {
			o->target->number = (uint64_t)c->result;
			o->target->epoch = o->epoch;
		} else if (o->freed_count < OUTPUT_FREED_MAX) {
			o->freed[o->freed_count++] = (uint64_t)c->result;
		}
		break;
	case DISPLAY_SHOW:
		o->shown = (uint32_t)c->word;
		o->must_draw_all = true;
		break;
	case DISPLAY_DAMAGE:
		o->failures = 0;
		break;
	}
}

void output_answered(struct output *o, struct driver_call *c)
{
	o->is_calling = false;
	if (c->code == DISPLAY_OUTPUT) {
		/* A driver that came or went in between: all over again. */
		if (o->is_probing && !o->must_probe)
			probed(o, c->result);
	} else if (!o->active || c->root != o->active->root) {
		o->must_draw_all = true;        /* of a driver that is not used any more */
	} else if (c->result < 0 && c->code != DISPLAY_FREE && c->code != DISPLAY_MODE) {
		failed(o, c);
	} else {
		succeeded(o, c);
	}
	if (c->code == DISPLAY_DAMAGE)
		o->outside->drawn(o);
	output_go_on(o);
}

void output_try_again(struct output *o)
{
	o->is_waiting = false;
	o->failures = 0;
	o->must_probe = true;
	output_go_on(o);
}
