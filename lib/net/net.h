/* lib/net/net.h - a network driver's half that is the same for all: it serves the ethernet protocol (abi/proto/ethernet.def).
 *
 * A driver fills struct net_card and calls net_init, then net_serve. From then on it is handed frames to send and empty buffers, both in memory of a client
 * that its device reaches, and says how they ended. Rings, checks of what clients wrote, wake-ups, taps, statistics, a device that hangs, and taking up
 * after a dead instance are done here. A device that cannot reach memory anywhere has no `give` and copies: net_receive_copy.
 *
 * One thread: the one of server_run. A driver's functions are called from net_* and from the server's loop. They may call net_sent,
 * net_received and net_receive_copy only within `poll`; all else at any time but within `start` and `stop`.
 */
#pragma once
#include "abi/proto/ethernet.h"
#include "lib/base/attr.h"
#include "lib/driver/driver.h"
#include "lib/scheme/scheme.h"

/* What a buffer has in front of where a frame is put, for a header that the device writes; and then room for the frame. */
enum { NET_HEADROOM = 64, NET_ROOM = ETHERNET_BUFFER_BYTES - NET_HEADROOM };

struct net_piece {
	uint64_t address;               /* for the device */
	const uint8_t *at;              /* the client's memory: it may change at any time */
	uint32_t bytes;
};

/* To be sent: checked, and nobody else's to change, but for the bytes themselves. */
struct net_frame {
	uint32_t slot;                  /* for net_sent */
	uint32_t entries;
	uint32_t bytes;                 /* of all pieces */
	uint32_t count;
	struct ethernet_entry first;    /* flags and offloads count: only what info.offloads has */
	struct net_piece piece[ETHERNET_PIECES_MAX];
};

struct net_ops {
	/* The device works from now on, with the first `queues` of its queues, the filter as it is in the card, and no frames or buffers. Errors: it does
	 * not; the program ends. */
	err_t (*start)(void *driver, uint32_t queues);
	/* On return the device reaches no client's memory, and has forgotten what it had. */
	void (*stop)(void *driver);
	/* AGAIN: no room now; offered again after `poll` has taken something. Another error: refused. */
	err_t (*send)(void *driver, uint32_t queue, const struct net_frame *f);
	/* An empty buffer: NET_ROOM bytes for a frame at address + NET_HEADROOM. Used in order. False: no room now. NULL: the driver copies. */
	bool (*give)(void *driver, uint32_t queue, uint64_t address, const uint8_t *at);
	/* After a row of these. */
	void (*kick)(void *driver, uint32_t queue);
	/* Takes what the device has finished. */
	void (*poll)(void *driver, uint32_t queue);
	/* An interrupt is wanted at the next frame received, and (is_sending) when some were sent. False: there is something already. */
	bool (*arm)(void *driver, uint32_t queue, bool is_sending);
	/* card->filter has changed. */
	void (*filter)(void *driver);
};

struct net_card {
	const struct net_ops *ops;
	void *driver;
	struct ethernet_info info;      /* the driver's: address, queues, mtu, speed, offloads, driver; net_link sets is_up */
	struct ethernet_filter filter;  /* lib/net's */
	uint32_t offloads;              /* of those that may come (ETHERNET_CAN_TAKE_...), which the client wants: good at `start` */
};

/* Serves the card as the program's scheme; with a "state" handle what was opened outlives the program. The device is not yet started. NOMEM; errors of
 * server_add_scheme. */
err_t net_init(struct server *server, struct device *device, struct net_card *card) NONNULL MUST_CHECK;
/* Starts the device. */
err_t net_serve(void) MUST_CHECK;
/* An interrupt came that may have to do with this queue. */
void net_interrupt(uint32_t queue);
/* The frame with this slot was sent, or the device has at least let go of it. */
void net_sent(uint32_t queue, uint32_t slot);
/* The first buffer that was given and not yet received has so many bytes now, from `at` bytes into the buffer on; 0 bytes: nothing of worth (an error). */
void net_received(uint32_t queue, uint32_t at, uint32_t bytes, const struct ethernet_entry *how) __attribute__((nonnull(4)));
/* A frame comes from elsewhere: it is copied. */
void net_receive_copy(uint32_t queue, const volatile uint8_t *from, uint32_t bytes) NONNULL;
void net_link(bool is_up, uint32_t speed_mbps);
/* The device is in a state that only a reset ends: stop and start. */
void net_reset(const char *why) NONNULL;
/* The device has vanished: every request, now and later, ends with ERR_NODEV. */
void net_gone(void);
struct ethernet_statistics *net_statistics(void);
/* Monotonic time, and waiting for a device that needs some: for the start and for resets. Defined by tests on the host. */
uint64_t net_now(void);
void net_sleep(uint64_t ns);
