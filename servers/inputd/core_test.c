/* servers/inputd/core_test.c - typing, dead keys, repeats, pointers; devices that die, lie, flood. */
#include "lib/keymap/keymap.h"
#include "lib/test/test.h"
#include "servers/inputd/core.h"

enum { KEY_A = 30, KEY_Q = 16, KEY_EQUAL = 13, KEY_E = 18, KEY_4 = 5 };
#define MS 1000000ull

static struct core core;
static uint32_t keyboard;
static uint64_t now;
static struct input_event e;

static void setup(const char *layout)
{
	core = (struct core){ 0 };
	now = 1;
	core_init(&core);
	core.is_read = true;
	core.events_id = 9;
	CHECK_EQ(core_set_layout(&core, layout, strlen(layout)), OK);
	CHECK_EQ(core_device_add(&core, &keyboard), OK);
	core.device[keyboard].id = 7;
}

static void report(uint32_t device, uint16_t type, uint16_t code, int32_t value)
{
	core_report(&core, device, &(struct input_raw){ type, code, value }, now);
}

static void press(uint16_t code) { report(keyboard, INPUT_KEY, code, INPUT_DOWN); }
static void release(uint16_t code) { report(keyboard, INPUT_KEY, code, INPUT_UP); }
static void tap(uint16_t code) { press(code); release(code); }

static const struct input_event *next(void)
{
	CHECK_EQ(core_take(&core, &e, 1), 1);
	return &e;
}

static void drain(void)
{
	while (core_take(&core, &e, 1))
		;
}

/* The symbol of the next key or text that types something. */
static uint32_t typed(void)
{
	while (core_take(&core, &e, 1))
		if (e.symbol)
			return e.symbol;
	return 0;
}

TEST(a_key_goes_down_with_its_symbol_and_up_without)
{
	setup("us");
	tap(KEY_A);
	CHECK(next()->kind == INPUT_EVENT_KEY && e.value == INPUT_DOWN && e.code == KEY_A && e.symbol == 'a' && e.time_ns == now);
	CHECK(next()->kind == INPUT_EVENT_KEY && e.value == INPUT_UP && e.code == KEY_A && e.symbol == 0);
	CHECK_EQ(core_take(&core, &e, 1), 0);
}

TEST(modifiers_of_one_keyboard_count_for_another)
{
	uint32_t other;

	setup("us");
	CHECK_EQ(core_device_add(&core, &other), OK);
	report(other, INPUT_KEY, KEY_LEFT_SHIFT, INPUT_DOWN);
	tap(KEY_A);
	CHECK_EQ(typed(), 'A');
	drain();
	core_device_remove(&core, other, now);
	CHECK(next()->code == KEY_LEFT_SHIFT && e.value == INPUT_UP);
	tap(KEY_A);
	CHECK_EQ(typed(), 'a');
}

TEST(locks_change_with_each_press_and_light_up)
{
	setup("us");
	tap(KEY_CAPS_LOCK);
	CHECK_EQ(core_lights(&core), INPUT_CAPS_LOCK);
	tap(KEY_A);
	CHECK_EQ(typed(), 'A');
	tap(KEY_CAPS_LOCK);
	tap(KEY_NUM_LOCK);
	CHECK_EQ(core_lights(&core), INPUT_NUM_LOCK);
}

TEST(a_dead_key_joins_with_the_next)
{
	setup("de");
	tap(KEY_EQUAL);
	tap(KEY_E);
	CHECK_EQ(typed(), 0xe9);
	CHECK_EQ(typed(), 0);
	tap(KEY_EQUAL);
	tap(KEY_Q);                     /* there is no such letter: both */
	CHECK_EQ(typed(), 0xb4);
	CHECK_EQ(e.kind, INPUT_EVENT_TEXT);
	CHECK_EQ(typed(), 'q');
	tap(KEY_EQUAL);
	tap(KEY_EQUAL);
	CHECK_EQ(typed(), 0xb4);
	CHECK_EQ(typed(), 0);
}

TEST(alt_gr_reaches_the_third_level)
{
	setup("de");
	press(KEY_RIGHT_ALT);
	tap(KEY_Q);
	CHECK_EQ(typed(), '@');
	CHECK_EQ(e.modifiers, INPUT_ALT_GR);
}

TEST(a_key_that_is_held_repeats_until_it_is_released)
{
	setup("us 200 50");
	press(KEY_A);
	CHECK_EQ(core_deadline(&core), now + 200 * MS);
	drain();
	core_tick(&core, now + 199 * MS);
	CHECK_EQ(core.count, 0);
	for (uint32_t i = 0; i < 5; i++) {
		now = core_deadline(&core);
		core_tick(&core, now);
		CHECK(next()->value == INPUT_REPEAT && e.symbol == 'a' && e.time_ns == now);
		CHECK_EQ(core_deadline(&core), now + 20 * MS);
	}
	release(KEY_A);
	CHECK_EQ(core_deadline(&core), UINT64_MAX);
}

TEST(modifiers_do_not_repeat_nor_end_what_does)
{
	setup("us");
	press(KEY_LEFT_SHIFT);
	CHECK_EQ(core_deadline(&core), UINT64_MAX);
	press(KEY_A);
	release(KEY_LEFT_SHIFT);
	CHECK(core_deadline(&core) != UINT64_MAX);
}

TEST(a_rate_of_0_is_no_repeat)
{
	setup("us 500 0");
	press(KEY_A);
	CHECK_EQ(core_deadline(&core), UINT64_MAX);
}

TEST(a_device_that_dies_lets_go_of_its_keys)
{
	setup("us");
	press(KEY_A);
	press(KEY_LEFT_CONTROL);
	drain();
	core_device_remove(&core, keyboard, now);
	CHECK(next()->value == INPUT_UP);
	CHECK(next()->value == INPUT_UP);
	CHECK_EQ(core.held_count, 0);
	CHECK_EQ(core_deadline(&core), UINT64_MAX);
}

TEST(a_pad_key_is_released_as_what_it_went_down_as)
{
	setup("us");
	press(KEY_PAD_7);
	CHECK_EQ(next()->code, KEY_HOME);
	tap(KEY_NUM_LOCK);
	drain();
	release(KEY_PAD_7);
	CHECK_EQ(next()->code, KEY_HOME);
}

TEST(what_a_device_repeats_itself_is_not_taken)
{
	setup("us");
	press(KEY_A);
	press(KEY_A);
	report(keyboard, INPUT_KEY, KEY_A, 2);
	release(KEY_Q);
	release(KEY_A);
	release(KEY_A);
	CHECK_EQ(core.count, 2);
}

TEST(motion_is_one_event_until_it_is_read_and_clicks_come_where_they_happened)
{
	setup("us");
	for (int32_t i = 0; i < 10; i++) {
		report(keyboard, INPUT_RELATIVE, INPUT_X, 3);
		report(keyboard, INPUT_RELATIVE, INPUT_Y, -i);
		report(keyboard, INPUT_SYNC, 0, 0);
	}
	report(keyboard, INPUT_RELATIVE, INPUT_X, 1);
	report(keyboard, INPUT_KEY, INPUT_BUTTON_LEFT, 1);
	CHECK(next()->kind == INPUT_EVENT_POINTER && e.x == 31 && e.y == -45 && !e.is_absolute);
	CHECK(next()->kind == INPUT_EVENT_BUTTON && e.code == INPUT_BUTTON_LEFT);
	report(keyboard, INPUT_RELATIVE, INPUT_WHEEL, -1);
	report(keyboard, INPUT_RELATIVE, INPUT_WHEEL, -1);
	CHECK(next()->kind == INPUT_EVENT_WHEEL && e.y == -2);
}

TEST(a_tablets_place_is_scaled_and_stays_inside)
{
	struct input_device tablet = { .kinds = INPUT_IS_TABLET, .x_max = 32767, .y_min = -100, .y_max = 100 };

	setup("us");
	report(keyboard, INPUT_ABSOLUTE, INPUT_X, 5);           /* nobody knows its range yet */
	report(keyboard, INPUT_SYNC, 0, 0);
	CHECK_EQ(core.count, 0);
	CHECK_EQ(core_device_set(&core, keyboard, &tablet), OK);
	report(keyboard, INPUT_ABSOLUTE, INPUT_X, 32767);
	report(keyboard, INPUT_ABSOLUTE, INPUT_Y, 0);
	report(keyboard, INPUT_SYNC, 0, 0);
	CHECK(next()->is_absolute && e.x == INPUT_POINTER_SCALE && e.y == INPUT_POINTER_SCALE / 2);
	report(keyboard, INPUT_ABSOLUTE, INPUT_X, INT32_MAX);
	report(keyboard, INPUT_ABSOLUTE, INPUT_Y, INT32_MIN);
	report(keyboard, INPUT_SYNC, 0, 0);
	CHECK(next()->x == INPUT_POINTER_SCALE && e.y == 0);
}

TEST(a_queue_that_nobody_reads_still_has_every_release)
{
	uint32_t held = 0;

	setup("us");
	for (uint16_t code = 1; code < INPUT_CODES; code++)
		press(code);
	for (uint32_t i = 0; i < 2000; i++) {
		tap((uint16_t)(200 + i % 20));
		report(keyboard, INPUT_RELATIVE, INPUT_X, 1);
		report(keyboard, INPUT_SYNC, 0, 0);
		core_tick(&core, core_deadline(&core));
	}
	for (uint16_t code = 1; code < INPUT_CODES; code++)
		release(code);
	CHECK(core.count <= CORE_QUEUE);
	while (core_take(&core, &e, 1))
		held += (e.kind == INPUT_EVENT_KEY || e.kind == INPUT_EVENT_BUTTON) && e.value == INPUT_DOWN ? 1 :
		        (e.kind == INPUT_EVENT_KEY || e.kind == INPUT_EVENT_BUTTON) && e.value == INPUT_UP ? -1u : 0;
	CHECK_EQ(held, 0);
	CHECK_EQ(core.held_count, 0);
}

TEST(any_report_is_survived)
{
	setup("fr");
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t r = test_random();
		report(keyboard, (uint16_t)(r % 5), (uint16_t)(r >> 8 & (r & 64 ? 0x3ff : 0x7f)), (int32_t)(r >> 32) >> (r >> 3 & 31));
		if (r % 7 == 0)
			core_tick(&core, core_deadline(&core));
		if (r % 11 == 0)
			drain();
		CHECK(core.count <= CORE_QUEUE && core.held_count <= CORE_HELD_MAX);
	}
}

TEST(the_next_instance_goes_on_with_what_is_held)
{
	setup("de 300 20");
	press(KEY_LEFT_SHIFT);
	core_init(&core);
	CHECK_STR(core.layout, "de");
	tap(KEY_A);
	CHECK_EQ(typed(), 'A');
}

/* Killed between the key's bit and the count of all. */
TEST(how_many_keys_are_held_is_counted_anew_by_the_next_instance)
{
	setup("us");
	press(KEY_A);
	core.held_count = 0;
	core_init(&core);
	CHECK_EQ(core.held_count, 1);
	release(KEY_A);
	CHECK_EQ(core.held_count, 0);
	drain();
	tap(KEY_A);
	CHECK_EQ(typed(), 'a');
}

TEST(events_whose_reader_never_learnt_his_number_can_be_opened_again)
{
	setup("us");
	core_init(&core);
	CHECK(core.is_read);
	core.events_id = 0;
	core_init(&core);
	CHECK(!core.is_read);
}

TEST(a_tablet_that_becomes_a_mouse_between_two_reports_is_nowhere)
{
	struct input_device tablet = { .kinds = INPUT_IS_TABLET, .x_max = 100, .y_max = 100 }, mouse = { .kinds = INPUT_IS_MOUSE };

	setup("us");
	CHECK_EQ(core_device_set(&core, keyboard, &tablet), OK);
	report(keyboard, INPUT_ABSOLUTE, INPUT_X, 50);
	CHECK_EQ(core_device_set(&core, keyboard, &mouse), OK);
	report(keyboard, INPUT_SYNC, 0, 0);
	CHECK_EQ(core_take(&core, &e, 1), 0);
}

TEST(a_state_that_makes_no_sense_is_begun_anew)
{
	setup("de");
	core.first = CORE_QUEUE;
	core_init(&core);
	CHECK_STR(core.layout, "us");
	memset(core.layout, 'x', sizeof(core.layout));
	core_init(&core);
	CHECK_STR(core.layout, "us");
}

TEST(a_device_that_nobody_knows_of_is_not_taken_over)
{
	uint32_t lost, found;

	setup("us");
	CHECK_EQ(core_device_add(&core, &lost), OK);
	core_init(&core);
	CHECK(!core.device[lost].is_used && core.device[keyboard].is_used);
	CHECK_EQ(core_device_find(&core, 7, &found), OK);
	CHECK_EQ(core_device_find(&core, 0, &found), ERR_NOENT);
}

TEST(wrong_settings_change_nothing)
{
	static const char *const wrong[] = { "", "\n", "xx", "us 1", "us 500", "us 500 101", "us 99 30", "us 5001 30", "us x 30", "us 500 30 1", "us -1 30" };

	setup("de 300 20");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		CHECK_EQ(core_set_layout(&core, wrong[i], strlen(wrong[i])), ERR_INVAL);
		CHECK(core.delay_ms == 300 && core.rate == 20 && strcmp(core.layout, "de") == 0);
	}
	CHECK_EQ(core_set_layout(&core, "es\n", 3), OK);
	CHECK_EQ(core.delay_ms, 300);
}

TEST(devices_that_make_no_sense_are_refused)
{
	struct input_device d = { .kinds = 0 };

	setup("us");
	CHECK_EQ(core_device_set(&core, keyboard, &d), ERR_INVAL);
	d.kinds = INPUT_IS_TABLET;
	CHECK_EQ(core_device_set(&core, keyboard, &d), ERR_INVAL);
	d.kinds = 64;
	CHECK_EQ(core_device_set(&core, keyboard, &d), ERR_INVAL);
	d.kinds = INPUT_IS_MOUSE;
	memset(d.name, 'n', sizeof(d.name));
	CHECK_EQ(core_device_set(&core, keyboard, &d), ERR_INVAL);
}

TEST(more_devices_than_there_is_room_for_are_refused)
{
	uint32_t device, count = 1;

	setup("us");
	while (core_device_add(&core, &device) == OK)
		count++;
	CHECK_EQ(count, CORE_DEVICES_MAX);
}

TEST(control_alt_delete_asks_for_a_restart)
{
	setup("us");
	tap(KEY_DELETE);
	press(KEY_LEFT_CONTROL);
	tap(KEY_DELETE);
	CHECK(!core.wants_restart);
	press(KEY_LEFT_ALT);
	tap(KEY_DELETE);
	CHECK(core.wants_restart);
}
