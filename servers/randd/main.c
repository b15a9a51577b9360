/* servers/randd/main.c - rand: random bytes for everybody.
 *
 * READ gives as much as is asked (64 KiB at a time); until there is enough entropy it waits. WRITE mixes
 * in what the client says, and counts it as worth nothing. What is written to rand:source (user 0: drivers of hardware generators) counts
 * for half its length.
 */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/randd/drbg.h"
#include "servers/randd/jitter.h"
#include "servers/randd/source.h"

enum { STAMPS = 1024, STAMPS_MORE = 128, HARDWARE_WORDS = 8 };
#define RETRY_NS 50000000ull

struct reader {
	struct scheme_deferred deferred;
	struct list_node link;
	size_t bytes;
};

static struct server server;
static struct drbg drbg;
static struct server_timer retry;
static struct list_node readers = LIST_INIT(readers);
/* What rand: and rand:source open: all alike. */
static char plain, source;

/* Takes what the machine offers. What the CPU's generator says is counted as half of what it claims. */
static void gather(size_t stamp_count)
{
	uint64_t stamps[STAMPS], words[HARDWARE_WORDS];

	source_stamps(stamps, stamp_count);
	drbg_add(&drbg, stamps, stamp_count * sizeof(*stamps), jitter_entropy_bits(stamps, stamp_count));
	if (source_hardware(words, HARDWARE_WORDS))
		drbg_add(&drbg, words, sizeof(words), sizeof(words) * 4);
	memset(words, 0, sizeof(words));
	memset(stamps, 0, sizeof(stamps));
	__asm__ volatile("" : : "r"(words), "r"(stamps) : "memory");
}

static void answer_readers(void)
{
	static uint8_t buffer[4096];

	while (!list_is_empty(&readers)) {
		struct reader *r = list_first(&readers, struct reader, link);
		size_t bytes = MIN_OF(r->bytes, sizeof(buffer));
		list_remove(&r->link);
		drbg_read(&drbg, buffer, bytes);
		scheme_answer_data(&r->deferred, (int64_t)bytes, buffer, bytes);
		heap_delete(r);
	}
	memset(buffer, 0, sizeof(buffer));
}

static void try_again(struct server_timer *t)
{
	gather(STAMPS);
	if (drbg_is_seeded(&drbg))
		answer_readers();
	else
		server_timer_set(&server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + RETRY_NS);
}

static int64_t rand_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	bool is_source = string_is(ref, ref_bytes, "source");

	(void)open_flags, (void)mode;
	if (ref_bytes > 0 && !is_source)
		return ERR_NOENT;
	if (is_source && r->message->sender.uid != 0)
		return ERR_PERM;
	r->opened = is_source ? &source : &plain;
	return OK;
}

/* What a source writes counts for nothing after that, until it is opened again: there are others. */
static err_t rand_revive(struct scheme_request *r)
{
	r->opened = &plain;
	return OK;
}

static int64_t wait_for_seed(struct scheme_request *r, size_t bytes)
{
	struct reader *w;

	if (r->is_nonblock)
		return ERR_AGAIN;
	if (!(w = heap_new(struct reader)))
		return ERR_NOMEM;
	w->bytes = bytes;
	list_push_back(&readers, &w->link);
	return scheme_defer(r, &w->deferred);
}

static int64_t rand_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)offset;
	if (!drbg_is_seeded(&drbg))
		return wait_for_seed(r, bytes);
	if (drbg_wants_seed(&drbg))
		gather(STAMPS_MORE);
	bytes = MIN_OF(bytes, r->out_room);
	drbg_read(&drbg, r->out, bytes);
	return (int64_t)bytes;
}

static int64_t rand_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)bytes, (void)offset;
	drbg_add(&drbg, r->in, r->in_here, r->open == &source ? (uint32_t)r->in_here * 4 : 0);
	if (drbg_is_seeded(&drbg))
		answer_readers();
	return (int64_t)r->in_here;
}

static void rand_cancel(struct scheme_deferred *d)
{
	struct reader *r = container_of(d, struct reader, deferred);

	list_remove(&r->link);
	scheme_answer(d, ERR_INTR);
	heap_delete(r);
}

static const struct scheme_ops rand_ops = {
	.open = rand_open, .read = rand_read, .write = rand_write, .cancel = rand_cancel, .revive = rand_revive,
};

int program_main(const struct startup *startup)
{
	static struct scheme scheme;
	err_t err;

	(void)startup;
	if ((err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &rand_ops, NULL))) {
		print("randd: cannot start: error %d\n", -err);
		return 1;
	}
	server_timer_init(&retry, try_again);
	try_again(&retry);
	if (!drbg_is_seeded(&drbg))
		print("randd: no entropy yet: readers wait\n");
	err = server_run(&server);
	print("randd: stopped: error %d\n", -err);
	return 1;
}
