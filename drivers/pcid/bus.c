/* drivers/pcid/bus.c - the table of functions. */
#include "drivers/pcid/bus.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

#define BUS_MAGIC 0x3173756269637063ull
enum { PAGE = 4096 };

void bus_init(struct bus *b)
{
	memset(b, 0, sizeof *b);
	b->magic = BUS_MAGIC;
	b->bytes = sizeof *b;
}

bool bus_is_sane(const struct bus *b)
{
	return b->magic == BUS_MAGIC && b->bytes == sizeof *b && b->event_first < BUS_EVENTS_MAX && b->event_count <= BUS_EVENTS_MAX &&
	       b->reserved_count <= BUS_RESERVED_MAX && b->route_count <= DEVICE_ROUTES_MAX;
}

void bus_reserve(struct bus *b, uint64_t start, uint64_t bytes)
{
	for (uint32_t i = 0; i < b->reserved_count; i++)
		if (b->reserved[i].start == start)
			return;
	if (b->reserved_count < BUS_RESERVED_MAX && bytes <= UINT64_MAX - start)
		b->reserved[b->reserved_count++] = (struct pci_range){ .start = start, .end = start + bytes };
}

/* ---- Events ---- */

void bus_event(struct bus *b, enum device_event_kind kind, struct pci_address a, uint64_t address)
{
	/* Nobody listens: the oldest is lost. */
	if (b->event_count == BUS_EVENTS_MAX) {
		b->event_first = (b->event_first + 1) % BUS_EVENTS_MAX;
		b->event_count--;
	}
	b->event[(b->event_first + b->event_count++) % BUS_EVENTS_MAX] = (struct device_event){
		.kind = kind, .segment = a.segment, .bus = a.bus, .slot_function = a.slot_function, .address = address,
	};
}

uint32_t bus_take_events(struct bus *b, struct device_event *out, uint32_t max)
{
	uint32_t count = MIN_OF(b->event_count, max);

	for (uint32_t i = 0; i < count; i++)
		out[i] = b->event[(b->event_first + i) % BUS_EVENTS_MAX];
	b->event_first = (b->event_first + count) % BUS_EVENTS_MAX;
	b->event_count -= count;
	return count;
}

/* ---- Interrupt pins ---- */

static const struct device_route *find_route(const struct bus *b, struct pci_address a, uint32_t pin)
{
	for (uint32_t i = 0; i < b->route_count; i++) {
		const struct device_route *r = &b->route[i];

		if (r->segment == a.segment && r->bus == a.bus && r->slot == a.slot_function >> 3 && r->pin == pin)
			return r;
	}
	return NULL;
}

/* A bridge that the firmware says nothing of passes pins on to its own, each slot's turned by one more (PCI-to-PCI Bridge Architecture, 9.1). */
static void route(const struct bus *b, const struct pci_host *h, struct bus_function *f)
{
	const struct bus_function *at = f;
	const struct device_route *r = NULL;
	uint32_t pin = f->pci.pin;

	for (uint32_t step = 0; pin && step < BUS_FUNCTIONS_MAX && !(r = find_route(b, at->pci.address, pin)) && at->parent != BUS_NONE; step++) {
		pin = (pin - 1 + (at->pci.address.slot_function >> 3)) % PCI_PINS + 1;
		at = &b->function[at->parent];
	}
	if (!r)
		return;
	f->pci.line = (uint8_t)r->line;
	h->write(h->context, f->pci.address, PCI_LINE, 1, r->line);
}

err_t bus_set_routes(struct bus *b, const struct pci_host *h, const struct device_route *routes, uint32_t count)
{
	if (count > DEVICE_ROUTES_MAX)
		return ERR_NOSPC;
	for (uint32_t i = 0; i < count; i++)
		if (routes[i].slot >= 32 || routes[i].pin < 1 || routes[i].pin > PCI_PINS || !routes[i].line || routes[i].line > UINT8_MAX)
			return ERR_INVAL;
	memcpy(b->route, routes, count * sizeof *routes);
	b->route_count = count;
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		if (b->function[i].is_used && b->function[i].is_present)
			route(b, h, &b->function[i]);
	return OK;
}

bool bus_is_free_for_firmware(const struct bus *b, uint32_t index, uint32_t offset, uint32_t bytes)
{
	const uint32_t header_bytes = 0x40, msi_bytes = 24, msix_bytes = 12;
	const struct pci_function *p = &b->function[index].pci;
	uint32_t end = offset + bytes;

	return offset >= header_bytes && (!p->msi.at || end <= p->msi.at || offset >= p->msi.at + msi_bytes) &&
	       (!p->msix.at || end <= p->msix.at || offset >= p->msix.at + msix_bytes);
}

/* ---- Who is there ---- */

uint32_t bus_find(const struct bus *b, struct pci_address a)
{
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		if (b->function[i].is_used && b->function[i].is_present && pci_address_is(b->function[i].pci.address, a))
			return i;
	return BUS_NONE;
}

static uint32_t find_bridge(const struct bus *b, struct pci_address a)
{
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++) {
		const struct bus_function *f = &b->function[i];

		if (f->is_used && f->is_present && f->pci.secondary == a.bus && a.bus && f->pci.address.segment == a.segment)
			return i;
	}
	return BUS_NONE;
}

void bus_lose(struct bus *b, uint32_t index)
{
	struct bus_function *f = &b->function[index];

	if (!f->is_used || !f->is_present)
		return;
	f->is_present = false;
	f->is_used = f->is_claimed;
	bus_event(b, DEVICE_WENT, f->pci.address, 0);
	if (f->pci.secondary)
		for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
			if (b->function[i].is_used && b->function[i].parent == index)
				bus_lose(b, i);
}

static void add(struct bus *b, const struct pci_host *h, struct pci_address a)
{
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++) {
		struct bus_function *f = &b->function[i];

		if (f->is_used)
			continue;
		*f = (struct bus_function){ .parent = find_bridge(b, a) };
		if (pci_read(h, a, &f->pci))
			return;
		f->is_used = f->is_present = true;
		route(b, h, f);
		bus_event(b, DEVICE_CAME, a, 0);
		return;
	}
}

struct scan {
	struct bus *bus;
	const struct pci_host *host;
	bool seen[BUS_FUNCTIONS_MAX];
};

static const struct pci_function *found(void *context, struct pci_address a)
{
	struct scan *s = context;
	uint32_t i = bus_find(s->bus, a), id = s->host->read(s->host->context, a, PCI_ID, 4);

	if (i != BUS_NONE && (s->bus->function[i].pci.vendor | (uint32_t)s->bus->function[i].pci.device << 16) != id) {
		bus_lose(s->bus, i);
		i = BUS_NONE;
	}
	if (i == BUS_NONE)
		add(s->bus, s->host, a);
	if ((i = bus_find(s->bus, a)) == BUS_NONE)
		return NULL;
	s->seen[i] = true;
	return &s->bus->function[i].pci;
}

void bus_scan(struct bus *b, const struct pci_host *h, uint16_t segment, uint8_t first_bus)
{
	struct scan s = { .bus = b, .host = h };

	pci_enumerate(h, segment, first_bus, found, &s);
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++) {
		struct bus_function *f = &b->function[i];
		/* Of this root's tree: what is behind a bridge of it, or on its first bus. */
		uint32_t top = i;

		for (uint32_t step = 0; step < BUS_FUNCTIONS_MAX && b->function[top].parent != BUS_NONE; step++)
			top = b->function[top].parent;
		if (f->is_used && f->is_present && !s.seen[i] && f->pci.address.segment == segment && b->function[top].pci.address.bus == first_bus)
			bus_lose(b, i);
	}
}

/* ---- Slots ---- */

static bool is_port(const struct bus_function *f) { return f->is_used && f->is_present && f->pci.has_slot && f->pci.secondary; }

bool bus_has_slots(const struct bus *b)
{
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		if (is_port(&b->function[i]))
			return true;
	return false;
}

/* Who is right behind this port: those from index first on. */
static uint32_t next_behind(const struct bus *b, uint32_t port, uint32_t first)
{
	while (first < BUS_FUNCTIONS_MAX &&
	       !(b->function[first].is_used && b->function[first].is_present && b->function[first].parent == port))
		first++;
	return first;
}

static void lose_all_behind(struct bus *b, const struct pci_host *h, uint32_t port, bool stop)
{
	for (uint32_t i = next_behind(b, port, 0); i < BUS_FUNCTIONS_MAX; i = next_behind(b, port, i + 1)) {
		if (stop)
			pci_stop(h, &b->function[i].pci);
		bus_lose(b, i);
	}
}

/* Does anybody behind this port still answer? Of a slot that the firmware manages (ACPI) the port's own status says nothing. */
static bool is_answered_behind(const struct bus *b, const struct pci_host *h, uint32_t port)
{
	for (uint32_t i = next_behind(b, port, 0); i < BUS_FUNCTIONS_MAX; i = next_behind(b, port, i + 1)) {
		const struct pci_function *p = &b->function[i].pci;

		if (h->read(h->context, p->address, PCI_ID, 4) == (p->vendor | (uint32_t)p->device << 16))
			return true;
	}
	return false;
}

bool bus_look_at_slots(struct bus *b, const struct pci_host *h)
{
	bool came = false;

	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++) {
		if (!is_port(&b->function[i]))
			continue;
		enum pci_slot_news news = pci_slot_look(h, &b->function[i].pci, next_behind(b, i, 0) < BUS_FUNCTIONS_MAX);

		came |= news == PCI_SLOT_CAME;
		if (news == PCI_SLOT_WENT && is_answered_behind(b, h, i))
			continue;
		if (news == PCI_SLOT_WENT || news == PCI_SLOT_WANTS_OUT)
			lose_all_behind(b, h, i, news == PCI_SLOT_WANTS_OUT);
		if (news == PCI_SLOT_WANTS_OUT)
			pci_slot_off(h, &b->function[i].pci);
	}
	return came;
}

void bus_push_out(struct bus *b, const struct pci_host *h, struct pci_address a)
{
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++) {
		const struct bus_function *f = &b->function[i];
		struct pci_address at = f->pci.address;

		if (!f->is_used || !f->is_present || at.segment != a.segment || at.bus != a.bus || at.slot_function >> 3 != a.slot_function >> 3)
			continue;
		if (f->pci.secondary)
			lose_all_behind(b, h, i, true);
		pci_stop(h, &f->pci);
		bus_lose(b, i);
	}
}

/* ---- Addresses ---- */

/* All ranges that are spoken for, but for those of this function's BARs without address. */
static uint32_t collect_taken(const struct bus *b, struct pci_range *out, uint32_t max)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->reserved_count && count < max; i++)
		out[count++] = b->reserved[i];
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		for (uint32_t n = 0; n < DEVICE_BARS && b->function[i].is_used && b->function[i].is_present && count < max; n++) {
			const struct pci_bar *bar = &b->function[i].pci.bar[n];

			if (bar->kind == DEVICE_BAR_MEMORY && bar->address)
				out[count++] = (struct pci_range){ round_down(bar->address, PAGE), round_up(bar->address + bar->bytes, PAGE) };
		}
	return count;
}

/* Behind a bridge only: what the root buses can use nobody has told us, and the firmware has seen to them. */
static void assign(const struct bus *b, const struct pci_host *h, struct bus_function *f)
{
	static struct pci_range taken[BUS_FUNCTIONS_MAX * DEVICE_BARS + BUS_RESERVED_MAX];
	struct pci_range memory, prefetch;

	if (f->parent == BUS_NONE)
		return;
	pci_bridge_windows(h, b->function[f->parent].pci.address, &memory, &prefetch);
	for (uint32_t n = 0; n < DEVICE_BARS; n++) {
		struct pci_bar *bar = &f->pci.bar[n];
		uint32_t count = collect_taken(b, taken, ARRAY_COUNT(taken));

		if (bar->kind != DEVICE_BAR_MEMORY || bar->address)
			continue;
		if (!(bar->is_prefetchable && bar->is_64_bit && pci_range_find(prefetch, taken, count, bar->bytes, &bar->address) == OK) &&
		    pci_range_find(memory, taken, count, bar->bytes, &bar->address))
			bar->address = 0;
		if (bar->address)
			pci_write_bar(h, &f->pci, n);
	}
}

err_t bus_bar_check(const struct bus *b, uint32_t index, uint32_t n)
{
	const struct pci_bar *bar = n < DEVICE_BARS ? &b->function[index].pci.bar[n] : NULL;

	if (!bar || bar->kind == DEVICE_BAR_NONE || !bar->address)
		return ERR_NOENT;
	bool is_memory = bar->kind == DEVICE_BAR_MEMORY;
	uint64_t start = is_memory ? round_down(bar->address, PAGE) : bar->address, end = bar->address + bar->bytes;
	end = is_memory ? round_up(end, PAGE) : end;
	for (uint32_t i = 0; i < b->reserved_count && is_memory; i++)
		if (b->reserved[i].start < end && b->reserved[i].end > start)
			return ERR_BUSY;
	for (uint32_t i = 0; i < BUS_FUNCTIONS_MAX; i++)
		for (uint32_t m = 0; m < DEVICE_BARS && b->function[i].is_used && b->function[i].is_present; m++) {
			const struct pci_bar *other = &b->function[i].pci.bar[m];

			if (other != bar && other->kind == bar->kind && other->address && other->address < end && other->address + other->bytes > start)
				return ERR_BUSY;
		}
	return start == bar->address ? OK : ERR_BUSY;
}

/* ---- Claims ---- */

err_t bus_claim(struct bus *b, const struct pci_host *h, uint32_t index, uint32_t pid)
{
	struct bus_function *f = &b->function[index];

	if (!f->is_present)
		return ERR_NODEV;
	if (f->is_claimed)
		return ERR_BUSY;
	/* Bridges are ours, and a virtio IOMMU is iommud's. */
	if (f->pci.header_type != 0 || (f->pci.vendor == 0x1af4 && f->pci.device == 0x1057))
		return ERR_PERM;
	assign(b, h, f);
	pci_command(h, f->pci.address, PCI_COMMAND_MASTER, PCI_COMMAND_MEMORY | PCI_COMMAND_PORTS);
	f->is_claimed = true;
	f->claimed_by = pid;
	return OK;
}

void bus_release(struct bus *b, const struct pci_host *h, uint32_t index)
{
	struct bus_function *f = &b->function[index];

	if (!f->is_claimed)
		return;
	if (f->is_present && pci_reset(h, &f->pci) == ERR_NODEV)
		bus_lose(b, index);
	if (f->is_present)
		pci_command(h, f->pci.address, PCI_COMMAND_MEMORY | PCI_COMMAND_PORTS | PCI_COMMAND_MASTER, 0);
	f->is_claimed = f->is_isolated = false;
	f->claimed_by = 0;
	f->is_used = f->is_present;
}

/* ---- What is told ---- */

void bus_info(const struct bus *b, uint32_t index, uint32_t config_bytes, struct device_info *out)
{
	const struct bus_function *f = &b->function[index];
	const struct pci_function *p = &f->pci;
	enum device_interrupt_kind kind;

	*out = (struct device_info){
		.segment = p->address.segment, .bus = p->address.bus, .slot = p->address.slot_function >> 3, .function = p->address.slot_function & 7,
		.header_type = p->header_type, .vendor = p->vendor, .device = p->device, .subsystem_vendor = p->subsystem_vendor, .subsystem = p->subsystem,
		.class = p->class, .subclass = p->subclass, .interface = p->interface, .revision = p->revision,
		.interrupts = (uint16_t)pci_interrupt_count(p, &kind), .config_bytes = p->express ? config_bytes : MIN_OF(config_bytes, 256u),
		.is_isolated = f->is_isolated, .claimed_by = f->claimed_by,
	};
	for (uint32_t n = 0; n < DEVICE_BARS; n++) {
		out->bar_kind[n] = p->bar[n].kind;
		out->bar_bytes[n] = p->bar[n].bytes;
	}
}

size_t bus_line(const struct bus *b, uint32_t index, char to[BUS_LINE_BYTES])
{
	const struct bus_function *f = &b->function[index];
	char address[PCI_ADDRESS_TEXT], by[24] = "";

	pci_address_text(f->pci.address, address);
	if (f->is_claimed)
		(void)fmt(by, sizeof by, " pid %u%s", f->claimed_by, f->is_isolated ? " isolated" : "");
	return fmt(to, BUS_LINE_BYTES, "%s %02x%02x.%02x %04x:%04x rev %02x%s%s\n", address, f->pci.class, f->pci.subclass, f->pci.interface,
	           f->pci.vendor, f->pci.device, f->pci.revision, f->pci.header_type == 1 ? " bridge" : "", by);
}
