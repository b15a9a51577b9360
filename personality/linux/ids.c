/* personality/linux/ids.c - process, group, session and user numbers: procd's, the credentials cached here. */
#include "personality/linux/call.h"

enum { ID_KEEP = -1, GROUPS_MAX = 64, NICE_BIAS = 20 };

static int64_t procd(struct thread *t, uint32_t code, uint64_t word)
{
	return native_call(process_posix(t->process), code, 0, NULL, 0, NULL, 0, word);
}

/* Of one process, 0 the caller's own: that is there to be read. */
static int64_t procd_ids(struct thread *t, uint32_t pid, struct posix_ids *ids)
{
	const struct posix_record *r = pid == 0 || pid == t->process->pid ? process_record(t->process) : NULL;

	if (LIKELY(r && r->pid == t->process->pid)) {    /* (empty: not in the tree yet) */
		ids->parent = __atomic_load_n(&r->parent, __ATOMIC_RELAXED);
		ids->group = __atomic_load_n(&r->group, __ATOMIC_RELAXED);
		ids->session = __atomic_load_n(&r->session, __ATOMIC_RELAXED);
		return 0;
	}
	int64_t err = native_call(process_posix(t->process), POSIX_GET_IDS, 0, NULL, 0, ids, sizeof(*ids), pid);
	return err < 0 ? err : 0;
}

int64_t linux_getpid(struct thread *t, const uint64_t *a)
{
	(void)a;
	return t->process->pid;
}

int64_t linux_gettid(struct thread *t, const uint64_t *a)
{
	(void)a;
	return t->tid;
}

int64_t linux_getppid(struct thread *t, const uint64_t *a)
{
	struct posix_ids ids;
	(void)a;
	int64_t err = procd_ids(t, 0, &ids);
	return err ? err : (int64_t)ids.parent;
}

#define ID_CALL(name, member)                                                                   \
	int64_t linux_##name(struct thread *t, const uint64_t *a)                               \
	{                                                                                       \
		(void)a;                                                                        \
		return process_ids(t->process)->member;                                         \
	}
ID_CALL(getuid, uid)
ID_CALL(geteuid, euid)
ID_CALL(getgid, gid)
ID_CALL(getegid, egid)

static int64_t write_three(uint64_t to0, uint64_t to1, uint64_t to2, uint32_t v0, uint32_t v1, uint32_t v2)
{
	if (user_write(to0, &v0, sizeof(v0)) || user_write(to1, &v1, sizeof(v1)))
		return ERR_FAULT;
	return user_write(to2, &v2, sizeof(v2));
}

int64_t linux_getresuid(struct thread *t, const uint64_t *a)
{
	const struct process_ids *ids = process_ids(t->process);
	return write_three(a[0], a[1], a[2], ids->uid, ids->euid, ids->suid);
}

int64_t linux_getresgid(struct thread *t, const uint64_t *a)
{
	const struct process_ids *ids = process_ids(t->process);
	return write_three(a[0], a[1], a[2], ids->gid, ids->egid, ids->sgid);
}

static int64_t set_ids(struct thread *t, uint32_t uid, uint32_t euid, uint32_t suid, uint32_t gid, uint32_t egid, uint32_t sgid)
{
	struct posix_set_ids ids = { uid, euid, suid, gid, egid, sgid };
	int64_t err = native_call(process_posix(t->process), POSIX_SET_IDS, 0, &ids, sizeof(ids), NULL, 0, 0);

	atomic_store_explicit(&t->process->ids_known, false, memory_order_release);
	return err < 0 ? err : 0;
}

static int64_t set_uids(struct thread *t, uint32_t uid, uint32_t euid, uint32_t suid)
{
	return set_ids(t, uid, euid, suid, (uint32_t)ID_KEEP, (uint32_t)ID_KEEP, (uint32_t)ID_KEEP);
}

static int64_t set_gids(struct thread *t, uint32_t gid, uint32_t egid, uint32_t sgid)
{
	return set_ids(t, (uint32_t)ID_KEEP, (uint32_t)ID_KEEP, (uint32_t)ID_KEEP, gid, egid, sgid);
}

int64_t linux_setresuid(struct thread *t, const uint64_t *a)
{
	return set_uids(t, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

int64_t linux_setresgid(struct thread *t, const uint64_t *a)
{
	return set_gids(t, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2]);
}

/* POSIX: the privileged set all three, others the effective one. */
int64_t linux_setuid(struct thread *t, const uint64_t *a)
{
	uint32_t uid = (uint32_t)a[0];

	if (uid == (uint32_t)ID_KEEP)
		return ERR_INVAL;
	return process_ids(t->process)->euid == 0 ? set_uids(t, uid, uid, uid) : set_uids(t, (uint32_t)ID_KEEP, uid, (uint32_t)ID_KEEP);
}

int64_t linux_setgid(struct thread *t, const uint64_t *a)
{
	uint32_t gid = (uint32_t)a[0];

	if (gid == (uint32_t)ID_KEEP)
		return ERR_INVAL;
	return process_ids(t->process)->euid == 0 ? set_gids(t, gid, gid, gid) : set_gids(t, (uint32_t)ID_KEEP, gid, (uint32_t)ID_KEEP);
}

/* The saved id follows the effective one when the real one is set, or the effective one to something else than the real one. */
static uint32_t saved_after(uint32_t real, uint32_t effective, uint32_t old_real)
{
	if (real != (uint32_t)ID_KEEP || (effective != (uint32_t)ID_KEEP && effective != old_real))
		return effective;
	return (uint32_t)ID_KEEP;
}

int64_t linux_setreuid(struct thread *t, const uint64_t *a)
{
	const struct process_ids *ids = process_ids(t->process);
	uint32_t real = (uint32_t)a[0], effective = (uint32_t)a[1];
	uint32_t saved = saved_after(real, effective, ids->uid);

	if (real != (uint32_t)ID_KEEP && effective == (uint32_t)ID_KEEP)
		saved = ids->euid;
	return set_uids(t, real, effective, saved);
}

int64_t linux_setregid(struct thread *t, const uint64_t *a)
{
	const struct process_ids *ids = process_ids(t->process);
	uint32_t real = (uint32_t)a[0], effective = (uint32_t)a[1];
	uint32_t saved = saved_after(real, effective, ids->gid);

	if (real != (uint32_t)ID_KEEP && effective == (uint32_t)ID_KEEP)
		saved = ids->egid;
	return set_gids(t, real, effective, saved);
}

/* The file system's ids are always the effective ones here; who asks gets them. */
int64_t linux_setfsuid(struct thread *t, const uint64_t *a)
{
	(void)a;
	return process_ids(t->process)->euid;
}

int64_t linux_setfsgid(struct thread *t, const uint64_t *a)
{
	(void)a;
	return process_ids(t->process)->egid;
}

int64_t linux_getgroups(struct thread *t, const uint64_t *a)
{
	uint32_t groups[GROUPS_MAX];
	int32_t room = (int32_t)a[0];

	if (room < 0)
		return ERR_INVAL;
	int64_t count = native_call(process_posix(t->process), POSIX_GET_GROUPS, 0, NULL, 0, groups, sizeof(groups), 0);
	if (count <= 0 || room == 0)
		return count;
	if (count > room || count > GROUPS_MAX)
		return ERR_INVAL;
	if (user_write(a[1], groups, (size_t)count * sizeof(groups[0])))
		return ERR_FAULT;
	return count;
}

int64_t linux_setgroups(struct thread *t, const uint64_t *a)
{
	if (a[0] > GROUPS_MAX)
		return ERR_INVAL;
	return native_call(process_posix(t->process), POSIX_SET_GROUPS, 0, (const void *)a[1], a[0] * sizeof(uint32_t), NULL, 0, 0);
}

int64_t linux_setpgid(struct thread *t, const uint64_t *a)
{
	if ((int32_t)a[0] < 0 || (int32_t)a[1] < 0)
		return ERR_INVAL;
	return procd(t, POSIX_SET_GROUP, (uint32_t)a[0] | a[1] << 32);
}

int64_t linux_getpgid(struct thread *t, const uint64_t *a)
{
	struct posix_ids ids;
	if ((int32_t)a[0] < 0)
		return ERR_SRCH;
	int64_t err = procd_ids(t, (uint32_t)a[0], &ids);
	return err ? err : (int64_t)ids.group;
}

int64_t linux_getpgrp(struct thread *t, const uint64_t *a)
{
	struct posix_ids ids;
	(void)a;
	int64_t err = procd_ids(t, 0, &ids);
	return err ? err : (int64_t)ids.group;
}

int64_t linux_getsid(struct thread *t, const uint64_t *a)
{
	struct posix_ids ids;
	if ((int32_t)a[0] < 0)
		return ERR_SRCH;
	int64_t err = procd_ids(t, (uint32_t)a[0], &ids);
	return err ? err : (int64_t)ids.session;
}

int64_t linux_setsid(struct thread *t, const uint64_t *a)
{
	(void)a;
	return procd(t, POSIX_SET_SESSION, 0);
}

/* PRIO_PROCESS means a thread, 0 the calling one. */
static uint64_t priority_who(struct thread *t, const uint64_t *a) { return a[0] || (uint32_t)a[1] ? a[1] : t->tid; }

/* The system call answers 20 - nice, so that no result is negative. */
int64_t linux_getpriority(struct thread *t, const uint64_t *a)
{
	if (a[0] > 2)
		return ERR_INVAL;
	int64_t biased = procd(t, POSIX_GET_PRIORITY, (uint32_t)a[0] | priority_who(t, a) << 32);
	return biased < 0 ? biased : 2 * NICE_BIAS - biased;
}

int64_t linux_setpriority(struct thread *t, const uint64_t *a)
{
	int32_t nice = (int32_t)a[2];

	if (a[0] > 2)
		return ERR_INVAL;
	nice = nice < -NICE_BIAS ? -NICE_BIAS : nice >= NICE_BIAS ? NICE_BIAS - 1 : nice;
	return procd(t, POSIX_SET_PRIORITY, (uint32_t)a[0] | (uint64_t)(nice + NICE_BIAS) << 8 | priority_who(t, a) << 32);
}
