/* lib/base/crc32_test.c - the check value that everyone publishes, and parts. */
#include "lib/base/crc32.h"
#include "lib/test/test.h"

TEST(the_check_value_is_right)
{
	CHECK_EQ(crc32(0, "123456789", 9), 0xcbf43926u);
	CHECK_EQ(crc32(0, "", 0), 0);
}

TEST(parts_are_as_good_as_the_whole)
{
	CHECK_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
}
