/* lib/block/start.c - what of a block driver's start is system calls: the state object, the device's memory, the scheme. */
#include "lib/base/try.h"
#include "lib/block/queue.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"

enum { POOL_BYTES = 1024 * 1024, PIECE_BYTES = 64 * 1024 };

uint64_t block_now(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

void block_sleep(uint64_t ns)
{
	(void)!sys_sleep(0, HANDLE_NONE, block_now() + ns);
}

err_t block_init(struct server *server, struct device *device)
{
	struct dma_memory memory;
	struct state *state;
	struct dma_keeper keeper;
	err_t err;

	if (!(state = state_map(sizeof(*state))))
		return ERR_NOMEM;
	TRY(dma_allocate(device, POOL_BYTES, PIECE_BYTES, 0, &memory));
	TRY(server_add_scheme(server, &block.scheme, NULL, &block_scheme_ops, NULL));
	block_setup(server, state, &memory);
	if (!(err = dma_keeper(device, &keeper)))
		direct_init(&block.direct, &keeper);
	if (err && err != ERR_OPNOTSUPP)
		return err;
	return OK;
}
