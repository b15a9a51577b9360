/* tests/native/edu.h - what drivers of QEMU's teaching device share: finding and claiming it, its registers, a transfer.
 *
 * The device computes factorials, interrupts, and moves memory. It answers a transfer some 100 ms later.
 */
#pragma once
#include "lib/base/string.h"
#include "lib/driver/driver.h"
#include "lib/driver/mmio.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

enum { EDU_ID = 0x00, EDU_LIVE = 0x04, EDU_FACTORIAL = 0x08, EDU_STATUS = 0x20, EDU_RAISE = 0x60, EDU_DONE = 0x64 };
enum { EDU_FROM = 0x80, EDU_TO = 0x88, EDU_COUNT = 0x90, EDU_START = 0x98, EDU_MEMORY = 0x40000 };
enum { STATUS_BUSY = 1, STATUS_INTERRUPTS = 0x80, START_RUN = 1, START_TO_MEMORY = 2, START_INTERRUPTS = 4 };
enum { PAGE = 4096, LIST_BYTES = 8192, ADDRESS_BYTES = 12, COMMAND = 4, COMMAND_MASTER = 4 };
#define PATIENCE_NS 5000000000ull

static char address[ADDRESS_BYTES + 1];
static struct device edu;
static struct device_bar bar;
static handle_t irq = HANDLE_NONE;

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

/* The address of the n-th in the list of pci:. */
static bool find(unsigned n_th)
{
	static char list[LIST_BYTES];
	handle_t h;

	if (handle_open("pci", "", OPEN_READ, &h))
		return false;
	int64_t n = sys_read(0, h, list, sizeof list - 1, 0);
	handle_close(h);
	for (int64_t i = 0; i < n; i++)
		if (memcmp(list + i, "1234:11e8", 9) == 0 && n_th-- == 0) {
			while (i > 0 && list[i - 1] != '\n')
				i--;
			memcpy(address, list + i, ADDRESS_BYTES);
			return true;
		}
	return false;
}

static err_t claim(handle_t *out)
{
	handle_t function;
	err_t err = handle_open("pci", address, OPEN_READ, &function);

	if (err)
		return err;
	err = handle_open_at(function, "claim", OPEN_READ | OPEN_WRITE, out);
	handle_close(function);
	return err;
}

static bool begin(void)
{
	handle_t h;

	return claim(&h) == OK && device_open_claim(&edu, h) == OK && device_map_bar(&edu, 0, &bar) == OK && device_interrupt(&edu, 0, &irq) == OK;
}

static void end(void)
{
	(void)sys_unmap(0, HANDLE_NONE, (uint64_t)bar.at, bar.bytes);
	handle_close(irq);
	device_close(&edu);
}

static bool interrupted(void)
{
	struct poll_entry p = { .handle = irq, .wanted = READY_READ };
	uint64_t count;

	if (sys_poll(0, HANDLE_NONE, &p, 1, now() + PATIENCE_NS) != 1 || sys_read(0, irq, &count, sizeof count, -1) != sizeof count)
		return false;
	mmio_write32(bar.at + EDU_DONE, UINT32_MAX);
	return sys_write(0, irq, &count, sizeof count, -1) == sizeof count;
}

static bool transfer(uint64_t from, uint64_t to, uint64_t bytes, uint32_t how)
{
	mmio_write64(bar.at + EDU_FROM, from);
	mmio_write64(bar.at + EDU_TO, to);
	mmio_write64(bar.at + EDU_COUNT, bytes);
	mmio_write64(bar.at + EDU_START, how | START_RUN | START_INTERRUPTS);
	return interrupted();
}
