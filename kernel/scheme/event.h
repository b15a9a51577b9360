/* kernel/scheme/event.h - event queues, as the endpoints of user schemes use them (kernel/ipc): a server may get a queue's events as messages. */
#pragma once
#include "abi/error.h"
#include "abi/proto/kernel.h"
#include "kernel/obj/resource.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

enum { EVENT_BATCH = 16 };

/* A queue that wakes the calling thread from now on each time something becomes ready. NOMEM. */
err_t event_create_for_server(struct passed *out) NONNULL MUST_CHECK;
/* Up to count (at most EVENT_BATCH) events of those queued; there may be none while some stay queued. */
size_t event_collect(struct resource *queue, struct event *events, size_t count) NONNULL;
/* Is something queued? Without its lock: who is woken by it looks again. A queue's data begins with the list of what is ready. */
static inline bool event_is_ready(const struct resource *queue) { return !list_is_empty((const struct list_node *)queue->data); }
