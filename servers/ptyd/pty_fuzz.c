/* servers/ptyd/pty_fuzz.c - hostile clients: opens, reads, writes, calls, cancels and closes in any order and with any content. */
#include "lib/native/heap.h"
#include "lib/tty/serve_fake.h"
#include "servers/ptyd/pty.h"

enum { OPENS_MAX = 8 };

static struct server server;
static struct scheme scheme;
static struct ptys ptys;
static void *open_now[OPENS_MAX];
static uint64_t next_id;
static uint8_t out[65536];
static uint8_t in_buffer[SCHEME_BUFFER_BYTES + 1];
static struct message message;
static struct scheme_request request;

struct input { const uint8_t *at; size_t left; };

static uint8_t next(struct input *in) { return in->left > 0 ? (in->left--, *in->at++) : 0; }

/* A request with up to 255 bytes of the input, as the loop of lib/scheme would make it. */
static struct scheme_request *ask(struct input *in, void *open)
{
	size_t bytes = next(in);

	bytes = bytes < in->left ? bytes : in->left;
	memcpy(in_buffer, in->at, bytes);
	in_buffer[bytes] = 0;
	sending = (const char *)in_buffer;
	uint8_t who = next(in) % 4, room = next(in);
	message = (struct message){
		.sender = { .pid = who * 10, .tid = who * 10, .uid = who == 3, .group = who * 10 + next(in) % 2, .session = who * 10 },
		.in_bytes = (uint32_t)bytes, .out_bytes = room, .request.flags = next(in) % 64,
	};
	request = (struct scheme_request){
		.scheme = &scheme, .message = &message, .open = open, .is_nonblock = message.request.flags & REQUEST_NONBLOCK,
		.in = in_buffer, .in_here = bytes, .in_bytes = bytes, .out = out, .out_room = room, .out_max = room, .passed = HANDLE_NONE,
	};
	return &request;
}

static void open_one(struct input *in, void **slot)
{
	static const char *const refs[] = { "new", "0", "1", "", "2", "x", "/0", "ptmx" };
	const char *ref = refs[next(in) % 8];

	if (*slot)
		return;
	ask(in, NULL);
	if (pty_ops.open(&request, ref, strlen(ref), next(in) % 4 | (next(in) & 1 ? OPEN_NOCTTY : 0), 0) == 0) {
		*slot = request.opened;
		pty_ops.opened(&scheme, *slot, ++next_id);
	}
}

static void read_one(struct input *in, void *open)
{
	struct scheme_request *r = ask(in, open);
	int64_t got = pty_ops.read(r, r->out_max, 0);

	ASSERT(got == SCHEME_LATER || got <= (int64_t)r->out_room);
}

static void write_one(struct input *in, void *open)
{
	struct scheme_request *r = ask(in, open);
	int64_t taken = pty_ops.write(r, r->in_bytes, 0);

	ASSERT(taken == SCHEME_LATER || taken <= (int64_t)r->in_bytes);
}

static void call_one(struct input *in, void *open)
{
	static const uint32_t first[] = { TTY_GET, PTY_NUMBER, FILE_STAT };
	uint32_t code = first[next(in) % 3] + next(in) % 25;
	uint64_t word = next(in) & 1 ? next(in) % 4 : next(in) * 0x100000001ull;

	(void)!pty_ops.call(ask(in, open), code, word);
	ASSERT(request.out_bytes <= request.out_room);
}

/* The kernel has no requests of a handle that is closed. */
static void cancel_all(uint64_t of_id, bool all)
{
	struct scheme_deferred *d, *following;

	list_each_safe(d, following, &scheme.deferred, link)
		if (all || d->id == of_id)
			pty_ops.cancel(d);
}

static void close_one(void **slot)
{
	if (!*slot)
		return;
	cancel_all(0, true);
	pty_ops.close(&scheme, *slot);
	*slot = NULL;
}

static void step(struct input *in)
{
	void **slot = &open_now[next(in) % OPENS_MAX];
	uint8_t action = next(in) % 8;

	client_is_gone = action == 7;
	if (action == 0)
		close_one(slot);
	else if (!*slot)
		open_one(in, slot);
	else if (action < 3)
		read_one(in, *slot);
	else if (action < 5)
		write_one(in, *slot);
	else if (action < 7)
		call_one(in, *slot);
	else
		cancel_all(0, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	scheme = (struct scheme){ .ops = &pty_ops, .server = &server, .context = &ptys };
	list_init(&scheme.deferred);
	fakes_reset();
	ptys_init(&ptys, &scheme, &outside, 0);
	while (in.left > 0)
		step(&in);
	client_is_gone = false;
	for (int i = 0; i < OPENS_MAX; i++)
		close_one(&open_now[i]);
	ASSERT(list_is_empty(&scheme.deferred));
	heap_free(ptys.by_number, ptys.capacity * sizeof(*ptys.by_number));
	return 0;
}
