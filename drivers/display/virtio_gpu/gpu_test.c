/* drivers/display/virtio_gpu/gpu_test.c - the driver against a mock GPU: honest, full, failing, lying, dumb, gone. */
#include "drivers/display/virtio_gpu/jobs.h"
#include "lib/base/heap.h"
#include "lib/virtio/test_device.h"

enum { WIDTH = 100, HEIGHT = 80, PAGE = 4096, OBJECT_PAGES = 64, RESOURCES = 8, SCREENS = 3, JOBS = 80, EDID_FEATURE = 2, OBJECT = 9, NO_RESOURCE = 0x1203 };

/* ---- Memory of a client: its pages lie anywhere, in no order ---- */

static uint32_t object[OBJECT_PAGES][PAGE / 4];
static bool is_mapped[OBJECT_PAGES];
static uint32_t frees, unmaps;
static err_t map_error;
#define PAGE_ADDRESS(n) (0x900000000000ull + ((n) ^ 5) * (uint64_t)PAGE)

err_t dma_share(struct device *d, handle_t h, uint64_t offset, size_t bytes, uint32_t access, struct dma_memory *out)
{
	static struct dma_piece piece[JOBS][OBJECT_PAGES];
	static uint32_t next;

	(void)d;
	CHECK(h == OBJECT && access == DMA_READ && (offset | bytes) % PAGE == 0 && range_fits(offset, bytes, sizeof(object)));
	if (map_error)
		return map_error;
	*out = (struct dma_memory){ .bytes = bytes, .piece = piece[next++ % JOBS] };
	for (uint64_t n = offset / PAGE; n < (offset + bytes) / PAGE; n++) {
		is_mapped[n] = true;
		out->piece[out->piece_count++] = (struct dma_piece){ PAGE_ADDRESS(n), PAGE };
	}
	return OK;
}

void dma_unshare(struct device *d, struct dma_memory *m)
{
	(void)d, (void)m;
	unmaps++;
	memset(is_mapped, 0, sizeof(is_mapped));
}

void dma_free(struct device *d, struct dma_memory *m) { (void)d, (void)m; frees++; }

/* ---- What lib/display and the server's loop do ---- */

static struct server_timer *timer;
static uint64_t time_ns;
static struct display_job *ended[JOBS];
static err_t ended_err[JOBS];
static uint32_t ends, sets, removes, failures;

uint64_t gpu_now(void) { return time_ns; }
void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *t)) { t->fire = fire; }
void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns) { (void)s; timer = t; t->deadline_ns = deadline_ns; }
void server_timer_clear(struct server_timer *t) { (void)t; timer = NULL; }
void driver_fail(const char *why) { (void)why; failures++; }
void display_remove(struct display *d) { d->is_gone = true; removes++; }

void display_output_set(struct display *d, uint32_t n, const struct display_output *is)
{
	CHECK(n <= d->output_count);
	if (n == d->output_count)
		d->output_count++;
	d->output[n].is = *is;
	sets++;
}

void display_done(struct display_job *j, err_t err)
{
	CHECK(ends < JOBS && !j->is_done);
	j->is_done = true;
	ended[ends] = j;
	ended_err[ends++] = err;
}

/* ---- The device ---- */

static struct gpu_resource { bool is_there; uint32_t width, height, format, entry_count; struct gpu_entry entry[OBJECT_PAGES]; uint32_t pixels[256][256]; }
	resource[RESOURCES];
static struct { uint32_t resource; struct gpu_rectangle r; uint32_t pixels[256][256]; } screen[SCREENS];
static struct { uint32_t type, resource, scanout, x, y, hot_x, hot_y; } pointer[64];
static struct gpu_display_info info;
static struct gpu_edid monitor;
static uint32_t pointers, commands, flushes;
/* How it behaves. */
static struct { uint32_t stop_after, fail_type, fail_with, answer_bytes, wrong_head; bool is_silent, is_pointer_silent, is_lazy; } manner;

static uint32_t object_read(uint32_t id, uint64_t offset)
{
	const struct gpu_resource *r = &resource[id];

	for (uint32_t i = 0; i < r->entry_count; offset -= r->entry[i++].bytes)
		if (offset < r->entry[i].bytes) {
			uint64_t at = r->entry[i].address + offset;
			for (uint32_t n = 0; n < OBJECT_PAGES; n++)
				if (at - PAGE_ADDRESS(n) < PAGE) {
					CHECK(is_mapped[n]);
					return object[n][(at - PAGE_ADDRESS(n)) / 4];
				}
		}
	test_fail(__FILE__, __LINE__, "%llx behind the pages of resource %u", (unsigned long long)offset, id);
}

static void transfer(const struct gpu_command *c)
{
	const struct gpu_rectangle *r = &c->transfer.r;
	struct gpu_resource *to = &resource[c->transfer.resource];

	CHECK(c->transfer.resource < RESOURCES && to->is_there && range_fits(r->x, r->width, to->width) && range_fits(r->y, r->height, to->height));
	for (uint32_t y = 0; y < r->height; y++)
		for (uint32_t x = 0; x < r->width; x++)
			to->pixels[r->y + y][r->x + x] = object_read(c->transfer.resource, c->transfer.offset + (uint64_t)y * to->width * 4 + x * 4);
}

static void flush(const struct gpu_command *c)
{
	const struct gpu_rectangle *r = &c->flush.r;

	flushes++;
	for (uint32_t s = 0; s < SCREENS; s++)
		if (screen[s].resource == c->flush.resource)
			for (uint32_t y = r->y; y < MIN_OF(r->y + r->height, screen[s].r.height); y++)
				for (uint32_t x = r->x; x < MIN_OF(r->x + r->width, screen[s].r.width); x++)
					screen[s].pixels[y][x] = resource[c->flush.resource].pixels[y][x];
}

static void scanout(const struct gpu_command *c)
{
	const struct gpu_resource *r = &resource[c->scanout.resource];

	CHECK(c->scanout.scanout < SCREENS && c->scanout.resource < RESOURCES);
	if (c->scanout.resource)
		CHECK(r->is_there && c->scanout.r.width > 0 && c->scanout.r.width <= r->width && c->scanout.r.height <= r->height);
	screen[c->scanout.scanout].resource = c->scanout.resource;
	screen[c->scanout.scanout].r = c->scanout.r;
}

static void attach(const struct gpu_command *c, const struct mock_piece *entries)
{
	struct gpu_resource *r = &resource[c->attach.resource];

	CHECK(c->attach.count <= OBJECT_PAGES && entries->bytes == c->attach.count * sizeof(struct gpu_entry) && !entries->is_writable);
	r->entry_count = c->attach.count;
	memcpy(r->entry, entries->at, entries->bytes);
}

static void unref(uint32_t id)
{
	for (uint32_t s = 0; s < SCREENS; s++)
		CHECK(screen[s].resource != id);
	resource[id].is_there = false;
}

static bool is_of_nothing(const struct gpu_command *c)
{
	uint32_t type = c->header.type;

	/* They have the resource at the same place. */
	return (type == GPU_ATTACH || type == GPU_DETACH || type == GPU_UNREF) && !resource[c->resource.resource].is_there;
}

static void carry_out(const struct gpu_command *c, const struct mock_piece *piece)
{
	if (is_of_nothing(c))
		return;
	switch (c->header.type) {
	case GPU_CREATE_2D:
		CHECK(c->create.resource > 0 && c->create.resource < RESOURCES && !resource[c->create.resource].is_there);
		resource[c->create.resource] = (struct gpu_resource){ .is_there = true, .width = c->create.width, .height = c->create.height, .format = c->create.format };
		break;
	case GPU_ATTACH:
		attach(c, piece + 1);
		break;
	case GPU_DETACH:
		resource[c->resource.resource].entry_count = 0;
		break;
	case GPU_UNREF:
		unref(c->resource.resource);
		break;
	case GPU_SET_SCANOUT:
		scanout(c);
		break;
	case GPU_TRANSFER:
		transfer(c);
		break;
	case GPU_FLUSH:
		flush(c);
		break;
	}
}

/* What it says, and how many bytes that are. */
static uint32_t say(const struct gpu_command *c, bool is_nothing, struct mock_piece *to)
{
	struct gpu_header h = { .type = c->header.type == manner.fail_type ? manner.fail_with : is_nothing ? NO_RESOURCE : GPU_OK };
	const void *from = &h;
	uint32_t bytes = sizeof(h);

	if (c->header.type == GPU_DISPLAY_INFO) {
		from = &info;
		bytes = sizeof(info);
	} else if (c->header.type == GPU_EDID) {
		from = &monitor;
		bytes = sizeof(monitor);
	}
	CHECK(to->is_writable && to->bytes == bytes);
	memcpy(to->at, from, bytes);
	return manner.answer_bytes ? manner.answer_bytes - 1 : bytes;
}

static void cursor_process(void)
{
	struct mock_piece piece[2];
	struct gpu_command c;
	uint32_t count;
	uint16_t head;

	while (!manner.is_pointer_silent && mock_next(&mock.queue[1], &head, piece, 2, &count)) {
		CHECK(count == 1 && piece->bytes == sizeof(c) && pointers < 64);
		memcpy(&c, piece->at, sizeof(c));
		pointer[pointers].type = c.header.type;
		pointer[pointers].resource = c.cursor.resource;
		pointer[pointers].scanout = c.cursor.scanout;
		pointer[pointers].x = c.cursor.x;
		pointer[pointers].hot_x = c.cursor.hot_x;
		pointers++;
		mock_use_raw(&mock.queue[1], head, 0);
	}
}

static void control_process(void)
{
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	while (!manner.is_silent && (!manner.stop_after || commands < manner.stop_after) && mock_next(&mock.queue[0], &head, piece, 4, &count)) {
		struct gpu_command c = { 0 };
		CHECK(count >= 2 && piece->bytes <= sizeof(c));
		memcpy(&c, piece->at, piece->bytes);
		/* A longer command would move what follows it. */
		CHECK(c.header.type != GPU_ATTACH || piece->bytes == 32);
		bool is_nothing = is_of_nothing(&c);
		commands++;
		if (c.header.type != manner.fail_type)
			carry_out(&c, piece);
		uint32_t written = say(&c, is_nothing, &piece[count - 1]);
		mock_use_raw(&mock.queue[0], head + manner.wrong_head, written);
	}
}

static void mock_process(uint32_t queue)
{
	if (manner.is_lazy)
		return;
	if (queue == 1)
		cursor_process();
	else
		control_process();
}

/* ---- Jobs ---- */

static struct gpu *gpu;
static struct device device = { .info = { .interrupts = 3 } };
static struct server server;
static struct surface surface[4];
static struct display_job job[JOBS];
static uint32_t jobs;

static void config_set(uint32_t offset, uint32_t value) { memcpy(mock.device + offset, &value, 4); }

static void settle(void)
{
	for (int i = 0; i < 20; i++) {
		control_process();
		cursor_process();
		gpu_interrupt(gpu);
	}
}

static void surfaces_forget(void);

static void reset_all(uint64_t features)
{
	surfaces_forget();
	mock_setup(features | VIRTIO_INDIRECT, 2, 64);
	memset(resource, 0, sizeof(resource));
	memset(screen, 0, sizeof(screen));
	memset(job, 0, sizeof(job));
	memset(&manner, 0, sizeof(manner));
	memset(is_mapped, 0, sizeof(is_mapped));
	memset(&info, 0, sizeof(info));
	ends = sets = removes = failures = frees = unmaps = jobs = pointers = commands = flushes = 0;
	map_error = OK;
	timer = NULL;
	time_ns = 1;
	info.header.type = GPU_OK_DISPLAY_INFO;
	info.mode[0].r = (struct gpu_rectangle){ 0, 0, 200, 150 };
	info.mode[0].enabled = 1;
	config_set(8, 2);
}

static void setup_with(uint64_t features)
{
	static struct gpu memory;

	reset_all(features);
	gpu = &memory;
	CHECK_EQ(gpu_open(gpu, &device, &server), OK);
	settle();
	commands = 0;
}

static void setup(void) { setup_with(EDID_FEATURE | VIRTIO_EVENT_INDEX); }

static struct display_job *start(enum display_op op, struct surface *s)
{
	static struct display_rectangle rectangles[JOBS][DISPLAY_RECTANGLES_MAX];
	struct display_job *j = &job[jobs];

	CHECK(jobs < JOBS);
	j->display = &gpu->display;
	j->op = op;
	j->surface = s;
	if (!j->rectangle)
		j->rectangle = rectangles[jobs];
	list_init(&j->link);
	jobs++;
	gpu->display.ops->start(gpu, j);
	return j;
}

static err_t err_of(const struct display_job *j)
{
	for (uint32_t i = 0; i < ends; i++)
		if (ended[i] == j)
			return ended_err[i];
	return ERR_AGAIN;
}

static err_t done(struct display_job *j)
{
	settle();
	return err_of(j);
}

/* Surface n: rows with a gap, from the second page of the object on. */
static struct surface *make(uint32_t n)
{
	struct surface *s = &surface[n];

	*s = (struct surface){ .number = n + 1, .object = OBJECT, .bytes = 10 * PAGE,
	                       .is = { .size = { WIDTH, HEIGHT }, .pitch_bytes = (WIDTH + 8) * 4, .offset = PAGE } };
	for (uint32_t i = 0; i < sizeof(object) / 4; i++)
		((uint32_t *)object)[i] = (uint32_t)test_random();
	CHECK_EQ(done(start(SURFACE_CREATE, s)), OK);
	return s;
}

static uint32_t pixel_of(const struct surface *s, uint32_t x, uint32_t y)
{
	return ((const uint32_t *)object)[s->is.offset / 4 + y * s->is.pitch_bytes / 4 + x];
}

static err_t show(struct surface *s, uint32_t output)
{
	job[jobs].output = output;
	gpu->display.output[output].shown = s;
	return done(start(OUTPUT_SHOW, s));
}

static struct display_job *damage(struct surface *s, uint32_t count, const struct display_rectangle *r)
{
	static struct display_rectangle copies[JOBS][DISPLAY_RECTANGLES_MAX];

	memcpy(copies[jobs], r, count * sizeof(*r));
	job[jobs].rectangle = copies[jobs];
	job[jobs].count = count;
	return start(SURFACE_DAMAGE, s);
}

static const struct display_rectangle whole = { 0, 0, WIDTH, HEIGHT };

/* What a driver has until it ends. */
__attribute__((destructor)) static void surfaces_forget(void)
{
	for (size_t i = 0; i < ARRAY_COUNT(surface); i++) {
		heap_free(surface[i].driver_data, 0);
		surface[i].driver_data = NULL;
	}
}

/* ---- Outputs ---- */

TEST(outputs_are_what_the_device_says)
{
	setup();
	CHECK_EQ(gpu->display.output_count, 2);
	const struct display_output *o = &gpu->display.output[0].is;
	CHECK(o->size.width == 200 && o->wanted.height == 150 && o->display_flags == (DISPLAY_IS_CONNECTED | DISPLAY_HAS_CURSOR | DISPLAY_HAS_MODES));
	CHECK_STR(o->name, "virtio-0");
	CHECK(!(gpu->display.output[1].is.display_flags & DISPLAY_IS_CONNECTED));
	CHECK(gpu->has_info);
}

TEST(a_window_of_another_size_is_told)
{
	setup();
	info.mode[0].r.width = 300;
	info.mode[1] = info.mode[0];
	config_set(0, 1);
	gpu_interrupt(gpu);
	config_set(0, 0);
	uint32_t cleared;
	memcpy(&cleared, mock.device + 4, 4);
	CHECK_EQ(cleared, 1);
	settle();
	CHECK(gpu->display.output[0].is.wanted.width == 300 && gpu->display.output[0].is.size.width == 200);
	CHECK(gpu->display.output[1].is.wanted.width == 300 && gpu->display.output[1].is.display_flags & DISPLAY_IS_CONNECTED);
}

TEST(sizes_that_make_no_sense_are_not_believed)
{
	setup();
	info.mode[0].r.width = 0x80000000;
	info.mode[1] = info.mode[0];
	gpu->virtio.features &= ~(uint64_t)EDID_FEATURE;
	config_set(0, 1);
	gpu_interrupt(gpu);
	config_set(0, 0);
	settle();
	CHECK(!(gpu->display.output[0].is.display_flags & DISPLAY_IS_CONNECTED));
	CHECK_EQ(gpu->display.output[0].is.wanted.width, 0);
}

TEST(a_monitor_is_asked_when_the_device_knows_no_size)
{
	uint8_t sum = 0;

	setup();
	info.mode[0].r.width = 0;
	monitor = (struct gpu_edid){ .header.type = GPU_OK_EDID, .bytes = 128, .edid = { 0, 255, 255, 255, 255, 255, 255, 0, [54] = 1, [56] = 100, [59] = 90 } };
	for (int i = 0; i < 127; i++)
		sum = (uint8_t)(sum + monitor.edid[i]);
	monitor.edid[127] = (uint8_t)-sum;
	config_set(0, 1);
	gpu_interrupt(gpu);
	config_set(0, 0);
	settle();
	CHECK(gpu->display.output[0].is.wanted.width == 100 && gpu->display.output[0].is.wanted.height == 90);
	/* One that lies about its length has a size all the same: some. */
	monitor.bytes = UINT32_MAX;
	config_set(0, 1);
	gpu_interrupt(gpu);
	config_set(0, 0);
	settle();
	CHECK_EQ(gpu->display.output[0].is.wanted.width, 1024);
}

TEST(a_device_of_nonsense_is_not_driven)
{
	static struct gpu g;

	for (uint32_t outputs = 0; outputs <= 17; outputs += 17) {
		reset_all(0);
		config_set(8, outputs);
		CHECK_EQ(gpu_open(&g, &device, &server), ERR_INVAL);
	}
	reset_all(0);
	mock.queue_count = 1;
	CHECK_EQ(gpu_open(&g, &device, &server), ERR_NODEV);
	for (uint32_t n = 1; n <= 4; n++) {
		reset_all(0);
		test_dma.fail_after = n;
		CHECK_EQ(gpu_open(&g, &device, &server), ERR_NOMEM);
	}
}

/* ---- Pictures ---- */

TEST(what_was_damaged_is_shown_and_nothing_else)
{
	struct display_rectangle r[] = { { 3, 5, 20, 10 }, { 90, 70, 10, 10 } };

	setup();
	struct surface *s = make(0);
	CHECK_EQ(resource[1].format, GPU_FORMAT_BGRX);
	CHECK_EQ(show(s, 0), OK);
	CHECK(screen[0].resource == 1 && screen[0].r.width == WIDTH && screen[0].r.height == HEIGHT);
	flushes = 0;
	CHECK_EQ(done(damage(s, 2, r)), OK);
	CHECK_EQ(flushes, 1);
	for (uint32_t y = 0; y < HEIGHT; y++)
		for (uint32_t x = 0; x < WIDTH; x++) {
			bool is_in = (x >= 3 && x < 23 && y >= 5 && y < 15) || (x >= 90 && y >= 70);
			CHECK_EQ(screen[0].pixels[y][x], is_in ? pixel_of(s, x, y) : 0);
		}
}

TEST(what_is_not_shown_is_brought_but_not_flushed)
{
	setup();
	struct surface *s = make(0);
	CHECK_EQ(done(damage(s, 1, &whole)), OK);
	CHECK_EQ(flushes, 0);
	CHECK_EQ(show(s, 1), OK);
	CHECK_EQ(screen[1].pixels[HEIGHT - 1][WIDTH - 1], pixel_of(s, WIDTH - 1, HEIGHT - 1));
	CHECK_EQ(screen[0].resource, 0);
	CHECK_EQ(show(NULL, 1), OK);
	CHECK_EQ(screen[1].resource, 0);
}

TEST(an_output_shows_what_fits_its_size)
{
	setup();
	struct surface *s = make(0);
	gpu->display.output[0].is.size = (struct display_size){ 64, 500 };
	CHECK_EQ(show(s, 0), OK);
	CHECK(screen[0].r.width == 64 && screen[0].r.height == HEIGHT);
	job[jobs].size = (struct display_size){ 90, 70 };
	CHECK_EQ(done(start(OUTPUT_MODE, NULL)), OK);
	CHECK(screen[0].r.width == 90 && screen[0].r.height == 70);
	/* Where nothing is shown there is nothing to tell the device. */
	commands = 0;
	job[jobs].output = 1;
	CHECK_EQ(done(start(OUTPUT_MODE, NULL)), OK);
	CHECK_EQ(commands, 0);
}

TEST(many_rectangles_go_through_a_queue_that_has_less_room)
{
	struct display_rectangle r[DISPLAY_RECTANGLES_MAX];

	setup();
	struct surface *s = make(0), *t = make(1);
	CHECK_EQ(show(s, 0), OK);
	for (uint32_t i = 0; i < DISPLAY_RECTANGLES_MAX; i++)
		r[i] = (struct display_rectangle){ i, i, 1, 1 };
	manner.is_lazy = true;
	struct display_job *all[5];
	for (uint32_t i = 0; i < 5; i++)
		all[i] = damage(i % 2 ? t : s, DISPLAY_RECTANGLES_MAX, r);
	CHECK_EQ(gpu->out, GPU_SLOTS);
	CHECK_EQ(ends, 3);
	settle();
	settle();
	for (uint32_t i = 0; i < 5; i++)
		CHECK(err_of(all[i]) == OK && ended[3 + i] == all[i]);
	CHECK_EQ(screen[0].pixels[63][63], pixel_of(s, 63, 63));
	CHECK_EQ(gpu->out, 0);
}

TEST(a_surface_that_goes_is_hidden_forgotten_and_unmapped_in_this_order)
{
	setup();
	struct surface *s = make(0);
	CHECK_EQ(frees, 1);
	CHECK_EQ(show(s, 0), OK);
	CHECK_EQ(show(s, 1), OK);
	manner.is_lazy = true;
	job[jobs].outputs = 3;
	struct display_job *j = start(SURFACE_DESTROY, s);
	CHECK_EQ(unmaps, 0);
	CHECK_EQ(done(j), OK);
	CHECK(unmaps == 1 && !resource[1].is_there && screen[0].resource == 0 && screen[1].resource == 0);
}

/* ---- The cursor ---- */

TEST(a_cursor_is_brought_and_then_set)
{
	setup();
	struct surface *s = &surface[0];
	*s = (struct surface){ .number = 1, .object = OBJECT, .bytes = 4 * PAGE, .is = { .size = { 64, 64 }, .pitch_bytes = 256 } };
	CHECK_EQ(done(start(SURFACE_CREATE, s)), OK);
	CHECK_EQ(resource[1].format, GPU_FORMAT_BGRA);
	gpu->display.ops->move(gpu, 0, (struct display_point){ 7, 8 });
	CHECK_EQ(pointers, 0);
	job[jobs].hot = (struct display_cursor){ 3, 4 };
	CHECK_EQ(done(start(CURSOR_SET, s)), OK);
	CHECK_EQ(resource[1].pixels[63][63], pixel_of(s, 63, 63));
	CHECK(pointers == 1 && pointer[0].type == GPU_UPDATE_CURSOR && pointer[0].resource == 1 && pointer[0].hot_x == 3 && pointer[0].x == 7);
	gpu->display.ops->move(gpu, 0, (struct display_point){ -9, 8 });
	CHECK(pointers == 2 && pointer[1].type == GPU_MOVE_CURSOR && pointer[1].x == (uint32_t)-9 && pointer[1].resource == 1);
	/* Of what is asked while the device is busy the last counts. */
	manner.is_pointer_silent = true;
	for (int x = 0; x < 50; x++)
		gpu->display.ops->move(gpu, 0, (struct display_point){ x, 8 });
	manner.is_pointer_silent = false;
	settle();
	CHECK(pointers <= 5 && pointer[pointers - 1].x == 49);
	CHECK_EQ(done(start(SURFACE_DESTROY, s)), OK);
	CHECK(pointer[pointers - 1].type == GPU_UPDATE_CURSOR && pointer[pointers - 1].resource == 0);
}

TEST(a_cursor_leaves_one_output_for_the_other)
{
	setup();
	struct surface *s = &surface[0];
	*s = (struct surface){ .number = 1, .object = OBJECT, .bytes = 4 * PAGE, .is = { .size = { 64, 64 }, .pitch_bytes = 256 } };
	CHECK_EQ(done(start(SURFACE_CREATE, s)), OK);
	CHECK_EQ(done(start(CURSOR_SET, s)), OK);
	gpu->display.ops->move(gpu, 1, (struct display_point){ 1, 1 });
	settle();
	CHECK_EQ(pointers, 3);
	CHECK(pointer[1].scanout == 0 && pointer[1].resource == 0 && pointer[2].scanout == 1 && pointer[2].resource == 1 && pointer[2].type == GPU_UPDATE_CURSOR);
}

/* ---- What goes wrong ---- */

TEST(what_the_device_refuses_is_an_error_of_that_request)
{
	static const struct { uint32_t type, with; err_t err; } cases[] = {
		{ GPU_CREATE_2D, GPU_NO_MEMORY, ERR_NOMEM }, { GPU_CREATE_2D, 0x1205, ERR_IO }, { GPU_ATTACH, 0x1200, ERR_IO },
		{ GPU_ATTACH, GPU_OK_DISPLAY_INFO, ERR_IO }, { GPU_CREATE_2D, 0, ERR_IO },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		setup();
		manner.fail_type = cases[i].type;
		manner.fail_with = cases[i].with;
		surface[0] = (struct surface){ .number = 1, .object = OBJECT, .bytes = PAGE, .is = { .size = { 16, 16 }, .pitch_bytes = 64 } };
		CHECK_EQ(done(start(SURFACE_CREATE, &surface[0])), cases[i].err);
		CHECK_EQ(done(start(SURFACE_DESTROY, &surface[0])), OK);
		CHECK(unmaps == 1 && frees == 1);
	}
	setup();
	struct surface *s = make(0);
	manner.fail_type = GPU_TRANSFER;
	manner.fail_with = 0x1200;
	CHECK_EQ(done(damage(s, 1, &whole)), ERR_IO);
	manner.fail_type = GPU_SET_SCANOUT;
	CHECK_EQ(show(s, 0), ERR_IO);
	manner.fail_type = 0;
	CHECK_EQ(show(s, 0), OK);
}

TEST(memory_that_cannot_be_had_is_an_error_and_undone)
{
	setup();
	surface[0] = (struct surface){ .number = 1, .object = OBJECT, .bytes = PAGE, .is = { .size = { 16, 16 }, .pitch_bytes = 64 } };
	map_error = ERR_NOMEM;
	CHECK_EQ(done(start(SURFACE_CREATE, &surface[0])), ERR_NOMEM);
	CHECK_EQ(done(start(SURFACE_DESTROY, &surface[0])), OK);
	map_error = OK;
	surface[0].driver_data = NULL;
	test_dma.fail_after = 1;
	CHECK_EQ(done(start(SURFACE_CREATE, &surface[0])), ERR_NOMEM);
	CHECK_EQ(done(start(SURFACE_DESTROY, &surface[0])), OK);
	CHECK(unmaps == 1 && commands == 0);
}

TEST(an_answer_that_is_too_short_is_none)
{
	setup();
	struct surface *s = make(0);
	manner.answer_bytes = 1 + 23;
	CHECK_EQ(done(damage(s, 1, &whole)), ERR_IO);
	/* One that says more than there was room for is cut by the queue. */
	manner.answer_bytes = UINT32_MAX;
	CHECK_EQ(done(damage(s, 1, &whole)), OK);
	CHECK_EQ(failures, 0);
}

TEST(an_old_answer_is_not_taken_for_a_new_one)
{
	setup();
	struct surface *s = make(0);
	CHECK_EQ(done(damage(s, 1, &whole)), OK);
	/* It says that it is done, and wrote nothing. */
	manner.is_silent = true;
	struct display_job *j = damage(s, 1, &whole);
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;
	while (mock_next(&mock.queue[0], &head, piece, 4, &count))
		mock_use_raw(&mock.queue[0], head, 24);
	gpu_interrupt(gpu);
	CHECK_EQ(err_of(j), ERR_IO);
}

TEST(a_device_that_lies_costs_the_driver)
{
	setup();
	struct surface *s = make(0);
	manner.wrong_head = 7;
	struct display_job *j = damage(s, 1, &whole);
	settle();
	CHECK(failures == 1 && removes == 1 && gpu->is_gone);
	CHECK_EQ(err_of(j), ERR_NODEV);
	CHECK_EQ(done(start(SURFACE_DESTROY, s)), OK);
}

TEST(a_device_that_never_answers_costs_the_driver_and_nobody_waits_for_ever)
{
	setup();
	struct surface *s = make(0);
	manner.is_silent = true;
	struct display_job *j[6];
	struct display_rectangle r[DISPLAY_RECTANGLES_MAX];
	for (uint32_t i = 0; i < DISPLAY_RECTANGLES_MAX; i++)
		r[i] = (struct display_rectangle){ i, i, 1, 1 };
	for (uint32_t i = 0; i < 6; i++)
		j[i] = damage(s, DISPLAY_RECTANGLES_MAX, r);
	CHECK(timer);
	timer->fire(timer);
	/* What was answered before it began to wait does not count. */
	if (!failures)
		timer->fire(timer);
	CHECK(failures == 1 && gpu->is_gone);
	for (uint32_t i = 0; i < 6; i++)
		CHECK_EQ(err_of(j[i]), ERR_NODEV);
}

TEST(a_slow_device_is_waited_for)
{
	setup();
	struct surface *s = make(0);
	manner.is_lazy = true;
	for (int i = 0; i < 10; i++) {
		struct display_job *j = damage(s, 1, &whole), *next = damage(s, 1, &whole);
		manner.stop_after = commands + 2;
		settle();
		CHECK(err_of(j) == OK);
		timer->fire(timer);
		manner.stop_after = 0;
		CHECK_EQ(done(next), OK);
	}
	timer->fire(timer);
	CHECK(failures == 0 && !gpu->is_timing);
}

TEST(a_device_that_vanished_is_gone)
{
	setup();
	struct surface *s = make(0);
	manner.is_silent = true;
	struct display_job *j = damage(s, 1, &whole);
	mock.is_gone = true;
	gpu_interrupt(gpu);
	CHECK(removes == 1 && failures == 0);
	CHECK_EQ(err_of(j), ERR_NODEV);
	CHECK_EQ(done(damage(s, 1, &whole)), ERR_NODEV);
	gpu->display.ops->move(gpu, 0, (struct display_point){ 7, 8 });
	CHECK_EQ(done(start(SURFACE_DESTROY, s)), OK);
	CHECK_EQ(unmaps, 1);
	gpu_interrupt(gpu);
	CHECK_EQ(removes, 1);
}
