/* kernel/obj/watch.h - who wants to know when a resource becomes ready.
 *
 * A watch list belongs to one resource. Its lock and those of event queues have the same rank
 * and nest only in the direction resource -> queue that watches it -> queue that watches that
 * one; event.c keeps this relation free of cycles.
 */
#pragma once
#include <stdint.h>
#include "kernel/sync/spinlock.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"

struct watcher {
	struct list_node link;          /* [watch list lock] */
	/* Called under the list's lock with what may have become ready. */
	void (*notify)(struct watcher *, uint32_t ready);
	/* Called under the list's lock when the resource goes away; the watcher is off the list then. May be NULL. */
	void (*gone)(struct watcher *);
};

struct watch_list {
	struct spinlock lock;           /* RANK_WATCH */
	struct list_node watchers;      /* [lock] */
};

void watch_add(struct watch_list *w, struct watcher *x) NONNULL;
/* Safe when it is not on the list any more. */
void watch_remove(struct watch_list *w, struct watcher *x) NONNULL;
void watch_notify(struct watch_list *w, uint32_t ready) NONNULL;
/* Takes every watcher off and tells it. */
void watch_end(struct watch_list *w) NONNULL;
