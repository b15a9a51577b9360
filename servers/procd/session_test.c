/* servers/procd/session_test.c - process groups, sessions, terminals. */
#include "servers/procd/fake_outside.h"
#include "lib/base/fmt.h"
#include "servers/procd/session.h"

static uint32_t group_of(uint32_t pid) { return tree_find(&fake.tree, pid)->group->id; }

TEST(a_shell_puts_its_children_into_groups)
{
	uint32_t shell, one, two;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, one, 0), OK);
	CHECK_EQ(group_of(one), one);
	CHECK_EQ(fake_set_group(two, 0, one), OK);
	CHECK_EQ(group_of(two), one);
	CHECK_EQ(fake.tasks[two].info.group, one);
	CHECK_EQ(fake.tasks[two].info.session, shell);
	CHECK_EQ(fake_set_group(two, 0, one), OK);
	CHECK_EQ(fake_set_group(shell, two, shell), OK);
	CHECK_EQ(group_of(two), shell);
	fake_end();
}

TEST(setpgid_is_refused_as_posix_says)
{
	struct posix_exec exec = { 0 };
	struct posix_exec_result result;
	uint32_t shell, child, grandchild, other;

	fake_begin();
	shell = fake_login();
	other = fake_login();
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	CHECK_EQ(fake_set_group(shell, grandchild, 0), ERR_SRCH);
	CHECK_EQ(fake_set_group(shell, 3999, 0), ERR_SRCH);
	CHECK_EQ(fake_set_group(shell, other, 0), ERR_SRCH);
	CHECK_EQ(fake_set_group(shell, 0, 0), ERR_PERM);
	CHECK_EQ(fake_set_group(child, 0, other), ERR_PERM);
	CHECK_EQ(fake_set_group(child, 0, 3999), ERR_PERM);
	CHECK_EQ(fake_set_group(child, 0, 0x80000000u), ERR_INVAL);
	CHECK_EQ(fake_call_full(child, POSIX_EXEC, 0, &exec, sizeof exec, &result, sizeof result, HANDLE_NONE), 0);
	CHECK_EQ(fake_set_group(shell, child, 0), ERR_ACCES);
	CHECK_EQ(fake_set_group(child, 0, 0), OK);
	CHECK_EQ(fake_call(grandchild, POSIX_SET_SESSION, 0), grandchild);
	CHECK_EQ(fake_set_group(child, grandchild, 0), ERR_PERM);
	fake_exit(grandchild, 0);
	CHECK_EQ(fake_set_group(child, grandchild, 0), ERR_SRCH);
	fake_end();
}

TEST(setsid_needs_a_process_that_leads_no_group)
{
	uint32_t shell, child, member;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_call(shell, POSIX_SET_SESSION, 0), ERR_PERM);
	CHECK_EQ(fake_set_group(shell, child, child), OK);
	CHECK_EQ(fake_call(child, POSIX_SET_SESSION, 0), ERR_PERM);
	/* Not even when it has left that group but others have not. */
	member = fake_fork(child);
	CHECK_EQ(group_of(member), child);
	CHECK_EQ(fake_set_group(child, 0, shell), OK);
	CHECK_EQ(fake_call(child, POSIX_SET_SESSION, 0), ERR_PERM);
	fake_exit(member, 0);
	CHECK_EQ(fake_wait(child, -1, POSIX_WEXITED, NULL), member);
	CHECK_EQ(fake_call(child, POSIX_SET_SESSION, 0), child);
	CHECK_EQ(fake.tasks[child].info.session, child);
	fake_end();
}

TEST(only_root_sets_terminals_and_a_session_has_one)
{
	struct posix_ids ids;
	uint32_t shell, user;

	fake_begin();
	shell = fake_login();
	user = fake_fork(shell);
	CHECK_EQ(fake_set_uid(user, 1000), OK);
	CHECK_EQ(fake_call(user, POSIX_SET_TTY, shell | 0x501ull << 32), ERR_PERM);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, shell | 0x501ull << 32), OK);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, shell | 0x8800ull << 32), ERR_PERM);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, user | 0x8800ull << 32), ERR_SRCH);
	CHECK_EQ(fake_ask(user, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.tty, 0x501u);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, shell), OK);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, shell | 0x8800ull << 32), OK);
	fake_exit(shell, 0);
	CHECK_EQ(fake_ask(user, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.tty, 0u);
	CHECK_EQ(fake_call(FAKE_INIT, POSIX_SET_TTY, shell | 0x501ull << 32), ERR_SRCH);
	fake_end();
}

static err_t open_posix(uint32_t uid, const char *ref, uint64_t *id)
{
	return posix_open(&fake.tree, &(struct sender){ .uid = uid }, ref, strlen(ref), id);
}

TEST(a_watch_of_a_leader_hangs_up_when_it_ends)
{
	uint32_t shell;
	uint64_t watch, other;
	char ref[32];

	fake_begin();
	shell = fake_login();
	fmt(ref, sizeof ref, "leader/%u", shell);
	CHECK_EQ(open_posix(1000, ref, &watch), ERR_PERM);
	CHECK_EQ(open_posix(0, ref, &watch), OK);
	posix_opened(&fake.tree, watch, 4711);
	CHECK_EQ(open_posix(0, ref, &other), OK);
	posix_opened(&fake.tree, other, 4712);
	posix_close(&fake.tree, other);
	fake_exit(shell, 0);
	CHECK_EQ(fake.last_notify, 4711u);
	CHECK_EQ(fake.last_ready, (uint32_t)READY_HANGUP);
	CHECK_EQ(open_posix(0, ref, &other), ERR_SRCH);
	posix_close(&fake.tree, watch);
	posix_close(&fake.tree, watch);
	fake_end();
}

TEST(what_is_not_there_cannot_be_opened)
{
	uint64_t id;

	fake_begin();
	CHECK_EQ(open_posix(0, "", &id), ERR_NOENT);
	CHECK_EQ(open_posix(0, "leader/", &id), ERR_NOENT);
	CHECK_EQ(open_posix(0, "leader/x", &id), ERR_NOENT);
	CHECK_EQ(open_posix(0, "leader/99999999999999999999", &id), ERR_NOENT);
	CHECK_EQ(open_posix(0, "leader/3999", &id), ERR_SRCH);
	CHECK_EQ(open_posix(0, "leader/0", &id), ERR_SRCH);
	CHECK_EQ(open_posix(1000, "self", &id), OK);
	CHECK_EQ(id, (uint64_t)POSIX_SELF);
	posix_close(&fake.tree, id);
	fake_end();
}

TEST(the_state_of_a_group_says_whether_it_is_orphaned)
{
	uint32_t shell, job;

	fake_begin();
	shell = fake_login();
	job = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, job, job), OK);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, 3999), 0);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, 1ull << 40), 0);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, shell), 3);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, job), 2);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, 0), 2);
	CHECK_EQ(fake_call(shell, POSIX_GROUP_STATE, 0), 3);
	fake_exit(shell, 0);
	CHECK_EQ(fake_call(job, POSIX_GROUP_STATE, job), 3);
	fake_end();
}
