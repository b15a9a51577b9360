/* kernel/scheme/counter.c - a number that grows and that READ waits for. */
#include "kernel/scheme/counter.h"
#include "kernel/mem/usercopy.h"
#include "kernel/sched/wait.h"
#include "kernel/scheme/table.h"
#include "lib/base/try.h"

struct counter *counter_init(struct resource *r)
{
	struct counter *c = r->data;

	spin_init(&c->lock, RANK_PIPE);
	list_init(&c->waiters);
	c->self = r;
	return c;
}

/* Readers and writers wait on one list. */
static void counter_set(struct counter *c, uint64_t value, uint32_t ready) REQUIRES(&c->lock)
{
	c->value = value;
	wait_wake_all(&c->waiters);
	resource_notify(c->self, ready);
}

void counter_add(struct counter *c, uint64_t amount) { counter_set(c, c->value + amount, READY_READ); }

int64_t counter_read(struct resource *r, struct transfer *t)
{
	struct counter *c = r->data;
	uint64_t taken = 0;

	if (t->bytes < sizeof(taken))
		return ERR_INVAL;
	spin_lock(&c->lock);
	err_t err = c->is_broken ? ERR_IO : OK;
	while (!c->value && !err)
		err = wait_on(&c->waiters, &c->lock, t->open_flags, t->request_flags);
	if (c->value && !c->is_broken) {
		taken = c->one_by_one ? 1 : c->value;
		counter_set(c, c->value - taken, READY_WRITE);
	}
	spin_unlock(&c->lock);
	if (taken)
		err = copy_to_user(t->buffer, &taken, sizeof(taken));
	return err ? err : (int64_t)sizeof(taken);
}

static int64_t counter_write(struct resource *r, struct transfer *t)
{
	struct counter *c = r->data;
	uint64_t amount;
	err_t err = OK;

	if (t->bytes < sizeof(amount))
		return ERR_INVAL;
	TRY(copy_from_user(&amount, t->buffer, sizeof(amount)));
	if (amount == UINT64_MAX)
		return ERR_INVAL;
	spin_lock(&c->lock);
	while (c->value > UINT64_MAX - 1 - amount && !err)
		err = wait_on(&c->waiters, &c->lock, t->open_flags, t->request_flags);
	if (!err)
		counter_add(c, amount);
	spin_unlock(&c->lock);
	return err ? err : (int64_t)sizeof(amount);
}

uint32_t counter_ready(struct resource *r)
{
	struct counter *c = r->data;

	spin_lock(&c->lock);
	uint32_t ready = (c->value ? READY_READ : 0) | (c->is_broken ? READY_ERROR : 0) |
	                 (r->ops->write && c->value < UINT64_MAX - 1 ? READY_WRITE : 0);
	spin_unlock(&c->lock);
	return ready;
}

static const struct resource_ops counter_ops = {
	.name = "counter", .data_bytes = sizeof(struct counter), .read = counter_read, .write = counter_write, .ready = counter_ready,
};

err_t counter_open(uint32_t one_by_one, const char *rest UNUSED, const struct open_args *a, struct passed *out)
{
	TRY(open_give(&counter_ops, NULL, a, RIGHT_READ | RIGHT_WRITE, out));
	counter_init(out->resource)->one_by_one = one_by_one;
	return OK;
}
