/* drivers/input/ps2/ps2_test.c - bytes as keyboards and mice send them, and a controller that answers, lies, keeps silent. */
#include "drivers/input/ps2/i8042.h"
#include "lib/keymap/keymap.h"
#include "lib/test/test.h"

static struct input_raw out[DECODE_REPORTS_MAX];

/* ---- Decoding -------------------------------------------------------------------------------------------------------- */

static size_t keyboard_bytes(struct ps2_keyboard *k, const char *bytes, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n = ps2_keyboard_byte(k, (uint8_t)bytes[i], out);
	return n;
}

#define KEYBOARD(k, bytes) keyboard_bytes(k, bytes, sizeof(bytes) - 1)

static void check_key(size_t count, uint16_t code, int32_t value)
{
	CHECK_EQ(count, 2);
	CHECK(out[0].type == INPUT_KEY && out[0].code == code && out[0].value == value && out[1].type == INPUT_SYNC);
}

TEST(plain_and_extended_keys_are_told_apart)
{
	struct ps2_keyboard k = { 0 };

	check_key(KEYBOARD(&k, "\x1e"), 30, INPUT_DOWN);
	check_key(KEYBOARD(&k, "\x9e"), 30, INPUT_UP);
	check_key(KEYBOARD(&k, "\x1d"), KEY_LEFT_CONTROL, INPUT_DOWN);
	check_key(KEYBOARD(&k, "\xe0\x1d"), KEY_RIGHT_CONTROL, INPUT_DOWN);
	check_key(KEYBOARD(&k, "\xe0\xb8"), KEY_RIGHT_ALT, INPUT_UP);
	check_key(KEYBOARD(&k, "\x47"), KEY_PAD_7, INPUT_DOWN);
	check_key(KEYBOARD(&k, "\xe0\x47"), KEY_HOME, INPUT_DOWN);
	check_key(KEYBOARD(&k, "\x58"), KEY_F12, INPUT_DOWN);
}

TEST(the_shifts_around_arrows_and_unknown_codes_are_nothing)
{
	struct ps2_keyboard k = { 0 };

	CHECK_EQ(KEYBOARD(&k, "\xe0\x2a"), 0);
	CHECK_EQ(KEYBOARD(&k, "\xe0\xaa"), 0);
	CHECK_EQ(KEYBOARD(&k, "\x7f"), 0);
	CHECK_EQ(KEYBOARD(&k, "\xff"), 0);
	CHECK_EQ(KEYBOARD(&k, "\x80"), 0);
}

TEST(pause_is_pressed_and_released_at_once_and_what_follows_is_a_key_again)
{
	struct ps2_keyboard k = { 0 };

	CHECK_EQ(KEYBOARD(&k, "\xe1"), 3);
	CHECK(out[0].code == KEY_PAUSE && out[0].value == INPUT_DOWN && out[1].value == INPUT_UP && out[2].type == INPUT_SYNC);
	CHECK_EQ(KEYBOARD(&k, "\x1d\x45\xe1\x9d\xc5"), 0);
	check_key(KEYBOARD(&k, "\x45"), KEY_NUM_LOCK, INPUT_DOWN);
}

static size_t mouse_bytes(struct ps2_mouse *m, const char *bytes, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n = ps2_mouse_byte(m, (uint8_t)bytes[i], out);
	return n;
}

#define MOUSE(m, bytes) mouse_bytes(m, bytes, sizeof(bytes) - 1)

TEST(a_mouse_moves_both_ways)
{
	struct ps2_mouse m = { 0 };

	CHECK_EQ(MOUSE(&m, "\x08\x05\x03"), 3);
	CHECK(out[0].code == INPUT_X && out[0].value == 5 && out[1].code == INPUT_Y && out[1].value == -3);
	CHECK_EQ(MOUSE(&m, "\x38\xff\xfe"), 3);
	CHECK(out[0].value == -1 && out[1].value == 2);
	CHECK_EQ(MOUSE(&m, "\x48\x7f\x01"), 0);         /* an overflow says nothing */
}

TEST(buttons_are_told_when_they_change)
{
	struct ps2_mouse m = { 0 };

	CHECK_EQ(MOUSE(&m, "\x09\x00\x00"), 2);
	CHECK(out[0].code == INPUT_BUTTON_LEFT && out[0].value == INPUT_DOWN);
	CHECK_EQ(MOUSE(&m, "\x09\x00\x00"), 0);
	CHECK_EQ(MOUSE(&m, "\x0e\x00\x00"), 4);
	CHECK(out[0].code == INPUT_BUTTON_LEFT && out[0].value == INPUT_UP && out[1].code == INPUT_BUTTON_RIGHT && out[2].code == INPUT_BUTTON_MIDDLE);
}

TEST(a_wheel_turns_and_a_packet_with_everything_fits)
{
	struct ps2_mouse m = { .has_wheel = true };

	CHECK_EQ(MOUSE(&m, "\x08\x00\x00\x01"), 2);
	CHECK(out[0].code == INPUT_WHEEL && out[0].value == -1);
	CHECK_EQ(MOUSE(&m, "\x0f\x01\x01\xff"), 7);
	CHECK_EQ(out[5].value, 1);
}

TEST(the_rest_of_a_lost_packet_is_skipped)
{
	struct ps2_mouse m = { 0 };

	CHECK_EQ(MOUSE(&m, "\x00\x05"), 0);
	CHECK_EQ(MOUSE(&m, "\x08\x05\x00"), 2);
}

TEST(any_bytes_are_survived)
{
	struct ps2_keyboard k = { 0 };
	struct ps2_mouse m = { 0 };

	for (uint32_t i = 0; i < 100000; i++) {
		m.has_wheel = i & 1024;
		m.bytes = m.has_wheel || m.bytes < 3 ? m.bytes : 0;
		CHECK(ps2_keyboard_byte(&k, (uint8_t)test_random(), out) <= DECODE_REPORTS_MAX);
		CHECK(ps2_mouse_byte(&m, (uint8_t)test_random(), out) <= DECODE_REPORTS_MAX);
	}
}

/* ---- The controller -------------------------------------------------------------------------------------------------- */

enum { ROOM = 64 };
static struct mock {
	uint8_t data[ROOM], from_mouse[ROOM];
	uint32_t first, count;
	uint8_t config, command, keyboard_command, lights, knock;
	bool is_absent, is_dead, is_busy, has_no_mouse, has_no_wheel, babbles, mouse_on, keyboard_on;
	uint32_t light_commands;
} mock;

static void mock_put(uint8_t byte, bool from_mouse)
{
	uint32_t at = (mock.first + mock.count) % ROOM;

	CHECK(mock.count < ROOM);
	mock.data[at] = byte;
	mock.from_mouse[at] = from_mouse;
	mock.count++;
}

static uint8_t mock_in(uint32_t port)
{
	if (mock.is_absent)
		return 0xff;
	if (mock.babbles)
		return port == 0x64 ? 0x21 : (uint8_t)test_random();
	if (port == 0x64)
		return (uint8_t)((mock.count && !mock.is_dead ? 1 | mock.from_mouse[mock.first] << 5 : 0) | (mock.is_busy ? 2 : 0));
	if (mock.count == 0)
		return 0;
	uint8_t byte = mock.data[mock.first];
	mock.first = (mock.first + 1) % ROOM;
	mock.count--;
	return byte;
}

static void mock_to_mouse(uint8_t byte)
{
	if (mock.has_no_mouse) {
		mock_put(0xfe, true);
		return;
	}
	mock_put(0xfa, true);
	mock.knock = byte == 200 || (byte == 100 && mock.knock == 1) || (byte == 80 && mock.knock == 2) ? mock.knock + 1 : byte == 0xf3 ? mock.knock : 0;
	mock.mouse_on |= byte == 0xf4;
}

static void mock_data(uint8_t byte)
{
	if (mock.command == 0x60)
		mock.config = byte;
	else if (mock.command == 0xd4 && byte == 0xf2)
		mock_put(0xfa, true), mock_put(mock.knock == 3 && !mock.has_no_wheel ? 3 : 0, true);
	else if (mock.command == 0xd4)
		mock_to_mouse(byte);
	else {
		mock_put(0xfa, false);
		if (mock.keyboard_command == 0xed)
			mock.lights = byte;
		mock.keyboard_on |= byte == 0xf4;
		mock.light_commands += byte == 0xed;
		mock.keyboard_command = mock.keyboard_command == 0xed ? 0 : byte;
	}
	mock.command = 0;
}

static void mock_out(uint32_t port, uint8_t byte)
{
	if (port == 0x60) {
		mock_data(byte);
		return;
	}
	if (byte == 0x20)
		mock_put(mock.config, false);
	mock.command = byte;
}

static const struct i8042_ports ports = { mock_in, mock_out };
static struct i8042 controller;

static err_t start(struct mock m)
{
	mock = m;
	return i8042_start(&controller, &ports);
}

TEST(a_controller_with_keyboard_and_wheel_mouse_starts_with_interrupts_and_translation)
{
	CHECK_EQ(start((struct mock){ .config = 0x30 }), OK);
	CHECK(controller.has_mouse && controller.mouse.has_wheel && mock.mouse_on && mock.keyboard_on);
	CHECK_EQ(mock.config, 0x43);
	CHECK_EQ(mock.count, 0);
}

TEST(a_plain_mouse_and_none_are_found_out)
{
	CHECK_EQ(start((struct mock){ .has_no_wheel = true }), OK);
	CHECK(controller.has_mouse && !controller.mouse.has_wheel);
	CHECK_EQ(start((struct mock){ .has_no_mouse = true }), OK);
	CHECK(!controller.has_mouse && mock.keyboard_on);
}

TEST(no_controller_and_one_that_does_not_answer_are_errors)
{
	CHECK_EQ(start((struct mock){ .is_absent = true }), ERR_NODEV);
	CHECK_EQ(start((struct mock){ .is_dead = true }), ERR_NODEV);
	CHECK_EQ(start((struct mock){ .is_busy = true }), ERR_NODEV);
}

TEST(a_controller_that_babbles_ends_every_loop)
{
	size_t count;

	(void)!start((struct mock){ .babbles = true });
	for (uint32_t i = 0; i < 10000; i++)
		(void)i8042_next(&controller, out, &count);
}

TEST(bytes_go_to_whose_they_are)
{
	size_t count;

	CHECK_EQ(start((struct mock){ 0 }), OK);
	mock_put(0x1e, false);
	mock_put(0x08, true);
	CHECK_EQ(i8042_next(&controller, out, &count), I8042_KEYBOARD);
	check_key(count, 30, INPUT_DOWN);
	CHECK_EQ(i8042_next(&controller, out, &count), I8042_MOUSE);
	CHECK_EQ(count, 0);
	CHECK_EQ(i8042_next(&controller, out, &count), I8042_NOBODY);
}

TEST(lights_follow_one_command_at_a_time)
{
	size_t count;

	CHECK_EQ(start((struct mock){ 0 }), OK);
	i8042_set_lights(&controller, INPUT_CAPS_LOCK);
	i8042_set_lights(&controller, INPUT_CAPS_LOCK | INPUT_NUM_LOCK);        /* while the first is on its way */
	CHECK_EQ(mock.light_commands, 1);
	while (i8042_next(&controller, out, &count) != I8042_NOBODY)
		CHECK_EQ(count, 0);
	CHECK_EQ(mock.lights, 6);
	CHECK_EQ(mock.light_commands, 2);
	i8042_set_lights(&controller, INPUT_CAPS_LOCK | INPUT_NUM_LOCK);
	CHECK_EQ(mock.light_commands, 2);
	mock_put(0x1e, false);          /* a key between */
	i8042_set_lights(&controller, 0);
	while (i8042_next(&controller, out, &count) != I8042_NOBODY)
		;
	CHECK_EQ(mock.lights, 0);
}
