/* kernel/mem/account_test.c - tests of quotas. */
#include "kernel/mem/account.h"
#include "lib/test/host/machine.h"

struct page_tables *machine_tables_in(struct space *s) { (void)s; return NULL; }

static struct account *make(struct account *parent, uint64_t pages)
{
	struct account *a;
	CHECK_EQ(account_create(parent, &(struct account_limits){ pages, 2, 3 }, &a), OK);
	return a;
}

static uint64_t pages_of(struct account *a)
{
	struct account_info info;
	account_info(a, &info);
	return info.used.pages;
}

TEST(a_charge_counts_for_every_ancestor)
{
	uint64_t free_frames = machine_start(1 << 22);
	struct account *root = make(NULL, 100), *middle = make(root, 50), *leaf = make(middle, 60), *other = make(root, 100);
	CHECK_EQ(account_charge(leaf, ACCOUNT_PAGES, 40), OK);
	CHECK_EQ(pages_of(root), 40);
	CHECK_EQ(account_charge(leaf, ACCOUNT_PAGES, 11), ERR_NOMEM);
	CHECK_EQ(pages_of(leaf), 40);
	CHECK_EQ(pages_of(root), 40);
	CHECK_EQ(account_charge(other, ACCOUNT_PAGES, 61), ERR_NOMEM);
	CHECK_EQ(account_charge(other, ACCOUNT_PAGES, 60), OK);
	CHECK_EQ(account_charge(leaf, ACCOUNT_PAGES, 1), ERR_NOMEM);
	account_uncharge(leaf, ACCOUNT_PAGES, 40);
	account_uncharge(other, ACCOUNT_PAGES, 60);
	CHECK_EQ(pages_of(root), 0);
	account_put(leaf);
	account_put(middle);
	account_put(other);
	account_put(root);
	machine_check_free(free_frames);
}

TEST(each_kind_has_its_own_error)
{
	uint64_t free_frames = machine_start(1 << 22);
	struct account *a = make(NULL, 1);
	CHECK_EQ(account_charge(a, ACCOUNT_PAGES, 2), ERR_NOMEM);
	CHECK_EQ(account_charge(a, ACCOUNT_THREADS, 3), ERR_AGAIN);
	CHECK_EQ(account_charge(a, ACCOUNT_HANDLES, 4), ERR_MFILE);
	CHECK_EQ(account_charge(a, ACCOUNT_HANDLES, UINT64_MAX), ERR_MFILE);
	CHECK_EQ(account_charge(NULL, ACCOUNT_HANDLES, UINT64_MAX), OK);
	account_put(a);
	machine_check_free(free_frames);
}

TEST(what_is_charged_keeps_its_account)
{
	uint64_t free_frames = machine_start(1 << 22);
	struct account *root = make(NULL, 10), *leaf = make(root, 10);
	CHECK_EQ(account_charge(leaf, ACCOUNT_PAGES, 3), OK);
	account_put(root);
	account_put(leaf);
	CHECK_EQ(pages_of(leaf), 3);
	account_uncharge(leaf, ACCOUNT_PAGES, 1);
	account_uncharge(leaf, ACCOUNT_PAGES, 2);
	machine_check_free(free_frames);
}

TEST(a_limit_below_use_only_stops_more)
{
	uint64_t free_frames = machine_start(1 << 22);
	struct account *a = make(NULL, 10);
	CHECK_EQ(account_charge(a, ACCOUNT_PAGES, 8), OK);
	account_set(a, &(struct account_limits){ 4, 1, 1 });
	CHECK_EQ(account_charge(a, ACCOUNT_PAGES, 1), ERR_NOMEM);
	account_uncharge(a, ACCOUNT_PAGES, 5);
	CHECK_EQ(account_charge(a, ACCOUNT_PAGES, 1), OK);
	account_uncharge(a, ACCOUNT_PAGES, 4);
	account_put(a);
	machine_check_free(free_frames);
}

TEST(the_tree_is_not_deep)
{
	uint64_t free_frames = machine_start(1 << 22);
	struct account *a = make(NULL, 10), *b;
	for (;;) {
		if (account_create(a, &(struct account_limits){ 1, 1, 1 }, &b))
			break;
		account_put(a);
		a = b;
	}
	account_put(a);
	machine_check_free(free_frames);
}
