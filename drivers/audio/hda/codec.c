/* drivers/audio/hda/codec.c - from an output's pin along connections to a converter, at most HDA_PATH_MAX widgets; what a codec says is bounded. */
#include "drivers/audio/hda/hda.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* Verbs: twelve bits and eight of payload, or four and sixteen (7.3.3). */
#define GET(parameter)          (0xf0000u | (parameter))
#define CONNECTIONS(first)      (0xf0200u | (first))
#define DEFAULT_CONFIGURATION   0xf1c00u
#define SELECT(n)               (0x70100u | (n))
#define POWER_ON                0x70500u
#define STREAM(number)          (0x70600u | (uint32_t)(number) << 4)
#define PIN_OUT                 0x707c0u        /* out and headphone amplifier */
#define EAPD_ON                 0x70c02u
#define FORMAT(f)               (0x20000u | (f))
#define AMPLIFIER(v)            (0x30000u | (v))

enum parameter { NODES = 0x04, FUNCTION_TYPE = 0x05, WIDGET = 0x09, PIN = 0x0c, IN_AMPLIFIER = 0x0d, CONNECTION_COUNT = 0x0e, OUT_AMPLIFIER = 0x12 };
enum { FUNCTION_AUDIO = 1, WIDGET_OUT = 0, WIDGET_PIN = 4, PIN_CAN_OUT = 1 << 4, PIN_HAS_EAPD = 1 << 16 };
enum { WIDGET_HAS_IN_AMPLIFIER = 1 << 1, WIDGET_HAS_OUT_AMPLIFIER = 1 << 2 };
enum { AMPLIFY_OUT = 1 << 15, AMPLIFY_IN = 1 << 14, AMPLIFY_BOTH_SIDES = 3 << 12 };
enum { CONFIGURED_NONE = 1, CONNECTIONS_MAX = 32 };
enum { FORMAT_48K_16_STEREO = 0x0011 };         /* 3.7.1 */

static uint32_t widget_type(uint32_t capabilities) { return capabilities >> 20 & 15; }

static err_t get(struct hda *h, uint8_t node, enum parameter p, uint32_t *out)
{
	return hda_command(h, h->codec, node, GET(p), out);
}

static err_t set(struct hda *h, uint8_t node, uint32_t verb)
{
	uint32_t ignored;

	return hda_command(h, h->codec, node, verb, &ignored);
}

/* ---- The way --------------------------------------------------------------------------------------------------------- */

/* The n-th widget that this one can be fed from; 0: none. Short lists have four in an answer, long ones two. */
static err_t connection(struct hda *h, uint8_t node, uint32_t n, uint8_t *out)
{
	uint32_t count, four;

	TRY(get(h, node, CONNECTION_COUNT, &count));
	bool is_long = count & 0x80;
	*out = 0;
	if (n >= MIN_OF(count & 0x7f, (uint32_t)CONNECTIONS_MAX))
		return OK;
	uint32_t each = is_long ? 2 : 4;
	TRY(hda_command(h, h->codec, node, CONNECTIONS(n - n % each), &four));
	*out = (uint8_t)(four >> n % each * (is_long ? 16 : 8) & 0x7f);
	return OK;
}

/* Depth first, along connections, to an output converter: h->path ends with it. NODEV: none. */
static err_t path_find(struct hda *h, uint8_t node)
{
	uint32_t capabilities;
	uint8_t next;

	if (h->path_length == HDA_PATH_MAX || memchr(h->path, node, h->path_length))
		return ERR_NODEV;
	h->path[h->path_length++] = node;
	TRY(get(h, node, WIDGET, &capabilities));
	if (widget_type(capabilities) == WIDGET_OUT)
		return OK;
	for (uint32_t n = 0; n < CONNECTIONS_MAX; n++) {
		TRY(connection(h, node, n, &next));
		if (!next)
			break;
		uint32_t length = h->path_length;
		err_t err = path_find(h, next);
		if (err != ERR_NODEV)
			return err ? err : set(h, node, SELECT(n));
		h->path_length = length;
	}
	return ERR_NODEV;
}

/* ---- Opening it ------------------------------------------------------------------------------------------------------ */

static err_t amplifier_open(struct hda *h, uint8_t node, enum parameter p, uint32_t direction)
{
	uint32_t capabilities;

	TRY(get(h, node, p, &capabilities));
	/* The step at which it changes nothing. */
	return set(h, node, AMPLIFIER(direction | AMPLIFY_BOTH_SIDES | (capabilities & 0x7f)));
}

static err_t widget_open(struct hda *h, uint8_t node)
{
	uint32_t capabilities, pin;

	TRY(set(h, node, POWER_ON));
	TRY(get(h, node, WIDGET, &capabilities));
	if (capabilities & WIDGET_HAS_OUT_AMPLIFIER)
		TRY(amplifier_open(h, node, OUT_AMPLIFIER, AMPLIFY_OUT));
	if (capabilities & WIDGET_HAS_IN_AMPLIFIER)
		TRY(amplifier_open(h, node, IN_AMPLIFIER, AMPLIFY_IN));
	if (widget_type(capabilities) != WIDGET_PIN)
		return OK;
	TRY(set(h, node, PIN_OUT));
	TRY(get(h, node, PIN, &pin));
	return pin & PIN_HAS_EAPD ? set(h, node, EAPD_ON) : OK;
}

/* Is it a pin that something can be heard at? */
static err_t is_output(struct hda *h, uint8_t node, bool *out)
{
	uint32_t capabilities, pin, configuration;

	*out = false;
	TRY(get(h, node, WIDGET, &capabilities));
	if (widget_type(capabilities) != WIDGET_PIN)
		return OK;
	TRY(get(h, node, PIN, &pin));
	TRY(hda_command(h, h->codec, node, DEFAULT_CONFIGURATION, &configuration));
	*out = pin & PIN_CAN_OUT && configuration >> 30 != CONFIGURED_NONE;
	return OK;
}

static err_t group_start(struct hda *h, uint8_t group, uint8_t stream)
{
	uint32_t nodes;
	bool wanted;

	TRY(set(h, group, POWER_ON));
	TRY(get(h, group, NODES, &nodes));
	uint32_t first = nodes >> 16 & 0xff, end = MIN_OF(first + (nodes & 0xff), 0x80u);
	for (uint32_t node = first; node < end; node++) {
		TRY(is_output(h, (uint8_t)node, &wanted));
		h->path_length = 0;
		err_t err = wanted ? path_find(h, (uint8_t)node) : ERR_NODEV;
		if (err == ERR_NODEV)
			continue;
		TRY(err);
		for (uint32_t i = 0; i < h->path_length; i++)
			TRY(widget_open(h, h->path[i]));
		TRY(set(h, h->path[h->path_length - 1], FORMAT(FORMAT_48K_16_STEREO)));
		return set(h, h->path[h->path_length - 1], STREAM(stream));
	}
	return ERR_NODEV;
}

err_t hda_codec_start(struct hda *h, uint8_t codec, uint8_t stream)
{
	uint32_t nodes, type;

	h->codec = codec;
	TRY(get(h, 0, NODES, &nodes));
	uint32_t first = nodes >> 16 & 0xff, end = MIN_OF(first + (nodes & 0xff), 0x80u);
	for (uint32_t node = first; node < end; node++) {
		TRY(get(h, (uint8_t)node, FUNCTION_TYPE, &type));
		err_t err = (type & 0xff) == FUNCTION_AUDIO ? group_start(h, (uint8_t)node, stream) : ERR_NODEV;
		if (err != ERR_NODEV)
			return err;
	}
	return ERR_NODEV;
}
