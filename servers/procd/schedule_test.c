/* servers/procd/schedule_test.c - who may say how a thread gets the CPU. */
#include "servers/procd/fake_outside.h"
#include "servers/procd/schedule.h"

static int64_t set(uint32_t as, uint32_t tid, uint32_t priority, int nice, uint32_t flags)
{
	struct task_schedule s = { .tid = tid, .priority = (uint8_t)priority, .nice = (int8_t)nice, .flags = (uint16_t)flags };

	return fake_tell(as, POSIX_SET_SCHEDULE, 0, &s, sizeof s);
}

static int64_t limit(uint32_t pid, uint32_t resource, uint64_t value)
{
	struct posix_limit l = { value, value };

	return fake_tell(pid, POSIX_SET_LIMIT, pid | (uint64_t)resource << 32, &l, sizeof l);
}

/* A user's process; root's shell is its parent. */
static uint32_t begin(uint32_t *shell)
{
	fake_begin();
	*shell = fake_login();
	uint32_t p = fake_fork(*shell);
	struct posix_set_ids ids = { 1000, 1000, 1000, ~0u, ~0u, ~0u };

	fake.tasks[p].schedule[0].priority = PRIORITY_NORMAL;
	return fake_tell(p, POSIX_SET_IDS, 0, &ids, sizeof ids) ? 0 : p;
}

TEST(an_owner_may_not_rise_but_within_its_limits)
{
	uint32_t shell, p = begin(&shell);

	CHECK_EQ(set(p, p, PRIORITY_NORMAL, 3, SCHEDULE_BATCH), OK);
	CHECK_EQ(set(p, p, PRIORITY_NORMAL, 2, 0), ERR_PERM);
	CHECK_EQ(set(p, p, PRIORITY_REALTIME, 3, 0), ERR_PERM);
	CHECK_EQ(set(shell, p, PRIORITY_NORMAL, 0, 0), OK);
	fake.tasks[p].schedule[0].priority = PRIORITY_NORMAL;
	CHECK_EQ(set(p, p, PRIORITY_DEADLINE, 0, 0), ERR_PERM);
	CHECK_EQ(set(p, p, PRIORITY_IDLE, 0, 0), OK);
	CHECK_EQ(set(p, p, PRIORITY_NORMAL, 0, 0), ERR_PERM);
	fake_end();
}

TEST(a_limit_lets_rise_so_far)
{
	uint32_t shell;

	fake_begin();
	shell = fake_login();
	uint32_t p = fake_fork(shell);
	struct posix_set_ids ids = { 1000, 1000, 1000, ~0u, ~0u, ~0u };
	fake.tasks[p].schedule[0].priority = PRIORITY_NORMAL;
	CHECK_EQ(limit(p, LINUX_RLIMIT_RTPRIO, 10), OK);
	CHECK_EQ(limit(p, LINUX_RLIMIT_NICE, 25), OK);
	CHECK_EQ(fake_tell(p, POSIX_SET_IDS, 0, &ids, sizeof ids), OK);
	CHECK_EQ(set(p, p, PRIORITY_REALTIME + 10, 0, 0), ERR_PERM);
	CHECK_EQ(set(p, p, PRIORITY_REALTIME + 9, 0, SCHEDULE_FIFO), OK);
	CHECK_EQ(set(p, p, PRIORITY_NORMAL, -6, 0), ERR_PERM);
	CHECK_EQ(set(p, p, PRIORITY_NORMAL, -5, SCHEDULE_RESET_ON_FORK), OK);
	CHECK_EQ(set(p, p, PRIORITY_NORMAL, -5, 0), ERR_PERM);
	fake_end();
}

TEST(nobody_but_root_touches_others_and_services_are_inits)
{
	uint32_t shell, p = begin(&shell);
	struct task_schedule a = { .tid = shell, .flags = SCHEDULE_ONLY_AFFINITY, .affinity = 1 }, got;

	CHECK_EQ(set(p, shell, PRIORITY_NORMAL, 19, 0), ERR_PERM);
	CHECK_EQ(fake_tell(p, POSIX_SET_SCHEDULE, 0, &a, sizeof a), ERR_PERM);
	CHECK_EQ(fake_call_full(p, POSIX_GET_SCHEDULE, shell, NULL, 0, &got, sizeof got, HANDLE_NONE), 0);
	a.tid = p;
	a.affinity = 2;
	CHECK_EQ(fake_tell(shell, POSIX_SET_SCHEDULE, 0, &a, sizeof a), OK);
	CHECK_EQ(fake.tasks[p].schedule[0].affinity, 2u);
	CHECK_EQ(fake.tasks[p].schedule[0].priority, PRIORITY_NORMAL);
	CHECK_EQ(set(shell, p, PRIORITY_REALTIME + 98, 0, 0), OK);
	CHECK_EQ(set(shell, p, PRIORITY_SERVER, 0, 0), ERR_INVAL);
	CHECK_EQ(set(shell, 3999, PRIORITY_NORMAL, 0, 0), ERR_SRCH);
	CHECK_EQ(fake_call(shell, POSIX_GET_SCHEDULE, 3999), ERR_SRCH);
	fake_end();
}
