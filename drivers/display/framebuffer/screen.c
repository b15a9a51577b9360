/* drivers/display/framebuffer/screen.c - what the loader says of it is the firmware's word. */
#include "drivers/display/framebuffer/screen.h"
#include "lib/base/bits.h"

enum { PIXEL = 4 };

static bool has_bytes(const struct boot_framebuffer *f)
{
	bool is_plain = f->red_shift == 16 && f->green_shift == 8 && f->blue_shift == 0;
	bool is_swapped = f->red_shift == 0 && f->green_shift == 8 && f->blue_shift == 16;

	return f->bits_per_pixel == PIXEL * 8 && (is_plain || is_swapped);
}

err_t screen_range(const struct boot_framebuffer *f, uint64_t *start, uint64_t *bytes, uint64_t *inside)
{
	if (f->address == 0)
		return ERR_NOENT;
	if (!has_bytes(f) || f->address % PIXEL || f->width == 0 || f->height == 0 || f->width > DISPLAY_SIDE_MAX || f->height > DISPLAY_SIDE_MAX)
		return ERR_INVAL;
	if (f->pitch_bytes % PIXEL || f->pitch_bytes < f->width * PIXEL)
		return ERR_INVAL;
	uint64_t all = (uint64_t)f->pitch_bytes * f->height, end;
	*start = round_down(f->address, SCREEN_PAGE);
	*inside = f->address - *start;
	*bytes = round_up(all + *inside, SCREEN_PAGE);
	return *bytes > SCREEN_BYTES_MAX || add_overflows(*start, *bytes, &end) ? ERR_INVAL : OK;
}

void screen_init(struct frame *frame, const struct boot_framebuffer *f, uint8_t *pixels)
{
	struct display_output is = { .wanted = { f->width, f->height }, .display_flags = DISPLAY_IS_BOOT, .name = "boot" };

	*frame = (struct frame){
		.pixels = pixels, .pitch_bytes = f->pitch_bytes, .size = { f->width, f->height }, .is_swapped = f->red_shift == 0,
	};
	frame_init(frame, &is);
}
