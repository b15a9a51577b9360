/* personality/linux/cloneflags.c - which clone flags go together. */
#include "abi/error.h"
#include "personality/linux/clone.h"

int64_t clone_check(const struct linux_clone_args *args)
{
	uint64_t flags = args->flags;

	if (flags & LINUX_CLONE_NAMESPACES)
		return ERR_PERM;
	if ((flags & LINUX_CLONE_THREAD) && !(flags & LINUX_CLONE_SIGHAND))
		return ERR_INVAL;
	if ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_VM))
		return ERR_INVAL;
	if ((flags & LINUX_CLONE_SIGHAND) && (flags & LINUX_CLONE_CLEAR_SIGHAND))
		return ERR_INVAL;
	/* Descriptors and directories are a thread's or not at all shared. */
	if ((flags & LINUX_CLONE_THREAD) && (flags & (LINUX_CLONE_FS | LINUX_CLONE_FILES)) != (LINUX_CLONE_FS | LINUX_CLONE_FILES))
		return ERR_INVAL;
	if (args->exit_signal > LINUX_SIGNAL_MAX || args->set_tid_count || (flags & (LINUX_CLONE_PIDFD | LINUX_CLONE_INTO_CGROUP)))
		return ERR_INVAL;
	return 0;
}
