/* lib/term/sgr.c - select graphic rendition: colours and attributes of what is written next. */
#include "lib/term/private.h"

void sgr_reset(struct term *t)
{
	t->cursor.pen = (struct term_cell){ ' ', 0, TERM_FOREGROUND, TERM_BACKGROUND };
}

/* The nearest of the six levels of the 256-colour cube. */
static uint32_t cube_level(uint32_t value)
{
	if (value < 48)
		return 0;
	if (value < 115)
		return 1;
	return value >= 255 ? 5 : (value - 35) / 40;
}

static uint8_t nearest(uint32_t red, uint32_t green, uint32_t blue)
{
	if (red == green && green == blue && red > 8 && red < 238)
		return (uint8_t)(232 + (red - 8) / 10);
	return (uint8_t)(16 + 36 * cube_level(red) + 6 * cube_level(green) + cube_level(blue));
}

/* 38 and 48: 5;index or 2;r;g;b follow. How many parameters it used beside its own. */
static uint8_t take_colour(const struct term *t, uint8_t at, uint8_t *colour)
{
	const uint32_t *p = t->parameter + at + 1;
	uint8_t left = t->parameter_count - at - 1;

	if (left >= 2 && p[0] == 5) {
		if (p[1] < 256)
			*colour = (uint8_t)p[1];
		return 2;
	}
	if (left >= 4 && p[0] == 2) {
		if (p[1] < 256 && p[2] < 256 && p[3] < 256)
			*colour = nearest(p[1], p[2], p[3]);
		return 4;
	}
	return left;
}

static void set_attribute(struct term *t, uint32_t code)
{
	static const uint16_t on[10] = {
		[1] = TERM_BOLD, [2] = TERM_DIM, [3] = TERM_ITALIC, [4] = TERM_UNDERLINE, [5] = TERM_BLINK,
		[6] = TERM_BLINK, [7] = TERM_REVERSE, [8] = TERM_INVISIBLE, [9] = TERM_STRIKE,
	};
	static const uint16_t off[10] = {
		[1] = TERM_BOLD, [2] = TERM_BOLD | TERM_DIM, [3] = TERM_ITALIC, [4] = TERM_UNDERLINE,
		[5] = TERM_BLINK, [7] = TERM_REVERSE, [8] = TERM_INVISIBLE, [9] = TERM_STRIKE,
	};

	if (code < 10)
		t->cursor.pen.attributes |= on[code];
	else
		t->cursor.pen.attributes &= (uint16_t)~off[code - 20];
}

/* One parameter; how many more it used. */
static uint8_t apply(struct term *t, uint8_t at)
{
	struct term_cell *pen = &t->cursor.pen;
	uint32_t code = t->parameter[at];

	if (code == 0)
		sgr_reset(t);
	else if (code < 10 || (code >= 20 && code < 30))
		set_attribute(t, code);
	else if (code >= 10 && code <= 12)      /* TERM=linux: fonts; 11 and 12 show code page 437 */
		t->cursor.charset[t->cursor.set] = code == 10 ? TERM_ASCII : TERM_CP437;
	else if (code >= 30 && code <= 37)
		pen->foreground = (uint8_t)(code - 30);
	else if (code == 38)
		return take_colour(t, at, &pen->foreground);
	else if (code == 39)
		pen->foreground = TERM_FOREGROUND;
	else if (code >= 40 && code <= 47)
		pen->background = (uint8_t)(code - 40);
	else if (code == 48)
		return take_colour(t, at, &pen->background);
	else if (code == 49)
		pen->background = TERM_BACKGROUND;
	else if (code >= 90 && code <= 97)
		pen->foreground = (uint8_t)(code - 90 + 8);
	else if (code >= 100 && code <= 107)
		pen->background = (uint8_t)(code - 100 + 8);
	return 0;
}

void sgr_run(struct term *t)
{
	for (uint8_t i = 0; i < t->parameter_count; i++)
		i += apply(t, i);
}
