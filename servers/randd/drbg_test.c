/* servers/randd/drbg_test.c - what the generator promises, and how chance is counted. */
#include "lib/test/test.h"
#include "servers/randd/drbg.h"
#include "servers/randd/jitter.h"
#include "servers/randd/source.h"

static void seed(struct drbg *d, const char *text)
{
	memset(d, 0, sizeof(*d));
	drbg_add(d, text, strlen(text), DRBG_SEED_BITS);
}

static void read_unseeded(void *d)
{
	uint8_t byte;

	drbg_read(d, &byte, 1);
}

TEST(nothing_comes_out_before_it_is_seeded)
{
	struct drbg d = { 0 };

	CHECK(!drbg_is_seeded(&d));
	drbg_add(&d, "much text of no worth", 21, 0);
	CHECK(!drbg_is_seeded(&d));
	drbg_add(&d, "x", 1, DRBG_SEED_BITS - 1);
	CHECK(!drbg_is_seeded(&d));
	CHECK_DIES(read_unseeded, &d);
	drbg_add(&d, "x", 1, 1);
	CHECK(drbg_is_seeded(&d));
}

TEST(entropy_that_is_claimed_without_measure_does_not_wrap)
{
	struct drbg d = { 0 };

	drbg_add(&d, "x", 1, 200);
	drbg_add(&d, "x", 1, UINT32_MAX);
	CHECK(drbg_is_seeded(&d));
	CHECK_EQ(d.entropy_bits, DRBG_SEED_BITS);
}

TEST(the_stream_is_the_same_however_it_is_cut)
{
	static uint8_t whole[5000], parts[5000];
	struct drbg a, b;

	seed(&a, "one");
	seed(&b, "one");
	drbg_read(&a, whole, sizeof(whole));
	for (size_t at = 0, n = 1; at < sizeof(parts); at += n, n = n % 700 + 13) {
		if (n > sizeof(parts) - at)
			n = sizeof(parts) - at;
		drbg_read(&b, parts + at, n);
	}
	CHECK_MEM(parts, whole, sizeof(whole));
}

TEST(different_seeds_and_later_additions_change_everything)
{
	uint8_t x[64], y[64];
	struct drbg a, b;

	seed(&a, "one");
	seed(&b, "two");
	drbg_read(&a, x, sizeof(x));
	drbg_read(&b, y, sizeof(y));
	CHECK(memcmp(x, y, sizeof(x)));
	seed(&a, "one");
	seed(&b, "one");
	drbg_add(&b, "", 0, 0);
	drbg_add(&b, "\0", 1, 0);
	drbg_read(&a, x, sizeof(x));
	drbg_read(&b, y, sizeof(y));
	CHECK(memcmp(x, y, sizeof(x)));
}

TEST(what_was_given_cannot_be_found_in_the_state)
{
	struct drbg d;
	uint8_t out[64];

	seed(&d, "one");
	drbg_read(&d, out, sizeof(out));
	for (size_t at = 0; at + 8 <= sizeof(d); at++)
		for (size_t i = 0; i + 8 <= sizeof(out); i++)
			CHECK(memcmp((uint8_t *)&d + at, out + i, 8));
}

TEST(bits_are_balanced)
{
	static uint8_t out[1 << 16];
	struct drbg d;
	long ones = 0;

	seed(&d, "one");
	drbg_read(&d, out, sizeof(out));
	for (size_t i = 0; i < sizeof(out); i++)
		ones += __builtin_popcount(out[i]);
	/* 524,288 bits: the mean is 262,144, six deviations are 2,172. */
	CHECK(ones > 262144 - 2172 && ones < 262144 + 2172);
}

TEST(much_output_asks_for_a_new_seed)
{
	static uint8_t out[DRBG_RESEED_BYTES];
	struct drbg d;

	seed(&d, "one");
	CHECK(!drbg_wants_seed(&d));
	drbg_read(&d, out, sizeof(out));
	CHECK(drbg_wants_seed(&d));
	CHECK(drbg_is_seeded(&d));
	drbg_add(&d, "more", 4, 32);
	CHECK(!drbg_wants_seed(&d));
}

TEST(an_even_clock_and_a_dead_one_have_no_entropy)
{
	uint64_t stamps[1024];

	for (int i = 0; i < 1024; i++)
		stamps[i] = 1000 + 37ull * (uint64_t)i;
	CHECK_EQ(jitter_entropy_bits(stamps, 1024), 0);
	for (int i = 0; i < 1024; i++)
		stamps[i] = 5;
	CHECK_EQ(jitter_entropy_bits(stamps, 1024), 0);
	for (int i = 0; i < 1024; i++)
		stamps[i] = 100ull * (uint64_t)i + (i % 7) * 3;
	CHECK(jitter_entropy_bits(stamps, 1024) < 8);
}

TEST(an_uneven_clock_has_some_and_never_more_than_a_sixteenth_bit_per_stamp)
{
	uint64_t stamps[1024], now = 0;

	for (int i = 0; i < 1024; i++)
		stamps[i] = now += 1000 + test_random() % 5000;
	CHECK(jitter_entropy_bits(stamps, 1024) > 32);
	CHECK(jitter_entropy_bits(stamps, 1024) <= 64);
}

TEST(the_hardware_generator_differs_from_call_to_call)
{
	uint64_t a[8], b[8];

	if (!source_hardware(a, 8))
		SKIP("this CPU has no generator");
	CHECK(source_hardware(b, 8));
	CHECK(memcmp(a, b, sizeof(a)));
}
