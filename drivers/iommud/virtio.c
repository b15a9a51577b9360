/* drivers/iommud/virtio.c - virtio's IOMMU (VIRTIO 1.2, 5.13): translation by requests, faults as events. Interrupts are not remapped.
 *
 * It is a PCI function, found by the VIOT table and driven here, through configuration space in memory: pcid leaves it alone. What it needs in memory is one
 * page of the tables, which outlives us, so that the next instance goes on without a reset: domains and mappings live in the device.
 * Requests go one at a time. A function that is not attached reaches nothing (bypass is off).
 */
#include "abi/ops.h"
#include "drivers/iommud/backend.h"
#include "drivers/iommud/machine.h"
#include "drivers/iommud/ring.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/driver/mmio.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/virtio/registers.h"
#include "lib/virtio/virtio.h"

#define FEATURE_INPUT_RANGE (1ull << 0)
#define FEATURE_DOMAIN_RANGE (1ull << 1)
#define FEATURE_MAP (1ull << 2)
#define FEATURE_BYPASS_CONFIG (1ull << 6)
enum { CONFIG_PAGES = 0, CONFIG_INPUT_START = 8, CONFIG_INPUT_END = 16, CONFIG_DOMAIN_START = 24, CONFIG_DOMAIN_END = 28, CONFIG_BYPASS = 36 };
enum { TYPE_ATTACH = 1, TYPE_DETACH = 2, TYPE_MAP = 3, TYPE_UNMAP = 4 };
enum { STATUS_FINE = 0, STATUS_NO_ENTRY = 6, STATUS_NO_MEMORY = 8 };
enum { MAP_MAY_READ = 1, MAP_MAY_WRITE = 2, FAULT_TO_READ = 1, FAULT_TO_WRITE = 2, FAULT_HAS_ADDRESS = 1 << 8 };
enum { EVENT_VECTOR = 0, CONFIG_SPACE = 4096 };
#define PATIENCE_NS 10000000000ull
#define LOOK_NS 50000000ull             /* how often faults are looked for */
#define PLACES_END 0x4000000000ull      /* what main.c takes addresses from */

struct attach { uint8_t type, reserved[3]; uint32_t domain, endpoint, flags, reserved_too; };
struct change { uint8_t type, reserved[3]; uint32_t domain; uint64_t first, last; };

static struct {
	struct domains *domains;
	struct tables *tables;
	struct acpi_viot viot;
	struct acpi_info acpi;
	struct pci_function function;
	struct device device;
	struct virtio virtio;
	struct ring requests, events;
	volatile uint8_t *page;
	uint32_t first_domain;
	bool is_dead;
	handle_t irq;
} iommu = { .irq = HANDLE_NONE };

/* ---- Configuration space, and what lib/virtio asks of a device --------------------------------------------------------- */

static volatile uint8_t *config_at(struct pci_address a)
{
	static volatile uint8_t *mapped;
	static struct pci_address where;

	if (mapped && pci_address_is(a, where))
		return mapped;
	for (uint32_t i = 0; i < iommu.acpi.segment_count; i++)
		if (iommu.acpi.segment[i].segment == a.segment && a.bus >= iommu.acpi.segment[i].first_bus && a.bus <= iommu.acpi.segment[i].last_bus) {
			where = a;
			return mapped = machine_map(iommu.acpi.segment[i].address + ((uint64_t)(a.bus - iommu.acpi.segment[i].first_bus) << 20 | (uint64_t)a.slot_function << 12), CONFIG_SPACE);
		}
	return NULL;
}

static uint32_t config_read(void *context UNUSED, struct pci_address a, uint32_t offset, uint32_t bytes)
{
	volatile uint8_t *at = config_at(a);

	if (!at || offset + bytes > CONFIG_SPACE)
		return UINT32_MAX;
	return bytes == 1 ? mmio_read8(at + offset) : bytes == 2 ? mmio_read16(at + offset) : mmio_read32(at + offset);
}

static void config_write(void *context UNUSED, struct pci_address a, uint32_t offset, uint32_t bytes, uint32_t value)
{
	volatile uint8_t *at = config_at(a);

	if (!at || offset + bytes > CONFIG_SPACE)
		return;
	if (bytes == 1)
		mmio_write8(at + offset, (uint8_t)value);
	else if (bytes == 2)
		mmio_write16(at + offset, (uint16_t)value);
	else
		mmio_write32(at + offset, value);
}

static void config_wait(void *context UNUSED, uint64_t ns) { (void)!sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + ns); }

static const struct pci_host host = { .read = config_read, .write = config_write, .wait = config_wait, .config_bytes = CONFIG_SPACE };

err_t device_config(struct device *d UNUSED, uint32_t offset, uint32_t bytes, uint32_t *out)
{
	*out = config_read(NULL, iommu.function.address, offset, bytes);
	return offset + bytes > CONFIG_SPACE ? ERR_INVAL : OK;
}

err_t device_map_bar(struct device *d UNUSED, uint32_t bar, struct device_bar *out)
{
	const struct pci_bar *b = bar < DEVICE_BARS ? &iommu.function.bar[bar] : NULL;

	if (!b || b->kind != DEVICE_BAR_MEMORY || !b->address)
		return ERR_NOENT;
	*out = (struct device_bar){ .at = machine_map(b->address, b->bytes), .ports = HANDLE_NONE, .bytes = b->bytes };
	return out->at ? OK : ERR_NOMEM;
}

/* ---- Requests ---------------------------------------------------------------------------------------------------------- */

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }

/* Until the device has done all that it was asked. The doorbell again: pcid may have had the registers off while it looked at them. */
static bool wait_done(void)
{
	uint64_t end = now() + PATIENCE_NS;

	for (uint32_t polls = 0; !ring_is_done(&iommu.requests); polls++) {
		if (polls % 1024 != 1023)
			continue;
		ring_kick(&iommu.requests);
		(void)!sys_sleep(0, HANDLE_NONE, now() + 100000);
		if (now() > end) {
			if (!iommu.is_dead)
				print("iommud: the IOMMU does not answer\n");
			iommu.is_dead = true;
			return false;
		}
	}
	return true;
}

/* The device's status, or -1: it does not answer. */
static int request(const void *q, size_t bytes)
{
	if (iommu.is_dead)
		return -1;
	ring_request(&iommu.requests, q, bytes);
	return wait_done() ? ring_status(&iommu.requests) : -1;
}

static err_t status_error(int status)
{
	return status == STATUS_FINE ? OK : status == STATUS_NO_MEMORY ? ERR_NOMEM : status == STATUS_NO_ENTRY ? ERR_NODEV : ERR_IO;
}

/* ---- Domains ----------------------------------------------------------------------------------------------------------- */

static err_t endpoint_of(struct pci_address a, uint32_t *out)
{
	uint16_t address = (uint16_t)(a.bus << 8 | a.slot_function);

	for (uint32_t i = 0; i < iommu.viot.count; i++)
		if (iommu.viot.range[i].segment == a.segment && address >= iommu.viot.range[i].first && address <= iommu.viot.range[i].last) {
			*out = iommu.viot.range[i].endpoint + (address - iommu.viot.range[i].first);
			return OK;
		}
	return ERR_OPNOTSUPP;
}

static struct pci_address function_of(uint32_t endpoint)
{
	for (uint32_t i = 0; i < iommu.viot.count; i++) {
		uint32_t n = endpoint - iommu.viot.range[i].endpoint, address = iommu.viot.range[i].first + n;
		if (n <= (uint32_t)(iommu.viot.range[i].last - iommu.viot.range[i].first))
			return (struct pci_address){ iommu.viot.range[i].segment, (uint8_t)(address >> 8), (uint8_t)address };
	}
	return (struct pci_address){ UINT16_MAX, UINT8_MAX, UINT8_MAX };
}

static uint32_t domain_id(uint32_t n) { return iommu.first_domain + n; }

/* table says that the device has it: 1. */
static err_t virtio_attach(uint32_t n)
{
	struct domain *d = &iommu.domains->domain[n];
	struct attach q = { .type = TYPE_ATTACH, .domain = domain_id(n) };

	TRY(endpoint_of(d->function, &q.endpoint));
	TRY(status_error(request(&q, sizeof(q))));
	d->table = 1;
	return OK;
}

static void virtio_detach(uint32_t n)
{
	struct domain *d = &iommu.domains->domain[n];
	struct attach q = { .type = TYPE_DETACH, .domain = domain_id(n) };

	/* Attached elsewhere meanwhile, the device says no: it had left this domain then. The last endpoint takes the domain with it. */
	if (d->table && endpoint_of(d->function, &q.endpoint) == OK)
		(void)request(&q, sizeof(q));
	d->table = 0;
}

static err_t virtio_map(uint32_t n, uint64_t address, uint64_t physical, uint64_t bytes, uint32_t access)
{
	struct __attribute__((packed)) { struct change c; uint64_t physical; uint32_t flags; } q = {
		{ .type = TYPE_MAP, .domain = domain_id(n), .first = address, .last = address + bytes - 1 }, physical,
		(access & DMA_READ ? MAP_MAY_READ : 0) | (access & DMA_WRITE ? MAP_MAY_WRITE : 0),
	};

	return status_error(request(&q, sizeof(q)));
}

static void virtio_unmap(uint32_t n, uint64_t address, uint64_t bytes)
{
	struct __attribute__((packed)) { struct change c; uint32_t reserved; } q = {
		{ .type = TYPE_UNMAP, .domain = domain_id(n), .first = address, .last = address + bytes - 1 }, 0,
	};

	if (iommu.domains->domain[n].table)
		(void)request(&q, sizeof(q));
}

/* The device tells of all faults: those of the domain are thrown away (virtio_faults). */
static void virtio_quiet(uint32_t n UNUSED) { }

/* ---- Faults ------------------------------------------------------------------------------------------------------------ */

static void virtio_faults(void (*tell)(struct pci_address who, uint64_t address, uint32_t access))
{
	struct { uint64_t page; uint32_t endpoint, access; } is, was = { .page = UINT64_MAX };
	struct ring_event e;

	/* No more than were there: a device that does nothing else must not keep us from all others. */
	for (uint32_t n = 0; n < RING_ENTRIES && ring_event_look(&iommu.events, &e); n++) {
		struct pci_address who = function_of(e.endpoint);
		uint32_t domain = domain_find(iommu.domains, who);
		is.page = e.flags & FAULT_HAS_ADDRESS ? e.address & ~(uint64_t)(TABLE_BYTES - 1) : 0;
		is.endpoint = e.endpoint;
		is.access = (e.flags & FAULT_TO_READ ? DMA_READ : 0) | (e.flags & FAULT_TO_WRITE ? DMA_WRITE : 0);
		/* It tells of each word. And it does not say which of both it was when nothing is mapped there. */
		bool is_new = is.page != was.page || is.endpoint != was.endpoint || is.access != was.access;
		if (is_new && (domain == DOMAIN_NONE || iommu.domains->domain[domain].fault_total < DOMAIN_FAULTS_TOLD))
			tell(who, is.page, is.access ? is.access : DMA_READ | DMA_WRITE);
		was = is;
		ring_event_done(&iommu.events);
	}
	ring_kick(&iommu.events);
}

static bool has_messages(void) { return iommu.function.msix.at && iommu.function.msix.count > 0; }

/* MSI-X, vector 0. */
static err_t vector_set(const struct irq_message *m)
{
	const struct pci_function *f = &iommu.function;
	struct device_bar bar;

	if (f->msix.table_bar >= DEVICE_BARS)
		return ERR_NODEV;
	TRY(device_map_bar(&iommu.device, f->msix.table_bar, &bar));
	if (f->msix.table_offset > bar.bytes || bar.bytes - f->msix.table_offset < PCI_MSIX_ENTRY_BYTES)
		return ERR_INVAL;
	volatile uint8_t *entry = bar.at + f->msix.table_offset;
	mmio_write32(entry, (uint32_t)m->address);
	mmio_write32(entry + 4, (uint32_t)(m->address >> 32));
	mmio_write32(entry + 8, m->data);
	mmio_write32(entry + 12, 0);
	pci_msix_enable(&host, f);
	return OK;
}

/* QEMU's has no message interrupts, and whose its line is only ACPI's bytecode knows: it is looked at from time to time. */
static handle_t look_handle(void)
{
	struct timer_setting every = { .next_ns = now() + LOOK_NS, .period_ns = LOOK_NS };
	handle_t h;

	if (handle_open("time", "monotonic", OPEN_READ | OPEN_WRITE, &h))
		return HANDLE_NONE;
	if (handle_call(h, TIMER_SET, &every, sizeof(every), NULL, 0, 0) >= 0)
		return h;
	handle_close(h);
	return HANDLE_NONE;
}

static handle_t virtio_fault_handle(void)
{
	struct irq_mask none = { 0 };
	struct irq_message m;

	if (!has_messages())
		return look_handle();
	if (handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &iommu.irq) ||
	    handle_call(iommu.irq, IRQ_MESSAGE, &none, sizeof(none), &m, sizeof(m), 0) < 0 || vector_set(&m)) {
		print("iommud: no interrupt for faults: nobody will hear of them\n");
		return HANDLE_NONE;
	}
	return iommu.irq;
}

/* ---- Start ------------------------------------------------------------------------------------------------------------- */

/* Both queues in the page; a device that was started has them there already. */
static err_t rings_open(bool again)
{
	uint64_t physical = iommu.domains->backend.root;
	struct virtio *v = &iommu.virtio;

	iommu.page = (volatile uint8_t *)table_at(iommu.tables, physical);
	if (!iommu.page)
		return ERR_INVAL;
	TRY(ring_open(&iommu.requests, v, 0, iommu.page + RING_REQUESTS_AT, physical + RING_REQUESTS_AT, VIRTIO_NO_VECTOR, again));
	TRY(ring_open(&iommu.events, v, 1, iommu.page + RING_EVENTS_AT, physical + RING_EVENTS_AT, has_messages() ? EVENT_VECTOR : VIRTIO_NO_VECTOR, again));
	if (!again) {
		ring_events_give(&iommu.events);
		virtio_start(v);
	}
	ring_kick(&iommu.events);
	return OK;
}

/* Addresses and domains as we use them must do. */
static err_t check_ranges(void)
{
	const struct virtio *v = &iommu.virtio;

	if (!(v->features & FEATURE_MAP) || !(virtio_config(v, CONFIG_PAGES, 8) & TABLE_BYTES))
		return ERR_NODEV;
	if ((v->features & FEATURE_INPUT_RANGE) && (virtio_config(v, CONFIG_INPUT_START, 8) > 0x100000 || virtio_config(v, CONFIG_INPUT_END, 8) < PLACES_END - 1))
		return ERR_NODEV;
	iommu.first_domain = v->features & FEATURE_DOMAIN_RANGE ? (uint32_t)virtio_config(v, CONFIG_DOMAIN_START, 4) : 1;
	uint64_t last = v->features & FEATURE_DOMAIN_RANGE ? virtio_config(v, CONFIG_DOMAIN_END, 4) : UINT32_MAX;
	return last - iommu.first_domain < DOMAINS_MAX ? ERR_NODEV : OK;
}

static err_t function_find(void)
{
	TRY(machine_viot(&iommu.viot, &iommu.acpi));
	struct pci_address a = { iommu.viot.segment, (uint8_t)(iommu.viot.address >> 8), (uint8_t)iommu.viot.address };
	TRY(pci_read(&host, a, &iommu.function));
	pci_command(&host, a, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_LINE);
	return OK;
}

static err_t virtio_begin(struct domains *s, struct tables *t, bool again)
{
	const uint64_t wanted = FEATURE_INPUT_RANGE | FEATURE_DOMAIN_RANGE | FEATURE_MAP | FEATURE_BYPASS_CONFIG;

	iommu.domains = s;
	iommu.tables = t;
	TRY(function_find());
	TRY(machine_tables(t));
	again = again && s->backend.root;
	TRY(again ? virtio_adopt(&iommu.virtio, &iommu.device, wanted) : virtio_open(&iommu.virtio, &iommu.device, wanted));
	TRY(check_ranges());
	if (!again)
		TRY(table_alloc(t, &s->backend.root));
	TRY(rings_open(again));
	if (iommu.virtio.features & FEATURE_BYPASS_CONFIG)
		virtio_config_write(&iommu.virtio, CONFIG_BYPASS, 0);
	/* What an instance before us had asked. */
	if (!wait_done())
		return ERR_IO;
	print("iommud: virtio IOMMU, interrupts are not checked\n");
	return OK;
}

const struct backend backend_virtio = {
	.name = "virtio", .is_isolated = true, .address_bits = 38, .start = virtio_begin, .attach = virtio_attach, .detach = virtio_detach, .map = virtio_map,
	.unmap = virtio_unmap, .quiet = virtio_quiet, .fault_handle = virtio_fault_handle, .faults = virtio_faults,
};
