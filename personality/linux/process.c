/* personality/linux/process.c - what a process knows of itself. */
#include "personality/linux/process.h"
#include "lib/base/string.h"
#include "personality/linux/area.h"
#include "personality/linux/native.h"

enum { HANDLE_STDERR = 2 };

const struct process_ids *process_ids(struct process *p)
{
	struct posix_ids ids = { 0 };

	if (LIKELY(atomic_load_explicit(&p->ids_known, memory_order_acquire)))
		return &p->ids;
	if (native_call(process_posix(p), POSIX_GET_IDS, 0, NULL, 0, &ids, sizeof(ids), 0) < 0)
		return &p->ids;
	lock_take(&p->lock);
	p->ids = (struct process_ids){ ids.uid, ids.euid, ids.suid, ids.gid, ids.egid, ids.sgid };
	lock_release(&p->lock);
	atomic_store_explicit(&p->ids_known, true, memory_order_release);
	return &p->ids;
}

void process_init(struct process *p, struct process *at)
{
	thread_init(at, &p->first, THREAD_LIVE, (uint64_t)at);
	p->first.self = &at->first;
	p->first.node.next = p->first.node.prev = &at->threads;
	p->threads.next = p->threads.prev = &at->first.node;
	atomic_store_explicit(&p->live, 1, memory_order_relaxed);
	p->timer.timer = at->timers;
	p->signal_queue.slot = at->signals_queued;
}

struct missing_counts *process_missing(struct process *p)
{
	struct missing_counts *missing = atomic_load_explicit(&p->missing, memory_order_relaxed);

	if (missing || p->kept.handles.missing == HANDLE_NONE)
		return missing;
	if (native_map(MISSING_PAGE, sizeof(*missing), MAP_READ | MAP_WRITE | MAP_SHARED | MAP_FIXED, p->kept.handles.missing, 0) < 0)
		return NULL;
	missing = (struct missing_counts *)MISSING_PAGE;
	atomic_store_explicit(&p->missing, missing, memory_order_relaxed);
	return missing;
}

/* Two threads may both map it, to the same place. */
static const struct posix_record *records_map(struct process *p)
{
	const struct posix_record *records;
	handle_t h = __atomic_load_n(&p->kept.handles.records, __ATOMIC_RELAXED);

	if (h == HANDLE_NONE) {
		if (native_call_handle(process_posix(p), POSIX_RECORDS_OPEN, 0, HANDLE_NONE, NULL, 0, NULL, 0, 0, &h) < 0 || h == HANDLE_NONE)
			return NULL;
		handle_t none = HANDLE_NONE;
		if (!__atomic_compare_exchange_n(&p->kept.handles.records, &none, h, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			(void)native_close(h);
			h = none;
		}
	}
	if (native_map(RECORDS, POSIX_RECORDS * sizeof(*records), MAP_READ | MAP_SHARED | MAP_FIXED, h, 0) < 0)
		return NULL;
	records = (const struct posix_record *)RECORDS;
	atomic_store_explicit(&p->records, records, memory_order_release);
	return records;
}

const struct posix_record *process_record(struct process *p)
{
	const struct posix_record *records = atomic_load_explicit(&p->records, memory_order_acquire);

	if (UNLIKELY(!records) && !(records = records_map(p)))
		return NULL;
	return LIKELY(p->pid < POSIX_RECORDS) ? &records[p->pid] : NULL;
}

void process_complain(struct process *p, const char *text, size_t bytes)
{
	handle_t to = p->kept.handles.strace != HANDLE_NONE ? p->kept.handles.strace : HANDLE_STDERR;
	(void)native(OP_WRITE, 0, to, (uint64_t)text, bytes, (uint64_t)-1, 0, 0, 0);
}

handle_t process_handle(struct process *p, handle_t *where, const char *scheme, const char *ref, uint64_t open_flags)
{
	handle_t h = __atomic_load_n(where, __ATOMIC_RELAXED);

	if (LIKELY(h != HANDLE_NONE))
		return h;
	lock_take(&p->lock);
	if (*where == HANDLE_NONE) {
		int64_t result = native_open(scheme, strlen(scheme), ref, strlen(ref), open_flags | OPEN_PRIVATE);
		if (result >= 0)
			__atomic_store_n(where, (handle_t)result, __ATOMIC_RELAXED);
	}
	h = *where;
	lock_release(&p->lock);
	return h;
}

err_t process_open_self(struct process *p)
{
	int64_t result = NATIVE_OPEN("proc", "self", OPEN_PRIVATE | OPEN_READ | OPEN_WRITE);

	if (result < 0)
		return (err_t)result;
	p->kept.handles.self = (handle_t)result;
	return OK;
}
