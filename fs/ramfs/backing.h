/* fs/ramfs/backing.h - what the engine needs from outside, as one table of functions.
 *
 * main.c fills it with memory objects, pipes and replies; the host tests with malloc. All
 * else in this folder is plain code that knows no handle and waits for nobody.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/kernel.h"

/* A memory object or a pipe: a handle, or the host's stand-in for one. */
typedef int32_t content_t;
enum { CONTENT_NONE = -1 };

enum pipe_end { PIPE_READ = 1, PIPE_WRITE = 2, PIPE_BOTH = 3 };

struct backing {
	/* Nanoseconds since 1970. */
	int64_t (*now_ns)(void);
	/* Bytes in all and free, for FILE_STATFS. */
	void (*space)(uint64_t *total_bytes, uint64_t *free_bytes);

	/* An empty object, or a copy-on-write copy of a window of the initfs image. */
	err_t (*content_new)(content_t *out);
	err_t (*content_clone)(uint64_t offset, uint64_t bytes, content_t *out);
	void (*content_drop)(content_t content);
	err_t (*content_resize)(content_t content, uint64_t bytes);
	err_t (*content_info)(content_t content, struct mem_info *out);
	/* Makes a range within the length read as zero, freeing what can be freed. */
	err_t (*content_zero)(content_t content, uint64_t offset, uint64_t bytes);
	/* Where the next held page at or after offset starts. ERR_NXIO. */
	err_t (*content_next_data)(content_t content, uint64_t offset, uint64_t *out);

	/* A pipe that counts as no end itself; its ends (of the flags, NONBLOCK); how many ends are open. */
	err_t (*pipe_new)(content_t *out);
	err_t (*pipe_open)(content_t pipe, enum pipe_end end, uint32_t open_flags, content_t *out);
	err_t (*pipe_ends)(content_t pipe, uint32_t *readers, uint32_t *writers);

	/* When what has this number (struct open) is closed matters from now on. May call open_close. */
	void (*close_soon)(uint64_t number);

	/* Answers a request that had to wait: a lock, or the OPEN of a FIFO (the end is taken). */
	void (*finish)(uint64_t tag, err_t err);
	void (*finish_open)(uint64_t tag, content_t end);
};
