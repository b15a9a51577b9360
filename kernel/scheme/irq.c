/* kernel/scheme/irq.c - irq: interrupts as handles, for user 0.
 *
 * irq:N is ISA interrupt N. READ waits until it came and gives how often so far; WRITE of that count says that
 * it has been handled and lets the next one through. A line is one handle's at a time.
 */
#include "kernel/mem/heap.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* Members: [l] lock, [I] immutable. */
struct irq {
	struct spinlock lock;           /* RANK_PIPE */
	struct resource *self;          /* [I] borrowed */
	uint32_t line;                  /* [I] */
	bool attached;                  /* [I] after open */
	uint64_t count, acknowledged;   /* [l] */
	struct list_node waiters;       /* [l] */
};

static void irq_came(void *argument)
{
	struct irq *i = argument;

	spin_lock(&i->lock);
	i->count++;
	wait_wake_all(&i->waiters);
	resource_notify(i->self, READY_READ);
	spin_unlock(&i->lock);
}

static int64_t irq_read(struct resource *r, struct transfer *t)
{
	struct irq *i = r->data;
	uint64_t count;
	err_t err = OK;

	if (t->bytes < sizeof(count))
		return ERR_INVAL;
	spin_lock(&i->lock);
	while ((count = i->count) == i->acknowledged && !err)
		err = wait_on(&i->waiters, &i->lock, t->open_flags, t->request_flags);
	bool came = count != i->acknowledged;
	spin_unlock(&i->lock);
	if (!came)
		return err;
	err = copy_to_user(t->buffer, &count, sizeof(count));
	return err ? err : (int64_t)sizeof(count);
}

static int64_t irq_write(struct resource *r, struct transfer *t)
{
	struct irq *i = r->data;
	uint64_t count;

	if (t->bytes != sizeof(count))
		return ERR_INVAL;
	TRY(copy_from_user(&count, t->buffer, sizeof(count)));
	spin_lock(&i->lock);
	bool due = count == i->count && i->acknowledged != count;
	if (due)
		i->acknowledged = count;
	spin_unlock(&i->lock);
	if (due)
		arch_irq_unmask(i->line);
	return (int64_t)sizeof(count);
}

static uint32_t irq_ready(struct resource *r)
{
	struct irq *i = r->data;
	spin_lock(&i->lock);
	bool ready = i->count != i->acknowledged;
	spin_unlock(&i->lock);
	return ready ? READY_READ : 0;
}

static void irq_destroy(struct resource *r)
{
	struct irq *i = r->data;
	if (i->attached)
		arch_irq_detach(i->line);
	heap_delete(i);
}

static const struct resource_ops irq_ops = {
	.name = "interrupt", .read = irq_read, .write = irq_write, .ready = irq_ready, .destroy = irq_destroy,
};

static err_t irq_open(const char *number, const struct open_args *a, struct passed *out)
{
	uint64_t line;
	err_t err;

	if (number_parse(number, strlen(number), 10, &line))
		return ERR_NOENT;
	struct irq *i = heap_new(struct irq);
	if (!i)
		return ERR_NOMEM;
	spin_init(&i->lock, RANK_PIPE);
	list_init(&i->waiters);
	i->line = line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
	if ((err = open_give(&irq_ops, i, a, RIGHT_READ | RIGHT_WRITE, out))) {
		heap_delete(i);
		return err;
	}
	i->self = out->resource;
	if ((err = arch_irq_attach(i->line, irq_came, i))) {
		resource_put(out->resource);
		out->resource = NULL;
		return err;
	}
	i->attached = true;
	arch_irq_unmask(i->line);
	return OK;
}

const struct scheme_entry irq_scheme[] = { { .ref = "*", .is_privileged = true, .open = irq_open }, {0} };
