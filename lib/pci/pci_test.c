/* lib/pci/pci_test.c - what is read of good and of hostile functions, and what is done to them. */
#include "lib/pci/mock.h"
#include "lib/pci/window.h"
#include "lib/test/test.h"

static struct mock mock;
static struct pci_host host;
static struct pci_function f;

static struct mock_function *fresh(void)
{
	memset(&mock, 0, sizeof mock);
	host = mock_host(&mock);
	return mock_add(&mock, 0, 4, 0, 0x11e81234);
}

static err_t read_it(void) { return pci_read(&host, mock.f[0].address, &f); }

TEST(nobody_is_nobody)
{
	fresh();
	CHECK_EQ(pci_read(&host, (struct pci_address){ 0, 0, 5 << 3 }, &f), ERR_NODEV);
	mock_put(&mock.f[0], PCI_ID, 4, 0);
	CHECK_EQ(read_it(), ERR_NODEV);
}

TEST(a_header_is_read)
{
	struct mock_function *m = fresh();

	mock_put(m, PCI_CLASS, 4, 0x01080210);
	mock_put(m, PCI_SUBSYSTEM, 4, 0x11001af4);
	mock_put(m, PCI_LINE, 2, 0x010b);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.vendor, 0x1234);
	CHECK_EQ(f.device, 0x11e8);
	CHECK_EQ(f.class, 1);
	CHECK_EQ(f.subclass, 8);
	CHECK_EQ(f.interface, 2);
	CHECK_EQ(f.revision, 0x10);
	CHECK_EQ(f.subsystem, 0x1100);
	CHECK_EQ(f.line, 11);
}

TEST(bars_have_sizes_and_are_left_as_they_were)
{
	struct mock_function *m = fresh();

	mock_put(m, PCI_COMMAND, 2, 7);
	mock_bar(m, 0, 0xfe000000, 0x100000, 0);
	mock_bar(m, 1, 0xc000, 32, 1);
	mock_bar(m, 2, 0x380000000000, 1ull << 33, 12);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.bar[0].kind, DEVICE_BAR_MEMORY);
	CHECK_EQ(f.bar[0].address, 0xfe000000u);
	CHECK_EQ(f.bar[0].bytes, 0x100000u);
	CHECK_EQ(f.bar[1].kind, DEVICE_BAR_PORTS);
	CHECK_EQ(f.bar[1].address, 0xc000u);
	CHECK_EQ(f.bar[1].bytes, 32u);
	CHECK_EQ(f.bar[2].address, 0x380000000000u);
	CHECK_EQ(f.bar[2].bytes, 1ull << 33);
	CHECK(f.bar[2].is_64_bit && f.bar[2].is_prefetchable);
	CHECK_EQ(f.bar[3].kind, DEVICE_BAR_NONE);
	CHECK_EQ(f.bar[4].kind, DEVICE_BAR_NONE);
	CHECK_EQ(mock_get(m, PCI_BAR, 4), 0xfe000000u);
	CHECK_EQ(mock_get(m, PCI_BAR + 12, 4), 0x3800u);
	CHECK_EQ(mock_get(m, PCI_COMMAND, 2), 7u);
	CHECK(!m->answered_while_moving);
}

TEST(bars_that_make_no_sense_are_none)
{
	struct mock_function *m = fresh();

	mock_bar(m, 0, 0xfe001000, 0x100000, 0);        /* not where its size lets it be */
	mock_put(m, PCI_BAR + 4, 4, 0x1000);            /* of no size */
	mock_bar(m, 5, 0xfd000000, 0x1000, 4);          /* 64 bits without a second half */
	CHECK_EQ(read_it(), OK);
	for (int n = 0; n < DEVICE_BARS; n++)
		CHECK_EQ(f.bar[n].kind, DEVICE_BAR_NONE);
}

static void put_msix(struct mock_function *m, uint8_t at, uint32_t count, uint32_t table, uint32_t pending)
{
	m->config[at] = 0x11;
	mock_put(m, at + 2u, 2, count - 1);
	mock_can_write(m, at + 2u, 2, 0xc000);
	mock_put(m, at + 4u, 4, table);
	mock_put(m, at + 8u, 4, pending);
}

TEST(a_loop_of_capabilities_ends)
{
	struct mock_function *m = fresh();

	mock_list(m, 0x40);
	m->config[0x40] = 0x09, m->config[0x41] = 0x50;
	m->config[0x50] = 0x05, m->config[0x51] = 0x40;
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msi.at, 0x50);
	m->config[0x41] = 0x40;
	CHECK_EQ(read_it(), OK);
	m->config[0x41] = 0x08; /* into the header */
	CHECK_EQ(read_it(), OK);
}

TEST(a_capability_beyond_the_end_is_none)
{
	struct mock_function *m = fresh();

	mock_list(m, 0xfc);
	m->config[0xfc] = 0x05;
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msi.at, 0);
	m->config[0xfc] = 0x10;
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.express, 0);
}

TEST(the_msix_table_is_a_hole)
{
	struct mock_function *m = fresh();
	enum device_interrupt_kind kind;

	mock_list(m, 0x40);
	mock_bar(m, 0, 0xfe000000, 0x4000, 0);
	put_msix(m, 0x40, 65, 0x2000, 0x3000);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msix.count, 65);
	CHECK_EQ(pci_interrupt_count(&f, &kind), 65u);
	CHECK_EQ(kind, DEVICE_MSI_X);
	CHECK_EQ(pci_bar_hole(&f, 0).offset, 0x2000u);
	CHECK_EQ(pci_bar_hole(&f, 0).bytes, 0x2000u);
	CHECK_EQ(pci_bar_hole(&f, 1).bytes, 0u);
	mock_put(m, 0x48, 4, 0x800);    /* pending bits beside other registers */
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(pci_bar_hole(&f, 0).bytes, 0x1000u);
}

TEST(a_msix_table_outside_its_bar_is_none)
{
	struct mock_function *m = fresh();
	enum device_interrupt_kind kind;

	mock_list(m, 0x40);
	mock_bar(m, 0, 0xfe000000, 0x4000, 0);
	put_msix(m, 0x40, 65, 0x3c00, 0x3000);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msix.at, 0);
	put_msix(m, 0x40, 1, 7, 0);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msix.at, 0);
	put_msix(m, 0x40, 1, 3, 0);     /* a BAR that is not there */
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(f.msix.at, 0);
	CHECK_EQ(pci_interrupt_count(&f, &kind), 0u);
}

TEST(a_reset_waits_and_puts_the_bars_back)
{
	struct mock_function *m = fresh();

	mock_list(m, 0x40);
	mock_bar(m, 0, 0xfe000000, 0x4000, 0);
	mock_bar(m, 2, 0x380000000000, 0x10000, 12);
	m->config[0x40] = 0x10;
	mock_put(m, 0x44, 4, 1 << 28);
	mock_can_write(m, 0x48, 2, 0x7fff);
	mock_put(m, PCI_COMMAND, 2, 7);
	CHECK_EQ(read_it(), OK);
	CHECK_EQ(pci_reset(&host, &f), OK);
	CHECK_EQ(m->resets, 1u);
	CHECK(mock.waited_ns > 0);
	CHECK_EQ(mock_get(m, PCI_BAR, 4) & ~15u, 0xfe000000u);
	CHECK_EQ(mock_get(m, PCI_BAR + 12, 4), 0x3800u);
	CHECK_EQ(mock_get(m, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0u);
	m->gone_for = UINT32_MAX;
	CHECK_EQ(pci_reset(&host, &f), ERR_NODEV);
}

TEST(what_cannot_be_reset_is_stopped)
{
	struct mock_function *m = fresh();

	mock_list(m, 0x40);
	m->config[0x40] = 0x05, m->config[0x41] = 0x50;
	mock_can_write(m, 0x42, 2, 0x71);
	mock_bar(m, 0, 0xfe000000, 0x4000, 0);
	put_msix(m, 0x50, 4, 0, 0x1000);
	CHECK_EQ(read_it(), OK);
	mock_put(m, PCI_COMMAND, 2, 7);
	pci_msi_set(&host, &f, 0xfee00000, 0x70);
	pci_msix_enable(&host, &f);
	CHECK(mock_get(m, 0x42, 2) & 1);
	CHECK_EQ(mock_get(m, 0x52, 2) >> 14, 2u);
	CHECK_EQ(pci_reset(&host, &f), ERR_OPNOTSUPP);
	CHECK_EQ(mock_get(m, PCI_COMMAND, 2), 0x403u);
	CHECK_EQ(mock_get(m, 0x42, 2) & 1, 0u);
	CHECK_EQ(mock_get(m, 0x52, 2) >> 14, 1u);
}

static uint32_t seen;
static struct pci_function kept[MOCK_MAX];

static const struct pci_function *see(void *context, struct pci_address a)
{
	(void)context;
	CHECK(seen < MOCK_MAX);
	CHECK_EQ(pci_read(&host, a, &kept[seen]), OK);
	return &kept[seen++];
}

static void bridge(struct mock_function *m, uint8_t secondary, uint8_t last)
{
	m->config[PCI_HEADER_TYPE] = 1;
	mock_put(m, PCI_BUSES, 4, (uint32_t)last << 16 | (uint32_t)secondary << 8);
}

TEST(what_is_behind_bridges_is_found_once)
{
	fresh();
	bridge(mock_add(&mock, 0, 1, 0, 0x00081b36), 1, 2);
	bridge(mock_add(&mock, 0, 2, 0, 0x00081b36), 1, 2);     /* says it leads there too */
	bridge(mock_add(&mock, 1, 0, 0, 0x00081b36), 2, 2);
	bridge(mock_add(&mock, 2, 0, 0, 0x00081b36), 1, 2);     /* leads back */
	mock_add(&mock, 2, 3, 0, 0x10411af4)->config[PCI_HEADER_TYPE] = 0x80;
	mock_add(&mock, 2, 3, 5, 0x10421af4);
	mock_add(&mock, 2, 4, 1, 0x10431af4);                   /* function 1 without a function 0 is nobody */
	seen = 0;
	pci_enumerate(&host, 0, 0, see, NULL);
	CHECK_EQ(seen, 7u);
	CHECK_EQ(kept[6].device, 0x1042);
	CHECK_EQ(kept[4].secondary, 0);
}

TEST(addresses_are_read_and_written)
{
	struct pci_address a;
	char text[PCI_ADDRESS_TEXT];

	CHECK_EQ(pci_address_parse("0001:fe:1f.7", 12, &a), OK);
	CHECK_EQ(a.segment, 1);
	CHECK_EQ(a.bus, 0xfe);
	CHECK_EQ(a.slot_function, 0xff);
	pci_address_text(a, text);
	CHECK_STR(text, "0001:fe:1f.7");
	CHECK_EQ(pci_address_parse("0001:fe:20.0", 12, &a), ERR_INVAL);
	CHECK_EQ(pci_address_parse("0001:fe:1f.8", 12, &a), ERR_INVAL);
	CHECK_EQ(pci_address_parse("0001-fe:1f.0", 12, &a), ERR_INVAL);
	CHECK_EQ(pci_address_parse("0001:fe:1f.", 11, &a), ERR_INVAL);
}

TEST(a_bar_gets_a_gap_of_its_bridges_window)
{
	struct mock_function *m = fresh();
	struct pci_range memory, prefetch, taken[] = { { 0xfe200000, 0xfe201000 }, { 0xfe204000, 0xfe208000 }, { 0xfe201000, 0xfe202000 } };
	uint64_t at;

	mock_put(m, PCI_WINDOW_MEMORY, 4, 0xfe30fe20);
	mock_put(m, PCI_WINDOW_PREFETCH, 4, 0x00110001);
	mock_put(m, PCI_WINDOW_PREFETCH + 4, 4, 8);
	mock_put(m, PCI_WINDOW_PREFETCH + 8, 4, 8);
	pci_bridge_windows(&host, m->address, &memory, &prefetch);
	CHECK_EQ(memory.start, 0xfe200000u);
	CHECK_EQ(memory.end, 0xfe400000u);
	CHECK_EQ(prefetch.start, 0x800000000u);
	CHECK_EQ(prefetch.end, 0x800200000u);
	CHECK_EQ(pci_range_find(memory, taken, 3, 0x1000, &at), OK);
	CHECK_EQ(at, 0xfe202000u);
	CHECK_EQ(pci_range_find(memory, taken, 3, 0x4000, &at), OK);
	CHECK_EQ(at, 0xfe208000u);
	CHECK_EQ(pci_range_find(memory, taken, 3, 0x100000, &at), OK);
	CHECK_EQ(at, 0xfe300000u);
	CHECK_EQ(pci_range_find(memory, taken, 3, 0x200000, &at), ERR_NOSPC);
	mock_put(m, PCI_WINDOW_MEMORY, 4, 0x0000fff0);
	pci_bridge_windows(&host, m->address, &memory, &prefetch);
	CHECK_EQ(memory.end, 0u);
	CHECK_EQ(pci_range_find(memory, taken, 3, 0x1000, &at), ERR_NOSPC);
	CHECK_EQ(pci_range_find((struct pci_range){ UINT64_MAX - 0x1fff, UINT64_MAX }, NULL, 0, 0x4000, &at), ERR_NOSPC);
}
