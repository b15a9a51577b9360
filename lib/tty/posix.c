/* lib/tty/posix.c - asks procd, and watches a session's leader. */
#include "abi/proto/posix.h"
#include "lib/base/fmt.h"
#include "lib/native/handle.h"
#include "lib/tty/posix.h"

static handle_t posix = HANDLE_NONE;

static uint64_t now_ns(void)
{
	return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);
}

static void signal_group(uint32_t group, uint32_t signal)
{
	enum { FROM_KERNEL = 0x80 };    /* Linux's SI_KERNEL */
	struct posix_signal s = { .target = (int32_t)group, .signal = signal, .code = FROM_KERNEL };

	/* A group that is gone has nobody to signal. */
	(void)handle_call(posix, POSIX_SIGNAL_GROUP, &s, sizeof(s), NULL, 0, 0);
}

static uint32_t group_state(uint32_t group)
{
	int64_t state = handle_call(posix, POSIX_GROUP_STATE, NULL, 0, NULL, 0, group);

	return state < 0 ? 0 : (uint32_t)state;
}

static uint32_t session_of(uint32_t pid)
{
	struct posix_ids ids;

	return handle_call(posix, POSIX_GET_IDS, NULL, 0, &ids, sizeof(ids), pid) < 0 ? 0 : ids.session;
}

static err_t set_tty(uint32_t session, uint32_t device)
{
	return result_error(handle_call(posix, POSIX_SET_TTY, NULL, 0, NULL, 0, session | (uint64_t)device << 32));
}

static void unwatch_leader(struct tty_served *s)
{
	if (s->leader == HANDLE_NONE)
		return;
	server_remove_watch(s->scheme->server, &s->leader_watch);
	handle_close(s->leader);
	s->leader = HANDLE_NONE;
}

static void leader_ready(struct server_watch *w, uint32_t found)
{
	(void)found;
	tty_serve_leader_ended(container_of(w, struct tty_served, leader_watch));
}

static void watch_leader(struct tty_served *s, uint32_t session)
{
	char ref[32];

	fmt(ref, sizeof(ref), "leader/%u", session);
	unwatch_leader(s);
	err_t err = handle_open_at(posix, ref, OPEN_READ, &s->leader);
	if (err) {
		s->leader = HANDLE_NONE;
		if (err == ERR_SRCH)
			tty_serve_leader_ended(s);
		return;
	}
	server_add_watch(s->scheme->server, &s->leader_watch, s->leader, READY_HANGUP, leader_ready);
}

static const struct tty_outside outside = {
	.now_ns = now_ns, .signal_group = signal_group, .group_state = group_state, .session_of = session_of,
	.set_tty = set_tty, .watch_leader = watch_leader, .unwatch_leader = unwatch_leader,
};

const struct tty_outside *tty_posix_init(handle_t h)
{
	posix = h;
	return &outside;
}
