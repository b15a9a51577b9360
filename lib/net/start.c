/* lib/net/start.c - what of a network driver is system calls: the state object, clients' memory, the scheme. */
#include "abi/proto/kernel.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"
#include "lib/net/card.h"

enum { PAGE = 4096 };

uint64_t net_now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }
uint64_t net_time(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_REALTIME_NS); }
void net_sleep(uint64_t ns) { (void)!sys_sleep(0, HANDLE_NONE, net_now() + ns); }

/* ---- Clients' memory ---- */

/* The device's address of each page. */
static err_t map_for_device(handle_t object, struct net_memory *m)
{
	static struct dma_piece piece[DMA_PIECES_MAX];
	uint32_t count, n = 0;

	TRY(dma_map(net.device, object, m->bytes, DMA_READ | DMA_WRITE, piece, DMA_PIECES_MAX, &count));
	if (!(m->page = heap_alloc(m->bytes / PAGE * sizeof(*m->page)))) {
		dma_unmap(net.device, piece[0].address);
		return ERR_NOMEM;
	}
	m->mapped = piece[0].address;
	for (uint32_t i = 0; i < count; i++)
		for (uint64_t at = 0; at < piece[i].bytes && n < m->bytes / PAGE; at += PAGE)
			m->page[n++] = piece[i].address + at;
	return OK;
}

err_t net_memory_map(handle_t object, uint32_t entries, bool needs_device, struct net_memory *out)
{
	struct mem_info info;
	err_t err;

	TRY(result_error(sys_call(REQUEST_KERNEL, object, pack_handle(MEM_INFO, HANDLE_NONE, false), NULL, 0, &info, sizeof(info), 0)));
	if (!ethernet_ring_fits(entries, info.bytes))
		return ERR_INVAL;
	TRY(result_error(handle_call(object, MEM_SEAL, NULL, 0, NULL, 0, info.bytes)));
	int64_t at = sys_map(0, object, 0, info.bytes, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_POPULATE, 0, HANDLE_NONE, 0);
	if (at < 0)
		return (err_t)at;
	*out = (struct net_memory){ .at = (uint8_t *)at, .bytes = info.bytes };
	if (needs_device && (err = map_for_device(object, out))) {
		(void)sys_unmap(0, HANDLE_NONE, (uint64_t)at, info.bytes);
		return err;
	}
	return OK;
}

void net_memory_unmap(struct net_memory *m)
{
	if (m->page) {
		dma_unmap(net.device, m->mapped);
		heap_free(m->page, m->bytes / PAGE * sizeof(*m->page));
	}
	(void)sys_unmap(0, HANDLE_NONE, (uint64_t)m->at, m->bytes);
}

/* ---- The start ---- */

err_t net_init(struct server *server, struct device *device, struct net_card *card)
{
	struct net_state *state;

	if (!(state = state_map(sizeof(*state))))
		return ERR_NOMEM;
	TRY(server_add_scheme(server, &net.scheme, NULL, &net_scheme_ops, NULL));
	net_setup(server, device, card, state);
	return OK;
}

err_t net_serve(void)
{
	net_restart();
	net_adopt();
	return OK;
}
