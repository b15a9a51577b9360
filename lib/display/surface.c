/* lib/display/surface.c - what a surface may be, rectangles, copies of pixels. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/display/serve.h"

enum { PAGE = 4096, PIXEL = 4 };

err_t surface_check(const struct display_surface *is, uint64_t object_bytes, uint64_t *bytes_out)
{
	if (is->size.width == 0 || is->size.height == 0 || is->size.width > DISPLAY_SIDE_MAX || is->size.height > DISPLAY_SIDE_MAX)
		return ERR_INVAL;
	if (is->pitch_bytes % PIXEL || is->pitch_bytes < is->size.width * PIXEL || is->pitch_bytes > SURFACE_PITCH_MAX || is->reserved)
		return ERR_INVAL;
	uint64_t bytes = (uint64_t)is->pitch_bytes * (is->size.height - 1) + is->size.width * PIXEL;
	if (is->offset % PAGE || !range_fits(is->offset, bytes, object_bytes))
		return ERR_INVAL;
	*bytes_out = round_up(bytes, PAGE);
	return OK;
}

bool rectangle_clip(struct display_rectangle *r, struct display_size within)
{
	if (r->x >= within.width || r->y >= within.height || r->width == 0 || r->height == 0)
		return false;
	r->width = MIN_OF(r->width, within.width - r->x);
	r->height = MIN_OF(r->height, within.height - r->y);
	return true;
}

void display_copy(uint8_t *to, uint32_t to_pitch_bytes, struct display_size within, const struct surface *s, const struct display_rectangle *r)
{
	struct display_rectangle part = *r;

	if (!rectangle_clip(&part, within))
		return;
	const uint8_t *from = s->pixels + (uint64_t)part.y * s->is.pitch_bytes + part.x * PIXEL;
	to += (uint64_t)part.y * to_pitch_bytes + part.x * PIXEL;
	for (uint32_t row = 0; row < part.height; row++, from += s->is.pitch_bytes, to += to_pitch_bytes)
		memcpy(to, from, (size_t)part.width * PIXEL);
}
