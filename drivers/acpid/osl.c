/* drivers/acpid/osl.c - ACPICA's OS layer: memory, locks, work for later, time, messages. The functions' names and contracts are ACPICA's (acpiosxf.h). */
#include "drivers/acpid/osl.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"

enum { LINE_BYTES = 256, NS_PER_MS = 1000000, NS_PER_US = 1000, NS_PER_TICK = 100 };
/* Who waits longer than this for something that only he himself could bring about is not going to get it. */
#define WAIT_NS_MAX 1000000000ull

static uint64_t now_ns(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

/* ---- Memory: blocks know their size ---- */

struct block {
	size_t bytes;
	size_t reserved;
	uint8_t content[];
};

void *acpi_os_allocate_zeroed(acpi_size bytes)
{
	struct block *b = bytes <= SIZE_MAX - sizeof *b ? heap_alloc(sizeof *b + bytes) : NULL;

	if (!b)
		return NULL;
	b->bytes = sizeof *b + bytes;
	return b->content;
}

void *acpi_os_allocate(acpi_size bytes) { return acpi_os_allocate_zeroed(bytes); }

void acpi_os_free(void *memory)
{
	struct block *b = memory ? container_of(memory, struct block, content) : NULL;

	if (b)
		heap_free(b, b->bytes);
}

/* Objects that come and go by thousands: the free ones hang together by their first word. */
struct acpi_cache {
	size_t bytes;
	void **free;
};

acpi_status acpi_os_create_cache(char *name UNUSED, u16 bytes, u16 depth UNUSED, acpi_cache_t **out)
{
	struct acpi_cache *c = heap_new(struct acpi_cache);

	if (!c)
		return AE_NO_MEMORY;
	c->bytes = MAX_OF(bytes, sizeof(void *));
	*out = c;
	return AE_OK;
}

acpi_status acpi_os_purge_cache(acpi_cache_t *c)
{
	while (c->free) {
		void **object = c->free;

		c->free = *object;
		heap_free(object, c->bytes);
	}
	return AE_OK;
}

acpi_status acpi_os_delete_cache(acpi_cache_t *c)
{
	acpi_os_purge_cache(c);
	heap_delete(c);
	return AE_OK;
}

void *acpi_os_acquire_object(acpi_cache_t *c)
{
	void **object = c->free;

	if (!object)
		return heap_alloc(c->bytes);
	c->free = *object;
	return memset(object, 0, c->bytes);
}

acpi_status acpi_os_release_object(acpi_cache_t *c, void *object)
{
	*(void **)object = c->free;
	c->free = object;
	return AE_OK;
}

/* ---- Locks: one thread needs none; a semaphore counts ---- */

acpi_status acpi_os_create_lock(acpi_spinlock *out) { *out = NULL; return AE_OK; }
void acpi_os_delete_lock(acpi_spinlock lock UNUSED) { }
acpi_cpu_flags acpi_os_acquire_lock(acpi_spinlock lock UNUSED) { return 0; }
void acpi_os_release_lock(acpi_spinlock lock UNUSED, acpi_cpu_flags flags UNUSED) { }

struct semaphore { u32 units, max; };

acpi_status acpi_os_create_semaphore(u32 max, u32 units, acpi_semaphore *out)
{
	struct semaphore *s = heap_new(struct semaphore);

	if (!s)
		return AE_NO_MEMORY;
	*s = (struct semaphore){ .units = units, .max = max };
	*out = s;
	return AE_OK;
}

acpi_status acpi_os_delete_semaphore(acpi_semaphore semaphore)
{
	heap_free(semaphore, sizeof(struct semaphore));
	return AE_OK;
}

/* What could raise it is an interrupt's handler (the firmware gives the global lock back) or work that waits. */
acpi_status acpi_os_wait_semaphore(acpi_semaphore semaphore, u32 units, u16 timeout_ms)
{
	struct semaphore *s = semaphore;
	uint64_t wait_ns = timeout_ms == ACPI_WAIT_FOREVER ? WAIT_NS_MAX : MIN_OF((uint64_t)timeout_ms * NS_PER_MS, WAIT_NS_MAX);
	uint64_t end_ns = now_ns() + wait_ns, now;

	while (s->units < units && (now = now_ns()) < end_ns && osl_wait_interrupt(end_ns - now))
		osl_run_queue();
	if (s->units < units)
		return AE_TIME;
	s->units -= units;
	return AE_OK;
}

acpi_status acpi_os_signal_semaphore(acpi_semaphore semaphore, u32 units)
{
	struct semaphore *s = semaphore;

	if (units > s->max - s->units)
		return AE_LIMIT;
	s->units += units;
	return AE_OK;
}

acpi_thread_id acpi_os_get_thread_id(void) { return 1; }

/* ---- Work for later ---- */

struct work {
	struct list_node link;
	acpi_osd_exec_callback run;
	void *context;
};

static struct list_node queue = LIST_INIT(queue);
static struct server_timer soon;
static struct server *loop;

static void run_soon(struct server_timer *t UNUSED) { osl_run_queue(); }

acpi_status acpi_os_execute(acpi_execute_type type UNUSED, acpi_osd_exec_callback run, void *context)
{
	struct work *w = heap_new(struct work);

	if (!w)
		return AE_NO_MEMORY;
	*w = (struct work){ .run = run, .context = context };
	list_push_back(&queue, &w->link);
	server_timer_set(loop, &soon, 0);
	return AE_OK;
}

void osl_run_queue(void)
{
	while (!list_is_empty(&queue)) {
		struct work *w = list_first(&queue, struct work, link);

		list_remove(&w->link);
		w->run(w->context);
		heap_delete(w);
	}
}

void acpi_os_wait_events_complete(void) { osl_run_queue(); }

void osl_loop(struct server *s)
{
	loop = s;
	server_timer_init(&soon, run_soon);
}

void osl_watch(struct server_watch *w, handle_t h, void (*ready)(struct server_watch *w, uint32_t found))
{
	server_add_watch(loop, w, h, READY_READ, ready);
}

void osl_unwatch(struct server_watch *w) { server_remove_watch(loop, w); }

/* ---- Time ---- */

void acpi_os_sleep(u64 ms) { sys_sleep(0, HANDLE_NONE, now_ns() + MIN_OF(ms, (u64)UINT32_MAX) * NS_PER_MS); }

void acpi_os_stall(u32 us)
{
	uint64_t end_ns = now_ns() + (uint64_t)us * NS_PER_US;

	while (now_ns() < end_ns)
		;
}

u64 acpi_os_get_timer(void) { return now_ns() / NS_PER_TICK; }

/* ---- Messages: a line each ---- */

void acpi_os_vprintf(const char *format, va_list arguments)
{
	static char line[LINE_BYTES];
	static size_t used;

	used += fmt_v(line + used, sizeof line - used, format, arguments);
	used = MIN_OF(used, sizeof line - 1);
	if (used && (line[used - 1] == '\n' || used == sizeof line - 1)) {
		print("%s", line);
		used = 0;
	}
}

void ACPI_INTERNAL_VAR_XFACE acpi_os_printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	acpi_os_vprintf(format, arguments);
	va_end(arguments);
}

acpi_status acpi_os_signal(u32 function, void *info)
{
	const struct acpi_signal_fatal_info *fatal = info;

	if (function == ACPI_SIGNAL_FATAL && fatal)
		print("acpid: the firmware says that something fatal happened: type %#x, code %#x, argument %#x\n", fatal->type, fatal->code, fatal->argument);
	return AE_OK;
}

/* ---- What we do not take part in ---- */

acpi_status acpi_os_initialize(void) { return AE_OK; }
acpi_status acpi_os_terminate(void) { return AE_OK; }
acpi_status acpi_os_enter_sleep(u8 state UNUSED, u32 a UNUSED, u32 b UNUSED) { return AE_OK; }
acpi_status acpi_os_initialize_debugger(void) { return AE_OK; }
void acpi_os_terminate_debugger(void) { }
acpi_status acpi_os_wait_command_ready(void) { return AE_NOT_EXIST; }
acpi_status acpi_os_notify_command_complete(void) { return AE_OK; }
void acpi_os_trace_point(acpi_trace_event_type type UNUSED, u8 begin UNUSED, u8 *aml UNUSED, char *path UNUSED) { }

acpi_status acpi_os_predefined_override(const struct acpi_predefined_names *object UNUSED, acpi_string *out)
{
	*out = NULL;
	return AE_OK;
}

acpi_status acpi_os_table_override(struct acpi_table_header *table UNUSED, struct acpi_table_header **out)
{
	*out = NULL;
	return AE_OK;
}

acpi_status acpi_os_physical_table_override(struct acpi_table_header *table UNUSED, acpi_physical_address *address, u32 *bytes)
{
	*address = 0;
	*bytes = 0;
	return AE_OK;
}
