/* servers/console/options_test.c - the words of the command line. */
#include "lib/test/test.h"
#include "servers/console/options.h"

static struct options parse(const char *line)
{
	struct options o;

	options_parse(&o, line, strlen(line));
	return o;
}

TEST(sizes_are_taken)
{
	struct options o = parse("mode=run rows=50 columns=132 quiet");

	CHECK_EQ(o.rows, 50);
	CHECK_EQ(o.columns, 132);
}

TEST(nonsense_is_passed_over)
{
	struct options o = parse("rows= columns=99999 rowsy=3 rows=-1 rows=x =  arrows=7");

	CHECK_EQ(o.rows, 0);
	CHECK_EQ(o.columns, 0);
	CHECK_EQ(parse("").rows, 0);
}
