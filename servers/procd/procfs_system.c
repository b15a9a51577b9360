/* servers/procd/procfs_system.c - texts of /proc about the machine. */
#include "lib/base/bits.h"
#include "servers/procd/cpu.h"
#include "servers/procd/cred.h"
#include "servers/procd/procfs_show.h"

enum { KIB = 1024, CPUS_MAX = 64 };
static const uint64_t NS_PER_SECOND = 1000000000, NS_PER_TICK = 10000000;

static bool get_info(struct procfs_view *v, struct system_info *out)
{
	v->err = v->tree->outside->system_info(out);
	if (!v->err && out->cpus > CPUS_MAX)
		out->cpus = CPUS_MAX;
	return v->err == OK;
}

void show_self(struct procfs_view *v)
{
	text_format(v->text, "%u", v->sender->pid);
}

void show_thread_self(struct procfs_view *v)
{
	text_format(v->text, "%u/task/%u", v->sender->pid, v->sender->tid);
}

void show_mounts_link(struct procfs_view *v) { text_string(v->text, "self/mounts"); }
void show_boot_cmdline(struct procfs_view *v) { text_format(v->text, "%s\n", v->procfs->boot_cmdline); }

void show_cpuinfo(struct procfs_view *v)
{
	struct system_info info;

	if (!get_info(v, &info))
		return;
	for (uint32_t i = 0; i < info.cpus; i++)
		cpu_describe(v->text, i, info.cpus, info.tsc_hz);
}

void show_devices(struct procfs_view *v)
{
	text_string(v->text, "Character devices:\n  1 mem\n  4 tty\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
	                     "136 pts\n\nBlock devices:\n");
}

void show_filesystems(struct procfs_view *v)
{
	text_string(v->text, "nodev\tramfs\nnodev\tproc\nnodev\tdevpts\n");
}

static void show_load(struct text *t, uint64_t load)
{
	text_format(t, "%lu.%02lu ", (unsigned long)(load >> 16), (unsigned long)((load & 0xffff) * 100 >> 16));
}

void show_loadavg(struct procfs_view *v)
{
	struct system_info info;

	if (!get_info(v, &info))
		return;
	load_update(&v->tree->load, info.uptime_ns, info.running ? info.running - 1 : 0);
	for (size_t i = 0; i < ARRAY_COUNT(v->tree->load.average); i++)
		show_load(v->text, v->tree->load.average[i]);
	text_format(v->text, "%u/%u %u\n", info.running, info.threads, v->tree->last_pid);
}

static void show_kib(struct text *t, const char *name, uint64_t bytes)
{
	text_format(t, "%-15s %8lu kB\n", name, (unsigned long)(bytes / KIB));
}

void show_meminfo(struct procfs_view *v)
{
	struct system_info info;

	if (!get_info(v, &info))
		return;
	show_kib(v->text, "MemTotal:", info.memory_bytes);
	show_kib(v->text, "MemFree:", info.free_bytes);
	show_kib(v->text, "MemAvailable:", info.free_bytes + info.cached_bytes);
	show_kib(v->text, "Buffers:", 0);
	show_kib(v->text, "Cached:", info.cached_bytes);
	show_kib(v->text, "SwapCached:", 0);
	show_kib(v->text, "Active:", 0);
	show_kib(v->text, "Inactive:", info.cached_bytes);
	show_kib(v->text, "SwapTotal:", 0);
	show_kib(v->text, "SwapFree:", 0);
	show_kib(v->text, "Dirty:", 0);
	show_kib(v->text, "Writeback:", 0);
	show_kib(v->text, "Shmem:", 0);
	show_kib(v->text, "Slab:", info.kernel_bytes);
	show_kib(v->text, "SReclaimable:", 0);
	show_kib(v->text, "SUnreclaim:", info.kernel_bytes);
	show_kib(v->text, "CommitLimit:", info.memory_bytes);
}

void show_partitions(struct procfs_view *v) { text_string(v->text, "major minor  #blocks  name\n\n"); }
void show_swaps(struct procfs_view *v) { text_string(v->text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"); }

/* The kernel does not split a CPU's busy time: all of it is called user time. */
static void show_cpu_time(struct text *t, const char *name, uint64_t busy_ns, uint64_t idle_ns)
{
	text_format(t, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", name, (unsigned long)(busy_ns / NS_PER_TICK), (unsigned long)(idle_ns / NS_PER_TICK));
}

void show_system_stat(struct procfs_view *v)
{
	uint64_t busy = 0, idle = 0;
	struct system_info info;

	if (!get_info(v, &info))
		return;
	for (uint32_t i = 0; i < info.cpus; i++) {
		busy += info.busy_ns[i];
		idle += info.idle_ns[i];
	}
	show_cpu_time(v->text, "cpu ", busy, idle);
	for (uint32_t i = 0; i < info.cpus; i++) {
		text_format(v->text, "cpu%u", i);
		show_cpu_time(v->text, "", info.busy_ns[i], info.idle_ns[i]);
	}
	text_format(v->text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
	            (unsigned long)info.interrupts, (unsigned long)info.switches, (unsigned long)(info.boot_realtime_ns / NS_PER_SECOND),
	            (unsigned long)v->tree->forks, info.running);
}

static void show_interrupt_kind(struct text *t, const char *name, const uint64_t *count, uint32_t cpus, const char *what)
{
	text_format(t, "%s:", name);
	for (uint32_t i = 0; i < cpus; i++)
		text_format(t, " %10lu", (unsigned long)count[i]);
	text_format(t, "   %s\n", what);
}

/* Those of devices are their drivers' to know. */
void show_interrupts(struct procfs_view *v)
{
	struct system_info info;

	if (!get_info(v, &info))
		return;
	text_string(v->text, "    ");
	for (uint32_t i = 0; i < info.cpus; i++)
		text_format(v->text, "       CPU%u", i);
	text_string(v->text, "\n");
	show_interrupt_kind(v->text, "LOC", info.timer_interrupts, info.cpus, "Local timer interrupts");
	show_interrupt_kind(v->text, "RES", info.kicks, info.cpus, "Rescheduling interrupts");
	show_interrupt_kind(v->text, "TLB", info.shootdowns, info.cpus, "TLB shootdowns");
}

static void show_seconds(struct text *t, uint64_t ns, const char *after)
{
	text_format(t, "%lu.%02lu%s", (unsigned long)(ns / NS_PER_SECOND), (unsigned long)(ns % NS_PER_SECOND / NS_PER_TICK), after);
}

void show_uptime(struct procfs_view *v)
{
	struct system_info info;
	uint64_t idle = 0;

	if (!get_info(v, &info))
		return;
	for (uint32_t i = 0; i < info.cpus; i++)
		idle += info.idle_ns[i];
	show_seconds(v->text, info.uptime_ns, " ");
	show_seconds(v->text, idle, "\n");
}

void show_version(struct procfs_view *v)
{
	text_string(v->text, LINUX_OSTYPE " version " LINUX_OSRELEASE " (cathode) " LINUX_VERSION "\n");
}

void show_vmstat(struct procfs_view *v)
{
	struct system_info info;

	if (get_info(v, &info))
		text_format(v->text, "nr_free_pages %lu\n", (unsigned long)(info.free_bytes >> 12));
}

void show_file_max(struct procfs_view *v) { text_string(v->text, "9223372036854775807\n"); }
void show_nr_open(struct procfs_view *v) { text_string(v->text, "1048576\n"); }
void show_pipe_max(struct procfs_view *v) { text_string(v->text, "1048576\n"); }
void show_cap_last(struct procfs_view *v) { text_string(v->text, "40\n"); }
void show_domain(struct procfs_view *v) { text_format(v->text, "%s\n", v->procfs->domainname); }
void show_hostname(struct procfs_view *v) { text_format(v->text, "%s\n", v->procfs->hostname); }
void show_ngroups(struct procfs_view *v) { text_format(v->text, "%u\n", CRED_GROUPS_MAX); }
void show_osrelease(struct procfs_view *v) { text_string(v->text, LINUX_OSRELEASE "\n"); }
void show_ostype(struct procfs_view *v) { text_string(v->text, LINUX_OSTYPE "\n"); }
void show_kernel_version(struct procfs_view *v) { text_string(v->text, LINUX_VERSION "\n"); }
void show_overflow_id(struct procfs_view *v) { text_string(v->text, "65534\n"); }
void show_pid_max(struct procfs_view *v) { text_string(v->text, "4194304\n"); }
void show_entropy(struct procfs_view *v) { text_string(v->text, "256\n"); }
void show_overcommit(struct procfs_view *v) { text_string(v->text, "1\n"); }
void show_threads_max(struct procfs_view *v) { text_format(v->text, "%lu\n", (unsigned long)v->tree->user_limits.threads); }

/* RFC 9562, version 4. */
static void show_as_uuid(struct text *t, const uint8_t id[16])
{
	for (uint32_t i = 0; i < 16; i++) {
		uint8_t byte = id[i];
		if (i == 6)
			byte = (byte & 0x0f) | 0x40;
		if (i == 8)
			byte = (byte & 0x3f) | 0x80;
		text_format(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", byte);
	}
	text_string(t, "\n");
}

void show_boot_id(struct procfs_view *v) { show_as_uuid(v->text, v->procfs->boot_id); }

void show_uuid(struct procfs_view *v)
{
	uint8_t id[16];

	v->tree->outside->random(id, sizeof id);
	show_as_uuid(v->text, id);
}
