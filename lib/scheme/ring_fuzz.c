/* lib/scheme/ring_fuzz.c - a client that writes what it likes into a ring's memory, calls and closes, against a server that keeps requests. */
#include "lib/base/assert.h"
#include "lib/base/heap.h"
#include "lib/base/string.h"
#include "lib/scheme/ring.h"

enum { ENTRIES = 8, BYTES = 8192, DATA_AT = 128 + ENTRIES * 80, GUARD = 4096, KEPT = 32 };

static uint8_t memory[BYTES + GUARD];
static struct scheme_deferred kept[KEPT];
static bool is_kept[KEPT];
static char thing;

static err_t area_map(handle_t object, uint32_t entries, void **base, size_t *bytes)
{
	(void)object;
	if (!ring_entries_fit(entries, BYTES))
		return ERR_INVAL;
	*base = memory;
	*bytes = BYTES;
	return OK;
}

static void area_unmap(void *base, size_t bytes) { ASSERT(base == memory && bytes == BYTES); }
static void area_close(handle_t h) { ASSERT(h == 77); }
static void area_answer(struct scheme *s, uint32_t tag, int64_t result) { ASSERT(s && tag && result <= 0); }
static void area_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask) { ASSERT(s && id && !(ready & ~mask)); }
static const struct scheme_area area = {
	.map = area_map, .unmap = area_unmap, .close = area_close, .answer = area_answer, .notify = area_notify,
};

static int64_t thing_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	r->opened = &thing;
	return OK;
}

static int64_t thing_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	size_t n = r->out_room < bytes ? r->out_room : bytes;

	memset(r->out, (int)offset, n);
	return (int64_t)n;
}

static int64_t thing_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	uint8_t sum = (uint8_t)offset;

	ASSERT(r->in_here <= bytes && r->in[r->in_here] == 0);
	for (size_t i = 0; i < r->in_here; i++)
		sum += r->in[i];
	return sum;
}

static void answer(struct scheme_deferred *d, int64_t result, size_t bytes)
{
	static const uint8_t data[BYTES];

	list_remove(&d->link);
	is_kept[d - kept] = false;
	if (!d->ring)
		return;
	scheme_ring_answer(d, &(struct scheme_answer){ .result = result, .data = data, .bytes = bytes < BYTES ? bytes : BYTES, .handle = HANDLE_NONE });
	scheme_ring_let_go(d->ring);
}

static int64_t thing_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	ASSERT(r->open == &thing && r->reply_handle == HANDLE_NONE && r->out_bytes == 0);
	switch (code % 5) {
	case 0:
		for (uint32_t i = 0; i < KEPT; i++)
			if (!is_kept[i]) {
				is_kept[i] = true;
				return scheme_defer(r, &kept[i]);
			}
		return ERR_NOMEM;
	case 1:
		if (is_kept[word % KEPT])
			answer(&kept[word % KEPT], 5, word % 100);
		return 0;
	case 2:
		r->reply_handle = 77;
		r->reply_flags = REPLY_HANDLE;
		return 0;
	case 3:
		return scheme_out(r, r->in, r->in_here);
	default:
		return (int64_t)word;
	}
}

static void thing_cancel(struct scheme_deferred *d) { answer(d, ERR_INTR, 0); }

static const struct scheme_ops ops = {
	.open = thing_open, .read = thing_read, .write = thing_write, .call = thing_call, .cancel = thing_cancel,
};

static void turns(struct scheme *s)
{
	struct scheme_ring *g, *next;

	list_each_safe(g, next, &s->rings, link) {
		if (g->is_awake)
			scheme_ring_turn(g);
		ASSERT(g->kept <= g->entries);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t in[SCHEME_BUFFER_BYTES + 1], out[SCHEME_BUFFER_BYTES];
	struct scheme s = { .ops = &ops, .area = &area };
	struct scheme_answer a;
	struct message m = { .request = { .op = OP_OPEN }, .handle = HANDLE_NONE };

	ids_init(&s.ids, 5);
	list_init(&s.deferred);
	list_init(&s.rings);
	memset(memory, 0, sizeof memory);
	memset(is_kept, 0, sizeof is_kept);
	scheme_dispatch(&s, &m, in, out, &a);
	uint64_t id = a.opened_id;
	for (; size >= 8 && id; data += 8, size -= 8) {
		struct ring_header *h = (struct ring_header *)memory;
		struct request *q = (struct request *)(memory + sizeof *h) + data[1] % ENTRIES;
		m = (struct message){ .request = { .op = OP_CALL, .tag = 1 + data[1] % 4 }, .id = id, .handle = HANDLE_NONE,
		                      .open_flags = OPEN_READ | OPEN_WRITE };
		switch (data[0] % 8) {
		case 0:
			m.request.arg[0] = RING_OPEN;
			m.request.arg[5] = data[1] % 3 ? ENTRIES : data[2];
			m.handle = 5;
			scheme_dispatch(&s, &m, in, out, &a);
			break;
		case 1:
			m.request.arg[0] = RING_WAIT;
			m.request.arg[5] = data[2] | (data[3] & 1 ? RING_NO_WAIT : data[3] & 2 ? RING_TELL : 0);
			scheme_dispatch(&s, &m, in, out, &a);
			break;
		case 2:
			m.request.arg[0] = data[3] % 4 ? RING_CANCEL : data[3];
			m.request.arg[5] = data[2] % 10;
			scheme_dispatch(&s, &m, in, out, &a);
			break;
		case 3:
			*q = (struct request){ .op = data[2] % 8 >= 6 ? RING_BARE_CALL : data[2] % 4 ? OP_CALL : data[3], .tag = data[4], .flags = data[5] & 0x16, .arg = { data[6], data[7] } };
			break;
		case 4:
			q->arg[data[2] % 6] = data[3] % 4 ? data[4] : (uint64_t)data[4] << (data[5] % 64);
			break;
		case 5:
			h->requests_put += data[2] % 3;
			break;
		case 6:
			if (data[1] % 8 == 0)
				memory[(data[2] | data[3] << 8) % BYTES] = data[4];
			break;
		default:
			m.kind = data[1] % 16 ? MESSAGE_CANCEL : MESSAGE_CLOSE;
			scheme_dispatch(&s, &m, in, out, &a);
			id = m.kind == MESSAGE_CLOSE ? 0 : id;
		}
		turns(&s);
		for (uint32_t i = 0; i < GUARD; i++)
			ASSERT(memory[BYTES + i] == 0);
	}
	m = (struct message){ .kind = MESSAGE_CLOSE, .id = id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &m, in, out, &a);
	ASSERT(list_is_empty(&s.rings) && s.rings_awake == 0);
	ids_fini(&s.ids);
	return 0;
}
