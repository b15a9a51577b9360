/* abi/proto/ethernet.h - frames in memory that a client shares with a network card and its driver (ethernet.def).
 *
 * One memory object, made by the client: struct ethernet_ring; `entries` of struct ethernet_entry for frames to send (the client's); as many for frames received
 * (the driver's); as many 32-bit offsets of empty buffers (the client's); and from the next page on buffers of ETHERNET_BUFFER_BYTES. Positions count for
 * ever (modulo 2^32); an entry lies in the slot position % entries. Offsets are in the object. No side needs to see how far the other has read:
 * - sending: the client writes entries and shows sent_put, at most `entries` beyond sent_done. What they name is the driver's until sent_done has passed it.
 *   Entries are done in order.
 * - receiving: the client shows empty buffers with empty_put, at most `entries` beyond what it has taken of `received`. Each is used for one entry of
 *   `received`, in order, and is the client's again with it.
 *
 * Waking: what the client shows the driver finds by itself while `wants` has no bit for it; else the client calls (ETHERNET_CALL). It looks at `wants` after what
 * it showed, with a full fence in between, and the driver at what was shown after `wants`, likewise (lib/ring/ring.h; tests/model/ring.pml). What the driver
 * shows wakes a client that asked for it: ETHERNET_WAIT and ETHERNET_TELL.
 */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

enum {
	ETHERNET_ADDRESS_BYTES = 6, ETHERNET_HEADER_BYTES = 14, ETHERNET_MTU = 1500, ETHERNET_FRAME_MIN = 60,
	ETHERNET_FRAME_MAX = ETHERNET_HEADER_BYTES + 4 /* a VLAN tag */ + ETHERNET_MTU,
	ETHERNET_BUFFER_BYTES = 2048, ETHERNET_ENTRIES_MIN = 8, ETHERNET_ENTRIES_MAX = 1024, ETHERNET_RING_BYTES_MAX = 2 << 20,
	ETHERNET_PIECES_MAX = 20, ETHERNET_QUEUES_MAX = 4, ETHERNET_GROUPS_MAX = 64, ETHERNET_SNAP_MAX = 65472 /* with its record it fits one READ of 64 KiB */,
};

enum ethernet_entry_flags {
	ETHERNET_MORE = 1 << 0,         /* the frame goes on in the next entry */
	ETHERNET_CHECKSUM = 1 << 1,     /* sent: the card adds up from checksum_start on and puts it checksum_offset behind that; received: that has yet to be done */
	ETHERNET_CHECKED = 1 << 2,      /* received: the checksums in it are right */
	ETHERNET_SEGMENT_TCP4 = 1 << 3, /* it is (received) or shall be cut into (sent) TCP segments of segment_bytes, header_bytes before each */
	ETHERNET_SEGMENT_TCP6 = 1 << 4,
};
/* Part of a frame: it lies within one page. What is not a frame's first entry has but offset, bytes and MORE. */
struct ethernet_entry {
	uint32_t offset;
	uint16_t bytes;
	uint16_t entry_flags;           /* enum ethernet_entry_flags */
	uint16_t checksum_start, checksum_offset;
	uint16_t segment_bytes, header_bytes;
};
STATIC_ASSERT(sizeof(struct ethernet_entry) == 16, "two words are copied");

enum ethernet_wants { ETHERNET_WANTS_SENT = 1 << 0, ETHERNET_WANTS_EMPTY = 1 << 1 };
struct ethernet_ring {
	/* The client's line. */
	_Alignas(64) _Atomic uint32_t sent_put;
	_Atomic uint32_t empty_put;
	/* The driver's line. */
	_Alignas(64) _Atomic uint32_t sent_taken;       /* up to here the card may have them */
	_Atomic uint32_t sent_done, received_put;
	_Atomic uint32_t wants;         /* enum ethernet_wants */
	_Atomic uint32_t link;          /* 1: up; and 2 more with each change or reset of the card */
};
STATIC_ASSERT(sizeof(struct ethernet_ring) == 128, "two lines");

static inline size_t ethernet_received_offset(uint32_t entries) { return sizeof(struct ethernet_ring) + entries * sizeof(struct ethernet_entry); }
static inline size_t ethernet_empty_offset(uint32_t entries) { return ethernet_received_offset(entries) + entries * sizeof(struct ethernet_entry); }
static inline size_t ethernet_buffers_offset(uint32_t entries)
{
	return (ethernet_empty_offset(entries) + entries * sizeof(uint32_t) + 4095) / 4096 * 4096;
}
static inline bool ethernet_ring_fits(uint64_t entries, uint64_t bytes)
{
	return entries >= ETHERNET_ENTRIES_MIN && entries <= ETHERNET_ENTRIES_MAX && (entries & (entries - 1)) == 0 && bytes <= ETHERNET_RING_BYTES_MAX &&
	       bytes % 4096 == 0 && bytes > ethernet_buffers_offset((uint32_t)entries);
}

struct ethernet_setup {
	uint32_t queue;                 /* below info.queues */
	uint32_t entries;               /* a power of two */
	uint32_t offloads;              /* of info.offloads: what may come (ETHERNET_CAN_TAKE_...). Of the last ring that was passed */
	uint32_t reserved;
};

/* Beside the position, in the low half: of `received`, up to which the client has seen; and 16 bits of `link` as it has seen it, in the highest. */
enum { ETHERNET_LINK_SHIFT = 48 };
enum ethernet_call_flags {
	ETHERNET_WAIT = 1ull << 32,     /* answer once received_put is not position, or the link changes */
	ETHERNET_TELL = 1ull << 33,     /* show READY_READ on the handle from then on, until the next ETHERNET_CALL */
	ETHERNET_ROOM = 1ull << 34,     /* with one of them: or once at most half of the entries to send are not done */
};

enum ethernet_offloads {
	ETHERNET_CAN_CHECKSUM = 1 << 0, ETHERNET_CAN_SEGMENT_TCP4 = 1 << 1, ETHERNET_CAN_SEGMENT_TCP6 = 1 << 2,
	ETHERNET_CAN_CHECK = 1 << 3,    /* received frames may be ETHERNET_CHECKED */
	ETHERNET_CAN_TAKE_CHECKSUM = 1 << 4, ETHERNET_CAN_TAKE_SEGMENTS = 1 << 5,       /* received frames may be ETHERNET_CHECKSUM; ETHERNET_SEGMENT_..., in many entries */
};
struct ethernet_info {
	uint8_t address[ETHERNET_ADDRESS_BYTES];
	uint16_t queues;
	uint32_t mtu;
	uint32_t is_up;                 /* the link */
	uint32_t speed_mbps;            /* 0: not known */
	uint32_t offloads;              /* enum ethernet_offloads */
	uint32_t is_zero_copy;          /* the card reaches the client's memory itself */
	uint32_t resets;                /* of the card, since the driver's first start */
	char driver[16];                /* ended by a 0 */
};

enum ethernet_filter_flags { ETHERNET_PROMISCUOUS = 1 << 0, ETHERNET_ALL_GROUPS = 1 << 1 };
/* Beside frames to its own address and to all. */
struct ethernet_filter {
	uint32_t filter_flags;          /* enum ethernet_filter_flags */
	uint32_t count;
	uint8_t group[ETHERNET_GROUPS_MAX][ETHERNET_ADDRESS_BYTES];     /* multicast addresses; a card may let more through */
};

struct ethernet_statistics {
	uint64_t sent, sent_bytes, received, received_bytes;
	uint64_t lost;                  /* entries of frames that were begun to be sent when the driver or the card was restarted */
	uint64_t refused;               /* to send, but they made no sense */
	uint64_t dropped;               /* came without an empty buffer for them, as far as the card or driver knows */
	uint64_t errors;                /* came broken */
	uint64_t resets, captured, capture_dropped;
};

struct ethernet_record {
	uint64_t time_ns;               /* CLOCK_REALTIME_NS */
	uint32_t frame_bytes, bytes;    /* bytes: that follow, before the padding */
	uint32_t is_sent, lost;         /* lost: records before this one for which there was no room */
};
