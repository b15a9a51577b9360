/* lib/scheme/dispatch_fuzz.c - messages that no kernel would send, one after another, to a server that opens, keeps, answers and closes. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/scheme/scheme.h"

struct thing { bool is_open; struct scheme_deferred waiting; bool waits; };

static int64_t thing_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags, (void)mode;
	ASSERT(ref[bytes] == 0);
	struct thing *t = heap_new(struct thing);
	if (!t)
		return ERR_NOMEM;
	t->is_open = true;
	r->opened = t;
	return OK;
}

static int64_t thing_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	ASSERT(((struct thing *)r->open)->is_open);
	size_t n = MIN_OF(bytes, r->out_room);
	memset(r->out, (int)offset, n);
	return (int64_t)n;
}

static int64_t thing_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	uint8_t sum = (uint8_t)offset;

	for (size_t i = 0; i < r->in_here; i++)
		sum += r->in[i];
	return sum ? (int64_t)MIN_OF(bytes, r->in_here) : ERR_IO;
}

static int64_t thing_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct thing *t = r->open;
	uint64_t v;

	ASSERT(t->is_open && (!r->passed_open || ((struct thing *)r->passed_open)->is_open));
	if (code % 4 == 0 && !t->waits) {
		t->waits = true;
		return scheme_defer(r, &t->waiting);
	}
	if (code % 4 == 1)
		return scheme_take_handle(r);
	if (scheme_in_struct(r, &v, sizeof v))
		return ERR_INVAL;
	for (uint64_t i = 0; i < word % 10000; i++)
		if (scheme_out(r, &v, sizeof v))
			return ERR_INVAL;
	return 0;
}

static void thing_close(struct scheme *s, void *open)
{
	struct thing *t = open;

	(void)s;
	ASSERT(t->is_open && !t->waits);
	t->is_open = false;
	heap_delete(t);
}

static void thing_cancel(struct scheme_deferred *d)
{
	container_of(d, struct thing, waiting)->waits = false;
	list_remove(&d->link);
}

static const struct scheme_ops ops = {
	.open = thing_open, .read = thing_read, .write = thing_write, .call = thing_call, .close = thing_close, .cancel = thing_cancel,
};

/* Numbers that were given out are tried often, else nothing would ever be reached. */
static uint64_t given[16];

static void message_try(struct scheme *s, struct message *m, uint32_t n)
{
	static uint8_t in[SCHEME_BUFFER_BYTES + 1], out[SCHEME_BUFFER_BYTES];
	struct scheme_answer a;

	m->copied_bytes = MIN_OF(m->copied_bytes, m->in_bytes);
	if (m->request.flags & 1)
		m->id = given[m->id % 16];
	if (m->request.flags & 2)
		m->offset = given[m->offset % 16];
	m->request.op = m->request.op % 40;
	m->kind %= 4;
	scheme_dispatch(s, m, in, out, &a);
	ASSERT(!a.is_due || a.bytes <= SCHEME_BUFFER_BYTES);
	ASSERT(a.opened_id == 0 || ids_find(&s->ids, a.opened_id));
	if (a.opened_id)
		given[n % 16] = a.opened_id;
}

static void close_all(struct scheme *s)
{
	for (uint32_t i = 0; i < s->ids.capacity; i++) {
		struct thing *t = s->ids.slots[i].value;
		if (t)
			heap_delete(t);
	}
	ids_fini(&s->ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scheme s = { .ops = &ops };
	uint32_t n = 0;

	ids_init(&s.ids, 5);
	list_init(&s.deferred);
	memset(given, 0, sizeof given);
	struct message open = { .request = { .op = OP_OPEN }, .handle = HANDLE_NONE };
	message_try(&s, &open, n++);
	for (; size >= sizeof(struct message); size -= sizeof(struct message), data += sizeof(struct message)) {
		struct message m;
		memcpy(&m, data, sizeof m);
		message_try(&s, &m, n++);
	}
	close_all(&s);
	return 0;
}
