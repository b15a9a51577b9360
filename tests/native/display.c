/* tests/native/display.c - a client of a display driver, without a server of display: in between (tests/native/service.c's `names` hands the driver out).
 *
 * display               what a driver must do and refuse; prints TAP
 * display draw SECONDS  draws all the time; the driver may be killed meanwhile: then everything is given to it again. Prints how often
 * display hold          draws what it is told on its input, a line each, and answers each with a line (see `commands`); puts everything back after the driver
 *                       was started again, and follows an output that wants another size
 */
#include "abi/proto/display.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

enum { SURFACES_MAX = 64, PAGE = 4096, GAP = 64, LINE_BYTES = 256, WORDS_MAX = 20, PATIENCE_S = 10 };

/* Rows with a gap behind them, and the pixels not at the beginning: as a client may well do it. */
struct picture {
	handle_t object;
	struct display_surface is;
	uint8_t *memory;
	uint64_t bytes, number;
};

static handle_t driver;

/* ---- Calls -------------------------------------------------------------------------------------------------------------- */

static int64_t output_get(uint64_t n, struct display_output *out)
{
	return handle_call(driver, DISPLAY_OUTPUT, NULL, 0, out, sizeof *out, n);
}

static int64_t surface_make(handle_t to, handle_t object, const struct display_surface *is)
{
	handle_t none;

	return sys_call_handle(0, to, DISPLAY_SURFACE, object, is, sizeof *is, NULL, 0, 0, &none);
}

static int64_t damage(uint64_t number, const struct display_rectangle *r, size_t count)
{
	return handle_call(driver, DISPLAY_DAMAGE, r, count * sizeof *r, NULL, 0, number);
}

static int64_t show(uint64_t number, uint64_t output) { return handle_call(driver, DISPLAY_SHOW, NULL, 0, NULL, 0, number | output << 32); }
static int64_t surface_free(uint64_t number) { return handle_call(driver, DISPLAY_FREE, NULL, 0, NULL, 0, number); }

/* ---- Pictures ----------------------------------------------------------------------------------------------------------- */

static bool picture_make(struct picture *p, uint32_t width, uint32_t height)
{
	uint32_t pitch = width * 4 + GAP;

	*p = (struct picture){ .is = { .size = { width, height }, .pitch_bytes = pitch, .offset = PAGE }, .bytes = round_up(PAGE + (uint64_t)pitch * height, PAGE) };
	if (handle_open("mem", "new", OPEN_READ | OPEN_WRITE, &p->object) || handle_call(p->object, MEM_RESIZE, NULL, 0, NULL, 0, p->bytes) < 0)
		return false;
	int64_t at = sys_map(0, p->object, 0, p->bytes, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	p->memory = (uint8_t *)at;
	return at > 0;
}

static void picture_drop(struct picture *p)
{
	if (p->memory)
		(void)sys_unmap(0, HANDLE_NONE, (uint64_t)p->memory, p->bytes);
	handle_close(p->object);
	*p = (struct picture){ .object = HANDLE_NONE };
}

static void picture_fill(struct picture *p, struct display_rectangle r, uint32_t color)
{
	for (uint32_t y = r.y; y < r.y + r.height && y < p->is.size.height; y++) {
		uint32_t *row = (uint32_t *)(p->memory + p->is.offset + (uint64_t)y * p->is.pitch_bytes);
		for (uint32_t x = r.x; x < r.x + r.width && x < p->is.size.width; x++)
			row[x] = color;
	}
}

static int64_t picture_give(struct picture *p)
{
	int64_t result = surface_make(driver, p->object, &p->is);

	p->number = result > 0 ? (uint64_t)result : 0;
	return result;
}

static int64_t picture_show_all(struct picture *p)
{
	struct display_rectangle all = { 0, 0, p->is.size.width, p->is.size.height };
	int64_t result = p->number ? OK : picture_give(p);

	if (result >= 0 && (result = show(p->number, 0)) >= 0)
		result = damage(p->number, &all, 1);
	return result;
}

/* ---- Rules -------------------------------------------------------------------------------------------------------------- */

static struct display_output output;

static void outputs_are_told(void)
{
	CHECK(output_get(0, &output) == OK);
	CHECK(output.display_flags & DISPLAY_IS_CONNECTED);
	CHECK(output.size.width >= 640 && output.size.height >= 480 && output.wanted.width >= 640);
	CHECK(output.name[0] != 0 && memchr(output.name, 0, sizeof output.name));
	CHECK(output_get(DISPLAY_OUTPUTS_MAX, &output) == ERR_NOENT);
	CHECK(output_get(UINT64_MAX, &output) == ERR_NOENT);
	CHECK(output_get(0, &output) == OK);
}

static void what_is_drawn_is_shown(void)
{
	struct picture p;

	CHECK(picture_make(&p, output.size.width, output.size.height));
	CHECK(picture_show_all(&p) == OK);
	picture_fill(&p, (struct display_rectangle){ 0, 0, 100, 100 }, 0xff0000);
	CHECK(damage(p.number, &(struct display_rectangle){ 0, 0, 100, 100 }, 1) == OK);
	CHECK(show(0, 0) == OK);
	CHECK(surface_free(p.number) == OK);
	CHECK(surface_free(p.number) == ERR_NOENT);
	CHECK(damage(p.number, &(struct display_rectangle){ 0, 0, 1, 1 }, 1) == ERR_NOENT);
	CHECK(show(p.number, 0) == ERR_NOENT);
	picture_drop(&p);
}

static void a_surface_lies_within_its_memory(void)
{
	struct picture p;
	handle_t pipe, one_way;

	CHECK(picture_make(&p, 320, 200));
	struct display_surface good = p.is, bad[] = { good, good, good, good, good, good, good, good };
	bad[0].size.width = 0;
	bad[1].size.height = 0;
	bad[2].size.height = 201 + PAGE / 1344;
	bad[3].pitch_bytes = 320 * 4 - 4;
	bad[4].pitch_bytes++;
	bad[5].offset = PAGE + 4;
	bad[6].offset = UINT64_MAX & ~(uint64_t)(PAGE - 1);
	bad[7].size = (struct display_size){ UINT32_MAX, UINT32_MAX };
	for (unsigned i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK(surface_make(driver, p.object, &bad[i]) == ERR_INVAL);
	CHECK(surface_make(driver, HANDLE_NONE, &good) == ERR_INVAL);
	CHECK(surface_make(driver, driver, &good) < 0);
	CHECK(handle_call_pass(driver, DISPLAY_SURFACE, p.object, 0) == ERR_INVAL);
	CHECK(handle_open("pipe", "", OPEN_READ | OPEN_WRITE, &pipe) == OK);
	CHECK(surface_make(driver, pipe, &good) < 0);
	handle_close(pipe);
	CHECK(handle_dup(p.object, RIGHT_READ | RIGHT_CALL | RIGHT_MAP | RIGHT_SEND, &one_way) == OK);
	CHECK(surface_make(driver, one_way, &good) == ERR_ACCES);
	handle_close(one_way);
	picture_drop(&p);
}

static void its_memory_stays_as_it_is(void)
{
	struct picture p;

	CHECK(picture_make(&p, 320, 200));
	CHECK(picture_give(&p) > 0);
	CHECK(handle_call(p.object, MEM_RESIZE, NULL, 0, NULL, 0, PAGE) == ERR_PERM);
	CHECK(damage(p.number, &(struct display_rectangle){ 0, 0, 320, 200 }, 1) == OK);
	CHECK(surface_free(p.number) == OK);
	picture_drop(&p);
}

static void rectangles_are_cut_and_counted(void)
{
	static struct display_rectangle many[DISPLAY_RECTANGLES_MAX + 1];
	struct display_rectangle odd[] = {
		{ 300, 190, UINT32_MAX, UINT32_MAX }, { UINT32_MAX, 0, 1, 1 }, { 0, UINT32_MAX, 10, 10 }, { 320, 200, 1, 1 }, { 5, 5, 0, 0 },
	};
	struct picture p;

	CHECK(picture_make(&p, 320, 200));
	CHECK(picture_give(&p) > 0 && show(p.number, 0) == OK);
	CHECK(damage(p.number, odd, ARRAY_COUNT(odd)) == OK);
	CHECK(damage(p.number, odd + 1, ARRAY_COUNT(odd) - 1) == OK);
	CHECK(damage(p.number, NULL, 0) == OK);
	for (uint32_t i = 0; i <= DISPLAY_RECTANGLES_MAX; i++)
		many[i] = (struct display_rectangle){ i, i, 10, 10 };
	CHECK(damage(p.number, many, DISPLAY_RECTANGLES_MAX) == OK);
	CHECK(damage(p.number, many, DISPLAY_RECTANGLES_MAX + 1) == ERR_INVAL);
	CHECK(handle_call(driver, DISPLAY_DAMAGE, many, 17, NULL, 0, p.number) == ERR_INVAL);
	CHECK(surface_free(p.number) == OK);
	picture_drop(&p);
}

static void surfaces_are_their_holders_own(void)
{
	struct picture p;
	handle_t other;

	CHECK(picture_make(&p, 64, 64));
	CHECK(handle_open_at(driver, "", OPEN_READ | OPEN_WRITE, &other) == OK);
	int64_t theirs = surface_make(other, p.object, &p.is);
	CHECK(theirs > 0);
	CHECK(show((uint64_t)theirs, 0) == ERR_NOENT && surface_free((uint64_t)theirs) == ERR_NOENT);
	handle_close(other);
	int count = 0;
	int64_t number, numbers[SURFACES_MAX + 1];
	while (count <= SURFACES_MAX && (number = surface_make(driver, p.object, &p.is)) > 0)
		numbers[count++] = number;
	CHECK(number == ERR_NOSPC && count == SURFACES_MAX);
	for (int i = 0; i < count; i++)
		CHECK(surface_free((uint64_t)numbers[i]) == OK);
	CHECK(picture_give(&p) > 0 && surface_free(p.number) == OK);
	picture_drop(&p);
}

static int64_t mode_set(uint32_t width, uint32_t height)
{
	struct display_size size = { width, height };

	return handle_call(driver, DISPLAY_MODE, &size, sizeof size, NULL, 0, 0);
}

static void modes_are_set_or_refused(void)
{
	struct display_output now;

	if (!(output.display_flags & DISPLAY_HAS_MODES)) {
		CHECK(mode_set(640, 480) == ERR_OPNOTSUPP);
		return;
	}
	CHECK(mode_set(0, 480) == ERR_INVAL && mode_set(640, DISPLAY_SIDE_MAX + 1) == ERR_INVAL);
	CHECK(mode_set(640, 480) == OK);
	CHECK(output_get(0, &now) == OK && now.size.width == 640 && now.size.height == 480 && now.generation != output.generation);
	CHECK(mode_set(output.size.width, output.size.height) == OK);
}

static void a_cursor_is_set_or_refused(void)
{
	struct display_cursor hot = { 3, 4 };
	struct display_point at = { 20, -5 };
	struct picture p, large;

	if (!(output.display_flags & DISPLAY_HAS_CURSOR)) {
		CHECK(handle_call(driver, DISPLAY_MOVE, &at, sizeof at, NULL, 0, 0) == ERR_OPNOTSUPP);
		CHECK(handle_call(driver, DISPLAY_CURSOR, &hot, sizeof hot, NULL, 0, 0) == ERR_OPNOTSUPP);
		return;
	}
	CHECK(picture_make(&p, 64, 64) && picture_give(&p) > 0 && picture_make(&large, 65, 64) && picture_give(&large) > 0);
	CHECK(handle_call(driver, DISPLAY_CURSOR, &hot, sizeof hot, NULL, 0, large.number) == ERR_INVAL);
	CHECK(handle_call(driver, DISPLAY_CURSOR, &hot, sizeof hot, NULL, 0, p.number) == OK);
	for (int i = 0; i < 100; i++, at.x++)
		CHECK(handle_call(driver, DISPLAY_MOVE, &at, sizeof at, NULL, 0, 0) == OK);
	CHECK(handle_call(driver, DISPLAY_MOVE, &at, sizeof at, NULL, 0, DISPLAY_OUTPUTS_MAX) == ERR_NOENT);
	CHECK(handle_call(driver, DISPLAY_CURSOR, NULL, 0, NULL, 0, 0) == OK);
	CHECK(surface_free(p.number) == OK && surface_free(large.number) == OK);
	picture_drop(&p);
	picture_drop(&large);
}

static int rules(void)
{
	run("outputs are told", outputs_are_told);
	run("what is drawn is shown", what_is_drawn_is_shown);
	run("a surface lies within its memory", a_surface_lies_within_its_memory);
	run("its memory stays as it is", its_memory_stays_as_it_is);
	run("rectangles are cut and counted", rectangles_are_cut_and_counted);
	run("surfaces are their holder's own", surfaces_are_their_holders_own);
	run("modes are set or refused", modes_are_set_or_refused);
	run("a cursor is set or refused", a_cursor_is_set_or_refused);
	print("1..%u\n", points);
	return failures != 0;
}

/* ---- Drawing all the time ---------------------------------------------------------------------------------------------- */

static int draw(const char *seconds)
{
	uint64_t frames = 0, again = 0, s = 1;
	struct picture p;

	(void)!number_parse(seconds, strlen(seconds), 10, &s);
	if (output_get(0, &output) || !picture_make(&p, output.size.width, output.size.height) || picture_show_all(&p))
		return 1;
	for (uint64_t end = now_ns() + s * 1000000000; now_ns() < end; frames++) {
		struct display_rectangle r = { frames * 13 % 600, frames * 7 % 400, 40, 40 };
		picture_fill(&p, r, (uint32_t)frames * 0x010307 & 0xffffff);
		int64_t result = damage(p.number, &r, 1);
		/* It may be killed again meanwhile. */
		for (; result == ERR_NOENT; again++) {
			p.number = 0;
			result = picture_show_all(&p);
		}
		if (result < 0) {
			print("after %u frames: error %d\n", (unsigned)frames, (int)-result);
			return 1;
		}
	}
	print("drawn, given again %u times\n", (unsigned)again);
	return 0;
}

/* ---- Drawing what one is told ------------------------------------------------------------------------------------------- */

static struct picture held;

/* fill X Y W H COLOR (in memory alone), damage [X Y W H]..., show, hide, mode W H */
static int64_t command(uint32_t count, const char *word, const uint64_t *n)
{
	struct display_rectangle r[WORDS_MAX / 4];

	for (uint32_t i = 0; i + 4 <= count; i += 4)
		r[i / 4] = (struct display_rectangle){ (uint32_t)n[i], (uint32_t)n[i + 1], (uint32_t)n[i + 2], (uint32_t)n[i + 3] };
	if (strcmp(word, "fill") == 0 && count == 5)
		return picture_fill(&held, r[0], (uint32_t)n[4]), OK;
	if (strcmp(word, "damage") == 0)
		return damage(held.number, r, count / 4);
	if (strcmp(word, "show") == 0)
		return show(held.number, 0);
	if (strcmp(word, "hide") == 0)
		return show(0, 0);
	if (strcmp(word, "mode") == 0 && count == 2)
		return mode_set((uint32_t)n[0], (uint32_t)n[1]);
	return ERR_INVAL;
}

/* Words are cut in place; numbers are decimal. False: it is the end. */
static bool line_do(char *line)
{
	uint64_t n[WORDS_MAX] = { 0 };
	uint32_t count = 0;
	char *at = strchr(line, ' ');

	for (; at && count < WORDS_MAX; count++) {
		*at++ = 0;
		char *next = strchr(at, ' ');
		(void)!number_parse(at, next ? (size_t)(next - at) : strlen(at), 10, &n[count]);
		at = next;
	}
	if (strcmp(line, "end") == 0)
		return false;
	int64_t result = command(count, line, n);
	if (result < 0)
		print("error %d\n", (int)-result);
	else
		print("done\n");
	return true;
}

/* Started again, or resized: the same picture as before, and another size if that is wanted. */
static void look_at_output(void)
{
	struct display_output now;
	struct display_rectangle all = { 0, 0, held.is.size.width, held.is.size.height };

	if (output_get(0, &now))
		return;
	if (now.wanted.width != now.size.width || now.wanted.height != now.size.height) {
		print("wanted %ux%u\n", now.wanted.width, now.wanted.height);
		(void)mode_set(now.wanted.width, now.wanted.height);
	}
	if (damage(held.number, &all, 1) == ERR_NOENT) {
		held.number = 0;
		print(picture_show_all(&held) == OK ? "again\n" : "lost\n");
	}
}

static int hold(void)
{
	struct poll_entry p[] = { { .handle = 0, .wanted = READY_READ }, { .handle = driver, .wanted = READY_PRIORITY } };
	static char line[LINE_BYTES];
	size_t bytes = 0;

	if (output_get(0, &output) || !picture_make(&held, output.size.width, output.size.height) || picture_give(&held) < 0)
		return 1;
	print("%s %ux%u\n", output.name, output.size.width, output.size.height);
	while (sys_poll(0, HANDLE_NONE, p, 2, DEADLINE_NONE) > 0) {
		if (p[1].found)
			look_at_output();
		if (!p[0].found)
			continue;
		if (sys_read(0, 0, line + bytes, 1, -1) != 1 || bytes == LINE_BYTES - 1)
			return 1;
		if (line[bytes] != '\n') {
			bytes++;
			continue;
		}
		line[bytes] = 0;
		bytes = 0;
		if (!line_do(line))
			return 0;
	}
	return 1;
}

/* The driver comes up beside us. */
static bool driver_open(void)
{
	uint64_t end = now_ns() + PATIENCE_S * 1000000000ull;

	while (handle_open("display", "0", OPEN_READ | OPEN_WRITE, &driver)) {
		if (now_ns() > end)
			return false;
		sys_sleep(0, HANDLE_NONE, now_ns() + 50000000);
	}
	return true;
}

int program_main(const struct startup *startup)
{
	const char *mode = startup->argument_count > 1 ? startup_argument(1) : "";

	if (!driver_open()) {
		print("there is no display driver\n");
		return 1;
	}
	if (strcmp(mode, "draw") == 0 && startup->argument_count > 2)
		return draw(startup_argument(2));
	return strcmp(mode, "hold") == 0 ? hold() : rules();
}
