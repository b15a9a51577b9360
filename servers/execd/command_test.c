/* servers/execd/command_test.c */
#include "abi/proto/exec.h"
#include "lib/native/heap.h"
#include "lib/test/test.h"
#include "servers/execd/command.h"

static uint8_t bytes[512];

static size_t make(uint32_t arguments, uint32_t environment, const char *strings, size_t strings_bytes)
{
	struct exec_command head = {
		.bytes = (uint32_t)(sizeof head + strings_bytes), .argument_count = arguments, .environment_count = environment,
		.flags = EXEC_WITH_TRACE, .uid = 1, .gid = 2,
	};
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, strings, strings_bytes);
	return head.bytes;
}

TEST(a_command_has_its_words)
{
	struct command c;

	CHECK_EQ(command_parse(bytes, make(2, 1, "ls\0-l\0PATH=/a::/b\0/root", 24), &c), OK);
	CHECK_STR(c.arguments[0], "ls");
	CHECK_STR(c.arguments[1], "-l");
	CHECK(c.arguments[2] == NULL && c.environment[1] == NULL);
	CHECK_STR(c.folder, "/root");
	CHECK_STR(command_environment(&c, "PATH"), "/a::/b");
	CHECK(command_environment(&c, "PAT") == NULL);
	CHECK(c.flags == EXEC_WITH_TRACE && c.uid == 1 && c.gid == 2);
	command_free(&c);
}

TEST(broken_commands_are_refused)
{
	struct command c;

	CHECK_EQ(command_parse(bytes, 3, &c), ERR_INVAL);
	CHECK_EQ(command_parse(bytes, make(0, 0, "/\0", 2), &c), ERR_INVAL);
	CHECK_EQ(command_parse(bytes, make(2, 0, "ls\0/", 5), &c), ERR_INVAL);
	CHECK_EQ(command_parse(bytes, make(1, 0, "ls\0/root", 8), &c), ERR_INVAL);
	CHECK_EQ(command_parse(bytes, make(UINT32_MAX, UINT32_MAX, "ls\0/", 5), &c), ERR_INVAL);
	CHECK_EQ(command_parse(bytes, make(1, 0, "ls\0/", 5) - 1, &c), ERR_INVAL);
}

TEST(no_memory_for_a_command_is_an_error)
{
	struct command c;

	heap_fail_after(1);
	CHECK_EQ(command_parse(bytes, make(1, 0, "ls\0/", 5), &c), ERR_NOMEM);
}
