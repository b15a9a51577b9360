/* servers/execd/main.c - runs the one command of `./cathode exec`: a serial line on one side, pipes on the other.
 *
 * Handles: "port", "fifo" (the ports of COM2), "irq" (its interrupt), "posix", "admin", "personality" (its ELF file), "root" (file:/),
 * "trace" (sys:trace). The command gets execd's own namespace.
 */
#include "abi/proto/init.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/spawn.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/execd/command.h"
#include "servers/execd/session.h"
#include "servers/execd/uart.h"

enum { STATUS_LOST = 126, STATUS_SIGNALLED = 128, TRACE_RECORD_BYTES = 32 /* READ of sys:trace gives whole ones */ };
/* How long output may stay away, after the command's end, while others still hold its pipes. */
#define QUIET_NS 500000000ull
#define LOOK_NS 1000000000ull

/* One of the command's output streams. */
struct stream {
	enum exec_channel channel;
	handle_t pipe;                  /* our end; HANDLE_NONE: over */
	struct server_watch watch;
};

static struct {
	struct server server;
	struct uart uart;
	struct session session;
	uint64_t personality_bytes;
	handle_t irq, posix, namespace, trace;
	struct server_watch irq_watch, stdin_watch, process_watch;
	struct server_timer quiet_timer, look_timer;
	handle_t stdin_pipe;            /* our end, to write; HANDLE_NONE: over */
	struct stream stream[2];        /* standard output, standard error */
	handle_t process;               /* HANDLE_NONE: no command, or it has ended */
	uint32_t pid, status;
	bool has_ended;                 /* it has run and ended; status says how */
	bool is_quiet;                  /* and nothing has come for a while */
	bool has_trace, is_tracing;     /* it was asked for; there is more of it to send */
} execd;

/* ---- The command's end ---------------------------------------------------------------------------------------------- */

/* As a shell says it: exceptions are the signals that they become (Linux's numbers). */
static uint32_t status_of(const struct task_info *info)
{
	enum { VECTOR_DIVIDE = 0, VECTOR_OPCODE = 6, SIGNAL_ILL = 4, SIGNAL_FPE = 8, SIGNAL_SEGV = 11 };

	switch (info->end) {
	case TASK_EXITED:
		return info->status & 0xff;
	case TASK_KILLED:
		return STATUS_SIGNALLED + (info->status & 0x7f);
	default:
		return STATUS_SIGNALLED + (info->status == VECTOR_DIVIDE ? SIGNAL_FPE : info->status == VECTOR_OPCODE ? SIGNAL_ILL : SIGNAL_SEGV);
	}
}

static void quiet_restart(void)
{
	if (execd.has_ended)
		server_timer_set(&execd.server, &execd.quiet_timer, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + QUIET_NS);
}

static void on_quiet(struct server_timer *t)
{
	(void)t;
	execd.is_quiet = true;
}

/* Until there is a command the line is looked at now and then. Once in about a thousand starts the host was never heard, and nobody knows why
 * (doc/status.md): this says which end it is, and goes on. */
static void on_look(struct server_timer *t)
{
	if (execd.session.state >= SESSION_RUNNING)
		return;
	if (uart_has_data(&execd.uart))
		print("execd: bytes came without an interrupt\n");
	server_timer_set(&execd.server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + LOOK_NS);
}

static void on_process(struct server_watch *w, uint32_t found)
{
	struct task_info info;

	(void)found;
	execd.status = handle_call(execd.process, TASK_INFO, NULL, 0, &info, sizeof info, 0) < 0 ? STATUS_LOST : status_of(&info);
	server_remove_watch(&execd.server, w);
	handle_close(execd.process);
	execd.process = HANDLE_NONE;
	execd.has_ended = true;
	quiet_restart();
}

/* ---- Streams ----------------------------------------------------------------------------------------------------------- */

static void stream_end(struct stream *s)
{
	if (s->pipe == HANDLE_NONE)
		return;
	server_remove_watch(&execd.server, &s->watch);
	handle_close(s->pipe);
	s->pipe = HANDLE_NONE;
	session_put_end(&execd.session, s->channel);
}

/* Moves what the command wrote, as far as the host takes it. True: something moved. */
static bool stream_pump(struct stream *s)
{
	static uint8_t block[EXEC_PAYLOAD_MAX];

	if (s->pipe == HANDLE_NONE)
		return false;
	if (execd.session.channel[s->channel].is_closed) {
		stream_end(s);
		return true;
	}
	size_t room = session_room(&execd.session, s->channel);
	if (room == 0)
		return false;
	int64_t n = sys_read(REQUEST_NONBLOCK, s->pipe, block, room, -1);
	if (n > 0) {
		session_put(&execd.session, s->channel, block, (size_t)n);
		quiet_restart();
		return true;
	}
	if (n == ERR_AGAIN && !(execd.has_ended && execd.is_quiet))
		return false;
	stream_end(s);
	return true;
}

static void stdin_end(void)
{
	if (execd.stdin_pipe == HANDLE_NONE)
		return;
	server_remove_watch(&execd.server, &execd.stdin_watch);
	handle_close(execd.stdin_pipe);
	execd.stdin_pipe = HANDLE_NONE;
}

static bool stdin_pump(void)
{
	const uint8_t *bytes;

	if (execd.stdin_pipe == HANDLE_NONE)
		return false;
	size_t count = session_stdin(&execd.session, &bytes);
	if (count == 0) {
		if (execd.session.stdin_has_ended)
			stdin_end();
		return execd.session.stdin_has_ended;
	}
	int64_t n = sys_write(REQUEST_NONBLOCK, execd.stdin_pipe, bytes, count, -1);
	if (n > 0) {
		session_stdin_taken(&execd.session, (size_t)n);
		return true;
	}
	if (n == ERR_AGAIN)
		return false;
	session_stdin_close(&execd.session);
	stdin_end();
	return true;
}

static void watches_set(void)
{
	const uint8_t *bytes;

	for (size_t i = 0; i < ARRAY_COUNT(execd.stream); i++) {
		struct stream *s = &execd.stream[i];
		if (s->pipe != HANDLE_NONE)
			server_set_watch(&execd.server, &s->watch, session_room(&execd.session, s->channel) > 0 ? READY_READ : 0);
	}
	if (execd.stdin_pipe != HANDLE_NONE)
		server_set_watch(&execd.server, &execd.stdin_watch, session_stdin(&execd.session, &bytes) > 0 ? READY_WRITE : READY_ERROR);
}

/* The pump does the work; a watch only ends the wait. */
static void on_anything(struct server_watch *w, uint32_t found)
{
	(void)w;
	(void)found;
}

/* The other end of standard input's pipe may go while there is nothing to write. */
static void on_stdin(struct server_watch *w, uint32_t found)
{
	(void)w;
	if (!(found & (READY_ERROR | READY_HANGUP)))
		return;
	session_stdin_close(&execd.session);
	stdin_end();
}

/* ---- Starting the command ------------------------------------------------------------------------------------------------ */

struct pipe { handle_t reader, writer; };

static err_t pipe_make(struct pipe *out)
{
	err_t err;

	if ((err = handle_open("pipe", "", OPEN_READ, &out->reader)))
		return err;
	if ((err = handle_open_at(out->reader, "write", OPEN_WRITE, &out->writer)))
		handle_close(out->reader);
	return err;
}

static void pipe_close(struct pipe *p)
{
	handle_close(p->reader);
	handle_close(p->writer);
}

static err_t pipes_make(struct pipe pipe[3])
{
	err_t err;

	for (int i = 0; i < 3; i++)
		if ((err = pipe_make(&pipe[i]))) {
			while (i-- > 0)
				pipe_close(&pipe[i]);
			return err;
		}
	return OK;
}

/* From here on the pipes are ours to pump; the command's ends are closed. */
static void pipes_keep(struct pipe pipe[3])
{
	static const enum exec_channel channels[2] = { EXEC_STDOUT, EXEC_STDERR };

	handle_close(pipe[0].reader);
	execd.stdin_pipe = pipe[0].writer;
	server_add_watch(&execd.server, &execd.stdin_watch, execd.stdin_pipe, READY_ERROR, on_stdin);
	for (int i = 0; i < 2; i++) {
		struct stream *s = &execd.stream[i];
		handle_close(pipe[i + 1].writer);
		s->channel = channels[i];
		s->pipe = pipe[i + 1].reader;
		server_add_watch(&execd.server, &s->watch, s->pipe, READY_READ, on_anything);
	}
}

static err_t adopt(handle_t process)
{
	struct posix_fork fork = { 0 };

	return result_error(sys_call(0, execd.posix, pack_handle(POSIX_ADOPT, process, false), &fork, sizeof fork, NULL, 0, 0));
}

/* The personality looks the program up, and says when it cannot be run (127, 126). */
static err_t command_spawn(const struct command *c, handle_t cwd, struct pipe pipe[3])
{
	struct task_cred cred = { .uid = c->uid, .gid = c->gid };
	const struct spawn_handle handles[] = {
		{ "stdin", pipe[0].reader, 0 }, { "stdout", pipe[1].writer, 1 }, { "stderr", pipe[2].writer, 2 },
		{ "posix", execd.posix, HANDLE_NONE }, { "root", startup_handle("root"), HANDLE_NONE }, { "cwd", cwd, HANDLE_NONE },
		{ "self-image", startup_handle("personality"), HANDLE_NONE },
		{ "strace", pipe[2].writer, HANDLE_NONE },      /* only when asked for: the last */
	};
	bool is_traced = command_environment(c, "CATHODE_STRACE") != NULL;
	struct spawn_options o = {
		.image = startup_handle("personality"), .image_bytes = execd.personality_bytes, .name = c->arguments[0],
		.arguments = c->arguments, .argument_count = c->argument_count,
		.environment = c->environment, .environment_count = c->environment_count,
		.handles = handles, .handle_count = ARRAY_COUNT(handles) - !is_traced, .namespace = execd.namespace,
		.account = HANDLE_NONE, .cred = &cred, .admin = startup_handle("admin"), .priority = PRIORITY_NORMAL,
	};
	struct spawned s;
	err_t err;

	if ((err = spawn_prepare(&o, &s)))
		return err;
	if ((err = adopt(s.process)) || (err = spawn_start(&s))) {
		spawn_abandon(&s);
		return err;
	}
	execd.process = s.process;
	execd.pid = s.pid;
	server_add_watch(&execd.server, &execd.process_watch, s.process, READY_READ, on_process);
	return OK;
}

/* An error says that it could not even be tried. */
static err_t command_run(const struct command *c)
{
	struct pipe pipe[3];
	handle_t cwd;
	err_t err;

	if ((err = handle_open_at(startup_handle("root"), c->folder, OPEN_READ | OPEN_DIRECTORY, &cwd)))
		return err;
	if ((err = pipes_make(pipe)))
		goto close_cwd;
	if ((err = command_spawn(c, cwd, pipe))) {
		for (int i = 0; i < 3; i++)
			pipe_close(&pipe[i]);
		goto close_cwd;
	}
	pipes_keep(pipe);

close_cwd:
	handle_close(cwd);
	return err;
}

static void trace_start(void)
{
	execd.is_tracing = handle_call(execd.trace, SYS_TRACE, NULL, 0, NULL, 0, TRACE_START) >= 0;
}

static void fail(const char *what, err_t err)
{
	char text[128];

	fmt(text, sizeof text, "%s (error %d)", what, -err);
	session_fail(&execd.session, text);
}

static void command_begin(void)
{
	struct command c;
	err_t err;

	session_begin(&execd.session);
	if ((err = command_parse(execd.session.command, execd.session.command_bytes, &c))) {
		fail("the command makes no sense", err);
		return;
	}
	execd.has_trace = c.flags & EXEC_WITH_TRACE;
	if (execd.has_trace)
		trace_start();
	if ((err = command_run(&c)))
		fail("the command cannot be tried", err);
	command_free(&c);
}

/* ---- Its end, as the host hears of it -------------------------------------------------------------------------------------- */

static bool trace_pump(void)
{
	static uint8_t block[EXEC_PAYLOAD_MAX];

	if (!execd.is_tracing || !execd.has_ended)
		return false;
	size_t room = session_room(&execd.session, EXEC_TRACE);
	if (room < TRACE_RECORD_BYTES && !execd.session.channel[EXEC_TRACE].is_closed)
		return false;
	handle_call(execd.trace, SYS_TRACE, NULL, 0, NULL, 0, TRACE_STOP);
	int64_t n = room >= TRACE_RECORD_BYTES ? sys_read(REQUEST_NONBLOCK, execd.trace, block, room, -1) : 0;
	if (n > 0)
		session_put(&execd.session, EXEC_TRACE, block, (size_t)n);
	else
		execd.is_tracing = false;
	return true;
}

static void end_if_over(void)
{
	struct session *s = &execd.session;

	if (s->state != SESSION_RUNNING || !execd.has_ended || execd.is_tracing)
		return;
	if (execd.stream[0].pipe != HANDLE_NONE || execd.stream[1].pipe != HANDLE_NONE)
		return;
	session_stdin_close(s);
	stdin_end();
	for (unsigned c = EXEC_STDOUT; c <= (execd.has_trace ? EXEC_TRACE : EXEC_STDERR); c++)
		session_put_end(s, c);
	session_exit(s, execd.status);
}

static void signal_send(void)
{
	struct posix_signal signal = { .target = -(int32_t)execd.pid, .signal = execd.session.signal };

	execd.session.signal = 0;
	if (execd.process != HANDLE_NONE)
		handle_call(execd.posix, POSIX_KILL, &signal, sizeof signal, NULL, 0, 0);
}

/* The line broke a rule: the command, if any, is nobody's any more. */
static void start_over(void)
{
	if (execd.process != HANDLE_NONE) {
		enum { SIGNAL_KILL = 9 };
		execd.session.signal = SIGNAL_KILL;
		signal_send();
		server_remove_watch(&execd.server, &execd.process_watch);
		handle_close(execd.process);
		execd.process = HANDLE_NONE;
	}
	stdin_end();
	for (size_t i = 0; i < ARRAY_COUNT(execd.stream); i++)
		stream_end(&execd.stream[i]);
	execd.has_ended = execd.is_quiet = execd.is_tracing = false;
	session_hello(&execd.session);
}

static NORETURN void power_off(void)
{
	handle_t h;

	if (handle_open("init", "", OPEN_READ | OPEN_WRITE, &h) == OK)
		handle_call(h, INIT_POWER, NULL, 0, NULL, 0, POWER_OFF);
	print("execd: cannot power off\n");
	program_exit(1);
}

/* ---- The line ----------------------------------------------------------------------------------------------------------------- */

static bool line_receive(void)
{
	uint8_t bytes[UART_FIFO_BYTES];
	size_t n = uart_receive(&execd.uart, bytes);

	if (n > 0)
		session_feed(&execd.session, bytes, n);
	return n > 0;
}

static bool line_send(void)
{
	const uint8_t *bytes;
	size_t count = session_output(&execd.session, &bytes);
	size_t n = uart_send(&execd.uart, bytes, count);

	session_sent(&execd.session, n);
	uart_want_transmit(&execd.uart, count > n);
	return n > 0;
}

/* Acknowledged before the chip is looked at: what comes meanwhile raises the line anew. */
static void on_irq(struct server_watch *w, uint32_t found)
{
	uint64_t count;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof count, -1) == sizeof count)
		(void)!handle_write(w->handle, &count, sizeof count);
}

static void session_step(void)
{
	struct session *s = &execd.session;
	const uint8_t *bytes;

	if (s->is_broken) {
		if (session_output(s, &bytes) == 0)
			start_over();
		return;
	}
	if (s->state == SESSION_READY)
		command_begin();
	if (s->signal)
		signal_send();
	if (s->state == SESSION_GOODBYE)
		power_off();
	end_if_over();
}

/* Moves everything that can be moved. */
static void pump(void)
{
	bool moved;

	do {
		moved = line_receive();
		session_step();
		moved |= stdin_pump();
		for (size_t i = 0; i < ARRAY_COUNT(execd.stream); i++)
			moved |= stream_pump(&execd.stream[i]);
		moved |= trace_pump();
		session_step();
		moved |= line_send();
	} while (moved);
	watches_set();
}

/* ---- The beginning -------------------------------------------------------------------------------------------------------------- */

static err_t prepare(void)
{
	struct mem_info info;
	err_t err;

	execd.process = execd.stdin_pipe = execd.stream[0].pipe = execd.stream[1].pipe = HANDLE_NONE;
	execd.irq = startup_handle("irq");
	execd.posix = startup_handle("posix");
	execd.trace = startup_handle("trace");
	server_timer_init(&execd.quiet_timer, on_quiet);
	server_timer_init(&execd.look_timer, on_look);
	if ((err = server_init(&execd.server)))
		return err;
	if ((err = session_init(&execd.session)))
		return err;
	if ((err = result_error(handle_call(startup_handle("personality"), MEM_INFO, NULL, 0, &info, sizeof info, 0))))
		return err;
	execd.personality_bytes = info.bytes;
	if ((err = handle_open("sys", "self-namespace", OPEN_READ, &execd.namespace)))
		return err;
	server_add_watch(&execd.server, &execd.irq_watch, execd.irq, READY_READ, on_irq);
	uart_init(&execd.uart, startup_handle("port"), startup_handle("fifo"));
	session_hello(&execd.session);
	on_look(&execd.look_timer);
	return OK;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	if ((err = prepare())) {
		print("execd: cannot start: error %d\n", -err);
		return 1;
	}
	startup_ready();
	do
		pump();
	while ((err = server_step(&execd.server)) == OK);
	print("execd: cannot go on: error %d\n", -err);
	return 1;
}
