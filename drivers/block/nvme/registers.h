/* drivers/block/nvme/registers.h - NVM Express: registers, commands, completions (NVM Express Base Specification 1.4). */
#pragma once
#include <stdint.h>
#include "lib/base/assert.h"

/* 3.1 */
enum { REG_CAPABILITIES = 0x00, REG_CONFIGURATION = 0x14, REG_STATUS = 0x1c, REG_ADMIN_SIZES = 0x24, REG_ADMIN_SUBMIT = 0x28, REG_ADMIN_COMPLETE = 0x30, REG_DOORBELLS = 0x1000 };
/* Of the capabilities: entries of a queue less one; half seconds that becoming ready may take; doorbell stride; smallest page; NVM commands. */
#define CAP_ENTRIES(cap)        ((uint32_t)((cap) & 0xffff))
#define CAP_TIMEOUT(cap)        ((uint32_t)((cap) >> 24 & 0xff))
#define CAP_STRIDE(cap)         ((uint32_t)((cap) >> 32 & 0xf))
#define CAP_NVM(cap)            ((cap) >> 37 & 1)
#define CAP_PAGE_MIN(cap)       ((uint32_t)((cap) >> 48 & 0xf))
/* Configuration: on, pages of 4 KiB, submission entries of 2^6 bytes, completions of 2^4. */
#define CONFIGURATION_ON        (1u | 6u << 16 | 4u << 20)
enum { STATUS_READY = 1, STATUS_FATAL = 2 };

enum { ADMIN_CREATE_SUBMIT = 0x01, ADMIN_CREATE_COMPLETE = 0x05, ADMIN_IDENTIFY = 0x06, ADMIN_SET_FEATURES = 0x09, FEATURE_QUEUES = 0x07 };
enum { IDENTIFY_SPACE = 0, IDENTIFY_CONTROLLER = 1, IDENTIFY_SPACES = 2, IDENTIFY_BYTES = 4096 };
enum { NVM_FLUSH = 0x00, NVM_WRITE = 0x01, NVM_READ = 0x02, NVM_WRITE_ZEROES = 0x08, NVM_DATASET = 0x09, DATASET_DEALLOCATE = 4 };

/* Offsets in what IDENTIFY gives: of a controller (5.15.2.2), of a namespace (5.15.2.1). */
enum {
	CONTROLLER_SERIAL = 4, CONTROLLER_SERIAL_BYTES = 20, CONTROLLER_MODEL = 24, CONTROLLER_MODEL_BYTES = 40, CONTROLLER_TRANSFER = 77,
	CONTROLLER_COMMANDS = 520, CONTROLLER_CACHE = 525, COMMANDS_DATASET = 4, COMMANDS_ZEROES = 8,
};
enum { SPACE_SIZE = 0, SPACE_FORMAT = 26, SPACE_ATTRIBUTES = 99, SPACE_FORMATS = 128, FORMAT_METADATA = 0, FORMAT_SHIFT = 2 };

/* 4.2 */
struct nvme_entry {
	uint32_t command;               /* opcode, identifier << 16 */
	uint32_t space;
	uint64_t reserved, metadata;
	uint64_t prp1, prp2;
	uint32_t word10, word11, word12, word13, word14, word15;
};
STATIC_ASSERT(sizeof(struct nvme_entry) == 64, "as the controller reads it");

/* 4.6 */
struct nvme_completion {
	uint32_t result, reserved;
	uint32_t submit;                /* head | queue << 16 */
	uint32_t status;                /* identifier | phase << 16 | status << 17 */
};
STATIC_ASSERT(sizeof(struct nvme_completion) == 16, "as the controller writes it");
/* Of the status: type << 8 | code. */
enum { STATUS_CODE_MASK = 0x7ff, STATUS_BAD_OPCODE = 0x001, STATUS_ABORTED = 0x007, STATUS_QUEUE_DELETED = 0x008, STATUS_WRITE_PROTECTED = 0x020 };

/* 6.7.1 */
struct nvme_range { uint32_t attributes, blocks; uint64_t first; };
