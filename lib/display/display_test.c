/* lib/display/display_test.c - clients' requests against a mock driver: checks, order, ends of surfaces, restarts, vanished devices. */
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/display/edid.h"
#include "lib/display/serve.h"
#include "lib/test/test.h"

enum { OBJECT_BYTES = 1 << 20, FLIGHT_MAX = 128, OBJECT = 77, PAGE = 4096, PENDING = 1 };

/* ---- The mock: a driver that does things at once or when told, memory objects, a kernel that notes what it is told ---- */

static struct display display;
static struct scheme scheme;
static struct display_state *state;
static struct display_job *flight[FLIGHT_MAX];
static uint32_t flights, maps, moves, told;
static bool at_once;
static err_t next_error, map_error;
static int64_t answers[FLIGHT_MAX];
static uint32_t answer_count;
static uint8_t pixels[OBJECT_BYTES];
static uint64_t told_id;
static uint32_t told_ready;
static uint8_t in[SCHEME_BUFFER_BYTES + 1], out[SCHEME_BUFFER_BYTES];
static struct scheme_answer answer;

err_t surface_map(struct surface *s, bool map)
{
	if (map_error)
		return map_error;
	err_t err = surface_check(&s->is, OBJECT_BYTES, &s->bytes);
	if (err)
		return err;
	maps++;
	s->pixels = map ? pixels + s->is.offset : NULL;
	return OK;
}

void surface_unmap(struct surface *s)
{
	if (s->bytes)
		maps--;
}

void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask)
{
	CHECK(s == &scheme && mask == READY_PRIORITY);
	told_id = id;
	told_ready = ready;
	told++;
}

err_t scheme_answer(struct scheme_deferred *d, int64_t result)
{
	list_remove(&d->link);
	answers[answer_count++] = result;
	return OK;
}

static void mock_start(void *driver, struct display_job *j)
{
	CHECK(driver == &display);
	for (uint32_t i = 0; i < j->count; i++)
		CHECK(j->rectangle[i].width > 0 && range_fits(j->rectangle[i].x, j->rectangle[i].width, j->surface->is.size.width));
	if (at_once) {
		err_t err = j->op == SURFACE_DESTROY ? OK : next_error;
		display_done(j, err);
		return;
	}
	flight[flights++] = j;
}

static void mock_move(void *driver, uint32_t output, struct display_point at)
{
	CHECK(driver == &display && output < display.output_count && at.x == 5);
	moves++;
}

static void finish(err_t err)
{
	struct display_job *j = flight[0];

	flights--;
	memmove(flight, flight + 1, flights * sizeof(flight[0]));
	display_done(j, err);
}

static const struct display_ops all_ops = { .start = mock_start, .move = mock_move, .wants_pixels = true, .has_modes = true };
static const struct display_ops few_ops = { .start = mock_start };

static void start_driver(const struct display_ops *ops)
{
	static const struct display_output first = { { 800, 600 }, { 800, 600 }, DISPLAY_IS_CONNECTED, 0, "first" };

	display = (struct display){ .ops = ops, .driver = &display };
	scheme = (struct scheme){ .ops = &display_scheme_ops, .context = &display };
	static uint32_t instances;
	ids_init(&scheme.ids, ++instances);
	list_init(&scheme.deferred);
	list_init(&scheme.rings);
	display_output_set(&display, 0, &first);
	display_output_set(&display, 1, &first);
	display_setup(&display, &scheme, state);
	flights = answer_count = 0;
	at_once = true;
	next_error = map_error = OK;
}

/* A message that the client with this number sends; PENDING: kept. */
static int64_t ask_passing(uint64_t id, uint32_t op, uint32_t code, const void *data, size_t bytes, uint64_t word, handle_t passed)
{
	struct message m = { .id = id, .kind = MESSAGE_REQUEST, .in_bytes = (uint32_t)bytes, .copied_bytes = (uint32_t)bytes, .out_bytes = 4096, .handle = passed };

	m.request.op = op;
	m.request.arg[0] = code;
	m.request.arg[5] = word;
	if (bytes)
		memcpy(in, data, bytes);
	scheme_dispatch(&scheme, &m, in, out, &answer);
	return answer.is_due ? answer.result : PENDING;
}

static int64_t ask(uint64_t id, uint32_t code, const void *data, size_t bytes, uint64_t word)
{
	return ask_passing(id, OP_CALL, code, data, bytes, word, HANDLE_NONE);
}

static void client_close(uint64_t id)
{
	struct message m = { .id = id, .kind = MESSAGE_CLOSE };

	scheme_dispatch(&scheme, &m, in, out, &answer);
}

static uint64_t client_open(void)
{
	int64_t id = ask_passing(0, OP_OPEN, 0, NULL, 0, 0, HANDLE_NONE);

	CHECK(id > 0);
	CHECK(answer.reply_flags & REPLY_NOTIFIES);
	display_scheme_ops.opened(&scheme, ids_find(&scheme.ids, (uint64_t)id), (uint64_t)id);
	return (uint64_t)id;
}

static int64_t surface_make(uint64_t id, struct display_surface is)
{
	return ask_passing(id, OP_CALL, DISPLAY_SURFACE, &is, sizeof(is), 0, OBJECT);
}

static struct display_surface size_of(uint32_t width, uint32_t height)
{
	return (struct display_surface){ .size = { width, height }, .pitch_bytes = width * 4 };
}

/* A driver that is killed frees nothing: what leaks here in a test is what it had. */
static void forget(void)
{
	struct display_client *c, *next;

	at_once = true;
	while (flights)
		finish(OK);
	list_each_safe(c, next, &display.clients, link)
		display_scheme_ops.close(&scheme, c);
	ids_fini(&scheme.ids);
}

static uint64_t setup(const struct display_ops *ops)
{
	if (display.ops)
		forget();
	free(state);
	state = calloc(1, sizeof(*state));
	maps = moves = told = 0;
	start_driver(ops);
	return client_open();
}

static const struct display_output *output_of(uint64_t id, uint64_t n)
{
	CHECK_EQ(ask(id, DISPLAY_OUTPUT, NULL, 0, n), OK);
	CHECK_EQ(answer.bytes, sizeof(struct display_output));
	return answer.data;
}

/* ---- Outputs ---- */

TEST(outputs_are_told_and_others_are_not_there)
{
	uint64_t id = setup(&all_ops);

	CHECK_EQ(output_of(id, 1)->size.width, 800);
	CHECK_STR(output_of(id, 0)->name, "first");
	CHECK_EQ(ask(id, DISPLAY_OUTPUT, NULL, 0, 2), ERR_NOENT);
	CHECK_EQ(ask(id, DISPLAY_OUTPUT, NULL, 0, UINT64_MAX), ERR_NOENT);
}

TEST(a_change_is_told_until_it_was_asked_for)
{
	uint64_t id = setup(&all_ops);
	struct display_output is = *output_of(id, 1);
	uint32_t before = is.generation;

	told = 0;
	display_output_set(&display, 1, &is);
	CHECK_EQ(told, 0);
	is.wanted.width = 1000;
	display_output_set(&display, 1, &is);
	CHECK_EQ(told, 1);
	CHECK(told_id == id && told_ready == READY_PRIORITY);
	(void)output_of(id, 0);
	CHECK_EQ(told_ready, READY_PRIORITY);
	CHECK(output_of(id, 1)->generation > before);
	CHECK_EQ(told_ready, 0);
}

TEST(a_mode_is_checked_and_counts_when_it_was_set)
{
	uint64_t id = setup(&all_ops);
	struct display_size good = { 1024, 768 }, bad[] = { { 0, 1 }, { 1, 0 }, { DISPLAY_SIDE_MAX + 1, 1 }, { 1, UINT32_MAX } };
	uint32_t before = output_of(id, 0)->generation;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK_EQ(ask(id, DISPLAY_MODE, &bad[i], sizeof(bad[i]), 0), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_MODE, &good, sizeof(good) - 1, 0), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_MODE, &good, sizeof(good), 2), ERR_NOENT);
	next_error = ERR_INVAL;
	CHECK_EQ(ask(id, DISPLAY_MODE, &good, sizeof(good), 0), ERR_INVAL);
	CHECK_EQ(output_of(id, 0)->size.width, 800);
	next_error = OK;
	CHECK_EQ(ask(id, DISPLAY_MODE, &good, sizeof(good), 0), OK);
	CHECK_EQ(output_of(id, 0)->size.width, 1024);
	CHECK(output_of(id, 0)->generation > before);
	CHECK_EQ(output_of(id, 1)->size.width, 800);
}

TEST(what_a_device_cannot_do_is_refused)
{
	uint64_t id = setup(&few_ops);
	struct display_size size = { 1024, 768 };
	struct display_point at = { 5, 5 };

	CHECK_EQ(ask(id, DISPLAY_MODE, &size, sizeof(size), 0), ERR_OPNOTSUPP);
	CHECK_EQ(ask(id, DISPLAY_CURSOR, NULL, 0, 0), ERR_OPNOTSUPP);
	CHECK_EQ(ask(id, DISPLAY_MOVE, &at, sizeof(at), 0), ERR_OPNOTSUPP);
	CHECK_EQ(ask(id, DISPLAY_SWITCH, NULL, 0, 1), ERR_NOTTY);
	CHECK_EQ(ask_passing(0, OP_OPEN, 0, "0", 1, 0, HANDLE_NONE), ERR_NOENT);
}

/* ---- Surfaces ---- */

TEST(a_surface_fits_its_object_or_is_refused)
{
	uint64_t bytes;
	struct display_surface s = size_of(256, 1024);

	CHECK_EQ(surface_check(&s, OBJECT_BYTES, &bytes), OK);
	CHECK_EQ(bytes, OBJECT_BYTES);
	CHECK_EQ(surface_check(&s, OBJECT_BYTES - 1, &bytes), ERR_INVAL);
	s.pitch_bytes += 4;
	CHECK_EQ(surface_check(&s, OBJECT_BYTES, &bytes), ERR_INVAL);
	/* The gap behind the last row need not be there. */
	CHECK_EQ(surface_check(&s, OBJECT_BYTES + 1023 * 4, &bytes), OK);
	struct display_surface bad[] = { size_of(0, 5), size_of(5, 0), size_of(DISPLAY_SIDE_MAX + 1, 1), size_of(1, DISPLAY_SIDE_MAX + 1), size_of(8, 8),
	                                 size_of(8, 8), size_of(8, 8), size_of(8, 8), size_of(8, 8), size_of(0x40000001, 2), size_of(8, 8) };
	bad[4].pitch_bytes = 31;
	bad[5].pitch_bytes = 28;
	bad[6].offset = 8;
	bad[7].offset = UINT64_MAX - 4095;
	bad[8].reserved = 1;
	bad[10].pitch_bytes = SURFACE_PITCH_MAX + 4;
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK_EQ(surface_check(&bad[i], OBJECT_BYTES, &bytes), ERR_INVAL);
}

TEST(any_surface_that_passes_lies_within)
{
	for (uint32_t i = 0; i < 100000; i++) {
		struct display_surface s = {
			.size = { (uint32_t)(test_random() % 9000), (uint32_t)(test_random() >> (test_random() & 63)) },
			.pitch_bytes = (uint32_t)(test_random() % 70000) & ~3u, .offset = (test_random() >> (test_random() & 63)) & ~(uint64_t)(PAGE - 1),
		};
		uint64_t bytes;
		if (surface_check(&s, OBJECT_BYTES, &bytes))
			continue;
		CHECK(range_fits(s.offset, (uint64_t)(s.size.height - 1) * s.pitch_bytes + (uint64_t)s.size.width * 4, OBJECT_BYTES));
		CHECK(bytes % PAGE == 0 && range_fits(s.offset, bytes, OBJECT_BYTES));
	}
}

TEST(a_surface_needs_an_object_and_all_of_its_struct)
{
	uint64_t id = setup(&all_ops);
	struct display_surface is = size_of(64, 64);

	CHECK_EQ(ask(id, DISPLAY_SURFACE, &is, sizeof(is), 0), ERR_INVAL);
	CHECK_EQ(ask_passing(id, OP_CALL, DISPLAY_SURFACE, &is, sizeof(is) - 1, 0, OBJECT), ERR_INVAL);
	CHECK_EQ(answer.unused, OBJECT);
	map_error = ERR_ACCES;
	CHECK_EQ(surface_make(id, is), ERR_ACCES);
	CHECK_EQ(maps, 0);
}

TEST(a_surface_that_the_device_does_not_take_leaves_nothing)
{
	uint64_t id = setup(&all_ops);

	next_error = ERR_NOMEM;
	CHECK_EQ(surface_make(id, size_of(64, 64)), ERR_NOMEM);
	CHECK_EQ(maps, 0);
	CHECK_EQ(display.surface_count, 0);
	at_once = false;
	CHECK_EQ(surface_make(id, size_of(64, 64)), PENDING);
	finish(ERR_IO);
	CHECK_EQ(answers[0], ERR_IO);
	CHECK_EQ(flight[0]->op, SURFACE_DESTROY);
	finish(OK);
	CHECK_EQ(maps, 0);
}

TEST(memory_may_fail_at_any_place)
{
	uint64_t id = setup(&all_ops);
	struct display_rectangle r = { 0, 0, 1, 1 };

	for (uint32_t n = 1; n <= 3; n++) {
		heap_fail_after(n);
		CHECK_EQ(surface_make(id, size_of(64, 64)), ERR_NOMEM);
		CHECK_EQ(maps, 0);
	}
	heap_fail_after(0);
	int64_t number = surface_make(id, size_of(64, 64));
	heap_fail_after(1);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), (uint64_t)number), ERR_NOMEM);
	heap_fail_after(1);
	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)number), ERR_NOMEM);
	heap_fail_after(1);
	CHECK_EQ(ask_passing(0, OP_OPEN, 0, NULL, 0, 0, HANDLE_NONE), ERR_NOMEM);
	/* Ending needs none. */
	heap_fail_after(1);
	CHECK_EQ(ask(id, DISPLAY_FREE, NULL, 0, (uint64_t)number), PENDING);
	heap_fail_after(0);
	CHECK(answer_count == 1 && answers[0] == OK && maps == 0);
}

TEST(there_are_so_many_surfaces_and_no_more)
{
	uint64_t id = setup(&all_ops);

	for (uint32_t i = 0; i < SURFACES_MAX; i++)
		CHECK(surface_make(id, size_of(1, 1)) > 0);
	CHECK_EQ(surface_make(id, size_of(1, 1)), ERR_NOSPC);
	client_close(id);
	CHECK_EQ(maps, 0);
}

TEST(a_surface_is_its_holders_own)
{
	uint64_t id = setup(&all_ops), other = client_open();
	int64_t number = surface_make(id, size_of(64, 64));
	struct display_rectangle r = { 0, 0, 1, 1 };

	CHECK_EQ(ask(other, DISPLAY_DAMAGE, &r, sizeof(r), (uint64_t)number), ERR_NOENT);
	CHECK_EQ(ask(other, DISPLAY_SHOW, NULL, 0, (uint64_t)number), ERR_NOENT);
	CHECK_EQ(ask(other, DISPLAY_CURSOR, NULL, 0, (uint64_t)number), ERR_NOENT);
	CHECK_EQ(ask(other, DISPLAY_FREE, NULL, 0, (uint64_t)number), ERR_NOENT);
	CHECK_EQ(ask(id, DISPLAY_FREE, NULL, 0, 0), ERR_NOENT);
	client_close(other);
	CHECK_EQ(maps, 1);
	client_close(id);
	CHECK_EQ(maps, 0);
}

TEST(one_that_is_used_goes_when_the_use_has_ended)
{
	uint64_t id = setup(&all_ops);
	int64_t number = surface_make(id, size_of(64, 64));
	struct display_rectangle r = { 0, 0, 1, 1 };

	at_once = false;
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), (uint64_t)number), PENDING);
	CHECK_EQ(ask(id, DISPLAY_FREE, NULL, 0, (uint64_t)number), PENDING);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), (uint64_t)number), ERR_NOENT);
	CHECK_EQ(flights, 1);
	finish(OK);
	CHECK(answer_count == 1 && flights == 1 && flight[0]->op == SURFACE_DESTROY && maps == 1);
	finish(OK);
	CHECK(answer_count == 2 && maps == 0);
}

TEST(a_client_that_dies_takes_its_surfaces_along_when_they_are_idle)
{
	uint64_t id = setup(&all_ops);
	int64_t number = surface_make(id, size_of(64, 64));

	at_once = false;
	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)number), PENDING);
	client_close(id);
	CHECK_EQ(flights, 1);
	finish(OK);
	CHECK_EQ(flight[0]->op, SURFACE_DESTROY);
	CHECK_EQ(flight[0]->outputs, 1);
	CHECK(!display.output[0].shown);
	finish(OK);
	CHECK_EQ(maps, 0);
}

TEST(what_is_shown_instead_is_not_hidden_with_the_old_one)
{
	uint64_t id = setup(&all_ops);
	int64_t one = surface_make(id, size_of(64, 64)), two = surface_make(id, size_of(64, 64));

	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)one), OK);
	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)one | 1ull << 32), OK);
	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)two), OK);
	CHECK_EQ(ask(id, DISPLAY_SHOW, NULL, 0, (uint64_t)one | 2ull << 32), ERR_NOENT);
	at_once = false;
	CHECK_EQ(ask(id, DISPLAY_FREE, NULL, 0, (uint64_t)one), PENDING);
	CHECK_EQ(flight[0]->outputs, 2);
	CHECK(display.output[0].shown && !display.output[1].shown);
	finish(OK);
}

/* ---- Rectangles ---- */

TEST(rectangles_are_cut_to_the_surface)
{
	static const struct { struct display_rectangle r, cut; bool is_left; } cases[] = {
		{ { 0, 0, 10, 10 }, { 0, 0, 10, 10 }, true }, { { 60, 50, UINT32_MAX, UINT32_MAX }, { 60, 50, 4, 14 }, true },
		{ { 64, 0, 1, 1 }, { 0 }, false }, { { 0, 64, 1, 1 }, { 0 }, false }, { { 0, 0, 0, 5 }, { 0 }, false }, { { 0, 0, 5, 0 }, { 0 }, false },
		{ { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX }, { 0 }, false }, { { 63, 63, 1, 1 }, { 63, 63, 1, 1 }, true },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct display_rectangle r = cases[i].r;
		CHECK_EQ(rectangle_clip(&r, (struct display_size){ 64, 64 }), cases[i].is_left);
		if (cases[i].is_left)
			CHECK_MEM(&r, &cases[i].cut, sizeof(r));
	}
}

TEST(a_damage_has_whole_rectangles_and_not_too_many)
{
	static struct display_rectangle r[DISPLAY_RECTANGLES_MAX + 1];
	uint64_t id = setup(&all_ops), number = (uint64_t)surface_make(id, size_of(64, 64));

	for (uint32_t i = 0; i <= DISPLAY_RECTANGLES_MAX; i++)
		r[i] = (struct display_rectangle){ i, 0, 1, 1 };
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, r, sizeof(r), number), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, r, 15, number), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, NULL, 0, number), OK);
	at_once = false;
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, r, sizeof(r) - sizeof(r[0]), number), PENDING);
	CHECK_EQ(flight[0]->count, 64);
	finish(OK);
	/* Nothing of it lies on the surface: nothing is to be done. */
	r[0].x = 64;
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, r, sizeof(r[0]), number), OK);
	CHECK_EQ(flights, 0);
}

TEST(copies_stay_within_both_pictures)
{
	static uint32_t screen[40][50], source[64][70];
	struct surface s = { .is = { .size = { 64, 64 }, .pitch_bytes = 70 * 4 }, .pixels = (const uint8_t *)source };

	for (uint32_t y = 0; y < 64; y++)
		for (uint32_t x = 0; x < 64; x++)
			source[y][x] = y << 8 | x | 0x10000;
	display_copy((uint8_t *)screen, sizeof(screen[0]), (struct display_size){ 48, 40 }, &s, &(struct display_rectangle){ 3, 5, 60, 60 });
	for (uint32_t y = 0; y < 40; y++)
		for (uint32_t x = 0; x < 50; x++)
			CHECK_EQ(screen[y][x], x >= 3 && x < 48 && y >= 5 ? source[y][x] : 0);
	display_copy((uint8_t *)screen, sizeof(screen[0]), (struct display_size){ 48, 40 }, &s, &(struct display_rectangle){ 48, 40, 16, 24 });
}

/* ---- The cursor ---- */

TEST(a_cursor_is_of_one_size_and_its_hot_spot_within)
{
	uint64_t id = setup(&all_ops), number = (uint64_t)surface_make(id, size_of(64, 64)), wide = (uint64_t)surface_make(id, size_of(65, 64));
	struct display_cursor hot = { 63, 0 }, bad[] = { { 64, 0 }, { 0, -1 }, { INT32_MIN, INT32_MAX } };
	struct display_point at = { 5, -7 };

	CHECK_EQ(ask(id, DISPLAY_CURSOR, &hot, sizeof(hot), number), OK);
	CHECK_EQ(ask(id, DISPLAY_CURSOR, &hot, sizeof(hot), wide), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_CURSOR, &hot, sizeof(hot) - 1, number), ERR_INVAL);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		CHECK_EQ(ask(id, DISPLAY_CURSOR, &bad[i], sizeof(bad[i]), number), ERR_INVAL);
	CHECK_EQ(ask(id, DISPLAY_CURSOR, NULL, 0, 0), OK);
	CHECK_EQ(ask(id, DISPLAY_MOVE, &at, sizeof(at), 1), OK);
	CHECK_EQ(ask(id, DISPLAY_MOVE, &at, sizeof(at), 2), ERR_NOENT);
	CHECK_EQ(ask(id, DISPLAY_MOVE, &at, 7, 1), ERR_INVAL);
	CHECK_EQ(moves, 1);
}

/* ---- Restarts and ends ---- */

TEST(after_a_restart_clients_are_told_and_old_numbers_mean_nothing)
{
	uint64_t id = setup(&all_ops);
	uint64_t number = (uint64_t)surface_make(id, size_of(64, 64));
	uint32_t generation = output_of(id, 0)->generation;
	struct display_rectangle r = { 0, 0, 1, 1 };

	forget();
	/* That was an orderly end; a killed one leaves its clients' numbers. */
	CHECK_EQ(opens_add(&state->opens, id, 0, 0), OK);
	start_driver(&all_ops);
	told = 0;
	display_tell(&display);
	CHECK(told == 1 && told_id == id && told_ready == READY_PRIORITY);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), number), ERR_NOENT);
	int64_t next = surface_make(id, size_of(64, 64));
	CHECK(next > 0 && (uint64_t)next != number);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), number), ERR_NOENT);
	CHECK(output_of(id, 0)->generation > generation);
	(void)output_of(id, 1);
	CHECK_EQ(told_ready, 0);
}

TEST(a_client_that_was_not_remembered_is_one_nevertheless)
{
	uint64_t id = setup(&all_ops);

	forget();
	start_driver(&all_ops);
	CHECK_EQ(output_of(id, 0)->size.width, 800);
	CHECK_EQ(state->opens.entry[0].id, id);
	client_close(id);
	CHECK_EQ(state->opens.entry[0].id, 0);
}

TEST(a_state_of_nonsense_is_emptied)
{
	uint64_t id = setup(&all_ops);

	forget();
	memset(state, 0x5a, sizeof(*state));
	start_driver(&all_ops);
	CHECK(list_is_empty(&display.clients));
	CHECK(surface_make(id, size_of(1, 1)) > 0);
}

TEST(a_device_that_vanished_is_no_device)
{
	uint64_t id = setup(&all_ops), number = (uint64_t)surface_make(id, size_of(64, 64));
	struct display_rectangle r = { 0, 0, 1, 1 };

	at_once = false;
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), number), PENDING);
	display_remove(&display);
	finish(ERR_NODEV);
	CHECK_EQ(answers[0], ERR_NODEV);
	CHECK_EQ(ask(id, DISPLAY_DAMAGE, &r, sizeof(r), number), ERR_NODEV);
	CHECK_EQ(ask(id, DISPLAY_OUTPUT, NULL, 0, 0), ERR_NODEV);
	at_once = true;
	client_close(id);
	CHECK_EQ(maps, 0);
}

/* ---- EDID ---- */

static void edid_make(uint8_t edid[EDID_BLOCK_BYTES], uint32_t width, uint32_t height)
{
	uint8_t sum = 0;

	memset(edid, 0, EDID_BLOCK_BYTES);
	memset(edid + 1, 0xff, 6);
	edid[54] = 1;
	edid[56] = (uint8_t)width;
	edid[58] = (uint8_t)(width >> 4 & 0xf0);
	edid[59] = (uint8_t)height;
	edid[61] = (uint8_t)(height >> 4 & 0xf0);
	for (int i = 0; i < EDID_BLOCK_BYTES - 1; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[EDID_BLOCK_BYTES - 1] = (uint8_t)-sum;
}

TEST(a_monitor_says_its_size_or_nothing_is_believed)
{
	uint8_t edid[EDID_BLOCK_BYTES];
	struct display_size size;

	edid_make(edid, 1920, 1080);
	CHECK_EQ(edid_size(edid, sizeof(edid), &size), OK);
	CHECK(size.width == 1920 && size.height == 1080);
	CHECK_EQ(edid_size(edid, sizeof(edid) - 1, &size), ERR_BADMSG);
	edid[20] ^= 1;
	CHECK_EQ(edid_size(edid, sizeof(edid), &size), ERR_BADMSG);
	edid_make(edid, 0, 1080);
	CHECK_EQ(edid_size(edid, sizeof(edid), &size), ERR_BADMSG);
	memset(edid, 0, sizeof(edid));
	CHECK_EQ(edid_size(edid, sizeof(edid), &size), ERR_BADMSG);
}
