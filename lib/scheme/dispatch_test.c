/* lib/scheme/dispatch_test.c - a small scheme, and messages as a kernel (or a liar) would give them. */
#include "lib/native/heap.h"
#include "lib/scheme/scheme.h"
#include "lib/test/test.h"

struct thing { uint64_t id; int reads; bool is_closed, is_cancelled; struct scheme_deferred waiting; };

static struct thing thing;
static uint8_t in[SCHEME_BUFFER_BYTES + 1], out[SCHEME_BUFFER_BYTES];
static void *passed_open;

static int64_t thing_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags;
	(void)mode;
	if (bytes == 4 && memcmp(ref, "none", 4) == 0)
		return ERR_NOENT;
	if (bytes == 3 && memcmp(ref, "fwd", 3) == 0) {
		r->reply_flags = REPLY_FORWARD;
		r->reply_handle = 55;
		return OK;
	}
	thing = (struct thing){ 0 };
	r->opened = &thing;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static int64_t thing_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct thing *t = r->open;

	(void)offset;
	t->reads++;
	size_t n = bytes < r->out_room ? bytes : r->out_room;
	memset(r->out, 'x', n);
	return (int64_t)n;
}

static int64_t thing_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	uint32_t v;
	err_t err;

	switch (code) {
	case 1:
		if ((err = scheme_in_struct(r, &v, sizeof v)))
			return err;
		v += (uint32_t)word;
		return scheme_out(r, &v, sizeof v);
	case 2:
		return scheme_defer(r, &thing.waiting);
	case 3:
		return scheme_take_handle(r);
	case 4:
		passed_open = r->passed_open;
		return OK;
	default:
		return ERR_NOTTY;
	}
}

static void thing_named(struct scheme *s, void *open, uint64_t id)
{
	(void)s;
	((struct thing *)open)->id = id;
}

static void thing_close(struct scheme *s, void *open)
{
	(void)s;
	((struct thing *)open)->is_closed = true;
}

static void thing_cancel(struct scheme_deferred *d)
{
	list_remove(&d->link);
	container_of(d, struct thing, waiting)->is_cancelled = true;
}

static const struct scheme_ops ops = {
	.open = thing_open, .named = thing_named, .read = thing_read, .call = thing_call, .close = thing_close, .cancel = thing_cancel,
};

static void start(struct scheme *s)
{
	*s = (struct scheme){ .ops = &ops };
	ids_init(&s->ids, 3);
	list_init(&s->deferred);
}

static struct scheme_answer open_ref(struct scheme *s, const char *ref)
{
	struct scheme_answer a;
	struct message m = {
		.request = { .op = OP_OPEN, .tag = 9 }, .handle = HANDLE_NONE,
		.in_bytes = (uint32_t)strlen(ref), .copied_bytes = (uint32_t)strlen(ref),
	};
	memcpy(in, ref, strlen(ref));
	scheme_dispatch(s, &m, in, out, &a);
	return a;
}

static struct scheme_answer call(struct scheme *s, uint64_t id, uint32_t code, uint32_t in_bytes, uint32_t out_bytes, handle_t h)
{
	struct scheme_answer a;
	struct message m = {
		.request = { .op = OP_CALL, .tag = 10, .arg = { code, [5] = 5 } }, .id = id, .handle = h,
		.in_bytes = in_bytes, .copied_bytes = in_bytes, .out_bytes = out_bytes,
	};
	scheme_dispatch(s, &m, in, out, &a);
	return a;
}

TEST(an_open_gets_a_number_and_a_close_ends_it)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	a = open_ref(&s, "it");
	CHECK(a.is_due && a.result > 0 && a.tag == 9);
	CHECK_EQ((uint64_t)a.result, a.opened_id);
	CHECK_EQ(thing.id, a.opened_id);
	CHECK_EQ(a.reply_flags, REPLY_SEEKABLE);
	struct message close = { .kind = MESSAGE_CLOSE, .id = a.opened_id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &close, in, out, &a);
	CHECK(!a.is_due && thing.is_closed);
	thing.is_closed = false;
	scheme_dispatch(&s, &close, in, out, &a);
	CHECK(!thing.is_closed);
	ids_fini(&s.ids);
}

TEST(a_refused_open_leaves_nothing)
{
	struct scheme s;

	start(&s);
	CHECK_EQ(open_ref(&s, "none").result, ERR_NOENT);
	CHECK_EQ(s.ids.count, 0);
	ids_fini(&s.ids);
}

TEST(an_open_without_memory_closes_what_was_opened)
{
	struct scheme s;

	start(&s);
	heap_fail_after(1);
	CHECK_EQ(open_ref(&s, "it").result, ERR_NOMEM);
	CHECK(thing.is_closed);
	ids_fini(&s.ids);
}

TEST(a_forwarded_open_has_a_handle_and_no_number)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	a = open_ref(&s, "fwd");
	CHECK_EQ(a.result, 0);
	CHECK_EQ(a.handle, 55);
	CHECK_EQ(s.ids.count, 0);
	ids_fini(&s.ids);
}

TEST(requests_for_unknown_numbers_never_reach_the_server)
{
	struct scheme s;

	start(&s);
	CHECK_EQ(call(&s, 0x1234567, 1, 4, 4, HANDLE_NONE).result, ERR_CONNRESET);
	CHECK_EQ(call(&s, 0, 1, 4, 4, HANDLE_NONE).result, ERR_BADF);
	ids_fini(&s.ids);
}

TEST(an_unknown_code_is_not_a_typewriter_and_an_unknown_operation_not_implemented)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	CHECK_EQ(call(&s, id, 99, 0, 0, HANDLE_NONE).result, ERR_NOTTY);
	struct message m = { .request = { .op = 77 }, .id = id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &m, in, out, &a);
	CHECK_EQ(a.result, ERR_NOSYS);
	ids_fini(&s.ids);
}

TEST(short_structs_are_refused_in_both_directions)
{
	struct scheme s;
	uint32_t v = 37;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	CHECK_EQ(call(&s, id, 1, 3, 4, HANDLE_NONE).result, ERR_INVAL);
	CHECK_EQ(call(&s, id, 1, 4, 3, HANDLE_NONE).result, ERR_INVAL);
	memcpy(in, &v, sizeof v);
	struct scheme_answer a = call(&s, id, 1, 4, 4, HANDLE_NONE);
	CHECK_EQ(a.result, 0);
	CHECK_EQ(a.bytes, 4);
	memcpy(&v, a.data, sizeof v);
	CHECK_EQ(v, 42);
	ids_fini(&s.ids);
}

TEST(a_read_sends_no_more_than_there_is_room_for)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	struct message m = { .request = { .op = OP_READ }, .id = id, .handle = HANDLE_NONE, .out_bytes = 1 << 30 };
	scheme_dispatch(&s, &m, in, out, &a);
	CHECK_EQ(a.result, SCHEME_BUFFER_BYTES);
	CHECK_EQ(a.bytes, SCHEME_BUFFER_BYTES);
	ids_fini(&s.ids);
}

TEST(a_kept_request_is_cancelled_by_its_tag_only)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	CHECK(!call(&s, id, 2, 0, 0, HANDLE_NONE).is_due);
	struct message cancel = { .kind = MESSAGE_CANCEL, .request = { .tag = 11 }, .id = id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &cancel, in, out, &a);
	CHECK(!thing.is_cancelled);
	cancel.request.tag = 10;
	scheme_dispatch(&s, &cancel, in, out, &a);
	CHECK(thing.is_cancelled);
	ids_fini(&s.ids);
}

TEST(a_passed_handle_nobody_takes_is_given_back_for_closing)
{
	struct scheme s;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	CHECK_EQ(call(&s, id, 99, 0, 0, 44).unused, 44);
	struct scheme_answer a = call(&s, id, 3, 0, 0, 44);
	CHECK_EQ(a.unused, HANDLE_NONE);
	CHECK_EQ(a.result, 44);
	ids_fini(&s.ids);
}

TEST(a_passed_handle_of_the_scheme_itself_comes_as_its_thing)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	struct message m = { .request = { .op = OP_CALL, .arg = { 4 } }, .id = id, .offset = id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &m, in, out, &a);
	CHECK(passed_open == &thing);
	m.offset = id + 1;
	scheme_dispatch(&s, &m, in, out, &a);
	CHECK(passed_open == NULL);
	ids_fini(&s.ids);
}

TEST(a_close_cancels_what_was_kept_on_it_first)
{
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	uint64_t id = open_ref(&s, "it").opened_id;
	CHECK(!call(&s, id, 2, 0, 0, HANDLE_NONE).is_due);
	struct message close = { .kind = MESSAGE_CLOSE, .id = id, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &close, in, out, &a);
	CHECK(thing.is_cancelled && thing.is_closed);
	ids_fini(&s.ids);
}

static uint64_t forgotten;

static void thing_forget(struct scheme *s, uint64_t id)
{
	(void)s;
	forgotten = id;
}

static err_t thing_revive(struct scheme_request *r)
{
	thing = (struct thing){ 0 };
	r->opened = &thing;
	return OK;
}

TEST(a_server_may_know_what_numbers_of_its_predecessor_mean)
{
	static const struct scheme_ops reviving = {
		.open = thing_open, .call = thing_call, .close = thing_close, .revive = thing_revive, .forget = thing_forget,
	};
	struct scheme s;
	struct scheme_answer a;

	start(&s);
	s.ops = &reviving;
	CHECK_EQ(call(&s, 0x1234567, 99, 0, 0, HANDLE_NONE).result, ERR_NOTTY);
	CHECK(ids_find(&s.ids, 0x1234567) == &thing);
	struct message close = { .kind = MESSAGE_CLOSE, .id = 0x1234567, .handle = HANDLE_NONE };
	scheme_dispatch(&s, &close, in, out, &a);
	CHECK(thing.is_closed && ids_find(&s.ids, 0x1234567) == NULL);
	CHECK_EQ(forgotten, 0);
	/* Closed without having been used meanwhile: not revived for that. */
	close.id = 0x7654321;
	scheme_dispatch(&s, &close, in, out, &a);
	CHECK_EQ(forgotten, 0x7654321);
	heap_fail_after(1);
	CHECK_EQ(call(&s, 0x1234567, 99, 0, 0, HANDLE_NONE).result, ERR_NOMEM);
	CHECK(thing.is_closed);
	ids_fini(&s.ids);
}
