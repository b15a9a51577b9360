/* personality/linux/futex.h - futex parts that others use. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "lib/base/attr.h"

struct thread;

enum { WAKE_OP_SET = 0, WAKE_OP_ADD = 1, WAKE_OP_OR = 2, WAKE_OP_ANDN = 3, WAKE_OP_XOR = 4, WAKE_OP_SHIFT = 8 };

/* FUTEX_WAKE_OP's arithmetic and comparison. Pure. */
uint32_t futex_operate(uint32_t operation, uint32_t old, int32_t argument);
bool futex_compare(uint32_t comparison, uint32_t old, int32_t argument);
/* Robust mutexes that the ending thread holds become OWNER_DIED. */
void futex_robust_release(struct thread *t) NONNULL;
