/* lib/screen/draw_test.c - cells to pixels with a small font of our own: what is touched, and how it looks. */
#include "lib/base/bits.h"
#include "lib/native/heap.h"
#include "lib/screen/draw.h"
#include "lib/screen/text_memory.h"
#include "lib/test/test.h"

/* 8 by 8 pixels; glyph n has n's bits in its first row, and its last pixel's column in the others. */
enum { WIDTH = 8 * 20 + 3, HEIGHT = 8 * 5 + 2, PITCH = WIDTH * 4 + 12, GUARD = 0x5eedf00d };

static struct text_memory storage;
static struct text text;
static struct font font;
static struct draw draw;
static uint32_t pixels[PITCH / 4 * (HEIGHT + 1)];
static struct display_rectangle changed[8];
static size_t changed_count;

static void answer(struct text *t, const char *bytes, size_t count)
{
	(void)t, (void)bytes, (void)count;
}

static const struct font *font_of_ours(void)
{
	static uint8_t file[4 + 256 * 8] = { 0x36, 0x04, 0, 8 };

	for (int glyph = 0; glyph < 256; glyph++)
		for (int y = 0; y < 8; y++)
			file[4 + glyph * 8 + y] = glyph <= ' ' ? 0 : y == 0 ? (uint8_t)glyph : 1;
	CHECK_EQ(font_init(&font, file, sizeof(file)), OK);
	return &font;
}

static void start(void)
{
	draw_fini(&draw);
	storage.magic = 0;
	for (size_t i = 0; i < ARRAY_COUNT(pixels); i++)
		pixels[i] = GUARD;
	CHECK_EQ(draw_init(&draw, (uint8_t *)pixels, (struct display_size){ WIDTH, HEIGHT }, PITCH, font_of_ours()), OK);
	CHECK_EQ(draw.columns, 20);
	CHECK_EQ(draw.rows, 5);
	CHECK_EQ(text_open(&text, &storage, draw.columns, draw.rows, answer), OK);
}

static void show(const char *s)
{
	text_write(&text, (const uint8_t *)s, strlen(s));
	changed_count = draw_update(&draw, &text, changed, ARRAY_COUNT(changed));
}

static uint32_t at(uint32_t x, uint32_t y)
{
	return pixels[y * (PITCH / 4) + x];
}

/* The first row of a cell's glyph, of those that have one colour. */
static uint32_t bits(uint32_t row, uint32_t column, uint32_t on)
{
	uint32_t found = 0;

	for (uint32_t x = 0; x < 8; x++)
		found = found << 1 | (at(column * 8 + x, row * 8) == on);
	return found;
}

TEST(a_character_is_its_glyph_in_its_colours)
{
	start();
	show("\x1b[?25lA\x1b[31;44mB\x1b[38;2;1;2;3mC");
	CHECK_EQ(bits(0, 0, 0xaaaaaa), 'A');
	CHECK_EQ(bits(0, 0, 0), (uint8_t)~'A');
	CHECK_EQ(bits(0, 1, 0xaa0000), 'B');
	CHECK_EQ(bits(0, 1, 0x0000aa), (uint8_t)~'B');
	CHECK_EQ(bits(0, 2, 0x010203), 'C');
	CHECK_EQ(at(7, 5), 0xaaaaaa);
	CHECK_EQ(at(6, 5), 0);
}

TEST(nothing_is_drawn_outside_and_what_no_character_covers_is_black)
{
	start();
	show("x");
	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++)
			CHECK(at(x, y) != GUARD);
		for (uint32_t x = WIDTH; x < PITCH / 4; x++)
			CHECK_EQ(at(x, y), GUARD);
	}
	for (uint32_t x = 0; x < PITCH / 4; x++)
		CHECK_EQ(at(x, HEIGHT), GUARD);
	CHECK_EQ(at(WIDTH - 1, 0), 0);
	CHECK_EQ(changed_count, 1);
	CHECK_EQ(changed[0].width, WIDTH);
	CHECK_EQ(changed[0].height, HEIGHT);
}

TEST(only_cells_that_changed_are_touched)
{
	start();
	show("abc\x1b[?25l");
	for (uint32_t i = 0; i < WIDTH; i++)
		pixels[i] = GUARD;
	show("\x1b[1;2Hx");
	CHECK_EQ(changed_count, 1);
	CHECK_EQ(changed[0].x, 8);
	CHECK_EQ(changed[0].y, 0);
	CHECK_EQ(changed[0].width, 8);
	CHECK_EQ(changed[0].height, 8);
	CHECK_EQ(at(0, 0), GUARD);
	CHECK_EQ(at(16, 0), GUARD);
	CHECK_EQ(bits(0, 1, 0xaaaaaa), 'x');
	show("\x1b[1;2Hx");
	CHECK_EQ(changed_count, 0);
}

TEST(more_rectangles_than_there_is_room_for_are_joined)
{
	start();
	show("\x1b[?25l");
	text_write(&text, (const uint8_t *)"\x1b[1;1Ha\x1b[3;5Hb\x1b[5;9Hc", 21);
	struct display_rectangle two[2];
	CHECK_EQ(draw_update(&draw, &text, two, 2), 2);
	CHECK_EQ(two[0].width, 8);
	CHECK_EQ(two[1].x, 32);
	CHECK_EQ(two[1].y, 16);
	CHECK_EQ(two[1].width, 40);
	CHECK_EQ(two[1].height, 24);
}

TEST(the_cursor_is_drawn_in_its_shape_and_goes)
{
	start();
	show("a");
	CHECK_EQ(at(8, 3), 0xaaaaaa);
	show("b");
	CHECK_EQ(at(8, 3), 0);
	CHECK_EQ(at(16, 3), 0xaaaaaa);
	show("\x1b[4 q");
	CHECK_EQ(at(16, 3), 0);
	CHECK_EQ(at(16, 7), 0xaaaaaa);
	show("\x1b[6 q");
	CHECK_EQ(at(16, 3), 0xaaaaaa);
	CHECK_EQ(at(19, 7), 0);
	show("\x1b[?25l");
	CHECK_EQ(at(16, 3), 0);
	show("\x1b[?25h\x1b[2 q\x1b[1;1H");
	CHECK_EQ(bits(0, 0, 0), 'a');
}

TEST(attributes_look_as_they_should)
{
	start();
	show("\x1b[?25l\x1b[1mA\x1b[m\x1b[2mB\x1b[m\x1b[7mC\x1b[m\x1b[4mD\x1b[m\x1b[8mE\x1b[m\x1b[9mF\x1b[m\x1b[1;31mG\x1b[m\x1b[4m \x1b[m\x1b[3mI");
	CHECK_EQ(bits(0, 0, 0xffffff), 'A');
	CHECK_EQ(bits(0, 1, 0x717171), 'B');
	CHECK_EQ(bits(0, 2, 0), 'C');
	CHECK_EQ(at(8 * 3, 7), 0xaaaaaa);
	CHECK_EQ(bits(0, 4, 0xaaaaaa), 0);
	CHECK_EQ(at(8 * 5, 4), 0xaaaaaa);
	CHECK_EQ(bits(0, 6, 0xff5555), 'G');
	CHECK_EQ(at(8 * 7, 7), 0xaaaaaa);
	CHECK_EQ(bits(0, 8, 0xaaaaaa), 'I' >> 1);
}

TEST(a_selection_is_reversed)
{
	start();
	show("\x1b[?25labc");
	text_select_from(&text, 0, 1);
	text_select_to(&text, 0, 1);
	show("");
	CHECK_EQ(bits(0, 0, 0xaaaaaa), 'a');
	CHECK_EQ(bits(0, 1, 0), 'b');
	text_select_nothing(&text);
	show("");
	CHECK_EQ(bits(0, 1, 0xaaaaaa), 'b');
}

TEST(letter_and_mark_become_one_glyph)
{
	start();
	show("\x1b[?25le\xcc\x81u\xcc\x88x\xcc\x81");
	CHECK_EQ(bits(0, 0, 0xaaaaaa), 0xe9);
	CHECK_EQ(bits(0, 1, 0xaaaaaa), 0xfc);
	CHECK_EQ(bits(0, 2, 0xaaaaaa), 'x');
}

TEST(what_has_no_glyph_is_shown_as_unknown_and_takes_its_room)
{
	start();
	show("\x1b[?25l\xe6\xbc\xa2z");
	CHECK_EQ(bits(0, 0, 0xaaaaaa), '?');
	CHECK_EQ(bits(0, 1, 0xaaaaaa), 0);
	CHECK_EQ(bits(0, 2, 0xaaaaaa), 'z');
}

TEST(colours_of_the_palette_are_xterms)
{
	CHECK_EQ(draw_colour(TEXT_PALETTE | 16), 0x000000);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 21), 0x0000ff);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 196), 0xff0000);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 231), 0xffffff);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 232), 0x080808);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 255), 0xeeeeee);
	CHECK_EQ(draw_colour(TEXT_PALETTE | 3), 0xaa5500);
}

/* However it came about, what is shown is what a fresh drawing would show. */
TEST(what_was_drawn_piece_by_piece_equals_a_fresh_drawing)
{
	static const char *const pieces[] = { "\r\n", "hello ", "\x1b[31;43m", "\x1b[m", "\x1b[H", "\x1b[J", "\x1b[2;4r", "\x1b[r", "\x1b[L", "\x1b[2M",
		"\xe6\xbc\xa2", "e\xcc\x81", "\x1b[?1049h", "\x1b[?1049l", "\x1b[4;3H", "\x1b[7m", "\x1b[?5h", "\x1b[?5l", "\x1b[?25l", "\x1b[?25h", "\x1b[K" };
	static uint32_t was[ARRAY_COUNT(pixels)];

	start();
	for (int i = 0; i < 3000; i++) {
		show(pieces[test_random() % ARRAY_COUNT(pieces)]);
		if (i % 7 == 0)
			text_scroll_view(&text, (int32_t)(test_random() % 5) - 2);
		if (i % 50 != 0)
			continue;
		show("");
		memcpy(was, pixels, sizeof(was));
		draw_forget(&draw);
		show("");
		CHECK_MEM(pixels, was, sizeof(was));
	}
}

TEST(a_surface_that_makes_no_sense_is_refused)
{
	struct draw d;

	start();
	CHECK_EQ(draw_init(&d, (uint8_t *)pixels, (struct display_size){ 7, 100 }, 28, &font), ERR_INVAL);
	CHECK_EQ(draw_init(&d, (uint8_t *)pixels, (struct display_size){ 80, 80 }, 316, &font), ERR_INVAL);
	CHECK_EQ(draw_init(&d, (uint8_t *)pixels, (struct display_size){ 80, 80 }, 322, &font), ERR_INVAL);
	heap_fail_after(1);
	CHECK_EQ(draw_init(&d, (uint8_t *)pixels, (struct display_size){ 80, 16 }, 320, &font), ERR_NOMEM);
	heap_fail_after(0);
}
