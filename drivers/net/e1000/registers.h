/* drivers/net/e1000/registers.h - registers and descriptors of the 8254x and 82574 (Intel: PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual, chapters 3 and 13; 82574 GbE Controller Family Datasheet, chapters 7 and 10). */
#pragma once
#include <stdint.h>

enum {
	E1000_CONTROL = 0x0, E1000_STATUS = 0x8, E1000_CONTROL_EXTENDED = 0x18, E1000_CAUSE = 0xc0, E1000_MASK_SET = 0xd0, E1000_MASK_CLEAR = 0xd8,
	E1000_AUTO_CLEAR = 0xdc, E1000_VECTORS = 0xe4 /* 82574 */, E1000_RECEIVE_CONTROL = 0x100, E1000_SEND_CONTROL = 0x400, E1000_SEND_GAP = 0x410,
	E1000_RECEIVE_BASE = 0x2800, E1000_RECEIVE_BYTES = 0x2808, E1000_RECEIVE_HEAD = 0x2810, E1000_RECEIVE_TAIL = 0x2818,
	E1000_SEND_BASE = 0x3800, E1000_SEND_BYTES = 0x3808, E1000_SEND_HEAD = 0x3810, E1000_SEND_TAIL = 0x3818, E1000_SEND_DESCRIPTORS = 0x3828,
	E1000_CHECKSUM_ERRORS = 0x4000, E1000_MISSED = 0x4010, E1000_RECEIVE_CHECKSUM = 0x5000, E1000_GROUPS = 0x5200, E1000_ADDRESS_LOW = 0x5400, E1000_ADDRESS_HIGH = 0x5404,
	E1000_REGISTERS_BYTES = 0x6000, E1000_GROUP_WORDS = 128,
};

enum { CONTROL_FULL_DUPLEX = 1 << 0, CONTROL_SPEED_DETECTION = 1 << 5, CONTROL_LINK_UP = 1 << 6, CONTROL_RESET = 1 << 26 };
enum { CONTROL_EXTENDED_DRIVER = 1 << 28 };
enum { STATUS_LINK = 1 << 1, STATUS_SPEED_SHIFT = 6 };
enum {
	CAUSE_SENT = 1 << 0, CAUSE_LINK = 1 << 2, CAUSE_FEW_BUFFERS = 1 << 4, CAUSE_OVERRUN = 1 << 6, CAUSE_RECEIVED = 1 << 7,
	/* 82574, when it has vectors: */
	CAUSE_RECEIVE_QUEUE = 1 << 20, CAUSE_SEND_QUEUE = 1 << 22, CAUSE_OTHER = 1 << 24,
};
/* All three causes by vector 0; each field is a number and a bit that says so. */
enum { VECTORS_ALL_FIRST = 1 << 3 | 1 << 11 | 1 << 19 };
enum {
	RECEIVE_ENABLE = 1 << 1, RECEIVE_PROMISCUOUS = 1 << 3, RECEIVE_ALL_GROUPS = 1 << 4, RECEIVE_BROADCASTS = 1 << 15, RECEIVE_STRIP_CHECK = 1 << 26,
};
enum { SEND_ENABLE = 1 << 1, SEND_PAD = 1 << 3, SEND_COLLISIONS = 0xf << 4, SEND_DISTANCE = 0x40 << 12 };
enum { SEND_GAP_COPPER = 8 | 8 << 10 | 6 << 20 };
enum { SEND_DESCRIPTORS_82574 = 1 << 16 | 1 << 22 | 1 << 24 };
enum { RECEIVE_CHECKSUM_IP = 1 << 8, RECEIVE_CHECKSUM_TCP = 1 << 9 };
#define ADDRESS_VALID (1u << 31)

struct e1000_received {
	uint64_t address;
	uint16_t bytes, checksum;
	uint8_t status, errors;
	uint16_t special;
};
enum { RECEIVED_DONE = 1 << 0, RECEIVED_WHOLE = 1 << 1, RECEIVED_UNCHECKED = 1 << 2, RECEIVED_TCP_CHECKED = 1 << 5 };
enum { RECEIVED_BROKEN = 0x97 /* any of the errors but those of checksums */, RECEIVED_TCP_WRONG = 1 << 5 };

/* A data descriptor; or a context, whose words say where the checksum starts and goes. */
struct e1000_sent {
	uint64_t address;               /* context: offsets */
	uint32_t command;               /* bytes in the low 20 bits */
	uint8_t status, options;
	uint16_t special;
};
enum {
	SENT_DATA = 1 << 20, SENT_END = 1 << 24, SENT_ADD_CHECK = 1 << 25, SENT_REPORT = 1 << 27, SENT_EXTENDED = 1 << 29,
	SENT_OPTION_CHECKSUM = 1 << 1, SENT_DONE = 1 << 0,
};
