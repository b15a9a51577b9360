/* kernel/boot.h - what the loader said, after it was checked. */
#pragma once
#include "abi/boot.h"

struct memobj;
/* A copy that stays. */
const struct boot_info *kernel_boot_info(void);
/* The initfs image. Borrowed. */
struct memobj *kernel_initfs(void);
