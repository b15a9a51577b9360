/* lib/tty/serve.h - a terminal as a resource: what the console and pty servers have in common.
 *
 * Stands on lib/scheme: reads and writes that must wait are kept and answered later, readiness is notified, and the
 * calls of abi/proto/tty.def are carried out. The owner (a server) types with tty_serve_input, and takes output
 * in its output hook. What asks other processes (procd, the clock) goes through struct tty_outside, so that all of
 * this runs on the host.
 */
#pragma once
#include "abi/proto/file.h"
#include "lib/base/list.h"
#include "lib/scheme/scheme.h"
#include "lib/tty/tty.h"

struct tty_served;

/* The owner's side. Each may be NULL, and may be called when nothing changed. */
struct tty_owner {
	/* There may be output (or a packet status) to take. */
	void (*output)(struct tty_served *s);
	/* There may be room for input again. */
	void (*room)(struct tty_served *s);
	/* Is all output out? Without it: always. */
	bool (*is_drained)(struct tty_served *s);
	void (*size_changed)(struct tty_served *s);
	/* A change was dealt with: time to note modes, session and the like, if they must outlive the server. */
	void (*settled)(struct tty_served *s);
};

enum tty_group_state { TTY_GROUP_ORPHANED = 1, TTY_GROUP_EXISTS = 2 };

/* The rest of the system (lib/tty/posix.h has the real one). */
struct tty_outside {
	uint64_t (*now_ns)(void);
	void (*signal_group)(uint32_t group, uint32_t signal);
	uint32_t (*group_state)(uint32_t group);                /* enum tty_group_state */
	uint32_t (*session_of)(uint32_t pid);                   /* 0: no such process */
	err_t (*set_tty)(uint32_t session, uint32_t device);    /* POSIX_SET_TTY */
	/* Calls tty_serve_leader_ended when the leader ends, until stopped. */
	void (*watch_leader)(struct tty_served *s, uint32_t session);
	void (*unwatch_leader)(struct tty_served *s);
};

struct tty_served {
	struct tty tty;
	struct scheme *scheme;
	const struct tty_owner *owner;
	const struct tty_outside *outside;
	struct list_node opens;                         /* struct tty_open */
	struct list_node readers, writers, drainers;    /* struct tty_wait */
	struct server_timer timer;                      /* of the first reader, for TIME */
	bool is_settling, must_settle;

	/* What FILE_STAT says. */
	char name[32];                                  /* path */
	uint32_t major, minor;
	uint64_t node;
	uint32_t mode, uid, gid;
	struct file_time changed;

	handle_t leader;                                /* lib/tty/posix.c */
	struct server_watch leader_watch;
};

/* One open of a terminal; the server embeds it in what it gives lib/scheme. */
struct tty_open {
	struct list_node link;                          /* of the terminal */
	struct tty_served *served;
	uint64_t id;                                    /* 0: not yet known */
	uint32_t ready;                                 /* last notified */
};

/* A request that waits. Servers use it for their own waiting too. */
struct tty_wait {
	struct list_node link;
	struct scheme_deferred deferred;
	struct tty_reader reader;
	uint64_t deadline_ns;
	size_t done;                                    /* bytes written so far */
	struct tty_modes modes;                         /* TTY_SET that waits for output */
	uint32_t when;
	bool is_set;
};

void tty_served_init(struct tty_served *s, struct scheme *scheme, const struct tty_owner *owner,
                     const struct tty_outside *outside) NONNULL;
/* Ends it: nobody has it open any more. */
void tty_served_fini(struct tty_served *s) NONNULL;

/* May the sender open it so (OPEN_READ, OPEN_WRITE)? */
bool tty_serve_may(const struct tty_served *s, const struct sender *sender, uint32_t open_flags) NONNULL;
/* In the server's open function, once it is settled that the sender may: readiness starts, and a session's
 * leader without a terminal gets this one unless it said OPEN_NOCTTY. */
void tty_serve_open(struct tty_served *s, struct tty_open *o, struct scheme_request *r, uint32_t open_flags) NONNULL;
/* In the server's opened function: now readiness can be told. */
void tty_serve_opened(struct tty_open *o, uint64_t id) NONNULL;
/* The last handle is closed; o may be freed then. */
void tty_serve_close(struct tty_open *o) NONNULL;

int64_t tty_serve_read(struct tty_served *s, struct scheme_request *r, size_t bytes) NONNULL MUST_CHECK;
int64_t tty_serve_write(struct tty_served *s, struct scheme_request *r, size_t bytes) NONNULL MUST_CHECK;
/* The codes of tty.def and those of file.def that a terminal answers. is_master: asked of a pty's master, which
 * is never in the background. ERR_NOTTY: not one of them. */
int64_t tty_serve_call(struct tty_served *s, struct scheme_request *r, uint32_t code, uint64_t word, bool is_master) NONNULL MUST_CHECK;
void tty_serve_stat(const struct tty_served *s, struct file_stat *out) NONNULL;
int64_t tty_serve_chmod(struct tty_served *s, const struct sender *sender, uint32_t mode) NONNULL MUST_CHECK;
/* UINT32_MAX keeps. */
int64_t tty_serve_chown(struct tty_served *s, const struct sender *sender, const struct file_owner *owner) NONNULL MUST_CHECK;

void tty_serve_input(struct tty_served *s, const uint8_t *bytes, size_t count) NONNULL;
/* After the owner changed the terminal by other means (took output, set its size...): goes on with whoever waits. */
void tty_serve_settle(struct tty_served *s) NONNULL;
/* The other end is gone: the session is told, reads end, writes fail. */
void tty_serve_hangup(struct tty_served *s) NONNULL;
void tty_serve_leader_ended(struct tty_served *s) NONNULL;
/* After a restart: it controls this session again (0: none), with that group in the foreground. */
void tty_serve_resume(struct tty_served *s, uint32_t session, uint32_t foreground) NONNULL;

/* Keeps r on a list (`return tty_wait_defer(...)`): SCHEME_LATER or ERR_NOMEM. *out, if not NULL: the new wait. */
int64_t tty_wait_defer(struct scheme_request *r, struct list_node *list, struct tty_wait **out) MUST_CHECK;
/* Answers and frees. SRCH: the client is gone and did not get it. */
err_t tty_wait_answer(struct tty_wait *w, int64_t result, const void *data);
void tty_wait_answer_all(struct list_node *list, int64_t result);
/* For struct scheme_ops. */
void tty_wait_cancel(struct scheme_deferred *d);
