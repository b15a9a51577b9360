/* servers/init/order_test.c */
#include "lib/test/test.h"
#include "servers/init/order.h"

enum { COUNT = 5 };

static bool left[COUNT];
static enum dependence edges[COUNT][COUNT];

static bool is_left(uint32_t i) { return left[i]; }
static enum dependence dependence(uint32_t i, uint32_t on) { return edges[i][on]; }

static const struct order_of order = { COUNT, is_left, dependence };

static void set_up(void)
{
	memset(edges, 0, sizeof edges);
	for (int i = 0; i < COUNT; i++)
		left[i] = true;
}

static void check_order(const char *wanted)
{
	char got[COUNT + 1] = "";

	for (uint32_t n = 0; n < COUNT; n++) {
		uint32_t i = order_next_to_stop(&order);
		CHECK(i < COUNT && left[i]);
		left[i] = false;
		got[n] = (char)('0' + i);
	}
	CHECK_EQ(order_next_to_stop(&order), COUNT);
	CHECK_STR(got, wanted);
}

TEST(who_came_last_goes_first)
{
	set_up();
	check_order("43210");
}

TEST(nobody_goes_before_those_who_need_or_use_him)
{
	set_up();
	edges[0][4] = NEEDS;
	edges[1][3] = USES;
	edges[3][0] = NEEDS;
	check_order("21304");
}

TEST(in_a_circle_who_only_uses_gives_way)
{
	set_up();
	edges[0][1] = NEEDS;
	edges[1][0] = USES;
	check_order("43201");
}

TEST(a_circle_of_needs_ends_too)
{
	set_up();
	edges[0][1] = edges[1][2] = edges[2][0] = NEEDS;
	check_order("43201");
}
