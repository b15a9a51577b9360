/* drivers/display/framebuffer/screen.h - is the firmware's framebuffer one that we can draw in? */
#pragma once
#include "abi/boot.h"
#include "lib/display/frame.h"

enum { SCREEN_PAGE = 4096 };
#define SCREEN_BYTES_MAX (256ull << 20)

/* Where it lies, in whole pages: *start and *bytes; *inside: how far in its first pixel is. NOENT: there is none; INVAL: it cannot be drawn in. */
err_t screen_range(const struct boot_framebuffer *f, uint64_t *start, uint64_t *bytes, uint64_t *inside) NONNULL MUST_CHECK;
/* A frame of it, mapped at pixels. */
void screen_init(struct frame *frame, const struct boot_framebuffer *f, uint8_t *pixels) NONNULL;
