/* kernel/debug/log.c - the ring of kernel messages. */
#include "kernel/debug/log.h"
#include <stdarg.h>
#include "kernel/arch/arch.h"
#include "kernel/sync/spinlock.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

enum { RING_BYTES = 32768 };

static struct spinlock log_lock = SPINLOCK_INIT(RANK_LOG);
static char ring[RING_BYTES];           /* [log_lock] */
static size_t ring_end;                 /* [log_lock] bytes ever written */
static _Atomic bool quiet, panicking;

/* In a panic the holder may be a CPU that is stopped already. */
static bool log_enter(void)
{
	if (atomic_load(&panicking))
		return false;
	spin_lock(&log_lock);
	return true;
}

static void log_leave(bool locked)
{
	if (locked)
		spin_unlock(&log_lock);
}

static void ring_put(const char *text, size_t bytes) REQUIRES(&log_lock)
{
	for (size_t i = 0; i < bytes; i++)
		ring[(ring_end + i) % RING_BYTES] = text[i];
	ring_end += bytes;
}

void klog(const char *format, ...)
{
	char text[KLOG_LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	size_t bytes = fmt_v(text, sizeof(text) - 1, format, arguments);
	va_end(arguments);
	bytes = MIN_OF(bytes, sizeof(text) - 2);
	if (bytes == 0 || text[bytes - 1] != '\n')
		text[bytes++] = '\n';
	bool locked = log_enter();
	ring_put(text, bytes);
	if (!atomic_load(&quiet) || atomic_load(&panicking))
		arch_serial_write(text, bytes);
	log_leave(locked);
}

void klog_set_quiet(bool set) { atomic_store(&quiet, set); }

void klog_set_panicking(void) { atomic_store(&panicking, true); }

size_t klog_read(size_t position, char *to, size_t bytes, size_t *copied)
{
	bool locked = log_enter();
	size_t first = ring_end > RING_BYTES ? ring_end - RING_BYTES : 0;

	position = MIN_OF(MAX_OF(position, first), ring_end);
	*copied = MIN_OF(bytes, ring_end - position);
	for (size_t i = 0; i < *copied; i++)
		to[i] = ring[(position + i) % RING_BYTES];
	log_leave(locked);
	return position + *copied;
}
