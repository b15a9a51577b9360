/* drivers/acpid/range.h - what the firmware's bytecode may reach of ports and physical memory.
 *
 * It is the firmware's word where its registers are; but what the kernel and other drivers live by is not for it: interrupt controllers and timers,
 * DMA controllers, configuration space (pcid's), and memory that programs have. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "abi/boot.h"
#include "lib/base/attr.h"

/* bytes: 1, 2 or 4, from port on. */
bool range_has_ports(uint32_t port, uint32_t bytes);
/* Memory in the list that is not the firmware's is somebody's, and so is what has its registers in fixed places. */
bool range_has_memory(const struct boot_memory *list, uint32_t count, uint64_t start, uint64_t bytes) NONNULL;
/* Is it memory (not registers) that firmware keeps tables in? Then it is mapped as such. */
bool range_is_table(const struct boot_memory *list, uint32_t count, uint64_t start, uint64_t bytes) NONNULL;
