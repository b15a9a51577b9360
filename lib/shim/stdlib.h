/* lib/shim/stdlib.h - C's header for third-party code in the guest. Memory comes from who uses the library: nothing here gives any. */
#pragma once
#include <stddef.h>

void *malloc(size_t bytes);     /* declared, never defined: who links it is told so */
void free(void *p);
_Noreturn void exit(int status);

static inline int abs(int n) { return n < 0 ? -n : n; }
