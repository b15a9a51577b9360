/* lib/pci/pci_fuzz.c - functions whose configuration space is the input: 4 bytes (where, where, what, may it be written) each. */
#include "lib/pci/mock.h"
#include "lib/pci/window.h"

static struct pci_function kept[MOCK_MAX];
static uint32_t seen;

static const struct pci_function *see(void *context, struct pci_address a)
{
	if (seen == MOCK_MAX)
		abort();
	return pci_read(context, a, &kept[seen]) ? NULL : &kept[seen++];
}

static void check(const struct pci_function *f)
{
	enum device_interrupt_kind kind;

	for (uint32_t n = 0; n < DEVICE_BARS; n++) {
		const struct pci_bar *b = &f->bar[n];
		struct pci_hole hole = pci_bar_hole(f, n);
		if (b->kind && ((b->bytes & (b->bytes - 1)) || b->bytes == 0 || b->address % b->bytes))
			abort();
		if (hole.bytes && (b->kind != DEVICE_BAR_MEMORY || hole.offset >= b->bytes || hole.bytes % 4096 || hole.offset % 4096))
			abort();
	}
	if (pci_interrupt_count(f, &kind) > 2048)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mock m;
	struct pci_range memory, prefetch;
	struct pci_host h = mock_host(&m);

	memset(&m, 0, sizeof m);
	for (uint8_t i = 0; i < 4; i++) {
		struct mock_function *f = mock_add(&m, i / 2, i % 2, 0, 0x12341234u + i);
		mock_bar(f, 0, 0xfe000000, 0x4000, 0);
		mock_list(f, 0x40);
		f->config[0x40] = 0x11, f->config[0x41] = 0x50, f->config[0x50] = 0x10, f->config[0x51] = 0x90, f->config[0x90] = 0x05;
		f->config[PCI_HEADER_TYPE] = i == 1, f->config[PCI_BUSES + 1] = 1, f->config[PCI_BUSES + 2] = 1;
	}
	for (; size >= 4; data += 4, size -= 4) {
		m.f[data[1] & 3].config[data[0]] = data[2];
		m.f[data[1] & 3].writable[data[0]] = data[3];
	}
	seen = 0;
	pci_enumerate(&h, 0, 0, see, &h);
	for (uint32_t i = 0; i < seen; i++) {
		check(&kept[i]);
		pci_bridge_windows(&h, kept[i].address, &memory, &prefetch);
		(void)pci_reset(&h, &kept[i]);
		pci_msi_set(&h, &kept[i], 0xfee00000, 0x70);
		pci_msix_enable(&h, &kept[i]);
	}
	return 0;
}
