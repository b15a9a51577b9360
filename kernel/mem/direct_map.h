/* kernel/mem/direct_map.h - where all RAM is mapped in the kernel, page for page.
 *
 * A header of its own so that host tests put theirs (lib/test/host/) before it.
 */
#pragma once

#define DIRECT_MAP_BASE 0xffff800000000000ull
