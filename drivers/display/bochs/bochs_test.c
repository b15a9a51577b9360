/* drivers/display/bochs/bochs_test.c - the driver against a mock display: one that takes all modes, few, none; lies about its memory; is gone. */
#include <stdlib.h>
#include "drivers/display/bochs/bochs.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/driver/mmio.h"
#include "lib/display/test_frame.h"

#define REGISTERS 0x7000000000ull
enum { MEMORY_BYTES = 4 << 20, WIDTH = 800, HEIGHT = 600, EDID_WIDTH = 640, EDID_HEIGHT = 480 };

static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(4096)));
static uint16_t vbe[16];
static uint8_t edid[256];
static struct { bool is_gone, rounds, ignores, has_no_registers; uint64_t memory_bytes; } manner;
static uint32_t attribute, shown_pixel, switches;
static struct bochs bochs;
static struct device device;
static uint32_t source[HEIGHT][WIDTH];
static struct surface surface = { .is = { .size = { WIDTH, HEIGHT }, .pitch_bytes = WIDTH * 4 }, .pixels = (const uint8_t *)source };

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	(void)d;
	if (bar == 0)
		*out = (struct device_bar){ .at = memory, .ports = HANDLE_NONE, .bytes = manner.memory_bytes };
	else if (bar == 2)
		*out = (struct device_bar){ .at = (volatile uint8_t *)REGISTERS, .ports = HANDLE_NONE, .bytes = 4096 };
	return bar == 0 || (bar == 2 && !manner.has_no_registers) ? OK : ERR_NOENT;
}

uint64_t mock_read(uintptr_t at, size_t bytes)
{
	at -= REGISTERS;
	CHECK(at < 4096);
	if (manner.is_gone)
		return (1ull << bytes * 8) - 1;
	if (at < sizeof(edid))
		return edid[at];
	return at >= 0x500 && at < 0x520 ? vbe[(at - 0x500) / 2] : 0;
}

void mock_write(uintptr_t at, size_t bytes, uint64_t value)
{
	at -= REGISTERS;
	CHECK(at < 4096);
	if (at == 0x400)
		attribute = (uint32_t)value;
	if (manner.is_gone || at < 0x500 || at >= 0x520)
		return;
	CHECK_EQ(bytes, 2);
	uint32_t index = (uint32_t)(at - 0x500) / 2;
	if (manner.ignores && index >= 1 && index <= 2)
		return;
	vbe[index] = (uint16_t)(manner.rounds && index == 1 ? value & ~7u : value);
	if (index == 4 && value) {
		/* Without this bit it would clear what was drawn. */
		CHECK(value == 0xc1 && vbe[3] == 32);
		switches++;
		memcpy(&shown_pixel, memory, 4);
	}
}

static void edid_make(uint32_t width, uint32_t height)
{
	uint8_t sum = 0;

	memset(edid, 0, sizeof(edid));
	memset(edid + 1, 0xff, 6);
	edid[54] = 1;
	edid[56] = (uint8_t)width;
	edid[58] = (uint8_t)(width >> 4 & 0xf0);
	edid[59] = (uint8_t)height;
	edid[61] = (uint8_t)(height >> 4 & 0xf0);
	for (int i = 0; i < 127; i++)
		sum = (uint8_t)(sum + edid[i]);
	edid[127] = (uint8_t)-sum;
}

static void reset(void)
{
	memset(&manner, 0, sizeof(manner));
	memset(vbe, 0, sizeof(vbe));
	memset(memory, 0xee, sizeof(memory));
	manner.memory_bytes = MEMORY_BYTES;
	vbe[0] = 0xb0c5;
	vbe[10] = MEMORY_BYTES >> 16;
	attribute = switches = 0;
	edid_make(EDID_WIDTH, EDID_HEIGHT);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++)
			source[y][x] = y << 12 | x;
}

static void setup(void)
{
	reset();
	CHECK_EQ(bochs_open(&bochs, &device), OK);
}

static err_t mode(uint32_t width, uint32_t height)
{
	err_t err = test_frame_do(&bochs.frame, (struct display_job){ .op = OUTPUT_MODE, .size = { width, height } });

	if (!err)
		bochs.frame.display.output[0].is.size = (struct display_size){ width, height };
	return err;
}

TEST(it_begins_in_its_monitors_size_with_the_first_that_is_shown)
{
	setup();
	CHECK(switches == 0 && vbe[1] == 0 && memory[0] == 0xee);
	CHECK_EQ(test_frame_do(&bochs.frame, (struct display_job){ .op = SURFACE_DESTROY, .surface = &surface, .outputs = 1 }), OK);
	CHECK(switches == 0 && memory[0] == 0xee);
	CHECK_EQ(test_frame_show(&bochs.frame, NULL), OK);
	const struct display_output *o = &bochs.frame.display.output[0].is;
	CHECK(o->size.width == EDID_WIDTH && o->size.height == EDID_HEIGHT && o->wanted.width == EDID_WIDTH);
	CHECK(o->display_flags == (DISPLAY_IS_CONNECTED | DISPLAY_HAS_MODES));
	CHECK(vbe[1] == EDID_WIDTH && vbe[2] == EDID_HEIGHT && vbe[3] == 32 && vbe[4] == 0xc1 && attribute == 0x20);
	CHECK_EQ(shown_pixel, 0);
	CHECK_EQ(test_frame_pixel(&bochs.frame, EDID_WIDTH - 1, EDID_HEIGHT - 1), 0);
	CHECK_EQ(memory[EDID_WIDTH * EDID_HEIGHT * 4], 0xee);
}

TEST(without_a_monitors_word_it_is_the_usual_size)
{
	static const struct { uint32_t width, height; } cases[] = { { 4095, 4095 }, { 0, 0 }, { 32, 32 }, { 801, 600 } };

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		reset();
		edid_make(cases[i].width, cases[i].height);
		CHECK_EQ(bochs_open(&bochs, &device), OK);
		CHECK_EQ(bochs.frame.size.width, 1024);
	}
	reset();
	edid[5] = 0;
	CHECK_EQ(bochs_open(&bochs, &device), OK);
	CHECK_EQ(bochs.frame.size.height, 768);
}

TEST(what_is_no_such_device_is_not_driven)
{
	reset();
	vbe[0] = 0xb0d0;
	CHECK_EQ(bochs_open(&bochs, &device), ERR_NODEV);
	reset();
	manner.is_gone = true;
	CHECK_EQ(bochs_open(&bochs, &device), ERR_NODEV);
	reset();
	manner.has_no_registers = true;
	CHECK_EQ(bochs_open(&bochs, &device), ERR_NOENT);
	reset();
	manner.ignores = true;
	CHECK_EQ(bochs_open(&bochs, &device), OK);
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), ERR_INVAL);
}

TEST(it_believes_in_no_more_memory_than_there_is)
{
	reset();
	/* The register says 4 GiB, the BAR has 2 MiB: the usual size does not fit. */
	vbe[10] = 0xffff;
	manner.memory_bytes = 2 << 20;
	edid_make(1280, 800);
	CHECK_EQ(bochs_open(&bochs, &device), ERR_INVAL);
	edid_make(640, 480);
	CHECK_EQ(bochs_open(&bochs, &device), OK);
	CHECK_EQ(mode(1024, 768), ERR_INVAL);
	reset();
	vbe[10] = 0;
	CHECK_EQ(bochs_open(&bochs, &device), ERR_INVAL);
}

TEST(what_is_shown_and_damaged_is_copied_and_nothing_else)
{
	setup();
	CHECK_EQ(test_frame_damage(&bochs.frame, &surface, (struct display_rectangle){ 0, 0, 10, 10 }), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 5, 5), 0xeeeeeeee);
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, EDID_WIDTH - 1, EDID_HEIGHT - 1), source[EDID_HEIGHT - 1][EDID_WIDTH - 1]);
	CHECK_EQ(memory[EDID_WIDTH * EDID_HEIGHT * 4], 0xee);
	memset(source, 0x11, sizeof(source));
	CHECK_EQ(test_frame_damage(&bochs.frame, &surface, (struct display_rectangle){ 630, 470, 100, 100 }), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 629, 470), 470 << 12 | 629);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 630, 470), 0x11111111);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 630, 469), 469 << 12 | 630);
	CHECK_EQ(memory[EDID_WIDTH * EDID_HEIGHT * 4], 0xee);
	CHECK_EQ(test_frame_show(&bochs.frame, NULL), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 630, 470), 0);
}

TEST(a_new_mode_is_drawn_before_it_is_shown)
{
	setup();
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), OK);
	source[0][0] = 0x123456;
	CHECK_EQ(mode(1024, 768), OK);
	CHECK_EQ(shown_pixel, 0x123456);
	CHECK_EQ(test_frame_pixel(&bochs.frame, WIDTH - 1, HEIGHT - 1), source[HEIGHT - 1][WIDTH - 1]);
	/* Around a smaller surface it is dark. */
	CHECK_EQ(test_frame_pixel(&bochs.frame, WIDTH, 0), 0);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 1023, 767), 0);
}

TEST(a_mode_that_it_does_not_take_leaves_the_old_one)
{
	setup();
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), OK);
	manner.rounds = true;
	CHECK_EQ(mode(801, 600), ERR_INVAL);
	CHECK(vbe[1] == EDID_WIDTH && vbe[2] == EDID_HEIGHT && vbe[4] == 0xc1 && bochs.frame.pitch_bytes == EDID_WIDTH * 4);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 7, 1), source[1][7]);
	switches = 0;
	CHECK_EQ(mode(8192, 8192), ERR_INVAL);
	CHECK_EQ(mode(63, 600), ERR_INVAL);
	CHECK_EQ(switches, 0);
	CHECK_EQ(mode(800, 600), OK);
}

TEST(a_surface_that_goes_leaves_darkness_where_it_was_shown)
{
	setup();
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), OK);
	CHECK_EQ(test_frame_do(&bochs.frame, (struct display_job){ .op = SURFACE_DESTROY, .surface = &surface }), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 3, 3), source[3][3]);
	bochs.frame.display.output[0].shown = NULL;
	CHECK_EQ(test_frame_do(&bochs.frame, (struct display_job){ .op = SURFACE_DESTROY, .surface = &surface, .outputs = 1 }), OK);
	CHECK_EQ(test_frame_pixel(&bochs.frame, 3, 3), 0);
}

TEST(one_that_vanished_harms_nobody)
{
	setup();
	CHECK_EQ(test_frame_show(&bochs.frame, &surface), OK);
	manner.is_gone = true;
	CHECK_EQ(mode(800, 600), ERR_INVAL);
	CHECK_EQ(test_frame_damage(&bochs.frame, &surface, (struct display_rectangle){ 0, 0, 10, 10 }), OK);
}
