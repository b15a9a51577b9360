/* kernel/sched/clock.c - the wall clock is an offset to the monotonic one; both are published in a page. */
#include "kernel/sched/clock.h"
#include "abi/proto/kernel.h"
#include "kernel/arch/arch.h"
#include "kernel/mem/memobj.h"
#include "lib/base/try.h"

static struct memobj *page_object;
static struct time_page *page;                  /* the kernel's view of it */
static struct spinlock page_lock = SPINLOCK_INIT(RANK_LOG);
static _Atomic uint64_t realtime_offset_ns;

static void publish(void)
{
	struct clock_scale scale = arch_clock_scale();

	spin_lock(&page_lock);
	__atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	page->mult = scale.mult;
	page->shift = scale.shift;
	page->start_ticks = scale.start_ticks;
	page->realtime_offset_ns = atomic_load(&realtime_offset_ns);
	__atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
	spin_unlock(&page_lock);
}

err_t clock_init(void)
{
	paddr_t frame;

	TRY(memobj_create(PAGE_BYTES, NULL, &page_object));
	TRY(memobj_page(page_object, 0, true, &frame));
	page = paddr_to_kernel(frame);  /* the object keeps the frame as long as the kernel runs */
	publish();
	return OK;
}

uint64_t clock_realtime_offset_ns(void) { return atomic_load(&realtime_offset_ns); }

uint64_t clock_realtime_ns(void) { return arch_clock_ns() + clock_realtime_offset_ns(); }

void clock_set_realtime(uint64_t ns)
{
	atomic_store(&realtime_offset_ns, ns - arch_clock_ns());
	publish();
}

struct memobj *clock_page(void) { return page_object; }
