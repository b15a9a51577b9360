/* drivers/iommud/vtd.c - Intel's IOMMU (VT-d, revision 3): translation, interrupt remapping, queued invalidation, fault records.
 *
 * Every unit gets the same root table and the same table of interrupts, so which unit is before which function does not matter. A function
 * without a domain reaches nothing. Messages of functions go by the table, which checks who sends them; messages in the old format go on
 * being let through (the lines' controllers use it).
 */
#include "drivers/iommud/backend.h"
#include "drivers/iommud/arch/x86_64/flush.h"
#include "drivers/iommud/machine.h"
#include "drivers/iommud/second.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"

enum vtd_register {
	VTD_ABILITIES = 0x08, VTD_MORE_ABILITIES = 0x10, VTD_COMMAND = 0x18, VTD_STATE = 0x1c, VTD_ROOT = 0x20, VTD_FAULT_STATE = 0x34,
	VTD_FAULT_CONTROL = 0x38, VTD_FAULT_DATA = 0x3c, VTD_FAULT_ADDRESS = 0x40, VTD_FAULT_ADDRESS_HIGH = 0x44,
	VTD_QUEUE_HEAD = 0x80, VTD_QUEUE_TAIL = 0x88, VTD_QUEUE = 0x90, VTD_INTERRUPTS = 0xb8,
};
enum vtd_command {      /* and state: the same bits */
	COMMAND_OLD_FORMAT = 1 << 23, COMMAND_SET_INTERRUPTS = 1 << 24, COMMAND_INTERRUPTS = 1 << 25, COMMAND_QUEUE = 1 << 26, COMMAND_SET_ROOT = 1 << 30,
};
#define COMMAND_TRANSLATE (1u << 31)
#define COMMAND_ONE_SHOT ((uint32_t)COMMAND_SET_INTERRUPTS | (uint32_t)COMMAND_SET_ROOT)
enum { ABILITY_3_LEVELS = 1 << 9, ABILITY_4_LEVELS = 1 << 10, MORE_QUEUE = 1 << 1, MORE_INTERRUPTS = 1 << 3 };
enum { REGISTERS_BYTES = 4096, POLLS_MAX = 1000000, QUEUE_ENTRIES = 256, ENTRY_WORDS = 2 };
enum { FAULT_RECORDS_MAX = 256, FAULT_BYTES = 16, FAULT_OVERFLOW = 1, FAULT_READ = 1 << 30, FAULT_INTERRUPT_FIRST = 0x20, FAULT_INTERRUPT_LAST = 0x26 };
#define FAULT_IS_THERE (1u << 31)
enum { CONTEXT_PRESENT = 1, CONTEXT_QUIET = 2, ROOT_PRESENT = 1, DOMAIN_SHIFT = 8, INTERRUPT_PRESENT = 1, INTERRUPT_VERIFY = 1 << 18, INTERRUPT_TABLE_256 = 7 };
/* Invalidation requests. */
enum { FORGET_CONTEXT = 1, FORGET_ADDRESSES = 2, FORGET_INTERRUPTS = 4, FORGET_WAIT = 5, FORGET_ALL = 1 << 4, FORGET_DOMAIN = 2 << 4, WAIT_WRITES = 1 << 5 };
enum { FORGET_READS = 1 << 7, FORGET_WRITES = 1 << 6 };

struct unit {
	volatile uint8_t *at;
	uint64_t queue;                 /* its table */
	uint32_t tail;
	uint32_t command;               /* what is on */
};

static struct {
	struct domains *domains;
	struct tables *tables;
	struct unit unit[ACPI_IOMMUS_MAX];
	uint32_t unit_count, levels;
	bool remaps, is_dead;
	handle_t irq;
} vtd = { .irq = HANDLE_NONE };

static uint32_t get32(const struct unit *u, uint32_t r) { return *(volatile uint32_t *)(u->at + r); }
static uint64_t get64(const struct unit *u, uint32_t r) { return *(volatile uint64_t *)(u->at + r); }
static void put32(const struct unit *u, uint32_t r, uint32_t v) { *(volatile uint32_t *)(u->at + r) = v; }
static void put64(const struct unit *u, uint32_t r, uint64_t v) { *(volatile uint64_t *)(u->at + r) = v; }

/* ---- Making it forget what it has read ---- */

static void queue_put(struct unit *u, uint64_t low, uint64_t high)
{
	volatile uint64_t *entry = table_at(vtd.tables, u->queue) + u->tail * ENTRY_WORDS;

	entry[0] = low;
	entry[1] = high;
	flush_range(entry, ENTRY_WORDS * sizeof *entry);
	u->tail = (u->tail + 1) % QUEUE_ENTRIES;
}

/* One request, on every unit, and when it returns it is done. */
static void forget(uint64_t low, uint64_t high)
{
	for (struct unit *u = vtd.unit; u < vtd.unit + vtd.unit_count; u++) {
		volatile uint64_t *status = table_at(vtd.tables, vtd.domains->backend.status) + (u - vtd.unit);
		uint64_t where = vtd.domains->backend.status + (uint64_t)(u - vtd.unit) * sizeof *status;
		uint32_t polls = 0;

		*status = 0;
		flush_range(status, sizeof *status);
		queue_put(u, low, high);
		queue_put(u, FORGET_WAIT | WAIT_WRITES | 1ull << 32, where);
		put64(u, VTD_QUEUE_TAIL, (uint64_t)u->tail << 4);
		while ((uint32_t)*status != 1 && polls++ < POLLS_MAX)
			flush_range(status, sizeof *status);
		if ((uint32_t)*status == 1)
			continue;
		if (!vtd.is_dead)
			print("iommud: the IOMMU does not answer\n");
		vtd.is_dead = true;
	}
}

static uint64_t domain_id(uint32_t domain) { return domain + 1ull; }

static void forget_addresses(uint32_t domain) { forget(FORGET_ADDRESSES | FORGET_DOMAIN | FORGET_READS | FORGET_WRITES | domain_id(domain) << 16, 0); }

static void forget_all(void)
{
	forget(FORGET_CONTEXT | FORGET_ALL, 0);
	forget(FORGET_ADDRESSES | FORGET_ALL | FORGET_READS | FORGET_WRITES, 0);
	if (vtd.remaps)
		forget(FORGET_INTERRUPTS, 0);
}

/* ---- Domains ---- */

/* The function's two words in the context table of its bus. */
static err_t context_of(struct pci_address a, bool make, volatile uint64_t **out)
{
	volatile uint64_t *root = table_at(vtd.tables, vtd.domains->backend.root) + a.bus * ENTRY_WORDS;
	uint64_t table;

	if (!(*root & ROOT_PRESENT) && !make)
		return ERR_NOENT;
	if (!(*root & ROOT_PRESENT)) {
		TRY(table_alloc(vtd.tables, &table));
		flush_range(table_at(vtd.tables, table), TABLE_BYTES);
		*root = table | ROOT_PRESENT;
		flush_range(root, sizeof *root);
	}
	*out = table_at(vtd.tables, *root & ~(uint64_t)(TABLE_BYTES - 1)) + a.slot_function * ENTRY_WORDS;
	return OK;
}

static err_t vtd_attach(uint32_t n)
{
	struct domain *d = &vtd.domains->domain[n];
	volatile uint64_t *context;

	if (vtd.is_dead)
		return ERR_IO;
	/* One root table: of the first segment. */
	if (d->function.segment != 0)
		return ERR_OPNOTSUPP;
	TRY(table_alloc(vtd.tables, &d->table));
	flush_range(table_at(vtd.tables, d->table), TABLE_BYTES);
	TRY(context_of(d->function, true, &context));
	context[0] = 0;
	flush_range(context, sizeof *context);
	context[1] = domain_id(n) << DOMAIN_SHIFT | (vtd.levels - 2);
	context[0] = d->table | CONTEXT_PRESENT;
	flush_range(context, ENTRY_WORDS * sizeof *context);
	forget(FORGET_CONTEXT | FORGET_ALL, 0);
	forget_addresses(n);
	return vtd.is_dead ? ERR_IO : OK;
}

static void interrupts_drop(uint32_t n)
{
	for (uint32_t i = 0; i < INTERRUPTS_MAX; i++) {
		volatile uint64_t *entry = table_at(vtd.tables, vtd.domains->backend.interrupts) + i * ENTRY_WORDS;

		if (vtd.domains->interrupt[i].domain_plus_1 != n + 1)
			continue;
		entry[0] = 0;
		flush_range(entry, sizeof *entry);
		vtd.domains->interrupt[i].domain_plus_1 = 0;
	}
	if (vtd.remaps)
		forget(FORGET_INTERRUPTS, 0);
}

static void vtd_detach(uint32_t n)
{
	struct domain *d = &vtd.domains->domain[n];
	volatile uint64_t *context;

	if (context_of(d->function, false, &context) == OK && (context[0] & ~(uint64_t)(TABLE_BYTES - 1)) == d->table && d->table) {
		context[0] = 0;
		flush_range(context, sizeof *context);
	}
	forget(FORGET_CONTEXT | FORGET_ALL, 0);
	forget_addresses(n);
	interrupts_drop(n);
	if (d->table)
		second_free(vtd.tables, d->table, vtd.levels);
	d->table = 0;
}

static void vtd_quiet(uint32_t n)
{
	volatile uint64_t *context;

	if (context_of(vtd.domains->domain[n].function, false, &context))
		return;
	context[0] |= CONTEXT_QUIET;
	flush_range(context, sizeof *context);
	forget(FORGET_CONTEXT | FORGET_ALL, 0);
}

static err_t vtd_map(uint32_t n, uint64_t address, uint64_t physical, uint64_t bytes, uint32_t access)
{
	err_t err = second_map(vtd.tables, vtd.domains->domain[n].table, vtd.levels, address, physical, bytes, access);

	/* It may remember that there was nothing. */
	forget_addresses(n);
	return err ? err : vtd.is_dead ? ERR_IO : OK;
}

static void vtd_unmap(uint32_t n, uint64_t address, uint64_t bytes)
{
	if (!vtd.domains->domain[n].table)
		return;
	second_unmap(vtd.tables, vtd.domains->domain[n].table, vtd.levels, address, bytes);
	forget_addresses(n);
}

/* ---- Interrupts ---- */

static err_t vtd_interrupt(uint32_t n, uint32_t number, const struct irq_message *wanted, struct irq_message *out)
{
	const struct domain *d = &vtd.domains->domain[n];
	uint64_t cpu = wanted->address >> 12 & 0xff, who = (uint64_t)d->function.bus << 8 | d->function.slot_function;

	if (!vtd.remaps)
		return ERR_OPNOTSUPP;
	uint32_t i = domain_interrupt(vtd.domains, n, number);
	if (i == INTERRUPTS_MAX)
		return ERR_NOSPC;
	volatile uint64_t *entry = table_at(vtd.tables, vtd.domains->backend.interrupts) + i * ENTRY_WORDS;
	entry[0] = 0;
	entry[1] = who | INTERRUPT_VERIFY;
	entry[0] = cpu << 40 | (uint64_t)(wanted->data & 0xff) << 16 | INTERRUPT_PRESENT;
	flush_range(entry, ENTRY_WORDS * sizeof *entry);
	forget(FORGET_INTERRUPTS, 0);
	*out = (struct irq_message){ .address = 0xfee00000u | i << 5 | 1u << 4 };
	return OK;
}

/* ---- Faults ---- */

static bool take_fault(const struct unit *u, uint32_t at, void (*tell)(struct pci_address who, uint64_t address, uint32_t access))
{
	uint32_t high = get32(u, at + 12), reason = high & 0xff;
	uint64_t address = get64(u, at);
	uint32_t who = get32(u, at + 8) & 0xffff;
	bool is_interrupt = reason >= FAULT_INTERRUPT_FIRST && reason <= FAULT_INTERRUPT_LAST;

	if (!(high & FAULT_IS_THERE))
		return false;
	/* Told before it is forgotten: who dies in between tells it again. */
	tell((struct pci_address){ 0, (uint8_t)(who >> 8), (uint8_t)who }, is_interrupt ? address >> 48 : address & ~(uint64_t)(TABLE_BYTES - 1),
	     is_interrupt ? 0 : high & FAULT_READ ? DMA_READ : DMA_WRITE);
	put32(u, at + 12, FAULT_IS_THERE);
	return true;
}

static void vtd_faults(void (*tell)(struct pci_address who, uint64_t address, uint32_t access))
{
	for (const struct unit *u = vtd.unit; u < vtd.unit + vtd.unit_count; u++) {
		uint64_t abilities = get64(u, VTD_ABILITIES);
		uint32_t first = (uint32_t)(abilities >> 24 & 0x3ff) * FAULT_BYTES, count = (uint32_t)(abilities >> 40 & 0xff) + 1;

		for (uint32_t i = 0; i < count && first + i * FAULT_BYTES <= REGISTERS_BYTES - FAULT_BYTES; i++)
			take_fault(u, first + i * FAULT_BYTES, tell);
		put32(u, VTD_FAULT_STATE, FAULT_OVERFLOW);
	}
}

static handle_t vtd_fault_handle(void)
{
	struct irq_mask none = { 0 };
	struct irq_message m;

	if (handle_open("irq", "message", OPEN_READ | OPEN_WRITE, &vtd.irq) || handle_call(vtd.irq, IRQ_MESSAGE, &none, sizeof none, &m, sizeof m, 0) < 0) {
		print("iommud: no interrupt for faults: nobody will hear of them\n");
		return HANDLE_NONE;
	}
	for (const struct unit *u = vtd.unit; u < vtd.unit + vtd.unit_count; u++) {
		put32(u, VTD_FAULT_DATA, m.data);
		put32(u, VTD_FAULT_ADDRESS, (uint32_t)m.address);
		put32(u, VTD_FAULT_ADDRESS_HIGH, (uint32_t)(m.address >> 32));
		put32(u, VTD_FAULT_CONTROL, 0);
	}
	return vtd.irq;
}

/* ---- Start ---- */

static bool command(struct unit *u, uint32_t bit)
{
	uint32_t polls = 0;

	put32(u, VTD_COMMAND, u->command | bit);
	while (!(get32(u, VTD_STATE) & bit) && polls < POLLS_MAX)
		polls++;
	u->command |= bit & ~COMMAND_ONE_SHOT;
	return polls < POLLS_MAX;
}

static err_t unit_find(struct unit *u, uint64_t address)
{
	*u = (struct unit){ .at = machine_map(address, REGISTERS_BYTES) };
	if (!u->at)
		return ERR_NODEV;
	uint64_t abilities = get64(u, VTD_ABILITIES), more = get64(u, VTD_MORE_ABILITIES);
	uint32_t levels = abilities & ABILITY_3_LEVELS ? 3 : abilities & ABILITY_4_LEVELS ? 4 : 0;
	if (!levels || (vtd.levels && vtd.levels != levels) || !(more & MORE_QUEUE))
		return ERR_NODEV;
	vtd.levels = levels;
	vtd.remaps = vtd.remaps && more & MORE_INTERRUPTS;
	return OK;
}

/* A unit that runs goes on where it is; its queue is begun anew. */
static err_t unit_start(struct unit *u)
{
	const struct backend_kept *kept = &vtd.domains->backend;
	uint32_t state = get32(u, VTD_STATE);

	put32(u, VTD_COMMAND, state & ~(COMMAND_ONE_SHOT | (uint32_t)COMMAND_QUEUE));
	for (uint32_t polls = 0; get32(u, VTD_STATE) & COMMAND_QUEUE && polls < POLLS_MAX; polls++)
		;
	u->command = state & ~(COMMAND_ONE_SHOT | (uint32_t)COMMAND_QUEUE);
	u->tail = 0;
	put64(u, VTD_QUEUE_TAIL, 0);
	put64(u, VTD_QUEUE, u->queue);
	put64(u, VTD_ROOT, kept->root);
	if (!command(u, COMMAND_QUEUE) || !command(u, COMMAND_SET_ROOT))
		return ERR_IO;
	if (!vtd.remaps)
		return OK;
	put64(u, VTD_INTERRUPTS, kept->interrupts | INTERRUPT_TABLE_256);
	/* Whether it has heard of the old format or not. */
	u->command |= COMMAND_OLD_FORMAT;
	put32(u, VTD_COMMAND, u->command);
	return command(u, COMMAND_SET_INTERRUPTS) ? OK : ERR_IO;
}

static err_t units_find(void)
{
	struct acpi_dmar dmar;

	TRY(machine_dmar(&dmar));
	vtd.remaps = dmar.can_remap_interrupts;
	for (uint32_t i = 0; i < dmar.count; i++)
		TRY(unit_find(&vtd.unit[i], dmar.unit[i].address));
	vtd.unit_count = dmar.count;
	return OK;
}

static err_t tables_make(bool again)
{
	struct backend_kept *kept = &vtd.domains->backend;

	if (!again) {
		TRY(table_alloc(vtd.tables, &kept->root));
		TRY(table_alloc(vtd.tables, &kept->interrupts));
		TRY(table_alloc(vtd.tables, &kept->queue));
		TRY(table_alloc(vtd.tables, &kept->status));
		flush_range(table_at(vtd.tables, kept->root), TABLE_BYTES);
		flush_range(table_at(vtd.tables, kept->interrupts), TABLE_BYTES);
	}
	/* The first unit's queue is remembered; the others' are made by each instance. */
	vtd.unit[0].queue = kept->queue;
	for (uint32_t i = 1; i < vtd.unit_count; i++)
		TRY(table_alloc(vtd.tables, &vtd.unit[i].queue));
	return OK;
}

static err_t vtd_start(struct domains *s, struct tables *t, bool again)
{
	vtd.domains = s;
	vtd.tables = t;
	TRY(units_find());
	TRY(machine_tables(t));
	TRY(tables_make(again && s->backend.root));
	for (uint32_t i = 0; i < vtd.unit_count; i++)
		TRY(unit_start(&vtd.unit[i]));
	forget_all();
	for (struct unit *u = vtd.unit; u < vtd.unit + vtd.unit_count; u++)
		if ((vtd.remaps && !command(u, COMMAND_INTERRUPTS)) || !command(u, COMMAND_TRANSLATE))
			return ERR_IO;
	print("iommud: Intel IOMMU, %u unit%s, %u levels%s\n", vtd.unit_count, vtd.unit_count == 1 ? "" : "s", vtd.levels,
	      vtd.remaps ? ", interrupts are checked" : "");
	return vtd.is_dead ? ERR_IO : OK;
}

const struct backend backend_vtd = {
	.name = "vtd", .is_isolated = true, .address_bits = 39, .start = vtd_start, .attach = vtd_attach, .detach = vtd_detach, .map = vtd_map,
	.unmap = vtd_unmap, .quiet = vtd_quiet, .interrupt = vtd_interrupt, .fault_handle = vtd_fault_handle, .faults = vtd_faults,
};
