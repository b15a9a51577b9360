/* lib/native/heap.c - free lists by size class over pages that come in arenas.
 *
 * Common: a small block, popped off its class's list. Rare: a class without free blocks
 * cuts up a page of the arena; a large block is mapped and unmapped whole.
 */
#include "lib/native/heap.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

#if __STDC_HOSTED__

#include <stdlib.h>

static size_t used_bytes;
static uint64_t fail_after;

void *heap_alloc(size_t bytes)
{
	if (fail_after > 0 && --fail_after == 0)
		return NULL;
	void *p = calloc(1, bytes ? bytes : 1);
	if (p)
		used_bytes += bytes;
	return p;
}

void heap_free(void *p, size_t bytes)
{
	if (p)
		used_bytes -= bytes;
	free(p);
}

#else

#include "lib/native/mutex.h"
#include "lib/native/sys.h"

enum { PAGE = 4096, ARENA_BYTES = 256 * 1024, SMALL_MAX = 4096, CLASS_COUNT = 19 };

static const uint16_t class_bytes[CLASS_COUNT] = {
	16, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1360, 2048, SMALL_MAX,
};

struct free_block {
	struct free_block *next;
};

/* Members: [l] under lock. */
static struct {
	struct mutex lock;
	struct free_block *free[CLASS_COUNT];   /* [l] */
	uint8_t *arena, *arena_end;             /* [l] fresh, zeroed memory */
	size_t used_bytes;                      /* [l] */
	uint64_t fail_after;                    /* [l] */
} heap;

static unsigned class_of(size_t bytes)
{
	unsigned c = 0;

	while (class_bytes[c] < bytes)
		c++;
	return c;
}

static void *pages_map(size_t bytes)
{
	int64_t at = sys_map(0, HANDLE_NONE, 0, bytes, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);

	return at < 0 ? NULL : (void *)at;
}

/* A fresh zeroed page. */
static uint8_t *page_take(void) REQUIRES(&heap.lock)
{
	if (heap.arena == heap.arena_end) {
		uint8_t *arena = pages_map(ARENA_BYTES);
		if (!arena)
			return NULL;
		heap.arena = arena;
		heap.arena_end = arena + ARENA_BYTES;
	}
	uint8_t *page = heap.arena;
	heap.arena += PAGE;
	return page;
}

/* A block of class c: one that was freed, or the first of a fresh page whose others are put on the list. */
static void *small_alloc(unsigned c) REQUIRES(&heap.lock)
{
	size_t bytes = class_bytes[c];
	struct free_block *b = heap.free[c];

	if (b) {
		heap.free[c] = b->next;
		return memset(b, 0, bytes);
	}
	uint8_t *page = page_take();
	if (!page)
		return NULL;
	for (size_t i = PAGE / bytes; i-- > 1;) {
		struct free_block *f = (struct free_block *)(page + i * bytes);
		f->next = heap.free[c];
		heap.free[c] = f;
	}
	return page;
}

void *heap_alloc(size_t bytes)
{
	void *p = NULL;

	if (bytes > PTRDIFF_MAX)
		return NULL;
	mutex_lock(&heap.lock);
	bool fails = heap.fail_after > 0 && --heap.fail_after == 0;
	if (!fails && bytes <= SMALL_MAX)
		p = small_alloc(class_of(bytes));
	else if (!fails)
		p = pages_map(round_up(bytes, PAGE));
	if (p)
		heap.used_bytes += bytes;
	mutex_unlock(&heap.lock);
	return p;
}

void heap_free(void *p, size_t bytes)
{
	if (!p)
		return;
	mutex_lock(&heap.lock);
	ASSERT(heap.used_bytes >= bytes);
	heap.used_bytes -= bytes;
	if (bytes <= SMALL_MAX) {
		struct free_block *b = p;
		unsigned c = class_of(bytes);
		b->next = heap.free[c];
		heap.free[c] = b;
	} else {
		sys_unmap(0, HANDLE_NONE, (uint64_t)p, round_up(bytes, PAGE));
	}
	mutex_unlock(&heap.lock);
}

#define used_bytes heap.used_bytes
#define fail_after heap.fail_after

#endif

size_t heap_used_bytes(void)
{
	return used_bytes;
}

void heap_fail_after(uint64_t count)
{
	fail_after = count;
}
