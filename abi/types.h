/* abi/types.h - the records and words that cross a protection boundary.
 *
 * Layouts here are ABI: fixed sizes, little endian, no holes.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/assert.h"

typedef int32_t handle_t;

enum {
	HANDLE_NONE = -1,
	/* Numbers from here up are a second, sparse part of the same table. POSIX
	 * never sees them: a personality and a server's library keep theirs there. */
	HANDLE_PRIVATE = 1 << 20,
};

/* What a handle lets its holder do. A dup may drop rights, never add any. */
enum rights {
	RIGHT_READ    = 1 << 0,
	RIGHT_WRITE   = 1 << 1,
	RIGHT_CALL    = 1 << 2,
	RIGHT_MAP     = 1 << 3,
	RIGHT_EXEC    = 1 << 4,         /* map executable */
	RIGHT_DUP     = 1 << 5,         /* dup in this process */
	RIGHT_SEND    = 1 << 6,         /* pass to another process */
	RIGHT_SERVE   = 1 << 7,         /* scheme: receive and reply */
	RIGHT_ADMIN   = 1 << 8,         /* namespace: bind; process: credentials */
	RIGHT_ALL     = (1 << 9) - 1,
};

/* OPEN's flags. Access is two bits; the rest go to the server unread by the
 * kernel, but for those the kernel keeps per handle or per open resource. */
enum open_flags {
	OPEN_READ      = 1 << 0,
	OPEN_WRITE     = 1 << 1,
	OPEN_EXEC      = 1 << 2,
	OPEN_CREATE    = 1 << 3,
	OPEN_EXCLUSIVE = 1 << 4,
	OPEN_TRUNCATE  = 1 << 5,
	OPEN_APPEND    = 1 << 6,        /* per open resource; each write goes to the end */
	OPEN_NONBLOCK  = 1 << 7,        /* per open resource; ERR_AGAIN instead of waiting */
	OPEN_DIRECTORY = 1 << 8,        /* ERR_NOTDIR for anything else */
	OPEN_NOFOLLOW  = 1 << 9,        /* ERR_LOOP when the last component is a symlink */
	OPEN_PATH      = 1 << 10,       /* names the node; neither read nor write */
	OPEN_CLOEXEC   = 1 << 11,       /* per handle; closed by EXEC */
	OPEN_PRIVATE   = 1 << 12,       /* number from HANDLE_PRIVATE up */
	OPEN_SYNC      = 1 << 13,
	OPEN_NOCTTY    = 1 << 14,
	OPEN_UNNAMED   = 1 << 15,       /* of a directory: a new regular file without a name (O_TMPFILE) */
};

/* The only way to ask for anything (DESIGN 3). In a called request these are
 * registers: see abi/arch/<cpu>/syscall.h. */
struct request {
	uint32_t op;
	uint32_t flags;                 /* enum request_flags */
	handle_t handle;
	uint32_t tag;
	uint64_t arg[6];
};
STATIC_ASSERT(sizeof(struct request) == 64, "a request is 64 bytes");

struct reply {
	uint32_t tag;
	handle_t handle;                /* one that came with the reply, or HANDLE_NONE */
	int64_t result;                 /* or a negated error */
};
STATIC_ASSERT(sizeof(struct reply) == 16, "a reply is 16 bytes");

enum request_flags {
	/* A notice that is pending and unmasked ends the wait with ERR_INTR. */
	REQUEST_INTERRUPTIBLE = 1 << 0,
	/* In a batch (BULK, ring:): the handle, or an argument, is the result of an earlier entry; which ones says request_link.
	 * When that one failed this one is ERR_CANCELED. */
	REQUEST_LINK_HANDLE   = 1 << 1,
	REQUEST_LINK_ARG      = 1 << 2,
	/* In a batch: when this entry fails, those behind it are run all the same. */
	REQUEST_GO_ON         = 1 << 3,
	/* This call must not wait: ERR_AGAIN instead. */
	REQUEST_NONBLOCK      = 1 << 4,
	/* To a terminal: write or change it from the background too (see proto/tty.def). */
	REQUEST_FROM_BACKGROUND = 1 << 5,
	/* On a kernel ring: a READ or WRITE that would wait holds up nobody; it is answered when it can be (a WRITE perhaps in part).
	 * Nothing can be linked to it. */
	REQUEST_ASIDE         = 1 << 6,
	/* CALL: only if the kernel answers; of a user scheme's, whose server may never answer, ERR_NOTTY. For handles that others passed. */
	REQUEST_KERNEL        = 1 << 7,
};

enum { REQUEST_LINK_BACK_MAX = 15 };

/* The flags of an entry that is linked (REQUEST_LINK_*) to the one `back` (1..REQUEST_LINK_BACK_MAX) before it; argument: where LINK_ARG puts
 * the result (0..5). A handle that came with the result of a CALL counts as its result for LINK_HANDLE. */
static inline uint32_t request_link(uint32_t link_flags, uint32_t back, uint32_t argument)
{
	return link_flags | argument << 16 | back << 24;
}
static inline uint32_t request_link_back(uint32_t flags) { return flags >> 24; }
static inline uint32_t request_link_argument(uint32_t flags) { return flags >> 16 & 0xff; }

/* Who asks: stamped by the kernel, never by the sender. group and session are
 * labels that procd sets and the kernel does not interpret. */
struct sender {
	uint32_t pid, tid;
	uint32_t uid, gid;
	uint32_t group, session;
};

/* What a server receives: the request as sent (handle replaced by the open id,
 * buffers reachable by COPY under the tag), who sent it, and what came along. */
enum message_kind {
	MESSAGE_REQUEST = 0,            /* answer with REPLY */
	MESSAGE_CANCEL  = 1,            /* the sender of tag wants it to end; reply to tag soon */
	MESSAGE_CLOSE   = 2,            /* the last handle of id is gone; no reply */
	MESSAGE_EVENT   = 3,            /* the buffer has copied_bytes of struct event (ENDPOINT_EVENTS); no reply */
};

struct message {
	/* tag is the kernel's; handle: the number of the endpoint in its group (ENDPOINT_NUMBER), NONE with CANCEL and EVENT; arg[2] of a
	 * request: what was closed before it, if not 0 (REPLY_LAZY_CLOSE). */
	struct request request;
	uint64_t id;                    /* what the server answered at OPEN; 0 for an OPEN of the scheme */
	struct sender sender;
	uint32_t kind;                  /* enum message_kind */
	uint32_t open_flags;            /* of the open resource, as they are now */
	/* READ and WRITE: where, already resolved. CALL that passes a handle of this very scheme:
	 * that one's id, and handle is HANDLE_NONE (a server cannot ask itself); else 0. */
	uint64_t offset;
	uint32_t in_bytes;              /* length of what the client sends */
	uint32_t out_bytes;             /* length of what the client can take */
	uint32_t copied_bytes;          /* how much of `in` already lies in the server's buffer */
	handle_t handle;                /* one the client passed, now the server's, or HANDLE_NONE */
};
STATIC_ASSERT(sizeof(struct message) == 128, "a message is 128 bytes");

/* What a poll or an event reports and is asked for; values as in POSIX poll.h
 * on Linux, so that they pass through. */
enum ready {
	READY_READ  = 0x001,
	READY_PRIORITY = 0x002,
	READY_WRITE = 0x004,
	READY_ERROR = 0x008,
	READY_HANGUP = 0x010,
	READY_INVALID = 0x020,
	READY_READ_HANGUP = 0x2000,
};

struct poll_entry {
	handle_t handle;                /* negative: skipped */
	uint32_t wanted;                /* enum ready */
	uint32_t found;
	uint32_t reserved;
};

/* Times are nanoseconds of CLOCK_MONOTONIC_NS unless a name says otherwise. */
#define DEADLINE_NONE  UINT64_MAX       /* wait for ever */
#define DEADLINE_NOW   0                /* do not wait */

enum clock_id {
	CLOCK_REALTIME_NS = 0,
	CLOCK_MONOTONIC_NS = 1,
	CLOCK_PROCESS_NS = 2,           /* CPU time of the calling process */
	CLOCK_THREAD_NS = 3,
};

enum map_flags {
	MAP_READ    = 1 << 0,
	MAP_WRITE   = 1 << 1,
	MAP_EXEC    = 1 << 2,
	MAP_SHARED  = 1 << 3,           /* else private, copy on write */
	MAP_FIXED   = 1 << 4,           /* replaces what is there */
	MAP_NOREPLACE = 1 << 5,         /* at the address or ERR_EXIST */
	MAP_POPULATE = 1 << 6,
	/* 1 << 7 is retired */
};

enum remap_flags {
	/* 1 << 0 is retired */
	REMAP_MOVE    = 1 << 1,         /* to new_address, replacing what is there; else in place */
};

enum advice {
	ADVICE_DONTNEED = 1,            /* drop private pages: next touch reads the bottom object again */
	ADVICE_WILLNEED = 2,
	ADVICE_FREE = 3,
};

enum seek_whence { SEEK_FROM_START = 0, SEEK_FROM_HERE = 1, SEEK_FROM_END = 2 };
