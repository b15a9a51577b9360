/* lib/screen/golden_test.c - what bytes look like as a picture, for who compares a machine's display with it (tests/host/screens_test.py):
 * with SCREEN_SIZE=WIDTHxHEIGHT, SCREEN_FONT, SCREEN_BYTES and SCREEN_PICTURE (files; the last is written, as PPM) in the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include "lib/screen/draw.h"
#include "lib/screen/text_memory.h"
#include "lib/test/test.h"

static struct text_memory memory;
static struct font font;

static void answer(struct text *t, const char *bytes, size_t count)
{
	(void)t, (void)bytes, (void)count;
}

static uint8_t *file_read(const char *variable, size_t *bytes)
{
	const char *path = getenv(variable);
	FILE *f = path ? fopen(path, "rb") : NULL;

	CHECK(f);
	fseek(f, 0, SEEK_END);
	*bytes = (size_t)ftell(f);
	rewind(f);
	uint8_t *data = malloc(*bytes + 1);
	CHECK_EQ(fread(data, 1, *bytes, f), *bytes);
	fclose(f);
	return data;
}

static void picture_write(const uint32_t *pixels, struct display_size size)
{
	FILE *f = fopen(getenv("SCREEN_PICTURE"), "wb");

	CHECK(f);
	fprintf(f, "P6\n%u %u\n255\n", size.width, size.height);
	for (size_t i = 0; i < (size_t)size.width * size.height; i++) {
		uint8_t rgb[3] = { (uint8_t)(pixels[i] >> 16), (uint8_t)(pixels[i] >> 8), (uint8_t)pixels[i] };
		fwrite(rgb, 1, 3, f);
	}
	fclose(f);
}

TEST(the_picture_that_is_asked_for)
{
	struct display_rectangle changed[4];
	struct display_size size;
	size_t font_bytes, bytes;
	struct text text;
	struct draw draw;

	if (!getenv("SCREEN_SIZE"))
		test_skip("none is asked for");
	CHECK_EQ(sscanf(getenv("SCREEN_SIZE"), "%ux%u", &size.width, &size.height), 2);
	const uint8_t *font_file = file_read("SCREEN_FONT", &font_bytes);
	CHECK_EQ(font_init(&font, font_file, font_bytes), OK);
	uint32_t *pixels = calloc((size_t)size.width * size.height, 4);
	CHECK_EQ(draw_init(&draw, (uint8_t *)pixels, size, size.width * 4, &font), OK);
	CHECK_EQ(text_open(&text, &memory, draw.columns, draw.rows, answer), OK);
	uint8_t *data = file_read("SCREEN_BYTES", &bytes);
	text_write(&text, data, bytes);
	CHECK_EQ(draw_update(&draw, &text, changed, 4), 1);
	picture_write(pixels, size);
}
