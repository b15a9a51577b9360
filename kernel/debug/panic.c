/* kernel/debug/panic.c - the end: why, where, and what every CPU was doing. */
#include <stdarg.h>
#include <stdatomic.h>
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/debug/log.h"
#include "kernel/sched/thread.h"
#include "lib/base/assert.h"
#include "lib/base/fmt.h"

/* Index + 1 of the CPU whose panic this is. */
static _Atomic uint32_t panicking_cpu;

/* The first one goes on. A second panic of the same CPU ends at once; another CPU waits to be stopped by the first. */
static void claim(void)
{
	uint32_t self = cpu_this()->index + 1, none = 0;

	if (atomic_compare_exchange_strong(&panicking_cpu, &none, self))
		return;
	if (none == self)
		arch_end();
	for (;;)
		arch_pause();
}

void panic_begin(const char *format, ...)
{
	char why[KLOG_LINE_MAX - 100];
	const struct thread *t = cpu_this()->current;
	va_list arguments;

	arch_interrupts_off();
	claim();
	klog_set_panicking();
	va_start(arguments, format);
	(void)fmt_v(why, sizeof(why), format, arguments);
	va_end(arguments);
	klog("PANIC on CPU %u, thread %u: %s", cpu_this()->index, t ? t->tid : 0, why);
}

NORETURN void panic_end(uint64_t frame_pointer, uint64_t ip)
{
	arch_backtrace(frame_pointer, ip);
	arch_stop_others();
	arch_end();
}

NORETURN void assert_failed(const char *expression, const char *file, int line)
{
	panic("%s:%d: %s does not hold", file, line, expression);
}
