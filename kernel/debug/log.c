/* kernel/debug/log.c - the ring of kernel messages. */
#include "kernel/debug/log.h"
#include <stdarg.h>
#include "kernel/arch/arch.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

enum { RING_BYTES = 32768 };

/* Members: [l] under lock. */
static struct {
	struct spinlock lock;
	char ring[RING_BYTES];          /* [l] */
	size_t end;                     /* [l] bytes ever written */
} messages = { .lock = SPINLOCK_INIT(RANK_LOG) };

static _Atomic bool quiet, panicking;

/* In a panic the holder may be a CPU that is stopped already. */
static bool log_lock(void)
{
	if (atomic_load(&panicking))
		return false;
	spin_lock(&messages.lock);
	return true;
}

static void log_unlock(bool locked)
{
	if (locked)
		spin_unlock(&messages.lock);
}

static void ring_put(const char *text, size_t bytes) REQUIRES(&messages.lock)
{
	for (size_t i = 0; i < bytes; i++)
		messages.ring[(messages.end + i) % RING_BYTES] = text[i];
	messages.end += bytes;
}

/* Formats a line with its newline into text; how long it is. */
static size_t line_format(char text[KLOG_LINE_MAX], const char *format, va_list arguments)
{
	size_t bytes = fmt_v(text, KLOG_LINE_MAX - 1, format, arguments);

	bytes = MIN_OF(bytes, (size_t)KLOG_LINE_MAX - 2);
	if (bytes == 0 || text[bytes - 1] != '\n')
		text[bytes++] = '\n';
	return bytes;
}

void klog_v(const char *format, va_list arguments)
{
	char text[KLOG_LINE_MAX];
	size_t bytes = line_format(text, format, arguments);
	bool locked = log_lock();

	ring_put(text, bytes);
	if (!atomic_load(&quiet) || atomic_load(&panicking))
		arch_serial_write(text, bytes);
	log_unlock(locked);
}

void klog(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	klog_v(format, arguments);
	va_end(arguments);
}

void klog_set_quiet(bool set)
{
	atomic_store(&quiet, set);
}

void klog_set_panicking(void)
{
	atomic_store(&panicking, true);
}

size_t klog_read(size_t position, char *to, size_t bytes, size_t *copied)
{
	bool locked = log_lock();
	size_t first = messages.end > RING_BYTES ? messages.end - RING_BYTES : 0;

	position = MIN_OF(MAX_OF(position, first), messages.end);
	*copied = MIN_OF(bytes, messages.end - position);
	for (size_t i = 0; i < *copied; i++)
		to[i] = messages.ring[(position + i) % RING_BYTES];
	log_unlock(locked);
	return position + *copied;
}
