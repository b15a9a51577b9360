/* lib/pci/window.h - addresses for BARs that have none, within what a bridge lets through. Pure. */
#pragma once
#include "lib/pci/pci.h"

/* [start, end) of addresses; taken: ranges of it in use. */
struct pci_range { uint64_t start, end; };

/* What a bridge forwards: memory, and prefetchable memory (end <= start: nothing). */
void pci_bridge_windows(const struct pci_host *h, struct pci_address bridge, struct pci_range *memory, struct pci_range *prefetch) NONNULL;
/* The lowest range of bytes (a power of two, at least a page is taken), aligned to itself, in window and outside all of taken. NOSPC. */
err_t pci_range_find(struct pci_range window, const struct pci_range *taken, uint32_t count, uint64_t bytes, uint64_t *out) MUST_CHECK;
