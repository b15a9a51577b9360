/* drivers/fs/virtio_9p/link_test.c - messages over the queue of a mock device that answers late, lies, is full, vanishes. */
#include "drivers/fs/virtio_9p/link.h"
#include "lib/virtio/test_device.h"

static struct link l;
static struct ninep n;
static struct device device = { .info = { .interrupts = 1 } };
static struct { uint16_t head; struct mock_piece piece[96]; uint32_t count; } got[LINK_SLOTS + 1];
static uint32_t got_count, wakes;
static bool answers_at_once;
static uint32_t claims;                 /* not 0: how many bytes the device says it wrote */
static uint64_t clock_ns;
static int me;                          /* who waits */

/* An empty answer of the right kind to the i-th of those that came. */
static void answer(uint32_t i)
{
	uint8_t *request = got[i].piece[0].at, *to = NULL;

	for (uint32_t p = 0; p < got[i].count && !to; p++)
		if (got[i].piece[p].is_writable)
			to = got[i].piece[p].at;
	CHECK(to);
	memset(to, 0, 64);
	to[0] = 64;
	to[4] = (uint8_t)(request[4] + 1);
	memcpy(to + 5, request + 5, 2);
	mock_use_raw(&mock.queue[0], got[i].head, claims ? claims : 64);
}

static void mock_process(uint32_t index)
{
	while (got_count <= LINK_SLOTS && mock_next(&mock.queue[index], &got[got_count].head, got[got_count].piece, 96, &got[got_count].count)) {
		got_count++;
		if (answers_at_once)
			answer(--got_count);
	}
}

static void *running(void) { return &me; }
static uint64_t now(void) { return clock_ns; }
static void wake(void *who)
{
	CHECK(who == &me);
	wakes++;
}
/* Nobody else runs here: the device's turn. */
static void wait(void)
{
	link_kick(&l);
	(void)link_interrupt(&l);
}

static void setup(void)
{
	mock_setup(VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX | 1, 1, 128);
	memcpy(mock.device, "\4\0host", 6);
	l = (struct link){ .ninep = &n, .running = running, .wait = wait, .wake = wake, .now = now };
	n = (struct ninep){ .carrier = &link_carrier, .context = &l, .msize = 8192 };
	got_count = wakes = claims = 0;
	answers_at_once = true;
	clock_ns = 1;
	CHECK_EQ(link_open(&l, &device), OK);
}

TEST(the_tag_is_read_as_far_as_it_is_a_name)
{
	setup();
	CHECK_STR(l.tag, "host");
	memcpy(mock.device, "\60\0ab/../../etc", 14);
	CHECK_EQ(link_open(&l, &device), OK);
	CHECK_STR(l.tag, "ab");
}

TEST(a_message_goes_out_and_its_answer_comes_back)
{
	struct ninep_attr a;

	setup();
	/* 64 bytes are too few for attributes, and enough for a good header. */
	CHECK_EQ(ninep_getattr(&n, 0, &a), ERR_PROTO);
	CHECK_EQ(ninep_fsync(&n, 0), OK);
	CHECK_EQ(l.queue.outstanding, 0);
}

TEST(a_written_answer_is_never_longer_than_its_room)
{
	setup();
	claims = 0xffffffff;
	CHECK_EQ(ninep_fsync(&n, 0), OK);
	claims = 3;
	CHECK_EQ(ninep_fsync(&n, 0), ERR_PROTO);
}

TEST(nobody_waits_for_a_clunk_and_its_slot_comes_back)
{
	uint32_t fid;

	setup();
	answers_at_once = false;
	for (uint32_t i = 0; i < LINK_SLOTS; i++) {
		CHECK_EQ(ninep_fid_take(&n, &fid), OK);
		ninep_clunk(&n, fid + 1);
	}
	link_kick(&l);
	CHECK_EQ(got_count, LINK_SLOTS);
	uint64_t taken = n.fids[0];
	for (uint32_t i = 0; i < LINK_SLOTS; i++)
		answer(i);
	CHECK(link_interrupt(&l));
	CHECK(n.fids[0] != taken);
	got_count = 0;
	answers_at_once = true;
	CHECK_EQ(ninep_fsync(&n, 0), OK);
}

TEST(a_device_that_lies_or_vanishes_ends_what_waits)
{
	setup();
	answers_at_once = false;
	mock.is_gone = false;
	struct ninep_message *m;
	CHECK_EQ(link_carrier.begin(&l, &m), OK);
	l.slot[0].waiter = &me;
	m->head_used = 11;
	ninep_flush(m, 1);
	link_carrier.post(&l, m);
	l.slot[0].is_posted = false;
	link_kick(&l);
	mock_use_raw(&mock.queue[0], got[0].head + 1, 64);
	CHECK(!link_interrupt(&l));
	CHECK_EQ(wakes, 1);
	CHECK_EQ(ninep_fsync(&n, 0), ERR_NODEV);
	/* What is still out is not given to anybody. */
	link_carrier.end(&l, m);
	CHECK(l.slot[0].is_busy);
	setup();
	mock.is_gone = true;
	CHECK(!link_interrupt(&l));
	CHECK_EQ(ninep_fsync(&n, 0), ERR_NODEV);
}

TEST(a_host_that_owes_an_answer_for_a_minute_is_stuck)
{
	uint32_t fid;

	setup();
	answers_at_once = false;
	CHECK_EQ(ninep_fid_take(&n, &fid), OK);
	ninep_clunk(&n, fid + 1);
	CHECK(!link_is_stuck(&l));
	clock_ns += LINK_PATIENCE_NS + 1;
	CHECK(link_is_stuck(&l));
}

static uint32_t turns;
/* First the one who waits is flushed; then the device gives its buffer back without an answer. */
static void wait_flushed(void)
{
	if (turns++ == 0) {
		link_flush(&l, &me);
		link_kick(&l);
		CHECK_EQ(got_count, 2);
		CHECK_EQ(((uint8_t *)got[1].piece[0].at)[4], NINEP_FLUSH);
		CHECK_MEM(got[1].piece[0].at + 7, got[0].piece[0].at + 5, 2);
		mock_use_raw(&mock.queue[0], got[0].head, 0);
		answer(1);
	}
	(void)link_interrupt(&l);
}

TEST(who_is_interrupted_has_the_host_forget_it)
{
	setup();
	answers_at_once = false;
	turns = 0;
	l.wait = wait_flushed;
	CHECK_EQ(ninep_fsync(&n, 0), ERR_INTR);
	CHECK_EQ(l.queue.outstanding, 0);
	for (uint32_t i = 0; i < LINK_SLOTS; i++)
		CHECK(!l.slot[i].is_busy);
}
