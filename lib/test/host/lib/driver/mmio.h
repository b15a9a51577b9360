/* lib/test/host/lib/driver/mmio.h - device registers on the host: every access is a question to the test's mock device.
 *
 * A test defines mock_read and mock_write. Addresses are what the mock gave out as its registers; they need not be memory.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

uint64_t mock_read(uintptr_t at, size_t bytes);
void mock_write(uintptr_t at, size_t bytes, uint64_t value);

static inline uint8_t mmio_read8(const volatile void *at) { return (uint8_t)mock_read((uintptr_t)at, 1); }
static inline uint16_t mmio_read16(const volatile void *at) { return (uint16_t)mock_read((uintptr_t)at, 2); }
static inline uint32_t mmio_read32(const volatile void *at) { return (uint32_t)mock_read((uintptr_t)at, 4); }
static inline uint64_t mmio_read64(const volatile void *at) { return mock_read((uintptr_t)at, 8); }
static inline void mmio_write8(volatile void *at, uint8_t v) { mock_write((uintptr_t)at, 1, v); }
static inline void mmio_write16(volatile void *at, uint16_t v) { mock_write((uintptr_t)at, 2, v); }
static inline void mmio_write32(volatile void *at, uint32_t v) { mock_write((uintptr_t)at, 4, v); }
static inline void mmio_write64(volatile void *at, uint64_t v) { mock_write((uintptr_t)at, 8, v); }
