/* personality/linux/sigregs_test.c - the rules of signal frames. */
#include "lib/test/test.h"
#include "personality/linux/sigframe.h"

STATIC_ASSERT(sizeof(struct linux_sigcontext) == 256, "Linux's struct sigcontext");
STATIC_ASSERT(offsetof(struct linux_ucontext, mask) == 296, "Linux's struct ucontext");
STATIC_ASSERT(offsetof(struct linux_rt_sigframe, info) == 312, "Linux's struct rt_sigframe");

TEST(a_frame_is_aligned_as_after_a_call_and_the_state_on_64)
{
	for (uint64_t top = 0x7000000; top < 0x7000100; top++) {
		struct sigframe_place place = sigframe_place(top, 832);
		CHECK_EQ(place.frame % 16, 8);
		CHECK_EQ(place.fpstate % 64, 0);
		CHECK(place.fpstate + 832 + SIGFRAME_MAGIC2_BYTES <= top);
		CHECK(place.frame + sizeof(struct linux_rt_sigframe) <= place.fpstate);
		CHECK(top - place.frame <= sigframe_bytes(832));
	}
}

TEST(registers_survive_a_round_through_the_frame)
{
	struct frame f, g = { .cs = 0x33, .ss = 0x2b };
	struct linux_sigcontext c = { 0 };
	uint64_t *word = (uint64_t *)&f;
	for (size_t i = 0; i < sizeof(f) / 8; i++)
		word[i] = 0x1000 + i;
	f.cs = 0x33;
	f.ss = 0x2b;
	f.rflags = 0x246;
	sigframe_save_registers(&f, &c);
	g.rflags = 0x202;
	g.number = f.number;
	CHECK(sigframe_load_registers(&g, &c));
	CHECK_MEM(&f, &g, sizeof(f));
}

TEST(a_program_sets_only_its_own_flags_and_no_selectors)
{
	struct frame f = { .cs = 0x33, .ss = 0x2b, .rflags = 0x202 };
	struct linux_sigcontext c = { .rflags = ~0ull, .cs = 8, .ss = 16 };
	CHECK(sigframe_load_registers(&f, &c));
	CHECK_EQ(f.cs, 0x33);
	CHECK_EQ(f.ss, 0x2b);
	CHECK_EQ(f.rflags, 0x202 | 0x40cd5);
}

TEST(a_return_to_the_kernel_half_is_refused)
{
	struct frame f = { 0 };
	struct linux_sigcontext c = { .rip = 0x800000000000 };
	CHECK(!sigframe_load_registers(&f, &c));
	c.rip = UINT64_MAX;
	CHECK(!sigframe_load_registers(&f, &c));
}

TEST(the_alternate_stack_knows_who_is_on_it)
{
	struct linux_stack s = { .base = 0x1000, .bytes = 0x2000 };
	CHECK(!sigframe_is_on_stack(&s, 0x1000));
	CHECK(sigframe_is_on_stack(&s, 0x1001));
	CHECK(sigframe_is_on_stack(&s, 0x3000));
	CHECK(!sigframe_is_on_stack(&s, 0x3001));
	s.flags = LINUX_SS_DISABLE;
	CHECK(!sigframe_is_on_stack(&s, 0x2000));
}
