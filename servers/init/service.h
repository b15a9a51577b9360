/* servers/init/service.h - one thing that init keeps running: what is known about it, and how it is started. */
#pragma once
#include "abi/types.h"
#include "lib/initfs/initfs.h"
#include "lib/scheme/scheme.h"
#include "servers/init/backoff.h"
#include "servers/init/rc.h"

enum service_state {
	SERVICE_OFF,            /* not in this mode */
	SERVICE_WAITING,        /* for others to be ready, or for its next chance */
	SERVICE_STARTING,       /* a thread is at it: the service is that thread's */
	SERVICE_RUNNING,        /* not ready yet */
	SERVICE_READY,
	SERVICE_DONE,           /* ended, and not to be started again */
	SERVICE_FAILED,         /* given up */
};

struct service {
	const struct manifest *rc;
	enum service_state state;
	struct backoff backoff;
	uint32_t starts;
	handle_t endpoint[MANIFEST_SCHEMES_MAX];        /* of rc->scheme: ours, whoever serves */
	handle_t state_object;                  /* of rc->state_bytes; what one instance leaves for the next */
	handle_t namespace;                     /* for the start under way */
	/* While it runs: */
	handle_t process, ready;                /* ready: where its byte comes from, or HANDLE_NONE */
	uint32_t pid;
	struct server_watch process_watch, ready_watch;
	struct server_timer timer;
	err_t start_error;
	/* Of its watchdog, in ticks of a second: since the last question, or since the one that is not answered. */
	uint32_t ticks;
	bool is_asked;                          /* atomic: the asking thread clears it */
};

/* What starting needs; filled before the first start and fixed from then on. */
struct service_world {
	struct initfs initfs;
	handle_t admin, initfs_object, namespace;       /* the first process's own */
	handle_t log;
	const char *mode;
	bool has_log_server, has_posix;                 /* there is (or will be) log:, posix: */
};

/* Makes its endpoints, binds their names, and makes its state. All services' before any namespace is made. */
err_t service_make_endpoints(struct service *s, const struct service_world *w) NONNULL MUST_CHECK;
/* Makes the namespace for its next start. names: each ended by a 0; none: the null namespace. */
err_t service_make_namespace(struct service *s, const struct service_world *w, const char *names, size_t bytes) NONNULL MUST_CHECK;
/* Opens its handles and starts its process: sets process, pid and ready. May wait for other servers: never in init's own thread. */
err_t service_launch(struct service *s, const struct service_world *w) NONNULL MUST_CHECK;
