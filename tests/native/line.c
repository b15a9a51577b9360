/* tests/native/line.c - `line ADDRESS`: a PCI serial port, which has nothing but an interrupt line, interrupts by the line that it was given; prints TAP. */
#include "lib/driver/driver.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

/* 16550 */
enum { SERIAL_DATA = 0, SERIAL_ENABLE = 1, SERIAL_CAUSE = 2, ENABLE_EMPTY = 2, CAUSE_EMPTY = 2, ROUNDS = 20 };
#define PATIENCE_NS 5000000000ull

static struct device device;
static struct device_bar bar;
static handle_t irq;

static void claimed(void)
{
	handle_t function = HANDLE_NONE, claim = HANDLE_NONE;

	CHECK(startup_argument(1) && handle_open("pci", startup_argument(1), OPEN_READ, &function) == OK);
	CHECK(handle_open_at(function, "claim", OPEN_READ | OPEN_WRITE, &claim) == OK);
	CHECK(device_open_claim(&device, claim) == OK);
	CHECK(device_map_bar(&device, 0, &bar) == OK && !bar.at);
	CHECK(device_interrupt(&device, 0, &irq) == OK);
}

static uint8_t port_read(uint64_t at)
{
	uint8_t value = 0;

	CHECK(handle_read_at(bar.ports, &value, 1, at) == OK);
	return value;
}

static void port_write(uint64_t at, uint8_t value) { CHECK(handle_write_at(bar.ports, &value, 1, at) == OK); }

static bool has_come(uint64_t patience_ns)
{
	struct poll_entry wait = { .handle = irq, .wanted = READY_READ };

	return sys_poll(0, HANDLE_NONE, &wait, 1, now_ns() + patience_ns) > 0;
}

static void quiet_until_it_is_told(void)
{
	uint64_t count;

	/* Whoever had it before may have left it speaking. */
	port_write(SERIAL_ENABLE, 0);
	while (has_come(1000000) && sys_read(0, irq, &count, sizeof count, -1) == sizeof count)
		CHECK(sys_write(0, irq, &count, sizeof count, -1) == sizeof count);
	CHECK(!has_come(100000000));
}

/* Level-triggered: it stays until its cause is read. */
static void each_byte_that_went_interrupts_once(void)
{
	uint64_t count;

	port_write(SERIAL_ENABLE, ENABLE_EMPTY);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(has_come(PATIENCE_NS));
		CHECK(sys_read(0, irq, &count, sizeof count, -1) == sizeof count && count == 1);
		CHECK((port_read(SERIAL_CAUSE) & 0xf) == CAUSE_EMPTY);
		CHECK(sys_write(0, irq, &count, sizeof count, -1) == sizeof count);
		CHECK(!has_come(1000000));
		port_write(SERIAL_DATA, 'x');
	}
}

int program_main(const struct startup *startup UNUSED)
{
	print_redirect(startup_handle("stdout"));
	run("a port is claimed, with its line", claimed);
	run("it is quiet until it is told to speak", quiet_until_it_is_told);
	run("it interrupts by that line, once for each byte", each_byte_that_went_interrupts_once);
	print("1..%u\n", points);
	return failures != 0;
}
