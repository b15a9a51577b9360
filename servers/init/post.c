/* servers/init/post.c - threads tell the main one: notes through a pipe. */
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/thread.h"
#include "servers/init/init.h"

struct note {
	void (*run)(void *argument);
	void *argument;
};

struct work {
	void (*work)(void *argument);
	struct note done;
};

static handle_t reader, writer;
static struct server_watch watch;

static void on_note(struct server_watch *w, uint32_t found)
{
	struct note n;

	(void)found;
	if (sys_read(REQUEST_NONBLOCK, w->handle, &n, sizeof n, -1) == sizeof n)
		n.run(n.argument);
}

err_t init_post_prepare(void)
{
	err_t err;

	if ((err = handle_open_in(init.world.namespace, "pipe", "", OPEN_READ, &reader)))
		return err;
	if ((err = handle_open_at(reader, "write", OPEN_WRITE, &writer)))
		return err;
	server_add_watch(&init.server, &watch, reader, READY_READ, on_note);
	return OK;
}

/* Whole or not at all: it is far less than a pipe writes at once. */
void init_post(void (*run)(void *argument), void *argument)
{
	struct note n = { run, argument };

	(void)!handle_write(writer, &n, sizeof n);
}

static void work_thread(void *argument)
{
	struct work *w = argument;

	w->work(w->done.argument);
	init_post(w->done.run, w->done.argument);
	heap_delete(w);
}

void init_work(void (*work)(void *argument), void (*done)(void *argument), void *argument, err_t *failed)
{
	struct work *w = heap_new(struct work);
	err_t err = ERR_NOMEM;
	uint32_t tid;

	if (failed)
		*failed = OK;
	if (w) {
		*w = (struct work){ work, { done, argument } };
		if (!(err = thread_create(work_thread, w, &tid)))
			return;
		heap_delete(w);
	}
	if (failed)
		*failed = err;
	init_post(done, argument);
}
