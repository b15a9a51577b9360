/* servers/console/keyboard_test.c - keys and what they send. */
#include "lib/test/test.h"
#include "servers/console/keyboard.h"

static struct keyboard k;
static struct keyboard_modes modes;

static const char *press(const char *codes)
{
	static uint8_t out[64 + KEYBOARD_BYTES_MAX];
	size_t bytes = 0;

	for (; *codes; codes++) {
		CHECK(bytes < 64);
		bytes += keyboard_code(&k, (uint8_t)*codes, &modes, out + bytes);
	}
	out[bytes] = 0;
	return (const char *)out;
}

static void start(void)
{
	memset(&k, 0, sizeof(k));
	memset(&modes, 0, sizeof(modes));
}

TEST(letters_come_when_pressed_not_when_released)
{
	start();
	CHECK_STR(press("\x1e\x9e\x30\xb0\x39\x1c"), "ab \r");
}

TEST(every_key_of_the_layout_is_in_its_place)
{
	start();
	CHECK_STR(press("\x02\x0b\x0c\x0d\x10\x19\x1a\x1b\x26\x27\x28\x29\x2b\x2c\x32\x33\x34\x35"), "10-=qp[]l;'`\\zm,./");
	CHECK_STR(press("\x2a\x02\x0b\x0c\x0d\x1a\x1b\x27\x28\x29\x2b\x33\x34\x35\xaa"), "!)_+{}:\"~|<>?");
	CHECK_STR(press("\x0e\x01\x0f"), "\x7f\x1b\t");
	CHECK_STR(press("\x37\x39"), "* ");
}

TEST(shift_and_caps_lock_make_capitals_and_undo_each_other)
{
	start();
	CHECK_STR(press("\x2a\x1e\xaa\x1e"), "Aa");
	CHECK_STR(press("\x3a\xba\x1e\x02\x36\x1e\xb6\x3a\xba\x1e"), "A1aa");
}

TEST(control_makes_control_codes)
{
	start();
	CHECK_STR(press("\x1d\x2e\x2c\x1a\x2b\x9d\x2e"), "\x03\x1a\x1b\x1c" "c");
	CHECK_STR(press("\xe0\x1d\x20\xe0\x9d"), "\x04");
}

TEST(alt_puts_an_escape_in_front)
{
	start();
	CHECK_STR(press("\x38\x30\xb8\x30"), "\033bb");
}

TEST(arrows_follow_the_cursor_mode)
{
	start();
	CHECK_STR(press("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b"), "\033[A\033[B\033[C\033[D");
	modes.application_cursor = true;
	CHECK_STR(press("\xe0\x48"), "\033OA");
}

TEST(the_six_keys_and_functions_send_sequences)
{
	start();
	CHECK_STR(press("\xe0\x47\xe0\x4f\xe0\x52\xe0\x53\xe0\x49\xe0\x51"), "\033[1~\033[4~\033[2~\033[3~\033[5~\033[6~");
	CHECK_STR(press("\x3b\x3f\x40\x44\x57\x58"), "\033[[A\033[[E\033[17~\033[21~\033[23~\033[24~");
	CHECK_STR(press("\x2a\x0f\xaa"), "\033[Z");
}

TEST(the_pad_types_digits_under_num_lock)
{
	start();
	CHECK_STR(press("\x48\x4a\x4e"), "\033[A-+");
	CHECK_STR(press("\x45\xc5\x47\x52\x53\x4c"), "70.5");
	CHECK_STR(press("\xe0\x35\xe0\x1c"), "/\r");
}

TEST(pause_and_fake_shifts_type_nothing)
{
	start();
	CHECK_STR(press("\xe1\x1d\x45\xe1\x9d\xc5\x1e"), "a");
	CHECK_STR(press("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e"), "\033[Aa");
}

TEST(no_code_can_write_too_much)
{
	uint8_t out[KEYBOARD_BYTES_MAX];

	start();
	for (int i = 0; i < 100000; i++) {
		modes.newline = test_random() & 1;
		CHECK(keyboard_code(&k, (uint8_t)test_random(), &modes, out) <= KEYBOARD_BYTES_MAX);
	}
}

/* ---- The controller ------------------------------------------------------------------------------------------------ */

static struct { uint8_t command, config, queue[16]; size_t at, end; bool absent, stuck, mouse; } chip;

static void answer(uint8_t byte) { chip.queue[chip.end++ % 16] = byte; }
static uint32_t chip_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p, (void)bytes;
	if (chip.absent)
		return 0xff;
	if (offset == 0)
		return chip.at < chip.end ? chip.queue[chip.at++ % 16] : 0;
	return (chip.at < chip.end ? 1u : 0) | (chip.stuck ? 2 : 0) | (chip.mouse ? 0x20 : 0);
}
static void chip_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p, (void)bytes;
	if (offset == 4) {
		chip.command = (uint8_t)value;
		if (value == 0x20)
			answer(chip.config);
	} else if (chip.command == 0x60) {
		chip.config = (uint8_t)value;
		chip.command = 0;
	} else if (value == 0xf4) {
		answer(0xfa);
	}
}
static const struct ports ports = { .in = chip_in, .out = chip_out };

TEST(the_controller_is_set_up_to_interrupt_and_translate)
{
	uint8_t code;

	memset(&chip, 0, sizeof(chip));
	chip.config = 0x32;
	answer(0x55);
	CHECK(i8042_init(&ports));
	CHECK_EQ(chip.config, 0x61);
	CHECK(!i8042_read(&ports, &code));
	answer(0x1e);
	CHECK(i8042_read(&ports, &code));
	CHECK_EQ(code, 0x1e);
}

TEST(a_missing_or_stuck_controller_is_left_alone)
{
	uint8_t code;

	memset(&chip, 0, sizeof(chip));
	chip.absent = true;
	CHECK(!i8042_init(&ports));
	CHECK(!i8042_read(&ports, &code));
	chip.absent = false;
	chip.stuck = true;
	CHECK(!i8042_init(&ports));
}

TEST(a_mouse_types_nothing)
{
	uint8_t code;

	memset(&chip, 0, sizeof(chip));
	chip.mouse = true;
	answer(0x1e);
	CHECK(!i8042_read(&ports, &code));
}
