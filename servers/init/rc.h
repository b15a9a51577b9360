/* servers/init/rc.h - the words of init.rc.
 *
 *	# a comment
 *	continue SCHEME:REF                     another such file, read once the scheme's server is ready
 *	service NAME PROGRAM [ARGUMENT...]      what is kept running
 *	session NAME IMAGE PROGRAM [ARGUMENT...]        the same, for a user: told to procd, no "ready" handshake; IMAGE is
 *	                                        the personality, which gets the words after it as its arguments
 *		scheme NAME [fail] [redeliver] [public] it serves NAME: and gets the endpoint as handles "scheme" and "scheme:NAME";
 *		                                fail: clients get an error while it is down, else they wait;
 *		                                redeliver: requests that a dead instance had taken go to the next one;
 *		                                public: who uses @public can open it
 *		use NAME...                     schemes that it can open; none at all: the null namespace
 *		handle NAME SCHEME:REF [read] [write] [optional] [mode=WORD]
 *		                                opened by init and given under NAME (for both, if neither is said); stdin, stdout
 *		                                and stderr become 0, 1 and 2; optional: goes without it when it cannot be had
 *		handle NAME @admin|@initfs|@namespace   one of the first process's own
 *		environment NAME=VALUE...
 *		after NAME...                   services that must be ready before it starts; @rc: all files must have been read
 *		                                (sessions wait for that in any case)
 *		priority idle|low|normal|server|driver|realtime
 *		user UID GID
 *		mode WORD...                    only when the kernel's command line says mode=WORD (without it: always)
 *		ready no                        it does not say when it is ready: it is at once
 *		restart no                      when it ends, that is that
 *		watchdog SECONDS                how long its first scheme may leave an OPEN without answer before it is killed
 *		state BYTES                     a memory object of so many bytes, as handle "state": the same at every start
 *		limit N                         failures in a row after which init gives up (0: never)
 *		essential yes                   when it is given up the machine is powered off: it would be of no use
 *
 * Words are separated by blanks; "..." holds them together. Lines below a service or session belong to it,
 * however they are indented. A handle of a scheme that another service serves implies `after` that service. Pure: runs on the host.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { RC_WORDS_MAX = 24, RC_SERVICES_MAX = 64, RC_NAME_MAX = 23, RC_LIMIT = 16 };

struct rc_words {
	uint32_t count;
	char *word[RC_WORDS_MAX];
};

struct rc_handle {
	const char *name;
	const char *scheme;             /* or NULL: ref is admin, initfs or namespace */
	const char *ref;
	uint64_t open_flags;
	bool is_optional;
	const char *mode;               /* only in this one; NULL: in any */
};

struct rc_scheme {
	const char *name;
	uint64_t scheme_flags;          /* enum scheme_flags */
	bool is_public;
};

struct rc_service {
	const char *name;
	bool is_session, has_ready, is_restarted, has_user;
	const char *image;              /* the ELF file */
	struct rc_words arguments;      /* a service's begin with its image */
	struct rc_words uses, environment, after, modes;
	uint32_t scheme_count, handle_count;
	struct rc_scheme scheme[RC_WORDS_MAX];
	struct rc_handle handle[RC_WORDS_MAX];
	uint32_t priority;              /* enum task_priority */
	uint32_t uid, gid;
	bool is_essential;
	uint32_t limit;
	uint32_t watchdog_s;            /* 0: none */
	uint32_t state_bytes;           /* 0: none */
};

struct rc {
	const char *next_scheme, *next_ref;     /* the file to go on with; NULL: none */
	uint32_t count;
	struct rc_service *service[RC_SERVICES_MAX];
};

/* Where and what is wrong. */
struct rc_error {
	uint32_t line;
	const char *what;
};

/* Adds what text says to rc (zeroed at first); next_scheme and next_ref are this text's own. text is cut into words in place and must outlive rc. INVAL (*error says), NOMEM: rc has the services that were whole before. */
err_t rc_parse(struct rc *rc, char *text, size_t bytes, struct rc_error *error) NONNULL MUST_CHECK;
void rc_free(struct rc *rc) NONNULL;
/* NULL: none. */
struct rc_service *rc_find(const struct rc *rc, const char *name) NONNULL;
/* Who serves a scheme; NULL: nobody (perhaps the kernel). */
struct rc_service *rc_find_scheme(const struct rc *rc, const char *scheme) NONNULL;
bool rc_is_in_mode(const struct rc_service *s, const char *mode) NONNULL;
/* The value of name=value among the blank-separated words of a command line, into to; dflt when it is not there. */
void rc_option(const char *line, size_t line_bytes, const char *name, const char *dflt, char *to, size_t bytes) NONNULL;
