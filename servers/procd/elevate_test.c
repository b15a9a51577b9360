/* servers/procd/elevate_test.c - who a set-uid exec makes of a process, and how it ends when it comes to nothing. */
#include "servers/procd/cred.h"
#include "servers/procd/fake_outside.h"

enum { USER = 1000, OWNER = 7, GROUP = 70 };

struct exec_request {
	struct posix_exec_elevated head;
	char strings[15];               /* name, two arguments, one of the environment */
};

/* A user's process in the true root, which is about to execute a set-uid file of OWNER's. */
static uint32_t begin(uint32_t mode)
{
	uint32_t p;

	fake_begin();
	p = fake_fork(fake_login());
	CHECK_EQ(fake_tell(p, POSIX_SET_IDS, 0, &(struct posix_set_ids){ USER, USER, USER, USER, USER, USER }, sizeof(struct posix_set_ids)), OK);
	CHECK_EQ(fake_call(p, POSIX_PLACES, 1 | 2ull << 32), OK);
	fake.program = (struct file_stat){ .device = 1, .node = 0x99, .mode = MODE_FILE | mode, .uid = OWNER, .gid = GROUP };
	return p;
}

static struct exec_request request_make(void)
{
	struct exec_request r = { .head = { .name_bytes = 3, .arguments_bytes = 6, .environment_bytes = 5, .umask = 022 } };

	memcpy(r.strings, "/a\0a1\0a2\0E=12\0", 14);
	return r;
}

static int64_t exec(uint32_t p, handle_t file)
{
	struct exec_request r = request_make();

	return fake_call_full(p, POSIX_EXEC_ELEVATED, 0, &r, sizeof r.head + 14, NULL, 0, file);
}

static struct posix_ids ids_of(uint32_t p)
{
	struct posix_ids ids = { 0 };

	CHECK_EQ(fake_ask(p, POSIX_GET_IDS, 0, &ids, sizeof ids), OK);
	return ids;
}

TEST(a_set_uid_file_gives_its_owners_id_to_a_process_of_the_same_number)
{
	uint32_t p = begin(MODE_SETUID | 0755), child;
	struct posix_ids ids;

	child = fake_fork(p);
	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	CHECK_EQ(fake.tasks[p].info.end, TASK_KILLED);
	CHECK_EQ(fake.tasks[fake.successor].info.threads, 0u);
	fake_settle();
	CHECK_EQ(fake.tasks[p].info.end, TASK_ALIVE);
	CHECK_EQ(fake.tasks[p].info.threads, 1u);
	CHECK_EQ(fake.tasks[p].info.uid, (uint32_t)OWNER);
	CHECK_EQ(fake.tasks[p].info.gid, (uint32_t)USER);
	CHECK(fake.tasks[p].watched);
	ids = ids_of(p);
	CHECK(ids.uid == USER && ids.euid == OWNER && ids.gid == USER && ids.egid == USER);
	CHECK_EQ(fake.successor_arguments, 4u);
	CHECK_EQ(fake.successor_environment, 1u);
	CHECK(!strncmp(fake.successor_words, "12 0 0 0 0 99 89ed 7 46 ", 24));
	CHECK_EQ(tree_find(&fake.tree, child)->parent->pid, p);
	fake_end();
}

TEST(a_set_gid_file_gives_its_group_if_the_group_may_execute_it)
{
	uint32_t p = begin(MODE_SETGID | 0755);

	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	fake_settle();
	CHECK(ids_of(p).egid == GROUP && ids_of(p).euid == USER && ids_of(p).gid == USER);
	fake_end();
	p = begin(MODE_SETGID | 0745);
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	fake_end();
}

TEST(nothing_happens_for_what_would_change_nothing_or_is_nobodys)
{
	uint32_t p = begin(0755);

	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	fake.program.mode = MODE_FILE | MODE_SETUID | 0755;
	CHECK_EQ(exec(p, 1), ERR_PERM);                 /* of some other server's */
	CHECK_EQ(exec(p, HANDLE_NONE), ERR_PERM);
	fake.program.uid = USER;
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	fake.program.uid = OWNER;
	fake.program.mode = MODE_FILE | MODE_SETUID | 0750;
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_ACCES);
	fake.program.mode = MODE_DIRECTORY | MODE_SETUID | 0755;
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_ACCES);
	CHECK_EQ(fake.tasks[p].info.end, TASK_ALIVE);
	fake_end();
}

TEST(a_process_in_another_root_is_not_elevated)
{
	uint32_t p = begin(MODE_SETUID | 0755);

	fake.is_elsewhere = true;
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	fake.is_elsewhere = false;
	CHECK_EQ(fake_call(p, POSIX_PLACES, 1 | 0xffffffffull << 32), OK);
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	fake_end();
}

TEST(no_new_privileges_hold_for_children_too)
{
	uint32_t p = begin(MODE_SETUID | 0755), child;

	CHECK_EQ(fake_call(p, POSIX_NO_NEW_PRIVILEGES, 0), OK);
	child = fake_fork(p);
	CHECK_EQ(exec(p, FAKE_PROGRAM), ERR_PERM);
	CHECK_EQ(exec(child, FAKE_PROGRAM), ERR_PERM);
	fake_end();
}

TEST(who_ends_otherwise_meanwhile_has_ended)
{
	uint32_t p = begin(MODE_SETUID | 0755), parent = tree_find(&fake.tree, p)->parent->pid, status;

	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	/* Its word does not count any more; a signal does. */
	CHECK_EQ(fake_call(p, POSIX_NO_NEW_PRIVILEGES, 0), ERR_INTR);
	CHECK_EQ(fake_kill_call(parent, (int32_t)p, LINUX_SIGKILL), OK);
	CHECK_EQ(fake.tasks[fake.successor].info.end, TASK_KILLED);
	fake_settle();
	CHECK_EQ(fake_wait(parent, (int32_t)p, POSIX_WEXITED, &status), p);
	CHECK_EQ(status, LINUX_SIGKILL);
	fake_end();
	p = begin(MODE_SETUID | 0755);
	parent = tree_find(&fake.tree, p)->parent->pid;
	fake.succession_fails = true;
	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	fake_settle();
	CHECK_EQ(fake_wait(parent, (int32_t)p, POSIX_WEXITED, &status), p);
	CHECK_EQ(status, LINUX_SIGKILL);
	fake.succession_fails = false;
	fake_end();
}

TEST(an_exit_that_was_first_is_the_one_that_counts)
{
	uint32_t p = begin(MODE_SETUID | 0755), parent = tree_find(&fake.tree, p)->parent->pid, status;

	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	fake.tasks[p].info.end = TASK_EXITED;
	fake.tasks[p].info.status = 5;
	fake_settle();
	CHECK_EQ(fake_wait(parent, (int32_t)p, POSIX_WEXITED, &status), p);
	CHECK_EQ(status, 5 << 8);
	fake_end();
}

TEST(signals_and_stops_of_the_time_between_reach_the_successor)
{
	uint32_t p = begin(MODE_SETUID | 0755), parent = tree_find(&fake.tree, p)->parent->pid;

	CHECK_EQ(fake_kill_call(parent, (int32_t)p, 40), OK);
	CHECK_EQ(exec(p, FAKE_PROGRAM), OK);
	CHECK_EQ(fake_kill_call(parent, (int32_t)p, LINUX_SIGSTOP), OK);
	fake_settle();
	CHECK(fake_has_notice(p, 40));
	CHECK(fake.tasks[p].stopped);
	CHECK_EQ(fake_kill_call(parent, (int32_t)p, LINUX_SIGCONT), OK);
	CHECK(!fake.tasks[p].stopped);
	fake_end();
}

TEST(strings_that_are_not_what_their_lengths_say_are_refused)
{
	uint32_t p = begin(MODE_SETUID | 0755);
	static const uint32_t lengths[][3] = { { 0, 9, 5 }, { 3, 0, 11 }, { 3, 6, 6 }, { 4, 5, 5 }, { 6, 3, 5 }, { 3, 5, 6 }, { ~0u, ~0u, ~0u } };

	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		struct exec_request r = request_make();
		r.head.name_bytes = lengths[i][0];
		r.head.arguments_bytes = lengths[i][1];
		r.head.environment_bytes = lengths[i][2];
		int64_t result = fake_call_full(p, POSIX_EXEC_ELEVATED, 0, &r, sizeof r.head + 14, NULL, 0, FAKE_PROGRAM);
		CHECK(result == ERR_INVAL || result == ERR_2BIG);
	}
	CHECK_EQ(fake_call_full(p, POSIX_EXEC_ELEVATED, 0, &lengths, 8, NULL, 0, FAKE_PROGRAM), ERR_INVAL);
	CHECK_EQ(fake.tasks[p].info.end, TASK_ALIVE);
	fake_end();
}

TEST(an_elevated_exec_that_runs_out_of_anything_leaves_one_process_or_none)
{
	for (long n = 0; ; n++) {
		uint32_t p = begin(MODE_SETUID | 0755), parent = tree_find(&fake.tree, p)->parent->pid;
		fake.failed = false;
		fake.fail_after = n;
		int64_t result = exec(p, FAKE_PROGRAM);
		fake_settle();
		fake.fail_after = -1;
		if (result != OK)
			CHECK_EQ(fake.tasks[p].info.end, TASK_ALIVE);
		else if (fake.tasks[p].info.end == TASK_ALIVE)
			CHECK_EQ(fake.tasks[p].info.uid, (uint32_t)OWNER);
		else
			CHECK_EQ(fake_wait(parent, (int32_t)p, POSIX_WEXITED, NULL), p);
		bool failed = fake.failed;
		fake_end();
		if (!failed)
			break;
	}
}
