/* drivers/iommud/ring_test.c - the queues of a virtio IOMMU against a mock device, also taken over by a next instance in the middle. */
#include "drivers/iommud/ring.h"
#include "lib/virtio/test_device.h"

static struct virtio v;
static struct device device = { .info = { .interrupts = 1 } };
static struct ring requests, events;
static struct dma_memory memory;
static uint32_t asked;
static bool is_silent;
static uint8_t status;

static void mock_process(uint32_t index)
{
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	if (index == 1 || is_silent)
		return;
	while (mock_next(&mock.queue[index], &head, piece, 4, &count)) {
		CHECK(count == 2 && !piece[0].is_writable && piece[1].is_writable && piece[1].bytes == 4);
		CHECK_EQ(piece[0].at[0], 3);
		*piece[1].at = status;
		asked++;
		mock_use_raw(&mock.queue[index], head, 4);
	}
}

static err_t open_both(bool again)
{
	err_t err = ring_open(&requests, &v, 0, memory.at + RING_REQUESTS_AT, dma_address(&memory, RING_REQUESTS_AT, NULL), VIRTIO_NO_VECTOR, again);

	return err ? err : ring_open(&events, &v, 1, memory.at + RING_EVENTS_AT, dma_address(&memory, RING_EVENTS_AT, NULL), 0, again);
}

static void setup(void)
{
	mock_setup(0, 2, 64);
	asked = status = 0;
	is_silent = false;
	CHECK_EQ(virtio_open(&v, &device, 0), OK);
	CHECK_EQ(dma_allocate(&device, 4096, 0, DMA_WHOLE, &memory), OK);
	CHECK_EQ(open_both(false), OK);
	ring_events_give(&events);
	virtio_start(&v);
}

TEST(a_request_is_answered_by_its_status)
{
	static const uint8_t request[28] = { 3 };

	setup();
	for (uint32_t i = 0; i < 100000; i++) {
		status = (uint8_t)(i % 9);
		ring_request(&requests, request, sizeof(request));
		CHECK(ring_is_done(&requests));
		CHECK_EQ(ring_status(&requests), i % 9);
	}
	CHECK_EQ(asked, 100000);
}

TEST(a_device_that_writes_no_status_said_nothing)
{
	static const uint8_t request[20] = { 3 };

	setup();
	status = 0xff;
	ring_request(&requests, request, sizeof(request));
	CHECK(ring_is_done(&requests));
	CHECK_EQ(ring_status(&requests), -1);
}

TEST(the_next_instance_waits_for_what_was_asked_and_goes_on)
{
	static const uint8_t request[20] = { 3 };

	setup();
	is_silent = true;
	ring_request(&requests, request, sizeof(request));
	CHECK(!ring_is_done(&requests));
	uint32_t resets = mock.resets;
	CHECK_EQ(virtio_adopt(&v, &device, 0), OK);
	CHECK_EQ(open_both(true), OK);
	CHECK_EQ(mock.resets, resets);
	CHECK(!ring_is_done(&requests));
	is_silent = false;
	ring_kick(&requests);
	CHECK(ring_is_done(&requests));
	ring_request(&requests, request, sizeof(request));
	CHECK(ring_is_done(&requests));
	CHECK_EQ(asked, 2);
}

TEST(a_device_that_does_not_run_is_not_taken_over)
{
	setup();
	CHECK_EQ(virtio_reset(&v), OK);
	CHECK_EQ(virtio_adopt(&v, &device, 0), ERR_NODEV);
	mock.is_gone = true;
	CHECK(virtio_adopt(&v, &device, 0) != OK);
}

static void happen(uint32_t endpoint, uint64_t address)
{
	struct mock_piece piece[2];
	uint32_t count, flags = 0x100;
	uint16_t head;

	CHECK(mock_next(&mock.queue[1], &head, piece, 2, &count));
	CHECK(count == 1 && piece[0].is_writable && piece[0].bytes == RING_EVENT_BYTES);
	memcpy(piece[0].at + 4, &flags, 4);
	memcpy(piece[0].at + 8, &endpoint, 4);
	memcpy(piece[0].at + 16, &address, 8);
	mock_use_raw(&mock.queue[1], head, 24);
}

TEST(events_come_in_order_and_their_buffers_go_back)
{
	struct ring_event e;

	setup();
	CHECK(!ring_event_look(&events, &e));
	for (uint32_t i = 0; i < 1000; i++) {
		happen(i, i * 4096ull);
		if (i % 3 == 0)
			CHECK_EQ(open_both(true), OK);          /* another instance */
		CHECK(ring_event_look(&events, &e));
		CHECK(ring_event_look(&events, &e));
		CHECK(e.endpoint == i && e.address == i * 4096ull && e.flags == 0x100);
		ring_event_done(&events);
		CHECK(!ring_event_look(&events, &e));
	}
}

TEST(all_buffers_can_be_full_and_an_event_of_none_is_none)
{
	struct ring_event e;

	setup();
	for (uint32_t i = 0; i < RING_ENTRIES; i++)
		happen(i, 0);
	for (uint32_t i = 0; i < RING_ENTRIES; i++) {
		CHECK(ring_event_look(&events, &e));
		CHECK_EQ(e.endpoint, i);
		ring_event_done(&events);
	}
	mock_use_raw(&mock.queue[1], 0xffff, 24);
	CHECK(!ring_event_look(&events, &e));
}
