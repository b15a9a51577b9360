/* servers/netd/cards_test.c - names of cards that come and go. */
#include "lib/test/test.h"
#include "servers/netd/cards.h"

static uint32_t closed;
static handle_t last_closed;
static void fake_close(handle_t h) { closed++; last_closed = h; }

static struct cards *fresh(void)
{
	static struct cards c;

	c = (struct cards){ .close = fake_close };
	closed = 0;
	return &c;
}

static err_t attach(struct cards *c, const char *instance, uint32_t index, handle_t root) { return cards_attach(c, instance, strlen(instance), index, root); }

static handle_t find(const struct cards *c, const char *ref, const char *inner)
{
	const char *rest;
	size_t bytes;
	const struct card *card = cards_find(c, ref, strlen(ref), &rest, &bytes);

	if (!card)
		return HANDLE_NONE;
	CHECK_EQ(bytes, strlen(inner));
	CHECK_MEM(rest, inner, bytes);
	return card->root;
}

TEST(a_card_is_found_by_its_place)
{
	struct cards *c = fresh();

	CHECK_EQ(attach(c, "b@1", 1, 11), OK);
	CHECK_EQ(attach(c, "a@0", 0, 10), OK);
	CHECK_EQ(find(c, "eth0", ""), 10);
	CHECK_EQ(find(c, "eth1/capture/96", "capture/96"), 11);
	CHECK_EQ(find(c, "eth1/", ""), 11);
}

TEST(other_names_are_no_cards)
{
	static const char *const names[] = { "", "e", "eth", "eth/", "eth1", "eth00", "eth-0", "eth32", "eth99999999999999999999", "ETH0", "eth0x", "/eth0" };
	struct cards *c = fresh();

	CHECK_EQ(attach(c, "a@0", 0, 10), OK);
	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK_EQ(find(c, names[i], ""), HANDLE_NONE);
}

TEST(what_was_attached_before_is_closed)
{
	struct cards *c = fresh();

	CHECK_EQ(attach(c, "a@0", 0, 10), OK);
	CHECK_EQ(attach(c, "a@0", 3, 12), OK);
	CHECK_EQ(last_closed, 10);
	CHECK_EQ(find(c, "eth0", ""), HANDLE_NONE);
	CHECK_EQ(attach(c, "b@0", 3, 13), OK);
	CHECK_EQ(last_closed, 12);
	CHECK_EQ(find(c, "eth3", ""), 13);
	CHECK_EQ(cards_detach(c, "a@0", 3), ERR_NOENT);
	CHECK_EQ(cards_detach(c, "b@0", 3), OK);
	CHECK_EQ(closed, 3);
}

TEST(an_instance_or_place_that_makes_no_sense_is_refused)
{
	char name[100];
	struct cards *c = fresh();

	memset(name, 'x', sizeof(name));
	CHECK_EQ(cards_attach(c, name, sizeof(name), 0, 10), ERR_INVAL);
	CHECK_EQ(cards_attach(c, name, 0, 0, 10), ERR_INVAL);
	CHECK_EQ(cards_attach(c, "a", 1, CARDS_MAX, 10), ERR_INVAL);
	CHECK_EQ(closed, 0);
}

TEST(the_list_has_a_line_for_each)
{
	struct cards *c = fresh();
	char text[64];

	CHECK_EQ(attach(c, "a@0", 0, 10), OK);
	CHECK_EQ(attach(c, "b@0", 11, 11), OK);
	CHECK_EQ(cards_list(c, text, sizeof(text)), 11);
	CHECK_STR(text, "eth0\neth11\n");
}
