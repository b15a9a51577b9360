/* servers/screend/worker.h - two threads that wait so that the main one need not: one calls display drivers, one reads input. */
#pragma once
#include "abi/proto/input.h"
#include "lib/scheme/scheme.h"
#include "servers/screend/output.h"

/* answered and event run in the server's loop. */
err_t worker_start(struct server *server, void (*answered)(struct output *o, struct driver_call *c), void (*event)(const struct input_event *e)) NONNULL MUST_CHECK;
/* From now on input is read: whoever else wants input:events does not get it. */
void worker_listen(void);
/* One call at a time. */
void worker_call(struct output *o, struct driver_call *c) NONNULL;
