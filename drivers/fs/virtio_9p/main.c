/* drivers/fs/virtio_9p/main.c - host: a folder of the host, in the guest as /host. */
#include "abi/proto/file.h"
#include "drivers/fs/virtio_9p/job.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"

#define LOOK_NS 5000000000ull

static struct server server;
static struct scheme scheme;
static struct device device;
static struct link host;
static struct driver_interrupt interrupt;
static struct server_timer timer;

static void came(void *driver)
{
	if (!link_interrupt(driver))
		driver_fail("virtio_9p: the device is gone, or does not make sense");
	jobs_run();
}

static void look(struct server_timer *t)
{
	if (link_is_stuck(&host))
		driver_fail("virtio_9p: the host does not answer");
	server_timer_set(&server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + LOOK_NS);
}

/* The tag says where: "host" is /host, with a directory of that name in the root's tree; others are reached by their schemes. */
static void place_make(char *mount, size_t bytes)
{
	handle_t root = startup_handle("place");

	fmt(mount, bytes, strcmp(host.tag, "host") ? "/scheme/%s" : "/%s", host.tag[0] ? host.tag : "host");
	if (root == HANDLE_NONE || strcmp(mount, "/host"))
		return;
	(void)!handle_call(root, FILE_MKDIR, "host", 4, NULL, 0, 0755);
	(void)!handle_call(root, FILE_MOUNT, "host", 4, NULL, 0, 1);
}

static err_t start(void)
{
	char mount[SHARE_MOUNT_MAX + 1];
	struct records *records;

	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(link_open(&host, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &host));
	if (!(records = state_map(sizeof(*records))))
		return ERR_NOMEM;
	TRY(server_add_scheme(&server, &scheme, NULL, &share_ops, NULL));
	map_init(startup_handle("blank"));
	place_make(mount, sizeof(mount));
	TRY(jobs_start(&server, &scheme, &host, records, mount));
	server_timer_init(&timer, look);
	look(&timer);
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("virtio_9p: cannot start: error %d\n", -err);
		return 1;
	}
	print("virtio_9p: the host's folder \"%s\"\n", host.tag);
	err = server_run(&server);
	print("virtio_9p: ended with error %d\n", -err);
	return 1;
}
