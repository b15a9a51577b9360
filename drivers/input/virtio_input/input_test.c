/* drivers/input/virtio_input/input_test.c - against a mock device that is a keyboard or a tablet, lies, keeps silent, vanishes. */
#include "drivers/input/virtio_input/input.h"
#include "lib/keymap/keymap.h"
#include "lib/virtio/test_device.h"

static struct input input;
static struct device device = { .info = { .interrupts = 1 } };
static struct input_raw got[2 * INPUT_BUFFERS];
static bool is_tablet;
static uint32_t item_bytes_added, status_seen;
static struct input_raw status[16];

static void item(const void *data, size_t bytes)
{
	memset(mock.device + 8, 0, 128);
	memcpy(mock.device + 8, data, bytes);
	mock.device[2] = (uint8_t)(bytes + item_bytes_added);
}

static void configured(uint32_t at)
{
	static const uint8_t keys[32] = { 0xff, 0xff, 0xff }, buttons[40] = { [0x110 / 8] = 7 }, xy[1] = { 3 };
	static const uint32_t range[5] = { 0, 32767 };
	uint8_t select = mock.device[0], subselect = mock.device[1];

	(void)at;
	if (select == 1)
		item("Mock\n", 5);
	else if (select == 0x11 && subselect == INPUT_KEY)
		item(is_tablet ? buttons : keys, is_tablet ? sizeof(buttons) : sizeof(keys));
	else if (select == 0x11 && subselect == INPUT_ABSOLUTE && is_tablet)
		item(xy, sizeof(xy));
	else if (select == 0x12 && is_tablet)
		item(range, sizeof(range));
	else
		mock.device[2] = 0;
}

/* Buffers of the status queue come back at once. */
static void mock_process(uint32_t index)
{
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	while (index == 1 && mock_next(&mock.queue[1], &head, piece, 4, &count)) {
		CHECK(count == 1 && !piece[0].is_writable && piece[0].bytes == sizeof(struct input_raw));
		memcpy(&status[status_seen++ % 16], piece[0].at, sizeof(struct input_raw));
		mock_use_raw(&mock.queue[1], head, 0);
	}
}

static void setup(void)
{
	mock_setup(0, 2, 64);
	mock_configured = configured;
	status_seen = 0;
	CHECK_EQ(input_open(&input, &device), OK);
}

/* The device reports; false: it has no buffer. */
static bool report(uint16_t type, uint16_t code, int32_t value, uint32_t claimed)
{
	struct input_raw r = { type, code, value };
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	if (!mock_next(&mock.queue[0], &head, piece, 4, &count))
		return false;
	CHECK(count == 1 && piece[0].is_writable && piece[0].bytes == sizeof(r));
	memcpy(piece[0].at, &r, sizeof(r));
	mock_use_raw(&mock.queue[0], head, claimed);
	return true;
}

TEST(a_keyboard_says_what_it_is_and_its_keys_come)
{
	is_tablet = false;
	setup();
	CHECK_EQ(input.info.kinds, INPUT_IS_KEYBOARD);
	CHECK_STR(input.info.name, "Mock?");
	for (int32_t i = 0; i < 1000; i++) {
		CHECK(report(INPUT_KEY, 30, i & 1, 8));
		CHECK(report(INPUT_SYNC, 0, 0, 8));
		CHECK_EQ(input_take(&input, got, 16), 2);
		CHECK(got[0].type == INPUT_KEY && got[0].code == 30 && got[0].value == (i & 1) && got[1].type == INPUT_SYNC);
	}
}

TEST(a_tablet_has_its_range)
{
	is_tablet = true;
	setup();
	CHECK_EQ(input.info.kinds, INPUT_IS_TABLET);
	CHECK(input.info.x_max == 32767 && input.info.y_max == 32767 && input.info.x_min == 0);
}

TEST(what_comes_in_one_go_is_taken_in_several)
{
	uint32_t sent = 0;

	is_tablet = false;
	setup();
	while (report(INPUT_KEY, (uint16_t)(sent + 1), 1, 8))
		sent++;
	CHECK_EQ(sent, INPUT_BUFFERS);
	CHECK_EQ(input_take(&input, got, 10), 10);
	CHECK_EQ(got[9].code, 10);
	CHECK_EQ(input_take(&input, got, 2 * INPUT_BUFFERS), INPUT_BUFFERS - 10);
	CHECK(report(INPUT_KEY, 1, 0, 8));
}

TEST(a_report_that_is_too_short_is_none)
{
	is_tablet = false;
	setup();
	CHECK(report(INPUT_KEY, 30, 1, 7));
	CHECK_EQ(input_take(&input, got, 16), 0);
}

TEST(sizes_that_lie_are_bounded)
{
	is_tablet = false;
	item_bytes_added = 200;
	setup();
	CHECK(memchr(input.info.name, 0, sizeof(input.info.name)) != NULL);
	item_bytes_added = 0;
}

TEST(lights_are_told_each_and_more_than_there_is_room_for_are_not)
{
	is_tablet = false;
	setup();
	input_set_lights(&input, INPUT_CAPS_LOCK);
	CHECK_EQ(status_seen, 3);
	CHECK(status[0].code == 0 && status[0].value == 0 && status[1].code == 1 && status[1].value == 1 && status[0].type == 0x11);
	for (uint32_t i = 0; i < 100; i++)
		input_set_lights(&input, i & 7);
	CHECK_EQ(status_seen, 303);
	mock.is_wild = true;            /* no doorbell reaches it: nothing comes back */
	for (uint32_t i = 0; i < 100; i++)
		input_set_lights(&input, i & 7);
	CHECK(input.status.outstanding <= 8);
}

TEST(a_device_that_lies_is_reset_and_goes_on)
{
	is_tablet = false;
	setup();
	mock_use_raw(&mock.queue[0], 999, 8);
	CHECK_EQ(input_take(&input, got, 16), 0);
	CHECK_EQ(mock.resets, 2);
	CHECK(!input.is_gone && report(INPUT_KEY, 30, 1, 8));
	CHECK_EQ(input_take(&input, got, 16), 1);
}

TEST(a_device_that_vanished_is_gone)
{
	is_tablet = false;
	setup();
	mock.is_gone = true;
	CHECK_EQ(input_take(&input, got, 16), 0);
	CHECK(input.is_gone);
	input_set_lights(&input, 1);
}

TEST(a_device_without_keys_or_pointer_is_none_of_ours)
{
	mock_setup(0, 2, 64);
	mock_configured = NULL;
	CHECK_EQ(input_open(&input, &device), ERR_OPNOTSUPP);
}
