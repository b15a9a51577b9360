/* lib/native/fiber.c - stacks that take turns in one thread. */
#include "lib/native/fiber.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/native/sys.h"

enum { PAGE = 4096 };

/* arch/<cpu>/fiber.S */
void fiber_switch(void **save, void *to);
void *fiber_stack_prepare(void *top);
void fiber_main(void);

static struct fiber *current;
static void *main_stack;

/* The first and last function of every fiber. */
void fiber_main(void)
{
	struct fiber *f = current;

	f->run(f->context);
	f->is_over = true;
	fiber_pause();
}

err_t fiber_create(struct fiber *f, size_t stack_bytes, void (*run)(void *context), void *context)
{
	stack_bytes = round_up(stack_bytes, PAGE);
	int64_t at = sys_map(0, HANDLE_NONE, 0, stack_bytes + PAGE, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);

	if (at < 0)
		return (err_t)at;
	if (sys_protect(0, HANDLE_NONE, (uint64_t)at, PAGE, 0) < 0)
		return ERR_NOMEM;
	*f = (struct fiber){ .run = run, .context = context, .stack_pointer = fiber_stack_prepare((void *)(at + PAGE + (int64_t)stack_bytes)) };
	return OK;
}

void fiber_run(struct fiber *f)
{
	ASSERT(!current);
	if (f->is_over)
		return;
	current = f;
	fiber_switch(&main_stack, f->stack_pointer);
	current = NULL;
}

void fiber_pause(void)
{
	ASSERT(current);
	fiber_switch(&current->stack_pointer, main_stack);
}

struct fiber *fiber_current(void) { return current; }
