/* drivers/display/framebuffer/main.c - what the firmware set up to draw in, served by the display protocol.
 *
 * Handles: boot (sys:boot: where it is), phys (mem:phys). On a machine without one it has nothing to do, says so and ends.
 */
#include "abi/proto/kernel.h"
#include "drivers/display/framebuffer/screen.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct frame frame;

static err_t screen_map(const struct boot_framebuffer *f, uint8_t **pixels)
{
	struct mem_window window;
	uint64_t inside;
	handle_t h;

	TRY(screen_range(f, &window.offset, &window.bytes, &inside));
	TRY(handle_call_get(startup_handle("phys"), MEM_PHYSICAL, &window, sizeof(window), MEM_WRITE_COMBINING, &h));
	int64_t at = sys_map(0, h, 0, window.bytes, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	handle_close(h);
	if (at < 0)
		return (err_t)at;
	*pixels = (uint8_t *)at + inside;
	return OK;
}

static err_t start(struct boot_framebuffer *f)
{
	uint8_t *pixels;

	TRY(handle_read_at(startup_handle("boot"), f, sizeof(*f), offsetof(struct boot_info, framebuffer)));
	TRY(screen_map(f, &pixels));
	TRY(server_init(&server));
	screen_init(&frame, f, pixels);
	return display_init(&frame.display, &server);
}

int program_main(const struct startup *startup)
{
	struct boot_framebuffer f;
	err_t err = start(&f);

	(void)startup;
	if (err == ERR_NOENT) {
		startup_needless();
		return 0;
	}
	if (err) {
		print("framebuffer: cannot start: error %d\n", -err);
		return 1;
	}
	print("framebuffer: %ux%u\n", f.width, f.height);
	err = server_run(&server);
	print("framebuffer: ended with error %d\n", -err);
	return 1;
}
