/* drivers/display/bochs/bochs.c - modes. Drawing is lib/display's. */
#include "drivers/display/bochs/bochs.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/display/edid.h"
#include "lib/driver/mmio.h"

enum { MEMORY_BAR = 0, REGISTERS_BAR = 2, REGISTERS_BYTES = 0x1000, PIXEL = 4 };

/* In BAR 2. */
enum { EDID = 0x000, EDID_BYTES = 256, VGA_ATTRIBUTE = 0x400, VGA_STATUS = 0x41a, VBE = 0x500 };
enum { ATTRIBUTE_SHOW = 0x20 };

/* VBE registers, 16 bits each. */
enum { VBE_ID = 0, VBE_WIDTH, VBE_HEIGHT, VBE_BITS, VBE_ENABLE, VBE_BANK, VBE_VIRTUAL_WIDTH, VBE_VIRTUAL_HEIGHT, VBE_X, VBE_Y, VBE_MEMORY_64K };
enum { ID_MASK = 0xfff0, ID = 0xb0c0, ENABLED = 1, LINEAR = 0x40, KEEP_MEMORY = 0x80 };

/* The smallest that a monitor can mean. */
enum { SIDE_MIN = 64, USUAL_WIDTH = 1024, USUAL_HEIGHT = 768 };

static uint16_t vbe_read(const struct bochs *b, uint32_t index) { return mmio_read16(b->registers.at + VBE + index * 2); }
static void vbe_write(const struct bochs *b, uint32_t index, uint32_t value) { mmio_write16(b->registers.at + VBE + index * 2, (uint16_t)value); }

static bool size_fits(const struct bochs *b, struct display_size s)
{
	return s.width >= SIDE_MIN && s.height >= SIDE_MIN && s.width <= DISPLAY_SIDE_MAX && s.height <= DISPLAY_SIDE_MAX &&
	       (uint64_t)s.width * s.height * PIXEL <= b->bytes;
}

static void size_write(const struct bochs *b, struct display_size s)
{
	vbe_write(b, VBE_ENABLE, 0);
	vbe_write(b, VBE_WIDTH, s.width);
	vbe_write(b, VBE_HEIGHT, s.height);
	vbe_write(b, VBE_BITS, PIXEL * 8);
}

static bool size_is(const struct bochs *b, struct display_size s)
{
	return vbe_read(b, VBE_WIDTH) == s.width && vbe_read(b, VBE_HEIGHT) == s.height && vbe_read(b, VBE_BITS) == PIXEL * 8;
}

/* The attribute controller's index has the bit that lets the VGA show anything; reading the status makes the next write the index. */
static void vga_show(const struct bochs *b)
{
	(void)mmio_read8(b->registers.at + VGA_STATUS);
	mmio_write8(b->registers.at + VGA_ATTRIBUTE, ATTRIBUTE_SHOW);
}

/* The picture is there before it can be seen, and the device leaves it alone. */
static void show(struct bochs *b, struct display_size s)
{
	b->frame.size = s;
	b->frame.pitch_bytes = s.width * PIXEL;
	frame_draw(&b->frame);
	vbe_write(b, VBE_ENABLE, ENABLED | LINEAR | KEEP_MEMORY);
	vbe_write(b, VBE_VIRTUAL_WIDTH, s.width);
	vbe_write(b, VBE_X, 0);
	vbe_write(b, VBE_Y, 0);
	vga_show(b);
}

/* std VGA makes widths multiples of 8, and heights what its memory has room for: what is read back says whether it took them. */
static err_t bochs_mode(struct frame *f, struct display_size size)
{
	struct bochs *b = container_of(f, struct bochs, frame);
	struct display_size old = f->size;
	err_t err = OK;

	if (!size_fits(b, size))
		return ERR_INVAL;
	size_write(b, size);
	/* Some registers of it take what they are given only while it is on. */
	vbe_write(b, VBE_ENABLE, ENABLED | LINEAR | KEEP_MEMORY);
	if (!size_is(b, size)) {
		err = ERR_INVAL;
		size = old;
	}
	size_write(b, size);
	show(b, size);
	return err;
}

/* What the monitor would like, if that can be. */
static struct display_size wanted(const struct bochs *b)
{
	struct display_size usual = { USUAL_WIDTH, USUAL_HEIGHT }, size;
	uint8_t edid[EDID_BYTES];

	for (uint32_t i = 0; i < EDID_BYTES; i++)
		edid[i] = mmio_read8(b->registers.at + EDID + i);
	return edid_size(edid, sizeof(edid), &size) == OK && size_fits(b, size) && size.width % 8 == 0 ? size : usual;
}

err_t bochs_open(struct bochs *b, struct device *d)
{
	struct display_output is = { .name = "bochs-0" };

	*b = (struct bochs){ .device = d, .frame.mode = bochs_mode };
	TRY(device_map_bar(d, MEMORY_BAR, &b->memory));
	TRY(device_map_bar(d, REGISTERS_BAR, &b->registers));
	if (!b->memory.at || !b->registers.at || b->registers.bytes < REGISTERS_BYTES || b->memory.hole_bytes || b->registers.hole_bytes)
		return ERR_NODEV;
	if ((vbe_read(b, VBE_ID) & ID_MASK) != ID)
		return ERR_NODEV;
	b->bytes = MIN_OF(b->memory.bytes, (uint64_t)vbe_read(b, VBE_MEMORY_64K) << 16);
	is.wanted = wanted(b);
	if (!size_fits(b, is.wanted))
		return ERR_INVAL;
	b->frame.pixels = (uint8_t *)b->memory.at;
	b->frame.size = is.wanted;
	b->frame.pitch_bytes = is.wanted.width * PIXEL;
	b->frame.is_off = true;
	frame_init(&b->frame, &is);
	return OK;
}
