/* lib/boot/pvh.h - how a PVH starter (QEMU -kernel, Firecracker) says what there is: Xen's hvm_start_info, version 1. */
#pragma once
#include <stddef.h>
#include "abi/boot.h"
#include "lib/base/attr.h"

/* Lends [address, address + bytes) of physical memory for reading; NULL when it is out of reach, as 0 always is. context is NULL. */
typedef const void *boot_lend(void *context, uint64_t address, size_t bytes);

/* Fills a zeroed *out, which boot_info_check then judges. What is wrong with the start info at address, or NULL. */
const char *boot_info_from_pvh(uint64_t address, boot_lend *lend, struct boot_info *out) NONNULL MUST_CHECK;
