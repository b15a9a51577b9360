/* lib/pci/control.c - changes to a function: stopping and resetting it, its interrupts; and how addresses are written. */
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/pci/pci.h"

enum { PAGE = 4096 };
enum { EXPRESS_ABILITIES = 4, EXPRESS_CONTROL = 8, EXPRESS_STATUS = 10, EXPRESS_CAN_RESET = 1 << 28, EXPRESS_RESET = 1 << 15, EXPRESS_PENDING = 1 << 5 };
enum { ADVANCED_ABILITIES = 3, ADVANCED_CONTROL = 4, ADVANCED_CAN_RESET = 2, ADVANCED_RESET = 1 };
enum { POWER_CONTROL = 4, POWER_STATE = 3, POWER_OFF = 3, POWER_KEEPS = 1 << 3 };
enum { POLLS_MAX = 1000, PENDING_POLLS_MAX = 100 };
#define POLL_NS 1000000ull
#define POWER_NS 10000000ull

static uint32_t get(const struct pci_host *h, const struct pci_function *f, uint32_t offset, uint32_t bytes)
{
	return h->read(h->context, f->address, offset, bytes);
}

static void put(const struct pci_host *h, const struct pci_function *f, uint32_t offset, uint32_t bytes, uint32_t value)
{
	h->write(h->context, f->address, offset, bytes, value);
}

void pci_command(const struct pci_host *h, struct pci_address a, uint32_t clear, uint32_t set)
{
	h->write(h->context, a, PCI_COMMAND, 2, (h->read(h->context, a, PCI_COMMAND, 2) & ~clear) | set);
}

void pci_stop(const struct pci_host *h, const struct pci_function *f)
{
	pci_command(h, f->address, PCI_COMMAND_MASTER, PCI_COMMAND_NO_LINE);
	if (f->msi.at)
		put(h, f, f->msi.at + 2u, 2, get(h, f, f->msi.at + 2u, 2) & ~(uint32_t)PCI_MSI_ENABLE);
	if (f->msix.at)
		put(h, f, f->msix.at + 2u, 2, (get(h, f, f->msix.at + 2u, 2) & ~(uint32_t)PCI_MSIX_ENABLE) | PCI_MSIX_MASK);
}

/* ---- Reset ---- */

/* What it has sent for must have arrived before it forgets. */
static void await_pending(const struct pci_host *h, const struct pci_function *f)
{
	for (uint32_t i = 0; i < PENDING_POLLS_MAX && get(h, f, f->express + EXPRESS_STATUS, 2) & EXPRESS_PENDING; i++)
		h->wait(h->context, POLL_NS);
}

/* False: it has no way to be reset by itself. */
static bool begin_reset(const struct pci_host *h, const struct pci_function *f)
{
	uint32_t state;

	if (f->express && get(h, f, f->express + EXPRESS_ABILITIES, 4) & EXPRESS_CAN_RESET) {
		await_pending(h, f);
		put(h, f, f->express + EXPRESS_CONTROL, 2, get(h, f, f->express + EXPRESS_CONTROL, 2) | EXPRESS_RESET);
		return true;
	}
	if (f->advanced && get(h, f, f->advanced + ADVANCED_ABILITIES, 1) & ADVANCED_CAN_RESET) {
		put(h, f, f->advanced + ADVANCED_CONTROL, 1, ADVANCED_RESET);
		return true;
	}
	if (!f->power || (state = get(h, f, f->power + POWER_CONTROL, 2)) & POWER_KEEPS)
		return false;
	put(h, f, f->power + POWER_CONTROL, 2, (state & ~(uint32_t)POWER_STATE) | POWER_OFF);
	h->wait(h->context, POWER_NS);
	put(h, f, f->power + POWER_CONTROL, 2, state & ~(uint32_t)POWER_STATE);
	h->wait(h->context, POWER_NS);
	return true;
}

void pci_write_bar(const struct pci_host *h, const struct pci_function *f, uint32_t n)
{
	put(h, f, PCI_BAR + n * 4, 4, (uint32_t)f->bar[n].address);
	if (f->bar[n].is_64_bit)
		put(h, f, PCI_BAR + n * 4 + 4, 4, (uint32_t)(f->bar[n].address >> 32));
}

err_t pci_reset(const struct pci_host *h, const struct pci_function *f)
{
	uint32_t line = get(h, f, PCI_LINE, 1);

	pci_stop(h, f);
	if (!begin_reset(h, f))
		return ERR_OPNOTSUPP;
	/* One that needs time says that it is not there yet. */
	for (uint32_t i = 0; !pci_is_present(h, f->address); i++) {
		if (i == POLLS_MAX)
			return ERR_NODEV;
		h->wait(h->context, POLL_NS);
	}
	for (uint32_t n = 0; n < DEVICE_BARS; n++)
		if (f->bar[n].kind != DEVICE_BAR_NONE)
			pci_write_bar(h, f, n);
	put(h, f, PCI_LINE, 1, line);
	pci_stop(h, f);
	return OK;
}

/* ---- Interrupts ---- */

struct pci_hole pci_bar_hole(const struct pci_function *f, uint32_t bar)
{
	if (!f->msix.at || bar != f->msix.table_bar)
		return (struct pci_hole){ 0 };
	uint64_t start = round_down(f->msix.table_offset, PAGE);
	uint64_t end = round_up(f->msix.table_offset + (uint64_t)f->msix.count * PCI_MSIX_ENTRY_BYTES, PAGE);
	uint64_t pending = round_down(f->msix.pending_offset, PAGE);

	/* The pending bits can do no harm: their pages are left out only where nothing else is lost by it. */
	if (f->msix.pending_bar == bar && pending == end)
		end = round_up(f->msix.pending_offset + f->msix.count / 8 + 1, PAGE);
	end = MIN_OF(end, round_up(f->bar[bar].bytes, PAGE));
	return (struct pci_hole){ .offset = start, .bytes = end - start };
}

uint32_t pci_interrupt_count(const struct pci_function *f, enum device_interrupt_kind *kind)
{
	*kind = f->msix.at ? DEVICE_MSI_X : f->msi.at ? DEVICE_MSI : DEVICE_LINE;
	return f->msix.at ? f->msix.count : f->msi.at || f->line;
}

void pci_msi_set(const struct pci_host *h, const struct pci_function *f, uint64_t address, uint16_t data)
{
	uint8_t at = f->msi.at;

	put(h, f, at + 4u, 4, (uint32_t)address);
	if (f->msi.is_64_bit)
		put(h, f, at + 8u, 4, (uint32_t)(address >> 32));
	put(h, f, at + (f->msi.is_64_bit ? 12u : 8u), 2, data);
	pci_command(h, f->address, 0, PCI_COMMAND_NO_LINE);
	/* One message: the bits above say how many. */
	put(h, f, at + 2u, 2, (get(h, f, at + 2u, 2) & ~0x70u) | PCI_MSI_ENABLE);
}

void pci_msix_enable(const struct pci_host *h, const struct pci_function *f)
{
	pci_command(h, f->address, 0, PCI_COMMAND_NO_LINE);
	put(h, f, f->msix.at + 2u, 2, (get(h, f, f->msix.at + 2u, 2) & ~(uint32_t)PCI_MSIX_MASK) | PCI_MSIX_ENABLE);
}

/* ---- Addresses ---- */

err_t pci_address_parse(const char *text, size_t bytes, struct pci_address *out)
{
	static const struct { uint8_t at, digits; char before; uint32_t max; } parts[] = {
		{ 0, 4, 0, 0xffff }, { 5, 2, ':', 0xff }, { 8, 2, ':', 31 }, { 11, 1, '.', 7 },
	};
	uint64_t value[ARRAY_COUNT(parts)];

	if (bytes != PCI_ADDRESS_TEXT - 1)
		return ERR_INVAL;
	for (uint32_t i = 0; i < ARRAY_COUNT(parts); i++)
		if ((parts[i].before && text[parts[i].at - 1] != parts[i].before) ||
		    number_parse(text + parts[i].at, parts[i].digits, 16, &value[i]) || value[i] > parts[i].max)
			return ERR_INVAL;
	*out = (struct pci_address){ (uint16_t)value[0], (uint8_t)value[1], (uint8_t)(value[2] << 3 | value[3]) };
	return OK;
}

void pci_address_text(struct pci_address a, char text[PCI_ADDRESS_TEXT])
{
	(void)fmt(text, PCI_ADDRESS_TEXT, "%04x:%02x:%02x.%u", a.segment, a.bus, a.slot_function >> 3, a.slot_function & 7u);
}
