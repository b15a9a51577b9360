/* personality/linux/path.c - Linux paths become URLs. So far: files below root and cwd. */
#include "personality/linux/path.h"
#include "abi/proto/file.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"

int64_t path_open(struct thread *t, int32_t directory, const char *path, uint64_t open_flags, uint32_t mode)
{
	const struct file_kept *f = &t->process->kept.file;
	handle_t base = path[0] == '/' ? f->root : directory == LINUX_AT_FDCWD ? f->cwd : directory;

	if (!*path)
		return ERR_NOENT;
	if (base == directory && !fd_is_valid((uint32_t)directory))
		return ERR_BADF;
	while (path[0] == '/' && path[1] == '/')
		path++;
	return native(OP_OPEN, REQUEST_INTERRUPTIBLE, base, 0, 0, (uint64_t)path, strlen(path), open_flags, mode);
}

int64_t path_of(struct thread *t, handle_t handle, char *to, size_t bytes)
{
	(void)t;
	int64_t length = native_call(handle, FILE_PATH, 0, NULL, 0, to, bytes - 1, 0);
	if (length >= 0)
		to[length] = 0;
	return length;
}
