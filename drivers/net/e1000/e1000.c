/* drivers/net/e1000/e1000.c - two rings of descriptors, which the device works through in order. */
#include "drivers/net/e1000/e1000.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

enum { DEVICE_82574 = 0x10d3, RESET_WAITS = 100, FRAME_MAX = 1522, CHECKSUM_AT_MAX = 255 };
#define RESET_WAIT_NS 1000000ull
#define GONE UINT32_MAX

static uint32_t read(const struct e1000 *e, uint32_t at) { return mmio_read32(e->bar.at + at); }
static void write(const struct e1000 *e, uint32_t at, uint32_t value) { mmio_write32(e->bar.at + at, value); }
static struct e1000_rings *rings(const struct e1000 *e) { return (struct e1000_rings *)e->memory.at; }
static volatile struct e1000_received *received_at(const struct e1000 *e, uint32_t position) { return &rings(e)->received[position % E1000_ENTRIES]; }
static volatile struct e1000_sent *sent_at(const struct e1000 *e, uint32_t position) { return &rings(e)->sent[position % E1000_ENTRIES]; }

/* ---- Sending -------------------------------------------------------------------------------------------------------- */

static void sent_set(struct e1000 *e, uint64_t address, uint32_t command, uint8_t options)
{
	volatile struct e1000_sent *d = sent_at(e, e->sent++);

	d->address = address;
	d->command = command;
	d->status = 0;
	d->options = options;
	d->special = 0;
}

/* Where the checksum of the frames behind starts and goes: bytes 4 and 5 of a context; 0 in 6 and 7: up to the end. */
static void context_set(struct e1000 *e, const struct ethernet_entry *f)
{
	sent_set(e, (uint64_t)f->checksum_start << 32 | (uint64_t)(f->checksum_start + f->checksum_offset) << 40, SENT_EXTENDED, 0);
}

static err_t e1000_send(void *driver, uint32_t queue, const struct net_frame *f)
{
	struct e1000 *e = driver;
	bool has_checksum = f->first.entry_flags & ETHERNET_CHECKSUM;
	uint32_t first = e->sent;

	(void)queue;
	if (has_checksum && (uint32_t)f->first.checksum_start + f->first.checksum_offset > CHECKSUM_AT_MAX)
		return ERR_INVAL;
	/* A full ring would look like an empty one. */
	if (f->count + has_checksum >= E1000_ENTRIES - (e->sent - e->done))
		return ERR_AGAIN;
	if (has_checksum)
		context_set(e, &f->first);
	for (uint32_t i = 0; i < f->count; i++)
		sent_set(e, f->piece[i].address, f->piece[i].bytes | SENT_DATA | SENT_EXTENDED | SENT_ADD_CHECK | (i + 1 == f->count ? SENT_END | SENT_REPORT : 0),
		         has_checksum ? SENT_OPTION_CHECKSUM : 0);
	e->slot[first % E1000_ENTRIES] = f->slot;
	e->last[first % E1000_ENTRIES] = e->sent - 1;
	return OK;
}

static void sent_take(struct e1000 *e)
{
	while (e->done != e->sent_tail) {
		uint32_t first = e->done % E1000_ENTRIES, last = e->last[first];
		if (!(sent_at(e, last)->status & SENT_DONE))
			return;
		e->done = last + 1;
		net_sent(0, e->slot[first]);
	}
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------- */

/* With long frames switched off the device fills at most FRAME_MAX bytes of what it takes for 2,048. */
static bool e1000_give(void *driver, uint32_t queue, uint64_t address, const uint8_t *at)
{
	struct e1000 *e = driver;

	(void)queue, (void)at;
	if (e->given - e->received == E1000_ENTRIES - 1)
		return false;
	volatile struct e1000_received *d = received_at(e, e->given++);
	d->address = address + NET_HEADROOM;
	d->status = 0;
	return true;
}

static bool has_received(const struct e1000 *e)
{
	return e->received != e->received_tail && received_at(e, e->received)->status & RECEIVED_DONE;
}

static void received_take(struct e1000 *e)
{
	while (has_received(e)) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		volatile struct e1000_received *d = received_at(e, e->received++);
		struct ethernet_entry how = { 0 };
		uint8_t status = d->status, errors = d->errors;
		uint32_t bytes = d->bytes;
		/* What goes on in another buffer is longer than any frame may be. */
		if (!(status & RECEIVED_WHOLE) || errors & RECEIVED_BROKEN || bytes > FRAME_MAX)
			bytes = 0;
		if (status & RECEIVED_TCP_CHECKED && !(status & RECEIVED_UNCHECKED) && !(errors & RECEIVED_TCP_WRONG))
			how.entry_flags = ETHERNET_CHECKED;
		net_received(0, NET_HEADROOM, bytes, &how);
	}
}

/* ---- Both ------------------------------------------------------------------------------------------------------------- */

static void e1000_poll(void *driver, uint32_t queue)
{
	struct e1000 *e = driver;

	(void)queue;
	if (e->is_gone)
		return;
	received_take(e);
	sent_take(e);
}

static void e1000_kick(void *driver, uint32_t queue)
{
	struct e1000 *e = driver;

	(void)queue;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (e->given != e->received_tail)
		write(e, E1000_RECEIVE_TAIL, (e->received_tail = e->given) % E1000_ENTRIES);
	if (e->sent != e->sent_tail)
		write(e, E1000_SEND_TAIL, (e->sent_tail = e->sent) % E1000_ENTRIES);
}

/* What came before the mask was changed interrupts now. */
static bool e1000_arm(void *driver, uint32_t queue, bool is_sending)
{
	struct e1000 *e = driver;
	uint32_t causes = CAUSE_RECEIVED | CAUSE_FEW_BUFFERS | CAUSE_OVERRUN | CAUSE_LINK | (is_sending ? CAUSE_SENT : 0);

	(void)queue;
	if (e->is_gone)
		return true;
	if (e->has_vectors)
		causes |= CAUSE_RECEIVE_QUEUE | CAUSE_OTHER | (is_sending ? CAUSE_SEND_QUEUE : 0);
	write(e, E1000_MASK_SET, causes);
	return !has_received(e);
}

static void link_look(struct e1000 *e)
{
	static const uint32_t speeds[] = { 10, 100, 1000, 1000 };
	uint32_t status = read(e, E1000_STATUS);

	net_link(status & STATUS_LINK, speeds[status >> STATUS_SPEED_SHIFT & 3]);
}

void e1000_interrupt(struct e1000 *e)
{
	uint32_t cause = e->is_gone ? 0 : read(e, E1000_CAUSE);

	if (e->is_gone)
		return;
	if (cause == GONE && read(e, E1000_STATUS) == GONE) {
		e->is_gone = true;
		net_gone();
		return;
	}
	/* With vectors, reading clears nothing. */
	write(e, E1000_CAUSE, cause);
	write(e, E1000_MASK_CLEAR, UINT32_MAX);
	if (cause & CAUSE_LINK)
		link_look(e);
	net_interrupt(0);
	/* Whether or not anybody wants frames. */
	write(e, E1000_MASK_SET, CAUSE_LINK | (e->has_vectors ? CAUSE_OTHER : 0));
}

/* ---- Start and stop ---------------------------------------------------------------------------------------------------- */

static err_t reset(struct e1000 *e)
{
	write(e, E1000_MASK_CLEAR, UINT32_MAX);
	write(e, E1000_RECEIVE_CONTROL, 0);
	write(e, E1000_SEND_CONTROL, 0);
	write(e, E1000_CONTROL, read(e, E1000_CONTROL) | CONTROL_RESET);
	for (uint32_t i = 0; i < RESET_WAITS; i++) {
		net_sleep(RESET_WAIT_NS);
		uint32_t control = read(e, E1000_CONTROL);
		if (control == GONE)
			return ERR_NODEV;
		if (!(control & CONTROL_RESET)) {
			write(e, E1000_MASK_CLEAR, UINT32_MAX);
			(void)read(e, E1000_CAUSE);
			return OK;
		}
	}
	return ERR_NODEV;
}

static void base_set(struct e1000 *e, uint32_t base, uint32_t bytes_at, size_t offset, size_t bytes)
{
	uint64_t address = dma_address(&e->memory, offset, NULL);

	write(e, base, (uint32_t)address);
	write(e, base + 4, (uint32_t)(address >> 32));
	write(e, bytes_at, (uint32_t)bytes);
}

static void e1000_filter(void *driver)
{
	struct e1000 *e = driver;
	const struct ethernet_filter *f = &e->card.filter;
	uint32_t groups[E1000_GROUP_WORDS] = { 0 };

	for (uint32_t i = 0; i < f->count; i++) {
		uint32_t hash = f->group[i][4] >> 4 | (uint32_t)f->group[i][5] << 4;
		groups[hash / 32] |= 1u << hash % 32;
	}
	for (uint32_t i = 0; i < E1000_GROUP_WORDS; i++)
		write(e, E1000_GROUPS + i * 4, groups[i]);
	write(e, E1000_RECEIVE_CONTROL, RECEIVE_ENABLE | RECEIVE_BROADCASTS | RECEIVE_STRIP_CHECK | (f->filter_flags & ETHERNET_PROMISCUOUS ? RECEIVE_PROMISCUOUS : 0) |
	      (f->filter_flags & (ETHERNET_ALL_GROUPS | ETHERNET_PROMISCUOUS) ? RECEIVE_ALL_GROUPS : 0));
}

static void address_set(struct e1000 *e)
{
	const uint8_t *a = e->card.info.address;

	write(e, E1000_ADDRESS_LOW, a[0] | (uint32_t)a[1] << 8 | (uint32_t)a[2] << 16 | (uint32_t)a[3] << 24);
	write(e, E1000_ADDRESS_HIGH, a[4] | (uint32_t)a[5] << 8 | ADDRESS_VALID);
}

static void rings_start(struct e1000 *e)
{
	memset(e->memory.at, 0, sizeof(struct e1000_rings));
	e->given = e->received = e->received_tail = e->sent = e->done = e->sent_tail = 0;
	base_set(e, E1000_RECEIVE_BASE, E1000_RECEIVE_BYTES, offsetof(struct e1000_rings, received), sizeof(rings(e)->received));
	base_set(e, E1000_SEND_BASE, E1000_SEND_BYTES, offsetof(struct e1000_rings, sent), sizeof(rings(e)->sent));
	write(e, E1000_RECEIVE_HEAD, 0);
	write(e, E1000_RECEIVE_TAIL, 0);
	write(e, E1000_SEND_HEAD, 0);
	write(e, E1000_SEND_TAIL, 0);
}

static err_t e1000_start(void *driver, uint32_t queues)
{
	struct e1000 *e = driver;

	(void)queues;
	TRY(reset(e));
	if (e->is_82574) {
		write(e, E1000_CONTROL_EXTENDED, read(e, E1000_CONTROL_EXTENDED) | CONTROL_EXTENDED_DRIVER);
		write(e, E1000_SEND_DESCRIPTORS, SEND_DESCRIPTORS_82574);
	}
	if (e->has_vectors) {
		write(e, E1000_VECTORS, VECTORS_ALL_FIRST);
		write(e, E1000_AUTO_CLEAR, 0);
	}
	write(e, E1000_CONTROL, read(e, E1000_CONTROL) | CONTROL_FULL_DUPLEX | CONTROL_SPEED_DETECTION | CONTROL_LINK_UP);
	address_set(e);
	rings_start(e);
	write(e, E1000_RECEIVE_CHECKSUM, RECEIVE_CHECKSUM_IP | RECEIVE_CHECKSUM_TCP);
	write(e, E1000_SEND_GAP, SEND_GAP_COPPER);
	write(e, E1000_SEND_CONTROL, SEND_ENABLE | SEND_PAD | SEND_COLLISIONS | SEND_DISTANCE);
	e1000_filter(e);
	link_look(e);
	write(e, E1000_MASK_SET, CAUSE_LINK | (e->has_vectors ? CAUSE_OTHER : 0));
	return OK;
}

static void e1000_stop(void *driver)
{
	if (reset(driver))
		driver_fail("e1000: the device does not stop");
}

static const struct net_ops e1000_ops = {
	.start = e1000_start, .stop = e1000_stop, .send = e1000_send, .give = e1000_give, .kick = e1000_kick, .poll = e1000_poll, .arm = e1000_arm, .filter = e1000_filter,
};

void e1000_set_interrupt(struct e1000 *e, bool has_vectors) { e->has_vectors = has_vectors; }

err_t e1000_open(struct e1000 *e, struct device *d)
{
	struct ethernet_info *i = &e->card.info;

	e->device = d;
	e->card.ops = &e1000_ops;
	e->card.driver = e;
	e->is_82574 = d->info.device == DEVICE_82574;
	TRY(device_map_bar(d, 0, &e->bar));
	if (!e->bar.at || e->bar.bytes < E1000_REGISTERS_BYTES || e->bar.hole_bytes)
		return ERR_NODEV;
	TRY(reset(e));
	uint32_t low = read(e, E1000_ADDRESS_LOW), high = read(e, E1000_ADDRESS_HIGH);
	uint64_t address = low | (uint64_t)(uint16_t)high << 32;
	/* One that stations have: neither nobody's nor a group's. */
	if (address == 0 || address & 1)
		return ERR_NODEV;
	memcpy(i->address, &address, sizeof(i->address));
	i->queues = 1;
	i->mtu = ETHERNET_MTU;
	i->offloads = ETHERNET_CAN_CHECKSUM | ETHERNET_CAN_CHECK;
	i->is_up = (read(e, E1000_STATUS) & STATUS_LINK) != 0;
	string_copy(i->driver, e->is_82574 ? "e1000e" : "e1000", sizeof(i->driver));
	return dma_allocate(d, sizeof(struct e1000_rings), 0, DMA_WHOLE, &e->memory);
}
