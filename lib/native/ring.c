/* lib/native/ring.c - rings opened, waited for and closed; what is done for each request is lib/ring/client.h. */
#include "lib/native/ring.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#if defined(__x86_64__)
#include "lib/native/arch/x86_64/pause.h"
#endif

/* How often to look for a reply of a server that is awake before sleeping: about the time of a switch. */
enum { PATIENCE_MAX = 2048, PATIENCE_FIRST = 128, PATIENCE_MIN = 16 };

static err_t object_make(size_t bytes, handle_t *out)
{
	char ref[32];

	fmt(ref, sizeof(ref), "new/%lu", (unsigned long)bytes);
	return handle_open("mem", ref, OPEN_READ | OPEN_WRITE, out);
}

err_t ring_open(struct ring *r, handle_t h, uint32_t entries, size_t data_bytes)
{
	handle_t object;
	bool *is_busy;
	err_t err;

	if (data_bytes > RING_BYTES_MAX || !ring_entries_fit(entries, RING_BYTES_MAX))
		return ERR_INVAL;
	size_t bytes = round_up(ring_data_offset(entries) + data_bytes, 4096);
	TRY(object_make(bytes, &object));
	int64_t base = sys_map(0, object, 0, bytes, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (base < 0) {
		err = (err_t)base;
		goto close;
	}
	if (!(is_busy = heap_alloc(entries * sizeof(*is_busy)))) {
		err = ERR_NOMEM;
		goto unmap;
	}
	if ((err = result_error(handle_call_pass(h, RING_OPEN, object, entries))))
		goto free;
	ring_init(r, (void *)base, bytes, entries, is_busy);
	r->handle = h;
	r->object = object;
	r->patience = PATIENCE_FIRST;
	return OK;

free:
	heap_free(is_busy, entries * sizeof(*is_busy));
unmap:
	sys_unmap(0, HANDLE_NONE, (uint64_t)base, bytes);
close:
	handle_close(object);
	return err;
}

static void area_free(struct ring *r)
{
	heap_free(r->is_busy, r->entries * sizeof(*r->is_busy));
	sys_unmap(0, HANDLE_NONE, (uint64_t)r->header, r->bytes);
	handle_close(r->object);
}

err_t ring_resize(struct ring *r, uint32_t entries, size_t data_bytes)
{
	struct ring fresh;

	if (ring_in_flight(r))
		return ERR_BUSY;
	TRY(ring_open(&fresh, r->handle, entries, data_bytes));
	area_free(r);
	*r = fresh;
	return OK;
}

void ring_close(struct ring *r)
{
	handle_call(r->handle, RING_OPEN, NULL, 0, NULL, 0, 0);
	area_free(r);
}

/* The doorbell: the server takes what was put. An error of the server's, or none there: the ring is lost. */
static err_t call(struct ring *r, uint32_t request_flags, uint64_t word)
{
	int64_t result = sys_call(request_flags, r->handle, pack_handle(RING_WAIT, HANDLE_NONE, false), NULL, 0, NULL, 0, word);

	if (result == ERR_INTR)
		return ERR_INTR;
	if (result < 0)
		ring_lose(r, (err_t)result);
	return OK;
}

void ring_submit(struct ring *r)
{
	if (!r->lost && ring_show(r))
		(void)!call(r, 0, r->taken | RING_NO_WAIT);
}

static bool has_reply(const struct ring *r)
{
	return r->lost || atomic_load_explicit(&r->header->replies_put, memory_order_relaxed) != r->taken;
}

/* The server is awake: it may be quicker than a call. A patience that did not pay gets shorter. */
static bool await_briefly(struct ring *r)
{
	for (uint32_t i = 0; i < r->patience; i++) {
		if (has_reply(r)) {
			r->patience = MIN_OF(r->patience * 2, (uint32_t)PATIENCE_MAX);
			return true;
		}
		cpu_pause();
	}
	r->patience = MAX_OF(r->patience / 2, (uint32_t)PATIENCE_MIN);
	return false;
}

err_t ring_wait(struct ring *r, uint32_t request_flags)
{
	if (ring_in_flight(r) == 0)
		return ERR_NODATA;
	if (r->lost)
		return OK;
	bool is_asleep = ring_show(r);
	if (has_reply(r) || (!is_asleep && await_briefly(r)))
		return OK;
	while (!has_reply(r))
		TRY(call(r, request_flags, r->taken));
	return OK;
}

err_t ring_arm(struct ring *r)
{
	ring_publish(&r->header->requests_put, r->put);
	if (!has_reply(r))
		TRY(call(r, 0, r->taken | RING_TELL));
	return has_reply(r) ? ERR_AGAIN : OK;
}

err_t ring_cancel(struct ring *r, uint32_t tag)
{
	ring_publish(&r->header->requests_put, r->put);
	return result_error(handle_call(r->handle, RING_CANCEL, NULL, 0, NULL, 0, tag));
}
