/* lib/scheme/ring_test.c - a server's rings on the host: what a client, or somebody hostile, may put into shared memory. */
#include "lib/base/heap.h"
#include "lib/ring/client.h"
#include "lib/scheme/ring.h"
#include "lib/test/test.h"

enum { ENTRIES = 8, BYTES = 256 * 1024, OBJECT = 44, DATA = BYTES - (128 + ENTRIES * 80) };
enum { ADD = 9000, ECHO, KEEP, BIG, GIVE, FLAGS };

struct thing { int64_t sum; struct scheme_deferred kept[ENTRIES]; bool is_kept[ENTRIES]; uint8_t content[100]; };

static struct thing thing;
static _Alignas(64) uint8_t memory[2][BYTES];
static uint32_t maps, unmaps, closes, cancels;
static err_t map_error;
static uint8_t in[SCHEME_BUFFER_BYTES + 1], out[SCHEME_BUFFER_BYTES];
static struct scheme scheme;
static struct ring ring;
static bool busy[ENTRIES];
static uint64_t id;

static err_t area_map(handle_t object, uint32_t entries, void **base, size_t *bytes)
{
	(void)entries;
	CHECK_EQ(object, OBJECT);
	if (map_error)
		return map_error;
	*base = memory[maps++ % 2];
	*bytes = BYTES;
	return OK;
}

static void area_unmap(void *base, size_t bytes)
{
	CHECK(bytes == BYTES && (base == memory[0] || base == memory[1]));
	unmaps++;
}

static void area_close(handle_t h) { closes += h == 99; }

static uint32_t answered_tag, notified, notes;
static int64_t answered;

static void area_answer(struct scheme *s, uint32_t tag, int64_t result)
{
	CHECK(s == &scheme && answered_tag == 0);
	answered_tag = tag;
	answered = result;
}

static void area_notify(struct scheme *s, uint64_t of, uint32_t ready, uint32_t mask)
{
	CHECK(s == &scheme && of == id && mask == READY_PRIORITY);
	notified = ready;
	notes++;
}

static const struct scheme_area area = {
	.map = area_map, .unmap = area_unmap, .close = area_close, .answer = area_answer, .notify = area_notify,
};

static int64_t thing_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	thing = (struct thing){ 0 };
	r->opened = &thing;
	return OK;
}

static int64_t thing_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	size_t n = offset < 100 ? (bytes < 100 - offset ? bytes : 100 - offset) : 0;

	CHECK(n <= r->out_room);
	memcpy(r->out, thing.content + offset, n);
	return (int64_t)n;
}

static int64_t thing_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	CHECK(r->in_here <= SCHEME_BUFFER_BYTES && r->in[r->in_here] == 0 && r->in_here <= bytes);
	size_t n = offset < 100 ? (r->in_here < 100 - offset ? r->in_here : 100 - offset) : 0;
	memcpy(thing.content + offset, r->in, n);
	return (int64_t)n;
}

static int64_t thing_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	CHECK(r->open == &thing && r->passed == HANDLE_NONE && r->reply_handle == HANDLE_NONE && r->message->request.op == OP_CALL);
	CHECK(!r->ring || r->message->request.tag == 0);
	CHECK_EQ(r->message->sender.uid, r->ring ? UINT32_MAX : 7);
	switch (code) {
	case ADD:
		CHECK(r->in_bytes == 0 && r->in[0] == 0 && r->out_room == 0);
		return thing.sum += (int64_t)word;
	case ECHO:
		return scheme_out(r, r->in, r->in_here) ? ERR_INVAL : 1;
	case KEEP:
		for (uint32_t i = 0; i < ENTRIES; i++)
			if (!thing.is_kept[i]) {
				thing.is_kept[i] = true;
				return scheme_defer(r, &thing.kept[i]);
			}
		return ERR_NOMEM;
	case GIVE:
		r->reply_handle = 99;
		r->reply_flags = REPLY_HANDLE;
		return 0;
	case FLAGS:
		return r->is_nonblock;
	default:
		return ERR_NOTTY;
	}
}

/* As server.c's deferred_answer. */
static void answer(struct scheme_deferred *d, int64_t result, const char *data, size_t bytes)
{
	list_remove(&d->link);
	thing.is_kept[d - thing.kept] = false;
	scheme_ring_answer(d, &(struct scheme_answer){ .result = result, .data = data, .bytes = bytes, .handle = HANDLE_NONE });
	scheme_ring_let_go(d->ring);
}

static void thing_cancel(struct scheme_deferred *d)
{
	cancels++;
	answer(d, ERR_INTR, NULL, 0);
}

static void thing_close(struct scheme *s, void *open) { (void)s, (void)open; }

static const struct scheme_ops ops = {
	.open = thing_open, .read = thing_read, .write = thing_write, .call = thing_call, .cancel = thing_cancel, .close = thing_close,
};

static struct scheme_answer dispatch(struct message m)
{
	struct scheme_answer a;

	m.request.tag = 1000;
	m.sender.uid = 7;
	scheme_dispatch(&scheme, &m, in, out, &a);
	return a;
}

static struct scheme_answer call(uint32_t code, uint64_t word, handle_t h)
{
	return dispatch((struct message){ .request = { .op = OP_CALL, .arg = { code, [5] = word } }, .id = id, .handle = h,
	                                  .open_flags = OPEN_READ | OPEN_WRITE });
}

TEST(who_must_know_the_sender_has_no_rings)
{
	static struct scheme_ops judging;

	judging = ops;
	judging.needs_sender = true;
	scheme = (struct scheme){ .ops = &judging, .area = &area };
	ids_init(&scheme.ids, 3);
	list_init(&scheme.deferred);
	list_init(&scheme.rings);
	id = dispatch((struct message){ .request = { .op = OP_OPEN }, .handle = HANDLE_NONE }).opened_id;
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, ERR_NOTTY);
	CHECK_EQ(call(RING_WAIT, 0, HANDLE_NONE).result, ERR_NOTTY);
	CHECK_EQ(call(ADD, 3, HANDLE_NONE).result, 3);
	ids_fini(&scheme.ids);
}

static void start(void)
{
	scheme = (struct scheme){ .ops = &ops, .area = &area };
	ids_init(&scheme.ids, 3);
	list_init(&scheme.deferred);
	list_init(&scheme.rings);
	memset(memory, 0, sizeof memory);
	memset(busy, 0, sizeof busy);
	maps = unmaps = closes = cancels = 0;
	map_error = OK;
	id = dispatch((struct message){ .request = { .op = OP_OPEN }, .handle = HANDLE_NONE }).opened_id;
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, OK);
	ring_init(&ring, memory[0], BYTES, ENTRIES, busy);
}

static void finish(void)
{
	dispatch((struct message){ .kind = MESSAGE_CLOSE, .id = id, .handle = HANDLE_NONE });
	CHECK_EQ(maps, unmaps);
	CHECK_EQ(scheme.ring_count, 0);
	CHECK_EQ(scheme.rings_awake, 0);
	ids_fini(&scheme.ids);
}

static void put(uint32_t tag, struct request q)
{
	q.tag = tag;
	CHECK_EQ(ring_put(&ring, &q), OK);
}

static int64_t ask(struct request q)
{
	struct reply r;

	put(5, q);
	ring_show(&ring);
	struct scheme_answer a = call(RING_WAIT, ring.taken, HANDLE_NONE);
	CHECK(a.is_due && a.result == OK);
	CHECK(ring_take(&ring, &r) && r.tag == 5);
	return r.result;
}

static struct request add(uint64_t word) { return (struct request){ .op = OP_CALL, .arg = { ADD, [5] = word } }; }

TEST(what_is_put_is_served_and_answered_in_one_call)
{
	struct reply r;

	start();
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < ENTRIES; i++)
			put(i, add(i));
		ring_show(&ring);
		CHECK_EQ(call(RING_WAIT, ring.taken, HANDLE_NONE).result, OK);
		for (uint32_t i = 0; i < ENTRIES; i++)
			CHECK(ring_take(&ring, &r) && r.tag == i);
	}
	CHECK_EQ(thing.sum, 10 * 28);
	CHECK_EQ(call(ADD, 1, HANDLE_NONE).result, 281);
	finish();
}

static struct request bare(uint32_t code, uint64_t word) { return (struct request){ .op = RING_BARE_CALL, .arg = { code, [5] = word } }; }

TEST(bare_calls_come_between_others_in_order)
{
	struct reply r;

	start();
	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < ENTRIES - round % 3; i++)
			put(i, i == 5 ? add(i) : i == 2 ? (struct request){ .op = OP_WRITE, .arg = { 0, 1, 0 } } : bare(ADD, i));
		ring_show(&ring);
		CHECK_EQ(call(RING_WAIT, ring.taken, HANDLE_NONE).result, OK);
		for (uint32_t i = 0; i < ENTRIES - round % 3; i++)
			CHECK(ring_take(&ring, &r) && r.tag == i && r.handle == HANDLE_NONE && (i != 2 || r.result == 1));
	}
	/* What does not count is not looked at; a handle is refused; a ring of kept ones serves them as well. */
	int64_t sum = thing.sum;
	CHECK_EQ(ask((struct request){ .op = RING_BARE_CALL, .handle = 7, .arg = { ADD, 1, DATA + 1, 3, UINT64_MAX, 2 } }), sum + 2);
	CHECK_EQ(ask(bare(GIVE, 0)), ERR_OPNOTSUPP);
	CHECK_EQ(closes, 1);
	CHECK_EQ(ask(bare(FLAGS, 0)), 0);
	put(0, bare(KEEP, 0));
	CHECK_EQ(ask(bare(ADD, 1)), sum + 3);
	answer(&thing.kept[0], 44, "data", 5);
	CHECK(ring_take(&ring, &r) && r.tag == 0 && r.result == 44 && ring.data[0] == 0);
	/* What came with a call lies in the same buffer: a request without input finds none of it. */
	memset(in, 'x', sizeof in);
	CHECK_EQ(ask(bare(ADD, 1)), sum + 4);
	finish();
}

TEST(data_is_copied_and_bounded)
{
	start();
	memcpy(ring.data + 10, "some text", 10);
	CHECK_EQ(ask((struct request){ .op = OP_WRITE, .arg = { 10, 10, 5 } }), 10);
	CHECK_EQ(ask((struct request){ .op = OP_READ, .arg = { 1000, 10, 5 } }), 10);
	CHECK_STR((char *)ring.data + 1000, "some text");
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { ECHO, 10, 10, 2000, 100 } }), 1);
	CHECK_STR((char *)ring.data + 2000, "some text");
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { ECHO, 10, 10, 2000, 9 } }), ERR_INVAL);
	CHECK_EQ(ask((struct request){ .op = OP_WRITE, .arg = { 0, DATA, 0 } }), 100);
	uint64_t wild[][2] = { { DATA, 1 }, { DATA + 1, 0 }, { 1, DATA }, { UINT64_MAX, 2 }, { 2, UINT64_MAX }, { 1ull << 63, 1ull << 63 } };
	for (uint32_t i = 0; i < sizeof wild / sizeof *wild; i++) {
		CHECK_EQ(ask((struct request){ .op = OP_READ, .arg = { wild[i][0], wild[i][1], 0 } }), ERR_FAULT);
		CHECK_EQ(ask((struct request){ .op = OP_WRITE, .arg = { wild[i][0], wild[i][1], 0 } }), ERR_FAULT);
		CHECK(wild[i][1] == 0 || ask((struct request){ .op = OP_CALL, .arg = { ECHO, wild[i][0], wild[i][1], 0, 8 } }) == ERR_FAULT);
		CHECK(wild[i][1] == 0 || ask((struct request){ .op = OP_CALL, .arg = { ECHO, 0, 8, wild[i][0], wild[i][1] } }) == ERR_FAULT);
	}
	/* After all that a request without data finds none. */
	CHECK_EQ(ask(add(4)), 4);
	finish();
}

TEST(what_only_a_call_can_do_is_refused)
{
	start();
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { GIVE } }), ERR_OPNOTSUPP);
	CHECK_EQ(closes, 1);
	CHECK_EQ(ask((struct request){ .op = OP_OPEN }), ERR_OPNOTSUPP);
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { RING_CANCEL } }), ERR_NOTTY);
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { RING_OPEN, [5] = ENTRIES } }), ERR_NOTTY);
	CHECK_EQ(ask((struct request){ .op = OP_READ, .flags = REQUEST_LINK_ARG }), ERR_INVAL);
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .flags = REQUEST_NONBLOCK, .arg = { FLAGS } }), 1);
	CHECK_EQ(ask((struct request){ .op = OP_CALL, .arg = { FLAGS } }), 0);
	finish();
}

TEST(counts_that_jump_break_the_ring_and_nothing_else)
{
	start();
	ring.header->requests_put = ENTRIES + 1;
	CHECK_EQ(call(RING_WAIT, 0, HANDLE_NONE).result, ERR_PROTO);
	ring.header->requests_put = 1;
	CHECK_EQ(call(RING_WAIT, 0, HANDLE_NONE).result, ERR_PROTO);
	CHECK_EQ(call(ADD, 3, HANDLE_NONE).result, 3);
	/* A new one in its place works. */
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, OK);
	CHECK_EQ(unmaps, 1);
	finish();
}

TEST(kept_requests_are_bounded_and_answered_in_any_order)
{
	struct reply r;

	start();
	for (uint32_t i = 0; i < ENTRIES; i++)
		put(i, (struct request){ .op = OP_CALL, .arg = { KEEP, [3] = i * 16, [4] = 16 } });
	ring_show(&ring);
	struct scheme_answer a = call(RING_WAIT, 0, HANDLE_NONE);
	CHECK(!a.is_due);
	/* A client that goes on regardless is not served: nothing is kept beyond the ring's entries. */
	ring.header->requests_put = 2 * ENTRIES;
	CHECK_EQ(call(RING_WAIT, RING_NO_WAIT, HANDLE_NONE).result, OK);
	ring.header->requests_put = ENTRIES;
	answer(&thing.kept[6], 66, "six", 4);
	CHECK(ring_take(&ring, &r) && r.tag == 6 && r.result == 66);
	CHECK_STR((char *)ring.data + 96, "six");
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, ERR_BUSY);
	CHECK_EQ(call(RING_CANCEL, 6, HANDLE_NONE).result, ERR_SRCH);
	CHECK_EQ(call(RING_CANCEL, 2, HANDLE_NONE).result, OK);
	CHECK(ring_take(&ring, &r) && r.tag == 2 && r.result == ERR_INTR);
	finish();
	CHECK_EQ(cancels, ENTRIES - 1);
}

static int64_t answer_come(void)
{
	CHECK_EQ(answered_tag, 1000);
	answered_tag = 0;
	return answered;
}

TEST(a_wait_is_answered_once_there_is_a_reply)
{
	start();
	answered_tag = 0;
	put(0, (struct request){ .op = OP_CALL, .arg = { KEEP } });
	ring_show(&ring);
	CHECK(!call(RING_WAIT, 0, HANDLE_NONE).is_due);
	CHECK_EQ(call(RING_WAIT, 0, HANDLE_NONE).result, ERR_BUSY);
	CHECK_EQ(answered_tag, 0);
	answer(&thing.kept[0], 5, NULL, 0);
	CHECK_EQ(answer_come(), OK);
	/* Cancelled: answered, and no longer due. */
	put(1, (struct request){ .op = OP_CALL, .arg = { KEEP } });
	ring_show(&ring);
	CHECK(!call(RING_WAIT, 1, HANDLE_NONE).is_due);
	struct scheme_answer a = dispatch((struct message){ .kind = MESSAGE_CANCEL, .id = id, .handle = HANDLE_NONE });
	CHECK(a.is_due && a.result == ERR_INTR && a.tag == 1000);
	answer(&thing.kept[0], 5, NULL, 0);
	CHECK_EQ(answered_tag, 0);
	/* What another thread of the client's has served, or breaks or ends, wakes who waits. */
	CHECK(!call(RING_WAIT, 2, HANDLE_NONE).is_due);
	put(2, add(1));
	ring_show(&ring);
	CHECK_EQ(call(RING_WAIT, RING_NO_WAIT, HANDLE_NONE).result, OK);
	CHECK_EQ(answer_come(), OK);
	CHECK(!call(RING_WAIT, 3, HANDLE_NONE).is_due);
	CHECK_EQ(call(RING_OPEN, 0, HANDLE_NONE).result, OK);
	CHECK_EQ(answer_come(), ERR_CONNRESET);
	finish();
	start();
	CHECK(!call(RING_WAIT, 0, HANDLE_NONE).is_due);
	ring.header->requests_put = ENTRIES + 1;
	CHECK_EQ(call(RING_WAIT, RING_NO_WAIT, HANDLE_NONE).result, ERR_PROTO);
	CHECK_EQ(answer_come(), ERR_PROTO);
	finish();
}

TEST(who_asks_to_be_told_sees_the_handle_ready)
{
	start();
	notes = 0;
	put(0, (struct request){ .op = OP_CALL, .arg = { KEEP } });
	put(1, (struct request){ .op = OP_CALL, .arg = { KEEP } });
	ring_show(&ring);
	CHECK_EQ(call(RING_WAIT, RING_TELL, HANDLE_NONE).result, OK);
	CHECK_EQ(notes, 0);
	answer(&thing.kept[0], 5, NULL, 0);
	CHECK(notes == 1 && notified == READY_PRIORITY);
	/* Once is enough. */
	answer(&thing.kept[1], 5, NULL, 0);
	CHECK_EQ(notes, 1);
	/* Asked again: unready until there is more; at once, if there is already. */
	CHECK_EQ(call(RING_WAIT, 2 | RING_TELL, HANDLE_NONE).result, OK);
	CHECK(notes == 2 && notified == 0);
	put(2, add(1));
	ring_show(&ring);
	CHECK_EQ(call(RING_WAIT, 2 | RING_TELL, HANDLE_NONE).result, OK);
	CHECK(notes == 3 && notified == READY_PRIORITY);
	CHECK_EQ(call(RING_OPEN, 0, HANDLE_NONE).result, OK);
	CHECK(notes == 4 && notified == 0);
	finish();
}

static struct scheme_answer open_as(uint32_t user)
{
	uint64_t thing_id = dispatch((struct message){ .request = { .op = OP_OPEN }, .handle = HANDLE_NONE }).opened_id;
	struct message m = { .request = { .op = OP_CALL, .tag = 5, .arg = { RING_OPEN, [5] = ENTRIES } }, .id = thing_id, .handle = OBJECT, .sender.uid = user };
	struct scheme_answer a;

	scheme_dispatch(&scheme, &m, in, out, &a);
	return a;
}

TEST(one_user_does_not_get_all_rings)
{
	start();
	for (uint32_t i = 1; i < SCHEME_RINGS_PER_USER; i++)
		CHECK_EQ(open_as(7).result, OK);
	CHECK_EQ(open_as(7).result, ERR_NFILE);
	/* But in the place of one that he has. */
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, OK);
	CHECK_EQ(open_as(8).result, OK);
	while (scheme.ring_count < SCHEME_RINGS_MAX)
		CHECK_EQ(open_as(0).result, OK);
	CHECK_EQ(open_as(0).result, ERR_NFILE);
	CHECK_EQ(open_as(9).result, ERR_NFILE);
	while (!list_is_empty(&scheme.rings))
		scheme_ring_end(&scheme, list_first(&scheme.rings, struct scheme_ring, link)->message.id);
	CHECK_EQ(maps, unmaps);
	ids_fini(&scheme.ids);
}

TEST(a_ring_stays_awake_while_that_pays)
{
	struct scheme_ring *g;
	uint32_t turns = 0;

	start();
	g = list_first(&scheme.rings, struct scheme_ring, link);
	CHECK_EQ(ask(add(1)), 1);
	CHECK(g->is_awake && scheme.rings_awake == 1 && !ring_show(&ring));
	for (; g->is_awake; turns++)
		scheme_ring_turn(g);
	CHECK(turns < 100 && ring_show(&ring) && scheme.rings_awake == 0);
	/* Patience that never pays ends. */
	for (uint32_t i = 0; i < 10; i++) {
		ask(add(1));
		while (g->is_awake)
			scheme_ring_turn(g);
	}
	ask(add(1));
	CHECK(!g->is_awake);
	/* It is tried again now and then; work that comes while awake is served without a call. */
	for (uint32_t i = 0; i < 100 && !g->is_awake; i++)
		ask(add(1));
	CHECK(g->is_awake);
	put(0, add(1));
	CHECK(!ring_show(&ring));
	int64_t before = thing.sum;
	scheme_ring_turn(g);
	CHECK_EQ(thing.sum, before + 1);
	finish();
}

TEST(rights_and_limits_of_opening)
{
	start();
	CHECK_EQ(call(RING_OPEN, 3, OBJECT).result, ERR_INVAL);
	CHECK_EQ(call(RING_OPEN, ENTRIES, HANDLE_NONE).result, ERR_INVAL);
	map_error = ERR_NOMEM;
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, ERR_NOMEM);
	map_error = OK;
	heap_fail_after(1);
	CHECK_EQ(call(RING_OPEN, ENTRIES, OBJECT).result, ERR_NOMEM);
	heap_fail_after(0);
	/* The old one is as good as before. */
	CHECK_EQ(ask(add(9)), 9);
	CHECK_EQ(call(RING_OPEN, 0, HANDLE_NONE).result, OK);
	CHECK_EQ(call(RING_WAIT, 0, HANDLE_NONE).result, ERR_CONNRESET);
	struct scheme_answer a = dispatch((struct message){ .request = { .op = OP_CALL, .arg = { RING_OPEN, [5] = ENTRIES } }, .id = id,
	                                                    .handle = OBJECT, .open_flags = OPEN_READ });
	CHECK_EQ(a.result, OK);
	memset(memory, 0, sizeof memory);
	memset(busy, 0, sizeof busy);
	ring_init(&ring, memory[(maps - 1) % 2], BYTES, ENTRIES, busy);
	CHECK_EQ(ask((struct request){ .op = OP_WRITE, .arg = { 0, 1, 0 } }), ERR_BADF);
	finish();
}
