/* personality/linux/script_test.c - the rules of #! lines. */
#include "lib/test/test.h"
#include "personality/linux/exec.h"

static char *interpreter, *argument;
static bool is_broken;

static bool parse(const char *text)
{
	static char start[EXEC_START_BYTES];
	size_t bytes = strlen(text);
	memset(start, 'z', sizeof(start));
	memcpy(start, text, bytes);
	return exec_parse_script(start, bytes, &interpreter, &argument, &is_broken);
}

TEST(a_line_names_an_interpreter)
{
	CHECK(parse("#!/bin/sh\necho"));
	CHECK_STR(interpreter, "/bin/sh");
	CHECK(!argument);
}

TEST(the_rest_of_the_line_is_one_argument)
{
	CHECK(parse("#! \t/usr/bin/env  python3 -u \t\nx"));
	CHECK_STR(interpreter, "/usr/bin/env");
	CHECK_STR(argument, "python3 -u");
}

TEST(a_line_may_end_with_the_file)
{
	CHECK(parse("#!/bin/sh"));
	CHECK_STR(interpreter, "/bin/sh");
}

TEST(other_files_are_no_scripts)
{
	CHECK(!parse("\177ELF") && !is_broken);
	CHECK(!parse("#") && !is_broken);
	CHECK(!parse("") && !is_broken);
}

TEST(a_line_without_an_interpreter_is_broken)
{
	CHECK(!parse("#!\n") && is_broken);
	CHECK(!parse("#!  \t \nfoo") && is_broken);
	CHECK(!parse("#!") && is_broken);
}

TEST(a_line_that_is_too_long_is_broken)
{
	static char start[EXEC_START_BYTES];
	memset(start, 'x', sizeof(start));
	memcpy(start, "#!", 2);
	CHECK(!exec_parse_script(start, sizeof(start), &interpreter, &argument, &is_broken));
	CHECK(is_broken);
}

TEST(a_zero_byte_in_the_line_is_broken)
{
	char start[32] = "#!/bin/\0sh\n";
	CHECK(!exec_parse_script(start, 12, &interpreter, &argument, &is_broken));
	CHECK(is_broken);
}
