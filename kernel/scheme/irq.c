/* kernel/scheme/irq.c - irq: interrupts as handles, for user 0.
 *
 * irq:N is ISA interrupt N. READ waits until it came and gives how often since the last READ; WRITE of that count says that
 * it has been handled and lets the next one through. A line is one handle's at a time.
 */
#include "kernel/obj/process.h"
#include "kernel/scheme/counter.h"
#include "kernel/scheme/table.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

struct irq {
	struct counter counter;
	uint32_t line;                  /* [I] after open */
};

static void irq_came(void *argument)
{
	struct irq *i = argument;

	spin_lock(&i->counter.lock);
	counter_add(&i->counter, 1);
	spin_unlock(&i->counter.lock);
}

static int64_t irq_write(struct resource *r, struct transfer *t)
{
	struct irq *i = r->data;

	if (t->bytes != sizeof(uint64_t))
		return ERR_INVAL;
	arch_irq_unmask(i->line);
	return (int64_t)t->bytes;
}

static void irq_destroy(struct resource *r)
{
	struct irq *i = r->data;

	arch_irq_detach(i->line, i);
}

static const struct resource_ops irq_ops = {
	.name = "interrupt", .data_bytes = sizeof(struct irq),
	.read = counter_read, .write = irq_write, .ready = counter_ready, .destroy = irq_destroy,
};

static err_t irq_open(uint32_t kind UNUSED, const char *number, const struct open_args *a, struct passed *out)
{
	uint64_t line;
	err_t err;

	if (number_parse(number, strlen(number), 10, &line) || line > UINT32_MAX)
		return ERR_NOENT;
	TRY(open_give(&irq_ops, NULL, a, RIGHT_READ | RIGHT_WRITE, out));
	struct irq *i = out->resource->data;
	counter_init(out->resource);
	i->line = (uint32_t)line;
	if ((err = arch_irq_attach(i->line, irq_came, i))) {
		resource_put(out->resource);
		out->resource = NULL;
		return err;
	}
	return OK;
}

const struct scheme_entry irq_scheme[] = { { .ref = "*", .is_privileged = true, .open = irq_open }, {0} };
