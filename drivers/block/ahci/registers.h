/* drivers/block/ahci/registers.h - AHCI 1.3.1: registers and what lies in memory; ATA commands (ACS-3). */
#pragma once
#include <stdint.h>
#include "lib/base/assert.h"

enum { ABAR = 5, PORTS_MAX = 32, SLOTS_MAX = 32 };

/* 3.1: the controller. */
enum { HBA_CAPABILITIES = 0x00, HBA_CONTROL = 0x04, HBA_INTERRUPTS = 0x08, HBA_PORTS = 0x0c, HBA_PORT_0 = 0x100, HBA_PORT_BYTES = 0x80 };
#define CAP_SLOTS(cap)          (((cap) >> 8 & 31) + 1)
#define CAP_QUEUEING            (1u << 30)
#define CAP_64_BIT              (1u << 31)
#define CONTROL_RESET           1u
#define CONTROL_INTERRUPTS      2u
#define CONTROL_AHCI            (1u << 31)

/* 3.3: a port. */
enum {
	PORT_LIST = 0x00, PORT_RECEIVED = 0x08, PORT_INTERRUPTS = 0x10, PORT_ENABLE = 0x14, PORT_COMMAND = 0x18, PORT_TASK = 0x20,
	PORT_SIGNATURE = 0x24, PORT_SATA_STATUS = 0x28, PORT_ERRORS = 0x30, PORT_ACTIVE = 0x34, PORT_ISSUED = 0x38,
};
enum { COMMAND_START = 1 << 0, COMMAND_SPIN_UP = 1 << 1, COMMAND_POWER = 1 << 2, COMMAND_RECEIVE = 1 << 4, COMMAND_RECEIVING = 1 << 14, COMMAND_RUNNING = 1 << 15 };
enum { TASK_ERROR = 1, TASK_WANTS_DATA = 8, TASK_BUSY = 0x80 };
enum { SIGNATURE_DISK = 0x101, SATA_PRESENT = 3, SATA_DETECTION = 0xf };
/* Interrupts of a port: something ended; the connection changed; errors. */
#define PORT_ENDED              0x0000002fu
#define PORT_CHANGED            0x00400040u
#define PORT_FAILED             0x78000000u

/* 4.2.2: an entry of the command list. */
struct ahci_header {
	uint16_t flags, pieces;
	uint32_t moved;
	uint64_t table;
	uint32_t reserved[4];
};
STATIC_ASSERT(sizeof(struct ahci_header) == 32, "as the controller reads it");
enum { HEADER_FIS_WORDS = 5, HEADER_WRITE = 1 << 6 };

/* 4.2.3: a command's table: what goes to the disk, and where its data is. */
enum { AHCI_PIECES_MAX = 56 };
struct ahci_piece { uint64_t address; uint32_t reserved, bytes_less_1; };
struct ahci_table {
	uint8_t fis[64], atapi[16], reserved[48];
	struct ahci_piece piece[AHCI_PIECES_MAX];
};
STATIC_ASSERT(sizeof(struct ahci_table) == 1024, "128-aligned each");

/* Serial ATA 3.0, 10.3.4: host to device. */
enum { FIS_HOST_TO_DEVICE = 0x27, FIS_COMMAND = 0x80, DEVICE_LBA = 0x40 };
enum {
	ATA_DATASET = 0x06, ATA_READ = 0x25, ATA_WRITE = 0x35, ATA_READ_QUEUED = 0x60, ATA_WRITE_QUEUED = 0x61, ATA_FLUSH = 0xea, ATA_IDENTIFY = 0xec,
	DATASET_TRIM = 1, TRIM_BYTES = 512, TRIM_SECTORS_MAX = 0xffff,
};
/* Words of IDENTIFY (ACS-3, 7.12.7). */
enum {
	ID_SERIAL = 10, ID_SERIAL_WORDS = 10, ID_MODEL = 27, ID_MODEL_WORDS = 20, ID_QUEUE = 75, ID_SATA = 76, ID_COMMANDS = 83, ID_ENABLED = 85,
	ID_SECTORS = 100, ID_SECTOR_SHAPE = 106, ID_SECTOR_WORDS = 117, ID_TRIM = 169, ID_ROTATION = 217, ID_BYTES = 512,
};
