/* servers/ptyd/pty.h - pseudo-terminals: pairs of a master and a slave, and the directory of slaves.
 *
 * pty:new is a new master, pty:N the slave of master N (once it is unlocked), pty: the directory /dev/pts.
 * The slave is a terminal as lib/tty/serve.h serves it; the master types at it and takes its output.
 */
#pragma once
#include "lib/tty/serve.h"

enum { PTY_COUNT_MAX = 4096, PTY_MASTER_MAJOR = 5, PTY_MASTER_MINOR = 2, PTY_SLAVE_MAJOR = 136, PTY_GROUP_TTY = 5 };

struct pty {
	struct tty_served slave;
	struct ptys *ptys;
	uint32_t number;
	bool is_locked;
	bool is_master_open;
	bool slave_was_open;            /* then a master without slaves reads the end */
	uint64_t master_id;             /* 0: not yet known */
	uint32_t master_ready;          /* last notified */
	struct list_node readers, writers;      /* struct tty_wait of the master */
};

struct ptys {
	struct scheme *scheme;
	const struct tty_outside *outside;
	struct pty **by_number;         /* capacity of them; NULL where free. A pty leaves it with its master */
	uint32_t capacity;
	uint64_t realtime_offset_ns;    /* for times of nodes */
};

/* What lib/scheme knows as `open`. */
enum pty_kind { PTY_DIRECTORY, PTY_MASTER, PTY_SLAVE };
struct pty_open {
	enum pty_kind kind;
	struct pty *pty;
	struct tty_open tty;            /* of a slave */
};

void ptys_init(struct ptys *p, struct scheme *scheme, const struct tty_outside *outside, uint64_t realtime_offset_ns) NONNULL;
extern const struct scheme_ops pty_ops;        /* scheme->context is the struct ptys */

/* directory.c: the calls of file.def on pty:, with paths. */
int64_t pty_directory_call(struct ptys *p, struct scheme_request *r, uint32_t code, uint64_t word) NONNULL MUST_CHECK;
/* A slave's number from its name; ERR_NOENT. Leading slashes do not count. */
err_t pty_parse_name(const char *name, size_t bytes, uint32_t *number) NONNULL MUST_CHECK;
/* NULL: there is none. */
struct pty *pty_find(const struct ptys *p, uint32_t number) NONNULL;
