/* servers/procd/procfs_test.c - names, permissions, listings and texts of /proc. */
#include <stdio.h>
#include "servers/procd/fake_outside.h"
#include "servers/procd/procfs.h"

static struct procfs procfs;
static char text[16384];

static void begin(void)
{
	fake_begin();
	procfs_init(&procfs, &fake.tree);
}

static struct sender as(uint32_t pid)
{
	const struct task_info *i = &fake.tasks[pid].info;

	return (struct sender){ .pid = pid, .tid = pid, .uid = i->uid, .gid = i->gid };
}

static err_t open_at(uint32_t pid, uint64_t at, const char *path, uint64_t flags, uint64_t *id)
{
	struct sender s = as(pid);
	handle_t forward;
	err_t err = procfs_open(&procfs, &s, at, path, strlen(path), flags, id, &forward);

	CHECK(err || (*id == 0) == (forward != HANDLE_NONE));
	if (forward != HANDLE_NONE)
		fake_close(forward);
	return err;
}

static err_t open_as(uint32_t pid, const char *path, uint64_t flags, uint64_t *id) { return open_at(pid, 0, path, flags, id); }

/* The whole text of a file in `text`, 0-terminated; its length or an error. */
static int64_t cat_as(uint32_t pid, const char *path)
{
	struct sender s = as(pid);
	uint64_t id;
	int64_t got;
	err_t err;

	if ((err = open_as(pid, path, OPEN_READ, &id)))
		return err;
	got = procfs_read(&procfs, &s, id, 0, text, sizeof text - 1);
	if (got >= 0)
		text[got] = 0;
	return got;
}

static int64_t call_as(uint32_t pid, uint64_t id, uint32_t code, uint64_t word, const char *path, void *out, size_t room)
{
	struct sender s = as(pid);
	size_t used;
	int64_t result = procfs_call(&procfs, &s, id, code, word, path, strlen(path), out, room, &used);

	CHECK(result < 0 || used <= room);
	return result;
}

static void run_busybox(uint32_t pid)
{
	struct posix_exec exec = { .path_bytes = 12, .command_bytes = 6, .environment_bytes = 4 };
	struct posix_exec_result result;
	uint8_t in[sizeof exec + 22];

	memcpy(in, &exec, sizeof exec);
	memcpy(in + sizeof exec, "/bin/busybox" "ls\0-l\0" "A=1\0", 22);
	CHECK_EQ(fake_call_full(pid, POSIX_EXEC, 0, in, sizeof in, &result, sizeof result, HANDLE_NONE), 0);
}

static const char *path_of(uint32_t pid, const char *name)
{
	static char path[64];

	snprintf(path, sizeof path, "%u/%s", pid, name);
	return path;
}

TEST(stat_has_the_52_fields_that_ps_reads)
{
	uint32_t shell, child, fields = 1, pid, parent, group, session;
	char name[32], state;

	begin();
	shell = fake_login();
	child = fake_fork(shell);
	run_busybox(child);
	CHECK(cat_as(child, path_of(child, "stat")) > 0);
	for (const char *c = text; *c; c++)
		fields += *c == ' ';
	CHECK_EQ(fields, 52u);
	CHECK_EQ(sscanf(text, "%u %31s %c %u %u %u", &pid, name, &state, &parent, &group, &session), 6);
	CHECK_EQ(pid, child);
	CHECK_STR(name, "(busybox)");
	CHECK_EQ(state, 'S');
	CHECK_EQ(parent, shell);
	CHECK_EQ(group, shell);
	CHECK_EQ(session, shell);
	fake_end();
}

TEST(the_state_is_what_the_tree_knows)
{
	uint32_t shell, child;

	begin();
	shell = fake_login();
	child = fake_fork(shell);
	CHECK_EQ(fake_kill_call(shell, (int32_t)child, LINUX_SIGSTOP), OK);
	CHECK(cat_as(shell, path_of(child, "status")) > 0);
	CHECK(strstr(text, "State:\tT (stopped)\n"));
	fake_exit(child, 0);
	CHECK(cat_as(shell, path_of(child, "status")) > 0);
	CHECK(strstr(text, "State:\tZ (zombie)\n"));
	CHECK_EQ(cat_as(shell, path_of(child, "cmdline")), 0);
	fake_end();
}

TEST(cmdline_is_as_exec_told)
{
	uint32_t shell;

	begin();
	shell = fake_login();
	run_busybox(shell);
	CHECK_EQ(cat_as(shell, "self/cmdline"), 6);
	CHECK_MEM(text, "ls\0-l\0", 6);
	CHECK(cat_as(shell, "self/comm") > 0);
	CHECK_STR(text, "busybox\n");
	fake_end();
}

TEST(what_is_private_is_for_root_and_the_user_only)
{
	uint32_t shell, mine, other;
	char out[64];
	uint64_t id;

	begin();
	shell = fake_login();
	mine = fake_fork(shell);
	run_busybox(mine);
	CHECK_EQ(fake_set_uid(mine, 1000), OK);
	other = fake_fork(shell);
	CHECK_EQ(fake_set_uid(other, 1001), OK);
	CHECK_EQ(cat_as(other, path_of(mine, "environ")), ERR_ACCES);
	CHECK_EQ(cat_as(other, path_of(mine, "maps")), ERR_ACCES);
	CHECK_EQ(open_as(other, path_of(mine, "fd"), OPEN_READ, &id), ERR_ACCES);
	CHECK_EQ(open_as(other, path_of(mine, "fd/0"), OPEN_READ, &id), ERR_ACCES);
	CHECK_EQ(call_as(other, 0, FILE_READLINK, 0, path_of(mine, "exe"), out, sizeof out), ERR_ACCES);
	CHECK(cat_as(other, path_of(mine, "stat")) > 0);
	CHECK_EQ(cat_as(mine, "self/environ"), 4);
	CHECK_EQ(cat_as(shell, path_of(mine, "environ")), 4);
	CHECK(cat_as(mine, "self/maps") > 0);
	CHECK_STR(text, "00400000-00402000 r-xp 00001000 00:00 7\n");
	CHECK_EQ(call_as(mine, 0, FILE_READLINK, 0, "self/exe", out, sizeof out), 12);
	CHECK_MEM(out, "/bin/busybox", 12);
	fake_end();
}

TEST(an_open_environ_closes_up_when_the_process_changes_hands)
{
	uint32_t shell, victim, spy;
	struct sender s;
	uint64_t id;

	begin();
	shell = fake_login();
	victim = fake_fork(shell);
	run_busybox(victim);
	spy = fake_fork(shell);
	CHECK_EQ(fake_set_uid(spy, 1000), OK);
	CHECK_EQ(open_as(shell, path_of(victim, "environ"), OPEN_READ, &id), OK);
	s = as(spy);
	CHECK_EQ(procfs_read(&procfs, &s, id, 0, text, sizeof text), ERR_ACCES);
	fake_end();
}

TEST(a_file_of_a_dead_process_says_so_even_when_its_number_is_taken_again)
{
	uint32_t shell, child;
	struct sender s;
	uint64_t id;

	begin();
	shell = fake_login();
	child = fake_fork(shell);
	s = as(shell);
	CHECK_EQ(open_as(shell, path_of(child, "stat"), OPEN_READ, &id), OK);
	fake_exit(child, 0);
	CHECK(procfs_read(&procfs, &s, id, 0, text, sizeof text) > 0);
	CHECK_EQ(fake_wait(shell, -1, POSIX_WEXITED, NULL), child);
	CHECK_EQ(procfs_read(&procfs, &s, id, 0, text, sizeof text), ERR_SRCH);
	fake.next_pid = child;
	CHECK_EQ(fake_fork(shell), child);
	CHECK_EQ(procfs_read(&procfs, &s, id, 0, text, sizeof text), ERR_SRCH);
	CHECK_EQ(procfs_read(&procfs, &s, UINT64_MAX, 0, text, sizeof text), ERR_BADF);
	fake_end();
}

TEST(a_text_reads_the_same_in_small_pieces)
{
	static const char *const files[] = { "meminfo", "stat", "interrupts", "cpuinfo", "self/status", "self/limits", "self/stat", "version" };
	static char pieces[sizeof text];
	uint32_t shell;
	uint64_t id;

	begin();
	shell = fake_login();
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		int64_t whole = cat_as(shell, files[i]), at = 0, got;
		struct sender s = as(shell);
		CHECK(whole > 0);
		CHECK_EQ(open_as(shell, files[i], OPEN_READ, &id), OK);
		while ((got = procfs_read(&procfs, &s, id, (uint64_t)at, pieces + at, 7)) > 0)
			at += got;
		CHECK_EQ(got, 0);
		CHECK_EQ(at, whole);
		CHECK_MEM(pieces, text, (size_t)whole);
	}
	fake_end();
}

TEST(names_lead_where_they_say)
{
	uint32_t shell;
	char path[64], out[64];
	uint64_t id, same;

	begin();
	shell = fake_login();
	snprintf(path, sizeof path, "/%u/task/%u/stat", shell, shell);
	CHECK_EQ(call_as(shell, 0, FILE_RESOLVE, 0, "thread-self/stat", out, sizeof out), (int64_t)strlen(path));
	CHECK_MEM(out, path, strlen(path));
	CHECK_EQ(call_as(shell, 0, FILE_RESOLVE, 0, "self/../sys//kernel/./random/../hostname", out, sizeof out), 20);
	CHECK_MEM(out, "/sys/kernel/hostname", 20);
	CHECK_EQ(call_as(shell, 0, FILE_RESOLVE, 0, "../..", out, sizeof out), 1);
	CHECK_EQ(call_as(shell, 0, FILE_RESOLVE, 0, "self/task", out, 3), ERR_RANGE);
	CHECK_EQ(open_as(shell, "sys/kernel", OPEN_READ | OPEN_DIRECTORY, &id), OK);
	CHECK_EQ(call_as(shell, id, FILE_PATH, 0, "", out, sizeof out), 11);
	CHECK_EQ(open_at(shell, id, "/version", OPEN_READ, &same), OK);
	CHECK_EQ(open_at(shell, id, "hostname", OPEN_READ, &same), OK);
	CHECK_EQ(open_as(shell, "nothing", OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, "version/x", OPEN_READ, &id), ERR_NOTDIR);
	CHECK_EQ(open_as(shell, "version/", OPEN_READ, &id), ERR_NOTDIR);
	CHECK_EQ(open_as(shell, "version", OPEN_READ | OPEN_DIRECTORY, &id), ERR_NOTDIR);
	CHECK_EQ(open_as(shell, "self", OPEN_READ | OPEN_NOFOLLOW, &id), ERR_LOOP);
	CHECK_EQ(open_as(shell, "self", OPEN_READ | OPEN_WRITE, &id), ERR_ISDIR);
	CHECK_EQ(open_as(shell, "self/root/x", OPEN_READ, &id), ERR_XDEV);
	CHECK_EQ(open_as(shell, "0", OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, "010", OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, "4294967297", OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, "new", OPEN_WRITE | OPEN_CREATE, &id), ERR_ACCES);
	CHECK_EQ(open_as(shell, "version", OPEN_WRITE, &id), ERR_ACCES);
	fake_end();
}

/* Lists with a small buffer; counts the names, and remembers whether `wanted` was among them once. */
static uint32_t list_all(uint32_t pid, const char *path, size_t room, const char *wanted, bool *found)
{
	struct sender s = as(pid);
	struct file_entry e;
	uint64_t id, cookie = 0;
	uint32_t count = 0;
	size_t used;

	*found = false;
	CHECK_EQ(open_as(pid, path, OPEN_READ | OPEN_DIRECTORY, &id), OK);
	for (;;) {
		int64_t got = procfs_call(&procfs, &s, id, FILE_LIST, cookie, NULL, 0, text, room, &used);
		CHECK(got >= 0);
		if (got == 0)
			return count;
		for (size_t at = 0; at < (size_t)got; at += e.entry_bytes, count++) {
			memcpy(&e, text + at, sizeof e);
			CHECK(e.cookie > cookie);
			cookie = e.cookie;
			if (strlen(wanted) == e.name_bytes && !memcmp(wanted, text + at + sizeof e, e.name_bytes)) {
				CHECK(!*found);
				*found = true;
			}
		}
	}
}

TEST(a_listing_has_every_process_once_whatever_the_buffer)
{
	uint32_t shell, child, server;
	char name[16];
	bool found;

	begin();
	shell = fake_login();
	for (int i = 0; i < 300; i++)
		child = fake_fork(shell);
	server = fake_new_task(0, 1);
	snprintf(name, sizeof name, "%u", child);
	uint32_t count = list_all(shell, "", 4096, name, &found);
	CHECK(found);
	CHECK_EQ(list_all(shell, "", 64, name, &found), count);
	CHECK(found);
	snprintf(name, sizeof name, "%u", server);
	CHECK_EQ(list_all(shell, "", 1000, name, &found), count);
	CHECK(found);
	CHECK(count > 302);
	list_all(shell, "self", 4096, "stat", &found);
	CHECK(found);
	snprintf(name, sizeof name, "%u", shell);
	CHECK_EQ(list_all(shell, "self/task", 4096, name, &found), 3u);
	CHECK(found);
	fake_end();
}

TEST(what_a_process_has_open_is_given_to_those_who_may_inspect_it)
{
	uint32_t shell, mine, other;
	char out[64];
	uint64_t id;
	bool found;

	begin();
	shell = fake_login();
	mine = fake_fork(shell);
	CHECK_EQ(fake_set_uid(mine, 1000), OK);
	other = fake_fork(shell);
	CHECK_EQ(fake_set_uid(other, 1001), OK);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/0"), OPEN_READ, &id), OK);
	CHECK_EQ(id, 0u);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/3"), OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/00"), OPEN_READ, &id), ERR_NOENT);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/0"), OPEN_PATH | OPEN_NOFOLLOW, &id), ERR_OPNOTSUPP);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/0/x"), OPEN_READ, &id), ERR_XDEV);
	CHECK_EQ(open_as(other, path_of(mine, "fd/0"), OPEN_READ, &id), ERR_ACCES);
	CHECK_EQ(open_as(mine, path_of(mine, "cwd"), OPEN_PATH, &id), ERR_NOENT);
	CHECK_EQ(fake_call(mine, POSIX_PLACES, 1 | 2ull << 32), 0);
	CHECK_EQ(open_as(mine, path_of(mine, "cwd"), OPEN_PATH, &id), OK);
	CHECK_EQ(open_as(shell, path_of(mine, "root"), OPEN_PATH, &id), OK);
	CHECK_EQ(open_as(other, path_of(mine, "cwd"), OPEN_PATH, &id), ERR_ACCES);
	CHECK_EQ(call_as(shell, 0, FILE_READLINK, 0, path_of(mine, "fd/0"), out, sizeof out), ERR_XDEV);
	CHECK_EQ(call_as(other, 0, FILE_READLINK, 0, path_of(mine, "cwd"), out, sizeof out), ERR_ACCES);
	CHECK_EQ(list_all(shell, path_of(mine, "fd"), 4096, "2", &found), 5u);
	CHECK(found);
	CHECK_EQ(list_all(shell, path_of(mine, "fd"), 40, "0", &found), 5u);
	CHECK(found);
	fake_exit(mine, 0);
	CHECK_EQ(open_as(shell, path_of(mine, "fd/0"), OPEN_READ, &id), ERR_NOENT);
	fake_end();
}

TEST(a_listing_that_fits_nothing_says_so)
{
	uint32_t shell;
	char out[16];

	begin();
	shell = fake_login();
	CHECK_EQ(call_as(shell, 0, FILE_LIST, 0, "", out, sizeof out), ERR_INVAL);
	fake_end();
}

TEST(the_host_name_is_roots_to_change)
{
	uint32_t shell, user;
	struct sender s;
	uint64_t id;

	begin();
	shell = fake_login();
	user = fake_fork(shell);
	CHECK_EQ(fake_set_uid(user, 1000), OK);
	CHECK_EQ(open_as(user, "sys/kernel/hostname", OPEN_WRITE, &id), ERR_ACCES);
	CHECK_EQ(open_as(shell, "sys/kernel/hostname", OPEN_WRITE, &id), OK);
	s = as(shell);
	CHECK_EQ(procfs_write(&procfs, &s, id, 0, "box\n", 4), 4);
	CHECK(cat_as(user, "sys/kernel/hostname") > 0);
	CHECK_STR(text, "box\n");
	memset(text, 'x', 100);
	CHECK_EQ(procfs_write(&procfs, &s, id, 0, text, 100), ERR_INVAL);
	CHECK_EQ(procfs_write(&procfs, &s, id, 0, "a\0b", 3), ERR_INVAL);
	CHECK_EQ(procfs_write(&procfs, &s, id, 5, "a", 1), ERR_INVAL);
	CHECK(cat_as(user, "sys/kernel/hostname") > 0);
	CHECK_STR(text, "box\n");
	fake_end();
}

TEST(stat_access_and_the_rest_of_the_protocol_answer)
{
	uint32_t shell, user;
	struct file_stat st;
	struct file_system fs;

	begin();
	shell = fake_login();
	user = fake_fork(shell);
	CHECK_EQ(fake_set_uid(user, 1000), OK);
	CHECK_EQ(call_as(user, 0, FILE_STAT, 0, "self", &st, sizeof st), 0);
	CHECK_EQ(st.mode, (uint32_t)MODE_DIRECTORY | 0555);
	CHECK_EQ(st.uid, 1000u);
	CHECK_EQ(call_as(user, 0, FILE_STAT, AT_NOFOLLOW, "self", &st, sizeof st), 0);
	CHECK_EQ(st.mode, (uint32_t)MODE_SYMLINK | 0777);
	CHECK_EQ(call_as(user, 0, FILE_STAT, 0, "self", &st, 8), ERR_INVAL);
	CHECK_EQ(call_as(user, 0, FILE_ACCESS, OPEN_READ, "version", NULL, 0), 0);
	CHECK_EQ(call_as(user, 0, FILE_ACCESS, OPEN_WRITE, "version", NULL, 0), ERR_ACCES);
	CHECK_EQ(call_as(user, 0, FILE_ACCESS, OPEN_EXEC, "version", NULL, 0), ERR_ACCES);
	CHECK_EQ(call_as(user, 0, FILE_ACCESS, OPEN_EXEC, "sys", NULL, 0), 0);
	CHECK_EQ(call_as(user, 0, FILE_STATFS, 0, "", &fs, sizeof fs), 0);
	CHECK_EQ(fs.type, 0x9fa0u);
	CHECK_EQ(call_as(user, 0, FILE_UNLINK, 0, "version", NULL, 0), ERR_PERM);
	CHECK_EQ(call_as(user, 0, FILE_LOCK, 0, "", NULL, 0), ERR_OPNOTSUPP);
	CHECK_EQ(call_as(user, 0, TTY_GET, 0, "", NULL, 0), ERR_NOTTY);
	CHECK_EQ(call_as(user, 0, FILE_READLINK, 0, "version", text, sizeof text), ERR_INVAL);
	fake_end();
}

TEST(every_file_can_be_read_also_without_memory)
{
	static const char *const names[] = {
#define NODE(KIND, PARENT, name, mode, show, flags) name,
#include "servers/procd/procfs_nodes.def"
#undef NODE
	};
	static const char *const folders[] = { "", "self/", "thread-self/", "sys/kernel/", "sys/kernel/random/", "sys/fs/", "sys/vm/" };
	char path[64];
	uint32_t shell, read = 0;

	begin();
	shell = fake_login();
	run_busybox(shell);
	for (long fail = -1; fail < 2; fail++)
		for (size_t i = 0; i < ARRAY_COUNT(names) * ARRAY_COUNT(folders); i++) {
			if (!names[i / ARRAY_COUNT(folders)])
				continue;
			snprintf(path, sizeof path, "%s%s", folders[i % ARRAY_COUNT(folders)], names[i / ARRAY_COUNT(folders)]);
			fake.fail_after = fail;
			read += cat_as(shell, path) >= 0;
			fake.fail_after = -1;
		}
	CHECK(read > 100);
	fake_end();
}
