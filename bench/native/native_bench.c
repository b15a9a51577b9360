/* bench/native/native_bench.c - what the kernel's own operations cost: the twin of bench/linux for native programs.
 *
 * native_bench [ROW,ROW...]; the output is that of bench/linux/main.c. For round trips it starts itself again as a server:
 * a bare one that does nothing but answer (what the kernel costs), and one of lib/scheme (what a server costs).
 */
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "bench/frame.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/ring.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { BLOCK = 4096, ASK = 9000, NOTHING, BATCH = 32 };

static char block[BLOCK];
static handle_t null_handle, it, server_process;

/* ---- Servers ------------------------------------------------------------------------------------------------------- */

/* Answers a READ with as much as is wanted, everything else with 1 and what came. */
static int serve_bare(void)
{
	struct message m;
	handle_t scheme = startup_handle("scheme");
	struct serve s = {
		.message = &m, .buffer = block, .buffer_bytes = sizeof block, .deadline_ns = DEADLINE_NONE, .data = block,
		.handle_and_flags = pack_handle(0, HANDLE_NONE, true),
	};

	for (;;) {
		if (sys_reply_receive(0, scheme, &s) < 0)
			return 1;
		s.tag = m.kind == MESSAGE_CLOSE ? 0 : m.request.tag;
		s.bytes = m.request.op == OP_READ || m.out_bytes < m.copied_bytes ? m.out_bytes : m.copied_bytes;
		s.result = m.request.op == OP_READ ? (int64_t)s.bytes : 1;
	}
}

static int64_t library_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	r->opened = block;
	return OK;
}

static int64_t library_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)offset;
	return (int64_t)(bytes < r->out_room ? bytes : r->out_room);
}

static int64_t library_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code == NOTHING)
		return (int64_t)word;
	err_t err = scheme_out(r, r->in, r->in_here < r->out_room ? r->in_here : r->out_room);
	return err ? err : 1;
}

static int serve_library(void)
{
	static const struct scheme_ops ops = { .open = library_open, .read = library_read, .call = library_call };
	static struct server server;
	static struct scheme scheme;

	return server_init(&server) || server_add_scheme(&server, &scheme, NULL, &ops, NULL) || server_run(&server);
}

/* ---- The client ----------------------------------------------------------------------------------------------------- */

/* Starts this program again, with these words and handles. */
static err_t self_start(const char *const *words, uint32_t word_count, const struct spawn_handle *handles, uint32_t handle_count, handle_t *process)
{
	struct file_stat st;
	handle_t image;
	err_t err;

	if ((err = handle_open("file", startup_argument(0), OPEN_READ | OPEN_EXEC, &image)))
		return err;
	if ((err = result_error(handle_call(image, FILE_STAT, NULL, 0, &st, sizeof st, 0))))
		goto close_image;
	struct spawn_options o = {
		.image = image, .image_bytes = st.bytes, .arguments = words, .argument_count = word_count, .handles = handles, .handle_count = handle_count,
		.namespace = HANDLE_NONE, .account = HANDLE_NONE, .admin = HANDLE_NONE,
	};
	err = spawn(&o, process, NULL);

close_image:
	handle_close(image);
	return err;
}

static err_t server_start(const char *mode)
{
	const char *words[] = { "native_bench", "serve", mode };
	err_t err;

	int64_t endpoint = sys_scheme(0, HANDLE_NONE, 0);
	if (endpoint < 0)
		return (err_t)endpoint;
	struct spawn_handle handles[] = { { "scheme", (handle_t)endpoint, HANDLE_NONE } };
	if ((err = self_start(words, 3, handles, 1, &server_process)))
		return err;
	return handle_open_at((handle_t)endpoint, "it", OPEN_READ | OPEN_WRITE, &it);
}

static bool must_start(const char *mode)
{
	err_t err = server_start(mode);

	if (err) {
		print("the %s server does not start: error %d\n", mode, -err);
		program_exit(1);
	}
	return true;
}

static bool bare_set_up(void) { return must_start("bare"); }
static bool library_set_up(void) { return must_start("library"); }

static void stop_server(void)
{
	handle_call(server_process, TASK_KILL, NULL, 0, NULL, 0, 0);
	handle_close(server_process);
	handle_close(it);
}

/* Handle and ring of what is asked: `ring:` or a server's thing. */
static handle_t ring_handle;
static struct ring ring;

static bool ring_set_up_on(handle_t h)
{
	ring_handle = h;
	if (ring_open(&ring, h, BATCH, BLOCK))
		program_exit(1);
	return true;
}

static bool ring_set_up(void)
{
	return must_start("library") && ring_set_up_on(it);
}

static void ring_tear_down(void)
{
	ring_close(&ring);
	stop_server();
}

static bool ring_kernel_set_up(void)
{
	handle_t h;

	return !handle_open("null", "", OPEN_READ | OPEN_WRITE, &null_handle) && !handle_open("ring", "", OPEN_READ, &h) && ring_set_up_on(h);
}

static void ring_kernel_tear_down(void)
{
	ring_close(&ring);
	handle_close(ring_handle);
	handle_close(null_handle);
}

static bool null_set_up(void)
{
	return !handle_open("null", "", OPEN_READ | OPEN_WRITE, &null_handle);
}

static void null_tear_down(void)
{
	handle_close(null_handle);
}

/* CONTROL_GET of a handle of null: as little as an operation can do. */
static void null_call(int count)
{
	while (count--)
		sys_control(0, null_handle, CONTROL_GET, 0);
}

/* A CALL without data, answered by another process. */
static void call_reply(int count)
{
	while (count--)
		handle_call(it, (enum code)ASK, NULL, 0, NULL, 0, 1);
}

/* The same with 64 bytes each way. */
static void call_reply_64b(int count)
{
	while (count--)
		handle_call(it, (enum code)ASK, block, 64, block, 64, 1);
}

/* A READ of 4 KiB, which the server answers with its own bytes. */
static void call_reply_4k(int count)
{
	while (count--)
		if (sys_read(0, it, block, BLOCK, -1) != BLOCK)
			program_exit(1);
}

/* 32 times CONTROL_GET in one call of the kernel. */
static void bulk_32(int count)
{
	struct request q[BATCH];

	while (count--) {
		for (uint32_t i = 0; i < BATCH; i++)
			q[i] = (struct request){ .op = OP_CONTROL, .handle = null_handle, .arg = { CONTROL_GET } };
		if (sys_bulk(0, HANDLE_NONE, q, BATCH) != BATCH)
			program_exit(1);
	}
}

/* A CALL without data to another process, eight of them in one call of the kernel. */
static void bulk_call_8(int count)
{
	struct request q[8];

	while (count--) {
		for (uint32_t i = 0; i < 8; i++)
			q[i] = (struct request){ .op = OP_CALL, .handle = it, .arg = { pack_handle(ASK, HANDLE_NONE, false), [5] = 1 } };
		if (sys_bulk(0, HANDLE_NONE, q, 8) != 8)
			program_exit(1);
	}
}

static void must_put(bool is_put)
{
	if (!is_put)
		program_exit(1);
}

/* Waits for the replies to all that was put. */
static void ring_batch_finish(void)
{
	struct reply reply;

	while (ring_in_flight(&ring) && ring_wait(&ring, 0) == OK) {
		struct ring_batch b = ring_batch_begin(&ring);
		while (ring_batch_take(&b, &reply))
			;
		ring_batch_end(&b);
	}
}

/* BATCH times the same, all but the tag of which is known when this is compiled, as in a program. */
static ALWAYS_INLINE void ring_batch_of(struct request q)
{
	struct ring_batch b = ring_batch_begin(&ring);

	for (q.tag = 0; q.tag < BATCH; q.tag++)
		must_put(ring_batch_put(&b, &q));
	ring_batch_end(&b);
	ring_batch_finish();
}

/* The same over a ring of the kernel. */
static void ring_kernel_32(int count)
{
	while (count--)
		ring_batch_of((struct request){ .op = OP_CONTROL, .handle = null_handle, .arg = { CONTROL_GET } });
}

/* 32 CALLs for nothing over a ring with another process, a server of lib/scheme. */
static void ring_32(int count)
{
	while (count--) {
		struct ring_batch b = ring_batch_begin(&ring);
		for (uint32_t tag = 0; tag < BATCH; tag++)
			must_put(ring_batch_put_call(&b, tag, NOTHING, 0));
		ring_batch_end(&b);
		ring_batch_finish();
	}
}

/* The same with 64 bytes each way. */
static void ring_32_64b(int count)
{
	while (count--)
		ring_batch_of((struct request){ .op = OP_CALL, .handle = HANDLE_NONE, .arg = { ASK, 0, 64, 64, 64 } });
}

/* ---- Pairs that have nothing to do with each other: one per CPU, each bound to its own ----------------------------------- */

enum { PAIRS_MAX = 64 };

struct ends { handle_t reader, writer; };

static void must(bool is_fine)
{
	if (!is_fine)
		program_exit(1);
}

static void ends_make(struct ends *p)
{
	must(!handle_open("pipe", "", OPEN_READ, &p->reader));
	must(!handle_open_at(p->reader, "write", OPEN_WRITE, &p->writer));
}

static uint32_t cpu_count(void)
{
	struct system_info info;
	handle_t h;

	must(!handle_open("sys", "info", OPEN_READ, &h));
	must(handle_call(h, SYS_INFO, NULL, 0, &info, sizeof info, 0) >= 0);
	handle_close(h);
	return info.cpus < PAIRS_MAX ? info.cpus : PAIRS_MAX;
}

/* The process's first thread. */
static void pin(handle_t process, uint32_t cpu)
{
	struct task_schedule s = { .flags = SCHEDULE_ONLY_AFFINITY, .affinity = 1ull << cpu };
	struct task_info info;

	must(handle_call(process, TASK_INFO, NULL, 0, &info, sizeof info, 0) >= 0);
	s.tid = info.pid;
	must(handle_call(process, TASK_SCHEDULE, &s, sizeof s, NULL, 0, 0) >= 0);
}

/* The client of a pair, in a process of its own: says that it is ready, waits until nobody holds the other end of go, calls. */
static int pair_run(void)
{
	struct { uint32_t cpu, count; } what;
	char byte = 0;

	must(sys_read(0, startup_handle("go"), &what, sizeof what, -1) == sizeof what);
	pin(startup_self(), what.cpu);
	it = startup_handle("it");
	call_reply(1);
	must(sys_write(0, startup_handle("ready"), &byte, 1, -1) == 1);
	must(sys_read(0, startup_handle("go"), &byte, 1, -1) == 0);
	call_reply((int)what.count);
	return 0;
}

static void pair_start(uint32_t cpu, int count, handle_t ready, struct ends *go, handle_t *server)
{
	const char *words[] = { "native_bench", "serve", "pair" };
	struct { uint32_t cpu, count; } what = { cpu, (uint32_t)count };
	handle_t client;

	ends_make(go);
	must_start("bare");
	*server = server_process;
	pin(server_process, cpu);
	struct spawn_handle handles[] = { { "it", it, HANDLE_NONE }, { "ready", ready, HANDLE_NONE }, { "go", go->reader, HANDLE_NONE } };
	must(!self_start(words, 3, handles, 3, &client));
	must(sys_write(0, go->writer, &what, sizeof what, -1) == sizeof what);
	handle_close(client);
	handle_close(it);
	handle_close(go->reader);
}

/* A CALL and its reply in every pair: with as many CPUs as pairs it takes as long as one alone, if they scale. */
static void call_reply_pairs(int count)
{
	uint32_t pairs = cpu_count();
	struct ends ready, go[PAIRS_MAX];
	handle_t server[PAIRS_MAX];
	char byte;

	ends_make(&ready);
	for (uint32_t i = 0; i < pairs; i++)
		pair_start(i, count, ready.writer, &go[i], &server[i]);
	handle_close(ready.writer);
	for (uint32_t i = 0; i < pairs; i++)
		must(sys_read(0, ready.reader, &byte, 1, -1) == 1);
	timer_start();
	for (uint32_t i = 0; i < pairs; i++)
		handle_close(go[i].writer);
	/* Its end comes when the last client is gone. */
	must(sys_read(0, ready.reader, &byte, 1, -1) == 0);
	timer_stop();
	for (uint32_t i = 0; i < pairs; i++) {
		handle_call(server[i], TASK_KILL, NULL, 0, NULL, 0, 0);
		handle_close(server[i]);
	}
	handle_close(ready.reader);
}

#define BARE .set_up = bare_set_up, .tear_down = stop_server
#define LIBRARY .set_up = library_set_up, .tear_down = stop_server
static const struct row rows[] = {
	{ .name = "null-call", .run = null_call, .count = 500, .set_up = null_set_up, .tear_down = null_tear_down },
	{ .name = "call-reply", .run = call_reply, .count = 200, BARE },
	{ .name = "call-reply-64b", .run = call_reply_64b, .count = 200, BARE },
	{ .name = "call-reply-4k", .run = call_reply_4k, .count = 200, BARE },
	{ .name = "library-call-reply", .run = call_reply, .count = 200, LIBRARY },
	{ .name = "library-call-reply-4k", .run = call_reply_4k, .count = 200, LIBRARY },
	{ .name = "bulk-32", .run = bulk_32, .count = 50, .per = BATCH, .set_up = null_set_up, .tear_down = null_tear_down },
	{ .name = "bulk-call-8", .run = bulk_call_8, .count = 50, .per = 8, BARE },
	{ .name = "ring-kernel-32", .run = ring_kernel_32, .count = 50, .per = BATCH, .set_up = ring_kernel_set_up, .tear_down = ring_kernel_tear_down },
	{ .name = "ring-32", .run = ring_32, .count = 50, .per = BATCH, .set_up = ring_set_up, .tear_down = ring_tear_down },
	{ .name = "ring-32-64b", .run = ring_32_64b, .count = 50, .per = BATCH, .set_up = ring_set_up, .tear_down = ring_tear_down },
	{ .name = "call-reply-pairs", .run = call_reply_pairs, .count = 500, .flags = ROW_TIMES_ITSELF },
};

static void print_line(const char *name, uint64_t median, uint64_t fastest)
{
	print("%s\t%llu\t%llu\n", name, (unsigned long long)median, (unsigned long long)fastest);
}

static void print_absent(const char *name)
{
	print("%s\tabsent\n", name);
}

/* As in bench/linux/main.c. */
static bool is_wanted(const char *name, const char *wanted)
{
	size_t bytes = strlen(name);

	for (const char *at = wanted; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, bytes) == 0 && (at[bytes] == ',' || !at[bytes]))
			return true;
	}
	return !wanted;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count == 3 && strcmp(startup_argument(2), "pair") == 0)
		return pair_run();
	if (startup->argument_count == 3 && strcmp(startup_argument(1), "serve") == 0)
		return strcmp(startup_argument(2), "bare") == 0 ? serve_bare() : serve_library();
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (is_wanted(rows[i].name, startup_argument(1)))
			row_measure(&rows[i], print_line, print_absent);
	print("BENCH END\n");
	return 0;
}
