/* lib/display/edid.c - the base block: header, checksum, first detailed timing (3.1, 3.10.2). */
#include "lib/display/edid.h"
#include "lib/base/string.h"

enum { TIMING = 54, CLOCK = 0, WIDTH_LOW = 2, WIDTH_HIGH = 4, HEIGHT_LOW = 5, HEIGHT_HIGH = 7 };

static bool is_block(const uint8_t *edid, size_t bytes)
{
	static const uint8_t header[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	uint8_t sum = 0;

	if (bytes < EDID_BLOCK_BYTES || memcmp(edid, header, sizeof(header)) != 0)
		return false;
	for (size_t i = 0; i < EDID_BLOCK_BYTES; i++)
		sum = (uint8_t)(sum + edid[i]);
	return sum == 0;
}

err_t edid_size(const uint8_t *edid, size_t bytes, struct display_size *out)
{
	if (!is_block(edid, bytes))
		return ERR_BADMSG;
	const uint8_t *t = edid + TIMING;
	struct display_size size = { t[WIDTH_LOW] | (t[WIDTH_HIGH] & 0xf0u) << 4, t[HEIGHT_LOW] | (t[HEIGHT_HIGH] & 0xf0u) << 4 };
	/* A clock of 0 says that it is no timing. */
	if ((t[CLOCK] == 0 && t[CLOCK + 1] == 0) || size.width == 0 || size.height == 0)
		return ERR_BADMSG;
	*out = size;
	return OK;
}
