/* servers/procd/record.c - records are written word by word, so that who reads one word sees an old or a new one. */
#include "servers/procd/record.h"
#include "lib/base/string.h"
#include "servers/procd/cred.h"

enum { WORDS = sizeof(struct posix_record) / sizeof(uint64_t), PER_PAGE = 4096 / sizeof(struct posix_record) };
STATIC_ASSERT(sizeof(struct posix_record) == 64, "records do not lie across pages");

void records_init(struct tree *t)
{
	int64_t at = 0;

	while (t->records && (at = t->outside->records_next((uint64_t)at)) >= 0 && at < (int64_t)RECORD_PAGES * 4096) {
		uint32_t page = (uint32_t)(at / 4096);
		for (uint32_t i = page * PER_PAGE; i < (page + 1) * PER_PAGE; i++)
			t->records_used[page] += t->records[i].pid != 0;
		at = ((int64_t)page + 1) * 4096;
	}
}

static struct posix_record *record_of(const struct tree *t, uint32_t pid)
{
	return t->records && pid < POSIX_RECORDS ? &t->records[pid] : NULL;
}

static void store(struct posix_record *to, const struct posix_record *from)
{
	uint64_t words[WORDS];

	memcpy(words, from, sizeof words);
	for (int i = 0; i < WORDS; i++)
		__atomic_store_n((uint64_t *)to + i, words[i], __ATOMIC_RELAXED);
}

static uint8_t flags_of(const struct process *p)
{
	return (uint8_t)((process_is_alive(p) ? 0 : POSIX_IS_ZOMBIE) | (p->executed ? POSIX_HAS_EXECUTED : 0) |
	                 (p->subreaper ? POSIX_IS_SUBREAPER : 0) | (p->no_new_privileges ? POSIX_HAS_NO_NEW_PRIVILEGES : 0) |
	                 (p->guarded ? POSIX_IS_GUARDED : 0));
}

void record_write(struct tree *t, const struct process *p)
{
	struct posix_record *to = record_of(t, p->pid);
	const struct cred *c = p->cred;
	const struct posix_record record = {
		.pid = p->pid, .parent = p->parent ? p->parent->pid : 0, .group = p->group->id, .session = p->group->session->id,
		.uid = c->uid, .euid = c->euid, .suid = c->suid, .gid = c->gid, .egid = c->egid, .sgid = c->sgid,
		.status = p->status, .flags = flags_of(p), .child_flags = p->child_flags, .exit_signal = p->exit_signal,
		.death_signal = p->death_signal, .working = p->working, .root = p->root, .started_ns = p->started_ns,
	};

	if (!to)
		return;
	if (to->pid == 0)
		t->records_used[p->pid / PER_PAGE]++;
	store(to, &record);
}

void record_clear(struct tree *t, uint32_t pid)
{
	static const struct posix_record none;
	struct posix_record *to = record_of(t, pid);

	if (!to || to->pid == 0)
		return;
	store(to, &none);
	/* Numbers go round: without this every page would be taken in the end. */
	if (--t->records_used[pid / PER_PAGE] == 0)
		t->outside->records_drop((uint64_t)(pid / PER_PAGE) * 4096, 4096);
}

struct posix_record *record_next(struct tree *t, struct posix_record *r)
{
	uint32_t pid = r ? (uint32_t)(r - t->records) + 1 : 0;

	while (t->records && pid < POSIX_RECORDS) {
		if (t->records_used[pid / PER_PAGE] == 0)
			pid = (pid / PER_PAGE + 1) * PER_PAGE;
		else if (t->records[pid].pid)
			return &t->records[pid];
		else
			pid++;
	}
	return NULL;
}

const struct posix_record *record_find(const struct tree *t, uint32_t pid, uint64_t started_ns)
{
	const struct posix_record *r = record_of(t, pid);

	return r && r->pid == pid && r->started_ns == started_ns ? r : NULL;
}
