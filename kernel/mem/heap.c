/* kernel/mem/heap.c - slabs of one frame each; a slab's bookkeeping lies in its struct frame.
 *
 * Objects of a class fill a page without a header, so powers of two are aligned to their size. A free object
 * begins with the index of the next free one. One lock per class.
 */
#include "kernel/mem/heap.h"
#include <stdatomic.h>
#include "kernel/mem/frame.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { CLASSES = 12, NO_OBJECT = 0xffff, POISON = 0xd5 };

static const uint16_t class_bytes[CLASSES] = { 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048 };
/* By (bytes - 1) / 32: the class that holds them. */
static const uint8_t class_by_size[2048 / 32] = {
	0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7,
	8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9,
	10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11,
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
};

/* Members: [l] under lock. */
struct class {
	struct spinlock lock;
	struct list_node partial;       /* [l] slabs with a free object; next NULL until first used */
};

static struct class classes[CLASSES] = {
	[0 ... CLASSES - 1] = { .lock = SPINLOCK_INIT(RANK_HEAP) },
};
static _Atomic uint64_t fail_after;

void heap_fail_after(uint64_t count) { atomic_store(&fail_after, count); }

/* ---- Slabs ---- */

static uint32_t class_of(size_t bytes) { return class_by_size[(bytes - 1) / 32]; }

static uint16_t *link_of(char *page, uint32_t class, uint32_t index)
{
	return (uint16_t *)(page + index * class_bytes[class]);
}

/* The frame may be used before any object of it is: all objects in the free list. */
static struct frame *slab_create(uint32_t class)
{
	paddr_t p;
	if (frame_alloc(0, FRAME_USE_RESERVE, NULL, &p))
		return NULL;
	struct frame *f = frame_of(p);
	char *page = paddr_to_kernel(p);
	uint32_t count = PAGE_BYTES / class_bytes[class];
	for (uint32_t i = 0; i < count; i++)
		*link_of(page, class, i) = i + 1 < count ? (uint16_t)(i + 1) : NO_OBJECT;
	f->slab_class = (uint16_t)class;
	f->slab_first_free = 0;
	f->slab_used = 0;
	return f;
}

static void *object_take(struct class *c, uint32_t class) REQUIRES(&c->lock)
{
	struct frame *f = list_first(&c->partial, struct frame, free_link);
	char *page = paddr_to_kernel(frame_address(f));
	uint16_t *object = link_of(page, class, f->slab_first_free);
	f->slab_first_free = *object;
	f->slab_used++;
	if (f->slab_first_free == NO_OBJECT)
		list_remove(&f->free_link);
	return object;
}

static void *small_alloc(uint32_t class)
{
	struct class *c = &classes[class];
	void *object = NULL;
	spin_lock(&c->lock);
	if (UNLIKELY(!c->partial.next))
		list_init(&c->partial);
	if (list_is_empty(&c->partial)) {
		struct frame *f = slab_create(class);
		if (f)
			list_push_front(&c->partial, &f->free_link);
	}
	if (!list_is_empty(&c->partial))
		object = object_take(c, class);
	spin_unlock(&c->lock);
	return object;
}

static void small_free(void *p, uint32_t class)
{
	struct class *c = &classes[class];
	struct frame *f = frame_of(kernel_to_paddr(p)), *gone = NULL;
	uint32_t index = (uint32_t)((uint64_t)p & PAGE_MASK) / class_bytes[class];
	ASSERT(f && f->slab_class == class && f->slab_used > 0);
	spin_lock(&c->lock);
	if (f->slab_first_free == NO_OBJECT)
		list_push_front(&c->partial, &f->free_link);
	*(uint16_t *)p = f->slab_first_free;
	f->slab_first_free = (uint16_t)index;
	if (--f->slab_used == 0) {
		list_remove(&f->free_link);
		gone = f;
	}
	spin_unlock(&c->lock);
	if (!gone)
		return;
	gone->account = NULL;
	frame_put(frame_address(gone));
}

/* ---- Whole frames ---- */

static uint32_t order_of(size_t bytes)
{
	uint64_t pages = page_round_up(bytes) >> PAGE_SHIFT;
	return pages <= 1 ? 0 : highest_bit(pages - 1) + 1;
}

static void *large_alloc(size_t bytes)
{
	paddr_t p;
	if (bytes > (size_t)PAGE_BYTES << FRAME_ORDER_MAX || frame_alloc(order_of(bytes), FRAME_USE_RESERVE, NULL, &p))
		return NULL;
	return paddr_to_kernel(p);
}

/* ---- The interface ---- */

void *heap_alloc(size_t bytes)
{
	if (UNLIKELY(is_to_fail(&fail_after)))
		return NULL;
	bytes = MAX_OF(bytes, (size_t)1);
	void *p = bytes > class_bytes[CLASSES - 1] ? large_alloc(bytes) : small_alloc(class_of(bytes));
	return p ? memset(p, 0, bytes) : NULL;
}

void heap_free(void *p, size_t bytes)
{
	if (!p)
		return;
	bytes = MAX_OF(bytes, (size_t)1);
	if (DEBUG)
		memset(p, POISON, bytes);
	if (bytes > class_bytes[CLASSES - 1])
		frame_put(kernel_to_paddr(p));
	else
		small_free(p, class_of(bytes));
}

