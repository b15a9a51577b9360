/* lib/driver/driver.c - the claim's calls as functions. */
#include "lib/native/print.h"
#include "lib/driver/driver.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/try.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/startup.h"

enum { PAGE = 4096 };

err_t device_open(struct device *d, const char *handle_name)
{
	handle_t claim = startup_handle(handle_name);

	return claim == HANDLE_NONE ? ERR_NOENT : device_open_claim(d, claim);
}

err_t device_open_claim(struct device *d, handle_t claim)
{
	*d = (struct device){ .handle = claim, .dma = HANDLE_NONE };
	return result_error(handle_call(d->handle, DEVICE_INFO, NULL, 0, &d->info, sizeof d->info, 0));
}

void device_close(struct device *d)
{
	handle_close(d->dma);
	handle_close(d->handle);
	*d = (struct device){ .handle = HANDLE_NONE, .dma = HANDLE_NONE };
}

err_t device_config(struct device *d, uint32_t offset, uint32_t bytes, uint32_t *out)
{
	uint32_t value = 0;

	if ((bytes != 1 && bytes != 2 && bytes != 4) || offset % bytes || !range_fits(offset, bytes, d->info.config_bytes))
		return ERR_INVAL;
	TRY(handle_read_at(d->handle, &value, bytes, offset));
	*out = value;
	return OK;
}

/* ---- Registers ---- */

/* Part 0 or 1 of the BAR's memory, at its place in the range that was set aside. NOENT: there is no such part. */
static err_t map_part(struct device *d, uint32_t bar, uint32_t part, uint64_t at, uint64_t bytes)
{
	struct device_registers r;
	handle_t object;

	TRY(result_error(sys_call_handle(0, d->handle, DEVICE_REGISTERS, HANDLE_NONE, NULL, 0,
	                                 &r, sizeof r, bar | (uint64_t)part << 8, &object)));
	int64_t result = sys_map(0, object, at, bytes, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_FIXED, 0, HANDLE_NONE, 0);
	handle_close(object);
	return result_error(result);
}

static err_t map_memory(struct device *d, uint32_t bar, struct device_bar *b)
{
	uint64_t all = round_up(b->bytes, PAGE), before = b->hole_bytes ? b->hole_offset : all, behind = b->hole_offset + b->hole_bytes;
	int64_t at = sys_map(0, HANDLE_NONE, 0, all, 0, 0, HANDLE_NONE, 0);
	err_t err = at < 0 ? (err_t)at : OK;

	if (!err && before)
		err = map_part(d, bar, 0, (uint64_t)at, before);
	if (!err && b->hole_bytes && behind < all)
		err = map_part(d, bar, 1, (uint64_t)at + behind, all - behind);
	if (err && at > 0)
		(void)sys_unmap(0, HANDLE_NONE, (uint64_t)at, all);
	b->at = (volatile uint8_t *)at;
	return err;
}

err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out)
{
	struct device_registers r;
	handle_t h;
	uint32_t part = 0;
	int64_t result;

	/* Where the table's pages are the first there is but a part behind them. */
	while ((result = sys_call_handle(0, d->handle, DEVICE_REGISTERS, HANDLE_NONE, NULL, 0, &r, sizeof r, bar | (uint64_t)part << 8, &h)) == ERR_NOENT &&
	       part == 0)
		part++;
	if (result < 0)
		return (err_t)result;
	*out = (struct device_bar){ .ports = HANDLE_NONE, .bytes = r.bytes, .hole_offset = r.hole_offset, .hole_bytes = r.hole_bytes };
	if (r.kind == DEVICE_BAR_PORTS) {
		out->ports = h;
		return OK;
	}
	handle_close(h);
	return map_memory(d, bar, out);
}

err_t device_interrupt(struct device *d, uint32_t number, handle_t *out)
{
	struct device_interrupt i;
	int64_t result = sys_call_handle(0, d->handle, DEVICE_INTERRUPT, HANDLE_NONE, NULL, 0, &i, sizeof i, number, out);

	if (result < 0 || *out == HANDLE_NONE)
		return result < 0 ? (err_t)result : ERR_PROTO;
	d->interrupt_kind = i.kind;
	return OK;
}

err_t device_reset(struct device *d) { return result_error(handle_call(d->handle, DEVICE_RESET, NULL, 0, NULL, 0, 0)); }

/* ---- DMA ---- */

static err_t need_domain(struct device *d)
{
	return d->dma != HANDLE_NONE ? OK : handle_call_get(d->handle, DEVICE_DMA, NULL, 0, 0, &d->dma);
}

err_t dma_allocate(struct device *d, size_t bytes, size_t piece_bytes_min, uint32_t dma_flags, struct dma_memory *out)
{
	struct dma_request q = { .bytes = bytes, .piece_bytes_min = piece_bytes_min, .dma_flags = dma_flags };
	static struct dma_piece pieces[DMA_PIECES_MAX];
	handle_t object;

	if (bytes == 0 || bytes > SIZE_MAX - PAGE)
		return ERR_INVAL;
	TRY(need_domain(d));
	int64_t count = sys_call_handle(0, d->dma, DMA_ALLOCATE, HANDLE_NONE, &q, sizeof q, pieces, sizeof pieces, 0, &object);
	if (count < 0)
		return (err_t)count;
	uint64_t address = pieces[0].address;
	struct dma_piece *kept = heap_alloc((size_t)count * sizeof *kept);
	int64_t at = kept ? sys_map(0, object, 0, round_up(bytes, PAGE), MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0) : ERR_NOMEM;
	handle_close(object);
	if (at < 0) {
		heap_free(kept, (size_t)count * sizeof *kept);
		(void)handle_call(d->dma, DMA_UNMAP, NULL, 0, NULL, 0, address);
		return (err_t)at;
	}
	for (int64_t i = 0; i < count; i++)
		kept[i] = pieces[i];
	*out = (struct dma_memory){ .at = (uint8_t *)at, .bytes = bytes, .piece_count = (uint32_t)count, .piece = kept };
	return OK;
}

err_t dma_map(struct device *d, handle_t object, size_t bytes, uint32_t access, struct dma_piece *piece, uint32_t max, uint32_t *count)
{
	struct dma_window w = { 0, bytes };
	handle_t none;

	TRY(need_domain(d));
	int64_t result = sys_call_handle(0, d->dma, DMA_MAP, object, &w, sizeof w, piece, max * sizeof *piece, access, &none);
	if (result < 0)
		return (err_t)result;
	*count = (uint32_t)result;
	return result > 0 ? OK : ERR_PROTO;
}

void dma_unmap(struct device *d, uint64_t address)
{
	(void)handle_call(d->dma, DMA_UNMAP, NULL, 0, NULL, 0, address);
}

void dma_free(struct device *d, struct dma_memory *m)
{
	(void)handle_call(d->dma, DMA_UNMAP, NULL, 0, NULL, 0, m->piece[0].address);
	(void)sys_unmap(0, HANDLE_NONE, (uint64_t)m->at, round_up(m->bytes, PAGE));
	heap_free(m->piece, m->piece_count * sizeof *m->piece);
	*m = (struct dma_memory){ 0 };
}

/* So much at a time never has more pieces than fit an answer; behind an IOMMU it is always one. */
static size_t share_step(const struct device *d, size_t bytes)
{
	size_t step = (size_t)DMA_PIECES_MAX * PAGE;

	return d->info.is_isolated ? bytes : MIN_OF(bytes, step);
}

static err_t share_more(struct device *d, handle_t object, struct dma_window w, uint32_t access, struct dma_memory *m)
{
	static struct dma_piece pieces[DMA_PIECES_MAX];
	handle_t none;
	int64_t count = sys_call_handle(0, d->dma, DMA_MAP, object, &w, sizeof w, pieces, sizeof pieces, access, &none);

	if (count <= 0)
		return count < 0 ? (err_t)count : ERR_PROTO;
	struct dma_piece *grown = heap_grow(m->piece, m->piece_count * sizeof *grown, (m->piece_count + (size_t)count) * sizeof *grown);
	if (!grown) {
		dma_unmap(d, pieces[0].address);
		return ERR_NOMEM;
	}
	for (int64_t i = 0; i < count; i++)
		grown[m->piece_count++] = pieces[i];
	m->piece = grown;
	m->bytes += w.bytes;
	return OK;
}

err_t dma_share(struct device *d, handle_t object, uint64_t offset, size_t bytes, uint32_t access, struct dma_memory *out)
{
	if (bytes == 0 || (offset | bytes) % PAGE)
		return ERR_INVAL;
	TRY(need_domain(d));
	size_t step = share_step(d, bytes);
	*out = (struct dma_memory){ 0 };
	while (out->bytes < bytes) {
		struct dma_window w = { .offset = offset + out->bytes, .bytes = MIN_OF(step, bytes - out->bytes) };
		err_t err = share_more(d, object, w, access, out);
		if (err) {
			dma_unshare(d, out);
			return err;
		}
	}
	return OK;
}

void dma_unshare(struct device *d, struct dma_memory *m)
{
	size_t at = 0, step = share_step(d, m->bytes);

	/* Each step is known by its first piece. */
	for (uint32_t i = 0; i < m->piece_count; at += m->piece[i++].bytes)
		if (at % step == 0)
			dma_unmap(d, m->piece[i].address);
	heap_free(m->piece, m->piece_count * sizeof *m->piece);
	*m = (struct dma_memory){ 0 };
}

err_t dma_keeper(struct device *d, struct dma_keeper *out)
{
	TRY(need_domain(d));
	int64_t base = sys_call_handle(0, d->dma, DMA_KEEPER, HANDLE_NONE, NULL, 0, NULL, 0, 0, &out->handle);
	if (base < 0)
		return (err_t)base;
	out->base = (uint64_t)base;
	return OK;
}

void dma_unkeep(const struct dma_keeper *keeper, uint64_t number, uint64_t pages)
{
	struct mem_keep k = { .number = keeper->base + number, .pages = pages };

	(void)handle_call(keeper->handle, MEM_KEEP, &k, sizeof k, NULL, 0, 0);
}

uint64_t dma_address(const struct dma_memory *m, size_t offset, size_t *run_out)
{
	uint32_t i = 0;

	while (offset >= m->piece[i].bytes)
		offset -= m->piece[i++].bytes;
	uint64_t run = m->piece[i].bytes - offset;
	if (run_out)
		*run_out = run;
	return m->piece[i].address + offset;
}

void driver_fail(const char *why)
{
	print("%s\n", why);
	program_exit(1);
}
