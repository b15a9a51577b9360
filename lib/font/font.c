/* lib/font/font.c - reads PSF1 and PSF2 files; they may be hostile. */
#include "lib/font/font.h"

struct input { const uint8_t *at; size_t left; };

static uint32_t little32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The first glyph that names a code keeps it. */
static void name_glyph(struct font *f, uint32_t code, uint32_t glyph)
{
	if (code == 0xfffd)
		f->unknown = (uint16_t)glyph;
	if (code < FONT_CODES && f->index[code] == FONT_NO_GLYPH)
		f->index[code] = (uint16_t)glyph;
}

/* Without a table, a glyph's number is its code. */
static void name_by_number(struct font *f)
{
	for (uint32_t i = 0; i < f->count && i < 256; i++)
		name_glyph(f, i, i);
}

/* PSF1: 16-bit codes; 0xffff ends a glyph's list, 0xfffe begins combinations, which have no single code. */
static void read_table16(struct font *f, struct input in)
{
	uint32_t glyph = 0;
	bool in_combination = false;

	for (; glyph < f->count && in.left >= 2; in.at += 2, in.left -= 2) {
		uint32_t code = in.at[0] | (uint32_t)in.at[1] << 8;

		if (code == 0xffff) {
			glyph++;
			in_combination = false;
		} else if (code == 0xfffe) {
			in_combination = true;
		} else if (!in_combination) {
			name_glyph(f, code, glyph);
		}
	}
}

/* One UTF-8 character; what is broken gives a code that no glyph can have. */
static uint32_t take_utf8(struct input *in)
{
	uint8_t first = *in->at++;
	unsigned tail = first < 0xc0 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t code = first < 0x80 ? first : first & (0x3f >> tail);

	in->left--;
	if (first >= 0x80 && first < 0xc0)
		return UINT32_MAX;
	for (; tail > 0; tail--) {
		if (in->left == 0 || (*in->at & 0xc0) != 0x80)
			return UINT32_MAX;
		code = code << 6 | (*in->at++ & 0x3f);
		in->left--;
	}
	return code;
}

/* PSF2: UTF-8; 0xff and 0xfe as above. */
static void read_table8(struct font *f, struct input in)
{
	uint32_t glyph = 0;
	bool in_combination = false;

	while (glyph < f->count && in.left > 0) {
		if (*in.at >= 0xfe) {
			in_combination = *in.at == 0xfe;
			glyph += *in.at == 0xff;
			in.at++;
			in.left--;
			continue;
		}
		uint32_t code = take_utf8(&in);
		if (!in_combination)
			name_glyph(f, code, glyph);
	}
}

/* Checks the sizes and sets the glyphs; what lies behind them is left in *in. */
static err_t take_glyphs(struct font *f, struct input *in, size_t header_bytes)
{
	if (f->width == 0 || f->width > FONT_SIZE_MAX || f->height == 0 || f->height > FONT_SIZE_MAX)
		return ERR_BADMSG;
	f->row_bytes = (f->width + 7) / 8;
	if (f->glyph_bytes != f->row_bytes * f->height || f->count == 0 || f->count >= FONT_NO_GLYPH)
		return ERR_BADMSG;
	if (header_bytes > in->left || (size_t)f->count * f->glyph_bytes > in->left - header_bytes)
		return ERR_BADMSG;
	f->glyphs = in->at + header_bytes;
	in->at = f->glyphs + (size_t)f->count * f->glyph_bytes;
	in->left -= header_bytes + (size_t)f->count * f->glyph_bytes;
	return OK;
}

static err_t read_psf1(struct font *f, struct input in)
{
	err_t err;
	uint8_t mode = in.at[2];

	f->width = 8;
	f->height = f->glyph_bytes = in.at[3];
	f->count = mode & 1 ? 512 : 256;
	if ((err = take_glyphs(f, &in, 4)))
		return err;
	if (mode & 6)
		read_table16(f, in);
	else
		name_by_number(f);
	return OK;
}

static err_t read_psf2(struct font *f, struct input in)
{
	err_t err;
	uint32_t header_bytes = little32(in.at + 8), flags = little32(in.at + 12);

	f->count = little32(in.at + 16);
	f->glyph_bytes = little32(in.at + 20);
	f->height = little32(in.at + 24);
	f->width = little32(in.at + 28);
	if ((err = take_glyphs(f, &in, header_bytes)))
		return err;
	if (flags & 1)
		read_table8(f, in);
	else
		name_by_number(f);
	return OK;
}

err_t font_init(struct font *f, const uint8_t *file, size_t bytes)
{
	struct input in = { file, bytes };
	err_t err = ERR_BADMSG;

	__builtin_memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < FONT_CODES; i++)
		f->index[i] = FONT_NO_GLYPH;
	f->unknown = FONT_NO_GLYPH;
	if (bytes >= 4 && file[0] == 0x36 && file[1] == 0x04)
		err = read_psf1(f, in);
	else if (bytes >= 32 && little32(file) == 0x864ab572)
		err = read_psf2(f, in);
	if (err)
		return err;
	if (f->unknown == FONT_NO_GLYPH)
		f->unknown = f->index['?'] != FONT_NO_GLYPH ? f->index['?'] : 0;
	return OK;
}

bool font_has(const struct font *f, uint32_t code)
{
	return code < FONT_CODES && f->index[code] != FONT_NO_GLYPH;
}

const uint8_t *font_glyph(const struct font *f, uint32_t code)
{
	uint16_t glyph = code < FONT_CODES ? f->index[code] : FONT_NO_GLYPH;

	if (glyph == FONT_NO_GLYPH)
		glyph = f->unknown;
	return f->glyphs + (size_t)glyph * f->glyph_bytes;
}
