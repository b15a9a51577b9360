/* servers/console/vbe.c - finds the device by PCI configuration ports and programs its Bochs registers. */
#include "servers/console/vbe.h"

enum { WIDTH = 1024, HEIGHT = 768 };
enum { CONFIG_ADDRESS = 0, CONFIG_DATA = 4, BUS_0_SLOTS = 32, FUNCTIONS = 8, ID = 0x11111234 };
enum { COMMAND = 0x04, BAR0 = 0x10, COMMAND_MEMORY = 2, BAR_IO = 1, BAR_TYPE = 6, BAR_64 = 4 };
enum { VBE_INDEX = 0, VBE_DATA = 1 };
enum { VBE_ID = 0, VBE_X = 1, VBE_Y = 2, VBE_BITS = 3, VBE_ENABLE = 4, VBE_VIRTUAL_WIDTH = 6, VBE_X_OFFSET = 8, VBE_Y_OFFSET = 9 };
enum { VBE_ENABLED = 1, VBE_LINEAR = 0x40 };

static uint32_t config_read(const struct ports *p, uint32_t slot, uint32_t function, uint32_t offset)
{
	p->out(p, CONFIG_ADDRESS, 4, 0x80000000u | slot << 11 | function << 8 | offset);
	return p->in(p, CONFIG_DATA, 4);
}

static void config_write(const struct ports *p, uint32_t slot, uint32_t function, uint32_t offset, uint32_t value)
{
	p->out(p, CONFIG_ADDRESS, 4, 0x80000000u | slot << 11 | function << 8 | offset);
	p->out(p, CONFIG_DATA, 4, value);
}

/* Where its memory is; 0: nowhere. */
static uint64_t memory_of(const struct ports *p, uint32_t slot, uint32_t function)
{
	uint32_t low = config_read(p, slot, function, BAR0);
	uint64_t high = (low & BAR_TYPE) == BAR_64 ? config_read(p, slot, function, BAR0 + 4) : 0;

	if (low & BAR_IO)
		return 0;
	config_write(p, slot, function, COMMAND, config_read(p, slot, function, COMMAND) | COMMAND_MEMORY);
	return high << 32 | (low & ~15u);
}

static uint64_t find_memory(const struct ports *p)
{
	for (uint32_t slot = 0; slot < BUS_0_SLOTS; slot++)
		for (uint32_t function = 0; function < FUNCTIONS; function++)
			if (config_read(p, slot, function, 0) == ID)
				return memory_of(p, slot, function);
	return 0;
}

static void vbe_write(const struct ports *p, uint32_t index, uint32_t value)
{
	p->out(p, VBE_INDEX, 2, index);
	p->out(p, VBE_DATA, 2, value);
}

static uint32_t vbe_read(const struct ports *p, uint32_t index)
{
	p->out(p, VBE_INDEX, 2, index);
	return p->in(p, VBE_DATA, 2);
}

bool vbe_init(const struct ports *config, const struct ports *vbe, struct boot_framebuffer *out)
{
	uint64_t memory = find_memory(config);

	if (memory == 0 || (vbe_read(vbe, VBE_ID) & 0xfff0) != 0xb0c0)
		return false;
	vbe_write(vbe, VBE_ENABLE, 0);
	vbe_write(vbe, VBE_X, WIDTH);
	vbe_write(vbe, VBE_Y, HEIGHT);
	vbe_write(vbe, VBE_BITS, 32);
	vbe_write(vbe, VBE_ENABLE, VBE_ENABLED | VBE_LINEAR);
	vbe_write(vbe, VBE_VIRTUAL_WIDTH, WIDTH);
	vbe_write(vbe, VBE_X_OFFSET, 0);
	vbe_write(vbe, VBE_Y_OFFSET, 0);
	*out = (struct boot_framebuffer){
		.address = memory, .width = WIDTH, .height = HEIGHT, .pitch_bytes = WIDTH * 4, .bits_per_pixel = 32,
		.red_shift = 16, .green_shift = 8, .blue_shift = 0,
	};
	return vbe_read(vbe, VBE_X) == WIDTH && vbe_read(vbe, VBE_Y) == HEIGHT && vbe_read(vbe, VBE_BITS) == 32;
}
