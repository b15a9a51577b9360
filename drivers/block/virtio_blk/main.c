/* drivers/block/virtio_blk/main.c - a virtio block device, served by the disk protocol. */
#include "drivers/block/virtio_blk/blk.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct blk blk;
static struct server_watch watch[BLK_QUEUES_MAX + 1];

static void came(struct server_watch *w, uint32_t found)
{
	uint64_t count;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof(count), -1) != sizeof(count))
		return;
	blk_interrupt(&blk);
	sys_write(0, w->handle, &count, sizeof(count), -1);
}

static err_t interrupts_get(void)
{
	handle_t h;

	for (uint32_t i = 0; i < blk.vectors; i++) {
		TRY(device_interrupt(&device, i, &h));
		server_add_watch(&server, &watch[i], h, READY_READ, came);
	}
	return OK;
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(blk_open(&blk, &device));
	TRY(interrupts_get());
	TRY(block_init(&server, &device));
	return block_add(&blk.disk, "vd", "0");
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("virtio_blk: cannot start: error %d\n", -err);
		return 1;
	}
	print("virtio_blk: %lu bytes, %u queues\n", (unsigned long)blk.disk.info.bytes, blk.queue_count);
	err = server_run(&server);
	print("virtio_blk: ended with error %d\n", -err);
	return 1;
}
