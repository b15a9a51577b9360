/* lib/pci/read.c - what a function is: header, BARs, capabilities. */
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/pci/pci.h"

enum { HEADER_NORMAL = 0, HEADER_BRIDGE = 1, HEADER_MORE = 0x80, STATUS_HAS_LIST = 1 << 4 };
enum { LIST_FIRST = 0x40, LIST_STEPS_MAX = (256 - LIST_FIRST) / 4 };
enum capability { CAPABILITY_POWER = 0x01, CAPABILITY_MSI = 0x05, CAPABILITY_EXPRESS = 0x10, CAPABILITY_MSIX = 0x11, CAPABILITY_ADVANCED = 0x13 };
enum { BAR_PORTS = 1 << 0, BAR_TYPE = 3 << 1, BAR_64_BIT = 2 << 1, BAR_PREFETCH = 1 << 3 };
enum { BAR_MEMORY_BYTES_MIN = 16, BAR_PORTS_BYTES_MIN = 4, PORTS_MAX = 0x10000 };
enum { MSI_64_BIT = 1 << 7, MSIX_COUNT = 0x7ff, MSIX_BAR = 7, MSIX_OFFSET = 2 };
enum { EXPRESS_FLAGS = 2, EXPRESS_SLOT = 1 << 8, EXPRESS_SLOT_ABILITIES = 0x14, SLOT_HOT_PLUG = 1 << 6 };

static uint32_t get(const struct pci_host *h, struct pci_address a, uint32_t offset, uint32_t bytes)
{
	return h->read(h->context, a, offset, bytes);
}

bool pci_is_present(const struct pci_host *h, struct pci_address a)
{
	uint32_t id = get(h, a, PCI_ID, 4);

	/* 0001: it asks for patience after a reset. */
	return (id & 0xffff) != 0xffff && (id & 0xffff) != 0 && (id & 0xffff) != 1;
}

bool pci_has_more_functions(const struct pci_host *h, struct pci_address a) { return get(h, a, PCI_HEADER_TYPE, 1) & HEADER_MORE; }

/* ---- BARs ---- */

/* What stays 0 when ones are written. */
static uint32_t probe(const struct pci_host *h, struct pci_address a, uint32_t offset)
{
	uint32_t old = get(h, a, offset, 4);

	h->write(h->context, a, offset, 4, UINT32_MAX);
	uint32_t mask = get(h, a, offset, 4);
	h->write(h->context, a, offset, 4, old);
	return mask;
}

static struct pci_bar read_ports(uint32_t value, uint32_t mask)
{
	uint32_t bits = mask & ~3u & (PORTS_MAX - 1), bytes = bits & -bits;
	struct pci_bar b = { .address = value & ~3u, .bytes = bytes, .kind = DEVICE_BAR_PORTS };

	if (bytes < BAR_PORTS_BYTES_MIN || b.address % bytes || !range_fits(b.address, bytes, PORTS_MAX))
		return (struct pci_bar){ 0 };
	return b;
}

static struct pci_bar read_memory(uint64_t value, uint64_t mask, bool is_64_bit)
{
	uint64_t bits = mask & ~15ull, bytes = bits & -bits;
	struct pci_bar b = {
		.address = value & ~15ull, .bytes = bytes, .kind = DEVICE_BAR_MEMORY, .is_64_bit = is_64_bit, .is_prefetchable = value & BAR_PREFETCH,
	};

	/* All bits from the lowest up: up to where, is its affair beyond 4 GiB. */
	if (is_64_bit ? (bits + bytes) & (bits + bytes - 1) || bits >> 31 == 0 : (uint32_t)(bits + bytes) != 0)
		return (struct pci_bar){ 0 };
	if (bytes < BAR_MEMORY_BYTES_MIN || b.address % bytes || !range_fits(b.address, bytes, is_64_bit ? 1ull << 52 : 1ull << 32))
		return (struct pci_bar){ 0 };
	return b;
}

static void read_bars(const struct pci_host *h, struct pci_function *f)
{
	uint32_t count = f->header_type == HEADER_NORMAL ? DEVICE_BARS : f->header_type == HEADER_BRIDGE ? 2 : 0;
	uint32_t command = get(h, f->address, PCI_COMMAND, 2);

	/* While its addresses are ones it must answer to none. */
	h->write(h->context, f->address, PCI_COMMAND, 2, command & ~(uint32_t)(PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY));
	for (uint32_t n = 0; n < count; n++) {
		uint32_t at = PCI_BAR + n * 4;
		uint64_t value = get(h, f->address, at, 4), mask = probe(h, f->address, at);
		bool is_64_bit = !(value & BAR_PORTS) && (value & BAR_TYPE) == BAR_64_BIT;

		if (is_64_bit && n + 1 == count)
			break;
		if (is_64_bit) {
			value |= (uint64_t)get(h, f->address, at + 4, 4) << 32;
			mask |= (uint64_t)probe(h, f->address, at + 4) << 32;
		}
		f->bar[n] = value & BAR_PORTS ? read_ports((uint32_t)value, (uint32_t)mask) : read_memory(value, mask, is_64_bit);
		n += is_64_bit;
	}
	h->write(h->context, f->address, PCI_COMMAND, 2, command);
}

/* ---- Capabilities ---- */

static void read_msix(const struct pci_host *h, struct pci_function *f, uint8_t at)
{
	uint32_t count = (get(h, f->address, at + 2u, 2) & MSIX_COUNT) + 1, table = get(h, f->address, at + 4u, 4), pending = get(h, f->address, at + 8u, 4);
	uint32_t table_bar = table & MSIX_BAR, pending_bar = pending & MSIX_BAR, offset = table & ~(uint32_t)MSIX_BAR;

	if (table_bar >= DEVICE_BARS || pending_bar >= DEVICE_BARS || f->bar[table_bar].kind != DEVICE_BAR_MEMORY ||
	    !range_fits(offset, (uint64_t)count * PCI_MSIX_ENTRY_BYTES, f->bar[table_bar].bytes))
		return;
	f->msix.at = at;
	f->msix.count = (uint16_t)count;
	f->msix.table_bar = (uint8_t)table_bar;
	f->msix.table_offset = offset;
	f->msix.pending_bar = (uint8_t)pending_bar;
	f->msix.pending_offset = pending & ~(uint32_t)MSIX_BAR;
}

static void read_express(const struct pci_host *h, struct pci_function *f, uint8_t at)
{
	bool has_slot = get(h, f->address, at + EXPRESS_FLAGS, 2) & EXPRESS_SLOT;

	f->express = at;
	f->has_slot = has_slot && f->header_type == HEADER_BRIDGE && get(h, f->address, at + EXPRESS_SLOT_ABILITIES, 4) & SLOT_HOT_PLUG;
}

/* The first of each kind counts. The longest capability that we read is an express one's, up to 0x34. */
static void read_capability(const struct pci_host *h, struct pci_function *f, uint8_t at)
{
	switch (get(h, f->address, at, 1)) {
	case CAPABILITY_POWER:
		f->power = f->power ? f->power : at;
		break;
	case CAPABILITY_MSI:
		if (f->msi.at || at > 256 - 14)
			break;
		f->msi.at = at;
		f->msi.is_64_bit = get(h, f->address, at + 2u, 2) & MSI_64_BIT;
		break;
	case CAPABILITY_EXPRESS:
		if (!f->express && at <= 256 - 0x34)
			read_express(h, f, at);
		break;
	case CAPABILITY_MSIX:
		if (!f->msix.at && at <= 256 - 12)
			read_msix(h, f, at);
		break;
	case CAPABILITY_ADVANCED:
		f->advanced = f->advanced ? f->advanced : at;
		break;
	}
}

static void read_capabilities(const struct pci_host *h, struct pci_function *f)
{
	if (!(get(h, f->address, PCI_STATUS, 2) & STATUS_HAS_LIST) || f->header_type > HEADER_BRIDGE)
		return;
	uint32_t at = get(h, f->address, PCI_CAPABILITIES, 1) & ~3u;
	for (uint32_t step = 0; at >= LIST_FIRST && step < LIST_STEPS_MAX; step++) {
		read_capability(h, f, (uint8_t)at);
		at = get(h, f->address, at + 1, 1) & ~3u;
	}
}

/* ---- All of it ---- */

static void read_bridge(const struct pci_host *h, struct pci_function *f)
{
	uint32_t buses = get(h, f->address, PCI_BUSES, 4);
	uint8_t secondary = (uint8_t)(buses >> 8), last = (uint8_t)(buses >> 16);

	if (secondary > f->address.bus && last >= secondary) {
		f->secondary = secondary;
		f->last = last;
	}
}

err_t pci_read(const struct pci_host *h, struct pci_address a, struct pci_function *out)
{
	if (!pci_is_present(h, a))
		return ERR_NODEV;
	uint32_t id = get(h, a, PCI_ID, 4), class = get(h, a, PCI_CLASS, 4), subsystem = 0, line = get(h, a, PCI_LINE, 2);
	uint8_t header = (uint8_t)get(h, a, PCI_HEADER_TYPE, 1) & ~HEADER_MORE;

	if (header == HEADER_NORMAL)
		subsystem = get(h, a, PCI_SUBSYSTEM, 4);
	*out = (struct pci_function){
		.address = a, .vendor = (uint16_t)id, .device = (uint16_t)(id >> 16),
		.subsystem_vendor = (uint16_t)subsystem, .subsystem = (uint16_t)(subsystem >> 16),
		.class = (uint8_t)(class >> 24), .subclass = (uint8_t)(class >> 16), .interface = (uint8_t)(class >> 8), .revision = (uint8_t)class,
		.header_type = header, .line = line >> 8 && (line & 0xff) != 0xff ? (uint8_t)line : 0,
		.pin = line >> 8 <= PCI_PINS ? (uint8_t)(line >> 8) : 0,
	};
	read_bars(h, out);
	if (header == HEADER_BRIDGE)
		read_bridge(h, out);
	read_capabilities(h, out);
	return OK;
}

void pci_enumerate(const struct pci_host *h, uint16_t segment, uint8_t first_bus,
                   const struct pci_function *(*found)(void *context, struct pci_address a), void *context)
{
	uint8_t to_see[256] = { first_bus };
	bool is_seen[256] = { false };

	is_seen[first_bus] = true;
	for (uint32_t next = 0, count = 1; next < count; next++) {
		for (uint32_t n = 0; n < 256; n++) {
			struct pci_address a = { .segment = segment, .bus = to_see[next], .slot_function = (uint8_t)n };
			bool is_present = pci_is_present(h, a);
			const struct pci_function *f = is_present ? found(context, a) : NULL;

			if (f && f->secondary && !is_seen[f->secondary]) {
				is_seen[f->secondary] = true;
				to_see[count++] = f->secondary;
			}
			if (n % 8 == 0 && (!is_present || !pci_has_more_functions(h, a)))
				n += 7;
		}
	}
}
