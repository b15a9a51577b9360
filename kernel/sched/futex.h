/* kernel/sched/futex.h - sleeping on a word of user memory, private or shared.
 *
 * The key is the object and offset behind shared memory, else space and address. Buckets have a lock each.
 */
#pragma once
#include "abi/error.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"

void futex_init(void);
/* AGAIN: *address != expected. TIMEDOUT. INTR. FAULT. bits 0 means all. */
int64_t futex_wait(uaddr_t address, uint32_t expected, uint32_t bits, uint64_t deadline_ns, bool interruptible);
int64_t futex_wake(uaddr_t address, uint64_t count, uint32_t bits);
int64_t futex_requeue(uaddr_t address, uint64_t wake, uint64_t move, uaddr_t to, uint64_t expected);
