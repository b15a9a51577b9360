/* personality/linux/info.c - facts, limits, and the settings of a process that are little more than facts. */
#include "personality/linux/info.h"
#include "abi/proto/init.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"
#include "personality/linux/entry.h"

int64_t linux_uname(struct thread *t, const uint64_t *a)
{
	struct linux_utsname name = {
		.sysname = "Linux", .nodename = "cathode", .release = "6.1.0-cathode", .version = "#1 SMP Cathode", .machine = "x86_64", .domain = "(none)",
	};
	(void)t;
	return user_write(a[0], &name, sizeof(name));
}

bool system_info_get(struct process *p, struct system_info *out)
{
	handle_t h = process_handle(p, &p->kept.handles.info, "sys", "info", OPEN_READ);

	memset(out, 0, sizeof(*out));
	return native_call(h, SYS_INFO, 0, NULL, 0, out, sizeof(*out), 0) >= 0;
}

/* procd keeps them: "1.50 0.75 0.25 ...", here with 16 fractional bits. */
static void loads_get(uint64_t loads[3])
{
	char text[64];
	int64_t h = NATIVE_OPEN("procfs", "loadavg", OPEN_READ | OPEN_PRIVATE);
	int64_t bytes = h < 0 ? 0 : native(OP_READ, 0, (handle_t)h, (uint64_t)text, sizeof(text), 0, 0, 0, 0);
	size_t at = 0, digits;

	for (int i = 0; i < 6 && bytes > 0; i++, at += digits + 1) {
		uint64_t number;

		if (at >= (size_t)bytes || !(digits = number_scan(text + at, (size_t)bytes - at, 10, &number)))
			break;
		loads[i / 2] += i % 2 ? (number << 16) / 100 : number << 16;
	}
	if (h >= 0)
		(void)native_close((handle_t)h);
}

int64_t linux_sysinfo(struct thread *t, const uint64_t *a)
{
	struct system_info s;

	(void)system_info_get(t->process, &s);
	struct linux_sysinfo info = {
		.uptime = (int64_t)(s.uptime_ns / 1000000000),
		.total = s.memory_bytes, .free = s.free_bytes, .buffer = s.cached_bytes,
		.processes = (uint16_t)MIN_OF(s.threads, 65535), .unit = 1,
	};
	loads_get(info.loads);
	return user_write(a[0], &info, sizeof(info));
}

int64_t linux_getcpu(struct thread *t, const uint64_t *a)
{
	const uint32_t node = 0;
	struct thread_info info = { 0 };

	if (a[0] && native_call(process_self(t->process), TASK_NEXT_THREAD, 0, NULL, 0, &info, sizeof(info), t->tid - 1) < 0)
		info.cpu = 0;
	if (user_write_if(a[0], &info.cpu, sizeof(info.cpu)))
		return ERR_FAULT;
	return user_write_if(a[1], &node, sizeof(node));
}

/* ---- Limits and use: procd's ---- */

int64_t linux_prlimit64(struct thread *t, const uint64_t *a)
{
	handle_t posix = process_posix(t->process);
	struct posix_limit old, new;
	uint64_t word = (uint32_t)a[0] | a[1] << 32;

	if (a[1] >= LINUX_RLIMIT_COUNT)
		return ERR_INVAL;
	if (a[2] && user_read(&new, a[2], sizeof(new)))
		return ERR_FAULT;
	int64_t err = native_call(posix, POSIX_GET_LIMIT, 0, NULL, 0, &old, sizeof(old), word);
	if (err < 0)
		return err;
	if (a[2] && (err = native_call(posix, POSIX_SET_LIMIT, 0, &new, sizeof(new), NULL, 0, word)) < 0)
		return err;
	return user_write_if(a[3], &old, sizeof(old));
}

int64_t linux_getrlimit(struct thread *t, const uint64_t *a)
{
	const uint64_t arguments[6] = { 0, a[0], 0, a[1] };
	return a[1] ? linux_prlimit64(t, arguments) : ERR_FAULT;
}

int64_t linux_setrlimit(struct thread *t, const uint64_t *a)
{
	const uint64_t arguments[6] = { 0, a[0], a[1], 0 };
	return a[1] ? linux_prlimit64(t, arguments) : ERR_FAULT;
}

void rusage_from(struct linux_rusage *to, const struct posix_usage *from)
{
	*to = (struct linux_rusage){
		.user = timeval_from_ns(from->user_ns), .system = timeval_from_ns(from->system_ns),
		.max_resident_kib = (int64_t)(from->max_resident_bytes >> 10),
		.minor_faults = (int64_t)from->minor_faults, .major_faults = (int64_t)from->major_faults,
		.voluntary_switches = (int64_t)from->voluntary_switches, .involuntary_switches = (int64_t)from->involuntary_switches,
	};
}

int64_t linux_getrusage(struct thread *t, const uint64_t *a)
{
	struct posix_usage usage = { 0 };
	struct linux_rusage out;
	int64_t err = 0;

	switch ((int32_t)a[0]) {
	case LINUX_RUSAGE_SELF:
	case LINUX_RUSAGE_CHILDREN:
		err = native_call(process_posix(t->process), POSIX_USAGE, 0, NULL, 0, &usage, sizeof(usage), (int32_t)a[0] == LINUX_RUSAGE_CHILDREN);
		break;
	case LINUX_RUSAGE_THREAD:
		usage.user_ns = native_clock(CLOCK_THREAD_NS);
		break;
	default:
		err = ERR_INVAL;
	}
	if (err < 0)
		return err;
	rusage_from(&out, &usage);
	return user_write(a[1], &out, sizeof(out));
}

/* ---- Random ---- */

bool random_bytes(struct process *p, void *to, size_t bytes)
{
	handle_t h = process_handle(p, &p->kept.handles.random, "rand", "", OPEN_READ);
	return native(OP_READ, 0, h, (uint64_t)to, bytes, (uint64_t)-1, 0, 0, 0) == (int64_t)bytes;
}

int64_t linux_getrandom(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;

	if (a[2] & ~(uint64_t)(LINUX_GRND_NONBLOCK | LINUX_GRND_RANDOM | LINUX_GRND_INSECURE) ||
	    (a[2] & (LINUX_GRND_RANDOM | LINUX_GRND_INSECURE)) == (LINUX_GRND_RANDOM | LINUX_GRND_INSECURE))
		return ERR_INVAL;
	handle_t h = process_handle(p, &p->kept.handles.random, "rand", "", OPEN_READ);
	if (h == HANDLE_NONE)
		return ERR_NOSYS;
	return call_interrupted(native(OP_READ, REQUEST_INTERRUPTIBLE, h, a[0], MIN_OF(a[1], (uint64_t)INT32_MAX), (uint64_t)-1, 0, 0, 0));
}

/* ---- prctl and its like ---- */

static int64_t name_set(struct thread *t, uint64_t from)
{
	char name[sizeof(t->name)] = { 0 };

	/* What follows the string may not be there: byte for byte. */
	int64_t length = user_string(name, from, sizeof(name));
	if (length < 0 && length != ERR_NAMETOOLONG)
		return length;
	name[sizeof(name) - 1] = 0;
	memcpy(t->name, name, sizeof(name));
	if (t->tid == t->process->pid)
		(void)native_call(process_self(t->process), TASK_NAME, 0, name, strlen(name), NULL, 0, 0);
	return 0;
}

int64_t linux_prctl(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	uint32_t zero = 0;

	switch ((uint32_t)a[0]) {
	case LINUX_PR_SET_NAME:
		return name_set(t, a[1]);
	case LINUX_PR_GET_NAME:
		return user_write(a[1], t->name, sizeof(t->name));
	case LINUX_PR_SET_PDEATHSIG:
		if (a[1] > LINUX_SIGNAL_MAX)
			return ERR_INVAL;
		return native_call(process_posix(p), POSIX_SET_DEATH_SIGNAL, 0, NULL, 0, NULL, 0, a[1]);
	case LINUX_PR_SET_CHILD_SUBREAPER:
		return native_call(process_posix(p), POSIX_SUBREAPER, 0, NULL, 0, NULL, 0, a[1] != 0);
	case LINUX_PR_GET_DUMPABLE:
		return 1;
	case LINUX_PR_SET_DUMPABLE:
		return a[1] > 1 ? ERR_INVAL : 0;
	case LINUX_PR_GET_KEEPCAPS:
	case LINUX_PR_GET_SECUREBITS:
	case LINUX_PR_GET_SECCOMP:
		return 0;
	case LINUX_PR_CAPBSET_READ:
		return a[1] > LINUX_CAP_LAST ? ERR_INVAL : 1;
	case LINUX_PR_GET_TIMERSLACK:
		return 50000;
	case LINUX_PR_SET_TIMERSLACK:
		return 0;
	case LINUX_PR_SET_NO_NEW_PRIVS:
		if (a[1] != 1 || a[2] || a[3] || a[4])
			return ERR_INVAL;
		p->kept.no_new_privileges = true;
		return native_call(process_posix(p), POSIX_NO_NEW_PRIVILEGES, 0, NULL, 0, NULL, 0, 0);
	case LINUX_PR_GET_NO_NEW_PRIVS:
		return p->kept.no_new_privileges;
	case LINUX_PR_GET_TID_ADDRESS:
		return user_write(a[1], &t->clear_child_tid, sizeof(t->clear_child_tid));
	case LINUX_PR_GET_PDEATHSIG:
		return user_write(a[1], &zero, sizeof(zero));
	default:
		return ERR_INVAL;
	}
}

int64_t linux_arch_prctl(struct thread *t, const uint64_t *a)
{
	uint64_t base;

	(void)t;
	switch ((uint32_t)a[0]) {
	case LINUX_ARCH_SET_FS:
		if (a[1] >= 0x7ffffffff000)
			return ERR_PERM;
		thread_pointer_set(a[1]);
		return 0;
	case LINUX_ARCH_GET_FS:
		base = thread_pointer_get();
		return user_write(a[1], &base, sizeof(base));
	/* GS is ours. */
	case LINUX_ARCH_GET_GS:
		base = 0;
		return user_write(a[1], &base, sizeof(base));
	default:
		return ERR_INVAL;
	}
}

int64_t linux_set_tid_address(struct thread *t, const uint64_t *a)
{
	t->clear_child_tid = a[0];
	return t->tid;
}

int64_t linux_restart_syscall(struct thread *t, const uint64_t *a)
{
	/* Interrupted calls are repeated in here; a program has no reason to come. */
	(void)t;
	(void)a;
	return ERR_INTR;
}

int64_t linux_personality(struct thread *t, const uint64_t *a)
{
	uint32_t old = t->process->kept.personality;

	if ((uint32_t)a[0] != UINT32_MAX)
		t->process->kept.personality = (uint32_t)a[0];
	return old;
}

static int64_t cap_version(uint64_t pointer, uint32_t *words)
{
	struct linux_cap_header header;

	if (user_read(&header, pointer, sizeof(header)))
		return ERR_FAULT;
	*words = header.version == LINUX_CAP_VERSION_1 ? 1 : 2;
	if (header.version == LINUX_CAP_VERSION_1 || header.version == LINUX_CAP_VERSION_2 || header.version == LINUX_CAP_VERSION_3)
		return header.pid < 0 ? ERR_INVAL : 0;
	header.version = LINUX_CAP_VERSION_3;
	return user_write(pointer, &header, sizeof(header)) ? ERR_FAULT : ERR_INVAL;
}

/* Root has all capabilities, everybody else none. */
int64_t linux_capget(struct thread *t, const uint64_t *a)
{
	uint64_t all = process_ids(t->process)->euid == 0 ? (2ull << LINUX_CAP_LAST) - 1 : 0;
	struct linux_cap_data data[2] = { { (uint32_t)all, (uint32_t)all, 0 }, { (uint32_t)(all >> 32), (uint32_t)(all >> 32), 0 } };
	uint32_t words;
	int64_t err = cap_version(a[0], &words);

	if (err)
		return err == ERR_INVAL && a[1] == 0 ? 0 : err;
	return user_write_if(a[1], data, words * sizeof(data[0]));
}

int64_t linux_capset(struct thread *t, const uint64_t *a)
{
	uint32_t words;
	int64_t err = cap_version(a[0], &words);

	if (err)
		return err;
	return process_ids(t->process)->euid == 0 ? 0 : ERR_PERM;
}

int64_t linux_membarrier(struct thread *t, const uint64_t *a)
{
	enum { QUERY = 0 };

	(void)t;
	if (a[1])
		return ERR_INVAL;
	/* Not offered: there is no way yet to make every CPU pass a barrier. */
	return a[0] == QUERY ? 0 : ERR_INVAL;
}

/* The machine is init's: it looks who asks. */
int64_t linux_reboot(struct thread *t, const uint64_t *a)
{
	uint32_t magic_2 = (uint32_t)a[1];
	uint64_t how;

	(void)t;
	if ((uint32_t)a[0] != LINUX_REBOOT_MAGIC_1 || (magic_2 != LINUX_REBOOT_MAGIC_2A && magic_2 != LINUX_REBOOT_MAGIC_2B &&
	    magic_2 != LINUX_REBOOT_MAGIC_2C && magic_2 != LINUX_REBOOT_MAGIC_2D))
		return ERR_INVAL;
	switch ((uint32_t)a[2]) {
	case LINUX_REBOOT_CAD_ON: case LINUX_REBOOT_CAD_OFF:
		return OK;
	case LINUX_REBOOT_RESTART:
		how = POWER_RESTART;
		break;
	case LINUX_REBOOT_HALT: case LINUX_REBOOT_POWER_OFF:
		how = POWER_OFF;
		break;
	default:
		return ERR_INVAL;
	}
	int64_t h = NATIVE_OPEN("init", "", OPEN_READ | OPEN_WRITE | OPEN_PRIVATE);
	if (h < 0)
		return ERR_PERM;
	int64_t result = native_call((handle_t)h, INIT_POWER, 0, NULL, 0, NULL, 0, how);
	(void)native_close((handle_t)h);
	return result;
}

/* Not there, and said so quietly: every program of glibc asks once. */
int64_t linux_rseq(struct thread *t, const uint64_t *a)
{
	(void)t;
	(void)a;
	return ERR_NOSYS;
}
