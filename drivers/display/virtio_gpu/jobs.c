/* drivers/display/virtio_gpu/jobs.c - which commands a job is made of, one after another.
 *
 * The device does them in their order, so all that fit its queue are with it at once; the job ends when it has answered the last.
 */
#include "drivers/display/virtio_gpu/jobs.h"
#include "lib/base/bits.h"
#include "lib/base/heap.h"
#include "lib/base/try.h"

/* driver_data: the next step; commands that are with the device; the first error; outputs that are still to be made dark. */
enum { DATA_STEP, DATA_OUT, DATA_ERROR, DATA_OUTPUTS };

/* What the device knows of a surface. */
struct gpu_surface {
	uint32_t resource;
	bool is_created;                /* it was told to make it */
	struct dma_memory pages;
	struct dma_memory entries;      /* the list of these pages, until the device has read it; bytes 0: none */
	uint32_t entry_count;
};

static err_t error_of(const struct display_job *j) { return (err_t)(int64_t)j->driver_data[DATA_ERROR]; }
static uint32_t resource_of(const struct surface *s) { return s ? ((const struct gpu_surface *)s->driver_data)->resource : 0; }

static struct gpu_rectangle part_shown(const struct surface *s, struct display_size size)
{
	if (!s)
		return (struct gpu_rectangle){ 0 };
	/* An output that would not say its size is as large as what it shows. */
	return (struct gpu_rectangle){
		.width = size.width ? MIN_OF(size.width, s->is.size.width) : s->is.size.width,
		.height = size.height ? MIN_OF(size.height, s->is.size.height) : s->is.size.height,
	};
}

/* ---- The steps of each kind: false when there is no such step ---------------------------------------------------------- */

static bool step_create(const struct display_job *j, uint64_t step, struct gpu_command *c, struct dma_piece *extra)
{
	struct gpu_surface *s = j->surface->driver_data;
	const struct display_surface *is = &j->surface->is;

	if (step == 0) {
		bool is_cursor = is->size.width == DISPLAY_CURSOR_SIDE && is->size.height == DISPLAY_CURSOR_SIDE;
		c->header.type = GPU_CREATE_2D;
		c->create.resource = s->resource;
		c->create.format = is_cursor ? GPU_FORMAT_BGRA : GPU_FORMAT_BGRX;
		/* The device takes rows to follow each other without a gap. */
		c->create.width = is->pitch_bytes / 4;
		c->create.height = is->size.height;
		s->is_created = true;
		return true;
	}
	c->header.type = GPU_ATTACH;
	c->attach.resource = s->resource;
	c->attach.count = s->entry_count;
	*extra = (struct dma_piece){ dma_address(&s->entries, 0, NULL), s->entry_count * sizeof(struct gpu_entry) };
	return step == 1;
}

static bool step_destroy(struct display_job *j, uint64_t step, struct gpu_command *c)
{
	const struct gpu_surface *s = j->surface->driver_data;
	uint64_t *outputs = &j->driver_data[DATA_OUTPUTS];

	if (*outputs) {
		c->header.type = GPU_SET_SCANOUT;
		c->scanout.scanout = lowest_bit(*outputs);
		*outputs &= *outputs - 1;
		/* These come before the steps that are counted. */
		j->driver_data[DATA_STEP]--;
		return true;
	}
	c->header.type = step == 0 ? GPU_DETACH : GPU_UNREF;
	c->resource.resource = s ? s->resource : 0;
	return step < 2 && s && s->is_created;
}

/* What is shown, and then that it is to be seen. */
static bool step_show(const struct display_job *j, struct surface *s, struct display_size size, uint64_t step, struct gpu_command *c)
{
	if (step == 0) {
		c->header.type = GPU_SET_SCANOUT;
		c->scanout.r = part_shown(s, size);
		c->scanout.scanout = j->output;
		c->scanout.resource = resource_of(s);
		return true;
	}
	c->header.type = GPU_FLUSH;
	c->flush.r = part_shown(s, size);
	c->flush.resource = resource_of(s);
	return step == 1 && s;
}

static void transfer(const struct display_job *j, const struct display_rectangle *r, struct gpu_command *c)
{
	c->header.type = GPU_TRANSFER;
	c->transfer.r = (struct gpu_rectangle){ r->x, r->y, r->width, r->height };
	c->transfer.offset = (uint64_t)r->y * j->surface->is.pitch_bytes + r->x * 4;
	c->transfer.resource = resource_of(j->surface);
}

static struct gpu_rectangle bounds(const struct display_job *j)
{
	uint32_t left = UINT32_MAX, top = UINT32_MAX, right = 0, bottom = 0;

	for (uint32_t i = 0; i < j->count; i++) {
		const struct display_rectangle *r = &j->rectangle[i];
		left = MIN_OF(left, r->x);
		top = MIN_OF(top, r->y);
		right = MAX_OF(right, r->x + r->width);
		bottom = MAX_OF(bottom, r->y + r->height);
	}
	return (struct gpu_rectangle){ left, top, right - left, bottom - top };
}

static bool is_shown(const struct display *d, const struct surface *s)
{
	for (uint32_t i = 0; i < d->output_count; i++)
		if (d->output[i].shown == s)
			return true;
	return false;
}

/* Each rectangle is copied; then all are shown with one command. */
static bool step_damage(const struct display_job *j, uint64_t step, struct gpu_command *c)
{
	if (step < j->count) {
		transfer(j, &j->rectangle[step], c);
		return true;
	}
	c->header.type = GPU_FLUSH;
	c->flush.r = bounds(j);
	c->flush.resource = resource_of(j->surface);
	return step == j->count && is_shown(j->display, j->surface);
}

static bool step_cursor(const struct display_job *j, uint64_t step, struct gpu_command *c)
{
	struct display_rectangle all = { 0, 0, DISPLAY_CURSOR_SIDE, DISPLAY_CURSOR_SIDE };

	if (step > 0 || !j->surface)
		return false;
	transfer(j, &all, c);
	return true;
}

static bool job_step(const struct gpu *g, struct display_job *j, struct gpu_command *c, struct dma_piece *extra)
{
	const struct display_place *output = &g->display.output[j->output];
	uint64_t step = j->driver_data[DATA_STEP]++;

	*c = (struct gpu_command){ 0 };
	*extra = (struct dma_piece){ 0 };
	if (g->is_gone || (error_of(j) && j->op != SURFACE_DESTROY))
		return false;
	switch (j->op) {
	case SURFACE_CREATE:
		return step_create(j, step, c, extra);
	case SURFACE_DESTROY:
		return step_destroy(j, step, c);
	case OUTPUT_SHOW:
		return step_show(j, j->surface, output->is.size, step, c);
	case OUTPUT_MODE:
		return output->shown && step_show(j, output->shown, j->size, step, c);
	case SURFACE_DAMAGE:
		return step_damage(j, step, c);
	case CURSOR_SET:
		return step_cursor(j, step, c);
	}
	return false;
}

/* ---- A surface's memory ------------------------------------------------------------------------------------------------ */

/* The pieces as the device wants them told; neighbours are one. Counts them when list is NULL. */
static uint32_t entries_fill(const struct dma_memory *m, struct gpu_entry *list)
{
	uint64_t end = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < m->piece_count; end = m->piece[i].address + m->piece[i].bytes, i++) {
		bool is_next = count > 0 && m->piece[i].address == end;
		if (is_next && list)
			list[count - 1].bytes += (uint32_t)m->piece[i].bytes;
		else if (!is_next && list)
			list[count] = (struct gpu_entry){ .address = m->piece[i].address, .bytes = (uint32_t)m->piece[i].bytes };
		count += !is_next;
	}
	return count;
}

static void entries_drop(struct gpu *g, struct gpu_surface *s)
{
	if (s->entries.bytes)
		dma_free(g->device, &s->entries);
	s->entries = (struct dma_memory){ 0 };
}

/* What fails here is undone by the SURFACE_DESTROY that follows. */
static err_t surface_begin(struct gpu *g, struct surface *surface)
{
	struct gpu_surface *s = heap_new(struct gpu_surface);

	if (!s)
		return ERR_NOMEM;
	surface->driver_data = s;
	s->resource = surface->number;
	TRY(dma_share(g->device, surface->object, surface->is.offset, surface->bytes, DMA_READ, &s->pages));
	s->entry_count = entries_fill(&s->pages, NULL);
	if (s->entry_count > GPU_ENTRIES_MAX)
		return ERR_NOSPC;
	TRY(dma_allocate(g->device, s->entry_count * sizeof(struct gpu_entry), 0, DMA_WHOLE, &s->entries));
	entries_fill(&s->pages, (struct gpu_entry *)s->entries.at);
	return OK;
}

static void surface_end(struct gpu *g, struct surface *surface)
{
	struct gpu_surface *s = surface->driver_data;

	if (!s)
		return;
	if (g->cursor.surface == surface) {
		g->cursor.surface = NULL;
		g->cursor.resource = 0;
		g->cursor.is_set = true;
		gpu_cursor_tell(g);
	}
	entries_drop(g, s);
	if (s->pages.bytes)
		dma_unshare(g->device, &s->pages);
	heap_delete(s);
	surface->driver_data = NULL;
}

/* ---- Jobs ------------------------------------------------------------------------------------------------------------- */

static void cursor_take(struct gpu *g, const struct display_job *j)
{
	g->cursor.surface = j->surface;
	g->cursor.resource = resource_of(j->surface);
	g->cursor.hot = j->hot;
	g->cursor.is_set = true;
	gpu_cursor_tell(g);
}

static void job_finish(struct gpu *g, struct display_job *j)
{
	err_t err = error_of(j);

	if (!err && g->is_gone)
		err = ERR_NODEV;
	if (j->op == SURFACE_CREATE && j->surface->driver_data)
		entries_drop(g, j->surface->driver_data);
	if (j->op == SURFACE_DESTROY) {
		surface_end(g, j->surface);
		err = OK;
	}
	if (j->op == CURSOR_SET && !err)
		cursor_take(g, j);
	display_done(j, err);
}

/* False: the device has no room for more of it. */
static bool job_send(struct gpu *g, struct display_job *j)
{
	struct gpu_command c;
	struct dma_piece extra;

	for (;;) {
		if (!gpu_has_room(g) && !g->is_gone)
			return false;
		if (!job_step(g, j, &c, &extra))
			return true;
		err_t err = gpu_send(g, j, &c, extra);
		if (err)
			j->driver_data[DATA_ERROR] = (uint64_t)(int64_t)err;
		else
			j->driver_data[DATA_OUT]++;
	}
}

void gpu_jobs_go_on(struct gpu *g)
{
	while (!list_is_empty(&g->jobs)) {
		struct display_job *j = list_first(&g->jobs, struct display_job, link);
		if (!job_send(g, j))
			break;
		list_remove(&j->link);
		if (j->driver_data[DATA_OUT] == 0)
			job_finish(g, j);
	}
}

void gpu_job_start(void *driver, struct display_job *j)
{
	struct gpu *g = driver;
	err_t err;

	if (j->op == SURFACE_CREATE && (err = surface_begin(g, j->surface))) {
		j->driver_data[DATA_ERROR] = (uint64_t)(int64_t)err;
		job_finish(g, j);
		return;
	}
	if (j->op == SURFACE_DESTROY)
		j->driver_data[DATA_OUTPUTS] = j->outputs;
	bool is_first = list_is_empty(&g->jobs);
	list_push_back(&g->jobs, &j->link);
	if (!is_first)
		return;
	gpu_jobs_go_on(g);
	virtqueue_kick(&g->control);
}

void gpu_job_answered(struct gpu *g, struct display_job *j, err_t err)
{
	if (err && !error_of(j))
		j->driver_data[DATA_ERROR] = (uint64_t)(int64_t)err;
	if (--j->driver_data[DATA_OUT] == 0 && list_is_empty(&j->link))
		job_finish(g, j);
}
