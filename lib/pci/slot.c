/* lib/pci/slot.c - a port's slot registers. */
#include "lib/pci/slot.h"

enum { SLOT_CONTROL = 0x18, SLOT_STATUS = 0x1a };
enum { STATUS_BUTTON = 1 << 0, STATUS_CHANGED = 1 << 3, STATUS_OCCUPIED = 1 << 6, STATUS_REMEMBERED = 0x11f };
enum { CONTROL_LIGHT = 3 << 8, CONTROL_LIGHT_ON = 1 << 8, CONTROL_LIGHT_OFF = 3 << 8, CONTROL_OFF = 1 << 10 };

static uint32_t control_get(const struct pci_host *h, const struct pci_function *port)
{
	return h->read(h->context, port->address, port->express + SLOT_CONTROL, 2);
}

static void control_put(const struct pci_host *h, const struct pci_function *port, uint32_t value)
{
	h->write(h->context, port->address, port->express + SLOT_CONTROL, 2, value);
}

enum pci_slot_news pci_slot_look(const struct pci_host *h, const struct pci_function *port, bool is_known)
{
	uint32_t status = h->read(h->context, port->address, port->express + SLOT_STATUS, 2), control = control_get(h, port);

	/* The port itself is gone. */
	if (status == 0xffff)
		return PCI_SLOT_QUIET;
	/* What it remembers is forgotten by writing it back. */
	if (status & STATUS_REMEMBERED)
		h->write(h->context, port->address, port->express + SLOT_STATUS, 2, status & STATUS_REMEMBERED);
	if (!(status & STATUS_OCCUPIED))
		return is_known ? PCI_SLOT_WENT : PCI_SLOT_QUIET;
	if (is_known)
		return status & STATUS_BUTTON ? PCI_SLOT_WANTS_OUT : PCI_SLOT_QUIET;
	/* One whose power was taken away stays without until it was pulled out. */
	if (control & CONTROL_OFF && !(status & (STATUS_BUTTON | STATUS_CHANGED)))
		return PCI_SLOT_QUIET;
	control_put(h, port, (control & ~(uint32_t)(CONTROL_LIGHT | CONTROL_OFF)) | CONTROL_LIGHT_ON);
	return PCI_SLOT_CAME;
}

void pci_slot_off(const struct pci_host *h, const struct pci_function *port)
{
	control_put(h, port, (control_get(h, port) & ~(uint32_t)CONTROL_LIGHT) | CONTROL_LIGHT_OFF | CONTROL_OFF);
}
