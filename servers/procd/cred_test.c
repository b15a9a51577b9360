/* servers/procd/cred_test.c - who may become whom, and users' accounts and limits. */
#include "servers/procd/cred.h"
#include "servers/procd/fake_outside.h"

enum { KEEP = -1 };

static int64_t set_ids(uint32_t pid, int ruid, int euid, int suid, int rgid, int egid, int sgid)
{
	struct posix_set_ids ids = { (uint32_t)ruid, (uint32_t)euid, (uint32_t)suid, (uint32_t)rgid, (uint32_t)egid, (uint32_t)sgid };

	return fake_tell(pid, POSIX_SET_IDS, 0, &ids, sizeof ids);
}

TEST(root_becomes_anybody_and_cannot_come_back_unless_it_kept_an_id)
{
	uint32_t shell, one, two;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	CHECK_EQ(set_ids(one, 1000, 1000, 1000, 100, 100, 100), OK);
	CHECK_EQ(fake.tasks[one].info.uid, 1000u);
	CHECK_EQ(fake.tasks[one].info.gid, 100u);
	CHECK_EQ(set_ids(one, 0, KEEP, KEEP, KEEP, KEEP, KEEP), ERR_PERM);
	CHECK_EQ(set_ids(one, KEEP, KEEP, 0, KEEP, KEEP, KEEP), ERR_PERM);
	CHECK_EQ(set_ids(one, KEEP, KEEP, KEEP, 0, KEEP, KEEP), ERR_PERM);
	CHECK_EQ(set_ids(two, KEEP, 1000, KEEP, KEEP, KEEP, KEEP), OK);
	CHECK_EQ(fake.tasks[two].info.uid, 1000u);
	CHECK_EQ(set_ids(two, KEEP, 0, KEEP, KEEP, KEEP, KEEP), OK);
	CHECK_EQ(fake.tasks[two].info.uid, 0u);
	fake_end();
}

TEST(a_user_may_swap_its_own_ids)
{
	uint32_t p;

	fake_begin();
	p = fake_fork(fake_login());
	CHECK_EQ(set_ids(p, 1000, 2000, 3000, 10, 20, 30), OK);
	CHECK_EQ(set_ids(p, 2000, 3000, 1000, 20, 30, 10), OK);
	CHECK_EQ(set_ids(p, 4000, KEEP, KEEP, KEEP, KEEP, KEEP), ERR_PERM);
	CHECK_EQ(set_ids(p, KEEP, 1000, KEEP, KEEP, 10, KEEP), OK);
	CHECK_EQ(fake.tasks[p].info.uid, 1000u);
	CHECK_EQ(fake.tasks[p].info.gid, 10u);
	fake_end();
}

TEST(only_root_sets_groups_and_the_kernel_learns_them)
{
	uint32_t groups[33] = { 5, 6, 7 }, got[32];
	uint32_t p;

	fake_begin();
	p = fake_fork(fake_login());
	CHECK_EQ(fake_tell(p, POSIX_SET_GROUPS, 0, groups, 12), OK);
	CHECK_EQ(fake.tasks[p].cred.groups_count, 3u);
	CHECK_EQ(fake.tasks[p].cred.groups[2], 7u);
	CHECK_EQ(fake_tell(p, POSIX_SET_GROUPS, 0, groups, 11), ERR_INVAL);
	CHECK_EQ(fake_tell(p, POSIX_SET_GROUPS, 0, groups, sizeof groups), ERR_INVAL);
	CHECK_EQ(fake_call(p, POSIX_GET_GROUPS, 0), 3);
	CHECK_EQ(fake_ask(p, POSIX_GET_GROUPS, 0, got, sizeof got), 3);
	CHECK_EQ(got[1], 6u);
	CHECK_EQ(fake_ask(p, POSIX_GET_GROUPS, 0, got, 8), ERR_INVAL);
	CHECK_EQ(fake_set_uid(p, 1000), OK);
	CHECK_EQ(fake_tell(p, POSIX_SET_GROUPS, 0, groups, 4), ERR_PERM);
	CHECK_EQ(fake.tasks[p].cred.groups_count, 3u);
	CHECK(cred_has_group(tree_find(&fake.tree, p)->cred, 6));
	CHECK(!cred_has_group(tree_find(&fake.tree, p)->cred, 9));
	fake_end();
}

TEST(a_change_does_not_reach_the_parent)
{
	struct posix_ids ids;
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_set_uid(child, 1000), OK);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.uid, 0u);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, child, &ids, sizeof ids), 0);
	CHECK_EQ(ids.uid, 1000u);
	fake_end();
}

TEST(processes_of_one_user_share_an_account_and_root_has_none)
{
	uint32_t shell, one, two, held;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	held = fake.handles_open;
	CHECK_EQ(fake_set_uid(one, 1000), OK);
	CHECK_EQ(fake_set_uid(two, 1000), OK);
	CHECK_EQ(fake.handles_open, held + 1);
	CHECK(fake.tasks[one].account != HANDLE_NONE);
	CHECK_EQ(fake.tasks[one].account, fake.tasks[two].account);
	CHECK_EQ(fake.tasks[shell].account, HANDLE_NONE);
	fake_exit(one, 0);
	fake_exit(two, 0);
	fake_exit(shell, 0);
	CHECK_EQ(fake.handles_open, 1u);
	fake_end();
}

TEST(a_refused_change_leaves_everything_as_it_was)
{
	uint32_t p;

	fake_begin();
	p = fake_fork(fake_login());
	for (long n = 0; n < 3; n++) {
		fake.fail_after = n;
		CHECK_EQ(fake_set_uid(p, 1000), ERR_NOMEM);
		CHECK_EQ(tree_find(&fake.tree, p)->cred->uid, 0u);
		CHECK_EQ(fake.tasks[p].info.uid, 0u);
		fake.fail_after = -1;
	}
	CHECK_EQ(fake_set_uid(p, 1000), OK);
	fake_end();
}
