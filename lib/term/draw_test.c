/* lib/term/draw_test.c - cells become the right pixels, and no others are touched. */
#include "lib/test/test.h"
#include "lib/term/draw.h"

enum { WIDTH = 40, HEIGHT = 20, PITCH = 44 * 4 };       /* four rows of 5, five columns of 8 */

static uint32_t pixels[HEIGHT * PITCH / 4];
static uint8_t file[4 + 256 * 4 + 256 * 4 + 8];
static struct font font;
static struct term t;
static struct draw d;
static struct term_cell cells[2 * 5 * 5], shown[5 * 5];

/* A PSF1 font of 8 by 4 pixels in which glyph n has row r equal to n + r, and U+2500 is glyph 200. */
static void make_font(void)
{
	size_t at = 4 + 256 * 4;

	memcpy(file, (const uint8_t[]){ 0x36, 0x04, 2, 4 }, 4);
	for (int i = 0; i < 256 * 4; i++)
		file[4 + i] = (uint8_t)(i / 4 + i % 4);
	for (int i = 0; i < 256; i++) {
		uint32_t code = i == 200 ? 0x2500 : (uint32_t)i;
		file[at++] = (uint8_t)code;
		file[at++] = (uint8_t)(code >> 8);
		file[at++] = 0xff;
		file[at++] = 0xff;
	}
	CHECK_EQ(font_init(&font, file, at), OK);
}

static void start(void)
{
	struct draw_target target = { (uint8_t *)pixels, WIDTH, HEIGHT, PITCH, 16, 8, 0 };

	make_font();
	memset(pixels, 0x5a, sizeof(pixels));
	CHECK_EQ(term_draw_columns(&target, &font), 5);
	CHECK_EQ(term_draw_rows(&target, &font), 5);
	CHECK_EQ(term_init(&t, 5, 5, cells), OK);
	term_draw_init(&d, &target, &font, &t, shown);
}

static void feed(const char *text)
{
	term_write(&t, (const uint8_t *)text, strlen(text));
	term_draw_update(&d, &t);
}

static uint32_t at(int row, int column, int y, int x)
{
	return pixels[(row * 4 + y) * (PITCH / 4) + column * 8 + x];
}

TEST(a_character_is_drawn_in_its_colours)
{
	start();
	feed("\033[?25l\033[31;44mA");
	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 8; x++)
			CHECK_EQ(at(0, 0, y, x), ('A' + y) & 0x80 >> x ? 0xaa0000u : 0x0000aau);
}

TEST(pixels_beyond_the_width_stay_alone)
{
	start();
	feed("\033[7m\033[2J\033#8");
	for (int y = 0; y < HEIGHT; y++)
		for (int x = WIDTH; x < PITCH / 4; x++)
			CHECK_EQ(pixels[y * (PITCH / 4) + x], 0x5a5a5a5au);
}

TEST(bold_is_bright_and_reverse_swaps)
{
	start();
	feed("\033[?25l\033[1;31;7mA");
	CHECK_EQ(at(0, 0, 0, 1), 0x000000);
	CHECK_EQ(at(0, 0, 0, 0), 0xff5555);
}

TEST(the_cursor_shows_and_moves)
{
	start();
	feed("\033[2;2H");
	CHECK_EQ(at(1, 1, 0, 0), 0xaaaaaa);
	feed("\033[1;1H");
	CHECK_EQ(at(1, 1, 0, 0), 0);
	CHECK_EQ(at(0, 0, 0, 0), 0xaaaaaa);
	feed("\033[?25l");
	CHECK_EQ(at(0, 0, 0, 0), 0);
}

TEST(cells_that_look_the_same_are_not_drawn_again)
{
	start();
	feed("\033[?25lAAA");
	pixels[0] = 1;
	feed("\033[1;1HAAA");
	CHECK_EQ(pixels[0], 1);
}

TEST(a_new_palette_redraws_everything)
{
	start();
	feed("\033[?25lA\033]P7123456");
	CHECK_EQ(at(0, 0, 0, 1), 0x123456);
}

TEST(glyphs_are_found_by_unicode_and_else_unknown)
{
	start();
	CHECK_EQ(font_glyph(&font, 0x2500)[0], 200);
	CHECK_EQ(font_glyph(&font, 'a')[0], 'a');
	CHECK_EQ(font_glyph(&font, 0x2501)[0], '?');
	CHECK_EQ(font_glyph(&font, 0x10ffff)[0], '?');
}

TEST(a_broken_font_is_refused)
{
	make_font();
	CHECK_EQ(font_init(&font, file, 3), ERR_BADMSG);
	CHECK_EQ(font_init(&font, file, 4 + 256 * 4 - 1), ERR_BADMSG);
	file[3] = 0;
	CHECK_EQ(font_init(&font, file, sizeof(file)), ERR_BADMSG);
	file[0] = 0;
	CHECK_EQ(font_init(&font, file, sizeof(file)), ERR_BADMSG);
}

TEST(psf2_fonts_are_read_too)
{
	uint8_t psf2[32 + 2 * 2 + 8] = {
		0x72, 0xb5, 0x4a, 0x86, 0, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,
		2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0x10, 0x20, 0x30, 0x40,
		'a', 0xff, 0xe2, 0x82, 0xac, 0xfe, 'b', 0xff,
	};

	CHECK_EQ(font_init(&font, psf2, sizeof(psf2)), OK);
	CHECK_EQ(font.width, 5);
	CHECK_EQ(font_glyph(&font, 'a')[1], 0x20);
	CHECK_EQ(font_glyph(&font, 0x20ac)[0], 0x30);
	CHECK_EQ(font_glyph(&font, 'b')[0], 0x10);
}
