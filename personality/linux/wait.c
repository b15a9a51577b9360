/* personality/linux/wait.c - wait4 and waitid: procd waits, we translate. */
#include "personality/linux/call.h"
#include "personality/linux/info.h"
#include "personality/linux/wait.h"

static int64_t procd_wait(struct thread *t, int32_t target, uint32_t options, struct posix_wait_result *result)
{
	struct posix_wait wait = { .target = target, .options = options };
	return call_interrupted(native_call(process_posix(t->process), POSIX_WAIT, REQUEST_INTERRUPTIBLE, &wait, sizeof(wait),
	                                    result, sizeof(*result), 0));
}

int64_t linux_wait4(struct thread *t, const uint64_t *a)
{
	struct posix_wait_result result = { 0 };
	uint32_t options = (uint32_t)a[2];
	struct linux_rusage usage;

	if (options & ~(LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED | LINUX_WNOTHREAD | LINUX_WALL | LINUX_WCLONE))
		return ERR_INVAL;
	int64_t pid = procd_wait(t, (int32_t)a[0],
	                         (options & (LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED)) | POSIX_WEXITED, &result);
	if (pid <= 0)
		return pid;
	if (user_write_if(a[1], &result.status, sizeof(result.status)))
		return ERR_FAULT;
	rusage_from(&usage, &result.usage);
	if (user_write_if(a[3], &usage, sizeof(usage)))
		return ERR_FAULT;
	return pid;
}

static bool waitid_target(uint32_t which, int32_t id, int32_t *target)
{
	switch (which) {
	case LINUX_P_ALL:
		*target = -1;
		return true;
	case LINUX_P_PID:
		*target = id;
		return id > 0;
	case LINUX_P_PGID:
		*target = -id;
		return id >= 0;
	default:
		return false;
	}
}

int64_t linux_waitid(struct thread *t, const uint64_t *a)
{
	struct posix_wait_result result = { 0 };
	struct linux_siginfo info = { 0 };
	struct linux_rusage usage;
	uint32_t options = (uint32_t)a[3];
	int32_t target;

	if (options & ~(LINUX_WNOHANG | LINUX_WSTOPPED | LINUX_WEXITED | LINUX_WCONTINUED | LINUX_WNOWAIT | LINUX_WNOTHREAD | LINUX_WALL | LINUX_WCLONE))
		return ERR_INVAL;
	if (!(options & (LINUX_WSTOPPED | LINUX_WEXITED | LINUX_WCONTINUED)) || !waitid_target((uint32_t)a[0], (int32_t)a[1], &target))
		return ERR_INVAL;
	int64_t pid = procd_wait(t, target, options & (LINUX_WNOHANG | LINUX_WSTOPPED | LINUX_WEXITED | LINUX_WCONTINUED | LINUX_WNOWAIT), &result);
	if (pid < 0)
		return pid;
	if (pid > 0)
		wait_info(&info, (uint32_t)pid, result.uid, result.status);
	if (user_write_if(a[2], &info, sizeof(info)))
		return ERR_FAULT;
	rusage_from(&usage, &result.usage);
	return user_write_if(a[4], &usage, sizeof(usage));
}
