/* lib/base/fmt.c - one pass over the format; every piece goes through sink_put. */
#include "lib/base/fmt.h"
#include "lib/base/string.h"

struct sink {
	char *to;
	size_t bytes, used;             /* used goes on counting past bytes */
};

enum flag { FLAG_LEFT = 1, FLAG_ZERO = 2, FLAG_PLUS = 4, FLAG_SPACE = 8, FLAG_ALTERNATE = 16 };

struct spec {
	uint32_t flags;
	size_t width;
	size_t precision;               /* SIZE_MAX: none given */
	int size;                       /* of the argument: bytes */
};

/* 64-bit octal, the longest, is 22 digits. */
enum { DIGITS_MAX = 24, WIDTH_MAX = 4096 };

static void sink_put(struct sink *s, const char *text, size_t bytes)
{
	if (s->used < s->bytes) {
		size_t room = s->bytes - s->used;
		memcpy(s->to + s->used, text, bytes < room ? bytes : room);
	}
	s->used += bytes;
}

static void sink_fill(struct sink *s, char c, size_t count)
{
	while (count-- > 0)
		sink_put(s, &c, 1);
}

static size_t digits_of(uint64_t value, unsigned base, bool upper, char out[DIGITS_MAX])
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char reversed[DIGITS_MAX];
	size_t n = 0;

	for (; value > 0; value /= base)
		reversed[n++] = set[value % base];
	for (size_t i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	return n;
}

/* prefix, zeroes, digits, padded to the width. */
static void put_number(struct sink *s, const struct spec *spec, const char *prefix, const char *digits, size_t count)
{
	size_t prefix_bytes = strlen(prefix), zeroes = 0;
	size_t least = spec->precision == SIZE_MAX ? 1 : spec->precision;

	if (least > WIDTH_MAX)
		least = WIDTH_MAX;
	if (least > count)
		zeroes = least - count;
	size_t total = prefix_bytes + zeroes + count;
	size_t pad = spec->width > total ? spec->width - total : 0;
	if ((spec->flags & FLAG_ZERO) && !(spec->flags & FLAG_LEFT) && spec->precision == SIZE_MAX) {
		zeroes += pad;
		pad = 0;
	}
	if (!(spec->flags & FLAG_LEFT))
		sink_fill(s, ' ', pad);
	sink_put(s, prefix, prefix_bytes);
	sink_fill(s, '0', zeroes);
	sink_put(s, digits, count);
	if (spec->flags & FLAG_LEFT)
		sink_fill(s, ' ', pad);
}

static void put_unsigned(struct sink *s, const struct spec *spec, uint64_t value, char kind)
{
	char digits[DIGITS_MAX];
	unsigned base = kind == 'o' ? 8 : kind == 'u' ? 10 : 16;
	const char *prefix = "";

	if ((spec->flags & FLAG_ALTERNATE) && value != 0 && base != 10)
		prefix = kind == 'X' ? "0X" : kind == 'x' ? "0x" : "0";
	put_number(s, spec, prefix, digits, digits_of(value, base, kind == 'X', digits));
}

static void put_signed(struct sink *s, const struct spec *spec, int64_t value)
{
	char digits[DIGITS_MAX];
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	const char *sign = value < 0 ? "-" : spec->flags & FLAG_PLUS ? "+" : spec->flags & FLAG_SPACE ? " " : "";

	put_number(s, spec, sign, digits, digits_of(magnitude, 10, false, digits));
}

static void put_text(struct sink *s, const struct spec *spec, const char *text, size_t bytes)
{
	size_t pad = spec->width > bytes ? spec->width - bytes : 0;

	if (!(spec->flags & FLAG_LEFT))
		sink_fill(s, ' ', pad);
	sink_put(s, text, bytes);
	if (spec->flags & FLAG_LEFT)
		sink_fill(s, ' ', pad);
}

static uint32_t parse_flags(const char **at)
{
	uint32_t flags = 0;

	for (;; (*at)++) {
		switch (**at) {
		case '-': flags |= FLAG_LEFT; break;
		case '0': flags |= FLAG_ZERO; break;
		case '+': flags |= FLAG_PLUS; break;
		case ' ': flags |= FLAG_SPACE; break;
		case '#': flags |= FLAG_ALTERNATE; break;
		default: return flags;
		}
	}
}

/* A decimal number, held below WIDTH_MAX. */
static size_t parse_count(const char **at)
{
	size_t n = 0;

	for (; **at >= '0' && **at <= '9'; (*at)++)
		if (n < WIDTH_MAX)
			n = n * 10 + (size_t)(**at - '0');
	return n < WIDTH_MAX ? n : WIDTH_MAX;
}

static int parse_size(const char **at)
{
	int size = sizeof(int);

	for (;; (*at)++) {
		if (**at == 'l' || **at == 'z' || **at == 'j' || **at == 't')
			size = sizeof(uint64_t);
		else if (**at == 'h')
			size = size == sizeof(int) ? (int)sizeof(short) : 1;
		else
			return size;
	}
}

static uint64_t cut_unsigned(uint64_t value, int size)
{
	return size == 8 ? value : value & ((1ull << size * 8) - 1);
}

static int64_t cut_signed(uint64_t value, int size)
{
	return size == 8 ? (int64_t)value : size == 4 ? (int32_t)value : size == 2 ? (int16_t)value : (int8_t)value;
}

/* Everything between % and the kind. *at is just behind the %. */
static struct spec parse_spec(const char **at, va_list *list)
{
	struct spec spec = { .flags = parse_flags(at), .precision = SIZE_MAX };

	if (**at == '*') {
		int width = va_arg(*list, int);
		if (width < 0)
			spec.flags |= FLAG_LEFT;
		uint32_t wide = width < 0 ? 0u - (uint32_t)width : (uint32_t)width;
		spec.width = wide < WIDTH_MAX ? wide : WIDTH_MAX;
		(*at)++;
	} else {
		spec.width = parse_count(at);
	}
	if (**at == '.') {
		(*at)++;
		if (**at == '*') {
			int precision = va_arg(*list, int);
			spec.precision = precision < 0 ? SIZE_MAX : (size_t)precision;
			(*at)++;
		} else {
			spec.precision = parse_count(at);
		}
	}
	spec.size = parse_size(at);
	return spec;
}

static void put_string(struct sink *s, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	put_text(s, spec, text, strnlen(text, spec->precision));
}

/* False: not a kind we know. */
static bool put_argument(struct sink *s, struct spec *spec, char kind, va_list *list)
{
	uint64_t value;
	char c;

	switch (kind) {
	case 'd': case 'i':
		value = spec->size == 8 ? va_arg(*list, uint64_t) : (uint64_t)va_arg(*list, int);
		put_signed(s, spec, cut_signed(value, spec->size));
		return true;
	case 'u': case 'x': case 'X': case 'o':
		value = spec->size == 8 ? va_arg(*list, uint64_t) : va_arg(*list, unsigned);
		put_unsigned(s, spec, cut_unsigned(value, spec->size), kind);
		return true;
	case 'p':
		spec->flags |= FLAG_ALTERNATE;
		put_unsigned(s, spec, (uintptr_t)va_arg(*list, void *), 'x');
		return true;
	case 's':
		put_string(s, spec, va_arg(*list, const char *));
		return true;
	case 'c':
		c = (char)va_arg(*list, int);
		put_text(s, spec, &c, 1);
		return true;
	case '%':
		sink_put(s, "%", 1);
		return true;
	default:
		return false;
	}
}

size_t fmt_v(char *to, size_t bytes, const char *format, va_list arguments)
{
	struct sink s = { to, bytes ? bytes - 1 : 0, 0 };
	const char *at = format;
	va_list list;

	va_copy(list, arguments);
	for (;;) {
		const char *start = at;
		while (*at && *at != '%')
			at++;
		sink_put(&s, start, (size_t)(at - start));
		if (!*at)
			break;
		start = at++;
		struct spec spec = parse_spec(&at, &list);
		char kind = *at;
		if (kind)
			at++;
		/* What is not our language is shown as it stands. */
		if (!put_argument(&s, &spec, kind, &list))
			sink_put(&s, start, (size_t)(at - start));
	}
	va_end(list);
	if (bytes)
		to[s.used < bytes ? s.used : bytes - 1] = 0;
	return s.used;
}

size_t fmt(char *to, size_t bytes, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	size_t n = fmt_v(to, bytes, format, arguments);
	va_end(arguments);
	return n;
}
