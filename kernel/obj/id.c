/* kernel/obj/id.c - one table of numbers: for each the process and the thread that have it. */
#include "kernel/obj/id.h"
#include "kernel/mem/heap.h"
#include "kernel/obj/process.h"

enum { ID_CHUNK = 256 };

/* [l] id_lock. The table is grown by chunks, since most machines use few numbers. */
static struct id_slot {
	struct process *process;
	struct thread *thread;
} *chunks[ID_MAX / ID_CHUNK];
static uint32_t last_id;
static uint32_t process_total, thread_total;
static struct spinlock id_lock = SPINLOCK_INIT(RANK_PROCESS_LIST);

static struct id_slot *slot_of(uint32_t id)
{
	if (id == 0 || id >= ID_MAX || !chunks[id / ID_CHUNK])
		return NULL;
	return &chunks[id / ID_CHUNK][id % ID_CHUNK];
}

/* The next number after the last one given that nobody has: numbers come back late. */
static struct id_slot *find_free(uint32_t *id) REQUIRES(&id_lock)
{
	for (uint32_t tries = 0; tries < ID_MAX; tries++) {
		last_id = last_id + 1 < ID_MAX ? last_id + 1 : 1;
		struct id_slot **chunk = &chunks[last_id / ID_CHUNK];
		if (!*chunk && !(*chunk = heap_alloc(ID_CHUNK * sizeof(**chunk))))
			continue;
		struct id_slot *s = &(*chunk)[last_id % ID_CHUNK];
		if (!s->process && !s->thread) {
			*id = last_id;
			return s;
		}
	}
	return NULL;
}

err_t id_add_process(struct process *p)
{
	spin_lock(&id_lock);
	struct id_slot *s = find_free(&p->pid);
	if (s) {
		s->process = p;
		process_total++;
	}
	spin_unlock(&id_lock);
	return s ? OK : ERR_AGAIN;
}

void id_remove_process(struct process *p)
{
	spin_lock(&id_lock);
	slot_of(p->pid)->process = NULL;
	process_total--;
	spin_unlock(&id_lock);
}

err_t id_add_thread(struct thread *t)
{
	spin_lock(&id_lock);
	struct id_slot *s = slot_of(t->process->pid);
	t->tid = t->process->pid;
	if (s->thread)
		s = find_free(&t->tid);
	if (s) {
		s->thread = t;
		thread_total++;
	}
	spin_unlock(&id_lock);
	return s ? OK : ERR_AGAIN;
}

void id_remove_thread(struct thread *t)
{
	spin_lock(&id_lock);
	slot_of(t->tid)->thread = NULL;
	thread_total--;
	spin_unlock(&id_lock);
}

void id_take_pid(struct thread *t)
{
	spin_lock(&id_lock);
	slot_of(t->tid)->thread = NULL;
	t->tid = t->process->pid;
	slot_of(t->tid)->thread = t;
	spin_unlock(&id_lock);
}

struct process *process_find(uint32_t pid)
{
	spin_lock(&id_lock);
	struct id_slot *s = slot_of(pid);
	struct process *p = s ? s->process : NULL;
	if (p && !object_try_get(&p->object))
		p = NULL;
	spin_unlock(&id_lock);
	return p;
}

struct thread *thread_find(uint32_t tid)
{
	spin_lock(&id_lock);
	struct id_slot *s = slot_of(tid);
	struct thread *t = s ? s->thread : NULL;
	if (t && !object_try_get(&t->object))
		t = NULL;
	spin_unlock(&id_lock);
	return t;
}

uint32_t process_list(uint32_t *pids, uint32_t capacity)
{
	uint32_t count = 0;

	spin_lock(&id_lock);
	for (uint32_t id = 1; id < ID_MAX; id++) {
		struct id_slot *s = slot_of(id);
		if (!s) {
			id += ID_CHUNK - 1 - id % ID_CHUNK;
			continue;
		}
		if (s->process && count++ < capacity)
			pids[count - 1] = id;
	}
	spin_unlock(&id_lock);
	return count;
}

uint32_t process_count(uint32_t *threads_out)
{
	*threads_out = thread_total;
	return process_total;
}
