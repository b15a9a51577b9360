/* lib/pci/slot.h - hot-plug slots behind PCI Express ports. Pure. */
#pragma once
#include "lib/pci/pci.h"

enum pci_slot_news {
	PCI_SLOT_QUIET,
	PCI_SLOT_CAME,          /* somebody is in it, and has power now: soon it can be found */
	PCI_SLOT_WENT,          /* nobody is in it any more */
	PCI_SLOT_WANTS_OUT,     /* somebody pressed the button: stop it, then pci_slot_off */
};

/* What is new with the slot behind this port (has_slot). is_known: who is in it was found. Whoever newly came gets power. To be asked now and
 * then: the port remembers what happened. */
enum pci_slot_news pci_slot_look(const struct pci_host *h, const struct pci_function *port, bool is_known) NONNULL;
/* Takes the power away: whoever is in it can be pulled out. */
void pci_slot_off(const struct pci_host *h, const struct pci_function *port) NONNULL;
