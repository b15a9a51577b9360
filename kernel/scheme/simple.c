/* kernel/scheme/simple.c - the small schemes: null: zero: env: debug:
 *
 * zero:full      reads as zero:, but is never written: there is no space left
 * env:           the kernel's command line
 * debug:         WRITE goes to the kernel's log; debug:log (user 0): READ gives it from the start, then what came since;
 *                debug:quiet (user 0): WRITE of "1" keeps the kernel off the serial port from now on, "0" undoes it
 */
#include "kernel/boot.h"
#include "kernel/debug/log.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/usercopy.h"
#include "kernel/obj/process.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/mem.h"
#include "kernel/scheme/table.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { LINE_MAX = 256 };

/* ---- null: and zero: ---- */

static int64_t null_read(struct resource *r UNUSED, struct transfer *t UNUSED) { return 0; }

static int64_t swallow(struct resource *r UNUSED, struct transfer *t) { return (int64_t)t->bytes; }

static int64_t zero_read(struct resource *r UNUSED, struct transfer *t)
{
	for (size_t done = 0, part; done < t->bytes; done += part) {
		part = MIN_OF(t->bytes - done, (size_t)PAGE_BYTES);
		err_t err = copy_pause(done, done);
		if (err || (err = copy_to_user(uaddr(t->buffer.raw + done), paddr_to_kernel(frame_zero()), part)))
			return done ? (int64_t)done : err;
	}
	return (int64_t)t->bytes;
}

static err_t zero_map(struct resource *r UNUSED, struct memobj **out, uint32_t *max_prot)
{
	*out = NULL;    /* demand-zero memory is just that */
	*max_prot = MAP_READ | MAP_WRITE | MAP_EXEC;
	return OK;
}

static const struct resource_ops null_ops = {
	.name = "null", .read = null_read, .write = swallow, .length = no_length,
};
static int64_t refuse(struct resource *r UNUSED, struct transfer *t UNUSED) { return ERR_NOSPC; }

static const struct resource_ops full_ops = { .name = "full", .read = zero_read, .write = refuse, .length = no_length };
static const struct resource_ops zero_ops = {
	.name = "zero", .read = zero_read, .write = swallow, .map = zero_map, .length = no_length,
};

const struct scheme_entry null_scheme[] = { { .ref = "", .ops = &null_ops }, {0} };
const struct scheme_entry zero_scheme[] = { { .ref = "", .ops = &zero_ops }, { .ref = "full", .ops = &full_ops }, {0} };

/* ---- env: ---- */

static int64_t env_read(struct resource *r UNUSED, struct transfer *t)
{
	const char *text = kernel_boot_info()->command_line;

	return transfer_bytes(t, text, strlen(text));
}

static const struct resource_ops env_ops = { .name = "env", .read = env_read, .length = no_length };

const struct scheme_entry env_scheme[] = { { .ref = "", .ops = &env_ops }, {0} };

/* ---- debug: ---- */

static int64_t debug_write(struct resource *r UNUSED, struct transfer *t)
{
	char line[LINE_MAX];
	size_t done = 0;

	while (done < t->bytes) {
		size_t bytes = MIN_OF(t->bytes - done, sizeof(line));
		err_t err = copy_from_user(line, uaddr(t->buffer.raw + done), bytes);
		if (err)
			return done ? (int64_t)done : err;
		klog("%.*s", (int)bytes, line);
		preempt_point();
		done += bytes;
	}
	return (int64_t)done;
}

/* The ring may have lost what stood at the offset: then the rest is as if it stood there. */
static int64_t log_read(struct resource *r UNUSED, struct transfer *t)
{
	char chunk[LINE_MAX];
	size_t copied;
	uint64_t end = klog_read(t->offset, chunk, MIN_OF(t->bytes, sizeof(chunk)), &copied);

	TRY(copy_to_user(t->buffer, chunk, copied));
	t->offset = end - copied;
	return (int64_t)copied;
}

static int64_t quiet_write(struct resource *r UNUSED, struct transfer *t)
{
	char flag;

	if (t->bytes < 1)
		return ERR_INVAL;
	TRY(copy_from_user(&flag, t->buffer, 1));
	klog_set_quiet(flag == '1');
	return (int64_t)t->bytes;
}

static const struct resource_ops debug_ops = { .name = "debug", .write = debug_write };
static const struct resource_ops log_ops = { .name = "debug:log", .read = log_read, .length = no_length };
static const struct resource_ops quiet_ops = { .name = "debug:quiet", .write = quiet_write };

const struct scheme_entry debug_scheme[] = {
	{ .ref = "", .ops = &debug_ops, .rights = RIGHT_WRITE },
	{ .ref = "log", .is_privileged = true, .ops = &log_ops, .rights = RIGHT_READ },
	{ .ref = "quiet", .is_privileged = true, .ops = &quiet_ops, .rights = RIGHT_WRITE },
	{0},
};
