/* servers/init/service.h - one thing that init keeps running: what is known about it, and how it is started. */
#pragma once
#include "abi/proto/init.h"
#include "abi/types.h"
#include "lib/initfs/initfs.h"
#include "lib/scheme/scheme.h"
#include "servers/init/manifest.h"
#include "servers/init/match.h"
#include "servers/init/watchdog.h"

enum service_state {
	SERVICE_OFF,            /* not in this mode */
	SERVICE_ABSENT,         /* a driver, which only its instances run: it holds its public names for the first of them */
	SERVICE_WAITING,        /* for others to be ready, or for its next chance */
	SERVICE_STARTING,       /* a thread is at it: the service is that thread's */
	SERVICE_RUNNING,        /* not ready yet */
	SERVICE_READY,
	SERVICE_STOPPING,       /* was told to end */
	SERVICE_STOPPED,        /* by whom runs the machine, or its device went */
	SERVICE_DONE,           /* ended, and not to be started again */
	SERVICE_FAILED,         /* given up */
};

/* What its end shall lead to, when it was asked for. */
enum service_wish { WISH_NONE, WISH_STOP, WISH_RESTART, WISH_DISABLE };

/* What is attached to a server is given to its next instance at its start: no client is to find it without. */
enum { ATTACHED_MAX = 24, ATTACHED_BYTES = SERVICE_NAME_MAX + 32 };
struct attached {
	handle_t root;                          /* a copy, under the name "attached:N"... */
	char text[ATTACHED_BYTES];              /* ...and "attached:N=INSTANCE INDEX" in the environment */
};

struct service {
	struct list_node link;                  /* init.services */
	const struct manifest *m;
	char name[SERVICE_NAME_MAX + 1];        /* m's, or the instance's */
	enum service_state state;
	enum service_wish wish;
	struct backoff backoff;
	uint32_t starts;
	uint64_t started_ns;
	/* Made once, kept over restarts: */
	handle_t endpoint[MANIFEST_SCHEMES_MAX];        /* of m->scheme: ours, whoever serves */
	char scheme[MANIFEST_SCHEMES_MAX][SCHEME_NAME_MAX + 1];         /* under which names they are bound */
	handle_t state_object;                  /* of m->state_bytes; what one instance leaves for the next */
	handle_t account;                       /* of m's quota, or HANDLE_NONE */
	handle_t life_object;
	volatile const struct service_life *life;
	handle_t namespace;                     /* for the start under way; so the next two */
	struct attached *attached;              /* ATTACHED_MAX, or NULL */
	uint32_t attached_count;
	/* While it runs: */
	handle_t process, ready;                /* ready: where its byte comes from, or HANDLE_NONE */
	bool is_needless;                       /* it said that it has nothing to do */
	uint32_t pid;
	struct server_watch process_watch, ready_watch;
	struct server_timer timer;              /* WAITING: its next chance; STOPPING: the end of patience */
	err_t start_error;
	struct watchdog watchdog;
	bool is_asked;                          /* atomic: the asking thread clears it */
	uint32_t asked_scheme;
	/* Of a driver's instance: */
	bool is_instance, has_gone;             /* has_gone: its device has */
	const struct service *lender;           /* whose endpoints it has, too; or NULL */
	device_address_t address;
	uint32_t index;                         /* its place among those of its kind */
	uint32_t device_faults;
	bool wants_attach, is_attaching;        /* is_attaching: a thread is at it */
	bool is_given;                          /* to the instance that is being started */
	handle_t root;                          /* what it serves, as its server of SCHEME gets it; or HANDLE_NONE */
};

/* What starting needs; filled before the first start and fixed from then on. */
struct service_world {
	struct initfs initfs;
	handle_t admin, initfs_object, namespace;       /* the first process's own */
	handle_t log;
	const char *mode;
	bool has_log_server, has_posix;                 /* there is (or will be) log:, posix: */
	const char *devices;                            /* the scheme of devices; NULL: none */
};

/* Zeroed but for its name, manifest and handles, which are HANDLE_NONE. */
void service_init(struct service *s, const char *name, const struct manifest *m) NONNULL;
/* Makes its endpoints, binds their names, and makes what else is kept. All services' before any namespace is made. */
err_t service_make_kept(struct service *s, const struct service_world *w) NONNULL MUST_CHECK;
/* Undoes it: who still has something open gets errors for ever. Names stay bound to what fails, until another takes them. */
void service_drop_kept(struct service *s) NONNULL;
/* Makes the namespace for its next start. names: each ended by a 0; none: the null namespace. */
err_t service_make_namespace(struct service *s, const struct service_world *w, const char *names, size_t bytes) NONNULL MUST_CHECK;
/* Opens its handles and starts its process: sets process, pid and ready. May wait for other servers: never in init's own thread. */
err_t service_launch(struct service *s, const struct service_world *w) NONNULL MUST_CHECK;
/* Clients of a service that is not served: wait for it, as its manifest says; or are told at once. */
void service_expect(const struct service *s) NONNULL;
void service_give_up(const struct service *s) NONNULL;
