/* lib/font/font_fuzz.c - a font file of any bytes is refused, or every glyph it names lies inside it. */
#include <stdlib.h>
#include <string.h>
#include "lib/font/font.h"

static struct font f;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t psf2[4] = { 0x72, 0xb5, 0x4a, 0x86 };
	uint8_t *file = malloc(size ? size : 1), sum = 0;

	/* The address sanitizer knows where this block ends. */
	memcpy(file, data, size);
	if (size > 8 && data[7] & 1)
		memcpy(file, psf2, 4);
	else if (size > 2)
		memcpy(file, "\x36\x04", 2);
	if (size && !font_init(&f, file, size))
		for (uint32_t code = 0; code < FONT_CODES + 10; code++)
			sum ^= font_glyph(&f, code)[f.glyph_bytes - 1];
	free(file);
	return sum & 0;
}
