/* ports/acpica/include/linux/kmemleak.h - the one function of the kernel's that the package's ACPICA calls. */
#pragma once

static inline void kmemleak_not_leak(const void *block) { (void)block; }
