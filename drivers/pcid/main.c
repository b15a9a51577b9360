/* drivers/pcid/main.c - serves pci: (abi/proto/device.def).
 *
 * Handles: scheme, ready, log; state (struct bus: what is known outlives us); boot (sys:boot), phys (mem:phys), config (the two ports of
 * configuration space). Schemes: mem, irq, iommu.
 */
#include "abi/proto/dma.h"
#include "drivers/pcid/access.h"
#include "drivers/pcid/claim.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/state.h"
#include "lib/scheme/scheme.h"

#define LOOK_NS 500000000ull

enum open_kind { OPEN_ROOT, OPEN_FUNCTION, OPEN_CLAIM };

struct open {
	struct list_node link;          /* of roots, if it is one */
	enum open_kind kind;
	uint32_t index;                 /* of the function */
	uint64_t id;
};

/* Of one function that is claimed. */
struct holding {
	struct claim claim;
	struct server_watch faults;
};

static struct server server;
static struct scheme scheme;
static struct bus *bus;
static struct holding holdings[BUS_FUNCTIONS_MAX];
static struct list_node roots = LIST_INIT(roots);
static struct server_timer slots;

static void tell_events(void)
{
	struct open *o;

	list_each(o, &roots, link)
		if (o->id)
			scheme_notify(&scheme, o->id, bus->event_count ? READY_READ : 0, READY_READ);
}

/* ---- Claims ---- */

static void faults_came(struct server_watch *w, uint32_t found)
{
	struct holding *g = container_of(w, struct holding, faults);
	const struct bus_function *f = &bus->function[g - holdings];
	struct dma_fault fault[8];
	int64_t count = handle_call(w->handle, DMA_FAULTS, NULL, 0, fault, sizeof fault, 0);

	if (count < 0 && found & (READY_ERROR | READY_HANGUP | READY_INVALID))
		server_remove_watch(&server, w);
	for (int64_t i = 0; i < count; i++)
		bus_event(bus, DEVICE_FAULTED, f->pci.address, fault[i].address);
	tell_events();
}

static void holding_begin(uint32_t index, bool again)
{
	struct holding *g = &holdings[index];

	claim_begin(&g->claim, &bus->function[index], again);
	if (g->claim.domain != HANDLE_NONE)
		server_add_watch(&server, &g->faults, g->claim.domain, READY_PRIORITY, faults_came);
}

static void holding_end(uint32_t index)
{
	struct holding *g = &holdings[index];

	if (g->claim.domain != HANDLE_NONE)
		server_remove_watch(&server, &g->faults);
	bus_release(bus, access_host(), index);
	claim_end(&g->claim);
}

/* ---- Opening and closing ---- */

static struct open *open_new(enum open_kind kind, uint32_t index)
{
	struct open *o = heap_new(struct open);

	if (!o)
		return NULL;
	*o = (struct open){ .kind = kind, .index = index };
	if (kind == OPEN_ROOT)
		list_push_back(&roots, &o->link);
	return o;
}

static err_t open_claim(struct scheme_request *r, uint32_t index)
{
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	TRY(bus_claim(bus, access_host(), index, r->message->sender.pid));
	holding_begin(index, false);
	if (!(r->opened = open_new(OPEN_CLAIM, index)))
		holding_end(index);
	return r->opened ? OK : ERR_NOMEM;
}

static int64_t pci_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags UNUSED, uint32_t mode UNUSED)
{
	const struct open *at = r->open;
	struct pci_address a;
	uint32_t index;

	/* The list is ready when there are events. */
	r->reply_flags = REPLY_SEEKABLE | (at || ref_bytes ? 0 : REPLY_NOTIFIES);
	if (at && at->kind == OPEN_FUNCTION)
		return ref_bytes == 5 && memcmp(ref, "claim", 5) == 0 ? open_claim(r, at->index) : ERR_NOENT;
	if (at)
		return ERR_NOENT;
	if (ref_bytes == 0) {
		r->opened = open_new(OPEN_ROOT, BUS_NONE);
		return r->opened ? OK : ERR_NOMEM;
	}
	if (pci_address_parse(ref, ref_bytes, &a) || (index = bus_find(bus, a)) == BUS_NONE)
		return ERR_NOENT;
	r->opened = open_new(OPEN_FUNCTION, index);
	return r->opened ? OK : ERR_NOMEM;
}

/* Before the client has it: one killed between its answer and this would leave the client a number that the next instance does not know. */
static void pci_named(struct scheme *s UNUSED, void *open, uint64_t id)
{
	struct open *o = open;

	o->id = id;
	/* What cannot be remembered works as long as this instance does. */
	if (opens_add(&bus->opens, id, o->kind, o->index))
		print("pcid: too much is open to be remembered\n");
}

static void pci_opened(struct scheme *s UNUSED, void *open, uint64_t id UNUSED)
{
	const struct open *o = open;

	if (o->kind == OPEN_ROOT)
		tell_events();
}

static void pci_close(struct scheme *s UNUSED, void *open)
{
	struct open *o = open;

	opens_remove(&bus->opens, o->id);
	if (o->kind == OPEN_CLAIM)
		holding_end(o->index);
	if (o->kind == OPEN_ROOT)
		list_remove(&o->link);
	heap_delete(o);
	tell_events();
}

/* ---- Reading ---- */

static int64_t read_list(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char line[BUS_LINE_BYTES];
	size_t done = 0;
	uint64_t at = 0;

	bytes = MIN_OF(bytes, r->out_room);
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX && done < bytes; i++) {
		if (!bus->function[i].is_used || !bus->function[i].is_present)
			continue;
		size_t length = bus_line(bus, i, line), from = offset > at ? MIN_OF(offset - at, length) : 0, n = MIN_OF(length - from, bytes - done);

		memcpy(r->out + done, line + from, n);
		done += n;
		at += length;
	}
	return (int64_t)done;
}

static uint32_t config_bytes(const struct bus_function *f)
{
	struct device_info info;

	bus_info(bus, (uint32_t)(f - bus->function), access_host()->config_bytes, &info);
	return info.config_bytes;
}

/* By the widest accesses that fit, since some registers are of one piece. */
static int64_t read_config(struct scheme_request *r, const struct bus_function *f, size_t bytes, uint64_t offset)
{
	const struct pci_host *h = access_host();
	uint32_t length = config_bytes(f), done = 0;

	bytes = offset < length ? MIN_OF(MIN_OF(bytes, r->out_room), length - offset) : 0;
	while (done < bytes) {
		uint32_t at = (uint32_t)offset + done, left = (uint32_t)bytes - done;
		uint32_t width = at % 4 == 0 && left >= 4 ? 4 : at % 2 == 0 && left >= 2 ? 2 : 1;
		uint32_t value = f->is_present ? h->read(h->context, f->pci.address, at, width) : UINT32_MAX;

		memcpy(r->out + done, &value, width);
		done += width;
	}
	return (int64_t)bytes;
}

static int64_t pci_read_some(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	const struct open *o = r->open;

	return o->kind == OPEN_ROOT ? read_list(r, bytes, offset) : read_config(r, &bus->function[o->index], bytes, offset);
}

static int64_t pci_length(struct scheme_request *r)
{
	const struct open *o = r->open;

	return o->kind == OPEN_ROOT ? 0 : config_bytes(&bus->function[o->index]);
}

/* ---- Calls ---- */

static void scan(void)
{
	uint16_t segment;
	uint8_t first_bus;

	for (uint32_t i = 0; i < access_root_count(); i++) {
		access_root(i, &segment, &first_bus);
		bus_scan(bus, access_host(), segment, first_bus);
	}
}

static int64_t call_events(struct scheme_request *r)
{
	struct device_event events[64];

	uint32_t count = bus_take_events(bus, events, (uint32_t)MIN_OF(r->out_room / sizeof *events, ARRAY_COUNT(events)));
	TRY(scheme_out(r, events, count * sizeof *events));
	tell_events();
	return count;
}

static int64_t call_config(struct scheme_request *r, uint64_t way)
{
	const struct pci_host *h = access_host();
	struct device_config c;

	TRY(scheme_in_struct(r, &c, sizeof c));
	if ((c.bytes != 1 && c.bytes != 2 && c.bytes != 4) || c.offset % c.bytes || c.offset >= h->config_bytes || way > DEVICE_CONFIG_WRITE)
		return ERR_INVAL;
	struct pci_address a = { c.segment, c.bus, c.slot_function };
	uint32_t index = bus_find(bus, a);
	if (way == DEVICE_CONFIG_READ)
		return index == BUS_NONE ? UINT32_MAX >> (32 - c.bytes * 8) : h->read(h->context, a, c.offset, c.bytes);
	if (index == BUS_NONE)
		return OK;
	if (!bus_is_free_for_firmware(bus, index, c.offset, c.bytes))
		return ERR_PERM;
	h->write(h->context, a, c.offset, c.bytes, c.value);
	return OK;
}

static int64_t call_routes(struct scheme_request *r)
{
	static struct device_route routes[DEVICE_ROUTES_MAX];

	if (r->in_bytes > sizeof routes || r->in_bytes % sizeof *routes)
		return ERR_INVAL;
	TRY(scheme_in(r, 0, routes, r->in_bytes));
	return bus_set_routes(bus, access_host(), routes, (uint32_t)(r->in_bytes / sizeof *routes));
}

static int64_t call_look(struct scheme_request *r, uint64_t what)
{
	struct device_config c;

	TRY(scheme_in_struct(r, &c, sizeof c));
	if (what > DEVICE_LOOK_OUT)
		return ERR_INVAL;
	if (what == DEVICE_LOOK_OUT)
		bus_push_out(bus, access_host(), (struct pci_address){ c.segment, c.bus, c.slot_function });
	else
		scan();
	tell_events();
	return OK;
}

static int64_t call_root(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	switch (code) {
	case DEVICE_EVENTS:
		return call_events(r);
	case DEVICE_CONFIG:
		return call_config(r, word);
	case DEVICE_ROUTES:
		return call_routes(r);
	case DEVICE_LOOK:
		return call_look(r, word);
	default:
		return ERR_NOTTY;
	}
}

static int64_t call_info(struct scheme_request *r, uint32_t index)
{
	struct device_info info;

	bus_info(bus, index, access_host()->config_bytes, &info);
	return scheme_out(r, &info, sizeof info);
}

static int64_t call_registers(struct scheme_request *r, uint32_t index, uint64_t word)
{
	uint32_t bar = word & 0xff;
	struct device_registers registers;

	TRY(bus_bar_check(bus, index, bar));
	TRY(claim_registers(&bus->function[index], bar, (uint32_t)(word >> 8), &registers, &r->reply_handle));
	r->reply_flags = REPLY_HANDLE;
	return scheme_out(r, &registers, sizeof registers);
}

static int64_t call_interrupt(struct scheme_request *r, uint32_t index, uint64_t number)
{
	struct device_interrupt interrupt;

	if (number > UINT32_MAX)
		return ERR_NOENT;
	TRY(claim_interrupt(&holdings[index].claim, access_host(), &bus->function[index], (uint32_t)number, &interrupt, &r->reply_handle));
	r->reply_flags = REPLY_HANDLE;
	return scheme_out(r, &interrupt, sizeof interrupt);
}

static int64_t call_dma(struct scheme_request *r, uint32_t index)
{
	r->reply_flags = REPLY_HANDLE;
	return claim_domain(&holdings[index].claim, access_host(), &bus->function[index], &r->reply_handle);
}

static int64_t call_reset(uint32_t index)
{
	const struct pci_host *h = access_host();
	const struct bus_function *f = &bus->function[index];
	uint32_t command = h->read(h->context, f->pci.address, PCI_COMMAND, 2);
	err_t err = pci_reset(h, &f->pci);

	if (!err)
		pci_command(h, f->pci.address, 0, command & (PCI_COMMAND_MEMORY | PCI_COMMAND_PORTS | PCI_COMMAND_MASTER));
	return err;
}

static int64_t call_claim(struct scheme_request *r, uint32_t index, uint32_t code, uint64_t word)
{
	if (!bus->function[index].is_present)
		return ERR_NODEV;
	switch (code) {
	case DEVICE_REGISTERS:
		return call_registers(r, index, word);
	case DEVICE_INTERRUPT:
		return call_interrupt(r, index, word);
	case DEVICE_DMA:
		return call_dma(r, index);
	case DEVICE_RESET:
		return call_reset(index);
	default:
		return ERR_NOTTY;
	}
}

static int64_t pci_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	const struct open *o = r->open;

	if (o->kind == OPEN_ROOT)
		return call_root(r, code, word);
	if (code == DEVICE_INFO)
		return call_info(r, o->index);
	return o->kind == OPEN_CLAIM ? call_claim(r, o->index, code, word) : ERR_NOTTY;
}

static const struct scheme_ops pci_ops = {
	.open = pci_open, .named = pci_named, .opened = pci_opened, .close = pci_close, .read = pci_read_some, .length = pci_length, .call = pci_call,
};

/* ---- Coming and going ---- */

/* Slots are looked at now and then: people plug more slowly than that. The first time also tells what an instance before us did not. (The
 * kernel hears us only once we receive.) */
static void look_at_slots(struct server_timer *t)
{
	if (bus_look_at_slots(bus, access_host()))
		scan();
	tell_events();
	if (bus_has_slots(bus))
		server_timer_set(&server, t, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + LOOK_NS);
}

/* ---- Start ---- */

/* Without a state object: an ordinary one, and nothing outlives us. */
static err_t take_state(void)
{
	if (!(bus = state_map(sizeof *bus)))
		return ERR_NOMEM;
	if (!bus_is_sane(bus))
		bus_init(bus);
	return OK;
}

/* What an instance before us had opened goes on. */
static void adopt(void)
{
	bool is_held[BUS_FUNCTIONS_MAX] = { false };

	for (uint32_t i = 0; i < OPENS_MAX; i++) {
		const struct opens_entry *b = &bus->opens.entry[i];
		bool is_claim = b->kind == OPEN_CLAIM;
		struct open *o;

		if (!b->id || (b->kind != OPEN_ROOT && b->index >= BUS_FUNCTIONS_MAX))
			continue;
		if (!(o = open_new(b->kind, b->index)) || ids_adopt(&scheme.ids, b->id, o))
			continue;
		o->id = b->id;
		if (is_claim && bus->function[b->index].is_claimed && !is_held[b->index]) {
			is_held[b->index] = true;
			holding_begin(b->index, true);
		}
	}
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		if (bus->function[i].is_claimed && !is_held[i])
			holding_end(i);
}

static void reserve(void)
{
	enum { CONTROLLERS = 0xfec00000, CONTROLLERS_BYTES = 0x400000, BUS_BYTES = 1 << 20 };
	const struct acpi_info *a = access_acpi();

	bus_reserve(bus, CONTROLLERS, CONTROLLERS_BYTES);
	for (uint32_t i = 0; i < a->segment_count; i++)
		bus_reserve(bus, a->segment[i].address, ((uint64_t)a->segment[i].last_bus + 1) * BUS_BYTES);
}

int program_main(const struct startup *startup UNUSED)
{
	err_t err;

	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		holdings[i].claim = (struct claim){ .domain = HANDLE_NONE, .domain_error = ERR_NODEV };
	if ((err = take_state()) || (err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &pci_ops, NULL))) {
		print("pcid: cannot start: error %d\n", -err);
		return 1;
	}
	access_init();
	reserve();
	scan();
	adopt();
	server_timer_init(&slots, look_at_slots);
	server_timer_set(&server, &slots, 0);
	err = server_run(&server);
	print("pcid: ended with error %d\n", -err);
	return 1;
}
