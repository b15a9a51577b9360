/* drivers/input/virtio_input/input.c - what the device is, and its events. */
#include "drivers/input/virtio_input/input.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

/* struct virtio_input_config (5.8.4). */
enum { CONFIG_SELECT = 0, CONFIG_SUBSELECT = 1, CONFIG_SIZE = 2, CONFIG_DATA = 8, CONFIG_DATA_BYTES = 128 };
enum { SELECT_NAME = 1, SELECT_BITS = 0x11, SELECT_ABSOLUTE = 0x12 };
enum { LIGHT = 0x11, LIGHT_NUM = 0, LIGHT_CAPS = 1, LIGHT_SCROLL = 2 };
enum { QUEUE_EVENTS, QUEUE_STATUS, LIGHTS = 3, STATUS_BUFFERS = 8 };

/* ---- What it is ------------------------------------------------------------------------------------------------------ */

/* Selects one item: how many bytes it has, at most CONFIG_DATA_BYTES. */
static uint32_t select_item(const struct input *v, uint8_t select, uint8_t subselect)
{
	if (!v->virtio.config.at || v->virtio.config.bytes < CONFIG_DATA)
		return 0;
	mmio_write8(v->virtio.config.at + CONFIG_SELECT, select);
	mmio_write8(v->virtio.config.at + CONFIG_SUBSELECT, subselect);
	return MIN_OF((uint32_t)virtio_config(&v->virtio, CONFIG_SIZE, 1), (uint32_t)CONFIG_DATA_BYTES);
}

static uint8_t item_byte(const struct input *v, uint32_t n) { return (uint8_t)virtio_config(&v->virtio, CONFIG_DATA + n, 1); }

/* Has it codes of this type in [first, end)? */
static bool has_codes(const struct input *v, uint8_t type, uint32_t first, uint32_t end)
{
	uint32_t bytes = select_item(v, SELECT_BITS, type);

	for (uint32_t code = first; code < end && code / 8 < bytes; code++)
		if (item_byte(v, code / 8) >> code % 8 & 1)
			return true;
	return false;
}

static void axis_range(const struct input *v, uint8_t axis, int32_t *min, int32_t *max)
{
	if (select_item(v, SELECT_ABSOLUTE, axis) < 8)
		return;
	*min = (int32_t)virtio_config(&v->virtio, CONFIG_DATA, 4);
	*max = (int32_t)virtio_config(&v->virtio, CONFIG_DATA + 4, 4);
}

static err_t info_get(struct input *v)
{
	struct input_device *i = &v->info;
	uint32_t bytes = MIN_OF(select_item(v, SELECT_NAME, 0), (uint32_t)sizeof(i->name) - 1);

	for (uint32_t n = 0; n < bytes; n++) {
		uint8_t c = item_byte(v, n);
		i->name[n] = c && (c < ' ' || c > '~') ? '?' : (char)c;
	}
	i->kinds = has_codes(v, INPUT_KEY, 1, INPUT_BUTTONS) ? INPUT_IS_KEYBOARD : 0;
	i->kinds |= has_codes(v, INPUT_RELATIVE, INPUT_X, INPUT_Y + 1) ? INPUT_IS_MOUSE : 0;
	axis_range(v, INPUT_X, &i->x_min, &i->x_max);
	axis_range(v, INPUT_Y, &i->y_min, &i->y_max);
	if (has_codes(v, INPUT_ABSOLUTE, INPUT_X, INPUT_Y + 1) && i->x_max > i->x_min && i->y_max > i->y_min)
		i->kinds |= INPUT_IS_TABLET;
	return i->kinds ? OK : ERR_OPNOTSUPP;
}

/* ---- Queues ---------------------------------------------------------------------------------------------------------- */

static struct input_raw *buffer_at(const struct input *v, uint32_t n) { return (struct input_raw *)v->buffers.at + n; }

static struct dma_piece piece_of(const struct input *v, const struct input_raw *b)
{
	return (struct dma_piece){ dma_address(&v->buffers, (size_t)((const uint8_t *)b - v->buffers.at), NULL), sizeof(*b) };
}

static err_t give(struct input *v, struct input_raw *b)
{
	struct dma_piece piece = piece_of(v, b);

	*b = (struct input_raw){ 0 };
	return virtqueue_add(&v->events, &piece, 0, 1, b);
}

static err_t begin(struct input *v)
{
	TRY(virtqueue_open(&v->events, &v->virtio, QUEUE_EVENTS, INPUT_BUFFERS, 1, 0));
	TRY(virtqueue_open(&v->status, &v->virtio, QUEUE_STATUS, STATUS_BUFFERS, 1, VIRTIO_NO_VECTOR));
	virtio_start(&v->virtio);
	for (uint32_t i = 0; i < v->events.size; i++)
		TRY(give(v, buffer_at(v, i)));
	virtqueue_kick(&v->events);
	return OK;
}

err_t input_open(struct input *v, struct device *d)
{
	*v = (struct input){ .is_gone = false };
	TRY(virtio_open(&v->virtio, d, 0));
	TRY(info_get(v));
	TRY(dma_allocate(d, (INPUT_BUFFERS + STATUS_BUFFERS) * sizeof(struct input_raw), 0, DMA_WHOLE, &v->buffers));
	return begin(v);
}

static void look_after(struct input *v)
{
	bool is_stuck = v->events.is_broken || v->status.is_broken || virtio_needs_reset(&v->virtio);

	if (virtio_is_gone(&v->virtio) || (is_stuck && (virtio_reset(&v->virtio) || begin(v))))
		v->is_gone = true;
}

size_t input_take(struct input *v, struct input_raw *out, size_t max)
{
	struct input_raw *b;
	uint32_t written;
	size_t n = 0;

	while (!v->is_gone && n < max && (b = virtqueue_take(&v->events, &written))) {
		if (written == sizeof(*b))
			out[n++] = *b;
		if (give(v, b))
			v->events.is_broken = true;
	}
	if (v->is_gone)
		return n;
	virtqueue_kick(&v->events);
	if (n < max)
		look_after(v);
	return n;
}

/* A status buffer that the device has not got. */
static struct input_raw *status_free(struct input *v)
{
	for (uint32_t i = 0, n; i < STATUS_BUFFERS; i++) {
		struct input_raw *b = buffer_at(v, INPUT_BUFFERS + i);
		void *out = b;
		for (n = 0; (out = virtqueue_outstanding(&v->status, n)) && out != b; n++)
			;
		if (!out)
			return b;
	}
	return NULL;
}

void input_set_lights(struct input *v, uint32_t lights)
{
	static const struct { uint8_t light; uint32_t bit; } each[LIGHTS] = {
		{ LIGHT_NUM, INPUT_NUM_LOCK }, { LIGHT_CAPS, INPUT_CAPS_LOCK }, { LIGHT_SCROLL, INPUT_SCROLL_LOCK },
	};

	while (virtqueue_take(&v->status, NULL))
		;
	for (uint32_t i = 0; !v->is_gone && i < LIGHTS; i++) {
		struct input_raw *b = status_free(v);
		if (!b)
			break;
		*b = (struct input_raw){ LIGHT, each[i].light, !!(lights & each[i].bit) };
		struct dma_piece piece = piece_of(v, b);
		if (virtqueue_add(&v->status, &piece, 1, 0, b))
			break;
	}
	virtqueue_kick(&v->status);
}
