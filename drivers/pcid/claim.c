/* drivers/pcid/claim.c - handles of what a function has. */
#include "drivers/pcid/claim.h"
#include "abi/proto/dma.h"
#include "abi/proto/kernel.h"
#include "drivers/pcid/access.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"

enum { PAGE = 4096, ENTRY_DATA = 8, ENTRY_CONTROL = 12, ENTRY_MASKED = 1 };
/* The kernel reaches no registers above. */
#define MASK_ADDRESS_MAX (1ull << 32)
enum { INTERRUPT_RIGHTS = RIGHT_READ | RIGHT_WRITE | RIGHT_CALL | RIGHT_DUP | RIGHT_SEND };

void claim_begin(struct claim *c, struct bus_function *f, bool again)
{
	struct dma_info info;
	char ref[PCI_ADDRESS_TEXT + 5];

	*c = (struct claim){ .domain = HANDLE_NONE };
	pci_address_text(f->pci.address, ref);
	if (again)
		(void)fmt(ref + PCI_ADDRESS_TEXT - 1, 6, "/same");
	c->domain_error = handle_open("iommu", ref, OPEN_READ | OPEN_WRITE, &c->domain);
	f->is_isolated = !c->domain_error && handle_call(c->domain, DMA_INFO, NULL, 0, &info, sizeof info, 0) >= 0 && info.is_isolated;
}

void claim_end(struct claim *c)
{
	for (uint32_t i = 0; c->interrupt && i < c->interrupt_count; i++)
		handle_close(c->interrupt[i]);
	heap_free(c->interrupt, c->interrupt_count * sizeof *c->interrupt);
	handle_close(c->domain);
	*c = (struct claim){ .domain = HANDLE_NONE, .domain_error = ERR_NODEV };
}

/* ---- Registers ---- */

static err_t registers_memory(const struct pci_bar *b, struct pci_hole hole, uint32_t part, handle_t *out)
{
	uint64_t end = round_up(b->bytes, PAGE), behind = hole.offset + hole.bytes;
	uint64_t start = part ? behind : 0, stop = part || !hole.bytes ? end : hole.offset;

	if (part > 1 || (part && !hole.bytes) || start >= stop)
		return ERR_NOENT;
	return access_memory(b->address + start, stop - start, out);
}

err_t claim_registers(const struct bus_function *f, uint32_t bar, uint32_t part, struct device_registers *r, handle_t *out)
{
	const struct pci_bar *b = &f->pci.bar[bar];
	struct pci_hole hole = pci_bar_hole(&f->pci, bar);

	*r = (struct device_registers){ .bytes = b->bytes, .kind = b->kind, .hole_offset = hole.offset, .hole_bytes = hole.bytes };
	if (b->kind == DEVICE_BAR_MEMORY)
		return registers_memory(b, hole, part, out);
	return part ? ERR_NOENT : access_ports((uint16_t)b->address, (uint32_t)b->bytes, out);
}

/* ---- Interrupts ---- */

/* What an IOMMU that checks interrupts wants to be written instead. */
static err_t translate(const struct claim *c, uint32_t n, struct irq_message *m)
{
	struct irq_message theirs;

	if (c->domain == HANDLE_NONE)
		return OK;
	int64_t result = handle_call(c->domain, DMA_INTERRUPT, m, sizeof *m, &theirs, sizeof theirs, n);
	if (result >= 0)
		*m = theirs;
	return result == ERR_OPNOTSUPP ? OK : result_error(result);
}

static err_t message_of(const struct claim *c, uint32_t n, handle_t h, struct irq_mask mask, struct irq_message *out)
{
	if (mask.address >= MASK_ADDRESS_MAX)
		mask = (struct irq_mask){ 0 };
	TRY(result_error(handle_call(h, IRQ_MESSAGE, &mask, sizeof mask, out, sizeof *out, 0)));
	return translate(c, n, out);
}

/* The kernel's write against a storm goes to the vector's own mask, or (that is out of its reach) to the whole function's. */
static err_t set_msix(const struct claim *c, const struct pci_host *h, const struct bus_function *f, uint32_t n, handle_t irq)
{
	uint64_t offset = f->pci.msix.table_offset + (uint64_t)n * PCI_MSIX_ENTRY_BYTES, address = f->pci.bar[f->pci.msix.table_bar].address + offset;
	struct irq_mask mask = { .address = address + ENTRY_CONTROL, .value = ENTRY_MASKED };
	struct irq_message m;

	if (mask.address >= MASK_ADDRESS_MAX)
		mask = (struct irq_mask){ access_register(f->pci.address, f->pci.msix.at), (uint32_t)(PCI_MSIX_ENABLE | PCI_MSIX_MASK) << 16, 0 };
	TRY(message_of(c, n, irq, mask, &m));
	volatile uint8_t *page = access_map(round_down(address, PAGE), PAGE), *entry = page + address % PAGE;
	if (!page)
		return ERR_NOMEM;
	*(volatile uint32_t *)(entry + ENTRY_CONTROL) = ENTRY_MASKED;
	*(volatile uint32_t *)entry = (uint32_t)m.address;
	*(volatile uint32_t *)(entry + 4) = (uint32_t)(m.address >> 32);
	*(volatile uint32_t *)(entry + ENTRY_DATA) = m.data;
	*(volatile uint32_t *)(entry + ENTRY_CONTROL) = 0;
	access_unmap(page, PAGE);
	pci_msix_enable(h, &f->pci);
	return OK;
}

static err_t set_msi(const struct claim *c, const struct pci_host *h, const struct bus_function *f, handle_t irq)
{
	struct irq_mask mask = { .address = access_register(f->pci.address, f->pci.msi.at) };
	struct irq_message m;

	TRY(message_of(c, 0, irq, mask, &m));
	pci_msi_set(h, &f->pci, m.address, (uint16_t)m.data);
	return OK;
}

static err_t interrupt_open(const struct bus_function *f, enum device_interrupt_kind kind, handle_t *out)
{
	char line[8];

	(void)fmt(line, sizeof line, "%u", f->pci.line);
	return handle_open("irq", kind == DEVICE_LINE ? line : "message", OPEN_READ | OPEN_WRITE, out);
}

static err_t interrupts_make(struct claim *c, uint32_t count)
{
	c->interrupt = heap_alloc(count * sizeof *c->interrupt);
	if (!c->interrupt)
		return ERR_NOMEM;
	c->interrupt_count = count;
	for (uint32_t i = 0; i < count; i++)
		c->interrupt[i] = HANDLE_NONE;
	return OK;
}

err_t claim_interrupt(struct claim *c, const struct pci_host *h, const struct bus_function *f, uint32_t n, struct device_interrupt *i, handle_t *out)
{
	enum device_interrupt_kind kind;
	uint32_t count = pci_interrupt_count(&f->pci, &kind);

	*i = (struct device_interrupt){ .kind = kind };
	if (n >= count)
		return ERR_NOENT;
	if (!c->interrupt)
		TRY(interrupts_make(c, count));
	if (c->interrupt[n] == HANDLE_NONE)
		TRY(interrupt_open(f, kind, &c->interrupt[n]));
	/* Again each time: after a reset the function knows nothing of it. */
	if (kind == DEVICE_LINE) {
		pci_command(h, f->pci.address, PCI_COMMAND_NO_LINE, 0);
	} else {
		TRY(kind == DEVICE_MSI_X ? set_msix(c, h, f, n, c->interrupt[n]) : set_msi(c, h, f, c->interrupt[n]));
		/* A message is a write to the bus. */
		pci_command(h, f->pci.address, 0, PCI_COMMAND_MASTER);
	}
	return handle_dup(c->interrupt[n], INTERRUPT_RIGHTS, out);
}

/* ---- DMA ---- */

err_t claim_domain(struct claim *c, const struct pci_host *h, const struct bus_function *f, handle_t *out)
{
	if (c->domain == HANDLE_NONE)
		return c->domain_error;
	TRY(handle_open_at(c->domain, "driver", OPEN_READ | OPEN_WRITE, out));
	pci_command(h, f->pci.address, 0, PCI_COMMAND_MASTER);
	return OK;
}
