/* personality/linux/execstack_test.c - the rules of a new program's stack. */
#include "lib/base/bits.h"
#include "lib/test/test.h"
#include "personality/linux/abi.h"
#include "personality/linux/execstack.h"

#define TOP 0x7fe000000000ull
static char image[8192];

static struct exec_stack example(void)
{
	return (struct exec_stack){
		.arguments = "ls\0-l\0", .arguments_bytes = 6, .argument_count = 2,
		.environment = "A=b\0", .environment_bytes = 4, .environment_count = 1,
		.path = "/bin/ls", .random = { 1, 2, 3 }, .aux = { { LINUX_AT_PAGESZ, 4096 } }, .aux_count = 1,
	};
}

static const void *at(uint64_t address) { return image + sizeof(image) - (TOP - address); }
static uint64_t word(uint64_t address) { return *(const uint64_t *)at(address); }

TEST(vectors_point_to_the_strings)
{
	struct exec_stack s = example();
	uint64_t sp;
	CHECK_EQ(exec_stack_build(&s, TOP, image, sizeof(image), &sp), OK);
	CHECK_EQ(sp % 16, 0);
	CHECK_EQ(word(sp), 2);
	CHECK_STR(at(word(sp + 8)), "ls");
	CHECK_STR(at(word(sp + 16)), "-l");
	CHECK_EQ(word(sp + 24), 0);
	CHECK_STR(at(word(sp + 32)), "A=b");
	CHECK_EQ(word(sp + 40), 0);
	CHECK_EQ(word(sp + 48), LINUX_AT_PAGESZ);
	CHECK_EQ(word(sp + 56), 4096);
}

TEST(the_auxiliary_vector_points_to_random_bytes_path_and_platform_and_ends)
{
	struct exec_stack s = example();
	uint64_t sp;
	bool random = false, path = false, platform = false;
	CHECK_EQ(exec_stack_build(&s, TOP, image, sizeof(image), &sp), OK);
	uint64_t aux = sp + 48;
	for (; word(aux) != LINUX_AT_NULL; aux += 16) {
		random |= word(aux) == LINUX_AT_RANDOM && memcmp(at(word(aux + 8)), s.random, 16) == 0;
		path |= word(aux) == LINUX_AT_EXECFN && strcmp(at(word(aux + 8)), "/bin/ls") == 0;
		platform |= word(aux) == LINUX_AT_PLATFORM && strcmp(at(word(aux + 8)), "x86_64") == 0;
	}
	CHECK(random && path && platform);
}

TEST(no_arguments_at_all_are_fine)
{
	struct exec_stack s = { .path = "x", .arguments = "", .environment = "" };
	uint64_t sp;
	CHECK_EQ(exec_stack_build(&s, TOP, image, sizeof(image), &sp), OK);
	CHECK_EQ(word(sp), 0);
	CHECK_EQ(word(sp + 8), 0);
	CHECK_EQ(word(sp + 16), 0);
}

TEST(what_does_not_fit_is_refused)
{
	struct exec_stack s = example();
	uint64_t sp;
	CHECK_EQ(exec_stack_build(&s, TOP, image, exec_stack_bytes(&s) - 1, &sp), ERR_2BIG);
	CHECK_EQ(exec_stack_build(&s, TOP, image, exec_stack_bytes(&s), &sp), OK);
}

TEST(every_length_of_strings_fits_what_was_asked_for)
{
	static char long_argument[1000];
	memset(long_argument, 'a', sizeof(long_argument));
	for (size_t length = 1; length < 300; length++) {
		struct exec_stack s = example();
		long_argument[length - 1] = 0;
		s.arguments = long_argument;
		s.arguments_bytes = length;
		s.argument_count = 1;
		size_t bytes = exec_stack_bytes(&s);
		uint64_t sp;
		CHECK_EQ(exec_stack_build(&s, TOP, image + sizeof(image) - bytes, bytes, &sp), OK);
		CHECK(TOP - sp <= bytes);
		CHECK_EQ(sp % 16, 0);
		long_argument[length - 1] = 'a';
	}
}
