/* tests/native/edu.c - a driver for QEMU's teaching device shows what pcid, iommud and lib/driver give one; prints TAP. */
#include "tests/native/child.h"
#include "tests/native/edu.h"

enum { STORM = 10000, DEATHS = 3, FRESH_BYTES = 16 << 20 };
#define STORM_NS 60000000000ull
#define TRANSFER_NS 250000000ull

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

static void it_is_listed_and_claimed_by_one(void)
{
	handle_t first, second, none;
	struct device_info info;

	CHECK(find(0));
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

/* A driver as init starts one: it has its device, and no name to open anything by. It ends while the device works. */
static int die_in_transfer(void)
{
	struct dma_memory m;

	if (device_open(&edu, "device") || device_map_bar(&edu, 0, &bar) || dma_allocate(&edu, PAGE, 0, DMA_32_BIT, &m))
		return 1;
	mmio_write64(bar.at + EDU_FROM, EDU_MEMORY);
	mmio_write64(bar.at + EDU_TO, dma_address(&m, 0, NULL));
	mmio_write64(bar.at + EDU_COUNT, PAGE - 8);
	mmio_write64(bar.at + EDU_START, START_RUN | START_TO_MEMORY);
	return 0;
}

static bool is_zero(const uint64_t *at, size_t bytes)
{
	for (size_t i = 0; i < bytes / sizeof *at; i++)
		if (at[i])
			return false;
	return true;
}

static void a_driver_that_dies_in_mid_transfer_harms_nobody(void)
{
	for (int i = 0; i < DEATHS; i++) {
		handle_t h;
		CHECK(claim(&h) == OK);
		handle_t child = child_start("die", "", "device", h);
		handle_close(h);
		child_wait(child);
		child_stop(child);
		/* Whoever gets its memory now keeps it as it is. */
		int64_t fresh = sys_map(0, HANDLE_NONE, 0, FRESH_BYTES, MAP_READ | MAP_WRITE | MAP_POPULATE, 0, HANDLE_NONE, 0);
		CHECK(fresh > 0);
		sys_sleep(0, HANDLE_NONE, now() + TRANSFER_NS);
		CHECK(is_zero((const uint64_t *)fresh, FRESH_BYTES));
		(void)sys_unmap(0, HANDLE_NONE, (uint64_t)fresh, FRESH_BYTES);
	}
	CHECK(begin());
	mmio_write32(bar.at + EDU_STATUS, STATUS_INTERRUPTS);
	mmio_write32(bar.at + EDU_FACTORIAL, 5);
	CHECK(interrupted() && mmio_read32(bar.at + EDU_FACTORIAL) == 120);
	end();
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return die_in_transfer();
	if (!child_image_open())
		return 1;
	run("it is listed, and claimed by one", it_is_listed_and_claimed_by_one);
	run("its registers answer", its_registers_answer);
	run("it computes and interrupts", it_computes_and_interrupts);
	run("it moves memory", it_moves_memory);
	run("requests for memory are checked", requests_for_memory_are_checked);
	run("it is stopped when its driver is gone", it_is_stopped_when_its_driver_is_gone);
	run("a driver that dies in mid-transfer harms nobody", a_driver_that_dies_in_mid_transfer_harms_nobody);
	run("a storm is masked and said", a_storm_is_masked_and_said);
	print("1..%u\n", points);
	return failures != 0;
}
