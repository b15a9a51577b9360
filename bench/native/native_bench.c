/* bench/native/native_bench.c - what the kernel's own operations cost, in ticks of the time stamp counter.
 *
 * The twin of bench/bench.c for native programs; the same output. For round trips it starts itself again as a server:
 * a bare one that does nothing but answer (what the kernel costs), and one of lib/scheme (what a server costs).
 */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { BATCHES = 9, COUNT = 200, BLOCK = 4096, ASK = 9000 };

static char block[BLOCK];
static handle_t null_handle, it;

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* ---- Servers ------------------------------------------------------------------------------------------------------- */

/* Answers everything with 1 and sends back what came. */
static int serve_bare(void)
{
	struct message m;
	handle_t scheme = startup_handle("scheme");
	struct serve s = { .message = &m, .buffer = block, .buffer_bytes = sizeof block, .deadline_ns = DEADLINE_NONE };

	for (;;) {
		if (sys_reply_receive(0, scheme, &s) < 0)
			return 1;
		s.tag = m.kind == MESSAGE_CLOSE ? 0 : m.request.tag;
		s.result = 1;
		s.data = block;
		s.bytes = m.out_bytes < m.copied_bytes ? m.out_bytes : m.copied_bytes;
		s.handle_and_flags = pack_handle(0, HANDLE_NONE, true);
	}
}

static int64_t library_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	r->opened = block;
	return OK;
}

static int64_t library_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	(void)code, (void)word;
	err_t err = scheme_out(r, r->in, r->in_here < r->out_room ? r->in_here : r->out_room);
	return err ? err : 1;
}

static int serve_library(void)
{
	static const struct scheme_ops ops = { .open = library_open, .call = library_call };
	static struct server server;
	static struct scheme scheme;

	return server_init(&server) || server_add_scheme(&server, &scheme, NULL, &ops, NULL) || server_run(&server);
}

/* ---- Measuring ------------------------------------------------------------------------------------------------------ */

static void null_call(void)
{
	sys_control(0, null_handle, CONTROL_GET, 0);
}

static void clock_read(void)
{
	sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static void write_null(void)
{
	sys_write(0, null_handle, block, 1, -1);
}

static void round_trip(void)
{
	handle_call(it, (enum code)ASK, NULL, 0, NULL, 0, 1);
}

static void round_trip_64(void)
{
	handle_call(it, (enum code)ASK, block, 64, block, 64, 1);
}

static void round_trip_page(void)
{
	handle_call(it, (enum code)ASK, block, BLOCK, block, BLOCK, 1);
}

/* Insertion sort; the middle one. */
static uint64_t median(uint64_t *values)
{
	for (int i = 1; i < BATCHES; i++)
		for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
			uint64_t other = values[j];
			values[j] = values[j - 1];
			values[j - 1] = other;
		}
	return values[BATCHES / 2];
}

static void measure(const char *name, void (*operation)(void))
{
	uint64_t took[BATCHES];

	for (int i = 0; i < COUNT; i++)
		operation();
	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t start = ticks();
		for (int i = 0; i < COUNT; i++)
			operation();
		took[batch] = ticks() - start;
	}
	print("%s\t%llu\n", name, (unsigned long long)(median(took) / COUNT));
}

static err_t server_start(const char *mode, handle_t *process)
{
	const char *arguments[] = { "native_bench", mode };
	struct file_stat st;
	handle_t image;
	err_t err;

	int64_t endpoint = sys_scheme(0, HANDLE_NONE, 0);
	if (endpoint < 0)
		return (err_t)endpoint;
	if ((err = handle_open("file", startup_argument(0), OPEN_READ | OPEN_EXEC, &image)))
		return err;
	if ((err = result_error(handle_call(image, FILE_STAT, NULL, 0, &st, sizeof st, 0))))
		return err;
	struct spawn_handle handles[] = { { "scheme", (handle_t)endpoint, HANDLE_NONE } };
	struct spawn_options o = {
		.image = image, .image_bytes = st.bytes, .arguments = arguments, .argument_count = 2, .handles = handles, .handle_count = 1,
		.namespace = HANDLE_NONE, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};
	if ((err = spawn(&o, process, NULL)))
		return err;
	handle_close(image);
	return handle_open_at((handle_t)endpoint, "it", OPEN_READ | OPEN_WRITE, &it);
}

static bool measure_server(const char *mode, const char *none, const char *some, const char *page)
{
	handle_t process;
	err_t err = server_start(mode, &process);

	if (err) {
		print("the %s server does not start: error %d\n", mode, -err);
		return false;
	}
	measure(none, round_trip);
	measure(some, round_trip_64);
	measure(page, round_trip_page);
	handle_call(process, TASK_KILL, NULL, 0, NULL, 0, 0);
	handle_close(process);
	handle_close(it);
	return true;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1)
		return strcmp(startup_argument(1), "bare") == 0 ? serve_bare() : serve_library();
	if (handle_open("null", "", OPEN_READ | OPEN_WRITE, &null_handle))
		return 1;
	measure("native: null call (control)", null_call);
	measure("native: clock", clock_read);
	measure("native: write 1 B to null:", write_null);
	if (!measure_server("bare", "native: call and reply", "native: the same, 64 B each way", "native: the same, 4 KiB each way"))
		return 1;
	if (!measure_server("library", "native: lib/scheme call and reply", "native: lib/scheme, 64 B each way", "native: lib/scheme, 4 KiB each way"))
		return 1;
	return 0;
}
