/* drivers/display/virtio_gpu/gpu.c - commands to the device and back, its outputs, its end. jobs.c makes commands of jobs. */
#include "drivers/display/virtio_gpu/jobs.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/display/edid.h"

/* 5.7.3, 5.7.4 */
#define FEATURE_EDID    (1ull << 1)
#define WANTED          (FEATURE_EDID | VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX)
enum { CONFIG_EVENTS = 0, CONFIG_EVENTS_CLEAR = 4, CONFIG_SCANOUTS = 8, EVENT_DISPLAY = 1 };

/* A slot's place: the command, then the answer. Behind the slots: the cursor's command, and the one long answer that is asked for at a time. */
enum { PLACE_BYTES = 128, ANSWER = 64, CURSOR_PLACE = GPU_SLOTS * PLACE_BYTES, LONG_PLACE = CURSOR_PLACE + PLACE_BYTES, LONG_BYTES = sizeof(struct gpu_edid) };
enum { MEMORY_BYTES = LONG_PLACE + LONG_BYTES, CHAIN_MAX = 4 };
STATIC_ASSERT(sizeof(struct gpu_command) <= ANSWER && ANSWER + sizeof(struct gpu_header) <= PLACE_BYTES, "both fit");

/* ---- Commands ------------------------------------------------------------------------------------------------------- */

/* As long as it is, not more: what follows ATTACH begins right behind it. */
static size_t command_bytes(enum gpu_type type)
{
	switch (type) {
	case GPU_DISPLAY_INFO:
		return sizeof(struct gpu_header);
	case GPU_UNREF: case GPU_DETACH: case GPU_ATTACH: case GPU_EDID:
		return sizeof(struct gpu_header) + 8;
	case GPU_CREATE_2D:
		return sizeof(struct gpu_header) + 16;
	case GPU_SET_SCANOUT: case GPU_FLUSH:
		return sizeof(struct gpu_header) + 24;
	default:
		return sizeof(struct gpu_command);
	}
}

static struct dma_piece piece_at(const struct gpu *g, size_t offset, size_t bytes)
{
	return (struct dma_piece){ dma_address(&g->memory, offset, NULL), bytes };
}

static void time_start(struct gpu *g)
{
	if (g->is_timing)
		return;
	g->is_timing = true;
	g->seen = g->answered;
	server_timer_set(g->server, &g->patience, gpu_now() + GPU_PATIENCE_NS);
}

bool gpu_has_room(const struct gpu *g) { return g->out < GPU_SLOTS && g->control.free_count > 0 && !g->is_gone; }

/* A free slot with the command; extra: what the device reads behind it (bytes 0: nothing). answer: where, and how long at most. */
static err_t slot_send(struct gpu *g, struct gpu_slot *s, const struct gpu_command *c, struct dma_piece extra, struct dma_piece answer)
{
	size_t at = (size_t)(s - g->slot) * PLACE_BYTES;
	struct dma_piece piece[CHAIN_MAX] = { piece_at(g, at, command_bytes(c->header.type)), extra };
	uint32_t readable = extra.bytes ? 2 : 1;

	memcpy(g->memory.at + at, c, sizeof(*c));
	piece[readable] = answer;
	TRY(virtqueue_add(&g->control, piece, readable, 1, s));
	g->out++;
	time_start(g);
	return OK;
}

static struct gpu_slot *slot_find(struct gpu *g)
{
	struct gpu_slot *s = g->slot;

	while (s->kind != SLOT_FREE)
		s++;
	return s;
}

err_t gpu_send(struct gpu *g, struct display_job *j, const struct gpu_command *c, struct dma_piece extra)
{
	struct gpu_slot *s = slot_find(g);
	size_t at = (size_t)(s - g->slot) * PLACE_BYTES + ANSWER;

	/* What an earlier command was answered is not this one's answer. */
	memset(g->memory.at + at, 0, sizeof(struct gpu_header));
	TRY(slot_send(g, s, c, extra, piece_at(g, at, sizeof(struct gpu_header))));
	*s = (struct gpu_slot){ .kind = SLOT_JOB, .job = j };
	return OK;
}

/* ---- Outputs -------------------------------------------------------------------------------------------------------- */

static void ask_long(struct gpu *g, enum gpu_slot_kind kind, uint32_t output, const struct gpu_command *c, size_t bytes)
{
	struct gpu_slot *s = slot_find(g);

	memset(g->memory.at + LONG_PLACE, 0, LONG_BYTES);
	if (slot_send(g, s, c, (struct dma_piece){ 0 }, piece_at(g, LONG_PLACE, bytes)) == OK)
		*s = (struct gpu_slot){ .kind = kind, .output = output };
}

static bool is_long_out(const struct gpu *g)
{
	for (uint32_t i = 0; i < GPU_SLOTS; i++)
		if (g->slot[i].kind == SLOT_INFO || g->slot[i].kind == SLOT_EDID)
			return true;
	return false;
}

static void ask_outputs(struct gpu *g)
{
	struct gpu_command c = { .header.type = GPU_DISPLAY_INFO };

	if ((!g->wants_info && !g->wants_edid) || !gpu_has_room(g) || is_long_out(g))
		return;
	if (g->wants_info) {
		g->wants_info = false;
		ask_long(g, SLOT_INFO, 0, &c, sizeof(struct gpu_display_info));
		return;
	}
	uint32_t n = lowest_bit(g->wants_edid);
	g->wants_edid &= g->wants_edid - 1;
	c.header.type = GPU_EDID;
	c.edid.scanout = n;
	ask_long(g, SLOT_EDID, n, &c, sizeof(struct gpu_edid));
}

static void output_set(struct gpu *g, uint32_t n, bool is_connected, struct display_size wanted)
{
	struct display_output is = {
		.size = g->display.output[n].is.size, .wanted = wanted,
		.display_flags = (is_connected ? DISPLAY_IS_CONNECTED : 0) | DISPLAY_HAS_CURSOR | DISPLAY_HAS_MODES,
	};

	fmt(is.name, sizeof(is.name), "virtio-%u", n);
	if (is.size.width == 0)
		is.size = wanted;
	display_output_set(&g->display, n, &is);
}

static bool is_size(struct display_size s)
{
	return s.width > 0 && s.height > 0 && s.width <= DISPLAY_SIDE_MAX && s.height <= DISPLAY_SIDE_MAX;
}

/* Copied first: what was checked must not change. */
static void info_came(struct gpu *g, uint32_t written)
{
	struct gpu_display_info info;

	g->has_info = true;
	memcpy(&info, g->memory.at + LONG_PLACE, sizeof(info));
	if (written < sizeof(info) || info.header.type != GPU_OK_DISPLAY_INFO)
		return;
	for (uint32_t i = 0; i < g->display.output_count; i++) {
		struct display_size size = { info.mode[i].r.width, info.mode[i].r.height };
		bool is_on = info.mode[i].enabled;
		if (is_on && !is_size(size) && g->virtio.features & FEATURE_EDID)
			g->wants_edid |= 1u << i;
		else
			output_set(g, i, is_on && is_size(size), is_on && is_size(size) ? size : (struct display_size){ 0 });
	}
}

/* Asked only of an output that is connected and would not say which size it would like. */
static void edid_came(struct gpu *g, uint32_t output, uint32_t written)
{
	struct gpu_edid e;
	struct display_size size;

	memcpy(&e, g->memory.at + LONG_PLACE, sizeof(e));
	bool is_good = written >= sizeof(e) && e.header.type == GPU_OK_EDID && e.bytes <= GPU_EDID_BYTES && edid_size(e.edid, e.bytes, &size) == OK;
	output_set(g, output, true, is_good ? size : (struct display_size){ 1024, 768 });
}

static void look_at_events(struct gpu *g)
{
	if (!(virtio_config(&g->virtio, CONFIG_EVENTS, 4) & EVENT_DISPLAY))
		return;
	virtio_config_write(&g->virtio, CONFIG_EVENTS_CLEAR, EVENT_DISPLAY);
	g->wants_info = true;
}

/* ---- The cursor ------------------------------------------------------------------------------------------------------ */

static bool cursor_send(struct gpu *g, enum gpu_type type, uint32_t output, uint32_t resource)
{
	const struct gpu_cursor *c = &g->cursor;
	struct gpu_command command = {
		.header.type = type,
		.cursor = {
			.scanout = output, .x = (uint32_t)c->at.x, .y = (uint32_t)c->at.y, .resource = resource,
			.hot_x = (uint32_t)c->hot.hot_x, .hot_y = (uint32_t)c->hot.hot_y,
		},
	};
	struct dma_piece piece = piece_at(g, CURSOR_PLACE, sizeof(command));

	memcpy(g->memory.at + CURSOR_PLACE, &command, sizeof(command));
	if (g->is_gone || virtqueue_add(&g->pointer, &piece, 1, 0, &g->cursor))
		return false;
	virtqueue_kick(&g->pointer);
	g->cursor.is_out = true;
	return true;
}

/* One command at a time, and the latest: where it was in between nobody needs to see. */
void gpu_cursor_tell(struct gpu *g)
{
	struct gpu_cursor *c = &g->cursor;

	if (c->is_out)
		return;
	if (c->shown_on != c->output && cursor_send(g, GPU_UPDATE_CURSOR, c->shown_on, 0)) {
		c->shown_on = c->output;
		c->is_set = true;
	} else if (c->is_set && cursor_send(g, GPU_UPDATE_CURSOR, c->output, c->resource)) {
		c->is_set = c->is_moved = false;
	} else if (c->is_moved && c->resource && cursor_send(g, GPU_MOVE_CURSOR, c->output, c->resource)) {
		c->is_moved = false;
	}
}

static void gpu_move(void *driver, uint32_t output, struct display_point at)
{
	struct gpu *g = driver;

	g->cursor.output = output;
	g->cursor.at = at;
	g->cursor.is_moved = true;
	gpu_cursor_tell(g);
}

/* ---- Answers -------------------------------------------------------------------------------------------------------- */

static err_t answer_error(uint32_t type, uint32_t written)
{
	if (written < sizeof(struct gpu_header))
		return ERR_IO;
	return type == GPU_OK ? OK : type == GPU_NO_MEMORY ? ERR_NOMEM : ERR_IO;
}

static void slot_answered(struct gpu *g, struct gpu_slot *s, uint32_t written)
{
	const volatile struct gpu_header *answer = (void *)(g->memory.at + (size_t)(s - g->slot) * PLACE_BYTES + ANSWER);
	struct gpu_slot was = *s;

	s->kind = SLOT_FREE;
	g->out--;
	g->answered++;
	if (was.kind == SLOT_JOB)
		gpu_job_answered(g, was.job, g->is_gone ? ERR_NODEV : answer_error(answer->type, written));
	else if (was.kind == SLOT_INFO)
		info_came(g, written);
	else
		edid_came(g, was.output, written);
}

/* Whoever waits is told; from now on there is nothing to wait for. */
static void gpu_end(struct gpu *g)
{
	g->is_gone = true;
	display_remove(&g->display);
	server_timer_clear(&g->patience);
	for (uint32_t i = 0; i < GPU_SLOTS; i++)
		if (g->slot[i].kind == SLOT_JOB)
			slot_answered(g, &g->slot[i], 0);
	gpu_jobs_go_on(g);
}

/* What it still has it might use after we gave it to others: the next instance begins anew. */
static void gpu_fail(struct gpu *g, const char *why)
{
	driver_fail(why);
	gpu_end(g);
}

static void queue_drain(struct gpu *g)
{
	struct gpu_slot *s;
	uint32_t written;

	do {
		while ((s = virtqueue_take(&g->control, &written)))
			slot_answered(g, s, written);
	} while (!g->control.is_broken && !virtqueue_arm(&g->control));
	do {
		while (virtqueue_take(&g->pointer, NULL))
			g->cursor.is_out = false;
	} while (!g->pointer.is_broken && !virtqueue_arm(&g->pointer));
}

void gpu_interrupt(struct gpu *g)
{
	if (g->is_gone)
		return;
	queue_drain(g);
	if (virtio_is_gone(&g->virtio)) {
		gpu_end(g);
		return;
	}
	if (g->control.is_broken || g->pointer.is_broken || virtio_needs_reset(&g->virtio)) {
		gpu_fail(g, "virtio_gpu: the device answers what it was not asked");
		return;
	}
	look_at_events(g);
	ask_outputs(g);
	gpu_cursor_tell(g);
	gpu_jobs_go_on(g);
	virtqueue_kick(&g->control);
}

static void impatient(struct server_timer *t)
{
	struct gpu *g = container_of(t, struct gpu, patience);

	g->is_timing = false;
	if (g->out == 0)
		return;
	if (g->seen == g->answered)
		gpu_fail(g, "virtio_gpu: the device does not answer");
	else
		time_start(g);
}

/* ---- The start ------------------------------------------------------------------------------------------------------- */

static const struct display_ops gpu_ops = { .start = gpu_job_start, .move = gpu_move, .has_modes = true };

err_t gpu_open(struct gpu *g, struct device *d, struct server *s)
{
	*g = (struct gpu){ .device = d, .server = s, .display = { .ops = &gpu_ops, .driver = g } };
	list_init(&g->jobs);
	server_timer_init(&g->patience, impatient);
	TRY(virtio_open(&g->virtio, d, WANTED));
	uint32_t outputs = (uint32_t)virtio_config(&g->virtio, CONFIG_SCANOUTS, 4);
	if (outputs == 0 || outputs > GPU_SCANOUTS)
		return ERR_INVAL;
	g->vectors = MIN_OF((uint32_t)d->info.interrupts, 2u);
	if (g->vectors == 0)
		return ERR_NODEV;
	TRY(dma_allocate(d, MEMORY_BYTES, 0, DMA_WHOLE, &g->memory));
	TRY(virtqueue_open(&g->control, &g->virtio, 0, GPU_SLOTS, CHAIN_MAX, 0));
	TRY(virtqueue_open(&g->pointer, &g->virtio, 1, GPU_CURSOR_QUEUE, 1, 0));
	TRY(virtio_set_config_vector(&g->virtio, (uint16_t)(g->vectors - 1)));
	for (uint32_t i = 0; i < outputs; i++)
		output_set(g, i, false, (struct display_size){ 0 });
	virtio_start(&g->virtio);
	g->wants_info = true;
	ask_outputs(g);
	virtqueue_kick(&g->control);
	return OK;
}
