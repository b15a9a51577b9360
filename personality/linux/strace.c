/* personality/linux/strace.c - one line per system call. */
#include "personality/linux/strace.h"
#include <stdarg.h>
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "personality/linux/abi_file.h"
#include "personality/linux/call.h"

enum { LINE_BYTES = 1024, STRING_SHOWN = 48, ARRAY_SHOWN = 8, CALL_EXECVE = 59, CALL_EXIT = 60, CALL_EXIT_GROUP = 231, CALL_EXECVEAT = 322 };

/* ---- Pure parts ---- */

void strace_put(struct strace_text *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	size_t wanted = fmt_v(s->bytes + s->used, s->capacity - s->used, format, arguments);
	va_end(arguments);
	s->used += MIN_OF(wanted, s->capacity - s->used - 1);
}

void strace_put_string(struct strace_text *s, const char *bytes, size_t count, bool goes_on)
{
	strace_put(s, "\"");
	for (size_t i = 0; i < count; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == '\n')
			strace_put(s, "\\n");
		else if (c == '\t')
			strace_put(s, "\\t");
		else if (c == '"' || c == '\\')
			strace_put(s, "\\%c", c);
		else if (c < ' ' || c > '~')
			strace_put(s, "\\%o", c);
		else
			strace_put(s, "%c", c);
	}
	strace_put(s, goes_on ? "\"..." : "\"");
}

const char *strace_error_name(int64_t error)
{
	switch (error) {
#define ERR(number, name, text) case number: return "E" #name;
#include "abi/error.def"
#undef ERR
	default:
		return NULL;
	}
}

const char *strace_signal_name(uint32_t signal)
{
	static const char names[][8] = {
		"0", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
		"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
	};
	return signal < ARRAY_COUNT(names) ? names[signal] : "RT";
}

struct flag_name { uint64_t bit; const char *name; };

static void put_flags(struct strace_text *s, uint64_t value, const struct flag_name *names, size_t count, const char *none)
{
	const char *between = "";
	uint64_t left = value;

	for (size_t i = 0; i < count; i++) {
		if (!names[i].bit || (left & names[i].bit) != names[i].bit)
			continue;
		strace_put(s, "%s%s", between, names[i].name);
		left &= ~names[i].bit;
		between = "|";
	}
	if (left)
		strace_put(s, "%s%#lx", between, left);
	else if (!value)
		strace_put(s, "%s", none);
}

static void put_open_flags(struct strace_text *s, uint64_t flags)
{
	static const char access[][12] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	static const struct flag_name names[] = {
		{ LINUX_O_CREAT, "O_CREAT" }, { LINUX_O_EXCL, "O_EXCL" }, { LINUX_O_NOCTTY, "O_NOCTTY" }, { LINUX_O_TRUNC, "O_TRUNC" },
		{ LINUX_O_APPEND, "O_APPEND" }, { LINUX_O_NONBLOCK, "O_NONBLOCK" }, { LINUX_O_SYNC, "O_SYNC" }, { LINUX_O_TMPFILE, "O_TMPFILE" },
		{ LINUX_O_DIRECTORY, "O_DIRECTORY" }, { LINUX_O_NOFOLLOW, "O_NOFOLLOW" }, { LINUX_O_CLOEXEC, "O_CLOEXEC" },
		{ LINUX_O_PATH, "O_PATH" }, { LINUX_O_LARGEFILE, "O_LARGEFILE" },
	};
	strace_put(s, "%s", access[flags & LINUX_O_ACCMODE]);
	if (flags & ~(uint64_t)LINUX_O_ACCMODE) {
		strace_put(s, "|");
		put_flags(s, flags & ~(uint64_t)LINUX_O_ACCMODE, names, ARRAY_COUNT(names), "");
	}
}

static void put_mmap_flags(struct strace_text *s, uint64_t flags)
{
	static const struct flag_name names[] = {
		{ LINUX_MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE" }, { LINUX_MAP_SHARED, "MAP_SHARED" }, { LINUX_MAP_PRIVATE, "MAP_PRIVATE" },
		{ LINUX_MAP_FIXED, "MAP_FIXED" }, { LINUX_MAP_ANONYMOUS, "MAP_ANONYMOUS" }, { LINUX_MAP_32BIT, "MAP_32BIT" },
		{ LINUX_MAP_GROWSDOWN, "MAP_GROWSDOWN" }, { LINUX_MAP_DENYWRITE, "MAP_DENYWRITE" }, { LINUX_MAP_NORESERVE, "MAP_NORESERVE" },
		{ LINUX_MAP_POPULATE, "MAP_POPULATE" }, { LINUX_MAP_STACK, "MAP_STACK" }, { LINUX_MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE" },
	};
	put_flags(s, flags, names, ARRAY_COUNT(names), "0");
}

static void put_protection(struct strace_text *s, uint64_t prot)
{
	static const struct flag_name names[] = { { LINUX_PROT_READ, "PROT_READ" }, { LINUX_PROT_WRITE, "PROT_WRITE" }, { LINUX_PROT_EXEC, "PROT_EXEC" } };
	put_flags(s, prot, names, ARRAY_COUNT(names), "PROT_NONE");
}

static void put_clock(struct strace_text *s, uint64_t clock)
{
	static const char names[][24] = { "CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME", "CLOCK_THREAD_CPUTIME",
	                                  "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE", "CLOCK_BOOTTIME" };
	if (clock < ARRAY_COUNT(names))
		strace_put(s, "%s", names[clock]);
	else
		strace_put(s, "%d", (int)clock);
}

void strace_put_value(struct strace_text *s, char kind, uint64_t value)
{
	static const char whence[][9] = { "SEEK_SET", "SEEK_CUR", "SEEK_END" };

	switch (kind) {
	case 'd':
		strace_put(s, (int32_t)value == LINUX_AT_FDCWD ? "AT_FDCWD" : "%d", (int32_t)value);
		return;
	case 'i':
		strace_put(s, "%d", (int32_t)value);
		return;
	case 'u':
		strace_put(s, "%lu", value);
		return;
	case 'o':
		strace_put(s, "0%o", (uint32_t)value);
		return;
	case 'O':
		put_open_flags(s, (uint32_t)value);
		return;
	case 'M':
		put_protection(s, value);
		return;
	case 'F':
		put_mmap_flags(s, value);
		return;
	case 'C':
		put_clock(s, (uint32_t)value);
		return;
	case 'W':
		if (value < ARRAY_COUNT(whence))
			strace_put(s, "%s", whence[value]);
		else
			strace_put(s, "%d", (int)value);
		return;
	case 'S':
		strace_put(s, signal_is_realtime((uint32_t)value) ? "%s%u" : "SIG%s", strace_signal_name((uint32_t)value), (uint32_t)value);
		return;
	default:
		strace_put(s, value ? "%#lx" : "NULL", value);
	}
}

/* ---- With the program's memory ---- */

static void put_user_string(struct strace_text *s, uint64_t pointer)
{
	char text[STRING_SHOWN + 1];
	int64_t length = pointer ? user_string(text, pointer, sizeof(text)) : ERR_FAULT;

	if (length == ERR_FAULT)
		strace_put_value(s, 'p', pointer);
	else
		strace_put_string(s, text, length < 0 ? STRING_SHOWN : (size_t)length, length < 0);
}

static void put_user_bytes(struct strace_text *s, uint64_t pointer, uint64_t bytes)
{
	char text[STRING_SHOWN];
	size_t shown = MIN_OF(bytes, (uint64_t)sizeof(text));

	if (user_read(text, pointer, shown))
		strace_put_value(s, 'p', pointer);
	else
		strace_put_string(s, text, shown, shown < bytes);
}

static void put_user_array(struct strace_text *s, uint64_t array)
{
	uint64_t pointer;

	strace_put(s, "[");
	for (unsigned i = 0; !user_read(&pointer, array + i * sizeof(pointer), sizeof(pointer)) && pointer; i++) {
		if (i == ARRAY_SHOWN) {
			strace_put(s, ", ...");
			break;
		}
		strace_put(s, i ? ", " : "");
		put_user_string(s, pointer);
	}
	strace_put(s, "]");
}

static void put_arguments(struct strace_text *s, const char *kinds, const uint64_t *a, int64_t result)
{
	for (unsigned i = 0; i < 6 && kinds[i] && kinds[i] != ':'; i++) {
		strace_put(s, i ? ", " : "");
		if (kinds[i] == 's')
			put_user_string(s, a[i]);
		else if (kinds[i] == 'A')
			put_user_array(s, a[i]);
		else if (kinds[i] == 'w')
			put_user_bytes(s, a[i], a[i + 1]);
		else if (kinds[i] == 'b' && result > 0)
			put_user_bytes(s, a[i], (uint64_t)result);
		else
			strace_put_value(s, kinds[i], a[i]);
	}
}

static void put_head(struct strace_text *s, struct thread *t, uint64_t number, int64_t result)
{
	const struct call_entry *entry = number < LINUX_CALL_COUNT ? &call_table[number] : NULL;

	strace_put(s, "%u ", t->tid);
	if (entry && entry->name) {
		strace_put(s, "%s(", entry->name);
		put_arguments(s, entry->kinds, t->frame.argument, result);
	} else {
		strace_put(s, "syscall_%lu(", number);
		put_arguments(s, "xxxxxx", t->frame.argument, result);
	}
	strace_put(s, ")");
}

static void put_result(struct strace_text *s, uint64_t number, int64_t result)
{
	const char *kinds = number < LINUX_CALL_COUNT && call_table[number].kinds ? call_table[number].kinds : "";
	const char *colon = strchr(kinds, ':');

	if (result >= 0 || result < -4095)
		strace_put(s, colon ? " = %#lx" : " = %ld", result);
	else if (result == -LINUX_ERESTARTSYS || result == -LINUX_ERESTARTNOHAND)
		strace_put(s, " = ? (interrupted)");
	else if (strace_error_name(-result))
		strace_put(s, " = -1 %s", strace_error_name(-result));
	else
		strace_put(s, " = -1 (error %d)", (int)-result);
}

static void line_write(struct thread *t, struct strace_text *s)
{
	strace_put(s, "\n");
	if (s->used == s->capacity - 1)
		s->bytes[s->used - 1] = '\n';
	(void)native(OP_WRITE, 0, t->process->kept.handles.strace, (uint64_t)s->bytes, s->used, (uint64_t)-1, 0, 0, 0);
}

static bool is_traced(struct thread *t)
{
	return t->process->kept.handles.strace != HANDLE_NONE;
}

void strace_before(struct thread *t, uint64_t number)
{
	char bytes[LINE_BYTES];
	struct strace_text s = { bytes, 0, sizeof(bytes) };

	if (number != CALL_EXECVE && number != CALL_EXECVEAT && number != CALL_EXIT && number != CALL_EXIT_GROUP)
		return;
	put_head(&s, t, number, 0);
	strace_put(&s, " = ?");
	line_write(t, &s);
}

void strace_after(struct thread *t, uint64_t number, int64_t result, bool has_result)
{
	char bytes[LINE_BYTES];
	struct strace_text s = { bytes, 0, sizeof(bytes) };

	if (!has_result) {
		strace_put(&s, "%u %s() = ?", t->tid, call_table[number].name);
	} else {
		put_head(&s, t, number, result);
		put_result(&s, number, result);
	}
	line_write(t, &s);
}

void strace_signal(struct thread *t, const struct linux_siginfo *info)
{
	char bytes[LINE_BYTES];
	struct strace_text s = { bytes, 0, sizeof(bytes) };

	if (!is_traced(t))
		return;
	strace_put(&s, "%u --- ", t->tid);
	strace_put_value(&s, 'S', (uint32_t)info->signal);
	strace_put(&s, " code %d address %#lx ---", info->code, info->fault.address);
	line_write(t, &s);
}

void strace_died(struct thread *t, uint32_t signal)
{
	char bytes[LINE_BYTES];
	struct strace_text s = { bytes, 0, sizeof(bytes) };

	if (!is_traced(t))
		return;
	strace_put(&s, "%u +++ killed by ", t->tid);
	strace_put_value(&s, 'S', signal);
	strace_put(&s, " +++");
	line_write(t, &s);
	strace_exit(t);
}

void strace_exit(struct thread *t)
{
	struct process *p = t->process;
	char bytes[LINE_BYTES];

	if (!is_traced(t) || p->kept.strace_first != p->pid || !p->missing)
		return;
	for (uint32_t n = 0; n < ARRAY_COUNT(p->missing->calls); n++) {
		uint32_t count = atomic_load_explicit(&p->missing->calls[n], memory_order_relaxed);
		if (!count)
			continue;
		struct strace_text s = { bytes, 0, sizeof(bytes) };
		if (n < LINUX_CALL_COUNT && call_table[n].name)
			strace_put(&s, "missing: %s (%u) x %u", call_table[n].name, n, count);
		else
			strace_put(&s, "missing: system call %u x %u", n, count);
		line_write(t, &s);
	}
}
