/* servers/procd/posix_test.c - requests from hostile hands, exec, and random operations against a model. */
#include "servers/procd/fake_outside.h"
#include "servers/procd/image.h"
#include "servers/procd/cred.h"
#include "servers/procd/record.h"
#include "servers/procd/wait.h"

TEST(who_is_not_in_the_tree_is_refused)
{
	uint32_t half;

	fake_begin();
	half = fake_new_task(0, 0);
	CHECK_EQ(fake_call(half, POSIX_GET_GROUPS, 0), ERR_SRCH);
	fake_end();
}

TEST(unknown_codes_are_refused)
{
	uint32_t shell;

	fake_begin();
	shell = fake_login();
	CHECK_EQ(fake_call(shell, POSIX_UMASK, 0), ERR_NOTTY);
	CHECK_EQ(fake_call(shell, 499, 0), ERR_NOTTY);
	CHECK_EQ(fake_call(shell, 599, 0), ERR_NOTTY);
	CHECK_EQ(fake_call(shell, 0xffffffff, 0), ERR_NOTTY);
	fake_end();
}

TEST(every_code_survives_wrong_lengths_and_words)
{
	static const uint64_t words[] = { 0, 1, 17, 0xffffffff, 1ull << 32, UINT64_MAX, 0x8000000000000000ull };
	uint8_t junk[64];
	uint32_t shell;

	fake_begin();
	for (uint32_t code = POSIX_FORK; code <= POSIX_PLACES + 1; code++)
		for (size_t bytes = 0; bytes <= sizeof junk; bytes += 4)
			for (size_t w = 0; w < ARRAY_COUNT(words); w++) {
				shell = fake_login();
				memset(junk, (int)(test_random() & 1 ? 0xff : 0), sizeof junk);
				fake_send(shell, code, words[w], junk, bytes, bytes, (handle_t)(test_random() % 3) - 1);
				fake_exit(shell, 0);
				fake.tasks[shell].exists = false;
				fake.next_pid = 10;
			}
	fake_end();
}

TEST(exec_tells_lists_what_runs)
{
	struct posix_exec exec = { .path_bytes = 12, .command_bytes = 6, .environment_bytes = 4 };
	struct posix_exec_result result;
	struct process *p;
	uint8_t in[sizeof exec + 22];
	uint32_t shell;

	fake_begin();
	shell = fake_login();
	memcpy(in, &exec, sizeof exec);
	memcpy(in + sizeof exec, "/bin/busybox" "ls\0-l\0" "A=1\0", 22);
	CHECK_EQ(fake_call_full(shell, POSIX_EXEC, 0, in, sizeof in, &result, sizeof result, HANDLE_NONE), 0);
	CHECK_EQ(result.secure, 0u);
	CHECK_STR(fake.tasks[shell].info.name, "busybox");
	p = tree_find(&fake.tree, shell);
	CHECK_MEM(image_path(p->image), "/bin/busybox", 12);
	CHECK_MEM(image_command(p->image), "ls\0-l", 6);
	CHECK_MEM(image_environment(p->image), "A=1", 4);
	exec.environment_bytes = 5;
	memcpy(in, &exec, sizeof exec);
	CHECK_EQ(fake_call_full(shell, POSIX_EXEC, 0, in, sizeof in, &result, sizeof result, HANDLE_NONE), ERR_INVAL);
	exec.path_bytes = exec.command_bytes = 0xffffffff;
	memcpy(in, &exec, sizeof exec);
	CHECK_EQ(fake_call_full(shell, POSIX_EXEC, 0, in, sizeof in, &result, sizeof result, HANDLE_NONE), ERR_INVAL);
	CHECK_EQ(tree_find(&fake.tree, shell)->image->path_bytes, 12u);
	fake_end();
}

TEST(long_arguments_are_cut_not_refused)
{
	static uint8_t in[FAKE_DATA];
	struct posix_exec exec = { .path_bytes = 1, .command_bytes = sizeof in - sizeof exec - 1 };
	struct posix_exec_result result;
	uint32_t shell;

	fake_begin();
	shell = fake_login();
	memcpy(in, &exec, sizeof exec);
	memset(in + sizeof exec, 'x', sizeof in - sizeof exec);
	CHECK_EQ(fake_call_full(shell, POSIX_EXEC, 0, in, sizeof in, &result, sizeof result, HANDLE_NONE), 0);
	CHECK_EQ(tree_find(&fake.tree, shell)->image->command_bytes, exec.command_bytes);
	CHECK_STR(tree_find(&fake.tree, shell)->image->name, "x");
	fake_end();
}

/* ---- Random operations: the rules that always hold are checked after each. ---- */

enum { LIVES = 40, STEPS = 20000 };

static void check_process(struct tree *t, struct process *p, void *argument)
{
	struct process *child;
	struct pending *w;
	uint32_t *count = argument;

	(void)t;
	(*count)++;
	CHECK(p->group && p->group->session);
	CHECK(tree_find_group(&fake.tree, p->group->id) == p->group);
	CHECK(p->parent || p == fake.tree.init);
	CHECK(!p->parent || process_is_alive(p->parent));
	CHECK(process_is_alive(p) || (list_is_empty(&p->children) && list_is_empty(&p->pending) && list_is_empty(&p->signals)));
	CHECK(p->parent != fake.tree.init || process_is_alive(p));
	CHECK_EQ(p->state == PROCESS_STOPPED, process_is_alive(p) && fake.tasks[p->pid].stopped);
	CHECK(!process_is_alive(p) || (fake.tasks[p->pid].info.group == p->group->id &&
	                               fake.tasks[p->pid].info.session == p->group->session->id));
	const struct posix_record *r = record_find(&fake.tree, p->pid, p->started_ns);
	CHECK(r && r->group == p->group->id && r->session == p->group->session->id && r->parent == (p->parent ? p->parent->pid : 0));
	CHECK(r && r->uid == p->cred->uid && r->euid == p->cred->euid && r->suid == p->cred->suid && r->sgid == p->cred->sgid);
	CHECK(r && process_is_alive(p) == !(r->flags & POSIX_IS_ZOMBIE));
	list_each(child, &p->children, sibling)
		CHECK(child->parent == p);
	list_each(w, &p->pending, in_process)
		CHECK(!fake_is_answered(w->tag));
}

static void check_groups(void)
{
	struct process *p;
	struct group *g;

	for (size_t i = 0; i < GROUP_BUCKETS; i++)
		list_each(g, &fake.tree.groups[i], by_id) {
			uint32_t stopped = 0;
			CHECK(!list_is_empty(&g->members));
			CHECK(g->session->groups > 0);
			list_each(p, &g->members, in_group) {
				CHECK(p->group == g);
				stopped += p->state == PROCESS_STOPPED;
			}
			CHECK_EQ(g->stopped, stopped);
			/* Its number cannot be given away. */
			CHECK(tree_find(&fake.tree, g->id) || g->pin != HANDLE_NONE);
			CHECK(tree_find(&fake.tree, g->session->id) || g->session->pin != HANDLE_NONE ||
			      (tree_find_group(&fake.tree, g->session->id) && tree_find_group(&fake.tree, g->session->id)->pin != HANDLE_NONE));
		}
}

static void check_tree(void)
{
	uint32_t count = 0;

	tree_each(&fake.tree, check_process, &count);
	CHECK_EQ(count, fake.tree.count);
	for (struct posix_record *r = NULL; (r = record_next(&fake.tree, r)); )
		CHECK(tree_find(&fake.tree, r->pid));
	check_groups();
}

static uint32_t pids[LIVES];

/* A process that lives; 0: the slot was empty. */
static uint32_t any_pid(void)
{
	return pids[test_random() % LIVES];
}

static void refresh(void)
{
	fake_settle();
	for (size_t i = 0; i < LIVES; i++)
		if (pids[i] && fake.tasks[pids[i]].info.end != TASK_ALIVE)
			pids[i] = 0;
}

static uint32_t new_pid(uint32_t pid)
{
	for (size_t i = 0; i < LIVES; i++)
		if (!pids[i]) {
			pids[i] = pid;
			return pid;
		}
	fake_exit(pid, 0);
	return pid;
}

static void step(uint32_t me)
{
	static const uint32_t signals[] = { 0, 1, 9, 15, 17, 18, 18, 19, 20, 21, 40, 64 };
	uint32_t other = any_pid(), signal = signals[test_random() % ARRAY_COUNT(signals)], child;
	struct posix_wait wait = { .target = (int32_t)(test_random() % 3 ? -1 : test_random() % 2 ? (int32_t)other : -(int32_t)other),
	                           .options = (uint32_t)(test_random() & 0x0100000f) };

	switch (test_random() % 14) {
	case 0: case 1: case 2:
		if (fake.next_pid < FAKE_TASKS - 2 && (child = fake_fork_flags(me, test_random() % 8 == 0, NULL)))
			new_pid(child);
		break;
	case 3:
		fake_exit(me, test_random() & 0xff);
		break;
	case 4:
		fake_kill_call(me, test_random() % 4 ? (int32_t)other : -(int32_t)other, signal);
		break;
	case 5: case 6:
		fake_send(me, POSIX_WAIT, 0, &wait, sizeof wait, sizeof(struct posix_wait_result), HANDLE_NONE);
		break;
	case 7:
		fake_set_group(me, test_random() % 2 ? other : 0, test_random() % 2 ? any_pid() : 0);
		break;
	case 8:
		fake_call(me, POSIX_SET_SESSION, 0);
		break;
	case 9:
		fake_send(me, POSIX_STOPPED, LINUX_SIGSTOP + test_random() % 4, NULL, 0, 0, HANDLE_NONE);
		break;
	case 10:
		fake_set_uid(me, test_random() % 2 ? 1000 : 1001);
		break;
	case 11:
		wait_cancel(&fake.tree, fake.last_tag - test_random() % 50);
		break;
	case 12:
		fake_call(me, POSIX_SUBREAPER, test_random() & 1);
		fake_call(me, POSIX_CHILD_FLAGS, test_random() & 15);
		break;
	default:
		fake_call(me, POSIX_SIGNAL_INFO, signal ? signal : 1);
	}
}

TEST(whatever_processes_do_the_tree_stays_whole)
{
	fake_begin();
	memset(pids, 0, sizeof pids);
	for (uint32_t n = 0; n < STEPS; n++) {
		uint32_t me = any_pid();
		if (!me) {
			fake.fail_after = -1;
			new_pid(fake_login());
		} else
			step(me);
		/* Now and then memory runs out in the middle. */
		fake.fail_after = test_random() % 16 == 0 ? (long)(test_random() % 6) : -1;
		if (fake.fail_after < 0) {
			refresh();
			check_tree();
		}
		if (fake.next_pid > FAKE_TASKS - 200)
			break;
	}
	fake.fail_after = -1;
	refresh();
	check_tree();
	fake_end();
}
