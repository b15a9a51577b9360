/* servers/procd/tree_test.c - fork, end, wait, orphans: the life of processes. */
#include "servers/procd/fake_outside.h"
#include "servers/procd/wait.h"

TEST(a_child_inherits_group_session_and_ids)
{
	struct posix_ids ids;
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_set_uid(shell, 1000), OK);
	child = fake_fork(shell);
	CHECK_EQ(fake_ask(child, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.pid, child);
	CHECK_EQ(ids.parent, shell);
	CHECK_EQ(ids.group, shell);
	CHECK_EQ(ids.session, shell);
	CHECK_EQ(ids.uid, 1000u);
	CHECK_EQ(ids.sgid, 1000u);
	fake_end();
}

TEST(what_is_passed_to_fork_must_be_a_fresh_process)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t shell, child, running;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	running = fake_new_task(0, 1);
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, 4000), ERR_NOTTY);
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, HANDLE_NONE), ERR_BADF);
	CHECK(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)child) < 0);
	CHECK(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)shell) < 0);
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)running), ERR_INVAL);
	fork.exit_signal = 65;
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)running), ERR_INVAL);
	fake_end();
}

TEST(a_child_forked_while_another_thread_changed_ids_gets_the_new_ones)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t shell, child;

	fake_begin();
	shell = fake_fork(fake_login());
	child = fake_new_task(shell, 0);
	CHECK_EQ(fake_set_uid(shell, 1000), OK);
	CHECK_EQ(fake_call(shell, POSIX_SET_SESSION, 0), shell);
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)child), OK);
	CHECK_EQ(fake.tasks[child].info.uid, 1000u);
	CHECK_EQ(fake.tasks[child].info.session, shell);
	fake_end();
}

TEST(a_dead_child_stays_until_it_is_waited_for)
{
	uint32_t shell, child, status;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), 0);
	fake_exit(child, 3);
	CHECK(!fake_is_gone(child));
	CHECK(fake_take_notice(shell, LINUX_SIGCHLD));
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED | POSIX_WNOWAIT, &status), child);
	CHECK_EQ(fake_wait(shell, (int32_t)child, POSIX_WEXITED, &status), child);
	CHECK_EQ(status, 0x300u);
	CHECK(fake_is_gone(child));
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), ERR_CHILD);
	fake_end();
}

TEST(one_who_waits_is_answered_when_the_child_ends)
{
	uint32_t shell, child, other;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	other = fake_fork(shell);
	child = fake_fork(shell);
	tag = fake_wait_send(shell, (int32_t)child, POSIX_WEXITED);
	fake_exit(other, 0);
	CHECK(!fake_is_answered(tag));
	fake_exit(child, 0);
	CHECK(fake_is_answered(tag));
	CHECK_EQ(fake_reply_of(tag)->result, child);
	CHECK(fake_is_gone(child));
	CHECK(!fake_is_gone(other));
	fake_end();
}

TEST(who_waits_for_a_group_gets_only_its_members)
{
	uint32_t shell, one, two;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, two, two), OK);
	tag = fake_wait_send(shell, -(int32_t)two, POSIX_WEXITED);
	fake_exit(one, 0);
	CHECK(!fake_is_answered(tag));
	CHECK_EQ(fake_wait(shell, 0, POSIX_WEXITED, NULL), one);
	fake_exit(two, 0);
	CHECK_EQ(fake_reply_of(tag)->result, two);
	fake_end();
}

TEST(only_ones_own_children_can_be_waited_for)
{
	uint32_t shell, child, grandchild;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	CHECK_EQ(fake_wait(shell, (int32_t)grandchild, POSIX_WEXITED, NULL), ERR_CHILD);
	CHECK_EQ(fake_wait(shell, 3999, POSIX_WEXITED, NULL), ERR_CHILD);
	CHECK_EQ(fake_wait(shell, INT32_MIN, POSIX_WEXITED, NULL), ERR_SRCH);
	CHECK_EQ(fake_wait(shell, -1, 0, NULL), ERR_INVAL);
	CHECK_EQ(fake_wait(shell, -1, 0x40 | POSIX_WEXITED, NULL), ERR_INVAL);
	fake_end();
}

TEST(the_second_thread_that_waits_for_the_same_child_learns_that_there_is_none)
{
	uint32_t shell, child;
	uint64_t one, two;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	one = fake_wait_send(shell, (int32_t)child, POSIX_WEXITED);
	two = fake_wait_send(shell, -1, POSIX_WEXITED);
	fake_exit(child, 0);
	CHECK_EQ(fake_reply_of(one)->result, child);
	CHECK(fake_is_answered(two));
	CHECK_EQ(fake_reply_of(two)->result, ERR_CHILD);
	fake_end();
}

TEST(a_cancelled_wait_is_interrupted_and_consumes_nothing)
{
	uint32_t shell, child;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	tag = fake_wait_send(shell, -1, POSIX_WEXITED);
	wait_cancel(&fake.tree, tag);
	CHECK_EQ(fake_reply_of(tag)->result, ERR_INTR);
	fake_exit(child, 0);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), child);
	wait_cancel(&fake.tree, tag);
	fake_end();
}

TEST(a_faulted_process_died_of_the_fitting_signal)
{
	static const struct { uint64_t vector; uint32_t signal; } ends[] = {
		{ 14, LINUX_SIGSEGV }, { 13, LINUX_SIGSEGV }, { 6, LINUX_SIGILL }, { 0, LINUX_SIGFPE }, { 17, LINUX_SIGBUS }, { 3, LINUX_SIGTRAP },
	};
	uint32_t shell, child, status;

	fake_begin();
	shell = fake_login();
	for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
		child = fake_fork(shell);
		fake_end_task(child, TASK_FAULTED, ends[i].vector);
		CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), child);
		CHECK_EQ(status, ends[i].signal);
	}
	fake_end();
}

TEST(a_signal_death_tells_the_signal_and_the_core)
{
	uint32_t shell, child, status;
	struct posix_signal info;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_call(child, POSIX_TERMINATED, 0), ERR_INVAL);
	CHECK_EQ(fake_call(child, POSIX_TERMINATED, 65), ERR_INVAL);
	CHECK_EQ(fake_call(child, POSIX_TERMINATED, LINUX_SIGSEGV | 0x80), OK);
	fake_settle();
	CHECK_EQ(fake_ask(shell, POSIX_SIGNAL_INFO, LINUX_SIGCHLD, &info, sizeof info), 0);
	CHECK_EQ(info.code, LINUX_CLD_DUMPED);
	CHECK_EQ(info.value, LINUX_SIGSEGV);
	CHECK_EQ(info.pid, child);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), child);
	CHECK_EQ(status, (uint32_t)LINUX_SIGSEGV | 0x80);
	fake_end();
}

TEST(orphans_go_to_init_which_keeps_no_zombies)
{
	uint32_t shell, child, grandchild;
	struct posix_ids ids;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	fake_exit(child, 0);
	CHECK_EQ(fake_ask(grandchild, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.parent, (uint32_t)FAKE_INIT);
	fake_exit(grandchild, 0);
	CHECK(fake_is_gone(grandchild));
	CHECK(!fake_is_gone(child));
	fake_end();
}

TEST(a_subreaper_gets_the_orphans_of_its_descendants_zombies_too)
{
	uint32_t shell, child, grandchild, dead;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_call(shell, POSIX_SUBREAPER, 1), 0);
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	dead = fake_fork(child);
	fake_exit(dead, 5);
	tag = fake_wait_send(shell, (int32_t)dead, POSIX_WEXITED);
	CHECK_EQ(fake_reply_of(tag)->result, ERR_CHILD);
	fake_exit(child, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)dead, POSIX_WEXITED, NULL), dead);
	fake_exit(grandchild, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)grandchild, POSIX_WEXITED, NULL), grandchild);
	fake_end();
}

TEST(who_ignores_SIGCHLD_gets_no_zombies_and_waits_for_the_last)
{
	uint32_t shell, one, two;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, 1), 0);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, 12), ERR_INVAL);
	one = fake_fork(shell);
	two = fake_fork(shell);
	tag = fake_wait_send(shell, -1, POSIX_WEXITED);
	fake_exit(one, 0);
	CHECK(fake_is_gone(one));
	CHECK(!fake_is_answered(tag));
	fake_exit(two, 0);
	CHECK_EQ(fake_reply_of(tag)->result, ERR_CHILD);
	fake_end();
}

TEST(a_SIGCHLD_that_nobody_would_see_is_not_sent_and_children_inherit_that)
{
	uint32_t shell, child, grandchild;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, POSIX_CHILD_UNSEEN), 0);
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	fake_exit(grandchild, 0);
	CHECK_EQ(fake_wait(child, -1, POSIX_WEXITED, NULL), grandchild);
	fake_exit(child, 0);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), child);
	CHECK(fake.tasks[shell].posts[LINUX_SIGCHLD] == 0 && fake.tasks[child].posts[LINUX_SIGCHLD] == 0);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, 0), 0);
	fake_exit(fake_fork(shell), 0);
	CHECK_EQ(fake.tasks[shell].posts[LINUX_SIGCHLD], 1u);
	/* Who had it blocked, and only then says that it looks, has lost nothing. */
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL) > 0, true);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, POSIX_CHILD_UNSEEN), 0);
	child = fake_fork(shell);
	fake_exit(child, 3);
	CHECK_EQ(fake.tasks[shell].posts[LINUX_SIGCHLD], 1u);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, POSIX_CHILD_BLOCKED), 0);
	CHECK_EQ(fake.tasks[shell].posts[LINUX_SIGCHLD], 2u);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, POSIX_CHILD_BLOCKED), 0);
	CHECK_EQ(fake.tasks[shell].posts[LINUX_SIGCHLD], 2u);
	fake_end();
}

TEST(a_fork_given_up_before_it_ran_leaves_no_trace)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_new_task(shell, 0);
	CHECK_EQ(fake_call_full(shell, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)child), OK);
	fake_end_task(child, TASK_KILLED, 0);
	CHECK(fake_is_gone(child));
	CHECK(!fake_has_notice(shell, LINUX_SIGCHLD));
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), ERR_CHILD);
	fake_end();
}

TEST(a_child_never_started_ends_with_its_parent)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t shell, parent, child;

	fake_begin();
	shell = fake_login();
	parent = fake_fork(shell);
	child = fake_new_task(parent, 0);
	CHECK_EQ(fake_call_full(parent, POSIX_FORK, 0, &fork, sizeof fork, NULL, 0, (handle_t)child), OK);
	fake_exit(parent, 0);
	CHECK_EQ(fake.tasks[child].info.end, (uint32_t)TASK_KILLED);
	fake_settle();
	CHECK(fake_is_gone(child));
	fake_end();
}

TEST(usage_of_waited_children_adds_up)
{
	uint32_t shell, child, grandchild;
	struct posix_usage usage;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	grandchild = fake_fork(child);
	fake.tasks[child].info.user_ns = 5;
	fake.tasks[grandchild].info.user_ns = 7;
	fake_exit(grandchild, 0);
	CHECK_EQ(fake_wait(child, -1, POSIX_WEXITED, NULL), grandchild);
	CHECK_EQ(fake_ask(child, POSIX_USAGE, 1, &usage, sizeof usage), 0);
	CHECK_EQ(usage.user_ns, 7u);
	fake_exit(child, 0);
	CHECK_EQ(fake_ask(shell, POSIX_USAGE, 1, &usage, sizeof usage), 0);
	CHECK_EQ(usage.user_ns, 0u);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), child);
	CHECK_EQ(fake_ask(shell, POSIX_USAGE, 1, &usage, sizeof usage), 0);
	CHECK_EQ(usage.user_ns, 12u);
	fake_end();
}

TEST(a_pid_stays_taken_while_a_group_goes_by_it)
{
	uint32_t shell, leader, member, held;

	fake_begin();
	shell = fake_login();
	leader = fake_fork(shell);
	member = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, leader, leader), OK);
	CHECK_EQ(fake_set_group(shell, member, leader), OK);
	held = fake.handles_open;
	fake_exit(leader, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)leader, POSIX_WEXITED, NULL), leader);
	CHECK_EQ(fake.handles_open, held);
	fake_exit(member, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)member, POSIX_WEXITED, NULL), member);
	CHECK_EQ(fake.handles_open, held - 2);
	fake_end();
}

TEST(a_pid_stays_taken_while_a_session_goes_by_it)
{
	uint32_t shell, leader, member, held;

	fake_begin();
	shell = fake_login();
	leader = fake_fork(shell);
	CHECK_EQ(fake_call(leader, POSIX_SET_SESSION, 0), leader);
	member = fake_fork(leader);
	CHECK_EQ(fake_set_group(member, 0, 0), OK);
	held = fake.handles_open;
	fake_exit(leader, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)leader, POSIX_WEXITED, NULL), leader);
	CHECK_EQ(fake.handles_open, held);
	fake_exit(member, 0);
	CHECK_EQ(fake.handles_open, held - 2);
	fake_end();
}

TEST(a_death_signal_comes_when_the_parent_ends)
{
	uint32_t parent, child;

	fake_begin();
	parent = fake_fork(fake_login());
	child = fake_fork(parent);
	CHECK_EQ(fake_call(child, POSIX_SET_DEATH_SIGNAL, 65), ERR_INVAL);
	CHECK_EQ(fake_call(child, POSIX_SET_DEATH_SIGNAL, LINUX_SIGTERM), 0);
	fake_exit(parent, 0);
	CHECK(fake_has_notice(child, LINUX_SIGTERM));
	fake_end();
}

TEST(a_clone_with_the_same_parent_is_a_sibling)
{
	uint32_t shell, child, sibling;
	int64_t err;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	sibling = fake_fork_flags(child, POSIX_FORK_SAME_PARENT, &err);
	CHECK_EQ(err, OK);
	fake_exit(sibling, 0);
	CHECK_EQ(fake_wait(child, -1, POSIX_WEXITED, NULL), ERR_CHILD);
	fake_exit(sibling, 0);
	CHECK_EQ(fake_wait(shell, (int32_t)sibling, POSIX_WEXITED, NULL), sibling);
	fake_end();
}

TEST(only_root_adopts_and_twice_is_once)
{
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	uint32_t shell, task;

	fake_begin();
	shell = fake_login();
	task = fake_new_task(0, 1);
	CHECK_EQ(fake_set_uid(shell, 1000), OK);
	CHECK_EQ(fake_call_full(shell, POSIX_ADOPT, 0, &fork, sizeof fork, NULL, 0, (handle_t)task), ERR_PERM);
	CHECK_EQ(fake_call_full(FAKE_INIT, POSIX_ADOPT, 0, &fork, sizeof fork, NULL, 0, (handle_t)task), OK);
	CHECK_EQ(fake_call_full(FAKE_INIT, POSIX_ADOPT, 0, &fork, sizeof fork, NULL, 0, (handle_t)task), OK);
	CHECK_EQ(tree_find(&fake.tree, task)->group->session->id, task);
	fake_end();
}

TEST(a_process_that_was_never_announced_is_found_on_sight)
{
	uint32_t shell, hidden, half;
	struct posix_ids ids;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_set_uid(shell, 1000), OK);
	hidden = fake_new_task(shell, 1);
	half = fake_new_task(shell, 0);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, hidden, &ids, sizeof ids), 0);
	CHECK_EQ(ids.parent, (uint32_t)FAKE_INIT);
	CHECK_EQ(ids.group, shell);
	CHECK_EQ(ids.uid, 1000u);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, half, &ids, sizeof ids), ERR_SRCH);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, 0xffffffffffull, &ids, sizeof ids), ERR_SRCH);
	fake_exit(hidden, 0);
	CHECK(fake_is_gone(hidden));
	fake_end();
}

TEST(a_user_may_have_only_so_many_processes)
{
	struct posix_limit limit = { 3, 3 };
	uint32_t shell, child;
	int64_t err;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_tell(shell, POSIX_SET_LIMIT, (uint64_t)LINUX_RLIMIT_NPROC << 32, &limit, sizeof limit), OK);
	for (int i = 0; i < 10; i++)
		fake_fork(shell);
	CHECK_EQ(fake_set_uid(shell, 1000), OK);
	child = fake_fork(shell);
	fake_fork(child);
	CHECK_EQ(fake_fork_flags(child, 0, &err), 0u);
	CHECK_EQ(err, ERR_AGAIN);
	fake_exit(child, 0);
	CHECK_EQ(fake_fork_flags(shell, 0, &err), 0u);
	CHECK_EQ(fake_wait(shell, (int32_t)child, POSIX_WEXITED, NULL), child);
	CHECK(fake_fork_flags(shell, 0, &err) != 0);
	fake_end();
}

TEST(an_end_that_is_none_changes_nothing)
{
	uint32_t shell;

	fake_begin();
	shell = fake_login();
	tree_task_ended(&fake.tree, shell);
	tree_task_ended(&fake.tree, 3999);
	tree_task_ended(&fake.tree, FAKE_INIT);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), ERR_CHILD);
	fake_exit(shell, 0);
	tree_task_ended(&fake.tree, shell);
	CHECK(fake_is_gone(shell));
	fake_end();
}

TEST(a_new_procd_finds_the_tree_that_the_old_one_kept)
{
	uint32_t shell, job, member, user, server;
	struct posix_ids ids;

	fake_begin();
	server = fake_new_task(FAKE_INIT, 1);
	shell = fake_login();
	job = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, job, job), OK);
	member = fake_fork(job);
	user = fake_fork(shell);
	CHECK_EQ(fake_set_uid(user, 1000), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)job, LINUX_SIGSTOP), OK);
	fake_exit(fake_fork(shell), 0);
	tree_fini(&fake.tree);
	CHECK_EQ(tree_init(&fake.tree, &fake_outside, FAKE_INIT, fake.records), OK);
	tree_recover(&fake.tree);
	CHECK_EQ(fake_ask(member, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK(ids.parent == job && ids.group == job && ids.session == shell);
	CHECK_EQ(fake_ask(user, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK(ids.parent == shell && ids.uid == 1000);
	CHECK_EQ(fake_ask(shell, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.parent, (uint32_t)FAKE_INIT);
	CHECK_EQ(tree_find(&fake.tree, server)->parent, fake.tree.init);
	CHECK_EQ(fake_call(shell, POSIX_SET_SESSION, 0), ERR_PERM);
	CHECK_EQ(fake_kill_call(shell, -(int32_t)job, LINUX_SIGCONT), OK);
	CHECK(!fake.tasks[job].stopped);
	CHECK_EQ(fake_wait(shell, (int32_t)job, POSIX_WCONTINUED, NULL), job);
	fake_exit(job, 0);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), job);
	fake_end();
}

/* procd ends as servers do, and another begins. */
static void fake_restart(void)
{
	static struct posix_record left[POSIX_RECORDS];

	memcpy(left, fake.records, sizeof left);
	tree_fini(&fake.tree);
	memcpy(fake.records, left, sizeof left);
	CHECK_EQ(tree_init(&fake.tree, &fake_outside, FAKE_INIT, fake.records), OK);
}

TEST(a_new_procd_knows_parents_saved_ids_and_the_dead)
{
	uint32_t shell, user, orphan, zombie, missed, middle, flags;
	struct posix_ids ids;

	fake_begin();
	shell = fake_login();
	user = fake_fork(shell);
	CHECK_EQ(fake_tell(user, POSIX_SET_IDS, 0, &(struct posix_set_ids){ 1000, 1001, 1002, 5, 6, 7 }, sizeof(struct posix_set_ids)), OK);
	middle = fake_fork(shell);
	orphan = fake_fork(middle);
	flags = fake_fork(shell);
	CHECK_EQ(fake_call(flags, POSIX_CHILD_FLAGS, POSIX_CHILD_NO_ZOMBIES), OK);
	CHECK_EQ(fake_call(shell, POSIX_SUBREAPER, 1), OK);
	fake_exit(middle, 1);
	zombie = fake_fork(shell);
	fake_exit(zombie, 7);
	missed = fake_fork(shell);
	/* Its end is seen by nobody. */
	fake.tasks[missed].exists = fake.tasks[zombie].exists = fake.tasks[middle].exists = false;
	uint32_t signals = fake.tasks[shell].posts[LINUX_SIGCHLD];
	fake_restart();
	tree_recover(&fake.tree);
	CHECK_EQ(fake_ask(user, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK(ids.uid == 1000 && ids.euid == 1001 && ids.suid == 1002 && ids.gid == 5 && ids.egid == 6 && ids.sgid == 7);
	CHECK_EQ(fake_ask(orphan, POSIX_GET_IDS, 0, &ids, sizeof ids), 0);
	CHECK_EQ(ids.parent, shell);
	CHECK_EQ(tree_find(&fake.tree, flags)->child_flags, POSIX_CHILD_NO_ZOMBIES);
	CHECK(tree_find(&fake.tree, shell)->subreaper);
	CHECK_EQ(fake.tasks[shell].posts[LINUX_SIGCHLD], signals + 1);
	uint32_t status;
	CHECK_EQ(fake_wait(shell, (int32_t)zombie, POSIX_WEXITED, &status), zombie);
	CHECK_EQ(status, wait_status_exited(7));
	CHECK_EQ(fake_wait(shell, (int32_t)missed, POSIX_WEXITED, &status), missed);
	CHECK_EQ(status, LINUX_SIGKILL);
	CHECK_EQ(fake.records[zombie].pid, 0u);
	fake_end();
}

TEST(a_number_given_anew_displaces_a_zombie_from_before)
{
	uint32_t shell, zombie;

	fake_begin();
	shell = fake_login();
	zombie = fake_fork(shell);
	fake_exit(zombie, 7);
	fake.tasks[zombie].exists = false;
	fake_restart();
	tree_recover(&fake.tree);
	CHECK(tree_find(&fake.tree, zombie));
	fake.next_pid = zombie;
	CHECK_EQ(fake_fork(shell), zombie);
	CHECK(process_is_alive(tree_find(&fake.tree, zombie)));
	CHECK_EQ(fake_call(zombie, POSIX_SET_SESSION, 0), zombie);
	fake_end();
}

/* One life with everything in it; every site that can fail does, once. Nothing may be lost, and the tree goes on. */
static void live(void)
{
	struct posix_exec exec = { .path_bytes = 7, .command_bytes = 5, .environment_bytes = 4 };
	uint8_t text[sizeof exec + 16] = { 0 };
	struct posix_exec_result result;
	uint32_t shell = fake_new_task(0, 1), one, two;
	struct posix_fork fork = { .exit_signal = LINUX_SIGCHLD };
	struct posix_limit limit = { 100, 100 };
	uint32_t groups[3] = { 5, 6, 7 };
	uint64_t id;

	memcpy(text, &exec, sizeof exec);
	(void)fake_call_full(FAKE_INIT, POSIX_ADOPT, 0, &fork, sizeof fork, NULL, 0, (handle_t)shell);
	one = fake_fork_flags(shell, 0, NULL);
	two = fake_fork_flags(shell, 0, NULL);
	if (!one || !two)
		return;
	(void)fake_tell(shell, POSIX_SET_LIMIT, (uint64_t)LINUX_RLIMIT_NPROC << 32, &limit, sizeof limit);
	(void)fake_set_group(shell, one, one);
	(void)fake_call(two, POSIX_SET_SESSION, 0);
	(void)fake_tell(one, POSIX_SET_GROUPS, 0, groups, sizeof groups);
	(void)fake_set_uid(one, 1000);
	(void)fake_call_full(one, POSIX_EXEC, 0, text, sizeof text, &result, sizeof result, HANDLE_NONE);
	(void)fake_kill_call(shell, (int32_t)one, LINUX_SIGTERM);
	(void)fake_kill_call(shell, (int32_t)one, LINUX_SIGRTMIN);
	(void)fake_kill_call(shell, -1, LINUX_SIGSTOP);
	if (posix_open(&fake.tree, &(struct sender){ .uid = 0 }, "leader/10", 9, &id) == OK)
		posix_close(&fake.tree, id);
	(void)fake_wait_send(shell, (int32_t)one, POSIX_WEXITED);
	fake_exit(one, 0);
	fake_exit(two, 0);
	(void)fake_wait(shell, -1, POSIX_WEXITED, NULL);
	fake_exit(shell, 0);
}

TEST(every_failure_is_survived)
{
	for (long n = 0; ; n++) {
		fake_begin();
		fake.fail_after = n;
		live();
		bool failed = fake.failed;
		fake.fail_after = -1;
		uint32_t shell = fake_login();
		CHECK(fake_fork(shell) != 0);
		/* And a new instance that runs out of memory while it looks around. */
		fake_restart();
		fake.fail_after = n;
		tree_recover(&fake.tree);
		fake.fail_after = -1;
		fake_end();
		if (!failed)
			break;
	}
}
