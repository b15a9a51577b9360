/* servers/logd/main.c - log: what services say, with the time and who said it, in the newest 256 KiB.
 *
 * log:NAME    WRITE: lines of NAME (init opens this for each service); log: those of the writing process
 * log:        READ (user 0): all that is there, then the end; after that, poll says when there is more
 * log:follow  READ (user 0): the same, but waits for more at the end
 *
 * What the kernel says (debug:log) is taken in whenever somebody writes or reads, and now and then while somebody follows. Lines also
 * go to debug:, which brings them to the serial log, unless the kernel's command line says "quiet".
 */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/logd/echo.h"
#include "servers/logd/lines.h"
#include "servers/logd/ring.h"

enum { RING_BYTES = 256 * 1024, NAME_MAX = 23, PREFIX_MAX = 64, KERNEL_LINE_MAX = 250 };
#define FOLLOW_NS 200000000ull

struct open {
	struct list_node link;          /* opens */
	uint64_t id;                    /* as the kernel knows it; 0 until its first request */
	char name[NAME_MAX + 1];
	bool can_read, follows;
	uint64_t position;              /* of reading */
	struct lines lines;             /* of writing */
};

/* A READ of log:follow that waits. */
struct reader {
	struct scheme_deferred deferred;
	struct list_node link;          /* readers */
	struct open *open;
	size_t bytes;
};

static struct server server;
static struct scheme scheme;
static char ring_bytes[RING_BYTES];
static struct ring ring;
static struct list_node opens = LIST_INIT(opens), readers = LIST_INIT(readers);
static struct server_timer follow_timer;
/* The kernel's log: what it says, and where ours goes too; HANDLE_NONE: not. */
static handle_t kernel_log = HANDLE_NONE, kernel_debug = HANDLE_NONE;
static struct lines kernel_lines;
static struct echo echo;

/* ---- Lines in -------------------------------------------------------------------------------------------------- */

static void put_line(const char *name, const char *text, size_t bytes)
{
	uint64_t now = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
	char prefix[PREFIX_MAX];
	size_t length = fmt(prefix, sizeof(prefix), "[%5llu.%06llu] %s: ", (unsigned long long)(now / 1000000000),
	                    (unsigned long long)(now / 1000 % 1000000), name);

	ring_put(&ring, prefix, MIN_OF(length, sizeof(prefix) - 1));
	ring_put(&ring, text, bytes);
	ring_put(&ring, "\n", 1);
}

static void kernel_line(void *context, const char *text, size_t bytes)
{
	(void)context;
	if (!echo_is_ours(&echo, text, bytes))
		put_line("kernel", text, bytes);
}

/* Takes in what the kernel has said since. */
static void kernel_pull(void)
{
	char text[512];
	int64_t bytes;

	if (kernel_log == HANDLE_NONE)
		return;
	while ((bytes = sys_read(REQUEST_NONBLOCK, kernel_log, text, sizeof(text), -1)) > 0)
		lines_add(&kernel_lines, text, (size_t)bytes, kernel_line, NULL);
}

/* One write is one line in the kernel's log. */
static void kernel_pass_on(const char *name, const char *text, size_t bytes)
{
	char line[KERNEL_LINE_MAX];
	size_t used;

	if (kernel_debug == HANDLE_NONE)
		return;
	used = fmt(line, sizeof(line), "%s: %.*s", name, (int)bytes, text);
	used = MIN_OF(used, sizeof(line) - 1);
	echo_sent(&echo, line, used);
	(void)!handle_write(kernel_debug, line, used);
}

static void service_line(void *context, const char *text, size_t bytes)
{
	struct open *o = context;

	put_line(o->name, text, bytes);
	kernel_pass_on(o->name, text, bytes);
}

/* ---- Lines out ------------------------------------------------------------------------------------------------- */

static void answer_readers(void)
{
	static char text[4096];
	struct reader *r, *next;

	list_each_safe(r, next, &readers, link) {
		size_t bytes = ring_read(&ring, &r->open->position, text, MIN_OF(r->bytes, sizeof(text)));
		if (bytes == 0)
			continue;
		list_remove(&r->link);
		scheme_answer_data(&r->deferred, (int64_t)bytes, text, bytes);
		heap_delete(r);
	}
}

static bool has_more(const struct open *o)
{
	return o->position < ring.end;
}

/* Something was put: tells who waits for it. */
static void tell(uint64_t old_end)
{
	struct open *o;

	if (ring.end == old_end)
		return;
	answer_readers();
	list_each(o, &opens, link)
		if (o->can_read && o->id != 0 && has_more(o))
			scheme_notify(&scheme, o->id, READY_READ, READY_READ);
}

/* The kernel does not tell when it says something: while there are readers it is asked. */
static void follow(struct server_timer *t)
{
	uint64_t old_end = ring.end;
	struct open *o;

	kernel_pull();
	tell(old_end);
	list_each(o, &opens, link)
		if (o->can_read) {
			server_timer_set(&server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + FOLLOW_NS);
			return;
		}
}

/* ---- Requests -------------------------------------------------------------------------------------------------- */

static bool name_is_fit(const char *name, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (name[i] < '!' || name[i] > '~')
			return false;
	return bytes <= NAME_MAX;
}

static int64_t log_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	bool follows = string_is(ref, ref_bytes, "follow");
	const struct sender *sender = &r->message->sender;
	struct open *o;

	(void)mode;
	if (r->open || !name_is_fit(ref, ref_bytes))
		return ERR_NOENT;
	/* Names are for who starts services; and the log is for who runs the machine. */
	if (sender->uid != 0 && (ref_bytes > 0 || (open_flags & OPEN_READ)))
		return ERR_PERM;
	if (!(o = heap_new(struct open)))
		return ERR_NOMEM;
	o->can_read = open_flags & OPEN_READ;
	o->follows = follows;
	if (ref_bytes > 0 && !follows)
		string_copy_counted(o->name, sizeof(o->name), ref, ref_bytes);
	else
		fmt(o->name, sizeof(o->name), "process %u", sender->pid);
	list_push_back(&opens, &o->link);
	if (o->can_read) {
		/* Readiness is told once its first READ has shown its number. */
		r->reply_flags = REPLY_NOTIFIES;
		follow(&follow_timer);
	}
	r->opened = o;
	return OK;
}

/* From an instance before us: the name went with it, the writer is still known. */
static err_t log_revive(struct scheme_request *r)
{
	struct open *o = heap_new(struct open);

	if (!o)
		return ERR_NOMEM;
	fmt(o->name, sizeof(o->name), "process %u", r->message->sender.pid);
	o->can_read = r->message->open_flags & OPEN_READ;
	list_push_back(&opens, &o->link);
	r->opened = o;
	return OK;
}

static int64_t log_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct open *o = r->open;
	uint64_t old_end = ring.end;

	(void)bytes, (void)offset;
	kernel_pull();
	lines_add(&o->lines, (const char *)r->in, r->in_here, service_line, o);
	tell(old_end);
	return (int64_t)r->in_here;
}

static int64_t wait_for_more(struct scheme_request *r, size_t bytes)
{
	struct reader *w;

	if (r->is_nonblock)
		return ERR_AGAIN;
	if (!(w = heap_new(struct reader)))
		return ERR_NOMEM;
	w->open = r->open;
	w->bytes = bytes;
	list_push_back(&readers, &w->link);
	return scheme_defer(r, &w->deferred);
}

static int64_t log_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct open *o = r->open;
	uint64_t old_end = ring.end;
	size_t done;

	(void)offset;
	o->id = r->id;
	kernel_pull();
	tell(old_end);
	done = ring_read(&ring, &o->position, (char *)r->out, MIN_OF(bytes, r->out_room));
	if (!has_more(o))
		scheme_notify(&scheme, o->id, 0, READY_READ);
	if (done == 0 && bytes > 0 && o->follows)
		return wait_for_more(r, bytes);
	return (int64_t)done;
}

static void log_close(struct scheme *s, void *open)
{
	struct open *o = open;

	(void)s;
	lines_flush(&o->lines, service_line, o);
	list_remove(&o->link);
	heap_delete(o);
}

static void log_cancel(struct scheme_deferred *d)
{
	struct reader *r = container_of(d, struct reader, deferred);

	list_remove(&r->link);
	scheme_answer(d, ERR_INTR);
	heap_delete(r);
}

static const struct scheme_ops log_ops = {
	.open = log_open, .read = log_read, .write = log_write, .close = log_close, .cancel = log_cancel,
	.revive = log_revive,
};

/* ---- Start ----------------------------------------------------------------------------------------------------- */

/* Does the kernel's command line have this word? */
static bool option_is_set(const char *word)
{
	char line[2049];
	handle_t env;
	int64_t bytes;

	if (handle_open("env", "", OPEN_READ, &env))
		return false;
	bytes = sys_read(0, env, line, sizeof(line) - 1, 0);
	handle_close(env);
	line[bytes < 0 ? 0 : bytes] = 0;
	for (char *at = line; *at;) {
		size_t length = 0;
		while (at[length] && at[length] != ' ')
			length++;
		if (string_is(at, length, word))
			return true;
		at += length + (at[length] == ' ');
	}
	return false;
}

int program_main(const struct startup *startup)
{
	err_t err;

	(void)startup;
	ring_init(&ring, ring_bytes, sizeof(ring_bytes));
	if (handle_open("debug", "log", OPEN_READ, &kernel_log))
		kernel_log = HANDLE_NONE;
	if (option_is_set("quiet") || handle_open("debug", "", OPEN_WRITE, &kernel_debug))
		kernel_debug = HANDLE_NONE;
	if ((err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &log_ops, NULL))) {
		print("logd: cannot start: error %d\n", -err);
		return 1;
	}
	server_timer_init(&follow_timer, follow);
	kernel_pull();
	err = server_run(&server);
	print("logd: stopped: error %d\n", -err);
	return 1;
}
