/* drivers/fs/virtio_9p/job.h - clients' requests, each worked on by a fiber that waits for the host when it must. */
#pragma once
#include "drivers/fs/virtio_9p/link.h"
#include "lib/driver/driver.h"
#include "lib/ninep/share.h"
#include "lib/scheme/scheme.h"

enum { JOB_WORKERS = 16, JOB_STACK_BYTES = 128 * 1024, JOB_IN_MAX = 2 * SHARE_PATH_MAX + 64 };

struct job {
	struct share_job share;
	struct list_node link;          /* of those that wait for a worker */
	struct scheme_deferred deferred;
	struct worker *worker;          /* NULL: none has it yet */
	uint32_t op;                    /* enum op */
	struct share_open *open, *other;        /* references */
	bool has_other, is_over;        /* is_over: it was answered before anybody took it up */
	uint32_t code, mode;
	uint32_t open_flags;            /* OPEN: asked for; else the open resource's now */
	uint64_t word, offset;
	size_t bytes;                   /* of in, or of the data */
	char in[];
};

extern const struct scheme_ops share_ops;

/* Serves the device's folder from now on; requests are taken up once the host has agreed on the protocol. records outlive us. NOMEM. */
err_t jobs_start(struct server *s, struct scheme *scheme, struct link *l, struct records *records, const char *mount) NONNULL MUST_CHECK;
/* Runs who can go on, and tells the device. After everything that may have woken somebody. */
void jobs_run(void);

/* map.c: a memory object with the open file's content: *out is to be copied to the client. ACCES, NOMEM. */
err_t map_get(struct share_job *j, struct share_open *o, handle_t *out) NONNULL MUST_CHECK;
/* blank: an empty memory object, of which others are made. */
void map_init(handle_t blank);
