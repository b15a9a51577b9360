/* drivers/block/ahci/main.c - an AHCI controller, its disks served by the disk protocol. */
#include "drivers/block/ahci/ahci.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct ahci ahci;
static struct driver_interrupt interrupt;

static void came(void *driver)
{
	ahci_interrupt(driver);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &ahci));
	TRY(ahci_open(&ahci, &device));
	TRY(block_init(&server, &device));
	for (uint32_t i = 0; i < ahci.port_count; i++)
		TRY(block_add(&ahci.port[i].disk, "sd", ahci.port[i].name));
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("ahci: cannot start: error %d\n", -err);
		return 1;
	}
	print("ahci: %u disks\n", ahci.port_count);
	err = server_run(&server);
	print("ahci: ended with error %d\n", -err);
	return 1;
}
