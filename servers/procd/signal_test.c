/* servers/procd/signal_test.c - who may signal whom, stops and continues, queues. */
#include "servers/procd/cred.h"
#include "servers/procd/fake_outside.h"
#include "servers/procd/signal.h"
#include "servers/procd/wait.h"

static int64_t queue_signal(uint32_t pid, int32_t target, uint32_t signal, int32_t code, uint64_t value)
{
	struct posix_signal s = { .target = target, .signal = signal, .code = code, .pid = 77, .uid = 77, .value = value };

	return fake_tell(pid, POSIX_KILL, 0, &s, sizeof s);
}

static int64_t take_info(uint32_t pid, uint32_t signal, struct posix_signal *out)
{
	CHECK(fake_take_notice(pid, signal));
	return fake_ask(pid, POSIX_SIGNAL_INFO, signal | (uint64_t)pid << 32, out, sizeof *out);
}

static uint64_t stop_send(uint32_t pid, uint32_t signal)
{
	return fake_send(pid, POSIX_STOPPED, signal, NULL, 0, 0, HANDLE_NONE);
}

TEST(a_user_signals_only_processes_of_the_same_user)
{
	uint32_t shell, mine, other;

	fake_begin();
	shell = fake_login();
	mine = fake_fork(shell);
	other = fake_fork(shell);
	CHECK_EQ(fake_set_uid(other, 1001), OK);
	CHECK_EQ(fake_set_uid(mine, 1000), OK);
	CHECK_EQ(fake_kill_call(mine, (int32_t)other, LINUX_SIGTERM), ERR_PERM);
	CHECK_EQ(fake_kill_call(mine, (int32_t)other, 0), ERR_PERM);
	CHECK_EQ(fake_kill_call(mine, (int32_t)shell, LINUX_SIGKILL), ERR_PERM);
	CHECK_EQ(fake_kill_call(mine, (int32_t)mine, 0), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)other, LINUX_SIGTERM), OK);
	CHECK(fake_has_notice(other, LINUX_SIGTERM));
	CHECK_EQ(fake_kill_call(mine, (int32_t)other, 65), ERR_INVAL);
	CHECK_EQ(fake_kill_call(mine, 3999, 0), ERR_SRCH);
	CHECK_EQ(fake_kill_call(mine, -3999, 0), ERR_SRCH);
	CHECK_EQ(fake_kill_call(mine, INT32_MIN, 0), ERR_SRCH);
	fake_end();
}

TEST(who_keeps_the_senders_id_as_saved_id_can_be_signalled)
{
	struct posix_set_ids ids = { ~0u, 2000, 1000, ~0u, ~0u, ~0u };
	uint32_t shell, mine, other;

	fake_begin();
	shell = fake_login();
	mine = fake_fork(shell);
	other = fake_fork(shell);
	CHECK_EQ(fake_tell(other, POSIX_SET_IDS, 0, &ids, sizeof ids), OK);
	CHECK_EQ(fake_set_uid(mine, 1000), OK);
	CHECK_EQ(fake_kill_call(mine, (int32_t)other, LINUX_SIGTERM), OK);
	ids.suid = 3000;
	CHECK_EQ(fake_tell(other, POSIX_SET_IDS, 0, &ids, sizeof ids), ERR_PERM);
	fake_end();
}

TEST(SIGCONT_may_be_sent_within_a_session)
{
	uint32_t shell, other;

	fake_begin();
	shell = fake_login();
	other = fake_fork(shell);
	CHECK_EQ(fake_set_uid(other, 1000), OK);
	CHECK_EQ(fake_kill_call(other, (int32_t)shell, LINUX_SIGCONT), OK);
	CHECK_EQ(fake_call(other, POSIX_SET_SESSION, 0), other);
	CHECK_EQ(fake_kill_call(other, (int32_t)shell, LINUX_SIGCONT), ERR_PERM);
	fake_end();
}

TEST(a_group_signal_reaches_all_members_that_may_be_signalled)
{
	uint32_t shell, one, two, three;

	fake_begin();
	shell = fake_login();
	one = fake_fork(shell);
	two = fake_fork(shell);
	three = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, one, one), OK);
	CHECK_EQ(fake_set_group(shell, two, one), OK);
	CHECK_EQ(fake_set_uid(one, 1000), OK);
	CHECK_EQ(fake_kill_call(one, -(int32_t)one, LINUX_SIGTERM), OK);
	CHECK(fake_has_notice(one, LINUX_SIGTERM));
	CHECK(!fake_has_notice(two, LINUX_SIGTERM));
	CHECK_EQ(fake_kill_call(one, -(int32_t)shell, LINUX_SIGTERM), ERR_PERM);
	CHECK_EQ(fake_kill_call(two, 0, LINUX_SIGTERM), OK);
	CHECK(fake_has_notice(two, LINUX_SIGTERM));
	CHECK(!fake_has_notice(three, LINUX_SIGTERM));
	fake_end();
}

TEST(kill_minus_one_spares_init_the_sender_and_servers_but_no_hidden_process)
{
	uint32_t shell, child, server, hidden;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_set_uid(child, 1000), OK);
	server = fake_new_task(0, 1);
	hidden = fake_new_task(child, 1);
	CHECK_EQ(fake_kill_call(shell, -1, LINUX_SIGKILL), OK);
	CHECK_EQ(fake.tasks[child].info.end, (uint32_t)TASK_KILLED);
	CHECK_EQ(fake.tasks[hidden].info.end, (uint32_t)TASK_KILLED);
	CHECK_EQ(fake.tasks[shell].info.end, (uint32_t)TASK_ALIVE);
	CHECK_EQ(fake.tasks[server].info.end, (uint32_t)TASK_ALIVE);
	CHECK_EQ(fake.tasks[FAKE_INIT].info.end, (uint32_t)TASK_ALIVE);
	fake_settle();
	CHECK_EQ(fake_kill_call(shell, (int32_t)FAKE_INIT, LINUX_SIGKILL), OK);
	CHECK_EQ(fake.tasks[FAKE_INIT].info.end, (uint32_t)TASK_ALIVE);
	fake_end();
}

TEST(signal_info_tells_the_true_sender)
{
	struct posix_signal info;
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(queue_signal(shell, (int32_t)child, LINUX_SIGTERM, LINUX_SI_QUEUE, 42), OK);
	CHECK_EQ(take_info(child, LINUX_SIGTERM, &info), 0);
	CHECK_EQ(info.pid, shell);
	CHECK_EQ(info.uid, 0u);
	CHECK_EQ(info.value, 42u);
	CHECK_EQ(info.code, LINUX_SI_QUEUE);
	CHECK_EQ(fake_ask(child, POSIX_SIGNAL_INFO, LINUX_SIGTERM, &info, sizeof info), ERR_NODATA);
	fake_end();
}

TEST(nobody_passes_for_the_kernel_but_to_itself)
{
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(queue_signal(shell, (int32_t)child, LINUX_SIGTERM, LINUX_SI_KERNEL, 0), ERR_PERM);
	CHECK_EQ(queue_signal(shell, (int32_t)child, LINUX_SIGTERM, 1, 0), ERR_PERM);
	CHECK_EQ(queue_signal(shell, (int32_t)child, LINUX_SIGTERM, LINUX_SI_TKILL, 0), ERR_PERM);
	CHECK_EQ(queue_signal(child, (int32_t)child, LINUX_SIGTERM, 1, 0), OK);
	fake_end();
}

TEST(real_time_signals_queue_in_order_and_standard_ones_do_not)
{
	struct posix_signal info;
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	for (uint64_t i = 0; i < 3; i++) {
		CHECK_EQ(queue_signal(shell, (int32_t)child, 40, LINUX_SI_QUEUE, i), OK);
		CHECK_EQ(queue_signal(shell, (int32_t)child, LINUX_SIGTERM, LINUX_SI_QUEUE, i), OK);
	}
	CHECK_EQ(take_info(child, LINUX_SIGTERM, &info), 0);
	CHECK(!fake_has_notice(child, LINUX_SIGTERM));
	for (uint64_t i = 0; i < 3; i++) {
		CHECK_EQ(take_info(child, 40, &info), i < 2);
		CHECK_EQ(info.value, i);
	}
	CHECK(!fake_has_notice(child, 40));
	fake_end();
}

TEST(a_full_queue_refuses_sigqueue_but_never_loses_a_kill)
{
	struct posix_limit limit = { 2, 2 };
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_tell(shell, POSIX_SET_LIMIT, (uint64_t)LINUX_RLIMIT_SIGPENDING << 32, &limit, sizeof limit), OK);
	child = fake_fork(shell);
	CHECK_EQ(queue_signal(shell, (int32_t)child, 40, LINUX_SI_QUEUE, 0), OK);
	CHECK_EQ(queue_signal(shell, (int32_t)child, 40, LINUX_SI_QUEUE, 0), OK);
	CHECK_EQ(queue_signal(shell, (int32_t)child, 41, LINUX_SI_QUEUE, 0), ERR_AGAIN);
	CHECK(!fake_has_notice(child, 41));
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, 41), OK);
	CHECK(fake_has_notice(child, 41));
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGTERM), OK);
	CHECK(fake_has_notice(child, LINUX_SIGTERM));
	fake_exit(child, 0);
	CHECK_EQ(tree_find(&fake.tree, shell)->user->queued_signals, 1u);
	fake_end();
}

TEST(SIGKILL_ends_it_with_that_status)
{
	uint32_t shell, child, status;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGKILL), OK);
	fake_settle();
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), child);
	CHECK_EQ(status, (uint32_t)LINUX_SIGKILL);
	fake_end();
}

TEST(SIGSTOP_stops_at_once_and_SIGCONT_continues_and_the_parent_sees_both)
{
	struct posix_signal info;
	uint32_t shell, child, status;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	tag = fake_wait_send(shell, -1, POSIX_WEXITED | POSIX_WSTOPPED);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGSTOP), OK);
	CHECK(fake.tasks[child].stopped);
	CHECK_EQ(fake_reply_of(tag)->result, child);
	CHECK_EQ(take_info(shell, LINUX_SIGCHLD, &info), 0);
	CHECK_EQ(info.code, LINUX_CLD_STOPPED);
	CHECK_EQ(info.value, LINUX_SIGSTOP);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WSTOPPED, &status), 0);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK(!fake.tasks[child].stopped);
	CHECK(fake_has_notice(child, LINUX_SIGCONT));
	CHECK_EQ(take_info(shell, LINUX_SIGCHLD, &info), 0);
	CHECK_EQ(info.code, LINUX_CLD_CONTINUED);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WSTOPPED, &status), 0);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WCONTINUED | POSIX_WNOWAIT, &status), child);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WCONTINUED, &status), child);
	CHECK_EQ(status, 0xffffu);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WCONTINUED, &status), 0);
	fake_end();
}

TEST(the_status_of_a_stop_names_its_signal)
{
	uint32_t shell, child, status;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, child, child), OK);
	stop_send(child, LINUX_SIGTTIN);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WSTOPPED | POSIX_WNOWAIT, &status), child);
	CHECK_EQ(status, (uint32_t)LINUX_SIGTTIN << 8 | 0x7f);
	fake_end();
}

TEST(a_stop_returns_to_its_process_when_it_continues)
{
	uint32_t shell, child;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, child, child), OK);
	tag = stop_send(child, LINUX_SIGTSTP);
	CHECK(!fake_is_answered(tag));
	CHECK(fake.tasks[child].stopped);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK_EQ(fake_reply_of(tag)->result, 0);
	CHECK_EQ(fake_call(child, POSIX_STOPPED, LINUX_SIGTERM), ERR_INVAL);
	fake_end();
}

TEST(SIGCONT_discards_stops_that_are_on_their_way)
{
	struct posix_signal info;
	uint32_t shell, child;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, child, child), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGTSTP), OK);
	CHECK_EQ(take_info(child, LINUX_SIGTSTP, &info), 0);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	tag = stop_send(child, LINUX_SIGTSTP);
	CHECK(fake_is_answered(tag));
	CHECK(!fake.tasks[child].stopped);
	/* A handler took the next one; the one after stops. */
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGTSTP), OK);
	CHECK_EQ(take_info(child, LINUX_SIGTSTP, &info), 0);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK_EQ(take_info(child, LINUX_SIGCONT, &info), 0);
	tag = stop_send(child, LINUX_SIGTSTP);
	CHECK(!fake_is_answered(tag));
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGTTOU), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK(!fake_has_notice(child, LINUX_SIGTTOU));
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGTSTP), OK);
	CHECK(!fake_has_notice(child, LINUX_SIGCONT));
	CHECK(fake_take_notice(child, LINUX_SIGTSTP));
	tag = stop_send(child, LINUX_SIGTSTP);
	CHECK(!fake_is_answered(tag));
	fake_end();
}

TEST(an_orphaned_group_does_not_stop_but_for_SIGSTOP)
{
	uint32_t shell;
	uint64_t tag;

	fake_begin();
	shell = fake_login();
	tag = stop_send(shell, LINUX_SIGTSTP);
	CHECK(fake_is_answered(tag));
	CHECK(!fake.tasks[shell].stopped);
	tag = stop_send(shell, LINUX_SIGSTOP);
	CHECK(!fake_is_answered(tag));
	CHECK(fake.tasks[shell].stopped);
	fake_end();
}

TEST(a_group_orphaned_with_stopped_members_is_hung_up)
{
	uint32_t shell, job, member;

	fake_begin();
	shell = fake_login();
	job = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, job, job), OK);
	member = fake_fork(job);
	CHECK_EQ(fake_kill_call(shell, (int32_t)member, LINUX_SIGSTOP), OK);
	fake_exit(job, 0);
	CHECK(fake_has_notice(member, LINUX_SIGHUP));
	CHECK(fake_has_notice(member, LINUX_SIGCONT));
	CHECK(!fake.tasks[member].stopped);
	CHECK(!fake_has_notice(shell, LINUX_SIGHUP));
	fake_end();
}

TEST(a_group_orphaned_without_stopped_members_is_left_alone)
{
	uint32_t shell, job, member, stopped;

	fake_begin();
	shell = fake_login();
	job = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, job, job), OK);
	member = fake_fork(job);
	stopped = fake_fork(shell);
	CHECK_EQ(fake_kill_call(shell, (int32_t)stopped, LINUX_SIGSTOP), OK);
	fake_exit(job, 0);
	CHECK(!fake_has_notice(member, LINUX_SIGHUP));
	CHECK(!fake_has_notice(stopped, LINUX_SIGHUP));
	CHECK(fake.tasks[stopped].stopped);
	fake_end();
}

TEST(stopped_jobs_of_a_shell_that_ends_are_hung_up)
{
	uint32_t shell, job;

	fake_begin();
	shell = fake_login();
	job = fake_fork(shell);
	CHECK_EQ(fake_set_group(shell, job, job), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)job, LINUX_SIGSTOP), OK);
	fake_exit(shell, 0);
	CHECK(fake_has_notice(job, LINUX_SIGHUP));
	CHECK(!fake.tasks[job].stopped);
	fake_end();
}

TEST(a_parent_that_wants_no_stop_news_gets_no_signal_for_them)
{
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_call(shell, POSIX_CHILD_FLAGS, 2), 0);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGSTOP), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGCONT), OK);
	CHECK(!fake_has_notice(shell, LINUX_SIGCHLD));
	CHECK_EQ(fake_wait(shell, -1, POSIX_WCONTINUED, NULL), child);
	fake_exit(child, 0);
	CHECK(fake_has_notice(shell, LINUX_SIGCHLD));
	fake_end();
}

TEST(a_stopped_process_can_be_killed)
{
	uint32_t shell, child, status;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGSTOP), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGKILL), OK);
	fake_settle();
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, &status), child);
	CHECK_EQ(tree_find(&fake.tree, shell)->group->stopped, 0u);
	fake_end();
}

TEST(a_zombie_takes_signals_and_nothing_happens)
{
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	fake_exit(child, 0);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGKILL), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGSTOP), OK);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, 0), OK);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WSTOPPED, NULL), 0);
	fake_end();
}

TEST(a_thread_signal_is_for_that_thread)
{
	struct posix_signal s, info;
	uint32_t shell, child;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	s = (struct posix_signal){ .target = (int32_t)child, .signal = LINUX_SIGTERM, .code = LINUX_SI_TKILL };
	CHECK_EQ(fake_tell(shell, POSIX_SIGNAL_THREAD, 0, &s, sizeof s), OK);
	CHECK_EQ(fake_ask(child, POSIX_SIGNAL_INFO, LINUX_SIGTERM | 5ull << 32, &info, sizeof info), ERR_NODATA);
	CHECK_EQ(take_info(child, LINUX_SIGTERM, &info), 0);
	CHECK_EQ(info.code, LINUX_SI_TKILL);
	CHECK_EQ(info.pid, shell);
	s.target = 3999;
	CHECK_EQ(fake_tell(shell, POSIX_SIGNAL_THREAD, 0, &s, sizeof s), ERR_SRCH);
	s.target = -1;
	CHECK_EQ(fake_tell(shell, POSIX_SIGNAL_THREAD, 0, &s, sizeof s), ERR_INVAL);
	CHECK_EQ(fake_set_uid(child, 1000), OK);
	s.target = (int32_t)shell;
	CHECK_EQ(fake_tell(child, POSIX_SIGNAL_THREAD, 0, &s, sizeof s), ERR_PERM);
	fake_end();
}

TEST(only_servers_signal_foreground_groups)
{
	struct posix_signal s;
	uint32_t shell, child, server;

	fake_begin();
	shell = fake_login();
	child = fake_fork(shell);
	server = fake_new_task(0, 1);
	s = (struct posix_signal){ .target = (int32_t)shell, .signal = LINUX_SIGINT };
	CHECK_EQ(fake_tell(server, POSIX_SIGNAL_GROUP, 0, &s, sizeof s), OK);
	CHECK(fake_has_notice(shell, LINUX_SIGINT));
	CHECK(fake_has_notice(child, LINUX_SIGINT));
	CHECK_EQ(fake_set_uid(child, 1000), OK);
	CHECK_EQ(fake_tell(child, POSIX_SIGNAL_GROUP, 0, &s, sizeof s), ERR_PERM);
	s.target = 3999;
	CHECK_EQ(fake_tell(server, POSIX_SIGNAL_GROUP, 0, &s, sizeof s), ERR_SRCH);
	s.signal = 65;
	CHECK_EQ(fake_tell(server, POSIX_SIGNAL_GROUP, 0, &s, sizeof s), ERR_INVAL);
	fake_end();
}
