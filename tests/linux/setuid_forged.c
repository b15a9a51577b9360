/* tests/linux/setuid_forged.c - callers that go past the personality and forge what a set-uid exec could be made to believe: the file, the
 * root, the working directory, every private handle, the namespace. With RULE in its environment it is the set-uid program. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "abi/proto/task.h"
#include "lib/native/sys.h"
#include "lib/test/test.h"

enum { USER = 1000, PRIVATE_MANY = 200 };
#define PROGRAM "/tmp/setuid-forged"

extern char **environ;

/* ---- The program: 42 when it has root's id, the true root and the working directory that is wanted ---- */

static int executed(int argc, char **argv)
{
	char here[100];
	struct stat s;

	if (geteuid() != 0)
		return getuid() == USER ? 1 : 2;
	if (stat("/etc/passwd", &s) || s.st_uid != 0 || access("/proc/self/status", R_OK) || open("/dev/null", O_RDWR) < 0)
		return 3;
	return getuid() == USER && argc == 2 && getcwd(here, sizeof(here)) && !strcmp(here, argv[1]) ? 42 : 4;
}

__attribute__((constructor)) static void run_executed(void)
{
	char **argv = environ - 2;
	int argc = 0;

	if (!getenv("RULE"))
		return;
	for (; *(long *)argv != argc; argv--)
		argc++;
	_exit(executed(argc, argv + 1));
}

/* ---- The user's own scheme, where everything is a set-uid file or a directory of root's ---- */

static handle_t endpoint;
static uint32_t forged_mode;

static int64_t answer(const struct message *m, struct file_stat *stat, size_t *bytes)
{
	*stat = (struct file_stat){ .device = 1, .node = 1, .mode = forged_mode, .bytes = 4096 };
	*bytes = m->request.op == OP_CALL && (uint32_t)m->request.arg[0] == FILE_STAT ? sizeof(*stat) : 0;
	return m->request.op == OP_OPEN ? 77 : 0;
}

static void *serve(void *argument)
{
	static char buffer[4096];

	(void)argument;
	for (;;) {
		struct message m = { .offset = DEADLINE_NONE };
		struct file_stat stat;
		size_t bytes;
		if (sys_receive(0, endpoint, &m, buffer, sizeof(buffer)) < 0)
			continue;
		if (m.kind != MESSAGE_REQUEST)
			continue;
		int64_t result = answer(&m, &stat, &bytes);
		(void)sys_reply(0, endpoint, m.request.tag, result, &stat, bytes, pack_handle(0, HANDLE_NONE, true));
	}
	return NULL;
}

static handle_t forge(uint32_t mode)
{
	pthread_t thread;
	int64_t h = sys_scheme(0, HANDLE_NONE, 0);

	endpoint = (handle_t)h;
	forged_mode = mode;
	if (h < 0 || pthread_create(&thread, NULL, serve, NULL))
		_exit(90);
	h = sys_open(0, endpoint, "", 0, "x", 1, OPEN_READ | OPEN_EXEC | OPEN_PRIVATE, 0);
	struct file_stat stat = { 0 };
	/* It does what it is for. */
	if (h < 0 || sys_call(0, (handle_t)h, pack_handle(FILE_STAT, HANDLE_NONE, false), NULL, 0, &stat, sizeof(stat), 0) || stat.mode != mode)
		_exit(91);
	return (handle_t)h;
}

/* ---- What the user does ---- */

static handle_t open_private(const char *scheme, const char *ref, uint64_t flags)
{
	int64_t h = sys_open(0, HANDLE_NONE, scheme, strlen(scheme), ref, strlen(ref), flags | OPEN_PRIVATE, 0);

	if (h < 0)
		_exit(92);
	return (handle_t)h;
}

static handle_t posix_open(void) { return open_private("posix", "self", OPEN_READ | OPEN_WRITE); }

static int64_t exec_natively(handle_t posix, handle_t file, const char *wanted)
{
	struct { struct posix_exec_elevated head; char strings[200]; } r = { 0 };
	size_t bytes = 0, wanted_bytes = strlen(wanted) + 1;

	memcpy(r.strings, PROGRAM, bytes = sizeof(PROGRAM));
	r.head.name_bytes = sizeof(PROGRAM);
	memcpy(r.strings + bytes, PROGRAM, sizeof(PROGRAM));
	memcpy(r.strings + bytes + sizeof(PROGRAM), wanted, wanted_bytes);
	r.head.arguments_bytes = (uint32_t)(sizeof(PROGRAM) + wanted_bytes);
	bytes += r.head.arguments_bytes;
	memcpy(r.strings + bytes, "RULE=1", 7);
	r.head.environment_bytes = 7;
	return sys_call(0, posix, pack_handle(POSIX_EXEC_ELEVATED, file, false), &r, sizeof(r.head) + bytes + 7, NULL, 0, 0);
}

static void places(handle_t posix, handle_t working, handle_t root)
{
	if (sys_call(0, posix, pack_handle(POSIX_PLACES, HANDLE_NONE, false), NULL, 0, NULL, 0, (uint32_t)working | (uint64_t)(uint32_t)root << 32))
		_exit(93);
}

static int as_user(void (*what)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (setgroups(0, NULL) || setgid(USER) || setuid(USER) || chdir("/home/user"))
			_exit(97);
		setenv("RULE", "1", 1);
		what();
		_exit(96);
	}
	if (waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void copy_program(void)
{
	static char buffer[1 << 16];
	ssize_t n;

	unlink(PROGRAM);
	int from = open("/proc/self/exe", O_RDONLY), to = open(PROGRAM, O_WRONLY | O_CREAT | O_EXCL, 0600);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		CHECK(write(to, buffer, (size_t)n) == n);
	close(from);
	close(to);
	CHECK(chmod(PROGRAM, 04755) == 0);
}

/* ---- Tests ---- */

static void exec_forged_file(void)
{
	handle_t posix = posix_open();

	_exit(exec_natively(posix, forge(MODE_FILE | MODE_SETUID | 0755), "/") == ERR_PERM &&
	      exec_natively(posix, posix, "/") == ERR_PERM && exec_natively(posix, HANDLE_NONE, "/") == ERR_PERM ? 0 : 1);
}

TEST(a_file_of_a_users_own_scheme_is_nobodys)
{
	copy_program();
	CHECK_EQ(as_user(exec_forged_file), 0);
}

static void exec_plainly(void)
{
	(void)exec_natively(posix_open(), open_private("file", PROGRAM, OPEN_READ | OPEN_EXEC), "/home/user");
}

TEST(a_true_file_is_executed_for_who_asks_natively)
{
	copy_program();
	CHECK_EQ(as_user(exec_plainly), 42);
}

static void exec_with_forged_root(void)
{
	handle_t posix = posix_open();

	places(posix, HANDLE_NONE, forge(MODE_DIRECTORY | 0755));
	execl(PROGRAM, PROGRAM, "/home/user", (char *)NULL);
}

static void exec_with_other_root(void)
{
	places(posix_open(), HANDLE_NONE, open_private("file", "/tmp", OPEN_READ | OPEN_DIRECTORY));
	execl(PROGRAM, PROGRAM, "/home/user", (char *)NULL);
}

TEST(a_forged_root_elevates_nobody)
{
	copy_program();
	CHECK_EQ(as_user(exec_with_forged_root), 1);
	CHECK_EQ(as_user(exec_with_other_root), 1);
}

static void exec_with_forged_directory(void)
{
	places(posix_open(), forge(MODE_DIRECTORY | 0755), open_private("file", "/", OPEN_READ | OPEN_DIRECTORY));
	execl(PROGRAM, PROGRAM, "/", (char *)NULL);
}

TEST(a_forged_working_directory_becomes_the_root)
{
	copy_program();
	CHECK_EQ(as_user(exec_with_forged_directory), 42);
}

static void exec_with_all_forged(void)
{
	handle_t forged = forge(MODE_DIRECTORY | 0755), posix = posix_open(), self = open_private("proc", "self", OPEN_READ | OPEN_WRITE);
	handle_t file = open_private("file", PROGRAM, OPEN_READ | OPEN_EXEC), root = open_private("file", "/", OPEN_READ | OPEN_DIRECTORY);

	places(posix, HANDLE_NONE, root);
	for (handle_t h = HANDLE_PRIVATE; h < HANDLE_PRIVATE + PRIVATE_MANY; h++)
		if (h != posix && h != file && h != root && h != self && h != endpoint)
			(void)sys_dup(0, forged, h, DUP_EXACT, RIGHT_ALL);
	/* No namespace at all any more. */
	(void)sys_call(0, self, pack_handle(TASK_NAMESPACE, HANDLE_NONE, false), NULL, 0, NULL, 0, 0);
	(void)exec_natively(posix, file, "/");
}

TEST(private_handles_and_the_namespace_are_not_taken_along)
{
	copy_program();
	CHECK_EQ(as_user(exec_with_all_forged), 42);
	unlink(PROGRAM);
}

static void ask_for_successor(void)
{
	handle_t self = open_private("proc", "self", OPEN_READ | OPEN_WRITE), space = open_private("proc", "space", OPEN_READ | OPEN_WRITE);

	_exit(sys_call(0, self, pack_handle(TASK_SUCCESSOR, space, false), NULL, 0, NULL, 0, 0) == ERR_ACCES &&
	      sys_call(0, self, pack_handle(TASK_SUCCEED, self, false), NULL, 0, NULL, 0, 0) == ERR_ACCES ? 0 : 1);
}

TEST(only_an_admin_makes_successors)
{
	CHECK_EQ(as_user(ask_for_successor), 0);
}

TEST(no_private_handle_of_a_program_is_an_admins)
{
	int seen = 0;

	for (handle_t h = HANDLE_PRIVATE; h < HANDLE_PRIVATE + PRIVATE_MANY; h++) {
		int64_t flags = sys_control(0, h, CONTROL_GET, 0);
		seen += flags >= 0;
		CHECK(flags < 0 || !(flags >> 32 & RIGHT_ADMIN));
	}
	CHECK(seen > 0);
}
