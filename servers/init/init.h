/* servers/init/init.h - what init's own files share.
 *
 * All functions but those that say so run in the main thread, which never waits for another process: what might (opening a handle of a
 * user scheme, say) is done by a thread, which ends in a note to the main one (init_post).
 */
#pragma once
#include "servers/init/rc.h"
#include "servers/init/service.h"

enum { MODE_BYTES = 24, SERVICES_MAX = 128 };

struct init {
	struct server server;
	struct service_world world;
	struct rc rc;
	struct list_node services;      /* struct service, in the order of their making */
	uint32_t count;
	char mode[MODE_BYTES];
	bool is_up;                     /* all that can be ready were once */
	bool is_stopping;               /* the machine is to stop: nothing is started any more */
};
extern struct init init;

uint64_t now_ns(void);

/* ---- post.c ---- */
err_t init_post_prepare(void) MUST_CHECK;
/* Any thread: run(argument) is called in the main one. */
void init_post(void (*run)(void *argument), void *argument) NONNULL;
/* Runs work(argument) in a thread, then done(argument) in the main one. When there can be no thread *failed (may be NULL) says so: then work was not
 * done, but done will be. */
void init_work(void (*work)(void *argument), void (*done)(void *argument), void *argument, err_t *failed);

/* ---- life.c: from start to end and again ---- */
/* The service that m describes. NOMEM, and what making its endpoints gives. */
err_t service_add(const struct manifest *m) NONNULL MUST_CHECK;
/* The same for one that is filled in already (service_init). On OK it is init's. */
err_t service_enter(struct service *s) NONNULL MUST_CHECK;
/* Starts whatever can be. */
void start_all(void);
struct service *service_find(const char *name, size_t bytes) NONNULL;
/* Who serves the scheme, in this mode; NULL: nobody of ours. */
struct service *service_serving(const char *scheme) NONNULL;
bool service_is_alive(const struct service *s) NONNULL;
/* It is to end; then it stays so or starts again, as wish says. */
void service_stop(struct service *s, enum service_wish wish) NONNULL;
/* One that stands still starts, with nothing held against it. */
void service_begin(struct service *s) NONNULL;
/* Ends it as if it had crashed. SRCH: it does not run. */
err_t service_kill(struct service *s) NONNULL;
/* Ends it for good: as if it had failed too often. */
void service_disable(struct service *s) NONNULL;
/* A second has passed. */
void service_tick(struct service *s) NONNULL;

/* ---- namespace.c ---- */
err_t namespace_make(struct service *s) NONNULL MUST_CHECK;
/* How much s depends on another service. */
enum dependence service_dependence(const struct service *s, const struct service *on) NONNULL;

/* ---- files.c: init.rc and manifests ---- */
err_t files_read_first(void) MUST_CHECK;
/* Reads the file that the first one continues with, once its server is ready. */
void files_read_rest(void);
bool files_are_read(void);
/* All manifests that match devices; *count of them, for ever. */
err_t files_read_drivers(struct manifest **out, uint32_t most, uint32_t *count) NONNULL MUST_CHECK;

/* ---- devices.c: drivers' instances ---- */
/* Begins to listen, if init.rc says so and the scheme is served. */
void devices_listen(void);
/* s is ready: if that is who reports devices, what he reported is looked at again. */
void devices_ready(const struct service *s) NONNULL;

/* ---- attach.c ---- */
/* s is ready: it is attached, and what is to be attached to it. */
void attach_ready(struct service *s) NONNULL;
/* What is attached to s goes with its start (s->attached); and that is over. */
void attach_give(struct service *s) NONNULL;
void attach_given(struct service *s) NONNULL;
void attach_forget(const struct service *s) NONNULL;
/* What was written to its disks is on them, or cannot be; then done(s). */
void attach_flush(struct service *s, void (*done)(void *s)) NONNULL;

/* ---- stop.c ---- */
enum stop_whom { STOP_SERVICES, STOP_EVERYBODY };
/* Once; answered by the end of everything. STOP_SERVICES: others just lose power, as reboot(2) means it. */
void machine_stop(enum power how, enum stop_whom whom);
/* Something has ended. */
void machine_stop_go_on(void);

/* ---- control.c: the scheme init: ---- */
err_t control_prepare(void) MUST_CHECK;
