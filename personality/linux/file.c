/* personality/linux/file.c - what the files half keeps; opening, reading and writing. */
#include "personality/linux/file.h"
#include "personality/linux/call.h"

void file_start(struct process *p, handle_t root, handle_t cwd)
{
	p->kept.file = (struct file_kept){ .root = root, .cwd = cwd != HANDLE_NONE ? cwd : root, .umask = 022 };
}

void file_forked(struct process *p)
{
	(void)p;
}
