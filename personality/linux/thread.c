/* personality/linux/thread.c - thread blocks: made, found again after use, given a mask. */
#include "personality/linux/thread.h"
#include "lib/base/bits.h"
#include "personality/linux/area.h"
#include "personality/linux/entry.h"
#include "personality/linux/native.h"
#include "personality/linux/process.h"

/* Blocks whose thread has ended are used again; its last store said so. */
static struct thread *block_find_free(struct process *p)
{
	struct thread *t;

	list_each(t, &p->threads, node)
		if (atomic_load_explicit(&t->state, memory_order_acquire) == THREAD_FREE)
			return t;
	return NULL;
}

void thread_init(struct process *p, struct thread *t, enum thread_state state, uint64_t stack_top)
{
	struct list_node node = t->node;

	*t = (struct thread){
		.self = t, .stack_top = stack_top, .process = p, .mask = ~0ull, .kernel_mask = ~0ull, .alternate.flags = LINUX_SS_DISABLE,
	};
	t->node = node;
	t->frame.number = FRAME_NO_CALL;
	selectors_get(&t->frame.cs, &t->frame.ss);
	atomic_store_explicit(&t->state, state, memory_order_relaxed);
}

err_t thread_create(struct process *p, enum thread_state state, struct thread **out)
{
	void *block;
	err_t err = OK;

	lock_take(&p->lock);
	struct thread *t = block_find_free(p);
	if (t) {
		thread_init(p, t, state, t->stack_top);
	} else if (!(err = area_map_at(&p->area_next, THREAD_BLOCK_BYTES, &block))) {
		t = (struct thread *)((uint64_t)block + THREAD_BLOCK_BYTES - round_up(sizeof(*t), 64));
		thread_init(p, t, state, (uint64_t)t);
		list_push_back(&p->threads, &t->node);
	}
	lock_release(&p->lock);
	if (!err)
		*out = t;
	return err;
}

void thread_cancel(struct thread *t)
{
	atomic_store_explicit(&t->state, THREAD_FREE, memory_order_release);
}

struct thread *thread_find(struct process *p, uint32_t tid)
{
	struct thread *t;

	list_each(t, &p->threads, node)
		if (t->tid == tid && atomic_load_explicit(&t->state, memory_order_relaxed) == THREAD_LIVE)
			return t;
	return NULL;
}

err_t thread_set_upcall(struct thread *t)
{
	struct upcall_setup setup = {
		.syscall_entry = (uint64_t)syscall_entry, .event_entry = (uint64_t)event_entry,
		.frame = (uint64_t)&t->event, .notice_flag = (uint64_t)&t->notice_flag,
		.image_start = (uint64_t)image_start, .image_end = (uint64_t)image_end,
	};
	return (err_t)native(OP_UPCALL, 0, HANDLE_NONE, (uint64_t)&setup, 0, 0, 0, 0, 0);
}

void thread_sync_mask(struct thread *t)
{
	uint64_t pending[2] = { 0, 0 };

	if (t->kernel_mask == t->mask)
		return;
	t->kernel_mask = t->mask;
	(void)native(OP_NOTICE_MASK, 0, HANDLE_NONE, t->mask, (uint64_t)pending, 0, 0, 0, 0);
	if (pending[0])
		t->notice_flag = 1;
}

void thread_set_mask(struct thread *t, uint64_t mask)
{
	t->mask = mask;
	/* All masked: it is about to end, and must not be chosen any more. */
	bool can_wait = !(t->kernel_mask & ~mask) && mask != ~0ull &&
	                atomic_load_explicit(&t->process->live, memory_order_relaxed) == 1;
	if (!can_wait)
		thread_sync_mask(t);
}
