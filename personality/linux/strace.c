/* personality/linux/strace.c - one line per system call. */
#include "personality/linux/strace.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/call.h"

enum { LINE_BYTES = 1024, STRING_SHOWN = 48, ARRAY_SHOWN = 8, CALL_EXECVE = 59, CALL_EXIT = 60, CALL_EXIT_GROUP = 231, CALL_EXECVEAT = 322 };

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
	struct missing_counts *missing;
	char bytes[LINE_BYTES];

	if (!is_traced(t) || p->kept.strace_first != p->pid || !(missing = process_missing(t->process)))
		return;
	for (uint32_t n = 0; n < ARRAY_COUNT(missing->calls); n++) {
		uint32_t count = atomic_load_explicit(&missing->calls[n], memory_order_relaxed);
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
