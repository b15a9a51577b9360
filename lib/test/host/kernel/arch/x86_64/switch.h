/* lib/test/host/kernel/arch/x86_64/switch.h - there are no switches on the host. */
#pragma once
#include "kernel/sched/thread.h"

void arch_thread_exchange(struct cpu *c, struct thread *from, struct thread *to);
void arch_switch_to_user(struct thread *from, struct regs *to);
void arch_switch(struct context *from, struct context *to);
