/* drivers/iommud/main.c - serves iommu: (abi/proto/dma.def).
 *
 * Handles: scheme, ready, log; state (domains, mappings and translation tables: they outlive us, and what is mapped is kept as long
 * as it); boot (sys:boot), phys (mem:phys). Schemes: mem, irq.
 */
#include "drivers/iommud/backend.h"
#include "drivers/iommud/memory.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { PAGE = 4096 };
/* What a domain's addresses are taken from. Where interrupts are written nothing can be mapped. */
#define PLACE_START 0x100000ull
#define PLACE_END_32 0xfee00000ull
#define PLACE_HIGH 0x100000000ull
#define PLACE_END 0x4000000000ull       /* 38 bits, which every IOMMU has */
#define PLACE_KEEPER UINT64_MAX         /* of a mapping that is a driver's keeper: no address */

enum open_kind { OPEN_OWNER, OPEN_DRIVER };

struct open {
	struct list_node link;
	enum open_kind kind;
	uint32_t domain, faults_seen;
	uint64_t id;
};

static struct server server;
static struct scheme scheme;
static struct domains *domains;
static struct tables tables;
static const struct backend *backend;
static struct server_watch fault_watch;
static struct server_timer first;
static struct list_node opens = LIST_INIT(opens);

/* ---- Mappings ---- */

static void mapping_drop(uint32_t n)
{
	struct mapping *m = &domains->mapping[n];

	/* First the device reaches it no more, then it may be anybody's. */
	if (backend->is_isolated && m->address < PLACE_END)
		backend->unmap(m->domain_plus_1 - 1, m->address, m->bytes);
	memory_free(domain_number(n), m->bytes);
	m->domain_plus_1 = 0;
}

/* The domain's own addresses: one range, whatever the pieces. */
static err_t translate(uint32_t domain, struct mapping *m, bool low, struct dma_piece *piece, uint32_t *count)
{
	uint64_t at, done = 0;
	err_t err = domain_place(domains, domain, PLACE_START, PLACE_END_32, m->bytes, &at);

	if (err && !low)
		err = domain_place(domains, domain, PLACE_HIGH, PLACE_END, m->bytes, &at);
	if (err)
		return err;
	m->address = at;
	for (uint32_t i = 0; i < *count && !err; done += piece[i++].bytes)
		err = backend->map(domain, at + done, piece[i].address, piece[i].bytes, m->access);
	piece[0] = (struct dma_piece){ .address = at, .bytes = m->bytes };
	*count = 1;
	return err;
}

/* Maps a window of object for the domain; the pieces go to the answer. How many. */
static int64_t map(struct scheme_request *r, uint32_t domain, handle_t object, struct dma_window w, uint32_t access, bool low)
{
	static struct dma_piece piece[DMA_PIECES_MAX];
	uint32_t max = (uint32_t)MIN_OF(r->out_room / sizeof *piece, (size_t)DMA_PIECES_MAX), count, n;
	err_t err;

	if (max == 0)
		return ERR_RANGE;
	TRY(mapping_create(domains, domain, w.bytes, access, &n));
	struct mapping *m = &domains->mapping[n];
	if ((err = memory_keep(object, w, access, domain_number(n), piece, backend->is_isolated ? DMA_PIECES_MAX : max, &count)))
		goto drop;
	/* Without a place of its own it must not be one that others have. */
	if (!backend->is_isolated)
		m->address = piece[0].address;
	else if ((err = translate(domain, m, low, piece, &count)))
		goto drop;
	if ((err = scheme_out(r, piece, count * sizeof *piece)))
		goto drop;
	return count;

drop:
	mapping_drop(n);
	return err;
}

static int64_t call_allocate(struct scheme_request *r, uint32_t domain)
{
	struct dma_request q;
	handle_t object;

	TRY(scheme_in_struct(r, &q, sizeof q));
	if (!q.bytes || q.bytes > MAPPING_BYTES_MAX)
		return ERR_INVAL;
	/* Behind an IOMMU every frame will do, and they look like one piece. */
	if (backend->is_isolated) {
		q.dma_flags &= ~(uint32_t)DMA_WHOLE;
		q.piece_bytes_min = 0;
	}
	bool low = q.dma_flags & DMA_32_BIT;
	TRY(memory_create(&q, &object));
	int64_t count = map(r, domain, object, (struct dma_window){ 0, round_up(q.bytes, PAGE) }, DMA_READ | DMA_WRITE, low);
	if (count < 0) {
		handle_close(object);
		return count;
	}
	r->reply_handle = object;
	r->reply_flags = REPLY_HANDLE;
	return count;
}

static int64_t call_map(struct scheme_request *r, uint32_t domain, uint64_t access)
{
	struct dma_window w;

	TRY(scheme_in_struct(r, &w, sizeof w));
	if (!w.bytes || w.bytes > MAPPING_BYTES_MAX || (w.offset | w.bytes) % PAGE || !access || access & ~(uint64_t)(DMA_READ | DMA_WRITE) ||
	    r->passed == HANDLE_NONE)
		return ERR_INVAL;
	return map(r, domain, r->passed, w, (uint32_t)access, false);
}

static int64_t call_unmap(uint32_t domain, uint64_t address)
{
	uint32_t n = mapping_find(domains, domain, address);

	if (n == MAPPINGS_MAX || address == PLACE_KEEPER)
		return ERR_NOENT;
	mapping_drop(n);
	return OK;
}

/* Its numbers are a mapping's like any other, so they are let go of with the domain. */
static int64_t call_keeper(struct scheme_request *r, uint32_t domain)
{
	uint32_t n;
	err_t err;

	if (backend->is_isolated)
		return ERR_OPNOTSUPP;
	TRY(mapping_create(domains, domain, (uint64_t)DMA_KEEPER_PAGES * PAGE, DMA_READ | DMA_WRITE, &n));
	domains->mapping[n].address = PLACE_KEEPER;
	if ((err = memory_keeper(&r->reply_handle))) {
		mapping_drop(n);
		return err;
	}
	r->reply_flags = REPLY_HANDLE;
	return (int64_t)domain_number(n);
}

/* ---- Domains ---- */

static void domain_drop(uint32_t n)
{
	/* Cut off as a whole first. */
	backend->detach(n);
	for (uint32_t i = 0; i < MAPPINGS_MAX; i++)
		if (domains->mapping[i].domain_plus_1 == n + 1)
			mapping_drop(i);
	domains->domain[n].is_used = false;
}

static err_t domain_new(struct pci_address function, uint32_t *out)
{
	err_t err;

	TRY(domain_create(domains, function, out));
	if ((err = backend->attach(*out)))
		domain_drop(*out);
	return err;
}

/* ---- Opening and closing ---- */

static err_t open_new(enum open_kind kind, uint32_t domain, struct open **out)
{
	struct open *o = heap_new(struct open);

	if (!o)
		return ERR_NOMEM;
	*o = (struct open){ .kind = kind, .domain = domain };
	list_push_back(&opens, &o->link);
	*out = o;
	return OK;
}

static int64_t iommu_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags UNUSED, uint32_t mode UNUSED)
{
	enum { ADDRESS_BYTES = PCI_ADDRESS_TEXT - 1, SAME_BYTES = 5 };
	const struct open *at = r->open;
	bool same = ref_bytes == ADDRESS_BYTES + SAME_BYTES && memcmp(ref + ADDRESS_BYTES, "/same", SAME_BYTES) == 0;
	struct pci_address function;
	struct open *o;
	uint32_t n;
	err_t err;

	if (at && (at->kind != OPEN_OWNER || ref_bytes != 6 || memcmp(ref, "driver", 6) != 0))
		return ERR_NOENT;
	if (at) {
		n = at->domain;
	} else if (r->message->sender.uid != 0) {
		return ERR_PERM;
	} else if ((ref_bytes != ADDRESS_BYTES && !same) || pci_address_parse(ref, ADDRESS_BYTES, &function)) {
		return ERR_NOENT;
	} else if (same) {
		if ((n = domain_find(domains, function)) == DOMAIN_NONE)
			return ERR_NOENT;
	} else {
		TRY(domain_new(function, &n));
	}
	if ((err = open_new(at ? OPEN_DRIVER : OPEN_OWNER, n, &o))) {
		if (domains->domain[n].opens == 0)
			domain_drop(n);
		return err;
	}
	domains->domain[n].opens++;
	r->opened = o;
	r->reply_flags = REPLY_NOTIFIES;
	return OK;
}

/* Before the client has it: one killed between its answer and this would leave the client a number that the next instance does not know. */
static void iommu_named(struct scheme *s UNUSED, void *open, uint64_t id)
{
	struct open *o = open;

	o->id = id;
	if (opens_add(&domains->opens, id, o->kind, o->domain))
		print("iommud: too much is open to be remembered\n");
}

static void iommu_close(struct scheme *s UNUSED, void *open)
{
	struct open *o = open;

	opens_remove(&domains->opens, o->id);
	list_remove(&o->link);
	if (--domains->domain[o->domain].opens == 0)
		domain_drop(o->domain);
	heap_delete(o);
}

/* ---- Faults ---- */

static void tell_faults(uint32_t domain)
{
	struct open *o;

	list_each(o, &opens, link)
		if (o->id && o->domain == domain)
			scheme_notify(&scheme, o->id, o->faults_seen != domains->domain[domain].fault_count ? READY_PRIORITY : 0, READY_PRIORITY);
}

static void fault(struct pci_address who, uint64_t address, uint32_t access)
{
	uint32_t n = domain_find(domains, who), before = n == DOMAIN_NONE ? 0 : domains->domain[n].fault_count;
	char text[PCI_ADDRESS_TEXT];

	if (n != DOMAIN_NONE)
		domain_fault(&domains->domain[n], address, access);
	if (n != DOMAIN_NONE && domains->domain[n].fault_total == DOMAIN_FAULTS_TOLD) {
		pci_address_text(who, text);
		print("iommud: %s was kept from memory %u times: no more is said of it\n", text, (unsigned)DOMAIN_FAULTS_TOLD);
		backend->quiet(n);
	}
	/* Said once for many alike. */
	if (n != DOMAIN_NONE && before == domains->domain[n].fault_count)
		return;
	pci_address_text(who, text);
	print("iommud: %s was kept from %s %llx\n", text, access == DMA_WRITE ? "writing to" : access == DMA_READ ? "reading from" : access ? "reaching" : "an interrupt not its own, entry",
	      (unsigned long long)address);
	if (n != DOMAIN_NONE)
		tell_faults(n);
}

static void faults_came(struct server_watch *w, uint32_t found UNUSED)
{
	uint64_t count;

	if (sys_read(REQUEST_NONBLOCK, w->handle, &count, sizeof count, -1) != sizeof count)
		return;
	backend->faults(fault);
	(void)sys_write(0, w->handle, &count, sizeof count, -1);
}

static int64_t call_faults(struct scheme_request *r, struct open *o)
{
	struct dma_fault faults[DOMAIN_FAULTS_MAX];
	uint32_t max = (uint32_t)MIN_OF(r->out_room / sizeof *faults, ARRAY_COUNT(faults));
	uint32_t count = domain_take_faults(&domains->domain[o->domain], &o->faults_seen, faults, max);

	TRY(scheme_out(r, faults, count * sizeof *faults));
	tell_faults(o->domain);
	return count;
}

/* ---- Calls ---- */

static int64_t call_interrupt(struct scheme_request *r, const struct open *o, uint64_t number)
{
	struct irq_message wanted, out;

	if (o->kind != OPEN_OWNER)
		return ERR_PERM;
	if (!backend->interrupt)
		return ERR_OPNOTSUPP;
	TRY(scheme_in_struct(r, &wanted, sizeof wanted));
	TRY(backend->interrupt(o->domain, (uint32_t)number, &wanted, &out));
	return scheme_out(r, &out, sizeof out);
}

static int64_t call_info(struct scheme_request *r)
{
	struct dma_info info = { .is_isolated = backend->is_isolated, .address_bits = backend->address_bits };

	return scheme_out(r, &info, sizeof info);
}

static int64_t iommu_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct open *o = r->open;

	switch (code) {
	case DMA_INFO:
		return call_info(r);
	case DMA_ALLOCATE:
		return call_allocate(r, o->domain);
	case DMA_MAP:
		return call_map(r, o->domain, word);
	case DMA_UNMAP:
		return call_unmap(o->domain, word);
	case DMA_KEEPER:
		return call_keeper(r, o->domain);
	case DMA_FAULTS:
		return call_faults(r, o);
	case DMA_INTERRUPT:
		return call_interrupt(r, o, word);
	default:
		return ERR_NOTTY;
	}
}

static const struct scheme_ops iommu_ops = { .open = iommu_open, .named = iommu_named, .close = iommu_close, .call = iommu_call };

/* ---- Start ---- */

static err_t map_state(bool *again)
{
	handle_t state = startup_handle("state");
	size_t bytes = round_up(sizeof *domains, PAGE);
	int64_t at = sys_map(0, state, 0, bytes, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);

	if (at < 0)
		return (err_t)at;
	memory_init(state);
	domains = (struct domains *)at;
	tables.kept = &domains->tables;
	*again = domains_are_sane(domains);
	if (!*again)
		domains_init(domains);
	return OK;
}

/* What an instance before us had taken to tell may not have arrived. (The kernel hears us only once we receive.) */
static void tell_again(struct server_timer *t UNUSED)
{
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		tell_faults(i);
}

/* What an instance before us had opened goes on; what it began and did not answer is undone. */
static void adopt(void)
{
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		domains->domain[i].opens = 0;
	for (uint32_t i = 0; i < OPENS_MAX; i++) {
		const struct opens_entry *e = &domains->opens.entry[i];
		struct open *o;

		if (!e->id || e->index >= DOMAINS_MAX || !domains->domain[e->index].is_used || open_new(e->kind, e->index, &o))
			continue;
		o->id = e->id;
		domains->domain[e->index].opens++;
		if (ids_adopt(&scheme.ids, e->id, o))
			iommu_close(&scheme, o);
	}
	for (uint32_t i = 0; i < DOMAINS_MAX; i++)
		if (domains->domain[i].is_used && domains->domain[i].opens == 0)
			domain_drop(i);
}

static void start_backend(bool again)
{
	static const struct backend *const all[] = { &backend_vtd, &backend_virtio, &backend_none };

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		backend = all[i];
		if (backend->start(domains, &tables, again) == OK)
			break;
	}
	if (!backend->is_isolated)
		print("iommud: there is no IOMMU: what devices reach of memory is not held back\n");
	handle_t faults = backend->fault_handle();
	if (faults == HANDLE_NONE)
		return;
	server_add_watch(&server, &fault_watch, faults, READY_READ, faults_came);
	/* Those that nobody took make no new interrupt. */
	backend->faults(fault);
}

int program_main(const struct startup *startup UNUSED)
{
	bool again = false;
	err_t err;

	if ((err = map_state(&again)) || (err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &iommu_ops, NULL))) {
		print("iommud: cannot start: error %d\n", -err);
		return 1;
	}
	start_backend(again);
	adopt();
	server_timer_init(&first, tell_again);
	server_timer_set(&server, &first, 0);
	err = server_run(&server);
	print("iommud: ended with error %d\n", -err);
	return 1;
}
