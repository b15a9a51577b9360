/* personality/linux/fpu.h - the program's floating point and vector state, which is live while we run (user.S).
 *
 * features: XCR0, or 0 for plain fxsave. Areas are 64-aligned and may be the program's: a bad one is -EFAULT.
 */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

enum { FPU_BYTES_MAX = 8 << 10 };       /* kept below each thread's stack; more: only the fxsave part is kept */

struct fpu_status { uint16_t control, status; uint32_t mxcsr; };

int64_t fpu_save(uint64_t area, uint64_t features) MUST_CHECK;
int64_t fpu_load(uint64_t area, uint64_t features) MUST_CHECK;
void fpu_status(struct fpu_status *out) NONNULL;
uint64_t fpu_features(void);
uint32_t fpu_bytes(void);
uint32_t cpu_features(void);
