/* personality/linux/memory.c - the system calls about memory. */
#include "lib/base/bits.h"
#include "personality/linux/area.h"
#include "personality/linux/call.h"
#include "personality/linux/info.h"
#include "personality/linux/mmapflags.h"
#include "personality/linux/path.h"

#define PAGE_OFFSET (LINUX_PAGE - 1ull)
#define LOW_2_GB    0x80000000ull
#define FAR_STEP     (4ull << 30)
#define TOO_MUCH_FROM (256ull << 20)
#define STACK_BYTES_MAX (8ull << 20)
enum { LOW_START = 0x10000000, MISSES_NEAR = 8 };

/* May a program map there? Our own memory at the top is not its to replace. */
static bool is_program_range(uint64_t start, uint64_t bytes)
{
	return bytes <= PROGRAM_TOP && start <= PROGRAM_TOP - bytes;
}

/* The next place, downwards from the last one; after misses in bigger steps. 0: there is none. */
static uint64_t hint_take(struct process *p, uint64_t bytes, unsigned misses)
{
	uint64_t step = bytes + (misses > MISSES_NEAR ? FAR_STEP : 0);

	lock_take(&p->lock);
	uint64_t hint = p->map_hint > step + LOW_2_GB ? p->map_hint -= step : 0;
	lock_release(&p->lock);
	return hint;
}

/* What was placed last is freed: the next one goes there again. */
static void hint_give(struct process *p, uint64_t start, uint64_t bytes)
{
	lock_take(&p->lock);
	if (start == p->map_hint)
		p->map_hint = start + bytes;
	lock_release(&p->lock);
}

/* At the wish if that is free, else where new mappings go. The kernel is never asked to choose: it would choose among our own at the top. */
static int64_t map_somewhere(struct process *p, uint64_t wish, uint64_t bytes, uint32_t flags, handle_t object, uint64_t offset)
{
	int64_t result = wish ? native_map(wish, bytes, flags | MAP_NOREPLACE, object, offset) : ERR_EXIST;

	for (unsigned misses = 0; result == ERR_EXIST; misses++) {
		uint64_t hint = hint_take(p, bytes, misses);
		if (!hint)
			return ERR_NOMEM;
		result = native_map(hint, bytes, flags | MAP_NOREPLACE, object, offset);
	}
	return result;
}

/* As Linux's heuristic: what is more than there is in all is refused, unless the program says that it will not use it. */
static bool is_too_much(struct process *p, uint64_t bytes, uint64_t flags, uint32_t map_flags)
{
	struct system_info info;

	if (bytes < TOO_MUCH_FROM || (flags & LINUX_MAP_NORESERVE) || !(map_flags & MAP_WRITE))
		return false;
	return system_info_get(p, &info) && bytes > info.memory_bytes;
}

/* MAP_32BIT: below 2 GB, wherever there is room. */
static int64_t map_low(handle_t object, uint64_t bytes, uint32_t flags, uint64_t offset)
{
	for (uint64_t at = LOW_START; at + bytes <= LOW_2_GB; at += round_up(bytes, 1 << 20)) {
		int64_t result = native_map(at, bytes, flags | MAP_NOREPLACE, object, offset);
		if (result != ERR_EXIST)
			return result;
	}
	return ERR_NOMEM;
}

static int64_t map_at(struct process *p, uint64_t address, uint64_t bytes, uint32_t flags, handle_t object, uint64_t offset)
{
	if (flags & (MAP_FIXED | MAP_NOREPLACE))
		return native_map(address, bytes, flags, object, offset);
	return map_somewhere(p, address, bytes, flags, object, offset);
}

/* What grows down: all that it may grow to is there at once, as far as it is free. (Untouched memory costs nothing.) */
static int64_t map_stack(struct process *p, uint64_t address, uint64_t bytes, uint32_t flags)
{
	uint64_t whole = bytes < STACK_BYTES_MAX ? STACK_BYTES_MAX : bytes, end = address + bytes;
	int64_t result;

	if (!(flags & (MAP_FIXED | MAP_NOREPLACE))) {
		result = map_somewhere(p, 0, whole, flags, HANDLE_NONE, 0);
		return result < 0 ? result : result + (int64_t)(whole - bytes);
	}
	result = native_map(address, bytes, flags, HANDLE_NONE, 0);
	flags = (flags & ~(uint32_t)MAP_FIXED) | MAP_NOREPLACE;
	for (uint64_t more = whole - bytes; result >= 0 && more >= LINUX_PAGE; more = round_down(more / 2, LINUX_PAGE))
		if (end > whole && native_map(address - more, more, flags, HANDLE_NONE, 0) >= 0)
			break;
	return result;
}

static int64_t map_shared_anonymous(struct process *p, uint64_t address, uint64_t bytes, uint32_t flags)
{
	/* Shared with children to be: an object, since demand-zero memory belongs to one space. */
	int64_t object = NATIVE_OPEN("mem", "new", OPEN_READ | OPEN_WRITE | OPEN_EXEC | OPEN_PRIVATE);
	if (object < 0)
		return object;
	int64_t result = native_call((handle_t)object, MEM_RESIZE, 0, NULL, 0, NULL, 0, bytes);
	if (result >= 0)
		result = map_at(p, address, bytes, flags, (handle_t)object, 0);
	(void)native_close((handle_t)object);
	return result;
}

int64_t linux_mmap(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	uint64_t address = a[0], bytes, offset = a[5];
	handle_t object = a[3] & LINUX_MAP_ANONYMOUS ? HANDLE_NONE : (handle_t)a[4];
	uint32_t flags;
	int64_t err;

	if (a[1] == 0 || (offset & PAGE_OFFSET))
		return ERR_INVAL;
	bytes = round_up(a[1], LINUX_PAGE);
	if (bytes == 0 || bytes > PROGRAM_TOP)
		return ERR_NOMEM;
	if ((err = mmap_flags(a[2], a[3], &flags)))
		return err;
	if (!(a[3] & LINUX_MAP_ANONYMOUS) && !fd_is_valid(a[4]))
		return ERR_BADF;
	if (flags & (MAP_FIXED | MAP_NOREPLACE)) {
		if (address & PAGE_OFFSET)
			return ERR_INVAL;
		if (!is_program_range(address, bytes))
			return ERR_NOMEM;
	} else if (address == 0 || !is_program_range(address, bytes)) {
		if ((a[3] & LINUX_MAP_32BIT) && object == HANDLE_NONE && !(flags & MAP_SHARED))
			return map_low(object, bytes, flags, 0);
		address = 0;
	} else {
		address = round_down(address, LINUX_PAGE);
	}
	if (object != HANDLE_NONE)
		return map_at(p, address, bytes, flags, object, offset);
	if (is_too_much(p, bytes, a[3], flags))
		return ERR_NOMEM;
	if (flags & MAP_SHARED)
		return map_shared_anonymous(p, address, bytes, flags);
	if (a[3] & LINUX_MAP_GROWSDOWN)
		return map_stack(p, address, bytes, flags);
	return map_at(p, address, bytes, flags, HANDLE_NONE, 0);
}

int64_t linux_munmap(struct thread *t, const uint64_t *a)
{
	uint64_t bytes = round_up(a[1], LINUX_PAGE);

	if ((a[0] & PAGE_OFFSET) || bytes == 0 || !is_program_range(a[0], bytes))
		return ERR_INVAL;
	int64_t err = native_unmap(a[0], bytes);
	if (!err)
		hint_give(t->process, a[0], bytes);
	return err;
}

int64_t linux_mprotect(struct thread *t, const uint64_t *a)
{
	uint64_t bytes = round_up(a[1], LINUX_PAGE);
	uint32_t flags;
	int64_t err;

	(void)t;
	if (a[0] & PAGE_OFFSET)
		return ERR_INVAL;
	if ((err = mmap_protection(a[2], &flags)))
		return err;
	if (a[1] == 0)
		return 0;
	if (bytes == 0 || !is_program_range(a[0], bytes))
		return ERR_NOMEM;
	return native(OP_PROTECT, 0, HANDLE_NONE, a[0], bytes, flags, 0, 0, 0);
}

/* The new place is reserved first, then replaced by what moves there. */
static int64_t move_somewhere(struct process *p, uint64_t from, uint64_t bytes, uint64_t new_bytes)
{
	int64_t to = map_somewhere(p, 0, new_bytes, 0, HANDLE_NONE, 0);
	if (to < 0)
		return to;
	int64_t result = native(OP_REMAP, 0, HANDLE_NONE, from, bytes, new_bytes, REMAP_MOVE, (uint64_t)to, 0);
	if (result < 0)
		(void)native_unmap((uint64_t)to, new_bytes);
	return result;
}

int64_t linux_mremap(struct thread *t, const uint64_t *a)
{
	uint64_t bytes = round_up(a[1], LINUX_PAGE), new_bytes = round_up(a[2], LINUX_PAGE), to = 0;
	uint32_t flags = (uint32_t)a[3];

	if ((flags & ~(uint32_t)(LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED)) || (a[0] & PAGE_OFFSET) || new_bytes == 0 || bytes == 0)
		return ERR_INVAL;
	if (!is_program_range(a[0], bytes))
		return ERR_FAULT;
	if (new_bytes > PROGRAM_TOP)
		return ERR_NOMEM;
	if (flags & LINUX_MREMAP_FIXED) {
		to = a[4];
		if (!(flags & LINUX_MREMAP_MAYMOVE) || (to & PAGE_OFFSET) || !is_program_range(to, new_bytes))
			return ERR_INVAL;
		if (to < a[0] + bytes && a[0] < to + new_bytes)
			return ERR_INVAL;
	} else if (new_bytes > bytes && (flags & LINUX_MREMAP_MAYMOVE)) {
		/* In place if it can be, else where new mappings go. */
		int64_t result = native(OP_REMAP, 0, HANDLE_NONE, a[0], bytes, new_bytes, 0, 0, 0);
		if (result != ERR_NOMEM)
			return result;
		return move_somewhere(t->process, a[0], bytes, new_bytes);
	}
	return native(OP_REMAP, 0, HANDLE_NONE, a[0], bytes, new_bytes, flags & LINUX_MREMAP_FIXED ? REMAP_MOVE : 0, to, 0);
}

/* Grows or shrinks the heap from its old end to the new one; both whole pages. */
static int64_t brk_move(uint64_t from, uint64_t to)
{
	if (to > from)
		return native_map(from, to - from, MAP_READ | MAP_WRITE | MAP_NOREPLACE, HANDLE_NONE, 0);
	return to < from ? native_unmap(to, from - to) : 0;
}

int64_t linux_brk(struct thread *t, const uint64_t *a)
{
	struct process *p = t->process;
	bool is_possible = a[0] >= p->brk_start && is_program_range(a[0], LINUX_PAGE) && !is_too_much(p, a[0] - p->brk_start, 0, MAP_WRITE);

	lock_take(&p->lock);
	if (is_possible &&
	    brk_move(round_up(p->brk_end, LINUX_PAGE), round_up(a[0], LINUX_PAGE)) >= 0)
		p->brk_end = a[0];
	int64_t end = (int64_t)p->brk_end;
	lock_release(&p->lock);
	return end;
}

int64_t linux_madvise(struct thread *t, const uint64_t *a)
{
	uint64_t bytes = round_up(a[1], LINUX_PAGE);
	uint64_t advice;

	(void)t;
	if ((a[0] & PAGE_OFFSET) || (a[1] && bytes == 0))
		return ERR_INVAL;
	switch ((int32_t)a[2]) {
	case LINUX_MADV_DONTNEED:
		advice = ADVICE_DONTNEED;
		break;
	case LINUX_MADV_FREE:
		advice = ADVICE_FREE;
		break;
	case LINUX_MADV_WILLNEED:
		advice = ADVICE_WILLNEED;
		break;
	case LINUX_MADV_NORMAL: case LINUX_MADV_RANDOM: case LINUX_MADV_SEQUENTIAL: case LINUX_MADV_DONTFORK: case LINUX_MADV_DOFORK:
	case LINUX_MADV_MERGEABLE: case LINUX_MADV_UNMERGEABLE: case LINUX_MADV_HUGEPAGE: case LINUX_MADV_NOHUGEPAGE:
	case LINUX_MADV_DONTDUMP: case LINUX_MADV_DODUMP: case LINUX_MADV_COLD: case LINUX_MADV_PAGEOUT:
		return 0;
	default:
		return ERR_INVAL;
	}
	if (bytes == 0)
		return 0;
	if (!is_program_range(a[0], bytes))
		return ERR_NOMEM;
	return native(OP_ADVISE, 0, HANDLE_NONE, a[0], bytes, advice, 0, 0, 0);
}

/* Shared mappings of a file are its pages: there is nothing to write back to. */
int64_t linux_msync(struct thread *t, const uint64_t *a)
{
	(void)t;
	if ((a[0] & PAGE_OFFSET) || (a[2] & ~(uint64_t)(LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC)) ||
	    ((a[2] & LINUX_MS_ASYNC) && (a[2] & LINUX_MS_SYNC)))
		return ERR_INVAL;
	return is_program_range(a[0], round_up(a[1], LINUX_PAGE)) ? 0 : ERR_NOMEM;
}

/* Says that every mapped page is there. NOMEM for a hole. */
int64_t linux_mincore(struct thread *t, const uint64_t *a)
{
	struct task_region region;
	uint64_t end = a[0] + round_up(a[1], LINUX_PAGE);
	const uint8_t here = 1;

	if (a[0] & PAGE_OFFSET)
		return ERR_INVAL;
	if (end < a[0] || !is_program_range(a[0], end - a[0]))
		return ERR_NOMEM;
	for (uint64_t at = a[0], out = a[2]; at < end; ) {
		int64_t count = native_call(process_self(t->process), TASK_REGIONS, 0, NULL, 0, &region, sizeof(region), at);
		if (count < 0)
			return count;
		if (count == 0 || region.start > at)
			return ERR_NOMEM;
		for (; at < end && at < region.end; at += LINUX_PAGE, out++)
			if (user_write(out, &here, sizeof(here)))
				return ERR_FAULT;
	}
	return 0;
}

/* Memory is never swapped out. */
int64_t linux_mlock(struct thread *t, const uint64_t *a)
{
	(void)t;
	return is_program_range(a[0], a[1]) ? 0 : ERR_NOMEM;
}

int64_t linux_munlock(struct thread *t, const uint64_t *a) { return linux_mlock(t, a); }

int64_t linux_mlock2(struct thread *t, const uint64_t *a)
{
	return a[2] & ~1ull ? ERR_INVAL : linux_mlock(t, a);
}

int64_t linux_mlockall(struct thread *t, const uint64_t *a)
{
	(void)t;
	return a[0] == 0 || (a[0] & ~7ull) ? ERR_INVAL : 0;
}

int64_t linux_munlockall(struct thread *t, const uint64_t *a)
{
	(void)t;
	(void)a;
	return 0;
}

/* A file without a name is all that a memfd is; seals are not offered. */
int64_t linux_memfd_create(struct thread *t, const uint64_t *a)
{
	char name[LINUX_MEMFD_NAME_MAX + 1];
	int64_t length = user_string(name, a[0], sizeof(name));

	if (length < 0)
		return length == ERR_NAMETOOLONG ? ERR_INVAL : length;
	if (a[1] & ~(uint64_t)(LINUX_MFD_CLOEXEC | LINUX_MFD_ALLOW_SEALING | LINUX_MFD_EXEC | LINUX_MFD_NOEXEC_SEAL))
		return ERR_INVAL;
	return path_open(t, LINUX_AT_FDCWD, "/tmp", OPEN_READ | OPEN_WRITE | OPEN_UNNAMED | (a[1] & LINUX_MFD_CLOEXEC ? OPEN_CLOEXEC : 0), 0700);
}
