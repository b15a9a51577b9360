/* servers/console/display.c - puts lib/term's parts together. */
#include "servers/console/display.h"
#include "lib/native/heap.h"

static bool is_usable(const struct boot_framebuffer *f, const struct font *font)
{
	return f->bits_per_pixel == 32 && f->width >= font->width && f->height >= font->height && f->width <= UINT32_MAX / 4
	       && f->pitch_bytes >= f->width * 4 && f->pitch_bytes % 4 == 0 && f->red_shift <= 24 && f->green_shift <= 24
	       && f->blue_shift <= 24;
}

err_t console_display_init(struct display *d, const struct boot_framebuffer *f, uint8_t *pixels, const uint8_t *font, size_t font_bytes)
{
	struct draw_target target = {
		.pixels = pixels, .width = f->width, .height = f->height, .pitch_bytes = f->pitch_bytes,
		.red_shift = f->red_shift, .green_shift = f->green_shift, .blue_shift = f->blue_shift,
	};
	size_t count;
	err_t err;

	d->is_present = false;
	if ((err = font_init(&d->font, font, font_bytes)))
		return err;
	if (!is_usable(f, &d->font))
		return ERR_INVAL;
	uint16_t columns = term_draw_columns(&target, &d->font), rows = term_draw_rows(&target, &d->font);
	count = (size_t)columns * rows;
	d->cells = heap_alloc(2 * count * sizeof(*d->cells));
	d->shown = heap_alloc(count * sizeof(*d->shown));
	if (!d->cells || !d->shown) {
		err = ERR_NOMEM;
		goto free_cells;
	}
	if ((err = term_init(&d->term, columns, rows, d->cells)))
		goto free_cells;
	term_draw_init(&d->draw, &target, &d->font, &d->term, d->shown);
	d->is_present = true;
	return OK;

free_cells:
	heap_free(d->cells, 2 * count * sizeof(*d->cells));
	heap_free(d->shown, count * sizeof(*d->shown));
	return err;
}

void console_display_write(struct display *d, const uint8_t *bytes, size_t count)
{
	if (d->is_present)
		term_write(&d->term, bytes, count);
}

void console_display_draw(struct display *d)
{
	if (d->is_present)
		term_draw_update(&d->draw, &d->term);
}
