/* servers/procd/image.h - what a process said it runs (POSIX_EXEC): path, arguments, environment, for lists. */
#pragma once
#include "servers/procd/tree.h"

enum { IMAGE_PATH_MAX = 4096, IMAGE_COMMAND_MAX = 4096, IMAGE_ENVIRONMENT_MAX = 4096 };

/* Shared by processes and never changed. The three texts follow each other, without a 0 after the path. */
struct image {
	uint32_t references;
	uint32_t path_bytes, command_bytes, environment_bytes;
	char name[16];                  /* the path's last component, 0-terminated */
	char text[];
};

static inline struct image *image_get(struct image *i) { i->references++; return i; }
void image_put(struct tree *t, struct image *i);
static inline const char *image_path(const struct image *i) { return i->text; }
static inline const char *image_command(const struct image *i) { return i->text + i->path_bytes; }
static inline const char *image_environment(const struct image *i) { return i->text + i->path_bytes + i->command_bytes; }

/* Reads what the sender of tag sent after its struct posix_exec; what is longer than we keep is cut
 * off. One reference. INVAL: the lengths do not fit. NOMEM, FAULT. */
err_t image_read(struct tree *t, uint64_t tag, const struct posix_exec *exec, uint64_t in_bytes, struct image **out) MUST_CHECK;
