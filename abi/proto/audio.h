/* abi/proto/audio.h - structs of sound (audio.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum { AUDIO_RATE = 48000, AUDIO_RATE_MIN = 4000, AUDIO_RATE_MAX = 192000, AUDIO_CHANNELS = 2, AUDIO_CHANNELS_MAX = 8, AUDIO_VOLUME_FULL = 65536 };

enum audio_sample { AUDIO_S16 = 1, AUDIO_S32 = 2, AUDIO_FLOAT = 3 /* -1 to 1 */, AUDIO_U8 = 4 };    /* little endian */

struct audio_format {
	uint32_t sample;                /* enum audio_sample */
	uint32_t rate;                  /* frames a second, AUDIO_RATE_MIN to _MAX */
	uint32_t channels;              /* 1 to AUDIO_CHANNELS_MAX, interleaved: the first two are heard, one is heard on both sides */
	uint32_t buffer_ms;             /* how much of it may wait to be mixed: 5 to 1,000; 0: 100 */
};
