/* drivers/net/virtio_net/main.c - a virtio network device, served by the ethernet protocol. */
#include "drivers/net/virtio_net/vnet.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct device device;
static struct vnet vnet;
static struct driver_interrupt interrupt[ETHERNET_QUEUES_MAX + 1];

static void came(void *driver)
{
	const struct driver_interrupt *i = driver;

	vnet_interrupt(&vnet, (uint32_t)(i - interrupt));
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(vnet_open(&vnet, &device));
	for (uint32_t i = 0; i < vnet.vectors; i++)
		TRY(driver_interrupt_add(&interrupt[i], &server, &device, i, came, &interrupt[i]));
	TRY(net_init(&server, &device, &vnet.card));
	return net_serve();
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("virtio_net: cannot start: error %d\n", -err);
		return 1;
	}
	err = server_run(&server);
	print("virtio_net: ended with error %d\n", -err);
	return 1;
}
