/* personality/linux/straceformat_test.c - how values are printed. */
#include "lib/test/test.h"
#include "personality/linux/abi_file.h"
#include "personality/linux/strace.h"

static char line[64];

static const char *value(char kind, uint64_t v)
{
	struct strace_text s = { line, 0, sizeof(line) };
	strace_put_value(&s, kind, v);
	return line;
}

static const char *string(const char *bytes, size_t count, bool goes_on)
{
	struct strace_text s = { line, 0, sizeof(line) };
	strace_put_string(&s, bytes, count, goes_on);
	return line;
}

TEST(values_are_printed_by_kind)
{
	CHECK_STR(value('d', (uint32_t)-100), "AT_FDCWD");
	CHECK_STR(value('d', 3), "3");
	CHECK_STR(value('i', (uint32_t)-1), "-1");
	CHECK_STR(value('o', 0644), "0644");
	CHECK_STR(value('p', 0), "NULL");
	CHECK_STR(value('p', 0x1000), "0x1000");
	CHECK_STR(value('O', LINUX_O_RDWR | LINUX_O_CREAT), "O_RDWR|O_CREAT");
	CHECK_STR(value('O', 0), "O_RDONLY");
	CHECK_STR(value('M', 0), "PROT_NONE");
	CHECK_STR(value('M', 3), "PROT_READ|PROT_WRITE");
	CHECK_STR(value('S', 9), "SIGKILL");
	CHECK_STR(value('S', 40), "RT40");
	CHECK_STR(value('W', 1), "SEEK_CUR");
	CHECK_STR(value('C', 1), "CLOCK_MONOTONIC");
	CHECK_STR(value('C', 99), "99");
}

TEST(strings_are_quoted)
{
	CHECK_STR(string("a\"b\\\n\t\1", 7, false), "\"a\\\"b\\\\\\n\\t\\1\"");
	CHECK_STR(string("abc", 3, true), "\"abc\"...");
}

TEST(a_full_line_is_cut_not_overrun)
{
	char small[8];
	struct strace_text s = { small, 0, sizeof(small) };
	strace_put_string(&s, "a long string", 13, false);
	strace_put(&s, "%d", 12345);
	CHECK_EQ(s.used, 7);
	CHECK_EQ(small[7], 0);
}

TEST(errors_have_names)
{
	CHECK_STR(strace_error_name(2), "ENOENT");
	CHECK_STR(strace_error_name(38), "ENOSYS");
	CHECK(!strace_error_name(9999));
}
