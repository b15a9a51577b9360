/* lib/pci/mock.h - for tests: a bus of functions whose configuration space is an array, with masks of what can be written. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "lib/pci/pci.h"

enum { MOCK_MAX = 16 };

struct mock_function {
	struct pci_address address;
	uint8_t config[DEVICE_CONFIG_BYTES];
	uint8_t writable[DEVICE_CONFIG_BYTES];
	uint32_t resets, gone_for;      /* gone_for: reads of its id until it is there again after a reset */
	bool answered_while_moving;     /* it decoded addresses while a BAR was all ones */
};

struct mock {
	uint32_t count;
	struct mock_function f[MOCK_MAX];
	uint64_t waited_ns;
};

static inline struct mock_function *mock_find(struct mock *m, struct pci_address a)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (pci_address_is(m->f[i].address, a))
			return &m->f[i];
	return NULL;
}

static inline void mock_put(struct mock_function *f, uint32_t offset, uint32_t bytes, uint32_t value) { memcpy(f->config + offset, &value, bytes); }

static inline uint32_t mock_get(const struct mock_function *f, uint32_t offset, uint32_t bytes)
{
	uint32_t value = 0;

	memcpy(&value, f->config + offset, bytes);
	return value;
}

static inline void mock_can_write(struct mock_function *f, uint32_t offset, uint32_t bytes, uint32_t mask) { memcpy(f->writable + offset, &mask, bytes); }

static inline uint32_t mock_read(void *context, struct pci_address a, uint32_t offset, uint32_t bytes)
{
	struct mock_function *f = mock_find(context, a);

	if (offset % bytes || offset + bytes > DEVICE_CONFIG_BYTES)
		abort();
	if (f && f->gone_for > 0 && offset == PCI_ID) {
		f->gone_for--;
		return 0xffff0001;
	}
	return f ? mock_get(f, offset, bytes) : bytes == 4 ? UINT32_MAX : (1u << bytes * 8) - 1;
}

static inline void mock_write(void *context, struct pci_address a, uint32_t offset, uint32_t bytes, uint32_t value)
{
	struct mock_function *f = mock_find(context, a);

	if (offset % bytes || offset + bytes > DEVICE_CONFIG_BYTES)
		abort();
	if (!f)
		return;
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t w = f->writable[offset + i];
		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~w) | (value >> i * 8 & w));
	}
	if (offset >= PCI_BAR && offset < PCI_BAR + 24 && value == UINT32_MAX && f->config[PCI_COMMAND] & 3)
		f->answered_while_moving = true;
	for (uint32_t at = 0x40; at < 0xc0; at += 4)    /* the reset bit of an express capability */
		if (f->config[at] == 0x10 && offset == at + 8 && value & 0x8000) {
			f->resets++;
			f->gone_for = f->gone_for > 3 ? f->gone_for : 3;
			memset(f->config + PCI_COMMAND, 0, 2);
			for (uint32_t n = PCI_BAR; n < PCI_BAR + 24; n++)
				f->config[n] &= (uint8_t)~f->writable[n];
		}
}

static inline void mock_wait(void *context, uint64_t ns) { ((struct mock *)context)->waited_ns += ns; }

static inline struct pci_host mock_host(struct mock *m)
{
	return (struct pci_host){ mock_read, mock_write, mock_wait, DEVICE_CONFIG_BYTES, m };
}

static inline struct mock_function *mock_add(struct mock *m, uint8_t bus, uint8_t slot, uint8_t function, uint32_t id)
{
	struct mock_function *f = &m->f[m->count++];

	f->address = (struct pci_address){ 0, bus, (uint8_t)(slot << 3 | function) };
	mock_put(f, PCI_ID, 4, id);
	mock_can_write(f, PCI_COMMAND, 2, 0x407);
	return f;
}

/* A BAR of so many bytes: a power of two. low: the type bits. */
static inline void mock_bar(struct mock_function *f, uint32_t n, uint64_t address, uint64_t bytes, uint32_t low)
{
	mock_put(f, PCI_BAR + n * 4, 4, (uint32_t)address | low);
	mock_can_write(f, PCI_BAR + n * 4, 4, (uint32_t)~(bytes - 1) & ~(low & 1 ? 3u : 15u));
	if (!(low & 1) && (low & 6) == 4) {
		mock_put(f, PCI_BAR + n * 4 + 4, 4, (uint32_t)(address >> 32));
		mock_can_write(f, PCI_BAR + n * 4 + 4, 4, (uint32_t)(~(bytes - 1) >> 32));
	}
}

static inline void mock_list(struct mock_function *f, uint8_t first)
{
	f->config[PCI_STATUS] |= 1 << 4;
	f->config[PCI_CAPABILITIES] = first;
}
