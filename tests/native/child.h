/* tests/native/child.h - a test program starts itself again, as a server or a client. */
#pragma once
#include "abi/proto/file.h"
#include "abi/proto/task.h"
#include "lib/native/handle.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "tests/native/tap.h"

enum { STATUS_KILLED = 9 };

static handle_t child_image;
static uint64_t child_image_bytes;

static bool child_image_open(void)
{
	struct file_stat st;

	if (handle_open("file", startup_argument(0), OPEN_READ | OPEN_EXEC, &child_image))
		return false;
	int64_t result = handle_call(child_image, FILE_STAT, NULL, 0, &st, sizeof st, 0);
	child_image_bytes = st.bytes;
	return result >= 0;
}

/* With arguments mode and word, one handle by name, and the names of namespace (HANDLE_NONE: none). */
static handle_t child_start_in(handle_t namespace, const char *mode, const char *word, const char *name, handle_t given)
{
	const char *arguments[] = { "child", mode, word };
	struct spawn_handle handles[] = { { name, given, HANDLE_NONE }, { "log", startup_handle("log"), HANDLE_NONE } };
	struct spawn_options o = {
		.image = child_image, .image_bytes = child_image_bytes, .arguments = arguments, .argument_count = 3,
		.handles = handles, .handle_count = 2, .namespace = namespace, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};
	handle_t process = HANDLE_NONE;

	CHECK(spawn(&o, &process, NULL) == OK);
	return process;
}

static handle_t child_start(const char *mode, const char *word, const char *name, handle_t given)
{
	return child_start_in(HANDLE_NONE, mode, word, name, given);
}

static void child_wait(handle_t process)
{
	struct poll_entry p = { .handle = process, .wanted = READY_READ };

	sys_poll(0, HANDLE_NONE, &p, 1, DEADLINE_NONE);
}

static void child_stop(handle_t process)
{
	handle_call(process, TASK_KILL, NULL, 0, NULL, 0, STATUS_KILLED);
	child_wait(process);
	handle_close(process);
}
