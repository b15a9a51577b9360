/* lib/net/card.h - the card's queues, who has them and who listens (internal to lib/net). */
#pragma once
#include "lib/net/ring.h"
#include "lib/net/state.h"

enum { NET_TAPS_MAX = 4, NET_OPENS_MAX = 64 };

/* What a handle of ours stands for. */
struct net_open {
	struct list_node link;          /* of net.opens */
	uint64_t id;                    /* 0: the client has not got it yet */
	uint32_t open_flags;            /* OPEN_READ, OPEN_WRITE: may send and receive */
	struct net_queue *queue;        /* whose ring is its */
	struct net_tap *tap;            /* it is one */
	bool is_untold;                 /* an instance before us had its ring: its client is to hear of it */
};

struct net_queue {
	uint32_t index;
	struct net_open *owner;         /* NULL: nobody, and there is no ring */
	struct net_ring ring;
	bool is_full;                   /* the device took no more frames */
	uint32_t checked;               /* sent_done when the watchdog last looked */
	/* Who waits. */
	struct scheme_deferred waiting;
	bool is_waiting, tells, has_told, wants_room;
	uint32_t seen, link_seen;       /* link_seen: 16 bits of it */
};

struct net {
	struct scheme scheme;
	struct server *server;
	struct device *device;
	struct net_card *card;
	struct net_state *state;
	struct net_queue queue[ETHERNET_QUEUES_MAX];
	struct list_node opens, taps;
	uint32_t open_count, tap_count;
	struct server_timer again, watchdog, adopted;
	bool is_started, is_gone, is_polling;
	uint32_t queues_started;
	uint32_t vain_resets;           /* since something was sent or received */
	uint32_t link;                  /* as in struct ethernet_ring */
};

extern struct net net;
extern const struct scheme_ops net_scheme_ops;

/* card.c: over what net_init got. */
void net_setup(struct server *server, struct device *device, struct net_card *card, struct net_state *state) NONNULL;
/* Stops the device and starts it anew, with the rings that there are now. */
void net_restart(void);
/* Looks at the queue's ring and device until there is nothing to do. */
void net_queue_run(struct net_queue *q) NONNULL;
/* Who waits hears of it, if there is something. err: not OK: in any case, with that. */
void net_queue_wake(struct net_queue *q, err_t err) NONNULL;
/* There is something for who waits, by what he had seen. */
bool net_queue_has_news(const struct net_queue *q) NONNULL;
/* The queue, which has none, gets a ring in this memory; or loses it. */
err_t net_queue_attach(struct net_queue *q, struct net_open *owner, const struct net_memory *memory, const struct ethernet_setup *setup)
	NONNULL MUST_CHECK;
void net_queue_detach(struct net_queue *q) NONNULL;

/* serve.c: what an instance before us had open. */
void net_adopt(void);
void net_adopted_tell(struct server_timer *t);

/* tap.c: a listener, with room for records. NULL: too many, or no memory. */
struct net_tap *net_tap_create(uint32_t snap) MUST_CHECK;
void net_tap_destroy(struct net_tap *t) NONNULL;
/* A frame goes by. */
void net_taps_frame(const struct net_frame *f, bool is_sent) NONNULL;
/* Readers that wait get what has come. */
void net_taps_show(void);
uint32_t net_tap_snap(const struct net_tap *t) NONNULL;
int64_t net_tap_read(struct net_tap *t, struct scheme_request *r, size_t bytes) NONNULL;
void net_tap_named(struct net_tap *t, uint64_t id) NONNULL;
/* d was one of a tap's, which is cancelled: true. */
bool net_taps_cancel(struct scheme_deferred *d) NONNULL;

/* start.c; tests have their own. The passed object, sealed, for us and (needs_device) for the device. INVAL: a length that does not fit. */
err_t net_memory_map(handle_t object, uint32_t entries, bool needs_device, struct net_memory *out) NONNULL MUST_CHECK;
void net_memory_unmap(struct net_memory *m) NONNULL;
uint64_t net_time(void);                /* of the day */
