/* tests/native/edu.c - a driver for QEMU's teaching device, which shows what pcid, iommud and lib/driver give one; prints TAP.
 *
 * The device computes factorials, interrupts, and moves memory. It answers a transfer some 100 ms later.
 */
#include "lib/base/string.h"
#include "lib/driver/driver.h"
#include "lib/driver/mmio.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

enum { EDU_ID = 0x00, EDU_LIVE = 0x04, EDU_FACTORIAL = 0x08, EDU_STATUS = 0x20, EDU_RAISE = 0x60, EDU_DONE = 0x64 };
enum { EDU_FROM = 0x80, EDU_TO = 0x88, EDU_COUNT = 0x90, EDU_START = 0x98, EDU_MEMORY = 0x40000 };
enum { STATUS_BUSY = 1, STATUS_INTERRUPTS = 0x80, START_RUN = 1, START_TO_MEMORY = 2, START_INTERRUPTS = 4 };
enum { PAGE = 4096, LIST_BYTES = 8192, ADDRESS_BYTES = 12, COMMAND = 4, COMMAND_MASTER = 4, STORM = 10000 };
#define PATIENCE_NS 5000000000ull
#define STORM_NS 60000000000ull

static char address[ADDRESS_BYTES + 1];
static struct device edu;
static struct device_bar bar;
static handle_t irq = HANDLE_NONE;

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

/* Its address in the list of pci:. */
static bool find(void)
{
	static char list[LIST_BYTES];
	handle_t h;

	if (handle_open("pci", "", OPEN_READ, &h))
		return false;
	int64_t n = sys_read(0, h, list, sizeof list - 1, 0);
	handle_close(h);
	for (int64_t i = 0; i < n; i++)
		if (memcmp(list + i, "1234:11e8", 9) == 0) {
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

static uint32_t command(void)
{
	uint32_t value = 0;
	handle_t function;

	if (handle_open("pci", address, OPEN_READ, &function) == OK) {
		(void)!handle_read_at(function, &value, 2, COMMAND);
		handle_close(function);
	}
	return value;
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

static void it_is_listed_and_claimed_by_one(void)
{
	handle_t first, second, none;
	struct device_info info;

	CHECK(find());
	CHECK(claim(&first) == OK);
	CHECK(claim(&second) == ERR_BUSY);
	CHECK(handle_call(first, DEVICE_INFO, NULL, 0, &info, sizeof info, 0) == OK);
	CHECK(info.vendor == 0x1234 && info.device == 0x11e8 && info.bar_bytes[0] == 1 << 20 && info.interrupts == 1 && info.claimed_by != 0);
	CHECK(handle_call_get(first, DEVICE_REGISTERS, NULL, 0, 1, &none) == ERR_NOENT);
	CHECK(handle_call_get(first, DEVICE_REGISTERS, NULL, 0, 99, &none) == ERR_NOENT);
	CHECK(handle_call_get(first, DEVICE_INTERRUPT, NULL, 0, 1, &none) == ERR_NOENT);
	CHECK(handle_write_at(first, &info, 4, 0) != OK);
	handle_close(first);
	CHECK(claim(&second) == OK);
	handle_close(second);
}

static void its_registers_answer(void)
{
	uint32_t id = 0;

	CHECK(begin());
	CHECK(device_config(&edu, 0, 4, &id) == OK && id == 0x11e81234);
	CHECK(device_config(&edu, edu.info.config_bytes, 4, &id) == ERR_INVAL);
	CHECK((mmio_read32(bar.at + EDU_ID) & 0xff) == 0xed);
	mmio_write32(bar.at + EDU_LIVE, 0x12345678);
	CHECK(mmio_read32(bar.at + EDU_LIVE) == ~0x12345678u);
	end();
}

static void it_computes_and_interrupts(void)
{
	CHECK(begin());
	for (int i = 0; i < 20; i++) {
		mmio_write32(bar.at + EDU_STATUS, STATUS_INTERRUPTS);
		mmio_write32(bar.at + EDU_FACTORIAL, 10);
		CHECK(interrupted());
		CHECK(mmio_read32(bar.at + EDU_FACTORIAL) == 3628800);
	}
	end();
}

static bool transfer(uint64_t from, uint64_t to, uint64_t bytes, uint32_t how)
{
	mmio_write64(bar.at + EDU_FROM, from);
	mmio_write64(bar.at + EDU_TO, to);
	mmio_write64(bar.at + EDU_COUNT, bytes);
	mmio_write64(bar.at + EDU_START, how | START_RUN | START_INTERRUPTS);
	return interrupted();
}

static void it_moves_memory(void)
{
	struct dma_memory one, other;
	size_t run;

	CHECK(begin());
	CHECK(dma_allocate(&edu, PAGE, 0, DMA_32_BIT, &one) == OK);
	CHECK(dma_allocate(&edu, 3 * PAGE, 0, DMA_32_BIT | DMA_WHOLE, &other) == OK);
	CHECK(other.piece_count == 1 && other.piece[0].bytes == 3 * PAGE);
	CHECK(dma_address(&other, PAGE + 8, &run) == other.piece[0].address + PAGE + 8 && run == 2 * PAGE - 8);
	for (unsigned i = 0; i < PAGE; i++)
		one.at[i] = (uint8_t)(i * 7 + i / 256);
	CHECK(transfer(dma_address(&one, 0, NULL), EDU_MEMORY, PAGE - 8, 0));
	CHECK(transfer(EDU_MEMORY, dma_address(&other, PAGE, NULL), PAGE - 8, START_TO_MEMORY));
	CHECK(memcmp(one.at, other.at + PAGE, PAGE - 8) == 0);
	CHECK(other.at[0] == 0 && other.at[PAGE - 1] == 0 && other.at[2 * PAGE - 8] == 0);
	dma_free(&edu, &one);
	dma_free(&edu, &other);
	end();
}

static void requests_for_memory_are_checked(void)
{
	struct dma_memory m;
	struct dma_piece piece[2];
	struct dma_window window = { .bytes = PAGE };
	handle_t object, none;

	CHECK(begin());
	CHECK(dma_allocate(&edu, 0, 0, 0, &m) == ERR_INVAL);
	CHECK(dma_allocate(&edu, 1ull << 40, 0, 0, &m) == ERR_INVAL);
	CHECK(dma_allocate(&edu, PAGE, 3 * PAGE, 0, &m) == ERR_INVAL || edu.info.is_isolated);
	CHECK(dma_allocate(&edu, 300 * PAGE, 16 * PAGE, 0, &m) == OK);
	for (uint32_t i = 0; i + 1 < m.piece_count; i++)
		CHECK(m.piece[i].bytes >= 16 * PAGE);
	dma_free(&edu, &m);
	CHECK(handle_open("mem", "new/16384", OPEN_READ | OPEN_WRITE, &object) == OK);
	CHECK(sys_call_handle(0, edu.dma, DMA_MAP, object, &window, sizeof window, piece, sizeof piece, DMA_READ | DMA_WRITE, &none) == 1);
	CHECK(handle_call(edu.dma, DMA_UNMAP, NULL, 0, NULL, 0, piece[0].address + PAGE) == ERR_NOENT);
	CHECK(handle_call(edu.dma, DMA_UNMAP, NULL, 0, NULL, 0, piece[0].address) == OK);
	CHECK(handle_call(edu.dma, DMA_UNMAP, NULL, 0, NULL, 0, piece[0].address) == ERR_NOENT);
	window.offset = 1;
	CHECK(sys_call_handle(0, edu.dma, DMA_MAP, object, &window, sizeof window, piece, sizeof piece, DMA_READ, &none) == ERR_INVAL);
	window.offset = 1 << 20;
	CHECK(sys_call_handle(0, edu.dma, DMA_MAP, object, &window, sizeof window, piece, sizeof piece, DMA_READ, &none) == ERR_RANGE);
	handle_close(object);
	end();
}

static void it_is_stopped_when_its_driver_is_gone(void)
{
	struct dma_memory m;
	handle_t h;

	CHECK(claim(&h) == OK && device_open_claim(&edu, h) == OK);
	CHECK(!(command() & COMMAND_MASTER));
	CHECK(dma_allocate(&edu, PAGE, 0, 0, &m) == OK);
	CHECK(command() & COMMAND_MASTER);
	device_close(&edu);
	CHECK(!(command() & COMMAND_MASTER));
}

static void a_storm_is_masked_and_said(void)
{
	struct poll_entry p;
	uint64_t count;

	CHECK(begin());
	p = (struct poll_entry){ .handle = irq, .wanted = READY_READ };
	/* Those that come while one waits to be taken by the CPU are one with it. */
	for (uint64_t until = now() + STORM_NS; !(p.found & READY_ERROR) && now() < until; (void)sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NOW))
		for (int i = 0; i < STORM / 10; i++)
			mmio_write32(bar.at + EDU_RAISE, 1);
	CHECK(p.found & READY_ERROR);
	CHECK(sys_read(REQUEST_NONBLOCK, irq, &count, sizeof count, -1) == ERR_IO);
	CHECK(sys_write(0, irq, &count, sizeof count, -1) == ERR_IO);
	end();
	CHECK(begin());
	mmio_write32(bar.at + EDU_DONE, UINT32_MAX);
	mmio_write32(bar.at + EDU_RAISE, 1);
	CHECK(interrupted());
	end();
}

int program_main(const struct startup *startup UNUSED)
{
	run("it is listed, and claimed by one", it_is_listed_and_claimed_by_one);
	run("its registers answer", its_registers_answer);
	run("it computes and interrupts", it_computes_and_interrupts);
	run("it moves memory", it_moves_memory);
	run("requests for memory are checked", requests_for_memory_are_checked);
	run("it is stopped when its driver is gone", it_is_stopped_when_its_driver_is_gone);
	run("a storm is masked and said", a_storm_is_masked_and_said);
	print("1..%u\n", points);
	return failures != 0;
}
