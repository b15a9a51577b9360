/* tests/native/handover.c - a call that gives its CPU straight to the server, and the answer back: what each side finds then; prints TAP.
 *
 * The kernel finishes on such a path what the other side waits for (kernel/ipc/fast.c). A bare server, which is this program again, so that
 * it decides what of its memory is there.
 */
#include "abi/ops.h"
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "lib/native/thread.h"
#include "tests/native/child.h"

enum { ADD = 9000, KEEP, RELEASE, KEPT, CLOSES, CANCELS, MIX };      /* CALL's codes */
enum { CALLS = 40, SMALL = 96 };

/* ---- A call with a pattern in every register that it keeps ------------------------------------------------------------- */

struct registers {
	uint64_t call[8];               /* rax rdi rsi rdx r10 r8 r9 r12: the call, then its result and what is kept */
	uint64_t general[5];            /* rbx rbp r13 r14 r15 */
	uint64_t fs, gs;
	uint8_t vector[16][16];
};

void call_with(struct registers *r);
__asm__(
	".text\n.globl call_with\ncall_with:\n"
	".irp r, rbx, rbp, r12, r13, r14, r15, rdi\n\tpush %\\r\n.endr\n"
	"mov %rdi, %rcx\n"
	"mov 104(%rcx), %rax\nwrfsbase %rax\nmov 112(%rcx), %rax\nwrgsbase %rax\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\tmovups 120 + 16 * \\n(%rcx), %xmm\\n\n.endr\n"
	"mov (%rcx), %rax\nmov 8(%rcx), %rdi\nmov 16(%rcx), %rsi\nmov 24(%rcx), %rdx\nmov 32(%rcx), %r10\nmov 40(%rcx), %r8\n"
	"mov 48(%rcx), %r9\nmov 56(%rcx), %r12\nmov 64(%rcx), %rbx\nmov 72(%rcx), %rbp\nmov 80(%rcx), %r13\nmov 88(%rcx), %r14\n"
	"mov 96(%rcx), %r15\n"
	"syscall\n"
	"mov (%rsp), %rcx\n"
	"mov %rax, (%rcx)\nmov %rdi, 8(%rcx)\nmov %rsi, 16(%rcx)\nmov %rdx, 24(%rcx)\nmov %r10, 32(%rcx)\nmov %r8, 40(%rcx)\n"
	"mov %r9, 48(%rcx)\nmov %r12, 56(%rcx)\nmov %rbx, 64(%rcx)\nmov %rbp, 72(%rcx)\nmov %r13, 80(%rcx)\nmov %r14, 88(%rcx)\n"
	"mov %r15, 96(%rcx)\n"
	"rdfsbase %rax\nmov %rax, 104(%rcx)\nrdgsbase %rax\nmov %rax, 112(%rcx)\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\tmovups %xmm\\n, 120 + 16 * \\n(%rcx)\n.endr\n"
	".irp r, rdi, r15, r14, r13, r12, rbp, rbx\n\tpop %\\r\n.endr\n"
	"ret\n");

static void fill(struct registers *r, uint64_t seed)
{
	for (int i = 0; i < 5; i++)
		r->general[i] = seed * 0x9e3779b97f4a7c15ull + (uint64_t)i;
	r->fs = (seed * 4096 + 8) & 0x7fffffffffff;
	r->gs = (seed * 8192 + 16) & 0x7fffffffffff;
	for (int i = 0; i < 16; i++)
		memset(r->vector[i], (int)(seed + (uint64_t)i), 16);
}

/* But for the result, what came back in rdx, rcx and r11. */
static bool is_kept(const struct registers *now, const struct registers *before)
{
	return memcmp(&now->call[1], &before->call[1], 2 * sizeof(uint64_t)) == 0 && memcmp(&now->call[4], &before->call[4], sizeof *now - 4 * sizeof(uint64_t)) == 0;
}

/* ---- The server ----------------------------------------------------------------------------------------------------- */

static handle_t endpoint;
static uint64_t opens, kept, closes, cancels;   /* kept: tag */
static bool is_spoiled;

static int64_t receive(struct serve *v, uint64_t seed)
{
	struct registers r = { .call = { NATIVE_CALL_BASE + OP_REPLY_RECEIVE, (uint64_t)endpoint, (uint64_t)v, 1, 2, 3, 4, seed } }, before;

	fill(&r, seed | 1ull << 40);
	before = r;
	call_with(&r);
	is_spoiled |= !is_kept(&r, &before) || r.call[3] != before.call[3];
	return (int64_t)r.call[0];
}

static int64_t answer_to(const struct message *m, const uint8_t *in, uint8_t *out, struct serve *v)
{
	switch (m->request.op == OP_OPEN ? OP_OPEN : m->request.arg[0]) {
	case OP_OPEN:
		return (int64_t)++opens;
	case KEEP:
		kept = m->request.tag;
		v->tag = 0;
		return 0;
	case RELEASE:
		return sys_reply(0, endpoint, __atomic_exchange_n(&kept, 0, __ATOMIC_RELAXED), 7, NULL, 0, pack_handle(0, HANDLE_NONE, true));
	case KEPT:
		return kept != 0;
	case CLOSES:
		return (int64_t)closes;
	case CANCELS:
		return (int64_t)cancels;
	case MIX:
		for (uint32_t i = 0; i < m->in_bytes; i++)
			out[i] = (uint8_t)(in[i] ^ m->request.arg[5]);
		v->bytes = m->copied_bytes;
		return (int64_t)m->in_bytes;
	}
	return is_spoiled ? -1 : (int64_t)m->request.arg[5] + 1;
}

/* "absent": whenever it waits, none of the memory that a call changes is there; "wild": its first message goes nowhere. */
static int serve(const char *how)
{
	bool is_absent = strcmp(how, "absent") == 0;
	static uint8_t out[SMALL];
	uint64_t page = (uint64_t)sys_map(0, HANDLE_NONE, 0, 8192, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);
	struct message *m = (struct message *)(page + 4096 - sizeof *m / 2);
	struct serve v = { .message = m, .buffer = (void *)(page + 6000), .buffer_bytes = SMALL, .deadline_ns = DEADLINE_NONE };

	endpoint = startup_handle("endpoint");
	if (strcmp(how, "wild") == 0) {
		v.message = (void *)8;
		if (sys_reply_receive(0, endpoint, &v) != ERR_FAULT)
			return 1;
		v.message = m;
	}
	for (uint64_t n = 0;; n++) {
		if (is_absent && sys_advise(0, HANDLE_NONE, page, 8192, ADVICE_DONTNEED) < 0)
			return 2;
		if (receive(&v, n) < 0)
			return 3;
		v.tag = m->kind == MESSAGE_REQUEST ? m->request.tag : 0;
		closes += m->kind == MESSAGE_CLOSE;
		cancels += m->kind == MESSAGE_CANCEL;
		if (m->kind == MESSAGE_CANCEL && m->request.tag == kept) {
			v.tag = kept;
			v.result = ERR_INTR;
			kept = 0;
			continue;
		}
		v.data = out;
		v.bytes = 0;
		v.handle_and_flags = pack_handle(0, HANDLE_NONE, true);
		v.result = m->kind == MESSAGE_REQUEST ? answer_to(m, (uint8_t *)page + 6000, out, &v) : 0;
	}
}

/* ---- The test ------------------------------------------------------------------------------------------------------- */

static handle_t scheme, it, process;

static int64_t ask_of(handle_t h, uint32_t code, uint64_t word)
{
	return sys_call(0, h, pack_handle(code, HANDLE_NONE, false), NULL, 0, NULL, 0, word);
}

static int64_t ask(uint32_t code, uint64_t word) { return ask_of(it, code, word); }

/* Something that another thread or process is about to do. */
static bool comes_to(uint32_t code, int64_t value)
{
	for (int n = 0; n < 300; n++) {
		if (ask(code, 0) == value)
			return true;
		sys_sleep(0, HANDLE_NONE, now_ns() + 3000000);
	}
	return false;
}

static void with_server(const char *how, void (*test)(void))
{
	scheme = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
	process = child_start("serve", how, "endpoint", scheme);
	CHECK(handle_open_at(scheme, "it", OPEN_READ | OPEN_WRITE, &it) == OK);
	test();
	handle_close(it);
	child_stop(process);
	handle_close(scheme);
}

static void check_registers(void)
{
	struct registers r, before;

	for (uint64_t n = 0; n < CALLS; n++) {
		r = (struct registers){ .call = { NATIVE_CALL_BASE + OP_CALL, (uint64_t)it, pack_handle(ADD, HANDLE_NONE, false), 0, 0, 0, 0, n } };
		fill(&r, n);
		before = r;
		call_with(&r);
		CHECK(is_kept(&r, &before));
		CHECK((int64_t)r.call[0] == (int64_t)n + 1 && (handle_t)r.call[3] == HANDLE_NONE);
	}
}

/* Small data both ways; the client's memory for the answer was not touched before. */
static void check_data(void)
{
	uint8_t in[SMALL];
	uint64_t page = (uint64_t)sys_map(0, HANDLE_NONE, 0, 8192, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);
	uint8_t *out = (uint8_t *)page + 4096 - 40;

	for (uint64_t n = 1; n < CALLS; n++) {
		uint32_t wrong = 0;
		size_t bytes = n * 7 % SMALL + 1;
		for (size_t i = 0; i < bytes; i++)
			in[i] = (uint8_t)(n * i);
		if (n % 3)
			CHECK(sys_advise(0, HANDLE_NONE, page, 8192, ADVICE_DONTNEED) == 0);
		CHECK(sys_call(0, it, pack_handle(MIX, HANDLE_NONE, false), in, bytes, out, bytes, n) == (int64_t)bytes);
		for (size_t i = 0; i < bytes; i++)
			wrong += out[i] != (uint8_t)(in[i] ^ n);
		CHECK(wrong == 0);
	}
	CHECK(sys_call(0, it, pack_handle(MIX, HANDLE_NONE, false), in, 8, (void *)8, 8, 0) == ERR_FAULT);
	CHECK(sys_call(0, it, pack_handle(MIX, HANDLE_NONE, false), (void *)8, 8, out, 8, 0) == ERR_FAULT);
	CHECK(ask(ADD, 5) == 6);
	sys_unmap(0, HANDLE_NONE, page, 8192);
}

static void check_both(void)
{
	check_registers();
	check_data();
}

static void both_sides_keep_their_registers(void) { with_server("present", check_both); }
static void memory_that_is_not_there_is_fetched(void) { with_server("absent", check_both); }

static void a_servers_wild_pointer_is_its_own_trouble(void)
{
	scheme = (handle_t)sys_scheme(0, HANDLE_NONE, 0);
	process = child_start("serve", "wild", "endpoint", scheme);
	CHECK(handle_open_at(scheme, "it", OPEN_READ, &it) == ERR_IO);
	CHECK(handle_open_at(scheme, "it", OPEN_READ, &it) == OK);
	CHECK(ask(ADD, 1) == 2);
	handle_close(it);
	child_stop(process);
	handle_close(scheme);
}

/* A thread that calls once. */
static handle_t called;
static uint32_t has_ended;
static int64_t result;

static void call_keep(void *argument)
{
	(void)argument;
	result = ask_of(called, KEEP, 0);
	__atomic_store_n(&has_ended, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &has_ended, 1, 0);
}

static void wait_for_thread(void)
{
	while (!__atomic_load_n(&has_ended, __ATOMIC_ACQUIRE))
		sys_futex_wait(0, HANDLE_NONE, &has_ended, 0, DEADLINE_NONE);
}

static void check_last_handle(void)
{
	uint32_t tid;

	for (int n = 1; n < 10; n++) {
		CHECK(handle_open_at(scheme, "it", OPEN_READ | OPEN_WRITE, &called) == OK);
		has_ended = 0;
		CHECK(thread_create(call_keep, NULL, &tid) == OK);
		CHECK(comes_to(KEPT, 1));
		handle_close(called);
		CHECK(ask(CLOSES, 0) == n - 1);
		CHECK(ask(RELEASE, 0) == 0);
		wait_for_thread();
		CHECK(result == 7);
		CHECK(comes_to(CLOSES, n));
	}
}

static void the_last_handle_goes_after_the_call(void) { with_server("present", check_last_handle); }

/* Whoever waits in a call or for one is looked at, stopped, goes on. */
static bool is_seen(handle_t of)
{
	struct thread_info t;
	struct task_info s;
	uint64_t bytes[2];

	return handle_call(of, TASK_INFO, NULL, 0, &s, sizeof s, 0) >= 0 && handle_call(of, TASK_NEXT_THREAD, NULL, 0, &t, sizeof t, 0) >= 0 && t.state &&
	       handle_call(of, TASK_REGIONS, NULL, 0, bytes, 0, 0) >= 0;
}

static void go_on_later(void *argument)
{
	(void)argument;
	sys_sleep(0, HANDLE_NONE, now_ns() + 20000000);
	CHECK(handle_call(process, TASK_CONTINUE, NULL, 0, NULL, 0, 0) >= 0);
}

static void check_stops(void)
{
	uint32_t tid;

	for (uint64_t n = 0; n < 4; n++) {
		CHECK(ask(ADD, n) == (int64_t)n + 1);
		CHECK(is_seen(process));
		CHECK(handle_call(process, TASK_STOP, NULL, 0, NULL, 0, 0) >= 0);
		CHECK(thread_create(go_on_later, NULL, &tid) == OK);
		uint64_t since = now_ns();
		CHECK(ask(ADD, n) == (int64_t)n + 1);
		CHECK(now_ns() - since > 10000000);
	}
	handle_t client = child_start("keep", "", "it", it);
	CHECK(comes_to(KEPT, 1));
	CHECK(is_seen(client));
	CHECK(handle_call(client, TASK_STOP, NULL, 0, NULL, 0, 0) >= 0);
	CHECK(ask(RELEASE, 0) == 0);
	CHECK(is_seen(client));
	CHECK(handle_call(client, TASK_CONTINUE, NULL, 0, NULL, 0, 0) >= 0);
	CHECK(comes_to(KEPT, 1));
	child_stop(client);
	CHECK(comes_to(CANCELS, 1));
	CHECK(ask(KEPT, 0) == 0);
	CHECK(ask(ADD, 1) == 2);
}

static void who_waits_can_be_stopped_and_killed(void) { with_server("present", check_stops); }

static void check_traces(void)
{
	handle_t trace;

	CHECK(handle_open("sys", "trace", OPEN_READ, &trace) == OK);
	for (uint64_t n = 0; n < 20; n++) {
		CHECK(handle_call(trace, SYS_TRACE, NULL, 0, NULL, 0, n % 2 ? TRACE_STOP : TRACE_START) >= 0);
		CHECK(ask(ADD, n) == (int64_t)n + 1);
	}
	CHECK(handle_call(trace, SYS_TRACE, NULL, 0, NULL, 0, TRACE_STOP) >= 0);
	handle_close(trace);
}

static void tracing_comes_between(void) { with_server("present", check_traces); }

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 1 && strcmp(startup_argument(1), "serve") == 0)
		return serve(startup_argument(2));
	if (startup->argument_count > 1) {
		it = startup_handle("it");
		return ask(KEEP, 0) == 7 && ask(KEEP, 0) == 8;
	}
	if (!child_image_open()) {
		print("not ok 1 - the test can begin\n1..1\n");
		return 1;
	}
	run("both sides keep their registers", both_sides_keep_their_registers);
	run("memory that is not there is fetched", memory_that_is_not_there_is_fetched);
	run("a server's wild pointer is its own trouble", a_servers_wild_pointer_is_its_own_trouble);
	run("the last handle goes after the call", the_last_handle_goes_after_the_call);
	run("who waits can be stopped and killed", who_waits_can_be_stopped_and_killed);
	run("tracing comes between", tracing_comes_between);
	print("1..%u\n", points);
	return failures != 0;
}
