/* lib/native/thread.h - more threads in this program. They share everything; there is no thread-local memory. */
#pragma once
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

enum { THREAD_STACK_BYTES = 64 * 1024 };

/* Runs run(argument) in a new thread, which ends when run returns; its stack is freed when the next one is created. It begins with
 * all notices masked.
 * NOMEM, AGAIN, BADF: no handle of the own process (startup_self). */
err_t thread_create(void (*run)(void *argument), void *argument, uint32_t *tid) MUST_CHECK;
