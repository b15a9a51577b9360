/* lib/ring/client_fuzz.c - a server that writes what it likes into its line and its replies, while a client goes on putting and taking. */
#include "abi/ops.h"
#include "lib/base/assert.h"
#include "lib/base/string.h"
#include "lib/ring/client.h"

enum { ENTRIES = 8, BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(64) uint8_t memory[BYTES];
	bool busy[ENTRIES] = { false };
	struct ring ring;
	struct ring_batch b;
	struct reply r;
	uint32_t in_flight = 0;

	memset(memory, 0, sizeof memory);
	ring_init(&ring, memory, BYTES, ENTRIES, busy);
	for (; size >= 4; data += 4, size -= 4) {
		struct reply *replies = (struct reply *)ring.replies;
		struct request q = { .op = OP_CALL, .tag = data[1] % (ENTRIES + 1) };
		switch (data[0] % 6) {
		case 0:
			in_flight += ring_put(&ring, &q) == OK;
			break;
		case 1:
			b = ring_batch_begin(&ring);
			for (uint32_t i = 0; i < data[2] % 4u; i++)
				in_flight += ring_batch_put_call(&b, (data[1] + i) % (ENTRIES + 1), data[3], 0);
			for (uint32_t i = 0; i < data[3] % 8u && ring_batch_take(&b, &r); i++, in_flight--)
				ASSERT(r.tag < ENTRIES && in_flight > 0);
			ring_batch_end(&b);
			break;
		case 2:
			if (ring_take(&ring, &r)) {
				ASSERT(r.tag < ENTRIES && in_flight > 0);
				in_flight--;
			}
			break;
		case 3:
			replies[data[1] % ENTRIES] = (struct reply){ .tag = data[2] % 10, .result = data[3] };
			break;
		case 4:
			/* Mostly a step that could be true. */
			atomic_store(&ring.header->replies_put, data[1] % 4 ? ring.taken + data[2] % 4 : data[2] | (uint32_t)data[3] << 24);
			break;
		default:
			memory[(data[1] | data[2] << 8) % BYTES] = data[3];
		}
		ASSERT(ring_in_flight(&ring) == in_flight && in_flight <= ENTRIES);
	}
	/* However it went, each request ends. */
	ring_lose(&ring, ERR_CONNRESET);
	for (uint32_t i = 0; i < in_flight; i++)
		ASSERT(ring_take(&ring, &r) && r.result < 0);
	ASSERT(!ring_take(&ring, &r));
	return 0;
}
