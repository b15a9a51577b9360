/* drivers/net/virtio_net/vnet.c - frames in virtio's form, and what the device answers.
 *
 * A frame to send is two pieces and more: a header in our memory (one of zeroes for all that ask for nothing), and the client's bytes. A buffer to receive into is
 * one piece in the client's memory, the device's header in its headroom: the client can write there, and so change only what it is told itself.
 */
#include "drivers/net/virtio_net/vnet.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* 5.1.3 */
#define NET_CHECKSUM            (1ull << 0)
#define NET_TAKE_CHECKSUM       (1ull << 1)
#define NET_HAS_MTU             (1ull << 3)
#define NET_HAS_ADDRESS         (1ull << 5)
#define NET_TAKE_TCP4           (1ull << 7)
#define NET_TAKE_TCP6           (1ull << 8)
#define NET_SEND_TCP4           (1ull << 11)
#define NET_SEND_TCP6           (1ull << 12)
#define NET_MERGE               (1ull << 15)
#define NET_HAS_STATUS          (1ull << 16)
#define NET_CONTROL             (1ull << 17)
#define NET_CONTROL_RECEIVE     (1ull << 18)
#define NET_MANY_QUEUES         (1ull << 22)
#define NET_HAS_SPEED           (1ull << 63)
#define NET_WANTED              (NET_CHECKSUM | NET_HAS_MTU | NET_HAS_ADDRESS | NET_SEND_TCP4 | NET_SEND_TCP6 | NET_HAS_STATUS | NET_CONTROL | \
                                 NET_CONTROL_RECEIVE | NET_MANY_QUEUES | NET_HAS_SPEED | VIRTIO_EVENT_INDEX)
#define NET_TAKES               (NET_TAKE_CHECKSUM | NET_TAKE_TCP4 | NET_TAKE_TCP6 | NET_MERGE)

/* 5.1.4: offsets in the configuration. */
enum { CONFIG_ADDRESS = 0, CONFIG_STATUS = 6, CONFIG_PAIRS = 8, CONFIG_MTU = 10, CONFIG_SPEED = 12 };
enum { STATUS_LINK_UP = 1 };

/* 5.1.6 */
enum { HEADER_NEEDS_CHECKSUM = 1, HEADER_CHECKED = 2 };
enum { SEGMENT_NONE = 0, SEGMENT_TCP4 = 1, SEGMENT_TCP6 = 4, SEGMENT_ECN = 0x80 };

/* 5.1.6.5 */
enum { CLASS_RECEIVE = 0, RECEIVE_PROMISCUOUS = 0, RECEIVE_ALL_GROUPS = 1, CLASS_ADDRESS = 1, ADDRESS_TABLE = 0, CLASS_QUEUES = 4, QUEUES_SET = 0 };
enum { CONTROL_OK = 0, CONTROL_WAITS = 200, MTU_MIN = 68 };
#define CONTROL_WAIT_NS 1000000ull

static struct vnet_shared *shared(struct vnet *n) { return (struct vnet_shared *)n->memory.at; }

/* ---- Sending -------------------------------------------------------------------------------------------------------- */

static struct dma_piece header_piece(struct vnet *n, const void *at)
{
	return (struct dma_piece){ dma_address(&n->memory, (size_t)((const uint8_t *)at - n->memory.at), NULL), VNET_HEADER_BYTES };
}

/* The header of a frame with wishes. Its place was used so many frames ago that the device is done with it. */
static struct dma_piece header_fill(struct vnet *n, uint32_t pair, const struct ethernet_entry *e)
{
	struct vnet_header *h = &shared(n)->header[pair][n->pair[pair].next_header++ % VNET_QUEUE_SIZE];

	*h = (struct vnet_header){ .flags = e->entry_flags & ETHERNET_CHECKSUM ? HEADER_NEEDS_CHECKSUM : 0, .checksum_start = e->checksum_start, .checksum_offset = e->checksum_offset };
	if (e->entry_flags & (ETHERNET_SEGMENT_TCP4 | ETHERNET_SEGMENT_TCP6)) {
		h->segment_type = e->entry_flags & ETHERNET_SEGMENT_TCP4 ? SEGMENT_TCP4 : SEGMENT_TCP6;
		h->segment_bytes = e->segment_bytes;
		h->header_bytes = e->header_bytes;
	}
	return header_piece(n, h);
}

/* Tokens are slots, and none is 0. */
static void *token_of(uint32_t slot) { return (void *)((uintptr_t)slot + 1); }
static uint32_t slot_of(const void *token) { return (uint32_t)((uintptr_t)token - 1); }

static err_t vnet_send(void *driver, uint32_t queue, const struct net_frame *f)
{
	struct dma_piece piece[ETHERNET_PIECES_MAX + 1];
	struct vnet *n = driver;
	struct virtqueue *q = &n->pair[queue].send;

	if (f->count + 1 > q->free_count)
		return ERR_AGAIN;
	piece[0] = f->first.entry_flags & ~ETHERNET_MORE ? header_fill(n, queue, &f->first) : header_piece(n, &shared(n)->plain);
	for (uint32_t i = 0; i < f->count; i++)
		piece[i + 1] = (struct dma_piece){ f->piece[i].address, f->piece[i].bytes };
	return virtqueue_add(q, piece, f->count + 1, 0, token_of(f->slot));
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------- */

static bool vnet_give(void *driver, uint32_t queue, uint64_t address, const uint8_t *at)
{
	struct vnet_pair *p = &((struct vnet *)driver)->pair[queue];
	struct dma_piece piece = { address + NET_HEADROOM - VNET_HEADER_BYTES, NET_ROOM + VNET_HEADER_BYTES };

	if (virtqueue_add(&p->receive, &piece, 0, 1, token_of(p->given)))
		return false;
	p->buffer[p->given++ % VNET_QUEUE_SIZE] = at + NET_HEADROOM - VNET_HEADER_BYTES;
	return true;
}

/* A frame's first buffer: what its header says of it. */
static void header_read(struct vnet_pair *p, const uint8_t *at, bool is_merging)
{
	struct vnet_header h;

	memcpy(&h, at, sizeof(h));
	p->how = (struct ethernet_entry){ 0 };
	p->more = is_merging && h.buffers > 1 ? h.buffers - 1 : 0;
	if (h.flags & HEADER_NEEDS_CHECKSUM) {
		p->how.entry_flags |= ETHERNET_CHECKSUM;
		p->how.checksum_start = h.checksum_start;
		p->how.checksum_offset = h.checksum_offset;
	} else if (h.flags & HEADER_CHECKED) {
		p->how.entry_flags |= ETHERNET_CHECKED;
	}
	uint8_t type = h.segment_type & (uint8_t)~SEGMENT_ECN;
	if (type == SEGMENT_TCP4 || type == SEGMENT_TCP6) {
		p->how.entry_flags |= type == SEGMENT_TCP4 ? ETHERNET_SEGMENT_TCP4 : ETHERNET_SEGMENT_TCP6;
		p->how.segment_bytes = h.segment_bytes;
		p->how.header_bytes = h.header_bytes;
	}
}

static void buffer_received(struct vnet *n, uint32_t queue, uint32_t written)
{
	struct vnet_pair *p = &n->pair[queue];
	const uint8_t *at = p->buffer[p->received++ % VNET_QUEUE_SIZE];
	uint32_t skip = VNET_HEADER_BYTES;

	if (p->more > 0) {
		skip = 0;
		p->more--;
		p->how = (struct ethernet_entry){ 0 };
	} else if (n->virtio.features & NET_TAKES) {
		header_read(p, at, n->virtio.features & NET_MERGE);
	}
	if (p->more)
		p->how.entry_flags |= ETHERNET_MORE;
	else
		p->how.entry_flags &= (uint16_t)~ETHERNET_MORE;
	net_received(queue, NET_HEADROOM - VNET_HEADER_BYTES + skip, written > skip ? written - skip : 0, &p->how);
}

/* ---- Both ------------------------------------------------------------------------------------------------------------- */

static void vnet_poll(void *driver, uint32_t queue)
{
	struct vnet *n = driver;
	struct vnet_pair *p = &n->pair[queue];
	uint32_t written;
	void *token;

	if (n->is_gone)
		return;
	/* Buffers come back in the order in which they went: a device that says otherwise says nothing true. */
	while ((token = virtqueue_take(&p->receive, &written))) {
		if (slot_of(token) != p->received) {
			p->receive.is_broken = true;
			break;
		}
		buffer_received(n, queue, written);
	}
	while ((token = virtqueue_take(&p->send, NULL)))
		net_sent(queue, slot_of(token));
	if (p->receive.is_broken || p->send.is_broken)
		net_reset("its queues make no sense");
}

static void vnet_kick(void *driver, uint32_t queue)
{
	struct vnet_pair *p = &((struct vnet *)driver)->pair[queue];

	virtqueue_kick(&p->receive);
	virtqueue_kick(&p->send);
}

static bool vnet_arm(void *driver, uint32_t queue, bool is_sending)
{
	struct vnet *n = driver;
	struct vnet_pair *p = &n->pair[queue];

	if (n->is_gone || p->receive.is_broken || p->send.is_broken)
		return true;
	bool is_quiet = virtqueue_arm(&p->receive);
	return (!is_sending || virtqueue_arm(&p->send)) && is_quiet;
}

/* ---- Control ---------------------------------------------------------------------------------------------------------- */

/* One command with the argument that lies there. TIMEDOUT: the device does not answer, and is not asked any more. */
static err_t control(struct vnet *n, uint8_t class, uint8_t command, size_t bytes)
{
	struct vnet_shared *s = shared(n);
	struct dma_piece piece[] = {
		{ dma_address(&n->memory, offsetof(struct vnet_shared, control.class), NULL), 2 },
		{ dma_address(&n->memory, offsetof(struct vnet_shared, argument), NULL), bytes },
		{ dma_address(&n->memory, offsetof(struct vnet_shared, control.acknowledged), NULL), 1 },
	};

	s->control.class = class;
	s->control.command = command;
	s->control.acknowledged = 0xff;
	if (!n->has_control || virtqueue_add(&n->control, piece, 2, 1, n))
		return ERR_OPNOTSUPP;
	virtqueue_kick(&n->control);
	for (uint32_t i = 0; i < CONTROL_WAITS; i++) {
		if (virtqueue_take(&n->control, NULL))
			return *(volatile uint8_t *)&s->control.acknowledged == CONTROL_OK ? OK : ERR_IO;
		if (n->control.is_broken)
			break;
		net_sleep(CONTROL_WAIT_NS);
	}
	n->has_control = false;
	return ERR_TIMEDOUT;
}

static err_t control_byte(struct vnet *n, uint8_t class, uint8_t command, uint8_t value)
{
	shared(n)->argument[0] = value;
	return control(n, class, command, 1);
}

/* Two tables, of a count and addresses: none of single stations, and the groups. */
static err_t groups_set(struct vnet *n, const struct ethernet_filter *f)
{
	uint8_t *to = shared(n)->argument;
	uint32_t none = 0;

	memcpy(to, &none, sizeof(none));
	memcpy(to + 4, &f->count, sizeof(f->count));
	memcpy(to + 8, f->group, f->count * ETHERNET_ADDRESS_BYTES);
	return control(n, CLASS_ADDRESS, ADDRESS_TABLE, 8 + f->count * ETHERNET_ADDRESS_BYTES);
}

/* What the device cannot leave out it lets through: more than was asked for is allowed. */
static void vnet_filter(void *driver)
{
	struct vnet *n = driver;
	const struct ethernet_filter *f = &n->card.filter;

	if (!(n->virtio.features & NET_CONTROL_RECEIVE))
		return;
	(void)!control_byte(n, CLASS_RECEIVE, RECEIVE_PROMISCUOUS, (f->filter_flags & ETHERNET_PROMISCUOUS) != 0);
	bool is_set = groups_set(n, f) == OK;
	(void)!control_byte(n, CLASS_RECEIVE, RECEIVE_ALL_GROUPS, !is_set || f->filter_flags & ETHERNET_ALL_GROUPS);
}

/* ---- Start and stop ---------------------------------------------------------------------------------------------------- */

static err_t queues_open(struct vnet *n)
{
	for (uint32_t i = 0; i < n->pairs; i++) {
		struct vnet_pair *p = &n->pair[i];
		uint16_t vector = (uint16_t)(i % n->vectors);
		p->given = p->received = p->more = 0;
		p->how = (struct ethernet_entry){ 0 };
		TRY(virtqueue_open(&p->receive, &n->virtio, (uint16_t)(2 * i), VNET_QUEUE_SIZE, 1, vector));
		TRY(virtqueue_open(&p->send, &n->virtio, (uint16_t)(2 * i + 1), VNET_QUEUE_SIZE, ETHERNET_PIECES_MAX + 1, vector));
	}
	n->has_control = n->virtio.features & NET_CONTROL;
	if (n->has_control)
		TRY(virtqueue_open(&n->control, &n->virtio, (uint16_t)(2 * n->pairs_max), 16, 3, VIRTIO_NO_VECTOR));
	return virtio_set_config_vector(&n->virtio, (uint16_t)(n->vectors - 1));
}

static uint64_t features_wanted(const struct vnet *n)
{
	uint32_t takes = n->card.offloads;

	return NET_WANTED | (takes & (ETHERNET_CAN_TAKE_CHECKSUM | ETHERNET_CAN_TAKE_SEGMENTS) ? NET_TAKE_CHECKSUM : 0) |
	       (takes & ETHERNET_CAN_TAKE_SEGMENTS ? NET_TAKE_TCP4 | NET_TAKE_TCP6 | NET_MERGE : 0);
}

static bool link_is_up(const struct vnet *n)
{
	return !(n->virtio.features & NET_HAS_STATUS) || virtio_config(&n->virtio, CONFIG_STATUS, 2) & STATUS_LINK_UP;
}

static uint32_t speed(const struct vnet *n)
{
	uint64_t mbps = n->virtio.features & NET_HAS_SPEED ? virtio_config(&n->virtio, CONFIG_SPEED, 4) : 0;

	return mbps <= INT32_MAX ? (uint32_t)mbps : 0;
}

static err_t vnet_start(void *driver, uint32_t queues)
{
	struct vnet *n = driver;

	n->virtio.wanted = features_wanted(n);
	TRY(virtio_reset(&n->virtio));
	n->pairs = MIN_OF(queues, n->card.info.queues);
	TRY(queues_open(n));
	virtio_start(&n->virtio);
	if (n->pairs_max > 1) {
		uint16_t pairs = (uint16_t)n->pairs;
		memcpy(shared(n)->argument, &pairs, sizeof(pairs));
		TRY(control(n, CLASS_QUEUES, QUEUES_SET, sizeof(pairs)));
	}
	vnet_filter(n);
	net_link(link_is_up(n), speed(n));
	return OK;
}

static void vnet_stop(void *driver)
{
	struct vnet *n = driver;

	if (virtio_reset(&n->virtio))
		driver_fail("virtio_net: the device does not stop");
}

static const struct net_ops vnet_ops = {
	.start = vnet_start, .stop = vnet_stop, .send = vnet_send, .give = vnet_give, .kick = vnet_kick, .poll = vnet_poll, .arm = vnet_arm, .filter = vnet_filter,
};

void vnet_interrupt(struct vnet *n, uint32_t number)
{
	if (n->is_gone)
		return;
	for (uint32_t i = number; i < n->pairs; i += n->vectors)
		net_interrupt(i);
	if (number != n->vectors - 1)
		return;
	if (virtio_is_gone(&n->virtio)) {
		n->is_gone = true;
		net_gone();
	} else if (virtio_needs_reset(&n->virtio)) {
		net_reset("the device asks for it");
	} else {
		net_link(link_is_up(n), speed(n));
	}
}

static uint32_t offloads(uint64_t features)
{
	return (features & NET_CHECKSUM ? ETHERNET_CAN_CHECKSUM : 0) | (features & NET_SEND_TCP4 ? ETHERNET_CAN_SEGMENT_TCP4 : 0) |
	       (features & NET_SEND_TCP6 ? ETHERNET_CAN_SEGMENT_TCP6 : 0) | (features & NET_TAKE_CHECKSUM ? ETHERNET_CAN_CHECK | ETHERNET_CAN_TAKE_CHECKSUM : 0) |
	       ((features & NET_TAKES) == NET_TAKES ? ETHERNET_CAN_TAKE_SEGMENTS : 0);
}

static void describe(struct vnet *n, const struct device *d)
{
	struct ethernet_info *i = &n->card.info;
	uint64_t mtu = n->virtio.features & NET_HAS_MTU ? virtio_config(&n->virtio, CONFIG_MTU, 2) : ETHERNET_MTU;

	/* One without an address gets one that is nobody's, by its place. */
	uint8_t own[ETHERNET_ADDRESS_BYTES] = { 2, 0, (uint8_t)d->info.segment, d->info.bus, d->info.slot, d->info.function };
	for (uint32_t at = 0; at < ETHERNET_ADDRESS_BYTES; at++)
		i->address[at] = n->virtio.features & NET_HAS_ADDRESS ? (uint8_t)virtio_config(&n->virtio, CONFIG_ADDRESS + at, 1) : own[at];
	i->mtu = mtu >= MTU_MIN ? (uint32_t)MIN_OF(mtu, (uint64_t)ETHERNET_MTU) : ETHERNET_MTU;
	i->queues = (uint16_t)MIN_OF(n->pairs_max, (uint32_t)ETHERNET_QUEUES_MAX);
	i->offloads = offloads(n->virtio.features);
	i->is_up = link_is_up(n);
	i->speed_mbps = speed(n);
	string_copy(i->driver, "virtio_net", sizeof(i->driver));
}

err_t vnet_open(struct vnet *n, struct device *d)
{
	n->card.ops = &vnet_ops;
	n->card.driver = n;
	TRY(virtio_open(&n->virtio, d, NET_WANTED | NET_TAKES));
	bool has_many = n->virtio.features & NET_MANY_QUEUES && n->virtio.features & NET_CONTROL;
	n->pairs_max = has_many ? (uint32_t)virtio_config(&n->virtio, CONFIG_PAIRS, 2) : 1;
	if (n->pairs_max == 0 || n->virtio.queue_count < 2)
		return ERR_NODEV;
	n->vectors = MIN_OF((uint32_t)d->info.interrupts, MIN_OF(n->pairs_max, (uint32_t)ETHERNET_QUEUES_MAX) + 1);
	if (n->vectors == 0)
		return ERR_NODEV;
	TRY(dma_allocate(d, sizeof(struct vnet_shared), 0, DMA_WHOLE, &n->memory));
	describe(n, d);
	return OK;
}
