/* servers/console/vbe.h - the display of QEMU's standard VGA (PCI 1234:1111), for boots without a framebuffer. */
#pragma once
#include <stdbool.h>
#include "abi/boot.h"
#include "lib/base/attr.h"
#include "servers/console/ports.h"

/* config: ports 0xcf8 to 0xcff; vbe: from 0x1ce, 3 of them. Sets a mode of 1024 by 768 and says where its pixels
 * are. False: there is no such display. */
bool vbe_init(const struct ports *config, const struct ports *vbe, struct boot_framebuffer *out) NONNULL MUST_CHECK;
