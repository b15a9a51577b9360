/* servers/screend/main.c - serves display:, the virtual screens.
 *
 * Handles: scheme, posix, state (screens_memory_bytes, that outlives us), font, ready, log; "attached:N". Environment: settings.h.
 */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/attached.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/tty/posix.h"
#include "servers/screend/screens.h"
#include "servers/screend/worker.h"

enum { FONT_BYTES_MAX = 256 * 1024, PAGE = 4096, WATCHES_MAX = OUTPUT_DRIVERS_MAX + 1 };
/* The text screens' memory has pointers into itself: every instance has it here. */
#define STATE_ADDRESS 0x7e0000000000ull

static struct server server;
static struct scheme scheme;
static struct screens screens;

/* ---- Memory ------------------------------------------------------------------------------------------------------------- */

static uint8_t *map(handle_t object, uint64_t offset, size_t bytes)
{
	int64_t at = sys_map(0, object, 0, bytes, MAP_READ | MAP_WRITE | MAP_SHARED, offset, HANDLE_NONE, 0);

	return at < 0 ? NULL : (uint8_t *)at;
}

static void unmap(uint8_t *at, size_t bytes)
{
	(void)sys_unmap(0, HANDLE_NONE, (uint64_t)at, (bytes + PAGE - 1) & ~(size_t)(PAGE - 1));
}

static err_t memory_make(size_t bytes, handle_t *object, uint8_t **pixels)
{
	char ref[32];

	fmt(ref, sizeof(ref), "new/%zu", bytes);
	TRY(handle_open("mem", ref, OPEN_READ | OPEN_WRITE, object));
	if ((*pixels = map(*object, 0, bytes)))
		return OK;
	handle_close(*object);
	return ERR_NOMEM;
}

static void memory_drop(handle_t object, uint8_t *pixels, size_t bytes)
{
	unmap(pixels, bytes);
	handle_close(object);
}

static int64_t object_bytes(handle_t object)
{
	struct mem_info info;
	/* It may be a client's, and not memory at all: only the kernel is asked. */
	int64_t n = sys_call(REQUEST_KERNEL, object, pack_handle(MEM_INFO, HANDLE_NONE, false), NULL, 0, &info, sizeof(info), 0);

	return n < 0 ? n : (int64_t)info.bytes;
}

/* ---- Drivers -------------------------------------------------------------------------------------------------------------- */

static struct server_watch watches[WATCHES_MAX];

static void driver_ready(struct server_watch *w, uint32_t found)
{
	/* It tells until it was asked, which the worker does: once is enough. */
	(void)found;
	server_set_watch(&server, w, 0);
	output_look_again(&screens.output);
}

static void watch(handle_t root, bool on)
{
	for (struct server_watch *w = watches; w < watches + WATCHES_MAX; w++) {
		if (on && w->ready == NULL) {
			server_add_watch(&server, w, root, READY_PRIORITY, driver_ready);
			worker_listen();
			return;
		}
		if (!on && w->ready && w->handle == root) {
			server_remove_watch(&server, w);
			w->ready = NULL;
			return;
		}
	}
}

static void root_close(handle_t h)
{
	watch(h, false);
	handle_close(h);
}

/* A driver that was asked about its outputs may tell of the next change. */
static void answered(struct output *o, struct driver_call *c)
{
	if (c->code == DISPLAY_OUTPUT)
		for (struct server_watch *w = watches; w < watches + WATCHES_MAX; w++)
			if (w->ready && w->handle == c->root)
				server_set_watch(&server, w, READY_PRIORITY);
	output_answered(o, c);
}

static void event(const struct input_event *e)
{
	screens_event(&screens, e);
}

static const struct screens_outside outside = {
	.memory_make = memory_make, .memory_drop = memory_drop, .object_bytes = object_bytes, .object_map = map, .object_unmap = unmap,
	.close = handle_close, .watch = watch,
};
static const struct output_outside output_outside = {
	.call = worker_call, .close = root_close, .changed = screens_output_changed, .draw = screens_draw, .drawn = screens_drawn,
	.failed = screens_output_failed,
};

static err_t take_attached(const char *instance, size_t bytes, uint32_t index, handle_t root)
{
	handle_t copy;

	(void)index;
	TRY(handle_dup(root, UINT64_MAX, &copy));
	watch(copy, true);
	err_t err = output_attach(&screens.output, instance, bytes, copy);
	if (err)
		root_close(copy);
	return err;
}

/* ---- Start ---------------------------------------------------------------------------------------------------------------- */

static err_t read_font(struct font *font)
{
	handle_t h = startup_handle("font");
	int64_t bytes = h == HANDLE_NONE ? ERR_NOENT : object_bytes(h);
	uint8_t *file;
	err_t err;

	if (bytes < 0)
		return (err_t)bytes;
	if (bytes > FONT_BYTES_MAX)
		return ERR_BADMSG;
	if (!(file = heap_alloc((size_t)bytes)))
		return ERR_NOMEM;
	if ((err = handle_read_at(h, file, (size_t)bytes, 0)) || (err = font_init(font, file, (size_t)bytes)))
		heap_free(file, (size_t)bytes);
	return err;
}

static void *map_state(void)
{
	handle_t h = startup_handle("state");
	int64_t bytes = h == HANDLE_NONE ? 0 : object_bytes(h);
	uint64_t wanted = (screens_memory_bytes() + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	if (bytes < 0 || (uint64_t)bytes < wanted) {
		print("screend: a state of %llu bytes is wanted; without it screens are lost when screend ends\n", (unsigned long long)wanted);
		h = HANDLE_NONE;
	}
	int64_t at = sys_map(0, h, STATE_ADDRESS, wanted, MAP_READ | MAP_WRITE | MAP_NOREPLACE | (h == HANDLE_NONE ? 0 : MAP_SHARED), 0, HANDLE_NONE, 0);
	return at < 0 ? NULL : (void *)at;
}

/* /dev/ttyN: to whom it belongs says the terminal itself. */
static void make_files(const struct settings *settings)
{
	struct file_owner owner = { 0, GROUP_TTY };
	char name[sizeof(owner) + 8];
	handle_t dev;

	if (handle_open("file", "dev", OPEN_PATH, &dev)) {
		print("screend: there is no /dev\n");
		return;
	}
	for (uint64_t n = 1; n <= DISPLAY_SCREENS; n++) {
		memcpy(name, &owner, sizeof(owner));
		size_t bytes = fmt(name + sizeof(owner), 8, "tty%llu", (unsigned long long)n);
		uint64_t device = (uint64_t)TTY_MAJOR << 20 | n;

		if (settings->kind[n - 1] == SCREEN_TEXT
		    && handle_call(dev, FILE_MKNOD, name + sizeof(owner), bytes, NULL, 0, (MODE_CHARACTER | 0620) | device << 32) >= 0)
			(void)!handle_call(dev, FILE_CHOWN, name, sizeof(owner) + bytes, NULL, 0, 0);
	}
	handle_close(dev);
}

static err_t start(void)
{
	static struct font font;
	struct settings settings;
	void *state = map_state();
	err_t err;

	if (!settings_read(&settings, startup_environment("SCREENS"), startup_environment("SWITCH")))
		print("screend: SCREENS or SWITCH make no sense: what is usual is used instead\n");
	if ((err = read_font(&font))) {
		print("screend: there is no font: error %d\n", -err);
		return err;
	}
	if (!state)
		return ERR_NOMEM;
	TRY(server_init(&server));
	TRY(server_add_scheme(&server, &scheme, NULL, &screens_ops, &screens));
	TRY(worker_start(&server, answered, event));
	screens_init(&screens, &scheme, tty_posix_init(startup_handle("posix")), &outside, &output_outside, &settings, &font, state);
	make_files(&settings);
	attached_take(take_attached);
	return server_run(&server);
}

int program_main(const struct startup *startup)
{
	(void)startup;
	print("screend: ended with error %d\n", -start());
	return 1;
}
