/* drivers/random/virtio_rng/rng_test.c - against a mock device that gives, lies, keeps silent, vanishes. */
#include "drivers/random/virtio_rng/rng.h"
#include "lib/virtio/test_device.h"

static struct rng rng;
static struct device device = { .info = { .interrupts = 1 } };
static uint32_t claimed, wrong_head, asks;
static bool is_silent;

static void mock_process(uint32_t index)
{
	struct mock_piece piece[4];
	uint32_t count;
	uint16_t head;

	while (!is_silent && mock_next(&mock.queue[index], &head, piece, 4, &count)) {
		CHECK(count == 1 && piece[0].is_writable && piece[0].bytes == RNG_BYTES);
		memset(piece[0].at, 0x5a, 48);
		asks++;
		mock_use_raw(&mock.queue[index], head + wrong_head, claimed);
	}
}

static void setup(void)
{
	mock_setup(0, 1, 8);
	rng = (struct rng){ 0 };
	claimed = 48;
	wrong_head = asks = 0;
	is_silent = false;
	CHECK_EQ(rng_open(&rng, &device), OK);
}

TEST(bytes_come_once_for_each_question)
{
	uint8_t got[RNG_BYTES];

	setup();
	for (uint32_t i = 0; i < 100; i++) {
		rng_ask(&rng);
		CHECK_EQ(rng_take(&rng, got), 48);
		CHECK_EQ(got[47], 0x5a);
		CHECK_EQ(rng_take(&rng, got), 0);
		CHECK_EQ(asks, i + 1);
	}
}

TEST(only_one_question_is_out)
{
	setup();
	is_silent = true;
	rng_ask(&rng);
	rng_ask(&rng);
	CHECK_EQ(rng.queue.outstanding, 1);
}

TEST(a_device_that_claims_too_much_gives_what_there_is_room_for)
{
	uint8_t got[RNG_BYTES];

	setup();
	claimed = 0xffffffff;
	rng_ask(&rng);
	CHECK_EQ(rng_take(&rng, got), RNG_BYTES);
}

TEST(a_device_that_lies_is_reset)
{
	uint8_t got[RNG_BYTES];

	setup();
	wrong_head = 3;
	rng_ask(&rng);
	CHECK_EQ(rng_take(&rng, got), 0);
	CHECK_EQ(mock.resets, 2);
	wrong_head = 0;
	rng_ask(&rng);
	CHECK_EQ(rng_take(&rng, got), 48);
}

TEST(a_device_that_vanished_is_gone)
{
	uint8_t got[RNG_BYTES];

	setup();
	mock.is_gone = true;
	rng_ask(&rng);
	CHECK_EQ(rng_take(&rng, got), 0);
	CHECK(rng.is_gone);
	rng_ask(&rng);
	CHECK_EQ(rng_take(&rng, got), 0);
}
