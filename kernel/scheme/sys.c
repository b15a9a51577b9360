/* kernel/scheme/sys.c - sys: the machine as a whole.
 *
 * sys:info            SYS_INFO
 * sys:trace           (user 0) SYS_TRACE starts (anew) and stops; READ gives the records once stopped
 * sys:namespace       a new empty namespace; sys:self-namespace: the caller's own, not to be changed
 * sys:account         (user 0) ACCOUNT_CREATE makes accounts without a parent
 * sys:boot            (user 0) READ: struct boot_info, as the loader gave it and the kernel tidied it
 */
#include "kernel/scheme/sys.h"
#include "abi/proto/kernel.h"
#include "kernel/boot.h"
#include "kernel/debug/log.h"
#include "kernel/debug/trace.h"
#include "kernel/mem/account.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/mem.h"
#include "kernel/scheme/proc.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

/* ---- sys:info ---- */

static void fill_info(struct system_info *i)
{
	struct clock_scale scale = arch_clock_scale();

	memset(i, 0, sizeof(*i));
	i->memory_bytes = frame_count_total() * PAGE_BYTES;
	i->free_bytes = frame_count_free() * PAGE_BYTES;
	i->kernel_bytes = frame_count_kernel() * PAGE_BYTES;
	i->uptime_ns = clock_now_ns();
	i->boot_realtime_ns = clock_realtime_offset_ns();
	i->cpus = cpu_count;
	for (uint32_t c = 0; c < cpu_count; c++) {
		/* What runs now is counted at its next switch; a hog's may be long away. */
		uint64_t uncharged = i->uptime_ns > cpus[c]->charged_ns ? i->uptime_ns - cpus[c]->charged_ns : 0;
		bool idle = cpus[c]->current == cpus[c]->idle;
		i->idle_ns[c] = cpus[c]->idle_ns + (idle ? uncharged : 0);
		i->busy_ns[c] = cpus[c]->busy_ns + (idle ? 0 : uncharged);
		i->timer_interrupts[c] = cpus[c]->timer_interrupts;
		i->kicks[c] = cpus[c]->kicks;
		i->shootdowns[c] = cpus[c]->shootdowns;
		i->switches += cpus[c]->switches;
		i->interrupts += cpus[c]->interrupts;
		i->requests += cpus[c]->requests;
	}
	i->processes = id_count(ID_PROCESS);
	i->threads = id_count(ID_THREAD);
	i->running = sched_count_running();
	i->tsc_hz = (1000000000ull << scale.shift) / scale.mult;
}

static int64_t info_call(struct resource *r UNUSED, struct call_args *a)
{
	struct system_info info;

	if (a->code != SYS_INFO)
		return ERR_NOTTY;
	fill_info(&info);
	return call_out(a, &info, sizeof(info));
}

static const struct resource_ops info_ops = { .name = "sys:info", .call = info_call };

/* ---- sys:trace ---- */

static int64_t trace_call(struct resource *r UNUSED, struct call_args *a)
{
	if (a->code != SYS_TRACE)
		return ERR_NOTTY;
	if (a->word == TRACE_START)
		return trace_start();
	if (a->word != TRACE_STOP)
		return ERR_INVAL;
	process_trace_names();
	trace_stop();
	return OK;
}

/* Some whole records; 0 bytes: there are no more. */
static int64_t trace_read_op(struct resource *r UNUSED, struct transfer *t)
{
	struct trace_record chunk[16];
	size_t wanted = MIN_OF(t->bytes / sizeof(*chunk), ARRAY_COUNT(chunk));

	if (wanted == 0)
		return ERR_INVAL;
	size_t bytes = trace_read(t->offset / sizeof(*chunk), chunk, wanted) * sizeof(*chunk);
	TRY(copy_to_user(t->buffer, chunk, bytes));
	return (int64_t)bytes;
}

static const struct resource_ops trace_ops = {
	.name = "sys:trace", .call = trace_call, .read = trace_read_op, .length = no_length,
};

/* ---- accounts ---- */

static const struct resource_ops account_ops;

static int64_t account_make(struct account *parent, struct call_args *a)
{
	struct account_limits limits;
	struct account *child;

	TRY(call_in(a, &limits, sizeof(limits)));
	TRY(account_create(parent, &limits, &child));
	a->reply.rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | RIGHT_ADMIN;
	return resource_create(&account_ops, child, 0, &a->reply.resource);
}

/* r->data is NULL: sys:account itself, above all accounts. */
static int64_t account_call(struct resource *r, struct call_args *a)
{
	struct account_limits limits;
	struct account_info info;

	if (a->code != ACCOUNT_INFO && !(a->rights & RIGHT_ADMIN))
		return ERR_ACCES;
	if (a->code == ACCOUNT_CREATE)
		return account_make(r->data, a);
	if (!r->data || (a->code != ACCOUNT_INFO && a->code != ACCOUNT_SET))
		return ERR_NOTTY;
	if (a->code == ACCOUNT_INFO) {
		account_info(r->data, &info);
		return call_out(a, &info, sizeof(info));
	}
	TRY(call_in(a, &limits, sizeof(limits)));
	account_set(r->data, &limits);
	return OK;
}

static err_t account_open(struct resource *r, const struct open_args *a, struct passed *out)
{
	char ref[REF_MAX];

	TRY(open_ref(a, ref));
	if (strcmp(ref, "space") == 0)
		return proc_open_space(r->data, out);
	return strcmp(ref, "memory") == 0 ? mem_open_new(r->data, 0, a, out) : ERR_NOENT;
}

static void account_destroy_op(struct resource *r) { account_put(r->data); }

static const struct resource_ops account_ops = {
	.name = "account", .call = account_call, .open = account_open, .destroy = account_destroy_op,
};

struct account *account_of(struct resource *r) { return resource_data(r, &account_ops); }

/* ---- sys:boot ---- */

static int64_t boot_read(struct resource *r UNUSED, struct transfer *t)
{
	return transfer_bytes(t, kernel_boot_info(), sizeof(struct boot_info));
}

static const struct resource_ops boot_ops = { .name = "sys:boot", .read = boot_read, .length = no_length };

/* ---- sys: ---- */

static err_t open_namespace(uint32_t own, const char *rest UNUSED, const struct open_args *a UNUSED, struct passed *out)
{
	struct namespace *n = own ? process_namespace(process_current()) : NULL;
	err_t err = own ? (n ? OK : ERR_NODEV) : namespace_create(&n);

	if (!err)
		err = namespace_resource(n, &out->resource);
	namespace_put(n);
	out->rights = RIGHT_CALL | RIGHT_DUP | RIGHT_SEND | (own ? 0 : RIGHT_ADMIN);
	return err;
}

const struct scheme_entry sys_scheme[] = {
	{ .ref = "info", .ops = &info_ops },
	{ .ref = "namespace", .open = open_namespace },
	{ .ref = "self-namespace", .open = open_namespace, .kind = true },
	{ .ref = "trace", .is_privileged = true, .ops = &trace_ops, .rights = RIGHT_READ },
	{ .ref = "account", .is_privileged = true, .ops = &account_ops, .rights = RIGHT_ADMIN },
	{ .ref = "boot", .is_privileged = true, .ops = &boot_ops, .rights = RIGHT_READ },
	{0},
};
