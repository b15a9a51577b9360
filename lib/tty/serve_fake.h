/* lib/tty/serve_fake.h - for tests of terminal servers: lib/scheme's system calls and procd, remembered.
 *
 * Include it once, in the test itself.
 */
#pragma once
#include <string.h>
#include "lib/base/assert.h"
#include "lib/tty/serve.h"

/* ---- lib/scheme's system calls, remembered ------------------------------------------------------------------------- */

enum { NOT_ANSWERED = 12345 };
static int64_t answered;                /* the last answer to a kept request */
static char answered_data[8192];
static uint64_t answered_tag;
static uint32_t notified, notified_count;
static uint64_t notified_id;
static const char *sending;             /* what the client of a kept write sends */
static bool client_is_gone;
static uint64_t timer_ns;

static err_t record(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes)
{
	list_remove(&d->link);
	if (client_is_gone)
		return ERR_SRCH;
	answered = result;
	answered_tag = d->tag;
	memset(answered_data, 0, sizeof(answered_data));
	if (bytes > 0)
		memcpy(answered_data, data, bytes);
	return OK;
}

err_t scheme_answer(struct scheme_deferred *d, int64_t result) { return record(d, result, NULL, 0); }
err_t scheme_answer_data(struct scheme_deferred *d, int64_t result, const void *data, size_t bytes)
{
	return record(d, result, data, bytes);
}
err_t scheme_deferred_in(struct scheme_deferred *d, size_t offset, void *to, size_t bytes)
{
	ASSERT(offset + bytes <= d->in_bytes);
	memcpy(to, sending + offset, bytes);
	return OK;
}
err_t scheme_in(struct scheme_request *r, size_t offset, void *to, size_t bytes)
{
	if (offset + bytes > r->in_bytes)
		return ERR_INVAL;
	memcpy(to, r->in + offset, bytes);
	return OK;
}
void scheme_notify(struct scheme *s, uint64_t id, uint32_t ready, uint32_t mask)
{
	(void)s, (void)mask;
	notified_id = id;
	notified = ready;
	notified_count++;
}
void server_timer_init(struct server_timer *t, void (*fire)(struct server_timer *)) { t->fire = fire; }
void server_timer_set(struct server *s, struct server_timer *t, uint64_t deadline_ns)
{
	(void)s;
	t->deadline_ns = timer_ns = deadline_ns;
}
void server_timer_clear(struct server_timer *t) { t->deadline_ns = timer_ns = 0; }

/* ---- The rest of the system ------------------------------------------------------------------------------------------ */

static struct { uint32_t group, signal; } sent[16];
static size_t sent_count;
static uint32_t orphaned_group, watched_session, terminal_of[16];
static uint64_t clock_ns;

static uint64_t now_ns(void) { return clock_ns; }
static void signal_group(uint32_t group, uint32_t signal)
{
	if (sent_count == 16)
		return;
	sent[sent_count].group = group;
	sent[sent_count++].signal = signal;
}
/* Groups up to 100 exist; the number's tens are the session. */
static uint32_t group_state(uint32_t group)
{
	return (group <= 100 ? TTY_GROUP_EXISTS : 0) | (group == orphaned_group ? TTY_GROUP_ORPHANED : 0);
}
static uint32_t dead_leader;
static uint32_t session_of(uint32_t pid) { return pid == dead_leader ? 0 : pid / 10 * 10; }
static err_t set_tty(uint32_t session, uint32_t device)
{
	if (device && terminal_of[session / 10])
		return ERR_PERM;
	terminal_of[session / 10] = device;
	return OK;
}
static void watch_leader(struct tty_served *s, uint32_t session) { (void)s; watched_session = session; }
static void unwatch_leader(struct tty_served *s) { (void)s; watched_session = 0; }
static const struct tty_outside outside = {
	now_ns, signal_group, group_state, session_of, set_tty, watch_leader, unwatch_leader,
};

static UNUSED void fakes_reset(void)
{
	sent_count = 0;
	orphaned_group = watched_session = notified_count = dead_leader = 0;
	clock_ns = 1000;
	client_is_gone = false;
	memset(terminal_of, 0, sizeof(terminal_of));
	answered = NOT_ANSWERED;
}
