/* personality/linux/entry.h - labels of entry.S, user.S and image.ld. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

struct thread;

extern HIDDEN const char image_start[], image_end[], image_limit[], exit_window_start[], exit_window_end[], vdso_start[];
void syscall_entry(void);
void call_entry(void);
void event_entry(void);
void child_entry(void);
void exec_entry(void);
void helper_entry(void);
NORETURN void start_run(struct thread *t);
NORETURN void thread_end(struct thread *t, uint64_t clear_address);
uint64_t thread_pointer_get(void);
void thread_pointer_set(uint64_t address);

/* The program's code and stack segment selectors: it runs with ours. */
static inline void selectors_get(uint64_t *cs, uint64_t *ss)
{
	uint16_t code, stack;
	__asm__("movw %%cs, %0; movw %%ss, %1" : "=r"(code), "=r"(stack));
	*cs = code;
	*ss = stack;
}
