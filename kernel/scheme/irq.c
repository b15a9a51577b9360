/* kernel/scheme/irq.c - irq: interrupts as handles, for user 0.
 *
 * irq:N is ISA interrupt N. READ waits until it came and gives how often since the last READ; WRITE of that count says that
 * it has been handled and lets the next one through. A line is one handle's at a time. irq:message is one that a device sends by a
 * memory write of its own (IRQ_MESSAGE says which). What comes IRQ_STORM times without having been taken is masked for good.
 */
#include "abi/proto/kernel.h"
#include "kernel/debug/log.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/paging.h"
#include "kernel/obj/process.h"
#include "kernel/scheme/counter.h"
#include "kernel/scheme/table.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { IRQ_STORM = 10000 };

/* Members: [l] counter.lock, [I] immutable after open. */
struct irq {
	struct counter counter;
	uint32_t line;                  /* [I] */
	struct irq_message message;     /* [I] address 0: a line */
	/* Where to write what against a storm; NULL: nowhere. Said before the device may interrupt. */
	volatile uint32_t *_Atomic mask_at;
	_Atomic uint32_t mask_value;
};

static bool irq_came(void *argument)
{
	struct irq *i = argument;

	spin_lock(&i->counter.lock);
	if (!i->counter.is_broken)
		counter_add(&i->counter, 1);
	if (!i->counter.is_broken && i->counter.value >= IRQ_STORM) {
		i->counter.is_broken = true;
		if (i->mask_at)
			*i->mask_at = i->mask_value;
		klog("irq: interrupt %u came %u times and nobody took it: masked\n", i->line, IRQ_STORM);
		resource_notify(i->counter.self, READY_ERROR);
	}
	spin_unlock(&i->counter.lock);
	return i->counter.is_broken;
}

static int64_t irq_write(struct resource *r, struct transfer *t)
{
	struct irq *i = r->data;

	if (t->bytes != sizeof(uint64_t))
		return ERR_INVAL;
	if (i->counter.is_broken)
		return ERR_IO;
	arch_irq_unmask(i->line);
	return (int64_t)t->bytes;
}

/* Only who opened it says where the kernel writes: what he passes on lacks the right. */
static int64_t irq_call(struct resource *r, struct call_args *a)
{
	struct irq *i = r->data;
	struct irq_mask mask;

	if (a->code != IRQ_MESSAGE || !i->message.address)
		return ERR_NOTTY;
	if (!(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	TRY(call_in(a, &mask, sizeof(mask)));
	if (mask.address % sizeof(uint32_t) || (mask.address && frame_of(paddr(mask.address))))
		return ERR_INVAL;
	i->mask_value = mask.value;
	i->mask_at = mask.address ? paging_map_device(paddr(mask.address)) : NULL;
	return call_out(a, &i->message, sizeof(i->message));
}

static void irq_destroy(struct resource *r)
{
	struct irq *i = r->data;

	arch_irq_detach(i->line, i);
}

static const struct resource_ops irq_ops = {
	.name = "interrupt", .data_bytes = sizeof(struct irq),
	.read = counter_read, .write = irq_write, .call = irq_call, .ready = counter_ready, .destroy = irq_destroy,
};

static err_t irq_open(uint32_t is_message, const char *number, const struct open_args *a, struct passed *out)
{
	uint64_t line = UINT32_MAX;
	err_t err;

	if (!is_message && (number_parse(number, strlen(number), 10, &line) || line > UINT32_MAX))
		return ERR_NOENT;
	TRY(open_give(&irq_ops, NULL, a, RIGHT_READ | RIGHT_WRITE | (is_message ? RIGHT_ADMIN : 0), out));
	struct irq *i = out->resource->data;
	counter_init(out->resource);
	i->line = (uint32_t)line;
	err = is_message ? arch_message_attach(irq_came, i, &i->line, &i->message) : arch_irq_attach(i->line, irq_came, i);
	if (err) {
		resource_put(out->resource);
		out->resource = NULL;
		return err;
	}
	return OK;
}

const struct scheme_entry irq_scheme[] = {
	{ .ref = "message", .is_privileged = true, .open = irq_open, .kind = true },
	{ .ref = "*", .is_privileged = true, .open = irq_open },
	{0},
};
