/* servers/procd/procfs_fuzz.c - any path and any code at /proc, from any node and sender. */
#include "servers/procd/fake_outside.h"
#include "servers/procd/procfs.h"

static struct procfs procfs;

/* A failed CHECK of the pretended kernel ends the run. */
_Noreturn void test_fail(const char *file, int line, const char *format, ...)
{
	(void)file, (void)line, (void)format;
	abort();
}

static void prepare(void)
{
	static bool is_ready;

	if (is_ready)
		return;
	fake_begin();
	procfs_init(&procfs, &fake.tree);
	fake_fork(fake_login());
	is_ready = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sender s = { .pid = 10, .tid = 10 };
	uint8_t head[12] = { 0 }, out[512];
	const char *path;
	size_t path_bytes, used;
	handle_t forward;
	uint64_t id, at;

	prepare();
	if (size < sizeof head)
		return 0;
	memcpy(head, data, sizeof head);
	memcpy(&at, head, sizeof at);
	path = (const char *)data + sizeof head;
	path_bytes = size - sizeof head;
	s.uid = head[8] & 1 ? 1000 : 0;
	if (head[8] & 2)
		at = 0;
	if (procfs_open(&procfs, &s, at, path, path_bytes, head[9], &id, &forward) == OK && id)
		(void)procfs_read(&procfs, &s, id, head[10], out, sizeof out);
	if (forward != HANDLE_NONE)
		fake_close(forward);
	(void)procfs_call(&procfs, &s, at, 300 + head[10] % 24, head[11], path, path_bytes, out, sizeof out, &used);
	return 0;
}
