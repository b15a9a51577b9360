/* servers/procd/procfs_show.h - the functions that write the texts of /proc (procfs_process.c, procfs_system.c). */
#pragma once
#include "servers/procd/procfs.h"

typedef void procfs_show(struct procfs_view *v);

procfs_show show_self, show_thread_self, show_mounts_link, show_boot_cmdline, show_cpuinfo, show_devices,
	show_filesystems, show_interrupts, show_loadavg, show_meminfo, show_partitions, show_system_stat, show_swaps,
	show_uptime, show_version, show_vmstat, show_file_max, show_nr_open, show_pipe_max, show_cap_last, show_domain,
	show_hostname, show_ngroups, show_osrelease, show_ostype, show_overflow_id, show_pid_max, show_boot_id,
	show_entropy, show_uuid, show_threads_max, show_kernel_version, show_overcommit;
procfs_show show_cmdline, show_comm, show_environ, show_exe, show_limits, show_loginuid, show_maps,
	show_mounts, show_zero, show_stat, show_statm, show_status;
