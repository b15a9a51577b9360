/* drivers/block/ahci/main.c - an AHCI controller, its disks served by the disk protocol. */
#include "drivers/block/ahci/ahci.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct ahci ahci;
static struct server_watch watch;

static void came(struct server_watch *w, uint32_t found)
{
	uint64_t count;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof(count), -1) != sizeof(count))
		return;
	ahci_interrupt(&ahci);
	sys_write(0, w->handle, &count, sizeof(count), -1);
}

static err_t start(void)
{
	handle_t interrupt;

	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(device_interrupt(&device, 0, &interrupt));
	TRY(ahci_open(&ahci, &device));
	server_add_watch(&server, &watch, interrupt, READY_READ, came);
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
