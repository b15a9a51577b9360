/* drivers/audio/hda/hda.h - an Intel High Definition Audio controller and a codec with an output, playing.
 *
 * Source: High Definition Audio Specification, revision 1.0a: sections 3 (registers), 4.4 (command rings), 4.5 (streams), 7 (codecs).
 */
#pragma once
#include "lib/audio/sink.h"

enum { HDA_COMMANDS = 256, HDA_PATH_MAX = 5 };

struct hda {
	struct device *device;
	struct device_bar bar;
	struct dma_memory commands, answers, list;
	uint16_t answer_at;             /* of the ring of answers: the last that was read */
	uint32_t stream;                /* register offset of the output stream */
	uint8_t stream_index;           /* among all streams */
	uint8_t codec;
	uint8_t path[HDA_PATH_MAX];     /* widgets from the pin to the converter */
	uint32_t path_length;
	struct sink sink;
	bool is_gone;
};

/* NODEV: it does not answer, or no codec has an output; NOMEM; errors of the claim's server. */
err_t hda_open(struct hda *h, struct device *d) NONNULL MUST_CHECK;
/* After its interrupt. */
void hda_interrupt(struct hda *h) NONNULL;

/* ---- codec.c ---- */

/* One verb to a widget, its answer. IO: none came. */
err_t hda_command(struct hda *h, uint8_t codec, uint8_t node, uint32_t verb, uint32_t *answer) NONNULL MUST_CHECK;
/* Finds an output and opens the way from the converter to it, for stream number `stream`. NODEV: the codec has none; IO. */
err_t hda_codec_start(struct hda *h, uint8_t codec, uint8_t stream) NONNULL MUST_CHECK;
