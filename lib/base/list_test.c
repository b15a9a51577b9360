/* lib/base/list_test.c - lists: what is moved from one to another. */
#include "lib/base/list.h"
#include "lib/test/test.h"

struct member {
	int number;
	struct list_node link;
};

static void check(struct list_node *head, int first, int count)
{
	struct member *m;
	int seen = 0;

	list_each(m, head, link)
		CHECK_EQ(m->number, first + seen++);
	CHECK_EQ(seen, count);
	for (struct list_node *n = head->prev; n != head; n = n->prev)
		CHECK_EQ(container_of(n, struct member, link)->number, first + --seen);
	CHECK_EQ(seen, 0);
}

TEST(all_members_move_in_order_behind_those_that_are_there)
{
	struct member members[5];
	struct list_node to = LIST_INIT(to), from = LIST_INIT(from);

	list_move_all(&to, &from);
	check(&to, 0, 0);
	for (int i = 0; i < 5; i++) {
		members[i].number = i;
		list_push_back(i < 2 ? &to : &from, &members[i].link);
	}
	list_move_all(&to, &from);
	check(&to, 0, 5);
	check(&from, 0, 0);
	list_move_all(&from, &to);
	check(&from, 0, 5);
	check(&to, 0, 0);
}
