/* servers/procd/procfs_process.c - texts of /proc about a process or one of its threads. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "servers/procd/cred.h"
#include "servers/procd/image.h"
#include "servers/procd/limit.h"
#include "servers/procd/procfs_show.h"

enum { PAGE_LOG2 = 12, KIB_LOG2 = 10, PRIORITY_BASE = 20, REGIONS_AT_ONCE = 64 };
static const uint64_t NS_PER_TICK = 10000000;

#define TICKS(ns) ((unsigned long)((ns) / NS_PER_TICK))

void show_cmdline(struct procfs_view *v)
{
	const struct image *i = v->node.process->image;

	if (i && process_is_alive(v->node.process))
		text_add(v->text, image_command(i), i->command_bytes);
}

void show_environ(struct procfs_view *v)
{
	const struct image *i = v->node.process->image;

	if (i && process_is_alive(v->node.process))
		text_add(v->text, image_environment(i), i->environment_bytes);
}

void show_comm(struct procfs_view *v)
{
	text_format(v->text, "%.15s\n", v->info.name);
}

void show_exe(struct procfs_view *v)
{
	const struct image *i = v->node.process->image;

	if (i && process_is_alive(v->node.process))
		text_add(v->text, image_path(i), i->path_bytes);
	else
		v->err = ERR_NOENT;
}

void show_mounts(struct procfs_view *v) { text_string(v->text, v->procfs->mounts); }
void show_zero(struct procfs_view *v) { text_string(v->text, "0\n"); }
void show_loginuid(struct procfs_view *v) { text_string(v->text, "4294967295"); }

static char state_of(const struct procfs_view *v)
{
	const struct process *p = v->node.process;

	if (p->state == PROCESS_ZOMBIE)
		return TASK_DEAD;
	if (p->state == PROCESS_STOPPED)
		return TASK_STOPPED;
	return v->info.state == TASK_RUNNABLE ? TASK_RUNNABLE : TASK_SLEEPING;
}

/* For a thread's own files: its times and state instead of the process's. */
static void narrow_to_thread(struct procfs_view *v)
{
	struct task_schedule schedule;
	struct thread_info thread;

	if (v->node.kind != PROCFS_T_STAT && v->node.kind != PROCFS_T_STATUS)
		return;
	if (v->tree->outside->task_next_thread(v->node.process->task, v->node.number - 1, &thread) || thread.tid != v->node.number)
		return;
	v->info.state = thread.state;
	v->info.user_ns = thread.user_ns;
	v->info.system_ns = thread.system_ns;
	v->info.cpu = thread.cpu;
	if (!v->tree->outside->task_schedule_info(v->node.process->task, v->node.number, &schedule))
		v->info.nice = schedule.nice;
}

static uint32_t parent_pid(const struct process *p) { return p->parent ? p->parent->pid : 0; }

void show_stat(struct procfs_view *v)
{
	const struct process *p = v->node.process;
	const struct task_info *i = &v->info;
	const struct session *s = p->group->session;
	struct text *t = v->text;

	narrow_to_thread(v);
	if (v->err)
		return;
	/* proc(5), fields 1-8: the foreground group is the terminal's to know. */
	text_format(t, "%u (%.15s) %c %u %u %u %d -1 ", v->node.number, i->name, state_of(v), parent_pid(p), p->group->id, s->id, (int)s->tty);
	/* 9-17: flags, faults, times */
	text_format(t, "0 %lu %lu %lu %lu %lu %lu %lu %lu ", (unsigned long)i->minor_faults, (unsigned long)p->children_usage.minor_faults,
	            (unsigned long)i->major_faults, (unsigned long)p->children_usage.major_faults, TICKS(i->user_ns),
	            TICKS(i->system_ns), TICKS(p->children_usage.user_ns), TICKS(p->children_usage.system_ns));
	/* 18-25: priority, nice, threads, timer, start, sizes */
	text_format(t, "%d %d %u 0 %lu %lu %lu ", PRIORITY_BASE + i->nice, i->nice, i->threads, TICKS(p->started_ns),
	            (unsigned long)i->mapped_bytes, (unsigned long)(i->resident_bytes >> PAGE_LOG2));
	/* 25-37: limit, addresses and signals, which stay the process's own */
	text_format(t, "%lu 0 0 0 0 0 0 0 0 0 0 0 0 ", (unsigned long)limit_of(p, LINUX_RLIMIT_RSS));
	/* 38-52: exit signal, CPU, the rest */
	text_format(t, "%u %u 0 0 0 0 0 0 0 0 0 0 0 0 %u\n", p->exit_signal, i->cpu, p->state == PROCESS_ZOMBIE ? p->status : 0);
}

void show_statm(struct procfs_view *v)
{
	unsigned long size = v->info.mapped_bytes >> PAGE_LOG2, resident = v->info.resident_bytes >> PAGE_LOG2;

	text_format(v->text, "%lu %lu 0 0 0 %lu 0\n", size, resident, resident);
}

static const char *state_text(char state)
{
	switch (state) {
	case TASK_RUNNABLE:
		return "R (running)";
	case TASK_STOPPED:
		return "T (stopped)";
	case TASK_DEAD:
		return "Z (zombie)";
	default:
		return "S (sleeping)";
	}
}

static void show_memory(struct procfs_view *v)
{
	unsigned long size = v->info.mapped_bytes >> KIB_LOG2, resident = v->info.resident_bytes >> KIB_LOG2;

	text_format(v->text, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", size, resident);
}

void show_status(struct procfs_view *v)
{
	const struct process *p = v->node.process;
	const struct cred *c = p->cred;
	struct text *t = v->text;

	narrow_to_thread(v);
	if (v->err)
		return;
	text_format(t, "Name:\t%.15s\nState:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
	            v->info.name, state_text(state_of(v)), p->pid, v->node.number, parent_pid(p));
	text_format(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t", c->uid, c->euid, c->suid, c->euid, c->gid, c->egid, c->sgid, c->egid);
	for (uint32_t i = 0; i < c->groups_count; i++)
		text_format(t, "%u ", c->groups[i]);
	text_format(t, "\nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", p->pid, v->node.number, p->group->id, p->group->session->id);
	if (process_is_alive(p))
		show_memory(v);
	text_format(t, "Threads:\t%u\nSigQ:\t%u/%lu\n", MAX_OF(v->info.threads, 1u), p->user->queued_signals,
	            (unsigned long)limit_of(p, LINUX_RLIMIT_SIGPENDING));
	text_format(t, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t0\n", (unsigned long)v->info.switches);
}

static const struct { const char *name, *unit; } limit_names[LINUX_RLIMIT_COUNT] = {
	[LINUX_RLIMIT_CPU] = { "Max cpu time", "seconds" },
	[LINUX_RLIMIT_FSIZE] = { "Max file size", "bytes" },
	[LINUX_RLIMIT_DATA] = { "Max data size", "bytes" },
	[LINUX_RLIMIT_STACK] = { "Max stack size", "bytes" },
	[LINUX_RLIMIT_CORE] = { "Max core file size", "bytes" },
	[LINUX_RLIMIT_RSS] = { "Max resident set", "bytes" },
	[LINUX_RLIMIT_NPROC] = { "Max processes", "processes" },
	[LINUX_RLIMIT_NOFILE] = { "Max open files", "files" },
	[LINUX_RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
	[LINUX_RLIMIT_AS] = { "Max address space", "bytes" },
	[LINUX_RLIMIT_LOCKS] = { "Max file locks", "locks" },
	[LINUX_RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
	[LINUX_RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
	[LINUX_RLIMIT_NICE] = { "Max nice priority", "" },
	[LINUX_RLIMIT_RTPRIO] = { "Max realtime priority", "" },
	[LINUX_RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

static void show_limit(struct text *t, uint64_t limit)
{
	if (limit == LINUX_RLIM_INFINITY)
		text_format(t, "%-20s ", "unlimited");
	else
		text_format(t, "%-20lu ", (unsigned long)limit);
}

void show_limits(struct procfs_view *v)
{
	const struct limits *l = v->node.process->limits;

	text_format(v->text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (uint32_t i = 0; i < LINUX_RLIMIT_COUNT; i++) {
		text_format(v->text, "%-25s ", limit_names[i].name);
		show_limit(v->text, l->limit[i].soft);
		show_limit(v->text, l->limit[i].hard);
		text_format(v->text, "%-10s\n", limit_names[i].unit);
	}
}

static void show_region(struct text *t, const struct task_region *r)
{
	text_format(t, "%08lx-%08lx %c%c%c%c %08lx 00:00 %lu\n", (unsigned long)r->start, (unsigned long)r->end,
	            r->map_flags & MAP_READ ? 'r' : '-', r->map_flags & MAP_WRITE ? 'w' : '-', r->map_flags & MAP_EXEC ? 'x' : '-',
	            r->map_flags & MAP_SHARED ? 's' : 'p', (unsigned long)r->offset, (unsigned long)r->object);
}

void show_maps(struct procfs_view *v)
{
	struct task_region regions[REGIONS_AT_ONCE];
	uint64_t address = 0;
	int64_t count;

	while (process_is_alive(v->node.process) && !text_is_full(v->text)) {
		count = v->tree->outside->task_regions(v->node.process->task, address, regions, REGIONS_AT_ONCE);
		if (count <= 0 || count > REGIONS_AT_ONCE)
			return;
		for (int64_t i = 0; i < count; i++)
			show_region(v->text, &regions[i]);
		if (regions[count - 1].end <= address)
			return;
		address = regions[count - 1].end;
	}
}
