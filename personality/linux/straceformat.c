/* personality/linux/straceformat.c - the pure half of the call printer: values by their kind. */
#include <stdarg.h>
#include "abi/error.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "personality/linux/abi_file.h"
#include "personality/linux/signal.h"
#include "personality/linux/strace.h"

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
