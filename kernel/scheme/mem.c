/* kernel/scheme/mem.c - mem: memory objects, and on x86 ranges of I/O ports.
 *
 * mem:new          an empty object; mem:new/BYTES one of that length
 * mem:phys         (user 0) MEM_PHYSICAL makes objects over device memory
 * mem:port:H+N     (user 0) N ports from hexadecimal H: READ or WRITE of 1, 2 or 4 bytes at offset is one access;
 *                  with ",repeat" a transfer of n bytes is n accesses to the port at offset
 */
#include "kernel/scheme/mem.h"
#include "abi/proto/dma.h"
#include "abi/proto/kernel.h"
#include "kernel/ipc/scheme.h"
#include "kernel/boot.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/scheme/sys.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/boot/boot_check.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- objects ---- */

int64_t content_transfer(struct resource *r, struct transfer *t)
{
	struct memobj *m = r->ops->content(r);
	size_t done;
	err_t err = t->is_write ? memobj_write(m, &t->offset, t->open_flags & OPEN_APPEND, t->buffer, t->bytes, &done)
	                        : memobj_read(m, t->offset, t->buffer, t->bytes, &done);
	return done ? (int64_t)done : err;
}

int64_t content_length(struct resource *r) { return (int64_t)memobj_bytes(r->ops->content(r)); }

err_t content_map(struct resource *r, struct memobj **out, uint32_t *max_prot)
{
	*out = memobj_get(r->ops->content(r));
	*max_prot = MAP_READ | MAP_WRITE | MAP_EXEC;
	return OK;
}

static struct memobj *object_content(struct resource *r) { return r->data; }

static const struct resource_ops object_ops;

/* Eats the reference. */
static err_t give_object(struct call_args *a, struct memobj *m)
{
	a->reply.rights = RIGHT_ALL & ~(uint32_t)(RIGHT_SERVE | RIGHT_ADMIN);
	return resource_create(&object_ops, m, OPEN_READ | OPEN_WRITE, &a->reply.resource);
}

static int64_t object_clone(struct memobj *m, struct call_args *a)
{
	struct account *payer = a->passed.resource ? account_of(a->passed.resource) : process_current()->account;
	struct mem_window w;
	struct memobj *clone;

	if (a->passed.resource && !payer)
		return ERR_INVAL;
	TRY(call_in(a, &w, sizeof(w)));
	TRY(memobj_create_clone(m, w.offset, w.bytes, payer, &clone));
	return give_object(a, clone);
}

static int64_t object_punch(struct memobj *m, struct call_args *a)
{
	struct mem_window w;

	TRY(call_in(a, &w, sizeof(w)));
	return memobj_punch(m, w.offset, w.bytes);
}

static int64_t object_info(struct memobj *m, struct call_args *a)
{
	struct mem_info info;
	memobj_info(m, &info);
	return call_out(a, &info, sizeof(info));
}

/* ---- objects whose pages a scheme has ---- */

struct pager {
	struct resource *endpoint;
	uint64_t id;
};

static err_t pager_ask(void *context, struct memobj *m, uint64_t offset)
{
	struct pager *p = context;
	paddr_t frame;
	err_t err;

	TRY(frame_alloc(0, FRAME_ZEROED, NULL, &frame));
	void *page = paddr_to_kernel(frame);
	if (!(err = scheme_ask_page(p->endpoint, p->id, offset, page)))
		err = memobj_supply(m, offset, page);
	frame_put(frame);
	return err;
}

static void pager_drop(void *context)
{
	struct pager *p = context;
	resource_put(p->endpoint);
	heap_delete(p);
}

/* A paged object of the called object's length; the reply is its handle. */
static int64_t object_pager(struct memobj *m, struct call_args *a)
{
	struct memobj *paged;
	err_t err;

	if (!a->passed.resource || !scheme_is_endpoint(a->passed.resource) || !(a->passed.rights & RIGHT_SERVE))
		return ERR_BADF;
	struct pager *p = heap_new(struct pager);
	if (!p)
		return ERR_NOMEM;
	p->endpoint = resource_get(a->passed.resource);
	p->id = a->word;
	if ((err = memobj_create_paged(memobj_bytes(m), process_current()->account, pager_ask, pager_drop, p, &paged))) {
		pager_drop(p);
		return err;
	}
	return give_object(a, paged);
}

/* ---- What devices reach ---- */

static int64_t object_append(struct memobj *m, uint64_t word)
{
	paddr_t start;

	TRY(memobj_append(m, (uint32_t)word, word >> 32 & DMA_32_BIT ? FRAME_BELOW_4G : 0, &start));
	return (int64_t)start.raw;
}

/* Whoever passed the object must be able to do himself what the device is to do. */
static int64_t object_keep(struct memobj *keeper, struct call_args *a)
{
	struct passed *p = &a->passed;
	struct mem_keep k;

	TRY(call_in(a, &k, sizeof(k)));
	if (!k.pages || k.pages > MEM_KEEP_MAX || (k.first | k.number) >> 48)
		return ERR_INVAL;
	struct dma_piece piece = { .bytes = k.pages << PAGE_SHIFT };
	if (!p->resource) {
		memobj_unkeep(keeper, k.number, k.pages);
		return OK;
	}
	bool write = k.access & DMA_WRITE;
	if ((RIGHT_MAP | RIGHT_READ | (write ? RIGHT_WRITE : 0)) & ~p->rights)
		return ERR_ACCES;
	/* Only what is one already: other resources' servers and pagers would be waited for, by whoever keeps for everybody. */
	struct memobj *m = memobj_of(p->resource);
	err_t err = m ? memobj_keep(keeper, k.number, m, NULL, k.first << PAGE_SHIFT, write, &piece) : ERR_INVAL;
	return err ? err : call_out(a, &piece, sizeof(piece));
}

static int64_t object_dma(struct memobj *m, struct call_args *a)
{
	if (process_current()->sender.uid != 0)
		return ERR_PERM;
	return a->code == MEM_APPEND ? object_append(m, a->word) : object_keep(m, a);
}

static int64_t object_call(struct resource *r, struct call_args *a)
{
	struct memobj *m = r->data;
	bool may_write = a->rights & RIGHT_WRITE;

	switch (a->code) {
	case MEM_RESIZE:
		return may_write ? memobj_resize(m, a->word) : ERR_ACCES;
	case MEM_INFO:
		return object_info(m, a);
	case MEM_CLONE:
		return a->rights & RIGHT_READ ? object_clone(m, a) : ERR_ACCES;
	case MEM_PUNCH:
		return may_write ? object_punch(m, a) : ERR_ACCES;
	case MEM_SEAL:
		return may_write ? memobj_seal(m, a->word) : ERR_ACCES;
	case MEM_NEXT_DATA:
		return memobj_next_data(m, a->word);
	case MEM_PAGER:
		return may_write ? object_pager(m, a) : ERR_ACCES;
	case MEM_APPEND:
	case MEM_KEEP:
		return may_write || a->code == MEM_KEEP ? object_dma(m, a) : ERR_ACCES;
	default:
		return ERR_NOTTY;
	}
}

static void object_destroy(struct resource *r) { memobj_put(r->data); }

static const struct resource_ops object_ops = {
	.name = "memory object", .read = content_transfer, .write = content_transfer, .call = object_call, .map = content_map,
	.length = content_length, .content = object_content, .destroy = object_destroy,
};

struct memobj *memobj_of(struct resource *r) { return resource_data(r, &object_ops); }

err_t memobj_resource(struct memobj *m, struct resource **out)
{
	return resource_create(&object_ops, memobj_get(m), OPEN_READ | OPEN_WRITE, out);
}

err_t mem_open_new(struct account *payer, uint64_t bytes, const struct open_args *a, struct passed *out)
{
	struct memobj *m;

	TRY(memobj_create(bytes, payer, &m));
	return open_give(&object_ops, m, a, RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_EXEC, out);
}

/* ---- device memory ---- */

static int64_t physical_call(struct resource *r UNUSED, struct call_args *a)
{
	struct mem_window w;
	struct memobj *m;

	if (a->code != MEM_PHYSICAL)
		return ERR_NOTTY;
	TRY(call_in(a, &w, sizeof(w)));
	if (w.offset % PAGE_BYTES || w.bytes > UINT64_MAX - w.offset || a->word > MEM_WRITE_COMBINING)
		return ERR_INVAL;
	/* RAM is not device memory: whoever wants some makes an object. Tables of the firmware may lie between. */
	for (uint64_t p = w.offset; p < w.offset + w.bytes; p += PAGE_BYTES)
		if (frame_of(paddr(p)) && !boot_memory_is_firmware(kernel_boot_info(), p))
			return ERR_PERM;
	TRY(memobj_create_physical(paddr(w.offset), w.bytes, (enum mem_cache)a->word, &m));
	return give_object(a, m);
}

static const struct resource_ops physical_ops = { .name = "physical memory", .call = physical_call };

/* ---- I/O ports ---- */

struct ports {
	uint16_t first, count;
	bool repeat;
};

static int64_t ports_transfer(struct resource *r, struct transfer *t)
{
	const struct ports *p = r->data;
	size_t width = p->repeat ? 1 : t->bytes, bytes = p->repeat ? MIN_OF(t->bytes, 64u) : t->bytes;
	uint16_t port = (uint16_t)(p->first + t->offset);
	uint8_t chunk[64];

	if (t->offset >= p->count || (width != 1 && width != 2 && width != 4) || t->offset + width > p->count)
		return ERR_INVAL;
	if (t->is_write)
		TRY(copy_from_user(chunk, t->buffer, bytes));
	for (size_t i = 0; i < bytes; i += width) {
		uint32_t value = 0;

		memcpy(&value, chunk + i, width);
		if (t->is_write)
			arch_port_write(port, width, value);
		else
			value = arch_port_read(port, width);
		memcpy(chunk + i, &value, width);
	}
	if (!t->is_write)
		TRY(copy_to_user(t->buffer, chunk, bytes));
	return (int64_t)bytes;
}

static const struct resource_ops ports_ops = {
	.name = "ports", .data_bytes = sizeof(struct ports),
	.read = ports_transfer, .write = ports_transfer, .length = no_length,
};

/* H+N[,repeat] */
static err_t ports_parse(const char *spec, struct ports *out)
{
	uint64_t first, count;
	size_t digits = number_scan(spec, strlen(spec), 16, &first);

	if (!digits || spec[digits] != '+')
		return ERR_NOENT;
	spec += digits + 1;
	digits = number_scan(spec, strlen(spec), 10, &count);
	out->repeat = strcmp(spec + digits, ",repeat") == 0;
	if (!digits || (spec[digits] && !out->repeat))
		return ERR_NOENT;
	if (count == 0 || count > 0x10000 || first > 0x10000 - count)
		return ERR_INVAL;
	out->first = (uint16_t)first;
	out->count = (uint16_t)(count - (count == 0x10000));
	return OK;
}

static err_t ports_open(uint32_t kind UNUSED, const char *spec, const struct open_args *a, struct passed *out)
{
	struct ports p;

	TRY(ports_parse(spec, &p));
	TRY(open_give(&ports_ops, NULL, a, 0, out));
	*(struct ports *)out->resource->data = p;
	return OK;
}

/* ---- mem: ---- */

static err_t new_open(uint32_t kind UNUSED, const char *size, const struct open_args *a, struct passed *out)
{
	uint64_t bytes = 0;

	if (*size && (*size != '/' || number_parse(size + 1, strlen(size + 1), 10, &bytes)))
		return ERR_NOENT;
	return mem_open_new(process_current()->account, bytes, a, out);
}

const struct scheme_entry mem_scheme[] = {
	{ .ref = "new*", .open = new_open },
	{ .ref = "phys", .is_privileged = true, .ops = &physical_ops },
	{ .ref = "port:*", .is_privileged = true, .open = ports_open },
	{0},
};
