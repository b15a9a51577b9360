/* servers/procd/random.h - numbers that no other boot has, for /proc/sys/kernel/random; not for secrets. */
#pragma once
#include <stddef.h>

void random_fill(void *to, size_t bytes);
