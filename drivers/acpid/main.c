/* drivers/acpid/main.c - serves power: (abi/proto/power.def).
 *
 * Handles: scheme, ready, log; boot (sys:boot), phys (mem:phys), ports (all of them), pci (pci:), init (init:). Schemes: irq. It keeps nothing that its
 * next instance could not ask the firmware again.
 */
#include "abi/proto/power.h"
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/osl.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

static struct server server;
static struct scheme scheme;
static bool has_firmware;
static char text[POWER_TEXT_MAX];
static size_t text_bytes;

static int64_t power_open(struct scheme_request *r, const char *ref UNUSED, size_t ref_bytes, uint32_t open_flags UNUSED, uint32_t mode UNUSED)
{
	if (r->open || ref_bytes > 0)
		return ERR_NOENT;
	r->opened = &scheme;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static err_t power_revive(struct scheme_request *r)
{
	r->opened = &scheme;
	return OK;
}

/* What is read on belongs to what was read last from the beginning. */
static int64_t power_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	if (offset == 0 && has_firmware)
		text_bytes = status_text(text, sizeof text);
	if (offset >= text_bytes)
		return 0;
	size_t n = MIN_OF(MIN_OF(bytes, r->out_room), text_bytes - (size_t)offset);
	memcpy(r->out, text + offset, n);
	return (int64_t)n;
}

static int64_t power_length(struct scheme_request *r UNUSED) { return 0; }

static int64_t power_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code != POWER_MACHINE)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (word != POWER_OFF && word != POWER_RESTART)
		return ERR_INVAL;
	return has_firmware ? power_machine((enum power)word) : ERR_NODEV;
}

static const struct scheme_ops power_ops = {
	.open = power_open, .revive = power_revive, .read = power_read, .length = power_length, .call = power_call, .needs_sender = true,
};

int program_main(const struct startup *startup UNUSED)
{
	err_t err;

	if ((err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &power_ops, NULL))) {
		print("acpid: cannot start: error %d\n", -err);
		return 1;
	}
	has_firmware = (err = osl_init(&server)) == OK && (err = acpi_start()) == OK;
	if (has_firmware)
		lines_tell();
	else
		print("acpid: no ACPI: error %d\n", -err);
	print("acpid: %u KiB of memory in use\n", (unsigned)(heap_used_bytes() / 1024));
	err = server_run(&server);
	print("acpid: ended with error %d\n", -err);
	return 1;
}
