/* lib/term/parser.c - splits bytes into characters, control codes and escape sequences. */
#include "lib/term/private.h"

enum state {
	GROUND, ESCAPE, ESCAPE_MORE, CSI, CSI_SKIP, LINUX_KEY, COMMAND, STRING, STRING_ESCAPE, PALETTE,
};

enum { PARAMETER_MAX = 65535, REPLACEMENT = 0xfffd };

static void line_feed(struct term *t)
{
	cursor_index(t);
	if (t->newline_returns)
		cursor_to_column(t, 0);
}

/* Control codes work in the middle of sequences too. */
static void run_control(struct term *t, uint8_t byte)
{
	switch (byte) {
	case '\a':
		t->bell = true;
		break;
	case '\b':
		cursor_move(t, 0, -1);
		break;
	case '\t':
		cursor_tab(t, 1);
		break;
	case '\n': case '\v': case '\f':
		line_feed(t);
		break;
	case '\r':
		cursor_to_column(t, 0);
		break;
	case 0x0e: case 0x0f:
		t->cursor.set = byte == 0x0e;
		break;
	case 0x18: case 0x1a:
		t->state = GROUND;
		break;
	case 0x1b:
		t->state = ESCAPE;
		t->intermediate = 0;
		break;
	}
}

static void put(struct term *t, uint32_t code)
{
	cursor_put(t, charset_map(t->cursor.charset[t->cursor.set], code));
}

static void start_utf8(struct term *t, uint8_t byte)
{
	if (byte >= 0xc2 && byte < 0xe0) {
		t->utf8_code = byte & 0x1f;
		t->utf8_left = 1;
		t->utf8_minimum = 7;
	} else if (byte >= 0xe0 && byte < 0xf0) {
		t->utf8_code = byte & 0x0f;
		t->utf8_left = 2;
		t->utf8_minimum = 11;
	} else if (byte >= 0xf0 && byte < 0xf5) {
		t->utf8_code = byte & 0x07;
		t->utf8_left = 3;
		t->utf8_minimum = 16;
	} else {
		put(t, REPLACEMENT);
	}
}

static void continue_utf8(struct term *t, uint8_t byte)
{
	uint32_t code = t->utf8_code = t->utf8_code << 6 | (byte & 0x3f);

	if (--t->utf8_left > 0)
		return;
	if (code >> t->utf8_minimum == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = REPLACEMENT;
	if (code >= 0xa0)               /* not C1 controls */
		put(t, code);
}

/* Code page 437 mode shows control codes, but for those that no program can do without. */
static bool shows_controls(const struct term *t, uint8_t byte)
{
	return t->cursor.charset[t->cursor.set] == TERM_CP437 && byte < 0x20 && byte != 0x1b && byte != 0
	       && !(byte >= '\b' && byte <= 0x0f);
}

static void ground(struct term *t, uint8_t byte)
{
	if (t->utf8_left > 0) {
		if ((byte & 0xc0) == 0x80) {
			continue_utf8(t, byte);
			return;
		}
		t->utf8_left = 0;
		put(t, REPLACEMENT);
	}
	if (shows_controls(t, byte))
		cursor_put(t, charset_cp437_control(byte));
	else if (byte < 0x20)
		run_control(t, byte);
	else if (byte < 0x7f)
		put(t, byte);
	else if (byte > 0x7f)
		start_utf8(t, byte);
}

static void start_csi(struct term *t)
{
	t->state = CSI;
	t->marker = t->intermediate = 0;
	t->parameter_count = 0;
	__builtin_memset(t->parameter, 0, sizeof(t->parameter));
}

static void set_tab(struct term *t)
{
	t->tab_stops[t->cursor.column / 64] |= 1ull << t->cursor.column % 64;
}

static void escape(struct term *t, uint8_t byte)
{
	t->state = GROUND;
	switch (byte) {
	case '[':
		start_csi(t);
		break;
	case ']':
		t->state = COMMAND;
		break;
	case 'P': case 'X': case '^': case '_':
		t->state = STRING;
		break;
	case '7':
		cursor_save(t);
		break;
	case '8':
		cursor_restore(t);
		break;
	case '=': case '>':
		t->application_keypad = byte == '=';
		break;
	case 'D':
		cursor_index(t);
		break;
	case 'E':
		cursor_to_column(t, 0);
		cursor_index(t);
		break;
	case 'H':
		set_tab(t);
		break;
	case 'M':
		cursor_reverse_index(t);
		break;
	case 'Z':
		term_answer(t, "\033[?6c", 5);
		break;
	case 'c':
		term_reset(t);
		break;
	default:
		if (byte >= 0x20 && byte < 0x30) {
			t->intermediate = byte;
			t->state = ESCAPE_MORE;
		}
	}
}

static void fill_with_e(struct term *t)
{
	t->top = 0;
	t->bottom = t->rows;
	for (uint16_t row = 0; row < t->rows; row++) {
		grid_erase(t, row, 0, t->columns);
		for (uint16_t column = 0; column < t->columns; column++)
			t->line[t->screen][row][column].code = 'E';
	}
	cursor_set(t, 0, 0);
}

static void escape_more(struct term *t, uint8_t byte)
{
	if (byte >= 0x20 && byte < 0x30)
		return;
	t->state = GROUND;
	if (t->intermediate == '(' || t->intermediate == ')')
		t->cursor.charset[t->intermediate == ')'] = byte == '0' ? TERM_LINES : byte == 'U' ? TERM_CP437 : TERM_ASCII;
	else if (t->intermediate == '#' && byte == '8')
		fill_with_e(t);
}

static void add_digit(struct term *t, uint8_t byte)
{
	uint32_t *p;

	if (t->parameter_count == 0)
		t->parameter_count = 1;
	p = &t->parameter[t->parameter_count - 1];
	*p = *p * 10 + (byte - '0');
	if (*p > PARAMETER_MAX)
		*p = PARAMETER_MAX;
}

static void next_parameter(struct term *t)
{
	if (t->parameter_count == 0)
		t->parameter_count = 1;
	if (t->parameter_count == TERM_PARAMETERS)
		t->state = CSI_SKIP;
	else
		t->parameter_count++;
}

static void csi(struct term *t, uint8_t byte)
{
	if (byte >= '0' && byte <= '9') {
		add_digit(t, byte);
	} else if (byte == ';' || byte == ':') {
		next_parameter(t);
	} else if (byte >= 0x3c && byte <= 0x3f) {
		t->marker = byte;
	} else if (byte >= 0x20 && byte < 0x30) {
		t->intermediate = byte;
	} else if (byte == '[' && t->parameter_count == 0) {
		t->state = LINUX_KEY;
	} else if (byte >= 0x40 && byte < 0x7f) {
		t->state = GROUND;
		/* No parameter at all is one that is absent: ESC [ m resets. */
		if (t->parameter_count == 0)
			t->parameter_count = 1;
		csi_run(t, byte);
	}
}

static int hex_digit(uint8_t byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* ESC ] P nrrggbb sets a colour (TERM=linux); seven digits and no end. */
static void palette(struct term *t, uint8_t byte)
{
	int digit = hex_digit(byte);

	if (digit < 0) {
		t->state = GROUND;
		return;
	}
	t->parameter[t->parameter_count++] = (uint32_t)digit;
	if (t->parameter_count < 7)
		return;
	uint32_t colour = 0;
	for (uint8_t i = 1; i < 7; i++)
		colour = colour << 4 | t->parameter[i];
	t->palette[t->parameter[0]] = colour;
	t->palette_changed = true;
	t->state = GROUND;
}

static void command(struct term *t, uint8_t byte)
{
	t->state = STRING;
	if (byte == 'P') {
		t->state = PALETTE;
		t->parameter_count = 0;
	} else if (byte == 'R') {
		t->state = GROUND;
	} else if (byte == '\a' || byte == 0x18 || byte == 0x1a) {
		t->state = GROUND;
	} else if (byte == 0x1b) {
		t->state = STRING_ESCAPE;
	}
}

/* Titles and the like: skipped up to BEL, or ESC and what follows it. */
static void string(struct term *t, uint8_t byte)
{
	if (byte == '\a' || byte == 0x18 || byte == 0x1a)
		t->state = GROUND;
	else if (byte == 0x1b)
		t->state = STRING_ESCAPE;
}

static void string_escape(struct term *t, uint8_t byte)
{
	t->state = GROUND;
	if (byte == '\\')
		return;
	t->state = ESCAPE;
	t->intermediate = 0;
	escape(t, byte);
}

static void sequence(struct term *t, uint8_t byte)
{
	if (byte < 0x20) {
		run_control(t, byte);
		return;
	}
	switch (t->state) {
	case ESCAPE:
		escape(t, byte);
		break;
	case ESCAPE_MORE:
		escape_more(t, byte);
		break;
	case CSI:
		csi(t, byte);
		break;
	case CSI_SKIP:
		if (byte >= 0x40 && byte < 0x7f)
			t->state = GROUND;
		break;
	case LINUX_KEY:
		t->state = GROUND;
		break;
	case PALETTE:
		palette(t, byte);
		break;
	}
}

void term_write(struct term *t, const uint8_t *bytes, size_t count)
{
	grid_mark(t, t->cursor.row);
	for (size_t i = 0; i < count; i++) {
		switch (t->state) {
		case GROUND:
			ground(t, bytes[i]);
			break;
		case COMMAND:
			command(t, bytes[i]);
			break;
		case STRING:
			string(t, bytes[i]);
			break;
		case STRING_ESCAPE:
			string_escape(t, bytes[i]);
			break;
		default:
			sequence(t, bytes[i]);
		}
	}
	grid_mark(t, t->cursor.row);
}
