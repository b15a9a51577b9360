/* servers/procd/limit_test.c - prlimit, niceness. */
#include "servers/procd/fake_outside.h"
#include "servers/procd/limit.h"

static int64_t set_limit(uint32_t pid, uint32_t of, uint32_t resource, uint64_t soft, uint64_t hard)
{
	struct posix_limit l = { soft, hard };

	return fake_tell(pid, POSIX_SET_LIMIT, of | (uint64_t)resource << 32, &l, sizeof l);
}

static int64_t set_nice(uint32_t pid, uint32_t which, uint32_t who, int nice)
{
	return fake_call(pid, POSIX_SET_PRIORITY, which | (uint64_t)who << 32 | (uint64_t)(nice + 20) << 8);
}

static int64_t get_nice(uint32_t pid, uint32_t which, uint32_t who)
{
	return fake_call(pid, POSIX_GET_PRIORITY, which | (uint64_t)who << 32) - 20;
}

TEST(a_user_lowers_hard_limits_and_cannot_raise_them)
{
	struct posix_limit l;
	uint32_t shell, p;

	fake_begin();
	shell = fake_login();
	p = fake_fork(shell);
	CHECK_EQ(fake_set_uid(p, 1000), OK);
	CHECK_EQ(set_limit(p, 0, LINUX_RLIMIT_NOFILE, 100, 200), OK);
	CHECK_EQ(set_limit(p, 0, LINUX_RLIMIT_NOFILE, 100, 201), ERR_PERM);
	CHECK_EQ(set_limit(p, 0, LINUX_RLIMIT_NOFILE, 201, 200), ERR_INVAL);
	CHECK_EQ(set_limit(p, 0, LINUX_RLIMIT_COUNT, 1, 1), ERR_INVAL);
	CHECK_EQ(fake_ask(p, POSIX_GET_LIMIT, (uint64_t)LINUX_RLIMIT_NOFILE << 32, &l, sizeof l), 0);
	CHECK_EQ(l.soft, 100u);
	CHECK_EQ(l.hard, 200u);
	CHECK_EQ(fake.tasks[p].handle_limit, 100u);
	CHECK_EQ(set_limit(shell, p, LINUX_RLIMIT_NOFILE, 100, 300), OK);
	CHECK_EQ(fake_ask(shell, POSIX_GET_LIMIT, (uint64_t)LINUX_RLIMIT_NOFILE << 32, &l, sizeof l), 0);
	CHECK_EQ(l.soft, 1024u);
	fake_end();
}

TEST(limits_are_inherited_and_others_are_none_of_ones_business)
{
	struct posix_limit l;
	uint32_t shell, one, two, child;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	CHECK_EQ(fake_set_uid(one, 1000), OK);
	CHECK_EQ(fake_set_uid(two, 1001), OK);
	CHECK_EQ(set_limit(one, 0, LINUX_RLIMIT_CORE, 7, 7), OK);
	child = fake_fork(one);
	CHECK_EQ(fake_ask(one, POSIX_GET_LIMIT, child | (uint64_t)LINUX_RLIMIT_CORE << 32, &l, sizeof l), 0);
	CHECK_EQ(l.soft, 7u);
	CHECK_EQ(fake_ask(two, POSIX_GET_LIMIT, child, &l, sizeof l), ERR_PERM);
	CHECK_EQ(set_limit(two, child, LINUX_RLIMIT_CORE, 0, 0), ERR_PERM);
	CHECK_EQ(set_limit(two, 3999, LINUX_RLIMIT_CORE, 0, 0), ERR_SRCH);
	fake_end();
}

TEST(niceness_goes_up_for_all_and_down_for_root)
{
	uint32_t shell, p;

	fake_begin();
	shell = fake_login();
	p = fake_fork(shell);
	CHECK_EQ(fake_set_uid(p, 1000), OK);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, 0, 5), OK);
	CHECK_EQ(fake.tasks[p].schedule[0].nice, 5);
	CHECK_EQ(get_nice(p, LINUX_PRIO_PROCESS, 0), 5);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, 0, 4), ERR_ACCES);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, shell, 10), ERR_PERM);
	CHECK_EQ(set_nice(shell, LINUX_PRIO_PROCESS, p, -20), OK);
	CHECK_EQ(get_nice(shell, LINUX_PRIO_USER, 1000), -20);
	CHECK_EQ(set_nice(shell, LINUX_PRIO_PROCESS, p, 100), OK);
	CHECK_EQ(fake.tasks[p].schedule[0].nice, 19);
	CHECK_EQ(fake_call(p, POSIX_SET_PRIORITY, 3), ERR_INVAL);
	CHECK_EQ(fake_call(p, POSIX_GET_PRIORITY, 3), ERR_INVAL);
	CHECK_EQ(fake_call(p, POSIX_SET_PRIORITY, 0x10000), ERR_INVAL);
	CHECK_EQ(fake_call(p, POSIX_GET_PRIORITY, 3999ull << 32), ERR_SRCH);
	fake_end();
}

TEST(niceness_is_a_threads_and_of_a_user_all_threads)
{
	uint32_t shell, p;

	fake_begin();
	shell = fake_login();
	p = fake_fork(shell);
	fake.tasks[p].info.threads = 3;
	fake.next_pid += 2;
	CHECK_EQ(fake_set_uid(p, 1000), OK);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, p + 1, 5), OK);
	CHECK_EQ(get_nice(p, LINUX_PRIO_PROCESS, p + 1), 5);
	CHECK_EQ(get_nice(p, LINUX_PRIO_PROCESS, p), 0);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, p + 1, 4), ERR_ACCES);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, p, 4), OK);
	CHECK_EQ(get_nice(p, LINUX_PRIO_USER, 0), 0);
	CHECK_EQ(set_nice(shell, LINUX_PRIO_USER, 1000, 9), OK);
	for (uint32_t n = 0; n < 3; n++)
		CHECK_EQ(fake.tasks[p].schedule[n].nice, 9);
	CHECK_EQ(set_nice(p, LINUX_PRIO_PROCESS, p + 3, 9), ERR_SRCH);
	fake_end();
}

TEST(niceness_of_a_group_is_its_most_favoured_members)
{
	uint32_t shell, one, two;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(one);
	CHECK_EQ(set_nice(shell, LINUX_PRIO_PROCESS, one, 7), OK);
	CHECK_EQ(get_nice(two, LINUX_PRIO_PGRP, 0), 0);
	CHECK_EQ(set_nice(shell, LINUX_PRIO_PGRP, 0, 3), OK);
	CHECK_EQ(get_nice(two, LINUX_PRIO_PROCESS, 0), 3);
	CHECK_EQ(get_nice(one, LINUX_PRIO_PROCESS, 0), 3);
	fake_end();
}
