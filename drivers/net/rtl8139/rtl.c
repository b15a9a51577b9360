/* drivers/net/rtl8139/rtl.c - four frames out, one ring in. */
#include "drivers/net/rtl8139/rtl.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"

/* 5: registers */
enum {
	ADDRESS = 0x0, GROUPS = 0x8, SEND_STATUS = 0x10, SEND_ADDRESS = 0x20, RING_START = 0x30, COMMAND = 0x37, RING_READ = 0x38, MASK = 0x3c, CAUSE = 0x3e,
	SEND_CONFIG = 0x40, RECEIVE_CONFIG = 0x44, MEDIA = 0x58,
};
enum { COMMAND_EMPTY = 1 << 0, COMMAND_SEND = 1 << 2, COMMAND_RECEIVE = 1 << 3, COMMAND_RESET = 1 << 4 };
enum { SEND_DONE = 1 << 15, SEND_UNDERRUN = 1 << 14, SEND_ABORTED = 1 << 30, SEND_THRESHOLD = 8 << 16 };
enum { SEND_CONFIG_GAP = 3 << 24, SEND_CONFIG_BURST = 6 << 8, SEND_CONFIG_CLEAR_ABORT = 1 << 0 };
enum {
	RECEIVE_EVERYBODYS = 1 << 0, RECEIVE_OURS = 1 << 1, RECEIVE_GROUPS = 1 << 2, RECEIVE_BROADCASTS = 1 << 3, RECEIVE_RUNS_OVER = 1 << 7,
	RECEIVE_BURST = 7 << 8, RECEIVE_32K = 2 << 11, RECEIVE_NO_THRESHOLD = 7 << 13,
};
enum {
	CAUSE_RECEIVED = 1 << 0, CAUSE_RECEIVE_ERROR = 1 << 1, CAUSE_SENT = 1 << 2, CAUSE_SEND_ERROR = 1 << 3, CAUSE_LINK = 1 << 5,
	CAUSE_FIFO_FULL = 1 << 6, CAUSE_BUS_ERROR = 1 << 15,
};
enum { MEDIA_NO_LINK = 1 << 2, MEDIA_10 = 1 << 3 };

/* 6.1: in front of each frame in the ring: status, bytes with the check sequence. */
enum { RECEIVED_GOOD = 1 << 0, RECEIVED_HEADER = 4, CHECK_BYTES = 4, UNFINISHED = 0xfff0, READ_LAG = 16 };
enum { RESET_WAITS = 100, FRAMES_A_POLL = 64, FRAME_LEAST = ETHERNET_FRAME_MIN };
#define RESET_WAIT_NS 1000000ull

static uint8_t read8(const struct rtl *r, uint32_t at) { return mmio_read8(r->bar.at + at); }
static uint16_t read16(const struct rtl *r, uint32_t at) { return mmio_read16(r->bar.at + at); }
static uint32_t read32(const struct rtl *r, uint32_t at) { return mmio_read32(r->bar.at + at); }
static void write8(const struct rtl *r, uint32_t at, uint8_t v) { mmio_write8(r->bar.at + at, v); }
static void write16(const struct rtl *r, uint32_t at, uint16_t v) { mmio_write16(r->bar.at + at, v); }
static void write32(const struct rtl *r, uint32_t at, uint32_t v) { mmio_write32(r->bar.at + at, v); }
static struct rtl_shared *shared(const struct rtl *r) { return (struct rtl_shared *)r->memory.at; }

/* ---- Sending -------------------------------------------------------------------------------------------------------- */

static err_t rtl_send(void *driver, uint32_t queue, const struct net_frame *f)
{
	struct rtl *r = driver;
	uint32_t slot = r->sent % RTL_SLOTS;
	uint8_t *to = shared(r)->slot[slot];

	(void)queue;
	if (f->bytes > RTL_SLOT_BYTES)
		return ERR_INVAL;
	if (r->sent - r->done == RTL_SLOTS)
		return ERR_AGAIN;
	for (uint32_t i = 0; i < f->count; to += f->piece[i++].bytes)
		memcpy(to, f->piece[i].at, f->piece[i].bytes);
	/* The device fills up nothing. */
	if (f->bytes < FRAME_LEAST)
		memset(to, 0, FRAME_LEAST - f->bytes);
	r->bytes[slot] = MAX_OF(f->bytes, (uint32_t)FRAME_LEAST);
	r->net_slot[slot] = f->slot;
	r->sent++;
	return OK;
}

static void rtl_kick(void *driver, uint32_t queue)
{
	struct rtl *r = driver;

	(void)queue;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	for (; r->told != r->sent; r->told++)
		write32(r, SEND_STATUS + r->told % RTL_SLOTS * 4, r->bytes[r->told % RTL_SLOTS] | SEND_THRESHOLD);
}

static void sent_take(struct rtl *r)
{
	while (r->done != r->told) {
		uint32_t slot = r->done % RTL_SLOTS, status = read32(r, SEND_STATUS + slot * 4);
		if (!(status & (SEND_DONE | SEND_UNDERRUN | SEND_ABORTED)))
			return;
		if (status & SEND_ABORTED)
			write32(r, SEND_CONFIG, SEND_CONFIG_GAP | SEND_CONFIG_BURST | SEND_CONFIG_CLEAR_ABORT);
		r->done++;
		net_sent(0, r->net_slot[slot]);
	}
}

/* ---- Receiving ------------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct rtl *r) { return read8(r, COMMAND) & COMMAND_EMPTY; }

/* The frame at ring_at. False: the device has lost its way. */
static bool frame_take(struct rtl *r)
{
	const volatile uint8_t *at = shared(r)->ring + r->ring_at;
	uint16_t status = *(const volatile uint16_t *)at, bytes = *(const volatile uint16_t *)(at + 2);

	if (bytes == UNFINISHED || bytes < CHECK_BYTES + ETHERNET_HEADER_BYTES || bytes > ETHERNET_FRAME_MAX + CHECK_BYTES || !(status & RECEIVED_GOOD))
		return false;
	net_receive_copy(0, at + RECEIVED_HEADER, bytes - CHECK_BYTES);
	r->ring_at = (uint32_t)round_up(r->ring_at + RECEIVED_HEADER + bytes, 4) % RTL_RING_BYTES;
	write16(r, RING_READ, (uint16_t)(r->ring_at - READ_LAG));
	return true;
}

/* A frame that the device is still writing is one that is not there yet. */
static bool is_unfinished(const struct rtl *r)
{
	return *(const volatile uint16_t *)(shared(r)->ring + r->ring_at + 2) == UNFINISHED;
}

static void rtl_poll(void *driver, uint32_t queue)
{
	struct rtl *r = driver;

	(void)queue;
	if (r->is_gone)
		return;
	for (uint32_t n = 0; n < FRAMES_A_POLL && !is_empty(r) && !is_unfinished(r); n++) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!frame_take(r)) {
			net_statistics()->errors++;
			net_reset("what it received makes no sense");
			return;
		}
	}
	sent_take(r);
}

/* ---- Both ------------------------------------------------------------------------------------------------------------- */

static bool rtl_arm(void *driver, uint32_t queue, bool is_sending)
{
	struct rtl *r = driver;

	(void)queue;
	if (r->is_gone)
		return true;
	/* Not when the ring is full: what fills it has been told already; and QEMU, which holds frames back then, lets later ones overtake them with this cause unmasked. */
	write16(r, MASK, (uint16_t)(CAUSE_RECEIVED | CAUSE_RECEIVE_ERROR | CAUSE_FIFO_FULL | CAUSE_LINK | CAUSE_BUS_ERROR |
	                            (is_sending ? CAUSE_SENT | CAUSE_SEND_ERROR : 0)));
	return is_empty(r);
}

static void link_look(struct rtl *r)
{
	uint8_t media = read8(r, MEDIA);

	net_link(!(media & MEDIA_NO_LINK), media & MEDIA_10 ? 10 : 100);
}

void rtl_interrupt(struct rtl *r)
{
	uint16_t cause = r->is_gone ? 0 : read16(r, CAUSE);

	if (r->is_gone)
		return;
	if (cause == UINT16_MAX && read32(r, SEND_CONFIG) == UINT32_MAX) {
		r->is_gone = true;
		net_gone();
		return;
	}
	write16(r, CAUSE, cause);
	write16(r, MASK, CAUSE_LINK | CAUSE_BUS_ERROR);
	if (cause & CAUSE_LINK)
		link_look(r);
	if (cause & CAUSE_BUS_ERROR)
		net_reset("the bus failed it");
	net_interrupt(0);
}

/* ---- Start and stop ---------------------------------------------------------------------------------------------------- */

static err_t reset(struct rtl *r)
{
	write16(r, MASK, 0);
	write8(r, COMMAND, COMMAND_RESET);
	for (uint32_t i = 0; i < RESET_WAITS; i++) {
		if (!(read8(r, COMMAND) & COMMAND_RESET))
			return OK;
		net_sleep(RESET_WAIT_NS);
	}
	return ERR_NODEV;
}

/* Groups are let through all or none. */
static void rtl_filter(void *driver)
{
	struct rtl *r = driver;
	const struct ethernet_filter *f = &r->card.filter;
	bool has_groups = f->count || f->filter_flags;

	write32(r, GROUPS, has_groups ? UINT32_MAX : 0);
	write32(r, GROUPS + 4, has_groups ? UINT32_MAX : 0);
	write32(r, RECEIVE_CONFIG, RECEIVE_OURS | RECEIVE_BROADCASTS | RECEIVE_RUNS_OVER | RECEIVE_BURST | RECEIVE_32K | RECEIVE_NO_THRESHOLD |
	        (has_groups ? RECEIVE_GROUPS : 0) | (f->filter_flags & ETHERNET_PROMISCUOUS ? RECEIVE_EVERYBODYS : 0));
}

static err_t rtl_start(void *driver, uint32_t queues)
{
	struct rtl *r = driver;

	(void)queues;
	TRY(reset(r));
	r->ring_at = r->sent = r->told = r->done = 0;
	memset(shared(r)->ring, 0, sizeof(shared(r)->ring));
	write32(r, RING_START, (uint32_t)dma_address(&r->memory, offsetof(struct rtl_shared, ring), NULL));
	for (uint32_t i = 0; i < RTL_SLOTS; i++)
		write32(r, SEND_ADDRESS + i * 4, (uint32_t)dma_address(&r->memory, offsetof(struct rtl_shared, slot[i]), NULL));
	write8(r, COMMAND, COMMAND_SEND | COMMAND_RECEIVE);
	write32(r, SEND_CONFIG, SEND_CONFIG_GAP | SEND_CONFIG_BURST);
	rtl_filter(r);
	/* As after a reset; but QEMU holds frames back that the ring had no room for, over resets, until this is written. */
	write16(r, RING_READ, (uint16_t)-READ_LAG);
	link_look(r);
	write16(r, MASK, CAUSE_LINK | CAUSE_BUS_ERROR);
	return OK;
}

static void rtl_stop(void *driver)
{
	if (reset(driver))
		driver_fail("rtl8139: the device does not stop");
}

static const struct net_ops rtl_ops = {
	.start = rtl_start, .stop = rtl_stop, .send = rtl_send, .kick = rtl_kick, .poll = rtl_poll, .arm = rtl_arm, .filter = rtl_filter,
};

err_t rtl_open(struct rtl *r, struct device *d)
{
	struct ethernet_info *i = &r->card.info;

	r->card.ops = &rtl_ops;
	r->card.driver = r;
	TRY(device_map_bar(d, 1, &r->bar));
	if (!r->bar.at || r->bar.bytes < RTL_REGISTERS_BYTES || r->bar.hole_bytes)
		return ERR_NODEV;
	TRY(reset(r));
	for (uint32_t at = 0; at < ETHERNET_ADDRESS_BYTES; at++)
		i->address[at] = read8(r, ADDRESS + at);
	if (i->address[0] & 1)
		return ERR_NODEV;
	i->queues = 1;
	i->mtu = ETHERNET_MTU;
	i->is_up = !(read8(r, MEDIA) & MEDIA_NO_LINK);
	string_copy(i->driver, "rtl8139", sizeof(i->driver));
	return dma_allocate(d, sizeof(struct rtl_shared), 0, DMA_WHOLE | DMA_32_BIT, &r->memory);
}
