/* lib/test/host/kernel/arch/x86_64/switch.h - there are no switches on the host. */
#pragma once
#include "kernel/sched/thread.h"

void arch_thread_unload(struct thread *t);
void arch_thread_loaded(struct cpu *c, struct thread *t);
void arch_switch(struct context *from, struct context *to);
