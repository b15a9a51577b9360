/* personality/linux/poll.c - poll, select and epoll over the kernel's POLL and event queues. */
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "personality/linux/area.h"
#include "personality/linux/call.h"

enum { POLL_ON_STACK = 64, POLL_MAX = 65536, EPOLL_BATCH = 128, FD_SET_WORDS = LINUX_FD_SETSIZE / 64 };
enum { LINUX_READ_BITS = READY_READ | LINUX_POLLRDNORM | LINUX_POLLRDBAND, LINUX_WRITE_BITS = READY_WRITE | LINUX_POLLWRNORM | LINUX_POLLWRBAND };

/* Linux's bits that mean the same as ours, as ours; and back, for what was asked. */
static uint32_t wanted_from(uint32_t events)
{
	uint32_t wanted = events & (READY_READ | READY_PRIORITY | READY_WRITE | READY_READ_HANGUP);
	return wanted | (events & LINUX_READ_BITS ? READY_READ : 0) | (events & LINUX_WRITE_BITS ? READY_WRITE : 0);
}

static uint32_t events_from(uint32_t found, uint32_t events)
{
	uint32_t result = found & (events | READY_ERROR | READY_HANGUP | READY_INVALID);
	return result | (found & READY_READ ? events & LINUX_READ_BITS : 0) | (found & READY_WRITE ? events & LINUX_WRITE_BITS : 0);
}

static int64_t wait(struct poll_entry *entries, uint64_t count, uint64_t deadline_ns)
{
	int64_t result = native(OP_POLL, REQUEST_INTERRUPTIBLE, HANDLE_NONE, (uint64_t)entries, count, deadline_ns, 0, 0, 0);
	return result == ERR_INTR ? -LINUX_ERESTARTNOHAND : result;
}

/* ---- poll ---- */

static int64_t read_pollfds(uint64_t user, uint64_t count, struct linux_pollfd *fds, struct poll_entry *entries)
{
	int64_t result = user_read(fds, user, count * sizeof(*fds));

	for (uint64_t i = 0; i < count && result >= 0; i++) {
		/* A private number is no descriptor of the program's: let it be one that is not open. */
		handle_t h = fds[i].fd >= HANDLE_PRIVATE ? HANDLE_PRIVATE - 1 : fds[i].fd;
		entries[i] = (struct poll_entry){ .handle = h, .wanted = wanted_from((uint16_t)fds[i].events) };
	}
	return result;
}

/* What was found where it is not there already: mostly nothing was, and nothing is. */
static int64_t write_pollfds(uint64_t user, uint64_t count, const struct linux_pollfd *fds, const struct poll_entry *entries)
{
	for (uint64_t i = 0; i < count; i++) {
		int16_t found = entries[i].found ? (int16_t)events_from(entries[i].found, (uint16_t)fds[i].events) : 0;
		if (found == fds[i].revents)
			continue;
		int64_t result = user_write(user + i * sizeof(*fds) + offsetof(struct linux_pollfd, revents), &found, sizeof(found));
		if (result < 0)
			return result;
	}
	return 0;
}

/* Room for count of each, on the stack when they are few. */
struct poll_room {
	struct poll_entry *entries;
	struct linux_pollfd *fds;
	struct poll_entry some_entries[POLL_ON_STACK];
	struct linux_pollfd some_fds[POLL_ON_STACK];
};

static size_t poll_room_bytes(uint64_t count) { return count * (sizeof(struct poll_entry) + sizeof(struct linux_pollfd)); }

static int64_t poll_room_get(struct thread *t, struct poll_room *r, uint64_t count)
{
	r->entries = r->some_entries;
	r->fds = r->some_fds;
	if (count > POLL_MAX)
		return ERR_INVAL;
	if (count <= POLL_ON_STACK)
		return 0;
	int64_t result = area_map(t->process, poll_room_bytes(count), (void **)&r->entries);
	r->fds = (struct linux_pollfd *)(r->entries + count);
	return result;
}

static void poll_room_put(struct poll_room *r, uint64_t count)
{
	if (r->entries != r->some_entries)
		area_unmap(r->entries, poll_room_bytes(count));
}

static int64_t poll_until(struct thread *t, uint64_t user, uint64_t count, uint64_t deadline_ns)
{
	struct poll_room r;
	int64_t result = poll_room_get(t, &r, count);

	if (result < 0)
		return result;
	if ((result = read_pollfds(user, count, r.fds, r.entries)) >= 0)
		result = wait(r.entries, count, deadline_ns);
	if (result >= 0) {
		int64_t err = write_pollfds(user, count, r.fds, r.entries);
		if (err < 0)
			result = err;
	}
	poll_room_put(&r, count);
	return result;
}

/* A timeout in ms, negative: none. */
static uint64_t deadline_of_ms(struct thread *t, int32_t ms)
{
	if (ms == 0)
		return DEADLINE_NOW;
	return ms < 0 ? DEADLINE_NONE : call_deadline(t, (uint64_t)ms * 1000000);
}

int64_t linux_poll(struct thread *t, const uint64_t *a)
{
	return poll_until(t, a[0], a[1], deadline_of_ms(t, (int32_t)a[2]));
}

int64_t linux_ppoll(struct thread *t, const uint64_t *a)
{
	uint64_t deadline_ns;
	int64_t result;

	if ((result = call_deadline_of(t, a[2], &deadline_ns)) < 0 || (result = call_mask_swap(t, a[3], a[4])) < 0)
		return result;
	return poll_until(t, a[0], a[1], deadline_ns);
}

/* ---- select ---- */

struct sets { uint64_t set[3][FD_SET_WORDS]; };
static const uint32_t set_bits[3] = { READY_READ, READY_WRITE, READY_PRIORITY };
/* What makes a descriptor ready in each set (Linux: POLLIN_SET, POLLOUT_SET, POLLEX_SET). */
static const uint32_t set_ready[3] = { READY_READ | READY_HANGUP | READY_ERROR, READY_WRITE | READY_ERROR, READY_PRIORITY };

static int64_t read_sets(const uint64_t *a, uint32_t count, struct sets *sets)
{
	size_t bytes = (count + 63) / 64 * 8;

	memset(sets, 0, sizeof(*sets));
	for (int s = 0; s < 3; s++) {
		int64_t result = a[1 + s] ? user_read(sets->set[s], a[1 + s], bytes) : 0;
		if (result < 0)
			return result;
	}
	return 0;
}

static int64_t write_sets(const uint64_t *a, uint32_t count, const struct sets *sets)
{
	size_t bytes = (count + 63) / 64 * 8;

	for (int s = 0; s < 3; s++) {
		int64_t result = user_write_if(a[1 + s], sets->set[s], bytes);
		if (result < 0)
			return result;
	}
	return 0;
}

static bool set_has(const uint64_t *set, uint32_t fd)
{
	return set[fd / 64] >> fd % 64 & 1;
}

static uint32_t entries_from_sets(const struct sets *sets, uint32_t count, struct poll_entry *entries)
{
	uint32_t used = 0;

	for (uint32_t fd = 0; fd < count; fd++) {
		uint32_t wanted = 0;
		for (int s = 0; s < 3; s++)
			wanted |= set_has(sets->set[s], fd) ? set_bits[s] : 0;
		if (wanted)
			entries[used++] = (struct poll_entry){ .handle = (handle_t)fd, .wanted = wanted };
	}
	return used;
}

static int64_t sets_from_entries(const struct poll_entry *entries, uint32_t used, struct sets *sets)
{
	struct sets asked = *sets;
	int64_t bits = 0;

	memset(sets, 0, sizeof(*sets));
	for (uint32_t i = 0; i < used; i++) {
		uint32_t fd = (uint32_t)entries[i].handle;
		if (entries[i].found & READY_INVALID)
			return ERR_BADF;
		for (int s = 0; s < 3; s++)
			if (set_has(asked.set[s], fd) && entries[i].found & set_ready[s]) {
				sets->set[s][fd / 64] |= 1ull << fd % 64;
				bits++;
			}
	}
	return bits;
}

static int64_t select_until(struct thread *t, const uint64_t *a, uint64_t deadline_ns)
{
	struct poll_room r;
	struct sets sets;
	int64_t result;

	if ((int32_t)a[0] < 0)
		return ERR_INVAL;
	uint32_t count = a[0] < LINUX_FD_SETSIZE ? (uint32_t)a[0] : LINUX_FD_SETSIZE;
	if ((result = read_sets(a, count, &sets)) < 0 || (result = poll_room_get(t, &r, count)) < 0)
		return result;
	uint32_t used = entries_from_sets(&sets, count, r.entries);
	if ((result = wait(r.entries, used, deadline_ns)) >= 0)
		result = sets_from_entries(r.entries, used, &sets);
	poll_room_put(&r, count);
	if (result < 0)
		return result;
	int64_t err = write_sets(a, count, &sets);
	return err < 0 ? err : result;
}

int64_t linux_select(struct thread *t, const uint64_t *a)
{
	uint64_t deadline_ns = DEADLINE_NONE;
	struct linux_timeval tv;
	int64_t result;

	if (a[4]) {
		if ((result = user_read(&tv, a[4], sizeof(tv))) < 0)
			return result;
		if (tv.seconds < 0 || tv.microseconds < 0)
			return ERR_INVAL;
		uint64_t ns = (uint64_t)tv.seconds > UINT32_MAX ? UINT64_MAX / 4 : (uint64_t)tv.seconds * 1000000000 + (uint64_t)tv.microseconds * 1000;
		deadline_ns = ns ? call_deadline(t, ns) : DEADLINE_NOW;
	}
	result = select_until(t, a, deadline_ns);
	/* Linux leaves the time that was left. */
	if (a[4] && result >= 0) {
		uint64_t now = native_clock(CLOCK_MONOTONIC_NS), left = deadline_ns > now ? deadline_ns - now : 0;
		tv = (struct linux_timeval){ (int64_t)(left / 1000000000), (int64_t)(left % 1000000000 / 1000) };
		int64_t err = user_write(a[4], &tv, sizeof(tv));
		(void)err;      /* a read-only timeval is no error on Linux either */
	}
	return result;
}

int64_t linux_pselect6(struct thread *t, const uint64_t *a)
{
	struct { uint64_t pointer, bytes; } mask = { 0, 8 };
	uint64_t deadline_ns;
	int64_t result;

	if (a[5] && (result = user_read(&mask, a[5], sizeof(mask))) < 0)
		return result;
	if ((result = call_deadline_of(t, a[4], &deadline_ns)) < 0 || (result = call_mask_swap(t, mask.pointer, mask.bytes)) < 0)
		return result;
	return select_until(t, a, deadline_ns);
}

/* ---- epoll ---- */

static int64_t epoll_make(uint64_t flags)
{
	if (flags & ~(uint64_t)LINUX_O_CLOEXEC)
		return ERR_INVAL;
	return NATIVE_OPEN("event", "", OPEN_READ | (flags ? OPEN_CLOEXEC : 0));
}

int64_t linux_epoll_create(struct thread *t, const uint64_t *a)
{
	(void)t;
	return (int32_t)a[0] <= 0 ? ERR_INVAL : epoll_make(0);
}

int64_t linux_epoll_create1(struct thread *t, const uint64_t *a)
{
	(void)t;
	return epoll_make(a[0]);
}

int64_t linux_epoll_ctl(struct thread *t, const uint64_t *a)
{
	static const enum code codes[4] = { 0, EVENT_ADD, EVENT_REMOVE, EVENT_CHANGE };
	struct linux_epoll_event e = {0};
	int64_t result;

	(void)t;
	if (!fd_is_valid(a[0]) || !fd_is_valid(a[2]))
		return ERR_BADF;
	if (a[1] < LINUX_EPOLL_ADD || a[1] > LINUX_EPOLL_MOD)
		return ERR_INVAL;
	if (a[1] != LINUX_EPOLL_DEL && (result = user_read(&e, a[3], sizeof(e))) < 0)
		return result;
	struct event_interest interest = {
		.handle = (handle_t)a[2], .wanted = wanted_from(e.events), .cookie = e.data,
		.mode = (e.events & LINUX_EPOLLET ? EVENT_EDGE : 0) | (e.events & LINUX_EPOLLONESHOT ? EVENT_ONE_SHOT : 0),
	};
	result = native_call((handle_t)a[0], codes[a[1]], 0, &interest, sizeof(interest), NULL, 0, 0);
	return result == ERR_NOTTY ? ERR_INVAL : result;
}

static int64_t epoll_until(const uint64_t *a, uint64_t deadline_ns)
{
	struct event events[EPOLL_BATCH];
	uint64_t count = a[2] < EPOLL_BATCH ? a[2] : EPOLL_BATCH;

	if (!fd_is_valid(a[0]))
		return ERR_BADF;
	if ((int32_t)a[2] <= 0)
		return ERR_INVAL;
	int64_t found = native_call((handle_t)a[0], EVENT_WAIT, REQUEST_INTERRUPTIBLE, NULL, 0, events, count * sizeof(*events), deadline_ns);
	if (found < 0)
		return found == ERR_INTR ? -LINUX_ERESTARTNOHAND : found == ERR_NOTTY ? ERR_INVAL : found;
	for (int64_t i = 0; i < found; i++) {
		struct linux_epoll_event e = { events[i].found, events[i].cookie };
		int64_t result = user_write(a[1] + (uint64_t)i * sizeof(e), &e, sizeof(e));
		if (result < 0)
			return result;
	}
	return found;
}

int64_t linux_epoll_wait(struct thread *t, const uint64_t *a)
{
	return epoll_until(a, deadline_of_ms(t, (int32_t)a[3]));
}

int64_t linux_epoll_pwait(struct thread *t, const uint64_t *a)
{
	int64_t result = call_mask_swap(t, a[4], a[4] ? a[5] : 8);
	return result < 0 ? result : epoll_until(a, deadline_of_ms(t, (int32_t)a[3]));
}

int64_t linux_epoll_pwait2(struct thread *t, const uint64_t *a)
{
	uint64_t deadline_ns;
	int64_t result;

	if ((result = call_deadline_of(t, a[3], &deadline_ns)) < 0 || (result = call_mask_swap(t, a[4], a[4] ? a[5] : 8)) < 0)
		return result;
	return epoll_until(a, deadline_ns);
}

/* ---- eventfd ---- */

enum { LINUX_EFD_SEMAPHORE = 1 };

static int64_t eventfd_make(uint64_t value, uint64_t flags)
{
	uint64_t open_flags = OPEN_READ | OPEN_WRITE | (file_open_flags((uint32_t)flags) & (OPEN_NONBLOCK | OPEN_CLOEXEC));

	if (flags & ~(uint64_t)(LINUX_EFD_SEMAPHORE | LINUX_O_NONBLOCK | LINUX_O_CLOEXEC))
		return ERR_INVAL;
	int64_t fd = flags & LINUX_EFD_SEMAPHORE ? NATIVE_OPEN("event", "counter1", open_flags) : NATIVE_OPEN("event", "counter", open_flags);
	if (fd >= 0 && value)
		native(OP_WRITE, 0, (handle_t)fd, (uint64_t)&value, sizeof(value), (uint64_t)-1, 0, 0, 0);
	return fd;
}

int64_t linux_eventfd(struct thread *t, const uint64_t *a)
{
	(void)t;
	return eventfd_make((uint32_t)a[0], 0);
}

int64_t linux_eventfd2(struct thread *t, const uint64_t *a)
{
	(void)t;
	return eventfd_make((uint32_t)a[0], a[1]);
}
