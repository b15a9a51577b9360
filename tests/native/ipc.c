/* tests/native/ipc.c - random requests of all shapes between processes that are killed at any moment; prints TAP.
 *
 * A bare server of several threads (no library) answers so that its clients can check every byte. What happens is
 * decided by a seed that is printed: `ipc SEED` does it again (as far as several CPUs do anything again).
 */
#include "abi/ops.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/thread.h"
#include "tests/native/child.h"

enum { SUM = 9000, LATER, GIVE, OPENS, WAITING };       /* CALL's codes */
enum { SERVER_THREADS = 3, CLIENT_THREADS = 2, CLIENTS = 3, CALLS = 60, KILLS = 25, LATER_MAX = 8, BUFFER = 24 * 1024 };

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t word_number(const char *word)
{
	uint64_t n = 0;

	while (*word >= '0' && *word <= '9')
		n = n * 10 + (uint64_t)(*word++ - '0');
	return n;
}

/* What the server sends for a word, and what it answers for what was sent. */
static uint8_t out_byte(uint64_t word, size_t i) { return (uint8_t)(word * 31 + i * 7); }

static int64_t sum_of(const uint8_t *in, size_t bytes, uint64_t word)
{
	uint64_t sum = word & 0xffff;

	for (size_t i = 0; i < bytes; i++)
		sum += (uint64_t)in[i] * (i % 13 + 1);
	return (int64_t)sum;
}

/* ---- The server ----------------------------------------------------------------------------------------------------- */

static handle_t endpoint;
static uint64_t ids, opens;             /* atomic */
static uint64_t laters[LATER_MAX];      /* atomic; tags of requests that whoever comes by answers */

struct worker {
	uint64_t random;
	struct message m;
	uint8_t in[BUFFER], out[BUFFER];
};

/* The rest of what the client sends, piece by piece. False: it has gone, or comes again. */
static bool fetch(struct worker *w, size_t have)
{
	while (have < w->m.in_bytes) {
		size_t piece = MIN_OF(w->m.in_bytes - have, random_next(&w->random) % 7000 + 1);
		int64_t n = sys_copy(0, endpoint, w->m.request.tag, COPY_FROM_CLIENT, have, w->in + have, piece, 0);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static void answer_one_later(void)
{
	for (int i = 0; i < LATER_MAX; i++) {
		uint64_t tag = __atomic_exchange_n(&laters[i], 0, __ATOMIC_ACQ_REL);
		if (tag) {
			sys_reply(0, endpoint, tag, 1, NULL, 0, pack_handle(0, HANDLE_NONE, true));
			return;
		}
	}
}

static bool keep_for_later(uint64_t tag)
{
	for (int i = 0; i < LATER_MAX; i++) {
		uint64_t none = 0;
		if (__atomic_compare_exchange_n(&laters[i], &none, tag, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

static void forget_later(uint64_t tag)
{
	for (int i = 0; i < LATER_MAX; i++) {
		uint64_t was = tag;
		__atomic_compare_exchange_n(&laters[i], &was, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

static int64_t count_later(void)
{
	int64_t count = 0;

	for (int i = 0; i < LATER_MAX; i++)
		count += __atomic_load_n(&laters[i], __ATOMIC_ACQUIRE) != 0;
	return count;
}

/* Fills v with the answer; its tag stays 0 when there is none now. */
static void serve_one(struct worker *w, struct serve *v)
{
	const struct message *m = &w->m;
	uint64_t word = m->request.op == OP_CALL ? m->request.arg[5] : m->offset, code = m->request.arg[0];

	if (m->request.op == OP_OPEN) {
		__atomic_add_fetch(&opens, 1, __ATOMIC_RELAXED);
		/* Alone, to see whether it arrives: if not, no close comes. */
		if (sys_reply(0, endpoint, m->request.tag, (int64_t)__atomic_add_fetch(&ids, 1, __ATOMIC_RELAXED), NULL, 0,
		              pack_handle(REPLY_SEEKABLE, HANDLE_NONE, true)) < 0)
			__atomic_sub_fetch(&opens, 1, __ATOMIC_RELAXED);
		return;
	} else if (m->request.op == OP_CALL && code == OPENS) {
		v->result = (int64_t)__atomic_load_n(&opens, __ATOMIC_RELAXED);
	} else if (m->request.op == OP_CALL && code == WAITING) {
		v->result = count_later();
	} else if (m->request.op == OP_CALL && code == LATER) {
		if (keep_for_later(m->request.tag))
			return;
		v->result = 1;
	} else if (m->request.op == OP_CALL && code == GIVE) {
		v->result = 0;
		v->handle_and_flags = pack_handle(REPLY_HANDLE, m->handle, true);
	} else {
		if (!fetch(w, m->copied_bytes))
			return;
		v->result = m->request.op == OP_READ ? m->out_bytes : m->request.op == OP_WRITE ? m->in_bytes
		          : sum_of(w->in, m->in_bytes, word);
		for (size_t i = 0; i < m->out_bytes; i++)
			w->out[i] = out_byte(word, i);
		v->data = w->out;
		v->bytes = m->out_bytes;
		if (random_next(&w->random) % 4 == 0) {         /* beforehand, and nothing with the answer */
			if (sys_copy(0, endpoint, m->request.tag, COPY_TO_CLIENT, 0, w->out, m->out_bytes, 0) < 0)
				return;
			v->bytes = 0;
		}
	}
	v->tag = m->request.tag;
}

static void serve_loop(void *argument)
{
	struct worker *w = argument;
	struct serve v = { .message = &w->m, .buffer = w->in };

	for (;;) {
		uint64_t chance = random_next(&w->random);
		v.buffer_bytes = chance % 3 ? BUFFER : chance % 500;
		/* Who has kept a request comes back to it, even when nothing else happens. */
		v.deadline_ns = count_later() || chance % 5 == 0 ? now_ns() + chance % 300000 : DEADLINE_NONE;
		int64_t result = sys_reply_receive(0, endpoint, &v);
		v = (struct serve){ .message = &w->m, .buffer = w->in, .handle_and_flags = pack_handle(0, HANDLE_NONE, true) };
		if (chance % 2 || result == ERR_TIMEDOUT)
			answer_one_later();
		if (result == ERR_TIMEDOUT || result == ERR_INTR)
			continue;
		if (result < 0)
			program_exit(3);
		if (w->m.kind == MESSAGE_CLOSE)
			__atomic_sub_fetch(&opens, 1, __ATOMIC_RELAXED);
		else if (w->m.kind == MESSAGE_CANCEL)
			forget_later(w->m.request.tag);
		else
			serve_one(w, &v);
		if (v.tag && chance % 7 == 0) {
			sys_reply(0, endpoint, v.tag, v.result, v.data, v.bytes, v.handle_and_flags);
			v.tag = 0;
		}
	}
}

static int serve(uint64_t seed)
{
	static struct worker workers[SERVER_THREADS];
	uint32_t tid;

	endpoint = startup_handle("endpoint");
	ids = now_ns();         /* none that an earlier one gave */
	for (int i = 0; i < SERVER_THREADS; i++)
		workers[i].random = seed + 77 * (uint64_t)i + 1;
	for (int i = 1; i < SERVER_THREADS; i++)
		if (thread_create(serve_loop, &workers[i], &tid))
			return 1;
	serve_loop(&workers[0]);
	return 2;
}

/* ---- A client ------------------------------------------------------------------------------------------------------- */

struct caller {
	uint64_t random;
	handle_t it;
	uint32_t done;
	uint8_t in[BUFFER];
};

static size_t size_of(uint64_t *random)
{
	static const uint16_t sizes[] = { 0, 0, 0, 1, 8, 63, 64, 65, 127, 128, 129, 200, 1000, 4096, 4097, 9000, 20000 };
	return sizes[random_next(random) % (sizeof sizes / sizeof sizes[0])];
}

/* Memory that nobody touched yet, and that ends where it ends. */
static uint8_t *fresh(size_t bytes, size_t *mapped)
{
	*mapped = (bytes + 4096) & ~(size_t)4095;
	int64_t at = sys_map(0, HANDLE_NONE, 0, *mapped, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);
	return at < 0 ? NULL : (uint8_t *)at + (*mapped - bytes);
}

static bool call_once(struct caller *c)
{
	size_t in_bytes = size_of(&c->random), out_bytes = size_of(&c->random), mapped, wrong = 0;
	uint64_t chance = random_next(&c->random), word = chance >> 20 & 0xffffff;
	uint8_t *out = fresh(out_bytes, &mapped);
	int64_t result, expected = 0;
	handle_t h;

	if (!out)
		return false;
	for (size_t i = 0; i < in_bytes; i += 1 + i / 64)
		c->in[i] = (uint8_t)random_next(&c->random);
	switch (chance % 8) {
	case 0:
		result = sys_call(0, c->it, pack_handle(LATER, HANDLE_NONE, false), NULL, 0, NULL, 0, 0);
		expected = 1;
		break;
	case 1:
		result = sys_call_handle(0, c->it, GIVE, startup_handle("log"), NULL, 0, NULL, 0, 0, &h);
		expected = h != HANDLE_NONE ? 0 : 1;
		handle_close(h);
		break;
	case 2:
		result = handle_open_at(c->it, "x", OPEN_READ | OPEN_WRITE, &h);
		if (!result)
			handle_close(h);
		break;
	case 3:
		result = sys_read(0, c->it, out, out_bytes, (int64_t)word);
		expected = (int64_t)out_bytes;
		break;
	case 4:
		result = sys_write(0, c->it, c->in, in_bytes, 5);
		expected = (int64_t)in_bytes;
		break;
	default:
		result = sys_call(0, c->it, pack_handle(SUM, HANDLE_NONE, false), c->in, in_bytes, out, out_bytes, word);
		expected = sum_of(c->in, in_bytes, word);
	}
	for (size_t i = 0; i < out_bytes && (chance % 8 == 3 || chance % 8 > 4); i++)
		wrong += out[i] != out_byte(word, i);
	sys_unmap(0, HANDLE_NONE, (uint64_t)out + out_bytes - mapped, mapped);
	if (result == expected && !wrong)
		return true;
	print("# shape %u, %u bytes in, %u out: answered %d instead of %d, %u bytes are wrong\n", (unsigned)(chance % 8),
	      (unsigned)in_bytes, (unsigned)out_bytes, (int)result, (int)expected, (unsigned)wrong);
	return false;
}

static void call_loop(void *argument)
{
	struct caller *c = argument;

	for (int n = 0; n < CALLS; n++)
		if (!call_once(c))
			program_exit(1);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &c->done, 1, 0);
}

static int client(uint64_t seed)
{
	static struct caller callers[CLIENT_THREADS];
	handle_t it;
	uint32_t tid;

	if (handle_open_at(startup_handle("endpoint"), "x", OPEN_READ | OPEN_WRITE, &it))
		return 4;
	for (int i = 0; i < CLIENT_THREADS; i++)
		callers[i] = (struct caller){ .random = seed + 99 * (uint64_t)i + 1, .it = it };
	for (int i = 1; i < CLIENT_THREADS; i++)
		if (thread_create(call_loop, &callers[i], &tid))
			return 5;
	call_loop(&callers[0]);
	for (int i = 1; i < CLIENT_THREADS; i++)
		while (!__atomic_load_n(&callers[i].done, __ATOMIC_ACQUIRE))
			sys_futex_wait(0, HANDLE_NONE, &callers[i].done, 0, DEADLINE_NONE);
	return 0;
}

/* ---- The test ------------------------------------------------------------------------------------------------------- */

static uint64_t seed;

static handle_t start(const char *mode, handle_t h)
{
	char word[24], *at = word + sizeof word - 1;
	uint64_t n = random_next(&seed) >> 1;

	for (*at = 0; n; n /= 10)
		*--at = (char)('0' + n % 10);
	return child_start(mode, at, "endpoint", h);
}

/* A client that ends by itself found all right; one that we killed says nothing. */
static bool ended_well(handle_t process)
{
	struct task_info s;

	child_wait(process);
	bool ok = handle_call(process, TASK_INFO, NULL, 0, &s, sizeof s, 0) >= 0 && s.end == TASK_EXITED && s.status == 0;
	handle_close(process);
	if (!ok)
		print("# a client ended (%u) with %u\n", s.end, (unsigned)s.status);
	return ok;
}

static int64_t ask(handle_t it, uint32_t code)
{
	return sys_call(0, it, pack_handle(code, HANDLE_NONE, false), NULL, 0, NULL, 0, 0);
}

/* One thread of the server may still be at what another one is asked for. */
static bool comes_to(handle_t it, uint32_t code, int64_t value)
{
	for (int n = 0; n < 100; n++) {
		if (ask(it, code) == value)
			return true;
		sys_sleep(0, HANDLE_NONE, now_ns() + 10000000);
	}
	return false;
}

static void kill_around(uint64_t scheme_flags, bool server_too)
{
	handle_t e = (handle_t)sys_scheme(0, HANDLE_NONE, scheme_flags), it, clients[CLIENTS];
	handle_t server = start("server", e);

	for (int i = 0; i < CLIENTS; i++)
		clients[i] = start("client", e);
	for (int n = 0; n < KILLS; n++) {
		uint64_t victim = random_next(&seed) % (CLIENTS + 1);
		sys_sleep(0, HANDLE_NONE, now_ns() + random_next(&seed) % 3000000);
		if (victim < CLIENTS) {
			child_stop(clients[victim]);
			clients[victim] = start("client", e);
		} else if (server_too) {
			child_stop(server);
			server = start("server", e);
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		CHECK(ended_well(clients[i]));
	/* Nothing is left of those that were killed. */
	CHECK(handle_open_at(e, "x", OPEN_READ | OPEN_WRITE, &it) == OK);
	CHECK(server_too || comes_to(it, OPENS, 1));
	CHECK(comes_to(it, WAITING, 0));
	handle_close(it);
	child_stop(server);
	handle_close(e);
}

static void clients_are_killed(void) { kill_around(0, false); }
static void servers_are_killed_too(void) { kill_around(SCHEME_REDELIVER, true); }

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 2)
		return strcmp(startup_argument(1), "server") == 0 ? serve(word_number(startup_argument(2)))
		                                                   : client(word_number(startup_argument(2)));
	seed = startup->argument_count > 1 ? word_number(startup_argument(1)) : now_ns() | 1;
	print("# seed %llu\n", (unsigned long long)seed);
	if (!child_image_open()) {
		print("not ok 1 - the test can begin\n1..1\n");
		return 1;
	}
	run("answers are right while clients are killed", clients_are_killed);
	run("answers are right while servers are killed too", servers_are_killed_too);
	print("1..%u\n", points);
	return failures != 0;
}
