/* drivers/block/nvme/main.c - an NVMe controller, its namespaces served by the disk protocol. */
#include "drivers/block/nvme/nvme.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct nvme nvme;
static struct driver_interrupt interrupt[NVME_QUEUES_MAX + 1];

static void came(void *driver)
{
	nvme_interrupt(driver);
}

static err_t interrupts_get(void)
{
	for (uint32_t i = 0; i < nvme_vectors(&device); i++)
		TRY(driver_interrupt_add(&interrupt[i], &server, &device, i, came, &nvme));
	return OK;
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(interrupts_get());
	TRY(nvme_open(&nvme, &device));
	TRY(block_init(&server, &device));
	for (uint32_t i = 0; i < nvme.space_count; i++)
		TRY(block_add(&nvme.space[i].disk, "nvme", nvme.space[i].name));
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("nvme: cannot start: error %d\n", -err);
		return 1;
	}
	print("nvme: %u namespaces, %u queues\n", nvme.space_count, nvme.io_count);
	err = server_run(&server);
	print("nvme: ended with error %d\n", -err);
	return 1;
}
