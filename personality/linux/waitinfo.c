/* personality/linux/waitinfo.c - a child's status as siginfo. */
#include "personality/linux/wait.h"

void wait_info(struct linux_siginfo *info, uint32_t pid, uint32_t uid, uint32_t status)
{
	*info = (struct linux_siginfo){ .signal = LINUX_SIGCHLD };
	info->child.pid = (int32_t)pid;
	info->child.uid = uid;
	if (status == 0xffff) {
		info->code = LINUX_CLD_CONTINUED;
		info->child.status = LINUX_SIGCONT;
	} else if ((status & 0xff) == 0x7f) {
		info->code = LINUX_CLD_STOPPED;
		info->child.status = (int32_t)(status >> 8 & 0xff);
	} else if ((status & 0x7f) == 0) {
		info->code = LINUX_CLD_EXITED;
		info->child.status = (int32_t)(status >> 8 & 0xff);
	} else {
		info->code = status & 0x80 ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED;
		info->child.status = (int32_t)(status & 0x7f);
	}
}
