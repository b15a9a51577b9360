/* kernel/mem/addr.h - addresses that cannot be mixed up.
 *
 * A user address is a one-member struct, so that nothing dereferences it by accident;
 * a physical one too. Kernel addresses are plain pointers.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kernel/mem/direct_map.h"

typedef struct { uint64_t raw; } uaddr_t;
typedef struct { uint64_t raw; } paddr_t;

enum { PAGE_SHIFT = 12, PAGE_BYTES = 1 << PAGE_SHIFT };
#define PAGE_MASK ((uint64_t)PAGE_BYTES - 1)

/* User space is [USER_MIN, USER_MAX): the lowest 64 KiB stay unmapped so that null
 * pointers fault; the top page of the lower half too (SYSCALL's non-canonical return). */
#define USER_MIN 0x10000ull
#define USER_MAX 0x7ffffffff000ull

static inline uaddr_t uaddr(uint64_t raw) { return (uaddr_t){ raw }; }
static inline paddr_t paddr(uint64_t raw) { return (paddr_t){ raw }; }
static inline void *paddr_to_kernel(paddr_t p) { return (void *)(p.raw + DIRECT_MAP_BASE); }
static inline paddr_t kernel_to_paddr(const void *p) { return paddr((uint64_t)p - DIRECT_MAP_BASE); }
static inline char *paddr_byte(paddr_t page, uint64_t offset) { return (char *)paddr_to_kernel(page) + (offset & PAGE_MASK); }
/* Of bytes from offset on, those in its page. */
static inline uint64_t part_in_page(uint64_t offset, uint64_t bytes)
{
	uint64_t rest = PAGE_BYTES - (offset & PAGE_MASK);
	return bytes < rest ? bytes : rest;
}
static inline uint64_t page_round_up(uint64_t n) { return (n + PAGE_MASK) & ~PAGE_MASK; }
static inline uint64_t page_round_down(uint64_t n) { return n & ~PAGE_MASK; }

/* Is [start, start + bytes) inside user space? (No overflow; bytes 0 is fine.) */
static inline bool user_range_is_valid(uint64_t start, uint64_t bytes)
{
	return bytes <= USER_MAX && start <= USER_MAX - bytes;
}
