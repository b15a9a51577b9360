/* kernel/boot.h - what the loader said, after it was checked. */
#pragma once
#include "abi/boot.h"

/* A copy that stays. */
const struct boot_info *kernel_boot_info(void);
