/* drivers/random/virtio_rng/main.c - brings randd the host's random bytes: at the start, and then every minute. */
#include "drivers/random/virtio_rng/rng.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/interrupt.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/sys.h"
#include "lib/scheme/scheme.h"

#define PERIOD_NS 60000000000ull

static struct server server;
static struct driver_interrupt interrupt;
static struct server_timer timer;
static struct device device;
static struct rng rng;
static handle_t source;

static void came(void *driver)
{
	uint8_t bytes[RNG_BYTES];
	size_t taken;

	while ((taken = rng_take(driver, bytes)) > 0)
		(void)!sys_write(0, source, bytes, taken, -1);
	memset(bytes, 0, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
	if (rng.is_gone)
		server_stop(&server);
}

static void ask(struct server_timer *t)
{
	rng_ask(&rng);
	server_timer_set(&server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + PERIOD_NS);
}

static err_t start(void)
{
	TRY(server_init(&server));
	TRY(device_open(&device, "device"));
	TRY(rng_open(&rng, &device));
	TRY(driver_interrupt_add(&interrupt, &server, &device, 0, came, &rng));
	server_timer_init(&timer, ask);
	ask(&timer);
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	if ((source = startup_handle("source")) == HANDLE_NONE) {
		print("virtio_rng: nobody to bring random bytes to\n");
		return 1;
	}
	if ((err = start()))
		print("virtio_rng: cannot start: error %d\n", -err);
	else
		err = server_run(&server);
	return err ? 1 : 0;
}
