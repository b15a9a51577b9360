/* drivers/block/virtio_blk/main.c - a virtio block device, served by the disk protocol. */
#include "drivers/block/virtio_blk/blk.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct blk blk;
static struct driver_interrupt interrupt[BLK_QUEUES_MAX + 1];

static void came(void *driver)
{
	blk_interrupt(driver);
}

static err_t interrupts_get(void)
{
	for (uint32_t i = 0; i < blk.vectors; i++)
		TRY(driver_interrupt_add(&interrupt[i], &server, &device, i, came, &blk));
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
