/* lib/base/list.h - intrusive, circular, doubly linked lists.
 *
 * A list_node that is on no list points to itself, so list_remove is always safe
 * after list_init and list_is_empty serves heads and members alike.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list_node {
	struct list_node *next, *prev;
};

#define LIST_INIT(name) { &(name), &(name) }
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define list_first(head, type, member) container_of((head)->next, type, member)

/* Walks every member; the current one must not be removed. */
#define list_each(it, head, member)                                            \
	for (it = container_of((head)->next, __typeof__(*it), member);         \
	     &it->member != (head);                                            \
	     it = container_of(it->member.next, __typeof__(*it), member))

/* Walks every member; the current one may be removed. */
#define list_each_safe(it, tmp, head, member)                                  \
	for (it = container_of((head)->next, __typeof__(*it), member),         \
	    tmp = container_of(it->member.next, __typeof__(*it), member);      \
	     &it->member != (head);                                            \
	     it = tmp, tmp = container_of(it->member.next, __typeof__(*it), member))

static inline void list_init(struct list_node *n)
{
	n->next = n->prev = n;
}

static inline bool list_is_empty(const struct list_node *head)
{
	return head->next == head;
}

static inline void list_insert_after(struct list_node *at, struct list_node *n)
{
	n->next = at->next;
	n->prev = at;
	at->next->prev = n;
	at->next = n;
}

static inline void list_push_back(struct list_node *head, struct list_node *n)
{
	list_insert_after(head->prev, n);
}

static inline void list_push_front(struct list_node *head, struct list_node *n)
{
	list_insert_after(head, n);
}

static inline void list_remove(struct list_node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* Moves all members of from, in order, behind those of to. */
static inline void list_move_all(struct list_node *to, struct list_node *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}
