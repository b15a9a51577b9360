/* personality/linux/fd.c - descriptors: dup, fcntl, ioctl, pipes, timers as descriptors. */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"
#include "personality/linux/tty.h"

enum { FD_MAX = 65536 };

static bool is_open(uint64_t fd)
{
	return fd_is_valid(fd) && native(OP_CONTROL, 0, (handle_t)fd, CONTROL_GET, 0, 0, 0, 0, 0) >= 0;
}

bool fd_only_names(uint64_t fd)
{
	int64_t flags = native(OP_CONTROL, 0, (handle_t)fd, CONTROL_GET, 0, 0, 0, 0, 0);
	return flags > 0 && flags & OPEN_PATH;
}

static int64_t dup_at_least(uint64_t fd, uint64_t at_least, bool cloexec)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	if (at_least >= FD_MAX)
		return ERR_INVAL;
	return native(OP_DUP, 0, (handle_t)fd, at_least, cloexec ? DUP_CLOEXEC : 0, RIGHT_ALL, 0, 0, 0);
}

static int64_t dup_exact(uint64_t from, uint64_t to, bool cloexec)
{
	if (!fd_is_valid(from) || to >= FD_MAX)
		return ERR_BADF;
	return native(OP_DUP, 0, (handle_t)from, to, DUP_EXACT | (cloexec ? DUP_CLOEXEC : 0), RIGHT_ALL, 0, 0, 0);
}

int64_t linux_dup(struct thread *t, const uint64_t *a)
{
	(void)t;
	return dup_at_least((uint32_t)a[0], 0, false);
}

int64_t linux_dup2(struct thread *t, const uint64_t *a)
{
	uint64_t from = (uint32_t)a[0], to = (uint32_t)a[1];

	(void)t;
	if (from == to)
		return is_open(from) ? (int64_t)to : ERR_BADF;
	return dup_exact(from, to, false);
}

int64_t linux_dup3(struct thread *t, const uint64_t *a)
{
	(void)t;
	if ((uint32_t)a[0] == (uint32_t)a[1] || a[2] & ~(uint64_t)LINUX_O_CLOEXEC)
		return ERR_INVAL;
	return dup_exact((uint32_t)a[0], (uint32_t)a[1], a[2] & LINUX_O_CLOEXEC);
}

int64_t linux_close_range(struct thread *t, const uint64_t *a)
{
	uint64_t first = (uint32_t)a[0], last = (uint32_t)a[1];

	(void)t;
	if (first > last || a[2] & ~(uint64_t)(LINUX_CLOSE_RANGE_CLOEXEC | 2))
		return ERR_INVAL;
	if (last >= FD_MAX)
		last = FD_MAX - 1;
	/* Only those that are open: a range mostly ends at the highest number that there could be. */
	for (int64_t fd; first <= last; first = (uint64_t)fd + 1) {
		fd = native(OP_CONTROL, 0, (handle_t)first, CONTROL_NEXT, 0, 0, 0, 0, 0);
		if (fd < 0 || (uint64_t)fd > last)
			break;
		if (a[2] & LINUX_CLOSE_RANGE_CLOEXEC)
			native(OP_CONTROL, 0, (handle_t)fd, CONTROL_CLOEXEC, 1, 0, 0, 0, 0);
		else
			native_close((handle_t)fd);
	}
	return 0;
}

/* ---- locks ---- */

/* A range that may count from the offset or the end, as one from the start. */
static int64_t lock_range(handle_t h, const struct linux_flock *f, struct file_lock *out)
{
	struct file_stat stat;
	int64_t base = 0, start;

	if (f->whence == SEEK_FROM_HERE)
		base = native(OP_SEEK, 0, h, 0, SEEK_FROM_HERE, 0, 0, 0, 0);
	else if (f->whence == SEEK_FROM_END && (base = native_call(h, FILE_STAT, 0, "", 0, &stat, sizeof(stat), 0)) >= 0)
		base = (int64_t)stat.bytes;
	else if (f->whence != SEEK_FROM_START)
		return ERR_INVAL;
	if (base < 0)
		return base;
	if (__builtin_add_overflow(base, f->start, &start))
		return ERR_OVERFLOW;
	if (f->len < 0 && __builtin_add_overflow(start, f->len, &start))
		return ERR_INVAL;
	if (start < 0)
		return ERR_INVAL;
	out->start = (uint64_t)start;
	out->bytes = (uint64_t)(f->len < 0 ? -f->len : f->len);
	return 0;
}

static int64_t lock_control(struct thread *t, uint64_t fd, uint32_t command, uint64_t argument)
{
	static const uint32_t kinds[3] = { LOCK_SHARED, LOCK_EXCLUSIVE, LOCK_NONE };
	static const int16_t linux_kinds[3] = { LINUX_F_RDLCK, LINUX_F_WRLCK, LINUX_F_UNLCK };
	bool test = command == LINUX_F_GETLK || command == LINUX_F_OFD_GETLK;
	bool waits = command == LINUX_F_SETLKW || command == LINUX_F_OFD_SETLKW;
	bool of_open = command == LINUX_F_OFD_GETLK || command == LINUX_F_OFD_SETLK || command == LINUX_F_OFD_SETLKW;
	struct file_lock lock = {0};
	struct linux_flock f;
	int64_t result;

	if ((result = user_read(&f, argument, sizeof(f))) < 0)
		return result;
	if (f.type < 0 || f.type > 2)
		return ERR_INVAL;
	lock.kind = kinds[f.type];
	if ((result = lock_range((handle_t)fd, &f, &lock)) < 0)
		return result;
	result = native_call((handle_t)fd, FILE_LOCK, REQUEST_INTERRUPTIBLE, &lock, sizeof(lock), &lock, sizeof(lock),
	                     (test ? LOCK_TEST : waits ? LOCK_SET_WAIT : LOCK_SET) | (of_open ? LOCK_OPEN : 0));
	if (result >= 0 && !test && !of_open)
		t->process->file.has_locks = true;
	if (result == ERR_NOTTY)
		return ERR_INVAL;
	if (result < 0 || !test)
		return call_interrupted(result);
	f.type = linux_kinds[lock.kind <= LOCK_NONE ? lock.kind : LOCK_NONE];
	if (f.type != LINUX_F_UNLCK) {
		f.whence = SEEK_FROM_START;
		f.start = (int64_t)lock.start;
		f.len = (int64_t)lock.bytes;
		f.pid = (int32_t)lock.pid;
	}
	return user_write(argument, &f, sizeof(f));
}

void file_drop_locks(struct process *p, uint64_t fd)
{
	const struct file_lock all = { .kind = LOCK_NONE };

	if (p->file.has_locks)
		(void)native_call((handle_t)fd, FILE_LOCK, 0, &all, sizeof(all), NULL, 0, LOCK_SET);
}

void file_ending(struct process *p)
{
	enum { FDS_LOOKED_AT = 1024 };

	for (uint64_t fd = 0; p->file.has_locks && fd < FDS_LOOKED_AT; fd++)
		file_drop_locks(p, fd);
}

int64_t linux_flock(struct thread *t, const uint64_t *a)
{
	struct file_lock lock = {0};

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	switch (a[1] & ~(uint64_t)LINUX_LOCK_NB) {
	case LINUX_LOCK_SH:
		lock.kind = LOCK_SHARED;
		break;
	case LINUX_LOCK_EX:
		lock.kind = LOCK_EXCLUSIVE;
		break;
	case LINUX_LOCK_UN:
		lock.kind = LOCK_NONE;
		break;
	default:
		return ERR_INVAL;
	}
	uint64_t how = LOCK_WHOLE | (a[1] & LINUX_LOCK_NB ? LOCK_SET : LOCK_SET_WAIT);
	int64_t result = native_call((handle_t)a[0], FILE_LOCK, REQUEST_INTERRUPTIBLE, &lock, sizeof(lock), &lock, sizeof(lock), how);
	return result == ERR_NOTTY ? ERR_INVAL : call_interrupted(result);
}

/* ---- fcntl ---- */

static int64_t control(uint64_t fd, uint64_t change, uint64_t value)
{
	return native(OP_CONTROL, 0, (handle_t)fd, change, value, 0, 0, 0, 0);
}

static int64_t set_flags(uint64_t fd, uint64_t linux_flags)
{
	int64_t now = control(fd, CONTROL_GET, 0);
	uint64_t changeable = OPEN_APPEND | OPEN_NONBLOCK, wanted = file_open_flags((uint32_t)linux_flags);

	return now < 0 ? now : control(fd, CONTROL_OPEN_FLAGS, ((uint64_t)now & ~changeable) | (wanted & changeable));
}

int64_t linux_fcntl(struct thread *t, const uint64_t *a)
{
	uint64_t fd = (uint32_t)a[0];
	int64_t result;

	if (!fd_is_valid(fd))
		return ERR_BADF;
	switch (a[1]) {
	case LINUX_F_DUPFD:
		return dup_at_least(fd, a[2], false);
	case LINUX_F_DUPFD_CLOEXEC:
		return dup_at_least(fd, a[2], true);
	case LINUX_F_GETFD:
		result = control(fd, CONTROL_GET, 0);
		return result < 0 ? result : result & OPEN_CLOEXEC ? LINUX_FD_CLOEXEC : 0;
	case LINUX_F_SETFD:
		return control(fd, CONTROL_CLOEXEC, a[2] & LINUX_FD_CLOEXEC);
	case LINUX_F_GETFL:
		result = control(fd, CONTROL_GET, 0);
		return result < 0 ? result : file_linux_flags((uint64_t)result);
	case LINUX_F_SETFL:
		return set_flags(fd, a[2]);
	case LINUX_F_GETLK:
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
	case LINUX_F_OFD_GETLK:
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
		return lock_control(t, fd, (uint32_t)a[1], a[2]);
	case LINUX_F_GETOWN:
	case LINUX_F_SETOWN:
		return is_open(fd) ? 0 : ERR_BADF;      /* nothing sends SIGIO */
	case LINUX_F_GETPIPE_SZ:
	case LINUX_F_SETPIPE_SZ:
		result = native_call((handle_t)fd, PIPE_SIZE, 0, NULL, 0, NULL, 0, a[1] == LINUX_F_SETPIPE_SZ ? a[2] : 0);
		return result == ERR_NOTTY ? ERR_BADF : result;
	default:
		return is_open(fd) ? ERR_INVAL : ERR_BADF;
	}
}

/* ---- ioctl ---- */

static int64_t set_nonblocking(uint64_t fd, uint64_t argument)
{
	int32_t on;
	int64_t result = user_read(&on, argument, sizeof(on)), now;

	if (result < 0)
		return result;
	if ((now = control(fd, CONTROL_GET, 0)) < 0)
		return now;
	return control(fd, CONTROL_OPEN_FLAGS, on ? (uint64_t)now | OPEN_NONBLOCK : (uint64_t)now & ~(uint64_t)OPEN_NONBLOCK);
}

static int64_t bytes_pending(uint64_t fd, uint64_t argument)
{
	struct file_stat stat;
	int64_t result = native_call((handle_t)fd, PIPE_PENDING, 0, NULL, 0, NULL, 0, 0), at;

	if (result == ERR_NOTTY)
		result = native_call((handle_t)fd, TTY_PENDING, 0, NULL, 0, NULL, 0, 1);
	if (result == ERR_NOTTY && native_call((handle_t)fd, FILE_STAT, 0, "", 0, &stat, sizeof(stat), 0) >= 0 &&
	    (at = native(OP_SEEK, 0, (handle_t)fd, 0, SEEK_FROM_HERE, 0, 0, 0, 0)) >= 0)
		result = (int64_t)stat.bytes - at;
	if (result < 0)
		return result;
	int32_t value = (int32_t)result;
	return user_write(argument, &value, sizeof(value));
}

int64_t linux_ioctl(struct thread *t, const uint64_t *a)
{
	uint64_t fd = (uint32_t)a[0];
	uint32_t request = (uint32_t)a[1];

	if (!is_open(fd) || fd_only_names(fd))
		return ERR_BADF;
	switch (request) {
	case LINUX_FIOCLEX:
	case LINUX_FIONCLEX:
		return control(fd, CONTROL_CLOEXEC, request == LINUX_FIOCLEX);
	case LINUX_FIONBIO:
		return set_nonblocking(fd, a[2]);
	case LINUX_FIONREAD:
		return bytes_pending(fd, a[2]);
	default:
		break;
	}
	/* The letters of Linux's request numbers: 0x12 are block devices'. */
	return (request >> 8 & 0xff) == LINUX_IOCTL_BLOCK ? block_ioctl(fd, request, a[2]) : tty_ioctl(t, fd, request, a[2]);
}

/* ---- pipes ---- */

static int64_t make_pipe(uint64_t pointer, uint64_t linux_flags)
{
	uint64_t flags = file_open_flags((uint32_t)linux_flags) & (OPEN_NONBLOCK | OPEN_CLOEXEC);
	int32_t fds[2];
	int64_t result;

	if (linux_flags & ~(uint64_t)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK | LINUX_O_DIRECT))
		return ERR_INVAL;
	result = linux_flags & LINUX_O_DIRECT ? NATIVE_OPEN("pipe", "packets", OPEN_READ | flags) : NATIVE_OPEN("pipe", "", OPEN_READ | flags);
	if (result < 0)
		return result;
	fds[0] = (int32_t)result;
	result = native(OP_OPEN, 0, fds[0], 0, 0, (uint64_t)"write", 5, OPEN_WRITE | flags, 0);
	if (result < 0)
		goto close_read;
	fds[1] = (int32_t)result;
	if ((result = user_write(pointer, fds, sizeof(fds))) >= 0)
		return 0;
	native_close(fds[1]);
close_read:
	native_close(fds[0]);
	return result;
}

int64_t linux_pipe(struct thread *t, const uint64_t *a)
{
	(void)t;
	return make_pipe(a[0], 0);
}

int64_t linux_pipe2(struct thread *t, const uint64_t *a)
{
	(void)t;
	return make_pipe(a[0], a[1]);
}

/* ---- timerfd ---- */

int64_t linux_timerfd_create(struct thread *t, const uint64_t *a)
{
	uint64_t flags = OPEN_READ | (file_open_flags((uint32_t)a[1]) & (OPEN_NONBLOCK | OPEN_CLOEXEC));

	(void)t;
	if (a[1] & ~(uint64_t)(LINUX_O_NONBLOCK | LINUX_O_CLOEXEC))
		return ERR_INVAL;
	if (a[0] == 0)
		return NATIVE_OPEN("time", "realtime", flags);
	return a[0] == 1 || a[0] == 7 ? NATIVE_OPEN("time", "monotonic", flags) : ERR_INVAL;
}

/* The kernel's timers go by the monotonic clock. */
static uint64_t next_of(uint64_t first_ns, bool is_absolute, enum clock_id clock)
{
	uint64_t now = native_clock(CLOCK_MONOTONIC_NS), offset;

	if (first_ns == 0)
		return 0;
	if (!is_absolute)
		return first_ns > UINT64_MAX - now ? UINT64_MAX - 1 : now + first_ns;
	if (clock != CLOCK_REALTIME_NS)
		return first_ns;
	offset = native_clock(CLOCK_REALTIME_NS) - now;
	return first_ns > offset ? first_ns - offset : 1;
}

static int64_t write_setting(uint64_t pointer, const struct timer_setting *s)
{
	uint64_t now = native_clock(CLOCK_MONOTONIC_NS), left = !s->next_ns ? 0 : s->next_ns > now ? s->next_ns - now : 1;
	struct linux_itimerspec spec = { timespec_from_ns(s->period_ns), timespec_from_ns(left) };
	return user_write_if(pointer, &spec, sizeof(spec));
}

static int64_t get_setting(uint64_t fd, struct timer_setting *s)
{
	if (!fd_is_valid(fd))
		return ERR_BADF;
	int64_t result = native_call((handle_t)fd, TIMER_GET, 0, NULL, 0, s, sizeof(*s), 0);
	return result == ERR_NOTTY ? ERR_INVAL : result;
}

int64_t linux_timerfd_settime(struct thread *t, const uint64_t *a)
{
	struct timer_setting s, old;
	struct linux_itimerspec spec;
	uint64_t first_ns;
	int64_t result;

	(void)t;
	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if (a[1] & ~(uint64_t)(LINUX_TIMER_ABSTIME | LINUX_TIMER_CANCEL_ON_SET))
		return ERR_INVAL;
	if ((result = user_read(&spec, a[2], sizeof(spec))) < 0)
		return result;
	if ((result = timespec_to_ns(&spec.value, &first_ns)) || (result = timespec_to_ns(&spec.interval, &s.period_ns)) ||
	    (result = get_setting(a[0], &old)) < 0)
		return result;
	s.next_ns = next_of(first_ns, a[1] & LINUX_TIMER_ABSTIME, (enum clock_id)old.clock);
	s.period_ns = first_ns ? s.period_ns : 0;
	result = native_call((handle_t)a[0], TIMER_SET, 0, &s, sizeof(s), &old, sizeof(old), 0);
	return result < 0 ? result : write_setting(a[3], &old);
}

int64_t linux_timerfd_gettime(struct thread *t, const uint64_t *a)
{
	struct timer_setting s;

	(void)t;
	int64_t result = get_setting(a[0], &s);
	return result < 0 ? result : write_setting(a[1], &s);
}
