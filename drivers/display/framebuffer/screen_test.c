/* drivers/display/framebuffer/screen_test.c - framebuffers as loaders describe them, good and bad, and drawing in one whose red and blue are swapped. */
#include "drivers/display/framebuffer/screen.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/display/test_frame.h"

static const struct boot_framebuffer good = {
	.address = 0xfd000800, .width = 40, .height = 30, .pitch_bytes = 176, .bits_per_pixel = 32, .red_shift = 16, .green_shift = 8,
};

static err_t range_of(struct boot_framebuffer f)
{
	uint64_t start, bytes, inside;

	return screen_range(&f, &start, &bytes, &inside);
}

TEST(it_lies_in_whole_pages)
{
	uint64_t start, bytes, inside;

	CHECK_EQ(screen_range(&good, &start, &bytes, &inside), OK);
	CHECK(start == 0xfd000000 && inside == 0x800 && bytes == 0x2000);
}

TEST(one_that_cannot_be_drawn_in_is_refused)
{
	struct boot_framebuffer bad[] = { good, good, good, good, good, good, good, good, good, good };

	bad[0].width = 0;
	bad[1].height = DISPLAY_SIDE_MAX + 1;
	bad[2].pitch_bytes = 156;
	bad[3].pitch_bytes = 178;
	bad[4].bits_per_pixel = 24;
	bad[5].red_shift = 8;
	bad[6].address |= 1;
	bad[7].address = UINT64_MAX - 4095;
	bad[8].pitch_bytes = UINT32_MAX - 3;
	bad[9].width = UINT32_MAX;
	bad[8].height = 8192;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK_EQ(range_of(bad[i]), ERR_INVAL);
	CHECK_EQ(range_of((struct boot_framebuffer){ 0 }), ERR_NOENT);
}

TEST(what_is_shown_is_drawn_with_the_colors_in_their_places)
{
	static uint32_t source[30][40], screen[30][44];
	struct boot_framebuffer f = good;
	struct surface s = { .is = { .size = { 40, 30 }, .pitch_bytes = 160 }, .pixels = (const uint8_t *)source };
	struct frame frame;

	for (int swapped = 0; swapped < 2; swapped++) {
		f.red_shift = swapped ? 0 : 16;
		f.blue_shift = swapped ? 16 : 0;
		memset(screen, 0x55, sizeof(screen));
		screen_init(&frame, &f, (uint8_t *)screen);
		CHECK(frame.display.output[0].is.display_flags == (DISPLAY_IS_CONNECTED | DISPLAY_IS_BOOT));
		CHECK_EQ(screen[3][3], 0x55555555);
		source[29][39] = 0x112233;
		CHECK_EQ(test_frame_show(&frame, &s), OK);
		CHECK_EQ(test_frame_pixel(&frame, 39, 29), swapped ? 0x332211 : 0x112233);
		CHECK_EQ(screen[29][40], 0x55555555);
		source[29][39] = 0x445566;
		CHECK_EQ(test_frame_damage(&frame, &s, (struct display_rectangle){ 39, 29, 100, 100 }), OK);
		CHECK_EQ(test_frame_pixel(&frame, 39, 29), swapped ? 0x665544 : 0x445566);
		CHECK(!frame.display.ops->has_modes);
	}
}
