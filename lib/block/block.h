/* lib/block/block.h - a block driver's half that is the same for all: it serves the disk protocol (abi/proto/disk.def).
 *
 * A driver fills struct block_ops, calls block_add for each disk (namespace, port), and from then on gets struct block_request's to start and says
 * how they ended. Cutting into device requests, bounds, alignment, access, the copies between clients and the device's memory, queueing when the
 * device is full, flush order, cancel, statistics, deadlines, and taking up again what a dead instance had begun are done here.
 *
 * One thread: the one of server_run. A driver's functions are called from block_* and from the server's loop, and may call
 * block_done at any time, also from within start.
 */
#pragma once
#include "abi/proto/disk.h"
#include "abi/proto/dma.h"
#include "lib/base/attr.h"
#include "lib/base/list.h"
#include "lib/driver/driver.h"
#include "lib/scheme/scheme.h"

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD, BLOCK_ZERO };
enum { BLOCK_PIECES_MAX = 64, BLOCK_TRANSFER_MAX = 256 * 1024, BLOCK_COPY_MAX = 128 * 1024, BLOCK_DISKS_MAX = 32, BLOCK_NAME_MAX = 15 };
#define BLOCK_PATIENCE_NS 10000000000ull

/* One request to the device. The driver's from start to block_done; members are the driver's to read. */
struct block_request {
	struct list_node link;          /* of whoever has it: free for the driver's use between start and block_done */
	struct block_disk *disk;
	enum block_op op;
	uint64_t sector;                /* in units of info.sector_bytes */
	uint32_t sectors;               /* at most info.transfer_bytes_max' worth for reads and writes; 0 of a flush */
	uint32_t piece_count;           /* reads and writes: where the data is, for the device */
	struct dma_piece piece[BLOCK_PIECES_MAX];
	uint8_t *at;                    /* the same memory for the CPU; NULL: it is the client's own */
	uint64_t driver_data[4];        /* the driver's own */
};

struct block_ops {
	/* Hands it to the device. AGAIN: the device is full; offered again after the next block_done. Another error ends the request with it. */
	err_t (*start)(void *driver, struct block_request *r);
	/* After a row of starts: ring the doorbell(s). May be NULL. */
	void (*kick)(void *driver);
	/* r did not end by its deadline. The driver must get it back from the device (abort, reset) and call block_done for it, now or soon, and
	 * for whatever else it lost by a reset: with ERR_AGAIN, which starts it again (a few times, then the client gets ERR_IO). */
	void (*stuck)(void *driver, struct block_request *r);
};

struct block_disk {
	struct list_node link;
	struct disk_info info;          /* filled by the driver before block_add; transfer_bytes_max and queue_depth count here */
	const struct block_ops *ops;
	void *driver;
	uint32_t pieces_max;            /* of one request: 0, BLOCK_PIECES_MAX. Of BLOCK_COPY_MAX that are copied there are three at most */
	uint32_t range_sectors_max;     /* of one BLOCK_DISCARD or BLOCK_ZERO; 0: any number */
	uint64_t patience_ns;           /* how long a request may take; 0: BLOCK_PATIENCE_NS */
	struct block_queue *queue;      /* lib/block's */
};

/* Serves the disks of one device as the program's scheme; with a "state" handle what was opened outlives the program. NOMEM; errors of
 * server_add_scheme. */
err_t block_init(struct server *server, struct device *device) NONNULL MUST_CHECK;
/* The disk can be opened under this name (relative to the scheme), until block_remove; kind is as in disk.def. d stays the caller's. NOMEM, EXIST,
 * INVAL (name, info). */
err_t block_add(struct block_disk *d, const char *kind, const char *name) NONNULL MUST_CHECK;
/* The device has vanished: every request, now and later, ends with ERR_NODEV; the driver must not call block_done any more. */
void block_remove(struct block_disk *d) NONNULL;
/* info.bytes changed (the host made it larger, say). */
void block_resized(struct block_disk *d, uint64_t bytes) NONNULL;
/* err: OK, IO, NOSPC, OPNOTSUPP ...; AGAIN: start it again. The request is lib/block's again. */
void block_done(struct block_request *r, err_t err) NONNULL;
/* Monotonic time, and waiting for a device that needs some: for the start and for resets, while nothing is served. Defined by tests on the host. */
uint64_t block_now(void);
void block_sleep(uint64_t ns);
