/* personality/linux/info.h - facts about the system in Linux's structs. */
#pragma once
#include <stdint.h>
#include "abi/proto/posix.h"
#include "lib/base/attr.h"
#include "personality/linux/abi.h"

struct process;
struct system_info;

void rusage_from(struct linux_rusage *to, const struct posix_usage *from) NONNULL;
/* sys:info; false (and zeroes) when it cannot be had. */
bool system_info_get(struct process *p, struct system_info *out) NONNULL;
/* Unpredictable bytes from rand:. False: there is no source yet. */
bool random_bytes(struct process *p, void *to, size_t bytes) NONNULL MUST_CHECK;
