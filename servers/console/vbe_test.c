/* servers/console/vbe_test.c - finding the device among others, and its mode. */
#include "lib/test/test.h"
#include "servers/console/vbe.h"

static uint32_t address, command, bar[2], slot_there;
static uint16_t reg[16], index_;
static bool no_vbe;

static uint32_t config_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p;
	CHECK_EQ(offset, 4);
	CHECK_EQ(bytes, 4);
	if (!(address & 0x80000000u) || (address >> 8 & 0xffff) != slot_there << 3)
		return address >> 11 & 1 ? 0xffffffff : 0x12378086;
	switch (address & 0xff) {
	case 0: return 0x11111234;
	case 4: return command;
	case 0x10: return bar[0];
	case 0x14: return bar[1];
	default: return 0;
	}
}
static void config_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p, (void)bytes;
	if (offset == 0)
		address = value;
	else if ((address & 0xff) == 4)
		command = value;
}
static uint32_t vbe_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p;
	CHECK_EQ(offset, 1);
	CHECK_EQ(bytes, 2);
	return no_vbe ? 0xffff : index_ == 0 ? 0xb0c5 : reg[index_];
}
static void vbe_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p;
	CHECK_EQ(bytes, 2);
	if (offset == 0)
		index_ = value & 15;
	else
		reg[index_] = (uint16_t)value;
}
static const struct ports config = { .in = config_in, .out = config_out }, vbe = { .in = vbe_in, .out = vbe_out };

static void start(void)
{
	memset(reg, 0, sizeof(reg));
	command = 0;
	bar[0] = 0xfd000008;
	bar[1] = 0;
	slot_there = 2;
	no_vbe = false;
}

TEST(the_device_is_found_and_its_mode_set)
{
	struct boot_framebuffer f;

	start();
	CHECK(vbe_init(&config, &vbe, &f));
	CHECK_EQ(f.address, 0xfd000000);
	CHECK_EQ(f.width, 1024);
	CHECK_EQ(f.pitch_bytes, 4096);
	CHECK_EQ(reg[3], 32);
	CHECK_EQ(reg[4], 0x41);
	CHECK_EQ(command & 2, 2);
}

TEST(a_machine_without_it_has_no_display)
{
	struct boot_framebuffer f;

	start();
	slot_there = 99;
	CHECK(!vbe_init(&config, &vbe, &f));
	start();
	no_vbe = true;
	CHECK(!vbe_init(&config, &vbe, &f));
	start();
	bar[0] = 0xc001;
	CHECK(!vbe_init(&config, &vbe, &f));
}

TEST(memory_above_4_gib_is_found)
{
	struct boot_framebuffer f;

	start();
	bar[0] = 0x0000000c;
	bar[1] = 0x80;
	CHECK(vbe_init(&config, &vbe, &f));
	CHECK_EQ(f.address, 0x8000000000);
}
