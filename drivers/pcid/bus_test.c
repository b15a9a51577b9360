/* drivers/pcid/bus_test.c - the table of functions, with a bus that lies. */
#include "drivers/pcid/bus.h"
#include "lib/pci/mock.h"
#include "lib/test/test.h"

static struct bus bus;
static struct mock mock;
static struct pci_host host;

static void scan(void) { bus_scan(&bus, &host, 0, 0); }

/* A device with 16 KiB of registers at bus 0, slot 4. */
static struct mock_function *fresh(void)
{
	memset(&mock, 0, sizeof mock);
	host = mock_host(&mock);
	bus_init(&bus);
	bus_reserve(&bus, 0xfec00000, 0x400000);
	struct mock_function *f = mock_add(&mock, 0, 4, 0, 0x11e81234);
	mock_bar(f, 0, 0xfe000000, 0x4000, 0);
	return f;
}

static uint32_t at(uint8_t number, uint8_t slot) { return bus_find(&bus, (struct pci_address){ 0, number, (uint8_t)(slot << 3) }); }

static struct mock_function *bridge(uint8_t slot, uint8_t secondary)
{
	struct mock_function *f = mock_add(&mock, 0, slot, 0, 0x000c1b36);

	f->config[PCI_HEADER_TYPE] = 1;
	mock_put(f, PCI_BUSES, 4, (uint32_t)secondary << 16 | (uint32_t)secondary << 8);
	mock_put(f, PCI_WINDOW_MEMORY, 4, 0xfd10fd00);
	mock_put(f, PCI_WINDOW_PREFETCH, 4, 0x0000fff0);
	return f;
}

static uint32_t events(enum device_event_kind kind)
{
	struct device_event e[BUS_EVENTS_MAX];
	uint32_t n = bus_take_events(&bus, e, BUS_EVENTS_MAX), count = 0;

	for (uint32_t i = 0; i < n; i++)
		count += e[i].kind == (uint32_t)kind;
	return count;
}

TEST(who_is_there_comes_once)
{
	fresh();
	scan();
	CHECK_EQ(events(DEVICE_CAME), 1u);
	scan();
	CHECK_EQ(events(DEVICE_CAME), 0u);
	CHECK(at(0, 4) != BUS_NONE);
	CHECK_EQ(at(0, 5), BUS_NONE);
}

TEST(who_goes_is_told_and_so_is_what_was_behind)
{
	fresh();
	bridge(1, 1);
	mock_add(&mock, 1, 0, 0, 0x10411af4);
	scan();
	CHECK_EQ(events(DEVICE_CAME), 3u);
	mock_put(&mock.f[1], PCI_ID, 4, UINT32_MAX);
	scan();
	CHECK_EQ(events(DEVICE_WENT), 2u);
	CHECK_EQ(at(1, 0), BUS_NONE);
	CHECK(at(0, 4) != BUS_NONE);
}

TEST(another_in_its_place_is_another)
{
	struct mock_function *f = fresh();

	scan();
	CHECK_EQ(events(DEVICE_CAME), 1u);
	mock_put(f, PCI_ID, 4, 0x10421af4);
	scan();
	CHECK_EQ(bus.function[at(0, 4)].pci.device, 0x1042);
	CHECK_EQ(bus.event_count, 2u);
}

TEST(a_claim_is_exclusive_and_ends_with_a_stopped_function)
{
	struct mock_function *f = fresh();
	struct device_info info;

	scan();
	uint32_t n = at(0, 4);
	CHECK_EQ(bus_claim(&bus, &host, n, 77), OK);
	CHECK_EQ(bus_claim(&bus, &host, n, 78), ERR_BUSY);
	bus_info(&bus, n, DEVICE_CONFIG_BYTES, &info);
	CHECK_EQ(info.claimed_by, 77u);
	CHECK_EQ(info.config_bytes, 256u);
	CHECK_EQ(info.bar_bytes[0], 0x4000u);
	CHECK_EQ(mock_get(f, PCI_COMMAND, 2) & 7, PCI_COMMAND_MEMORY | PCI_COMMAND_PORTS);
	pci_command(&host, f->address, 0, PCI_COMMAND_MASTER);
	bus_release(&bus, &host, n);
	CHECK_EQ(mock_get(f, PCI_COMMAND, 2) & 7, 0u);
	CHECK_EQ(bus_claim(&bus, &host, n, 78), OK);
}

TEST(a_bridge_is_nobodys)
{
	fresh();
	bridge(1, 1);
	scan();
	CHECK_EQ(bus_claim(&bus, &host, at(0, 1), 77), ERR_PERM);
}

TEST(a_number_stays_while_it_is_claimed)
{
	struct mock_function *f = fresh();

	scan();
	uint32_t n = at(0, 4);
	CHECK_EQ(bus_claim(&bus, &host, n, 77), OK);
	mock_put(f, PCI_ID, 4, UINT32_MAX);
	scan();
	CHECK(bus.function[n].is_used && !bus.function[n].is_present);
	CHECK_EQ(bus_claim(&bus, &host, n, 78), ERR_NODEV);
	mock_put(f, PCI_ID, 4, 0x11e81234);
	scan();
	CHECK(at(0, 4) != n);
	bus_release(&bus, &host, n);
	CHECK(!bus.function[n].is_used);
}

TEST(a_bar_over_something_else_is_not_given)
{
	struct mock_function *f = fresh(), *g = mock_add(&mock, 0, 5, 0, 0x11e81234);

	mock_bar(f, 1, 0xfee00000, 0x1000, 0);          /* the interrupt controller */
	mock_bar(f, 2, 0xfd000000, 0x100, 0);
	mock_bar(f, 3, 0xfd001080, 0x80, 0);            /* not at the start of a page */
	mock_bar(f, 4, 0, 0x1000, 0);
	mock_bar(g, 0, 0xfe002000, 0x2000, 0);          /* within another's */
	mock_bar(g, 1, 0xfd000200, 0x100, 0);           /* on another's page */
	scan();
	uint32_t n = at(0, 4), m = at(0, 5);
	for (uint32_t bar = 0; bar < 4; bar++)
		CHECK_EQ(bus_bar_check(&bus, n, bar), ERR_BUSY);
	CHECK_EQ(bus_bar_check(&bus, n, 4), ERR_NOENT);
	CHECK_EQ(bus_bar_check(&bus, n, 5), ERR_NOENT);
	CHECK_EQ(bus_bar_check(&bus, n, UINT32_MAX), ERR_NOENT);
	CHECK_EQ(bus_bar_check(&bus, m, 0), ERR_BUSY);
	CHECK_EQ(bus_bar_check(&bus, m, 1), ERR_BUSY);
	mock_put(g, PCI_ID, 4, UINT32_MAX);
	scan();
	CHECK_EQ(bus_bar_check(&bus, n, 0), OK);
	CHECK_EQ(bus_bar_check(&bus, n, 2), OK);
}

TEST(who_came_without_addresses_gets_some_behind_its_bridge)
{
	fresh();
	bridge(1, 1);
	struct mock_function *f = mock_add(&mock, 1, 0, 0, 0x10411af4);
	mock_bar(f, 0, 0, 0x1000, 0);
	mock_bar(f, 4, 0, 0x4000, 12);
	scan();
	uint32_t n = at(1, 0);
	CHECK_EQ(bus_claim(&bus, &host, n, 77), OK);
	CHECK_EQ(bus.function[n].pci.bar[0].address, 0xfd000000u);
	CHECK_EQ(bus.function[n].pci.bar[4].address, 0xfd004000u);
	CHECK_EQ(mock_get(f, PCI_BAR, 4), 0xfd000000u);
	CHECK_EQ(mock_get(f, PCI_BAR + 16, 4) & ~15u, 0xfd004000u);
	CHECK_EQ(bus_bar_check(&bus, n, 4), OK);
}

/* A port with a slot whose status can be set and cleared as a port's. */
static struct mock_function *slot(void)
{
	struct mock_function *f = bridge(1, 1);

	mock_list(f, 0x40);
	f->config[0x40] = 0x10;
	mock_put(f, 0x42, 2, 1 << 8);
	mock_put(f, 0x54, 4, 1 << 6);
	mock_put(f, 0x58, 2, 0x700);
	mock_can_write(f, 0x58, 2, 0x7ff);
	return f;
}

TEST(who_is_plugged_in_gets_power_and_comes)
{
	fresh();
	struct mock_function *port = slot();
	scan();
	CHECK(bus_has_slots(&bus));
	CHECK(!bus_look_at_slots(&bus, &host));
	mock_put(port, 0x5a, 2, 0x49);
	mock_add(&mock, 1, 0, 0, 0x10411af4);
	CHECK(bus_look_at_slots(&bus, &host));
	CHECK_EQ(mock_get(port, 0x58, 2) & 0x700, 0x100u);
	(void)events(DEVICE_CAME);
	scan();
	CHECK_EQ(events(DEVICE_CAME), 1u);
}

TEST(who_wants_out_is_stopped_and_loses_power_until_he_was_out)
{
	fresh();
	struct mock_function *port = slot(), *f = mock_add(&mock, 1, 0, 0, 0x10411af4);
	mock_put(port, 0x5a, 2, 0x40);
	mock_put(f, PCI_COMMAND, 2, 7);
	scan();
	(void)events(DEVICE_CAME);
	mock_put(port, 0x5a, 2, 0x41);
	CHECK(!bus_look_at_slots(&bus, &host));
	CHECK_EQ(mock_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0u);
	CHECK_EQ(mock_get(port, 0x58, 2) & 0x700, 0x700u);
	CHECK_EQ(events(DEVICE_WENT), 1u);
	mock_put(port, 0x5a, 2, 0x40);
	CHECK(!bus_look_at_slots(&bus, &host));
	CHECK_EQ(at(1, 0), BUS_NONE);
}

TEST(who_was_torn_out_is_gone)
{
	fresh();
	struct mock_function *port = slot(), *f = mock_add(&mock, 1, 0, 0, 0x10411af4);
	mock_put(port, 0x5a, 2, 0x40);
	scan();
	CHECK_EQ(bus_claim(&bus, &host, at(1, 0), 7), OK);
	(void)events(DEVICE_CAME);
	mock_put(port, 0x5a, 2, 0x08);
	mock_put(f, PCI_ID, 4, UINT32_MAX);
	CHECK(!bus_look_at_slots(&bus, &host));
	CHECK_EQ(events(DEVICE_WENT), 1u);
	mock_put(port, 0x5a, 2, 0xffff);        /* and then the port too */
	CHECK(!bus_look_at_slots(&bus, &host));
}

TEST(whom_the_firmware_plugged_in_stays_though_the_port_says_that_it_is_empty)
{
	fresh();
	struct mock_function *port = slot(), *f;
	mock_put(port, 0x5a, 2, 0);
	scan();
	(void)events(DEVICE_CAME);
	f = mock_add(&mock, 1, 0, 0, 0x10411af4);
	scan();                                 /* as acpid tells */
	CHECK_EQ(events(DEVICE_CAME), 1u);
	CHECK(!bus_look_at_slots(&bus, &host));
	CHECK_EQ(events(DEVICE_WENT), 0u);
	mock_put(f, PCI_ID, 4, UINT32_MAX);
	CHECK(!bus_look_at_slots(&bus, &host));
	CHECK_EQ(events(DEVICE_WENT), 1u);
}

TEST(more_functions_than_fit_are_left_out)
{
	fresh();
	bus.function[0].is_used = false;
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		bus.function[i] = (struct bus_function){ .is_used = true, .is_present = true, .parent = BUS_NONE, .pci.address = { 7, 1, (uint8_t)i } };
	scan();
	CHECK_EQ(at(0, 4), BUS_NONE);
	CHECK_EQ(bus.event_count, 0u);
}

TEST(the_oldest_events_are_lost)
{
	struct device_event e[BUS_EVENTS_MAX];

	fresh();
	for (uint32_t i = 0; i < BUS_EVENTS_MAX + 10; i++)
		bus_event(&bus, DEVICE_FAULTED, (struct pci_address){ 0, 0, 0 }, i);
	CHECK_EQ(bus_take_events(&bus, e, 3), 3u);
	CHECK_EQ(e[0].address, 10u);
	CHECK_EQ(bus_take_events(&bus, e, BUS_EVENTS_MAX), BUS_EVENTS_MAX - 3u);
	CHECK_EQ(bus_take_events(&bus, e, BUS_EVENTS_MAX), 0u);
}

TEST(a_state_of_something_else_is_not_believed)
{
	fresh();
	CHECK(bus_is_sane(&bus));
	bus.event_first = BUS_EVENTS_MAX;
	CHECK(!bus_is_sane(&bus));
	memset(&bus, 0, sizeof bus);
	CHECK(!bus_is_sane(&bus));
}

/* ---- Interrupt pins ---- */

static void pin(struct mock_function *f, uint8_t line, uint8_t number) { mock_put(f, PCI_LINE, 2, (uint32_t)number << 8 | line); }
static uint8_t line_of(uint32_t index) { return bus.function[index].pci.line; }

TEST(a_pin_leads_where_the_firmware_says)
{
	struct device_route routes[] = { { .slot = 4, .pin = 2, .line = 21 }, { .slot = 4, .pin = 1, .line = 20 }, { .bus = 1, .slot = 4, .pin = 1, .line = 19 } };

	pin(fresh(), 11, 1);
	scan();
	CHECK_EQ(line_of(at(0, 4)), 11);
	mock_can_write(&mock.f[0], PCI_LINE, 1, 0xff);
	CHECK_EQ(bus_set_routes(&bus, &host, routes, 3), OK);
	CHECK_EQ(line_of(at(0, 4)), 20);
	CHECK_EQ(mock_get(&mock.f[0], PCI_LINE, 1), 20u);
}

TEST(who_comes_later_gets_its_line_even_one_that_the_firmware_left_without)
{
	struct device_route routes[] = { { .slot = 5, .pin = 3, .line = 22 } };

	fresh();
	scan();
	CHECK_EQ(bus_set_routes(&bus, &host, routes, 1), OK);
	pin(mock_add(&mock, 0, 5, 0, 0x11e81234), 0xff, 3);
	scan();
	CHECK_EQ(line_of(at(0, 5)), 22);
}

TEST(behind_a_bridge_pins_are_turned_by_the_slot)
{
	struct device_route routes[] = { { .slot = 1, .pin = 1, .line = 16 }, { .slot = 1, .pin = 2, .line = 17 }, { .slot = 1, .pin = 4, .line = 19 } };

	fresh();
	bridge(1, 1);
	pin(mock_add(&mock, 1, 0, 0, 0x10411af4), 11, 1);
	pin(mock_add(&mock, 1, 3, 0, 0x10411af4), 11, 1);
	pin(mock_add(&mock, 1, 2, 0, 0x10411af4), 11, 4);
	pin(mock_add(&mock, 1, 1, 0, 0x10411af4), 11, 2);
	scan();
	CHECK_EQ(bus_set_routes(&bus, &host, routes, 3), OK);
	CHECK_EQ(line_of(at(1, 0)), 16);
	CHECK_EQ(line_of(at(1, 3)), 19);
	CHECK_EQ(line_of(at(1, 2)), 17);
	CHECK_EQ(line_of(at(1, 1)), 11);
}

TEST(a_bridge_with_a_table_of_its_own_goes_by_that)
{
	struct device_route routes[] = { { .slot = 1, .pin = 1, .line = 16 }, { .bus = 1, .slot = 0, .pin = 1, .line = 23 } };

	fresh();
	bridge(1, 1);
	pin(mock_add(&mock, 1, 0, 0, 0x10411af4), 11, 1);
	scan();
	CHECK_EQ(bus_set_routes(&bus, &host, routes, 2), OK);
	CHECK_EQ(line_of(at(1, 0)), 23);
}

TEST(routes_that_make_no_sense_change_nothing)
{
	static struct device_route many[DEVICE_ROUTES_MAX + 1];
	struct device_route good = { .slot = 4, .pin = 1, .line = 20 };
	struct device_route bad[] = { { .slot = 32, .pin = 1, .line = 20 }, { .slot = 4, .pin = 0, .line = 20 }, { .slot = 4, .pin = 5, .line = 20 },
	                              { .slot = 4, .pin = 1, .line = 0 }, { .slot = 4, .pin = 1, .line = 256 } };

	pin(fresh(), 11, 1);
	scan();
	CHECK_EQ(bus_set_routes(&bus, &host, &good, 1), OK);
	for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_EQ(bus_set_routes(&bus, &host, &bad[i], 1), ERR_INVAL);
	CHECK_EQ(bus_set_routes(&bus, &host, many, DEVICE_ROUTES_MAX + 1), ERR_NOSPC);
	CHECK_EQ(line_of(at(0, 4)), 20);
	CHECK_EQ(bus.route_count, 1u);
}

TEST(a_function_without_pin_has_no_line)
{
	struct device_route routes[] = { { .slot = 4, .pin = 1, .line = 20 } };

	pin(fresh(), 11, 9);
	scan();
	CHECK_EQ(bus_set_routes(&bus, &host, routes, 1), OK);
	CHECK_EQ(bus.function[at(0, 4)].pci.pin, 0);
	CHECK_EQ(line_of(at(0, 4)), 11);
}

TEST(the_firmware_writes_neither_headers_nor_messages)
{
	struct mock_function *f = fresh();

	f->config[PCI_STATUS] = 0x10;
	f->config[PCI_CAPABILITIES] = 0x50;
	mock_put(f, 0x50, 4, 0x00806005);
	mock_put(f, 0x60, 4, 0x00000011);
	scan();
	uint32_t i = at(0, 4);
	CHECK_EQ(bus.function[i].pci.msi.at, 0x50);
	CHECK_EQ(bus.function[i].pci.msix.at, 0x60);
	CHECK(!bus_is_free_for_firmware(&bus, i, 0x10, 4));
	CHECK(!bus_is_free_for_firmware(&bus, i, 0x3c, 4));
	CHECK(bus_is_free_for_firmware(&bus, i, 0x40, 4));
	CHECK(bus_is_free_for_firmware(&bus, i, 0x4c, 4));
	CHECK(!bus_is_free_for_firmware(&bus, i, 0x4e, 4));
	CHECK(!bus_is_free_for_firmware(&bus, i, 0x64, 1));
	CHECK(!bus_is_free_for_firmware(&bus, i, 0x6b, 1));
	CHECK(bus_is_free_for_firmware(&bus, i, 0x6c, 4));
}

TEST(who_is_pushed_out_takes_its_slot_and_what_is_behind_along)
{
	fresh()->config[PCI_HEADER_TYPE] = 0x80;
	mock_add(&mock, 0, 4, 1, 0x11e81234);
	bridge(5, 1);
	mock_add(&mock, 1, 0, 0, 0x10411af4);
	scan();
	events(DEVICE_CAME);
	bus_push_out(&bus, &host, (struct pci_address){ 0, 0, 4 << 3 });
	CHECK_EQ(events(DEVICE_WENT), 2u);
	CHECK(at(0, 5) != BUS_NONE);
	bus_push_out(&bus, &host, (struct pci_address){ 0, 0, 5 << 3 });
	CHECK_EQ(events(DEVICE_WENT), 2u);
	CHECK_EQ(at(1, 0), BUS_NONE);
	bus_push_out(&bus, &host, (struct pci_address){ 0, 7, 0 });
	CHECK_EQ(events(DEVICE_WENT), 0u);
}
