/* lib/native/thread.c - a stack, a start record on it, and TASK_THREAD.
 *
 * A thread cannot unmap the stack it stands on: the kernel zeroes begin->alive as the very last thing
 * (THREAD_EXIT), and the next thread_create takes such stacks away.
 */
#include "lib/native/thread.h"
#include "abi/arch/regs.h"
#include "abi/proto/task.h"
#include "lib/base/list.h"
#include "lib/native/handle.h"
#include "lib/native/mutex.h"
#include "lib/native/startup.h"

/* At the low end of its stack. */
struct thread_begin {
	struct list_node link;          /* [lock] of stacks */
	void (*run)(void *);
	void *argument;
	uint32_t alive;                 /* zeroed by the kernel */
};

static struct mutex lock;
static struct list_node stacks = LIST_INIT(stacks);

void thread_entry(void);
NORETURN void thread_main(struct thread_begin *begin);

NORETURN void thread_main(struct thread_begin *begin)
{
	begin->run(begin->argument);
	for (;;)
		sys_thread_exit(0, HANDLE_NONE, &begin->alive, 0);
}

static void stack_free(struct thread_begin *begin)
{
	sys_unmap(0, HANDLE_NONE, (uint64_t)begin, THREAD_STACK_BYTES);
}

static void stacks_collect(void) REQUIRES(&lock)
{
	struct thread_begin *b, *next;

	list_each_safe(b, next, &stacks, link)
		if (__atomic_load_n(&b->alive, __ATOMIC_ACQUIRE) == 0) {
			list_remove(&b->link);
			stack_free(b);
		}
}

err_t thread_create(void (*run)(void *), void *argument, uint32_t *tid)
{
	int64_t at = sys_map(0, HANDLE_NONE, 0, THREAD_STACK_BYTES, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);

	if (at < 0)
		return (err_t)at;
	struct thread_begin *begin = (struct thread_begin *)at;
	begin->run = run;
	begin->argument = argument;
	begin->alive = 1;
	mutex_lock(&lock);
	stacks_collect();
	list_push_back(&stacks, &begin->link);
	mutex_unlock(&lock);
	struct thread_start start = { .ip = (uint64_t)thread_entry, .sp = (uint64_t)at + THREAD_STACK_BYTES, .arg = { (uint64_t)begin },
		.notice_mask = UINT64_MAX };
	int64_t result = handle_call(startup_self(), TASK_THREAD, &start, sizeof start, NULL, 0, 0);
	if (result < 0) {
		mutex_lock(&lock);
		list_remove(&begin->link);
		mutex_unlock(&lock);
		stack_free(begin);
		return (err_t)result;
	}
	*tid = (uint32_t)result;
	return OK;
}
