/* lib/ethernet/open.c - what of a program's card is system calls. */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/try.h"
#include "lib/ethernet/ethernet.h"
#include "lib/native/handle.h"

/* A driver that died is there again soon; one that dies each time it gets our memory is not worth more. */
enum { RETRIES_MAX = 20 };

/* The driver, perhaps the next one, gets the memory. */
static err_t pass(const struct ethernet *e)
{
	struct ethernet_setup setup = { .queue = e->queue, .entries = e->entries, .offloads = e->offloads };
	handle_t none;

	return result_error(sys_call_handle(0, e->handle, ETHERNET_RING, e->object, &setup, sizeof setup, NULL, 0, 0, &none));
}

/* Calls the driver. */
static err_t call(struct ethernet *e, uint64_t flags)
{
	int64_t result;

	for (uint32_t i = 0;; i++) {
		e->link = atomic_load_explicit(&e->ring->link, memory_order_acquire);
		result = handle_call(e->handle, ETHERNET_CALL, NULL, 0, NULL, 0, e->taken | flags | (uint64_t)e->link << ETHERNET_LINK_SHIFT);
		if (result != ERR_CONNRESET || i == RETRIES_MAX)
			return result_error(result);
		err_t err = pass(e);
		if (err && err != ERR_CONNRESET)
			return err;
	}
}

static err_t memory_make(struct ethernet *e, uint32_t entries, uint32_t buffers)
{
	size_t bytes = round_up(ethernet_buffers_offset(entries) + (size_t)buffers * ETHERNET_BUFFER_BYTES, 4096);
	handle_t object;
	char ref[32];

	fmt(ref, sizeof ref, "new/%lu", (unsigned long)bytes);
	TRY(handle_open("mem", ref, OPEN_READ | OPEN_WRITE, &object));
	int64_t at = sys_map(0, object, 0, bytes, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (at < 0) {
		handle_close(object);
		return (err_t)at;
	}
	ethernet_init(e, (uint8_t *)at, bytes, entries);
	e->object = object;
	return OK;
}

err_t ethernet_open(struct ethernet *e, const char *name, uint32_t queue, uint32_t entries, uint32_t buffers, uint32_t offloads)
{
	err_t err;

	if (buffers > ETHERNET_RING_BYTES_MAX / ETHERNET_BUFFER_BYTES || entries < ETHERNET_ENTRIES_MIN || entries > ETHERNET_ENTRIES_MAX)
		return ERR_INVAL;
	TRY(memory_make(e, entries, buffers));
	e->queue = queue;
	e->offloads = offloads;
	if ((err = handle_open("ethernet", name, OPEN_READ | OPEN_WRITE, &e->handle)) || (err = pass(e)))
		ethernet_close(e);
	return err;
}

void ethernet_close(struct ethernet *e)
{
	handle_close(e->handle);
	(void)sys_unmap(0, HANDLE_NONE, (uint64_t)e->base, e->bytes);
	handle_close(e->object);
	e->handle = e->object = HANDLE_NONE;
}

static bool has_news(const struct ethernet *e, bool for_room)
{
	return atomic_load_explicit(&e->ring->received_put, memory_order_relaxed) != e->taken || (for_room && e->put - ethernet_sent(e) <= e->entries / 2);
}

err_t ethernet_show(struct ethernet *e)
{
	return ethernet_publish(e) ? call(e, 0) : OK;
}

err_t ethernet_wait(struct ethernet *e, bool for_room)
{
	bool must_call = ethernet_publish(e);

	if (has_news(e, for_room))
		return must_call ? call(e, 0) : OK;
	return call(e, ETHERNET_WAIT | (for_room ? ETHERNET_ROOM : 0));
}

err_t ethernet_arm(struct ethernet *e, bool for_room)
{
	bool must_call = ethernet_publish(e);

	if (!has_news(e, for_room))
		TRY(call(e, ETHERNET_TELL | (for_room ? ETHERNET_ROOM : 0)));
	else if (must_call)
		TRY(call(e, 0));
	return has_news(e, for_room) ? ERR_AGAIN : OK;
}
