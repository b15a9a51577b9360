/* lib/base/number.c - digit by digit, with every step checked. */
#include "lib/base/number.h"
#include "lib/base/bits.h"

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 99;
}

/* How many digits there are; *err RANGE when their number does not fit. */
static size_t scan(const char *text, size_t bytes, unsigned base, uint64_t *out, err_t *err)
{
	uint64_t value = 0;
	size_t n;

	*err = OK;
	for (n = 0; n < bytes && digit_of(text[n]) < base; n++)
		if (mul_overflows(value, base, &value) || add_overflows(value, digit_of(text[n]), &value))
			*err = ERR_RANGE;
	*out = value;
	return n;
}

err_t number_parse(const char *text, size_t bytes, unsigned base, uint64_t *out)
{
	uint64_t value;
	err_t err;

	if (base == 0) {
		base = 10;
		if (bytes > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
			base = 16;
			text += 2;
			bytes -= 2;
		}
	}
	if (bytes == 0 || scan(text, bytes, base, &value, &err) != bytes)
		return ERR_INVAL;
	if (err)
		return err;
	*out = value;
	return OK;
}

size_t number_scan(const char *text, size_t bytes, unsigned base, uint64_t *out)
{
	err_t err;
	size_t n = scan(text, bytes, base, out, &err);

	return err ? 0 : n;
}
