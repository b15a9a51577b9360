/* lib/screen/compose.h - a letter and a combining mark as the one character that a font has a glyph for. */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

/* While mark[0] can be joined to *code it is, and mark[1] (0 ends the marks) moves up. */
void compose(uint32_t *code, uint32_t mark[2]) NONNULL;
