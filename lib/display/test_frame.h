/* lib/display/test_frame.h - the half of lib/display that a frame's driver meets, for host tests of such drivers. A test includes it once. */
#pragma once
#include "lib/display/frame.h"
#include "lib/test/test.h"

static err_t test_frame_error;

void display_done(struct display_job *j, err_t err)
{
	(void)j;
	test_frame_error = err;
}

void display_output_set(struct display *d, uint32_t n, const struct display_output *is)
{
	CHECK_EQ(n, 0);
	d->output_count = 1;
	d->output[0].is = *is;
}

static err_t test_frame_do(struct frame *f, struct display_job j)
{
	test_frame_error = ERR_AGAIN;
	f->display.ops->start(f, &j);
	return test_frame_error;
}

static err_t test_frame_show(struct frame *f, struct surface *s)
{
	f->display.output[0].shown = s;
	return test_frame_do(f, (struct display_job){ .op = OUTPUT_SHOW, .surface = s });
}

static err_t test_frame_damage(struct frame *f, struct surface *s, struct display_rectangle r)
{
	return test_frame_do(f, (struct display_job){ .op = SURFACE_DAMAGE, .surface = s, .count = 1, .rectangle = &r });
}

static uint32_t test_frame_pixel(const struct frame *f, uint32_t x, uint32_t y)
{
	return ((const uint32_t *)(f->pixels + (uint64_t)y * f->pitch_bytes))[x];
}
