/* kernel/mem/space_copy_test.c - bytes between spaces. */
#include "lib/test/host/space.h"

TEST(a_page_is_held_for_whoever_asks)
{
	start();
	paddr_t zero, frame, again;
	uint64_t at = map(0x100000, 2 * P, RW, NULL, 0);
	CHECK_EQ(space_page(space, at, false, true, &zero), OK);
	CHECK_EQ(zero.raw, frame_zero().raw);
	CHECK_EQ(space_page(space, at, true, true, &frame), OK);
	CHECK(frame.raw != zero.raw && frame_refs(frame) == 2);
	CHECK_EQ(space_unmap(space, at, P), OK);
	CHECK_EQ(frame_refs(frame), 1);
	CHECK_EQ(space_page(space, at, true, true, &again), ERR_FAULT);
	CHECK_EQ(space_page(space, USER_MAX, true, true, &again), ERR_FAULT);
	frame_put(frame);
	frame_put(zero);
	CHECK_EQ(space_protect(space, at + P, P, MAP_READ), OK);
	CHECK_EQ(space_page(space, at + P, true, true, &again), ERR_ACCES);
	finish();
}

TEST(copies_between_spaces_cross_pages_and_stop_at_holes)
{
	start();
	struct space *other;
	static uint8_t in[3 * P], out[3 * P];
	size_t done;
	CHECK_EQ(space_create(NULL, &other), OK);
	uint64_t from = map(0x100000, 3 * P, RW, NULL, 0), to;
	CHECK_EQ(space_map(other, 0x500000, 3 * P, RW, ALL, NULL, 0, &to), OK);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)test_random();
	CHECK_EQ(space_write(space, from, in, sizeof in), OK);
	CHECK_EQ(space_copy(other, to + 100, space, from + 3, 2 * P, true, &done), OK);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_read(other, to + 100, out, 2 * P, true), OK);
	CHECK_MEM(out, in + 3, 2 * P);
	CHECK_EQ(space_copy(other, to, space, from + P, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_copy(other, to + P, space, from, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(done, 2 * P);
	CHECK_EQ(space_copy(other, UINT64_MAX, space, from, 3 * P, true, &done), ERR_FAULT);
	CHECK_EQ(space_copy(space, from + 8, space, from, 64, true, &done), OK);
	CHECK_EQ(space_protect(other, to, P, MAP_READ), OK);
	CHECK_EQ(space_copy(other, to, space, from, 8, true, &done), ERR_ACCES);
	CHECK_EQ(space_read(space, UINT64_MAX - 2, out, 8, true), ERR_FAULT);
	CHECK_EQ(space_write(space, USER_MAX - 4, out, 8), ERR_FAULT);
	space_put(other);
	finish();
}
