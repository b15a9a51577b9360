/* lib/pci/window.c - a bridge's windows, and the first gap in one. */
#include "lib/pci/window.h"
#include "lib/base/bits.h"

enum { PAGE = 4096, WINDOW_64_BIT = 1 };
#define WINDOW_UNIT 0x100000ull

/* Base and limit, each 12 bits of a number of MiB. */
static struct pci_range window(uint32_t value, uint64_t base_high, uint64_t limit_high)
{
	uint64_t start = (uint64_t)(value >> 4 & 0xfff) * WINDOW_UNIT, last = (uint64_t)(value >> 20 & 0xfff) * WINDOW_UNIT;

	start |= base_high << 32;
	last |= limit_high << 32;
	return last < start ? (struct pci_range){ 0 } : (struct pci_range){ .start = start, .end = last + WINDOW_UNIT };
}

void pci_bridge_windows(const struct pci_host *h, struct pci_address bridge, struct pci_range *memory, struct pci_range *prefetch)
{
	uint32_t value = h->read(h->context, bridge, PCI_WINDOW_PREFETCH, 4);
	bool is_64_bit = (value & 0xf) == WINDOW_64_BIT;

	*memory = window(h->read(h->context, bridge, PCI_WINDOW_MEMORY, 4), 0, 0);
	*prefetch = window(value, is_64_bit ? h->read(h->context, bridge, PCI_WINDOW_PREFETCH + 4, 4) : 0,
	                   is_64_bit ? h->read(h->context, bridge, PCI_WINDOW_PREFETCH + 8, 4) : 0);
}

err_t pci_range_find(struct pci_range w, const struct pci_range *taken, uint32_t count, uint64_t bytes, uint64_t *out)
{
	uint64_t unit = MAX_OF(bytes, (uint64_t)PAGE), at = round_up(w.start, unit);

	for (uint32_t i = 0; i < count; i++) {
		if (at < w.start || at >= w.end || w.end - at < unit)
			return ERR_NOSPC;
		if (taken[i].start < at + unit && taken[i].end > at) {
			at = round_up(taken[i].end, unit);
			i = UINT32_MAX; /* from the first again */
		}
	}
	if (at < w.start || at >= w.end || w.end - at < unit)
		return ERR_NOSPC;
	*out = at;
	return OK;
}
