/* servers/init/manifest.h - what one service is, needs and may: the words of a `manifest`, and of a `service` in init.rc.
 *
 *	scheme NAME [fail] [redeliver] [public] it serves NAME: and gets the endpoint as handles "scheme" and "scheme:NAME";
 *	                                fail: clients get an error while it is down, else they wait;
 *	                                redeliver: requests that a dead instance had taken go to the next one;
 *	                                public: who uses @public can open it
 *	use NAME...                     schemes that it can open; none at all: the null namespace
 *	handle NAME SCHEME:REF [read] [write] [optional] [mode=WORD]
 *	                                opened by init and given under NAME (for both, if neither is said); stdin, stdout
 *	                                and stderr become 0, 1 and 2; optional: goes without it when it cannot be had
 *	handle NAME @admin|@initfs|@namespace   one of the first process's own
 *	program PATH|SCHEME:REF         what runs; without it: /boot/ and the service's name
 *	arguments WORD...
 *	environment NAME=VALUE...
 *	after NAME...                   services that must be ready before it starts; @rc: all files must have been read
 *	                                (sessions wait for that in any case)
 *	match pci VENDOR:DEVICE         a driver: each such PCI function gets an instance of its own, NAME@0000:00:04.0, with
 *	match pci class CC:SS[:II]      the function as handle "device". All numbers hexadecimal. The closest match of all
 *	                                manifests drives it
 *	attach SCHEME [KIND]            what it serves is handed to the server of SCHEME (abi/proto/attach.def) with its
 *	                                place among those of its kind (its name, if none is said)
 *	quota [memory=BYTES[K|M|G]] [threads=N] [handles=N]     more than that it does not get (ERR_NOMEM, AGAIN, MFILE)
 *	priority idle|low|normal|server|driver|realtime
 *	user UID GID
 *	mode WORD...                    only when the kernel's command line says mode=WORD (without it: always)
 *	ready no                        it does not say when it is ready: it is at once
 *	restart no                      when it ends, that is that
 *	restart [limit=N] [wait=TIME] [most=TIME]       after N failures it is given up (0: never; backoff.h); it starts again at
 *	                                once, then after a wait, twice as long each time, up to the most (16, 50ms, 5s)
 *	watchdog SECONDS                how long it may owe init an answer without finishing anything else (watchdog.h)
 *	state BYTES[K|M|G]              a memory object of so many bytes, as handle "state": the same at every start
 *	stop TIME                       before it is ended it is asked to end (notice 15), and has so long for it; without this
 *	                                line it is ended at once, for it has nothing to bring to an end
 *	essential yes                   when it is given up the machine is powered off: it would be of no use
 *
 * A handle of a scheme that another service serves implies `after` that service. Pure: runs on the host.
 */
#pragma once
#include "servers/init/backoff.h"
#include "servers/init/words.h"

enum {
	SERVICE_NAME_MAX = 39, HANDLE_NAME_MAX = 23, SCHEME_NAME_MAX = HANDLE_NAME_MAX - 7 /* scheme: */,
	MANIFEST_SCHEMES_MAX = 8, MANIFEST_HANDLES_MAX = 24, MANIFEST_MATCHES_MAX = 16, MANIFEST_PATH_BYTES = SERVICE_NAME_MAX + 8,
};

struct manifest_handle {
	const char *name;
	const char *scheme;             /* or NULL: ref is admin, initfs or namespace */
	const char *ref;
	uint64_t open_flags;
	bool is_optional;
	const char *mode;               /* only in this one; NULL: in any */
};

struct manifest_scheme {
	const char *name;
	uint64_t scheme_flags;          /* enum scheme_flags */
	bool is_public;
};

enum match_kind { MATCH_CLASS, MATCH_INTERFACE, MATCH_DEVICE };         /* the later, the closer */

struct manifest_match {
	enum match_kind kind;
	uint16_t vendor, device;
	uint8_t class, subclass, interface;
};

struct manifest {
	char name[SERVICE_NAME_MAX + 1];
	bool is_session, has_ready, is_restarted, has_user, is_essential;
	char path[MANIFEST_PATH_BYTES]; /* the usual program's */
	const char *image;              /* the ELF file */
	struct words arguments;         /* a service's begin with its image */
	struct words uses, environment, after, modes;
	uint32_t scheme_count, handle_count, match_count;
	struct manifest_scheme scheme[MANIFEST_SCHEMES_MAX];
	struct manifest_handle handle[MANIFEST_HANDLES_MAX];
	struct manifest_match match[MANIFEST_MATCHES_MAX];
	const char *attach_scheme, *attach_kind;        /* NULL: nothing is attached */
	uint64_t memory_bytes_max;      /* UINT64_MAX: any; so the next two */
	uint64_t threads_max, handles_max;
	uint32_t priority;              /* enum task_priority */
	uint32_t uid, gid;
	struct backoff_policy restart;
	uint32_t watchdog_s;            /* 0: none */
	uint64_t state_bytes;           /* 0: none */
	uint64_t stop_ns;               /* 0: it is not asked */
};

/* As one is that says nothing. INVAL: the name is too long, or has a character that none may have. */
err_t manifest_init(struct manifest *m, const char *name) NONNULL MUST_CHECK;
/* One line. What is wrong (w->at says with which word), or NULL. The words must outlive m. */
const char *manifest_take(struct manifest *m, struct words *w) NONNULL;
/* A whole one: m is that of `name`, with what the text says; the text must outlive it. INVAL: *error says, but for error->file. */
err_t manifest_parse(struct manifest *m, const char *name, char *text, size_t bytes, struct words_error *error) NONNULL MUST_CHECK;

bool manifest_is_in_mode(const struct manifest *m, const char *mode) NONNULL;
bool manifest_serves(const struct manifest *m, const char *scheme) NONNULL;
bool manifest_has_quota(const struct manifest *m) NONNULL;
