/* drivers/display/virtio_gpu/jobs.h - inside the driver: jobs of lib/display as rows of commands. */
#pragma once
#include "drivers/display/virtio_gpu/gpu.h"

/* jobs.c */
void gpu_job_start(void *driver, struct display_job *j) NONNULL;
/* One of its commands was. */
void gpu_job_answered(struct gpu *g, struct display_job *j, err_t err) NONNULL;
/* Sends what there is room for. */
void gpu_jobs_go_on(struct gpu *g) NONNULL;

/* gpu.c */
bool gpu_has_room(const struct gpu *g) NONNULL;
/* One command of the job, with what the device reads behind it (bytes 0: nothing). There is room. Kicked later. */
err_t gpu_send(struct gpu *g, struct display_job *j, const struct gpu_command *c, struct dma_piece extra) NONNULL MUST_CHECK;
/* Brings the device to what g->cursor says, as soon as it can be. */
void gpu_cursor_tell(struct gpu *g) NONNULL;
/* Monotonic time; tests have their own. */
uint64_t gpu_now(void);
