/* lib/net/card.c - from rings to the device and back: what is done in a turn, when to sleep, whom to wake, what to do when the device hangs. */
#include "lib/net/card.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/print.h"

enum { TURNS_MAX = 16, VAIN_RESETS_MAX = 8 };
#define STATE_MAGIC 0x31736d6172666e65ull       /* "enframs1" */
#define WATCHDOG_NS 2000000000ull
#define AGAIN_NS 1000000ull

struct net net;

static struct net_frame frame;  /* the one that is being looked at */

static struct ethernet_statistics *statistics(void) { return &net.state->statistics; }
static const struct net_ops *ops(void) { return net.card->ops; }

struct ethernet_statistics *net_statistics(void) { return statistics(); }

void net_state_init(struct net_state *s)
{
	if (s->magic != STATE_MAGIC) {
		memset(s, 0, sizeof(*s));
		s->magic = STATE_MAGIC;
	}
	if (s->filter.count > ETHERNET_GROUPS_MAX)
		s->filter = (struct ethernet_filter){ 0 };
}

/* ---- A turn -------------------------------------------------------------------------------------------------------- */

static bool frames_send(struct net_queue *q)
{
	struct net_ring *r = &q->ring;
	uint32_t before = r->sent_taken, count = net_ring_to_send(r);
	err_t err;

	for (q->is_full = false; count > 0; count -= frame.entries) {
		if ((err = net_ring_frame(r, count, &frame)) == ERR_NODATA)
			break;
		if (!err && (err = ops()->send(net.card->driver, q->index, &frame)) == ERR_AGAIN) {
			q->is_full = true;
			break;
		}
		if (!err) {
			net_ring_take(r, &frame);
			statistics()->sent++;
			statistics()->sent_bytes += frame.bytes;
			if (UNLIKELY(net.tap_count))
				net_taps_frame(&frame, true);
			continue;
		}
		statistics()->refused++;
		if (r->sent_taken == frame.slot) {
			net_ring_take(r, &frame);
			net_ring_sent(r, frame.slot);
		}
	}
	if (r->sent_taken == before)
		return false;
	/* Whoever finds it after us must not send it again. */
	ring_publish(&r->shared->sent_taken, r->sent_taken);
	return true;
}

static bool buffers_give(struct net_queue *q)
{
	struct net_ring *r = &q->ring;
	uint32_t count, before = r->empty_taken, offset;

	if (!ops()->give)
		return false;
	for (count = net_ring_empties(r); count > 0 && net_ring_empty(r, &offset); count--) {
		if (!ops()->give(net.card->driver, q->index, net_ring_address(r, offset), r->memory.at + offset))
			break;
		net_ring_empty_take(r, offset);
	}
	return r->empty_taken != before;
}

/* Shows the client what has been done. */
static void show(struct net_queue *q)
{
	net.vain_resets = 0;
	ring_publish(&q->ring.shared->sent_done, q->ring.sent_done);
	ring_publish(&q->ring.shared->received_put, q->ring.received_put);
	if (q->is_waiting || q->tells)
		net_queue_wake(q, OK);
	if (net.tap_count)
		net_taps_show();
}

/* True: something was done. */
static bool turn(struct net_queue *q)
{
	struct net_ring *r = &q->ring;
	uint32_t done = r->sent_done, received = r->received_put;

	net.is_polling = true;
	ops()->poll(net.card->driver, q->index);
	net.is_polling = false;
	bool is_given = buffers_give(q), is_sent = frames_send(q);
	if (is_given || is_sent)
		ops()->kick(net.card->driver, q->index);
	if (r->sent_done == done && r->received_put == received && !is_given && !is_sent)
		return false;
	show(q);
	return true;
}

/* ---- Sleep --------------------------------------------------------------------------------------------------------- */

/* The client calls when there is more to send, or buffers that we are short of; unless it has shown them by now. */
static bool fall_asleep(struct net_queue *q)
{
	struct net_ring *r = &q->ring;
	bool is_short = ops()->give && net_ring_given(r) <= r->entries / 4;

	atomic_store_explicit(&r->shared->wants, ETHERNET_WANTS_SENT | (is_short ? ETHERNET_WANTS_EMPTY : 0), memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if ((!q->is_full && net_ring_to_send(r)) || (is_short && net_ring_empties(r)))
		return false;
	return ops()->arm(net.card->driver, q->index, net_ring_sending(r) && (q->is_full || q->wants_room));
}

static void watch_over(struct net_queue *q)
{
	if (!net_ring_sending(&q->ring) || !list_is_empty(&net.watchdog.link))
		return;
	q->checked = q->ring.sent_done;
	server_timer_set(net.server, &net.watchdog, net_now() + WATCHDOG_NS);
}

void net_queue_run(struct net_queue *q)
{
	uint32_t turns = 0;
	bool is_asleep = false;

	if (!q->owner || !net.is_started)
		return;
	atomic_store_explicit(&q->ring.shared->wants, 0, memory_order_relaxed);
	do {
		while (turn(q) && q->owner)
			if (++turns == TURNS_MAX) {
				server_timer_set(net.server, &net.again, DEADLINE_NOW);
				return;
			}
	} while (q->owner && net.is_started && !(is_asleep = fall_asleep(q)) && ++turns < TURNS_MAX);
	/* Something came at the last moment, and nobody else tells of it. An incomplete frame, or a device that is always ready, is no reason
	 * to go on at once for ever. */
	if (q->owner && net.is_started && !is_asleep)
		server_timer_set(net.server, &net.again, net_now() + AGAIN_NS);
	if (q->owner)
		watch_over(q);
}

void net_interrupt(uint32_t queue)
{
	net_queue_run(&net.queue[queue]);
}

static void run_all(struct server_timer *t)
{
	(void)t;
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		net_queue_run(&net.queue[i]);
}

/* Frames are taken back from the device when there is reason to look; if nothing else is, this is. One that sends nothing for so long hangs. */
static void look_after(struct server_timer *t)
{
	bool hangs = false;

	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++) {
		struct net_queue *q = &net.queue[i];
		net_queue_run(q);
		hangs |= q->owner && net.is_started && net_ring_sending(&q->ring) && q->ring.sent_done == q->checked && net.card->info.is_up;
		q->checked = q->ring.sent_done;
	}
	if (hangs)
		net_reset("it does not send");
	(void)t;
}

/* ---- Who waits ------------------------------------------------------------------------------------------------------ */

bool net_queue_has_news(const struct net_queue *q)
{
	const struct net_ring *r = &q->ring;

	return r->received_put != q->seen || (uint16_t)net.link != q->link_seen || r->is_broken || (q->wants_room && net_ring_sending(r) <= r->entries / 2 &&
	       atomic_load_explicit(&r->shared->sent_put, memory_order_relaxed) - r->sent_done <= r->entries / 2);
}

void net_queue_wake(struct net_queue *q, err_t err)
{
	if (!err && !net_queue_has_news(q))
		return;
	q->wants_room = false;
	if (q->is_waiting) {
		q->is_waiting = false;
		(void)!scheme_answer(&q->waiting, err);
	}
	if (q->tells) {
		q->tells = false;
		q->has_told = true;
		scheme_notify(&net.scheme, q->owner->id, READY_READ, READY_READ);
	}
}

/* ---- The device ----------------------------------------------------------------------------------------------------- */

static void link_show(void)
{
	net.state->link = net.link;
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		if (net.queue[i].owner) {
			atomic_store_explicit(&net.queue[i].ring.shared->link, net.link, memory_order_release);
			net_queue_wake(&net.queue[i], OK);
		}
}

void net_link(bool is_up, uint32_t speed_mbps)
{
	net.card->info.speed_mbps = speed_mbps;
	if (net.card->info.is_up == is_up)
		return;
	net.card->info.is_up = is_up;
	net.link = ((net.link | 1) + 1) | is_up;
	link_show();
}

static uint32_t queues_used(void)
{
	uint32_t count = 1;

	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		if (net.queue[i].owner)
			count = i + 1;
	return count;
}

static void device_stop(void)
{
	if (!net.is_started)
		return;
	net.is_started = false;
	ops()->stop(net.card->driver);
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		if (net.queue[i].owner)
			statistics()->lost += net_ring_rewind(&net.queue[i].ring);
}

static err_t device_start(void)
{
	net.queues_started = queues_used();
	TRY(ops()->start(net.card->driver, net.queues_started));
	net.is_started = true;
	return OK;
}

void net_restart(void)
{
	err_t err;

	if (net.is_gone)
		return;
	device_stop();
	if ((err = device_start())) {
		print("%s: the device does not start: error %d\n", net.card->info.driver, -err);
		driver_fail("network driver: gives up");
		return;
	}
	/* Soon, not here: this may be within a turn. */
	server_timer_set(net.server, &net.again, DEADLINE_NOW);
}

void net_reset(const char *why)
{
	print("%s: %s: reset\n", net.card->info.driver, why);
	statistics()->resets++;
	if (++net.vain_resets > VAIN_RESETS_MAX) {
		driver_fail("network driver: no reset helps");
		return;
	}
	net.link += 2;
	net_restart();
	link_show();
}

void net_gone(void)
{
	net.is_gone = true;
	net.is_started = false;
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		if (net.queue[i].owner)
			net_queue_wake(&net.queue[i], ERR_NODEV);
}

/* ---- What drivers tell ------------------------------------------------------------------------------------------------ */

void net_sent(uint32_t queue, uint32_t slot)
{
	net_ring_sent(&net.queue[queue].ring, slot);
}

/* Listeners see it as if it were to be sent. */
static NOINLINE void tap_received(const struct net_ring *r, uint32_t at, uint32_t bytes)
{
	frame = (struct net_frame){ .bytes = bytes, .count = 1, .piece = { { .at = r->memory.at + r->given[r->received_put & r->mask] + at, .bytes = bytes } } };
	net_taps_frame(&frame, false);
}

void net_received(uint32_t queue, uint32_t at, uint32_t bytes, const struct ethernet_entry *how)
{
	struct net_ring *r = &net.queue[queue].ring;

	if (!net_ring_given(r))
		return;
	bytes = MIN_OF(bytes, ETHERNET_BUFFER_BYTES - at);
	if (bytes == 0)
		statistics()->errors++;
	else
		statistics()->received += !(how->entry_flags & ETHERNET_MORE);
	statistics()->received_bytes += bytes;
	if (UNLIKELY(net.tap_count) && bytes)
		tap_received(r, at, bytes);
	net_ring_received(r, at, bytes, how);
}

void net_receive_copy(uint32_t queue, const volatile uint8_t *from, uint32_t bytes)
{
	struct net_queue *q = &net.queue[queue];
	static const struct ethernet_entry plain;
	uint32_t offset;

	if (!q->owner || bytes > NET_ROOM || !net_ring_empties(&q->ring) || !net_ring_empty(&q->ring, &offset)) {
		statistics()->dropped++;
		return;
	}
	net_ring_empty_take(&q->ring, offset);
	memcpy(q->ring.memory.at + offset + NET_HEADROOM, (const void *)from, bytes);
	net_received(queue, NET_HEADROOM, bytes, &plain);
}

/* ---- Rings come and go ------------------------------------------------------------------------------------------------ */

err_t net_queue_attach(struct net_queue *q, struct net_open *owner, const struct net_memory *memory, const struct ethernet_setup *setup)
{
	uint32_t lost;

	TRY(net_ring_init(&q->ring, memory, setup->entries, &lost));
	q->ring.offloads = net.card->info.offloads;
	q->ring.frame_max = net.card->info.mtu + ETHERNET_FRAME_MAX - ETHERNET_MTU;
	statistics()->lost += lost;
	q->owner = owner;
	owner->queue = q;
	q->is_waiting = q->tells = q->has_told = q->is_full = q->wants_room = false;
	atomic_store_explicit(&q->ring.shared->link, net.link, memory_order_release);
	uint32_t offloads = setup->offloads & net.card->info.offloads;
	bool is_ready = net.is_started && queues_used() <= net.queues_started && offloads == net.card->offloads;
	net.card->offloads = offloads;
	if (is_ready)
		server_timer_set(net.server, &net.again, DEADLINE_NOW);
	else
		net_restart();
	return OK;
}

void net_queue_detach(struct net_queue *q)
{
	net_queue_wake(q, ERR_CONNRESET);
	if (q->has_told)
		scheme_notify(&net.scheme, q->owner->id, 0, READY_READ);
	q->has_told = false;
	device_stop();
	q->owner->queue = NULL;
	q->owner = NULL;
	net_ring_fini(&q->ring);
	net_memory_unmap(&q->ring.memory);
	net_restart();
}

/* ---- The start -------------------------------------------------------------------------------------------------------- */

void net_setup(struct server *server, struct device *device, struct net_card *card, struct net_state *state)
{
	net.server = server;
	net.device = device;
	net.card = card;
	net.state = state;
	net_state_init(state);
	/* It had a past: the link is told of as changed. */
	net.link = (state->link & ~1u) + 2;
	net.link |= card->info.is_up != 0;
	card->filter = state->filter;
	list_init(&net.opens);
	list_init(&net.taps);
	for (uint32_t i = 0; i < ETHERNET_QUEUES_MAX; i++)
		net.queue[i].index = i;
	server_timer_init(&net.again, run_all);
	server_timer_init(&net.watchdog, look_after);
	server_timer_init(&net.adopted, net_adopted_tell);
}
