/* personality/linux/time.c - clocks and sleeping. */
#include "personality/linux/call.h"
#include "personality/linux/timecalls.h"

#define NS_PER_S  1000000000ull
enum { NS_PER_TICK = 1000000000 / LINUX_CLOCK_TICKS, CPU_CLOCK_KINDS = 3 };

bool clock_find(uint32_t linux_clock, enum clock_id *out)
{
	switch (linux_clock) {
	case LINUX_CLOCK_REALTIME: case LINUX_CLOCK_REALTIME_COARSE: case LINUX_CLOCK_REALTIME_ALARM: case LINUX_CLOCK_TAI:
		*out = CLOCK_REALTIME_NS;
		return true;
	case LINUX_CLOCK_MONOTONIC: case LINUX_CLOCK_MONOTONIC_RAW: case LINUX_CLOCK_MONOTONIC_COARSE: case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		*out = CLOCK_MONOTONIC_NS;
		return true;
	case LINUX_CLOCK_PROCESS_CPUTIME:
		*out = CLOCK_PROCESS_NS;
		return true;
	case LINUX_CLOCK_THREAD_CPUTIME:
		*out = CLOCK_THREAD_NS;
		return true;
	default:
		return false;
	}
}

/* A CPU clock of a process or thread, as clock_getcpuclockid makes them: ~pid << 3 | kind. Only one's own can be read. */
static bool clock_find_any(struct thread *t, uint32_t linux_clock, enum clock_id *out)
{
	if ((int32_t)linux_clock >= 0)
		return clock_find(linux_clock, out);
	uint32_t id = ~((int32_t)linux_clock >> 3);
	bool is_thread = linux_clock & 4;

	*out = is_thread ? CLOCK_THREAD_NS : CLOCK_PROCESS_NS;
	return (linux_clock & 3) < CPU_CLOCK_KINDS && (id == 0 || id == (is_thread ? t->tid : t->process->pid));
}

int64_t linux_clock_gettime(struct thread *t, const uint64_t *a)
{
	enum clock_id clock;

	if (!clock_find_any(t, (uint32_t)a[0], &clock))
		return ERR_INVAL;
	struct linux_timespec ts = timespec_from_ns(native_clock(clock));
	return user_write(a[1], &ts, sizeof(ts));
}

int64_t linux_clock_getres(struct thread *t, const uint64_t *a)
{
	struct linux_timespec ts = { 0, 1 };
	enum clock_id clock;

	if (!clock_find_any(t, (uint32_t)a[0], &clock))
		return ERR_INVAL;
	return user_write_if(a[1], &ts, sizeof(ts));
}

static int64_t clock_set(struct thread *t, uint64_t ns)
{
	(void)t;
	int64_t clock = NATIVE_OPEN("time", "realtime", OPEN_READ | OPEN_WRITE | OPEN_PRIVATE);
	if (clock < 0)
		return ERR_PERM;
	int64_t err = native_call((handle_t)clock, CLOCK_SET, 0, NULL, 0, NULL, 0, ns);
	(void)native_close((handle_t)clock);
	return err == ERR_ACCES ? ERR_PERM : err;
}

int64_t linux_clock_settime(struct thread *t, const uint64_t *a)
{
	struct linux_timespec ts;
	uint64_t ns;

	if ((uint32_t)a[0] != LINUX_CLOCK_REALTIME)
		return ERR_INVAL;
	if (user_read(&ts, a[1], sizeof(ts)))
		return ERR_FAULT;
	int64_t err = timespec_to_ns(&ts, &ns);
	return err ? err : clock_set(t, ns);
}

int64_t linux_settimeofday(struct thread *t, const uint64_t *a)
{
	struct linux_timeval tv;
	uint64_t ns;

	if (!a[0])
		return 0;
	if (user_read(&tv, a[0], sizeof(tv)))
		return ERR_FAULT;
	int64_t err = timeval_to_ns(&tv, &ns);
	return err ? err : clock_set(t, ns);
}

int64_t linux_gettimeofday(struct thread *t, const uint64_t *a)
{
	struct linux_timeval tv = timeval_from_ns(native_clock(CLOCK_REALTIME_NS));
	const struct linux_timezone zone = { 0, 0 };

	(void)t;
	if (user_write_if(a[0], &tv, sizeof(tv)))
		return ERR_FAULT;
	return user_write_if(a[1], &zone, sizeof(zone));
}

int64_t linux_time(struct thread *t, const uint64_t *a)
{
	int64_t seconds = (int64_t)(native_clock(CLOCK_REALTIME_NS) / NS_PER_S);

	(void)t;
	return user_write_if(a[0], &seconds, sizeof(seconds)) ? ERR_FAULT : seconds;
}

/* Sleeps until a monotonic deadline; when a handler cut it short, what was left goes to remaining. */
static int64_t sleep_until(uint64_t deadline, uint64_t remaining)
{
	int64_t err = native(OP_SLEEP, REQUEST_INTERRUPTIBLE, HANDLE_NONE, deadline, 0, 0, 0, 0, 0);
	if (err != ERR_INTR)
		return err;
	uint64_t now = native_clock(CLOCK_MONOTONIC_NS);
	struct linux_timespec left = timespec_from_ns(deadline > now ? deadline - now : 0);
	if (user_write_if(remaining, &left, sizeof(left)))
		return ERR_FAULT;
	return -LINUX_ERESTARTNOHAND;
}

static int64_t sleep_relative(struct thread *t, uint64_t request, uint64_t remaining)
{
	uint64_t deadline;

	if (request == 0)
		return ERR_FAULT;
	int64_t err = call_deadline_of(t, request, &deadline);
	return err ? err : sleep_until(deadline, remaining);
}

int64_t linux_nanosleep(struct thread *t, const uint64_t *a)
{
	return sleep_relative(t, a[0], a[1]);
}

int64_t linux_clock_nanosleep(struct thread *t, const uint64_t *a)
{
	enum clock_id clock;
	uint64_t deadline;
	int64_t err;

	if (!clock_find((uint32_t)a[0], &clock))
		return ERR_INVAL;
	if (clock == CLOCK_PROCESS_NS || clock == CLOCK_THREAD_NS)
		return ERR_OPNOTSUPP;
	if (!(a[1] & LINUX_TIMER_ABSTIME))
		return sleep_relative(t, a[2], a[3]);
	if (a[2] == 0)
		return ERR_FAULT;
	if ((err = call_timeout(a[2], &deadline)))
		return err;
	if (clock == CLOCK_REALTIME_NS) {
		uint64_t offset = native_clock(CLOCK_REALTIME_NS) - native_clock(CLOCK_MONOTONIC_NS);
		deadline = deadline > offset ? deadline - offset : DEADLINE_NOW;
	}
	return sleep_until(deadline, 0);
}

int64_t linux_times(struct thread *t, const uint64_t *a)
{
	struct posix_usage self = { 0 }, children = { 0 };
	handle_t posix = process_posix(t->process);

	(void)native_call(posix, POSIX_USAGE, 0, NULL, 0, &self, sizeof(self), 0);
	(void)native_call(posix, POSIX_USAGE, 0, NULL, 0, &children, sizeof(children), 1);
	struct linux_tms tms = { (int64_t)(self.user_ns / NS_PER_TICK), (int64_t)(self.system_ns / NS_PER_TICK),
	                         (int64_t)(children.user_ns / NS_PER_TICK), (int64_t)(children.system_ns / NS_PER_TICK) };
	if (user_write_if(a[0], &tms, sizeof(tms)))
		return ERR_FAULT;
	return (int64_t)(native_clock(CLOCK_MONOTONIC_NS) / NS_PER_TICK);
}

int64_t linux_sched_yield(struct thread *t, const uint64_t *a)
{
	(void)t;
	(void)a;
	return native(OP_YIELD, 0, HANDLE_NONE, 0, 0, 0, 0, 0, 0);
}
