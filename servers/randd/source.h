/* servers/randd/source.h - where chance comes from: the CPU's generator and its clock. The code is the CPU's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Fills to from the CPU's own generator. False: it has none, or it does not work. */
bool source_hardware(uint64_t *to, size_t words) NONNULL MUST_CHECK;
/* Fine-grained time stamps, with memory work of uneven length between them. */
void source_stamps(uint64_t *to, size_t count) NONNULL;
