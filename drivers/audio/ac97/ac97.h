/* drivers/audio/ac97/ac97.h - an AC '97 controller and its codec, playing.
 *
 * Source: Intel 82801AA (ICH) & 82801AB (ICH0) I/O Controller Hub AC '97 Programmer's Reference Manual; Audio Codec '97 revision 2.3 (the mixer).
 */
#pragma once
#include "lib/audio/sink.h"

enum { AC97_DESCRIPTORS = 32 };

struct ac97 {
	struct device *device;
	struct device_bar mixer, bus;   /* I/O ports */
	struct dma_memory list;         /* the descriptors */
	struct sink sink;
	bool is_gone;
};

/* NODEV: no codec answers; NOMEM; errors of the claim's server. */
err_t ac97_open(struct ac97 *a, struct device *d) NONNULL MUST_CHECK;
/* After its interrupt. */
void ac97_interrupt(struct ac97 *a) NONNULL;
