/* drivers/display/virtio_gpu/main.c - a virtio GPU, served by the display protocol. */
#include "drivers/display/virtio_gpu/jobs.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/sys.h"

/* How long the first client may have to wait for the outputs to be known; after that they are unconnected at first. */
#define OUTPUTS_NS 1000000000ull

static struct server server;
static struct device device;
static struct gpu gpu;
static struct driver_interrupt interrupt[2];

uint64_t gpu_now(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static void came(void *driver)
{
	gpu_interrupt(driver);
}

/* What was answered before there were interrupts is not told by one. After that the interrupt is only looked at: the loop takes it. */
static void outputs_wait(void)
{
	struct poll_entry p = { .handle = interrupt[0].watch.handle, .wanted = READY_READ };

	gpu_interrupt(&gpu);
	if (gpu.has_info)
		return;
	(void)sys_poll(0, HANDLE_NONE, &p, 1, gpu_now() + OUTPUTS_NS);
	gpu_interrupt(&gpu);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(gpu_open(&gpu, &device, &server));
	for (uint32_t i = 0; i < gpu.vectors; i++)
		TRY(driver_interrupt_add(&interrupt[i], &server, &device, i, came, &gpu));
	outputs_wait();
	return display_init(&gpu.display, &server);
}

int program_main(const struct startup *startup)
{
	err_t err = start();

	(void)startup;
	if (err) {
		print("virtio_gpu: cannot start: error %d\n", -err);
		return 1;
	}
	const struct display_output *first = &gpu.display.output[0].is;
	print("virtio_gpu: %u outputs, the first is %ux%u\n", gpu.display.output_count, first->size.width, first->size.height);
	err = server_run(&server);
	print("virtio_gpu: ended with error %d\n", -err);
	return 1;
}
