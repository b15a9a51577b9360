/* drivers/fs/virtio_9p/job.c - from a request to the fiber that works on it, and to its answer. */
#include "drivers/fs/virtio_9p/job.h"
#include "lib/base/bits.h"
#include "lib/base/crc32.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/fiber.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/sys.h"

/* A large answer goes straight to the client; of CALL only FILE_LIST's is large. */
enum { ANSWER_BYTES = 16 * 1024 };

struct worker {
	struct fiber fiber;             /* first */
	struct list_node link;          /* of idle or runnable */
	struct job *job;
};

static struct jobs {
	struct share share;
	struct scheme *scheme;
	struct link *link;
	struct worker worker[JOB_WORKERS];
	struct list_node waiting;       /* struct job.link */
	struct list_node closing;       /* struct share_open.closing */
	struct list_node idle, runnable;        /* struct worker.link */
	bool is_started;                /* the host has agreed */
} jobs;

static void *running(void) { return fiber_current(); }

static void wake(void *waiter)
{
	struct worker *w = waiter;

	if (list_is_empty(&w->link))
		list_push_back(&jobs.runnable, &w->link);
}

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

void jobs_run(void)
{
	while (!list_is_empty(&jobs.runnable)) {
		struct worker *w = list_first(&jobs.runnable, struct worker, link);
		list_remove(&w->link);
		fiber_run(&w->fiber);
	}
	link_kick(jobs.link);
}

/* ---- Work ------------------------------------------------------------------------------------------------------------ */

static uint32_t groups(struct share_job *j, uint32_t group[SHARE_GROUPS_MAX])
{
	struct job *job = container_of(j, struct job, share);
	int64_t bytes = sys_copy(0, jobs.scheme->handle, job->deferred.tag, COPY_GROUPS, 0, group, SHARE_GROUPS_MAX * sizeof(*group), 0);

	return bytes < 0 ? 0 : MIN_OF((uint32_t)bytes / (uint32_t)sizeof(*group), (uint32_t)SHARE_GROUPS_MAX);
}

/* What of a client's buffer was filled, or taken. */
struct transfer { struct job *job; size_t done; };

static err_t put(void *user, const uint8_t *from, size_t bytes)
{
	struct transfer *t = user;

	TRY(scheme_deferred_put(&t->job->deferred, t->done, from, bytes));
	t->done += bytes;
	return OK;
}

static err_t fill(void *user, uint8_t *to, size_t bytes)
{
	struct transfer *t = user;

	TRY(scheme_deferred_in(&t->job->deferred, t->done, to, bytes));
	t->done += bytes;
	return OK;
}

static void work_open(struct job *j)
{
	struct share_open *o;
	err_t err = share_open_path(&j->share, j->open, j->in, j->bytes, j->open_flags, j->mode, &o);

	if (err)
		(void)scheme_answer(&j->deferred, err);
	else
		(void)scheme_answer_open(&j->deferred, o, HANDLE_NONE, REPLY_SEEKABLE);
}

static void work_call(struct job *j)
{
	_Alignas(8) static uint8_t small[JOB_WORKERS][ANSWER_BYTES];
	struct share_call c = {
		.open = j->open, .code = j->code, .word = j->word, .in = j->in, .in_bytes = j->bytes, .has_other = j->has_other, .other = j->other,
		.out = small[j->worker - jobs.worker], .out_room = MIN_OF(j->deferred.out_max, (size_t)ANSWER_BYTES),
	};
	int64_t result = share_call(&j->share, &c);

	(void)scheme_answer_data(&j->deferred, result, c.out, result < 0 ? 0 : c.out_bytes);
}

static void work_map(struct job *j)
{
	handle_t object;
	err_t err = j->open_flags & (OPEN_READ | OPEN_EXEC) ? map_get(&j->share, j->open, &object) : ERR_ACCES;

	if (err)
		(void)scheme_answer(&j->deferred, err);
	else
		(void)scheme_answer_handle(&j->deferred, 0, object, REPLY_HANDLE | REPLY_COPY_HANDLE);
}

static void work_length(struct job *j)
{
	struct ninep_attr a;
	err_t err = share_attributes(&j->share, j->open, &a);

	(void)scheme_answer(&j->deferred, err ? err : (int64_t)a.bytes);
}

static void work(struct job *j)
{
	struct transfer t = { .job = j };

	switch (j->op) {
	case OP_OPEN:
		work_open(j);
		break;
	case OP_READ:
		(void)scheme_answer(&j->deferred, share_read(&j->share, j->open, j->offset, j->bytes, put, &t));
		break;
	case OP_WRITE:
		(void)scheme_answer(&j->deferred, share_write(&j->share, j->open, j->offset, j->open_flags & OPEN_APPEND, j->bytes, fill, &t));
		break;
	case OP_CALL:
		work_call(j);
		break;
	case OP_MAP:
		work_map(j);
		break;
	default:
		work_length(j);
		break;
	}
}

static void job_free(struct job *j)
{
	share_job_end(&j->share);
	share_open_put(&jobs.share, j->open);
	share_open_put(&jobs.share, j->other);
	heap_free(j, sizeof(*j) + (j->op == OP_READ || j->op == OP_WRITE ? 0 : j->bytes));
}

/* ---- Workers --------------------------------------------------------------------------------------------------------- */

static bool close_one(void)
{
	if (list_is_empty(&jobs.closing))
		return false;
	struct share_open *o = list_first(&jobs.closing, struct share_open, closing);
	list_remove(&o->closing);
	share_open_close(&jobs.share, o);
	return true;
}

static bool work_one(struct worker *w)
{
	if (list_is_empty(&jobs.waiting))
		return false;
	w->job = list_first(&jobs.waiting, struct job, link);
	list_remove(&w->job->link);
	w->job->worker = w;
	if (!w->job->is_over)
		work(w->job);
	job_free(w->job);
	w->job = NULL;
	return true;
}

static void worker_run(void *context)
{
	struct worker *w = context;

	for (;;) {
		while (jobs.is_started && (close_one() || work_one(w)))
			;
		list_push_back(&jobs.idle, &w->link);
		fiber_pause();
	}
}

/* Somebody idle takes up what there is to do. */
static void rouse(void)
{
	if (!list_is_empty(&jobs.idle)) {
		struct worker *w = list_first(&jobs.idle, struct worker, link);
		list_remove(&w->link);
		wake(w);
	}
	jobs_run();
}

/* The first fiber begins with the greeting. */
static void first_run(void *context)
{
	err_t err = ninep_start(&jobs.share.ninep, &link_carrier, jobs.link, LINK_BODY_BYTES, 0);

	if (err) {
		print("virtio_9p: the host does not speak 9P2000.L as we do: error %d\n", -err);
		driver_fail("virtio_9p: cannot start");
	}
	jobs.is_started = true;
	/* Requests that came meanwhile: everybody who is idle looks. */
	while (!list_is_empty(&jobs.idle)) {
		struct worker *w = list_first(&jobs.idle, struct worker, link);
		list_remove(&w->link);
		wake(w);
	}
	worker_run(context);
}

/* ---- Requests -------------------------------------------------------------------------------------------------------- */

static int64_t job_take(struct scheme_request *r, const struct job *like, const void *in)
{
	const struct message *m = r->message;
	size_t in_bytes = in ? like->bytes : 0;
	struct job *j = heap_alloc(sizeof(*j) + in_bytes);

	if (!j)
		return ERR_NOMEM;
	*j = *like;
	j->op = m->request.op;
	j->share = (struct share_job){ .share = &jobs.share, .sender = m->sender, .groups = groups };
	j->share.hash = crc32(crc32(crc32(0, &j->code, sizeof(j->code)), in, in_bytes), &r->id, sizeof(r->id));
	if (in)
		memcpy(j->in, in, in_bytes);
	if ((j->open = r->open))
		share_open_get(j->open);
	if (j->other)
		share_open_get(j->other);
	list_push_back(&jobs.waiting, &j->link);
	int64_t later = scheme_defer(r, &j->deferred);
	rouse();
	return later;
}

static int64_t host_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	if (ref_bytes > SHARE_PATH_MAX)
		return ERR_NAMETOOLONG;
	return job_take(r, &(struct job){ .open_flags = open_flags, .mode = mode, .bytes = ref_bytes }, ref);
}

static int64_t host_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	return job_take(r, &(struct job){ .open_flags = r->message->open_flags, .bytes = bytes, .offset = offset }, NULL);
}

static int64_t host_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct job like = { .open_flags = r->message->open_flags, .code = code, .word = word, .bytes = r->in_here, .other = r->passed_open };

	like.has_other = r->passed != HANDLE_NONE || r->passed_open;
	if (r->in_bytes > JOB_IN_MAX)
		return ERR_NAMETOOLONG;
	return job_take(r, &like, r->in);
}

static int64_t host_other(struct scheme_request *r)
{
	return job_take(r, &(struct job){ .open_flags = ((struct share_open *)r->open)->open_flags }, NULL);
}

static err_t host_revive(struct scheme_request *r)
{
	struct share_open *o;
	err_t err = share_open_revive(&jobs.share, r->id, &o);

	r->opened = o;
	return err == ERR_NOENT ? ERR_CONNRESET : err;
}

static void host_named(struct scheme *s, void *open, uint64_t id)
{
	const struct share_open *o = open;

	(void)s;
	record_named(jobs.share.records, o->record, id);
}

/* The host is told by a worker, who can wait. */
static void host_close(struct scheme *s, void *open)
{
	struct share_open *o = open;

	(void)s;
	list_push_back(&jobs.closing, &o->closing);
	if (!fiber_current())
		rouse();
}

static void host_forget(struct scheme *s, uint64_t id)
{
	uint32_t record;

	(void)s;
	if (record_find(jobs.share.records, id, &record) == OK)
		record_remove(jobs.share.records, record);
}

static void host_cancel(struct scheme_deferred *d)
{
	struct job *j = container_of(d, struct job, deferred);

	if (j->worker) {
		link_flush(jobs.link, j->worker);
		link_kick(jobs.link);
		return;
	}
	/* Whoever comes to it frees it. */
	j->is_over = true;
	(void)scheme_answer(&j->deferred, ERR_INTR);
}

const struct scheme_ops share_ops = {
	.open = host_open, .named = host_named, .revive = host_revive, .forget = host_forget, .close = host_close, .read = host_read, .write = host_read,
	.length = host_other, .map = host_other, .call = host_call, .cancel = host_cancel,
	.needs_sender = true,           /* who may do what */
};

err_t jobs_start(struct server *server, struct scheme *scheme, struct link *l, struct records *records, const char *mount)
{
	(void)server;
	jobs.scheme = scheme;
	jobs.link = l;
	l->ninep = &jobs.share.ninep;
	l->running = running;
	l->wait = fiber_pause;
	l->wake = wake;
	l->now = now;
	list_init(&jobs.waiting);
	list_init(&jobs.closing);
	list_init(&jobs.idle);
	list_init(&jobs.runnable);
	share_init(&jobs.share, records, mount);
	for (uint32_t i = 0; i < JOB_WORKERS; i++) {
		struct worker *w = &jobs.worker[i];
		list_init(&w->link);
		TRY(fiber_create(&w->fiber, JOB_STACK_BYTES, i == 0 ? first_run : worker_run, w));
		wake(w);
	}
	jobs_run();
	return OK;
}
