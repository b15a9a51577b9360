/* lib/block/queue.h - clients' calls cut into device requests (internal to lib/block).
 *
 * A call waits in its disk's queue until all of it was handed to the driver; calls take turns request by request, so that a long one holds up
 * nobody. Requests are made as the device and the pool allow, from block_pump.
 */
#pragma once
#include "lib/block/block.h"
#include "lib/block/direct.h"
#include "lib/block/pool.h"
#include "lib/block/state.h"

/* One request of a client, from its arrival to its answer. */
struct block_call {
	struct scheme_deferred deferred;
	struct list_node link;          /* of the queue, while some of it was not yet handed out */
	struct block_queue *queue;
	enum block_op op;
	uint64_t first, bytes;          /* on the disk, whole sectors; 0 bytes of a flush */
	uint64_t skip, wanted;          /* of these the client's: [skip, skip + wanted) */
	bool is_patch;                  /* a write of parts of sectors: what is there is read first. Nothing else is out meanwhile */
	uint64_t given;                 /* of bytes, handed out so far */
	uint32_t in_flight;             /* its requests that the driver (or the held list) has */
	bool is_given;                  /* nothing more is to be handed out */
	err_t err;                      /* the first of a request of it */
	uint64_t begun_ns;
	struct direct direct;           /* its piece not NULL: the device gets to the client's own pages */
	const uint8_t *early;           /* while it is being taken: the beginning of what it writes, early_bytes of it */
	size_t early_bytes;
};

struct queue_request {
	struct block_request r;         /* first: block_done gets this */
	struct list_node node;          /* of queue: free, held or flying */
	struct block_call *call;
	uint64_t offset;                /* in the call */
	size_t bytes;                   /* of its buffer; 0: none */
	uint32_t attempts;
	uint64_t deadline_ns;
};

struct block_queue {
	struct block_disk *disk;
	char kind[8], name[BLOCK_NAME_MAX + 1];
	uint32_t index;                 /* of its record in the state */
	struct disk_statistics *statistics;
	struct queue_request *requests; /* disk->info.queue_depth of them */
	struct list_node free, held, flying;    /* held: made, but the device was full */
	struct list_node calls;
	bool is_pumping, is_gone;
	struct block_call *patch;       /* under way, or NULL */
};

/* What the whole program has. */
struct block {
	struct scheme scheme;
	struct server *server;
	struct pool pool;
	struct direct_slots direct;
	struct state *state;
	struct block_queue *starved;    /* had no memory when its turn came: nobody else takes any before it; or NULL */
	struct server_timer timer;
	struct block_queue *queue[BLOCK_DISKS_MAX];     /* NULL: none */
};

extern struct block block;
extern const struct scheme_ops block_scheme_ops;

/* Over the memory given; what block_init does beside system calls. */
void block_setup(struct server *server, struct state *state, const struct dma_memory *memory) NONNULL;
/* Takes a request of a client and keeps it. Reads and writes may begin and end within sectors (a write then of at most BLOCK_COPY_MAX less
 * two of them). NODEV, NOMEM. */
int64_t block_take(struct scheme_request *r, struct block_queue *q, enum block_op op, uint64_t first, uint64_t bytes) NONNULL MUST_CHECK;
/* Hands out what can be handed out, of every disk. */
void block_pump(void);
/* Looks for requests that are overdue. */
void block_tick(uint64_t now_ns);
