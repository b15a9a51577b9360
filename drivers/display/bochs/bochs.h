/* drivers/display/bochs/bochs.h - QEMU's std VGA, secondary-vga and bochs-display: memory to draw in and registers for its size.
 *
 * Source: QEMU, docs/specs/standard-vga.txt. BAR 0 is the memory; BAR 2 has EDID, the VGA's ports (not of bochs-display) and the registers of the Bochs VBE
 * extension.
 */
#pragma once
#include "lib/display/frame.h"
#include "lib/driver/driver.h"

struct bochs {
	struct frame frame;
	struct device *device;
	struct device_bar memory, registers;
	uint64_t bytes;                 /* of memory: no more than there is */
};

/* The device stays as it is until something is to be shown: what it showed last, after an instance that died. NODEV: another device, or one that is gone; INVAL:
 * what it says makes no sense; errors of its BARs. */
err_t bochs_open(struct bochs *b, struct device *d) NONNULL MUST_CHECK;
