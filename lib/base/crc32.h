/* lib/base/crc32.h - the CRC of GPT, gzip and Ethernet (ISO 3309: polynomial 0x04c11db7, reflected, inverted). */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Goes on from crc (0 at first). */
uint32_t crc32(uint32_t crc, const void *data, size_t bytes);
