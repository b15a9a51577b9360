/* kernel/obj/watch.c - lists of watchers. */
#include "kernel/obj/watch.h"

void watch_add(struct watch_list *w, struct watcher *x)
{
	spin_lock_nested(&w->lock);
	list_push_back(&w->watchers, &x->link);
	spin_unlock(&w->lock);
}

void watch_remove(struct watch_list *w, struct watcher *x)
{
	spin_lock_nested(&w->lock);
	list_remove(&x->link);
	spin_unlock(&w->lock);
}

void watch_notify(struct watch_list *w, uint32_t ready)
{
	struct watcher *x;

	if (list_is_empty(&w->watchers))        /* who adds itself looks at the readiness afterwards */
		return;
	spin_lock_nested(&w->lock);
	list_each(x, &w->watchers, link)
		x->notify(x, ready);
	spin_unlock(&w->lock);
}

void watch_end(struct watch_list *w)
{
	spin_lock_nested(&w->lock);
	while (!list_is_empty(&w->watchers)) {
		struct watcher *x = list_first(&w->watchers, struct watcher, link);
		list_remove(&x->link);
		if (x->gone)
			x->gone(x);
	}
	spin_unlock(&w->lock);
}
