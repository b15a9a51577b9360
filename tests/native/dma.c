/* tests/native/dma.c - memory for devices and interrupts by messages, as far as no device is needed; prints TAP. */
#include "abi/proto/dma.h"
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

enum { PAGE = 4096, APPEND_MAX = 1024, MESSAGES_MAX = 256 };

static handle_t keeper;

static int64_t append(handle_t object, uint64_t pages, uint64_t flags) { return handle_call(object, MEM_APPEND, NULL, 0, NULL, 0, pages | flags << 32); }

static int64_t keep(handle_t object, struct mem_keep k, struct dma_piece *piece)
{
	handle_t none;

	return sys_call_handle(0, keeper, MEM_KEEP, object, &k, sizeof k, piece, sizeof *piece, 0, &none);
}

static int64_t let_go(uint64_t number, uint64_t pages)
{
	struct mem_keep k = { .number = number, .pages = pages };

	return handle_call(keeper, MEM_KEEP, &k, sizeof k, NULL, 0, 0);
}

static handle_t object_new(void)
{
	handle_t h;

	return handle_open("mem", "new", OPEN_READ | OPEN_WRITE, &h) ? HANDLE_NONE : h;
}

static uint64_t memory_free(void)
{
	static struct system_info info;
	handle_t h;

	if (handle_open("sys", "info", OPEN_READ, &h))
		return 0;
	(void)handle_call(h, SYS_INFO, NULL, 0, &info, sizeof info, 0);
	handle_close(h);
	return info.free_bytes;
}

static void contiguous_pages_are_zeroed_and_the_objects(void)
{
	handle_t object = object_new();
	int64_t first = append(object, 3, DMA_32_BIT), second = append(object, 5, 0);

	CHECK(first > 0 && first % PAGE == 0 && first < 1ll << 32);
	CHECK(second > 0 && second % PAGE == 0);
	const uint64_t *at = (const uint64_t *)sys_map(0, object, 0, 8 * PAGE, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	for (size_t i = 0; i < 8 * PAGE / sizeof *at; i += 64)
		CHECK(at[i] == 0);
	CHECK(append(object, 0, 0) == ERR_INVAL);
	CHECK(append(object, APPEND_MAX + 1, 0) == ERR_INVAL);
	CHECK(handle_call(object, MEM_SEAL, NULL, 0, NULL, 0, 8 * PAGE) == OK);
	CHECK(append(object, 1, 0) == ERR_INVAL);
	sys_unmap(0, HANDLE_NONE, (uint64_t)at, 8 * PAGE);
	handle_close(object);
}

static void kept_pages_are_told_as_far_as_they_are_contiguous(void)
{
	handle_t object = object_new();
	int64_t first = append(object, 4, 0);
	struct dma_piece piece;

	CHECK(keep(object, (struct mem_keep){ .first = 1, .pages = 3, .number = 10, .access = DMA_WRITE }, &piece) == OK);
	CHECK(piece.address == (uint64_t)first + PAGE && piece.bytes == 3 * PAGE);
	CHECK(keep(object, (struct mem_keep){ .first = 0, .pages = 1, .number = 12, .access = DMA_WRITE }, &piece) == ERR_EXIST);
	CHECK(keep(object, (struct mem_keep){ .first = 3, .pages = 2, .number = 20, .access = DMA_WRITE }, &piece) == ERR_RANGE);
	CHECK(keep(object, (struct mem_keep){ .first = 3, .pages = 1, .number = 20, .access = DMA_WRITE }, &piece) == OK);
	CHECK(let_go(10, 3) == OK && let_go(20, 1) == OK && let_go(20, 1) == OK);
	CHECK(keep(object, (struct mem_keep){ .first = 0, .pages = 1, .number = 12, .access = DMA_WRITE }, &piece) == OK);
	CHECK(let_go(12, 1) == OK);
	handle_close(object);
}

static void what_is_kept_is_free_only_when_it_is_let_go(void)
{
	enum { SLACK = 1 << 20 };
	handle_t object = object_new();
	struct dma_piece piece;
	uint64_t before = memory_free();

	CHECK(append(object, APPEND_MAX, 0) > 0);
	CHECK(keep(object, (struct mem_keep){ .pages = APPEND_MAX, .number = 100, .access = DMA_WRITE }, &piece) == OK);
	handle_close(object);
	CHECK(memory_free() + APPEND_MAX * PAGE <= before + SLACK);
	CHECK(let_go(100, APPEND_MAX) == OK);
	CHECK(memory_free() + SLACK >= before);
}

static void what_is_kept_goes_with_its_object(void)
{
	enum { SLACK = 1 << 20 };
	handle_t object = object_new(), old = keeper, same;
	struct dma_piece piece;
	uint64_t before = memory_free();

	keeper = object_new();
	CHECK(handle_dup(keeper, RIGHT_ALL, &same) == OK);
	CHECK(append(object, APPEND_MAX, 0) > 0);
	CHECK(keep(object, (struct mem_keep){ .pages = APPEND_MAX, .number = 7, .access = DMA_WRITE }, &piece) == OK);
	handle_close(object);
	handle_close(keeper);
	CHECK(memory_free() + APPEND_MAX * PAGE <= before + SLACK);
	handle_close(same);
	keeper = old;
	CHECK(memory_free() + SLACK >= before);
}

static void who_may_not_write_has_no_device_write(void)
{
	struct mem_window window = { .offset = 0xfee00000, .bytes = PAGE };
	struct dma_piece piece;
	handle_t object = object_new(), reader, phys, device;

	CHECK(append(object, 1, 0) > 0);
	CHECK(handle_dup(object, RIGHT_READ | RIGHT_MAP | RIGHT_SEND, &reader) == OK);
	CHECK(keep(reader, (struct mem_keep){ .pages = 1, .number = 1, .access = DMA_WRITE }, &piece) == ERR_ACCES);
	CHECK(keep(reader, (struct mem_keep){ .pages = 1, .number = 1, .access = DMA_READ }, &piece) == OK);
	CHECK(let_go(1, 1) == OK);
	CHECK(keep(object, (struct mem_keep){ .pages = 0, .number = 1 }, &piece) == ERR_INVAL);
	CHECK(keep(object, (struct mem_keep){ .pages = 1, .number = UINT64_MAX }, &piece) == ERR_INVAL);
	CHECK(keep(object, (struct mem_keep){ .first = UINT64_MAX, .pages = 1, .number = 1 }, &piece) == ERR_INVAL);
	CHECK(handle_open("mem", "phys", OPEN_READ | OPEN_WRITE, &phys) == OK);
	CHECK(handle_call_get(phys, MEM_PHYSICAL, &window, sizeof window, MEM_UNCACHED, &device) == OK);
	CHECK(keep(device, (struct mem_keep){ .pages = 1, .number = 1, .access = DMA_WRITE }, &piece) == ERR_INVAL);
	handle_close(device);
	handle_close(phys);
	handle_close(reader);
	handle_close(object);
}

/* Whoever keeps pages does so for all drivers: a server or a pager that does not answer must not hold it up. */
static void what_a_server_has_is_not_waited_for(void)
{
	handle_t endpoint = (handle_t)sys_scheme(0, HANDLE_NONE, 0), object = object_new(), paged;
	struct dma_piece piece;

	CHECK(endpoint >= 0 && handle_call(object, MEM_RESIZE, NULL, 0, NULL, 0, PAGE) == OK);
	CHECK(sys_call_handle(0, object, MEM_PAGER, endpoint, NULL, 0, NULL, 0, 1, &paged) >= 0);
	CHECK(keep(paged, (struct mem_keep){ .pages = 1, .number = 1, .access = DMA_READ }, &piece) == ERR_INVAL);
	handle_close(paged);
	handle_close(object);
	handle_close(endpoint);
}

static void a_message_says_what_to_write_where(void)
{
	struct irq_mask none = { 0 }, memory = { .address = 0x200000 };
	struct irq_message message, other;
	handle_t h, second, passed;
	uint64_t count;

	CHECK(handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &h) == OK);
	CHECK(handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &second) == OK);
	CHECK(handle_call(h, IRQ_MESSAGE, &none, sizeof none, &message, sizeof message, 0) == OK);
	CHECK(handle_call(second, IRQ_MESSAGE, &none, sizeof none, &other, sizeof other, 0) == OK);
	CHECK(message.address >> 20 == 0xfee && other.address >> 20 == 0xfee && message.data != other.data);
	CHECK(handle_call(h, IRQ_MESSAGE, &memory, sizeof memory, &message, sizeof message, 0) == ERR_INVAL);
	CHECK(handle_dup(h, RIGHT_READ | RIGHT_WRITE | RIGHT_CALL, &passed) == OK);
	CHECK(handle_call(passed, IRQ_MESSAGE, &none, sizeof none, &message, sizeof message, 0) == ERR_ACCES);
	CHECK(sys_read(REQUEST_NONBLOCK, passed, &count, sizeof count, -1) == ERR_AGAIN);
	handle_close(passed);
	handle_close(second);
	handle_close(h);
}

static void messages_run_out_and_come_back(void)
{
	static handle_t held[MESSAGES_MAX];
	unsigned count = 0;
	err_t err = OK;

	while (count < MESSAGES_MAX && !(err = handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &held[count])))
		count++;
	CHECK(err == ERR_NOSPC && count >= 64);
	while (count-- > 0)
		handle_close(held[count]);
	CHECK(handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &held[0]) == OK);
	handle_close(held[0]);
}

int program_main(const struct startup *startup)
{
	(void)startup;
	keeper = object_new();
	run("contiguous pages are zeroed and the object's", contiguous_pages_are_zeroed_and_the_objects);
	run("kept pages are told as far as they are contiguous", kept_pages_are_told_as_far_as_they_are_contiguous);
	run("what is kept is free only when it is let go", what_is_kept_is_free_only_when_it_is_let_go);
	run("what is kept goes with its object", what_is_kept_goes_with_its_object);
	run("who may not write has no device write", who_may_not_write_has_no_device_write);
	run("what a server has is not waited for", what_a_server_has_is_not_waited_for);
	run("a message says what to write where", a_message_says_what_to_write_where);
	run("messages run out and come back", messages_run_out_and_come_back);
	print("1..%u\n", points);
	return failures != 0;
}
