/* lib/display/frame.c - jobs that are done at once: copies. */
#include "lib/display/frame.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { PIXEL = 4 };

/* ---- Pixels ------------------------------------------------------------------------------------------------------------ */

static void row_swap(uint32_t *to, const uint32_t *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = (from[i] & 0xff00ff00u) | (from[i] >> 16 & 0xff) | (from[i] & 0xff) << 16;
}

static void copy_swapped(struct frame *f, const struct surface *s, const struct display_rectangle *r)
{
	uint32_t right = MIN_OF(r->x + r->width, f->size.width), bottom = MIN_OF(r->y + r->height, f->size.height);

	for (uint32_t y = r->y; y < bottom && r->x < right; y++)
		row_swap((uint32_t *)(f->pixels + (uint64_t)y * f->pitch_bytes) + r->x,
		         (const uint32_t *)(s->pixels + (uint64_t)y * s->is.pitch_bytes) + r->x, right - r->x);
}

static void copy(struct frame *f, const struct surface *s, const struct display_rectangle *r)
{
	if (f->is_swapped)
		copy_swapped(f, s, r);
	else
		display_copy(f->pixels, f->pitch_bytes, f->size, s, r);
}

/* Everything right of x or below y. */
static void darken_around(struct frame *f, uint32_t x, uint32_t y)
{
	for (uint32_t row = 0; row < f->size.height; row++) {
		uint32_t from = row < y ? MIN_OF(x, f->size.width) : 0;
		memset(f->pixels + (uint64_t)row * f->pitch_bytes + from * PIXEL, 0, (size_t)(f->size.width - from) * PIXEL);
	}
}

void frame_draw(struct frame *f)
{
	const struct surface *s = f->display.output[0].shown;

	if (s)
		copy(f, s, &(struct display_rectangle){ 0, 0, s->is.size.width, s->is.size.height });
	darken_around(f, s ? s->is.size.width : 0, s ? s->is.size.height : 0);
}

/* ---- Jobs --------------------------------------------------------------------------------------------------------------- */

static err_t mode_set(struct frame *f, struct display_size size)
{
	err_t err = f->mode(f, size);

	f->is_off &= err != OK;
	return err;
}

static err_t show(struct frame *f)
{
	if (f->is_off)
		return mode_set(f, f->size);
	frame_draw(f);
	return OK;
}

static err_t job_do(struct frame *f, struct display_job *j)
{
	switch (j->op) {
	case OUTPUT_SHOW:
		return show(f);
	case OUTPUT_MODE:
		return mode_set(f, j->size);
	case SURFACE_DESTROY:
		if (j->outputs && !f->is_off)
			frame_draw(f);
		return OK;
	case SURFACE_DAMAGE:
		for (uint32_t i = 0; i < j->count && f->display.output[0].shown == j->surface; i++)
			copy(f, j->surface, &j->rectangle[i]);
		return OK;
	case SURFACE_CREATE:
		return OK;
	case CURSOR_SET:
		break;
	}
	return ERR_OPNOTSUPP;
}

static void frame_start(void *driver, struct display_job *j)
{
	display_done(j, job_do(driver, j));
}

void frame_init(struct frame *f, const struct display_output *is)
{
	static const struct display_ops fixed = { .start = frame_start, .wants_pixels = true };
	static const struct display_ops with_modes = { .start = frame_start, .wants_pixels = true, .has_modes = true };
	struct display_output output = *is;

	f->display = (struct display){ .ops = f->mode ? &with_modes : &fixed, .driver = f };
	output.size = f->size;
	output.display_flags |= DISPLAY_IS_CONNECTED | (f->mode ? DISPLAY_HAS_MODES : 0);
	display_output_set(&f->display, 0, &output);
}
