/* lib/virtio/virtqueue_test.c - the transport and the ring against a mock device, honest and hostile. */
#include "lib/virtio/test_device.h"

static struct virtio virtio;
static struct virtqueue queue;
static struct device device;
static struct dma_memory data;
/* What the device does at a doorbell: use everything, newest first, or nothing. */
static enum { USE_ALL, USE_BACKWARDS, USE_NONE } manner;

static void mock_process(uint32_t index)
{
	struct mock_queue *q = &mock.queue[index];
	uint16_t head[VIRTQUEUE_SIZE_MAX];
	struct mock_piece piece[64];
	uint32_t n = 0, count;

	if (manner == USE_NONE)
		return;
	while (mock_next(q, &head[n], piece, 64, &count)) {
		for (uint32_t i = 0; i < count; i++)
			if (piece[i].is_writable)
				memset(piece[i].at, 0x77, piece[i].bytes);
		n++;
	}
	for (uint32_t i = 0; i < n; i++)
		mock_use_raw(q, head[manner == USE_BACKWARDS ? n - 1 - i : i], 100);
}

static void setup(uint64_t features, uint16_t size)
{
	mock_setup(features, 2, size);
	memset(&queue, 0, sizeof(queue));
	manner = USE_ALL;
	CHECK_EQ(virtio_open(&virtio, &device, features), OK);
	CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), OK);
	virtio_start(&virtio);
	CHECK_EQ(dma_allocate(&device, 65536, 0, 0, &data), OK);
}

/* A chain of two readable pieces and one that can be written. */
static err_t add(uint32_t number)
{
	uint64_t at = data.piece->address + number % 64 * 1024;
	struct dma_piece piece[] = { { at, 16 }, { at + 16, 100 }, { at + 512, 200 } };

	return virtqueue_add(&queue, piece, 2, 1, (void *)(uintptr_t)(number + 1));
}

static const uint64_t variants[] = { 0, VIRTIO_INDIRECT, VIRTIO_EVENT_INDEX, VIRTIO_INDIRECT | VIRTIO_EVENT_INDEX };
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

TEST(every_chain_comes_back_once_in_any_order_over_many_rounds)
{
	for (uint32_t v = 0; v < VARIANTS; v++) {
		setup(variants[v], 16);
		uint32_t next = 0;
		for (uint32_t round = 0; round < 20000; round++) {
			uint32_t first = next, taken = 0, written;
			manner = test_random() & 1 ? USE_ALL : USE_BACKWARDS;
			for (uint32_t n = 1 + test_random() % 5; n > 0 && add(next) == OK; n--)
				next++;
			CHECK(next > first);
			virtqueue_kick(&queue);
			bool seen[8] = { false };
			for (void *token; (token = virtqueue_take(&queue, &written)); taken++) {
				uint32_t number = (uint32_t)(uintptr_t)token - 1;
				CHECK(number >= first && number < next && !seen[number - first]);
				seen[number - first] = true;
				CHECK_EQ(written, 100);
			}
			CHECK_EQ(taken, next - first);
			CHECK(!queue.is_broken && virtqueue_arm(&queue));
		}
		CHECK_EQ(queue.free_count, queue.size);
	}
}

TEST(a_full_ring_says_so_and_goes_on_when_the_device_did_its_work)
{
	for (uint32_t v = 0; v < VARIANTS; v++) {
		setup(variants[v], 16);
		manner = USE_NONE;
		uint32_t n = 0;
		while (add(n) == OK)
			n++;
		CHECK_EQ(n, variants[v] & VIRTIO_INDIRECT ? 16 : 5);
		CHECK_EQ(add(n), ERR_AGAIN);
		manner = USE_ALL;
		virtqueue_kick(&queue);
		for (uint32_t i = 0; i < n; i++)
			CHECK(virtqueue_take(&queue, NULL));
		CHECK_EQ(virtqueue_take(&queue, NULL), NULL);
		CHECK_EQ(add(n), OK);
	}
}

TEST(the_doorbell_rings_once_for_a_batch_and_not_when_the_device_looks_by_itself)
{
	setup(0, 16);
	manner = USE_NONE;
	CHECK_EQ(add(0), OK);
	CHECK_EQ(add(1), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(mock.doorbells, 1);
	virtqueue_kick(&queue);
	CHECK_EQ(mock.doorbells, 1);
	mock_used(&mock.queue[1])[0] = 1;       /* no notifications, please */
	CHECK_EQ(add(2), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(mock.doorbells, 1);

	setup(VIRTIO_EVENT_INDEX, 16);
	manner = USE_NONE;
	mock_used(&mock.queue[1])[2 + 4 * 16] = 2;      /* tell me when the third is there */
	CHECK_EQ(add(0), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(mock.doorbells, 0);
	CHECK_EQ(add(1), OK);
	CHECK_EQ(add(2), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(mock.doorbells, 1);
}

TEST(arming_sees_what_came_meanwhile)
{
	setup(VIRTIO_EVENT_INDEX, 16);
	CHECK(virtqueue_arm(&queue));
	CHECK_EQ(add(0), OK);
	virtqueue_kick(&queue);
	CHECK(!virtqueue_arm(&queue));
	CHECK(virtqueue_take(&queue, NULL));
	CHECK(virtqueue_arm(&queue));
	CHECK_EQ(mock_available(&mock.queue[1])[2 + 16], 1);
}

TEST(an_impossible_used_index_breaks_the_queue)
{
	setup(0, 16);
	manner = USE_NONE;
	CHECK_EQ(add(0), OK);
	virtqueue_kick(&queue);
	mock_used(&mock.queue[1])[1] = 2;
	CHECK_EQ(virtqueue_take(&queue, NULL), NULL);
	CHECK(queue.is_broken);
	CHECK_EQ(virtqueue_outstanding(&queue, 0), (void *)1);
	CHECK_EQ(virtqueue_outstanding(&queue, 1), NULL);
}

TEST(a_used_entry_that_is_no_chain_breaks_the_queue)
{
	static const uint32_t heads[] = { 1, 15, 16, 0xffff, 0xffffffff };

	for (uint32_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		setup(0, 16);
		manner = USE_NONE;
		CHECK_EQ(add(0), OK);
		virtqueue_kick(&queue);
		mock_use_raw(&mock.queue[1], heads[i], 0);
		CHECK_EQ(virtqueue_take(&queue, NULL), NULL);
		CHECK(queue.is_broken);
	}
}

TEST(a_chain_used_twice_breaks_the_queue)
{
	setup(0, 16);
	manner = USE_NONE;
	CHECK_EQ(add(0), OK);
	CHECK_EQ(add(1), OK);
	virtqueue_kick(&queue);
	mock_use_raw(&mock.queue[1], 0, 0);
	mock_use_raw(&mock.queue[1], 0, 0);
	CHECK(virtqueue_take(&queue, NULL));
	CHECK_EQ(virtqueue_take(&queue, NULL), NULL);
	CHECK(queue.is_broken);
}

TEST(a_length_that_is_too_long_is_cut)
{
	uint32_t written;

	setup(0, 16);
	manner = USE_NONE;
	CHECK_EQ(add(0), OK);
	virtqueue_kick(&queue);
	mock_use_raw(&mock.queue[1], 0, 0xffffffff);
	CHECK(virtqueue_take(&queue, &written));
	CHECK_EQ(written, 200);
}

TEST(after_a_reset_all_begins_anew)
{
	setup(VIRTIO_INDIRECT, 16);
	manner = USE_NONE;
	for (uint32_t i = 0; i < 7; i++)
		CHECK_EQ(add(i), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(virtio_reset(&virtio), OK);
	CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), OK);
	virtio_start(&virtio);
	CHECK_EQ(test_dma.count, 3);
	CHECK_EQ(virtqueue_outstanding(&queue, 0), NULL);
	manner = USE_ALL;
	CHECK_EQ(add(9), OK);
	virtqueue_kick(&queue);
	CHECK_EQ(virtqueue_take(&queue, NULL), (void *)10);
}

TEST(broken_capabilities_are_refused)
{
	mock_setup(0, 1, 16);
	mock.pci[0x41] = 0x40;          /* a circle */
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_INVAL);
	mock_setup(0, 1, 16);
	mock.pci[0x34] = 0x10;
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_INVAL);
	mock_setup(0, 1, 16);
	mock.pci[6] = 0;
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
	mock_setup(0, 1, 16);
	mock.pci[0x44] = 9;             /* no such BAR */
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_INVAL);
	mock_setup(0, 1, 16);
	mock_capability(0x40, 0x60, 1, 0xfffffff0, 0x38);
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_INVAL);
	mock_setup(0, 1, 16);
	mock_capability(0x40, 0x60, 1, MOCK_COMMON, 8);
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_INVAL);
	mock_setup(0, 1, 16);
	mock_capability(0x40, 0x60, 5, MOCK_COMMON, 0x38);
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
}

TEST(any_capabilities_are_survived)
{
	for (uint32_t round = 0; round < 3000; round++) {
		mock_setup(0, 1, 16);
		mock.is_wild = true;
		for (uint32_t n = 0; n < 6; n++)
			mock.pci[0x34 + test_random() % 0x90] = (uint8_t)test_random();
		if (virtio_open(&virtio, &device, 0) == OK)
			(void)virtio_config(&virtio, (uint32_t)test_random(), 8);
	}
}

TEST(a_device_that_refuses_is_no_device)
{
	mock_setup(0, 1, 16);
	mock.refuses_features = true;
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
	mock_setup(0, 1, 16);
	mock.features = 0;              /* a legacy one */
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
	mock_setup(0, 1, 16);
	mock.never_resets = true;
	mock.status = 7;
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
	mock_setup(0, 1, 16);
	mock.is_gone = true;
	CHECK_EQ(virtio_open(&virtio, &device, 0), ERR_NODEV);
}

TEST(queues_that_make_no_sense_are_refused)
{
	static const struct { uint16_t size; err_t err; } sizes[] = { { 0, ERR_NODEV }, { 3, ERR_INVAL }, { 0xffff, ERR_INVAL } };

	for (uint32_t i = 0; i < 3; i++) {
		mock_setup(0, 2, sizes[i].size);
		memset(&queue, 0, sizeof(queue));
		CHECK_EQ(virtio_open(&virtio, &device, 0), OK);
		CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), sizes[i].err);
	}
	mock_setup(0, 2, 16);
	memset(&queue, 0, sizeof(queue));
	CHECK_EQ(virtio_open(&virtio, &device, 0), OK);
	CHECK_EQ(virtqueue_open(&queue, &virtio, 2, 64, 8, 3), ERR_NODEV);
	mock.refuses_vectors = true;
	CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), ERR_NODEV);
	CHECK_EQ(virtio_set_config_vector(&virtio, 0), ERR_BUSY);
	virtio.notify.bytes = 4;
	mock.refuses_vectors = false;
	CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), ERR_INVAL);
}

TEST(no_memory_is_an_error)
{
	for (uint32_t n = 1; n <= 2; n++) {
		mock_setup(VIRTIO_INDIRECT, 2, 16);
		memset(&queue, 0, sizeof(queue));
		CHECK_EQ(virtio_open(&virtio, &device, VIRTIO_INDIRECT), OK);
		test_dma.fail_after = n;
		CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), ERR_NOMEM);
		CHECK_EQ(virtqueue_open(&queue, &virtio, 1, 64, 8, 3), OK);
	}
}

TEST(features_are_what_both_have)
{
	mock_setup(VIRTIO_INDIRECT | VIRTIO_ACCESS_PLATFORM | 0x5, 1, 16);
	CHECK_EQ(virtio_open(&virtio, &device, VIRTIO_EVENT_INDEX | VIRTIO_INDIRECT | 0x6), OK);
	CHECK_EQ(virtio.features, VIRTIO_INDIRECT | VIRTIO_ACCESS_PLATFORM | VIRTIO_VERSION_1 | 0x4);
	CHECK_EQ(mock.taken, virtio.features);
	CHECK_EQ(mock.resets, 1);
	mock.status |= STATUS_NEEDS_RESET;
	CHECK(virtio_needs_reset(&virtio) && !virtio_is_gone(&virtio));
}
