/* drivers/acpid/main.c - serves power: (abi/proto/power.def).
 *
 * Handles: scheme, ready, log; state (how earlier starts ended); boot (sys:boot), phys (mem:phys), ports (all of them), pci (pci:), init (init:). Schemes: irq. It keeps nothing that its
 * next instance could not ask the firmware again. Should it be the firmware's bytecode that ends us, time after time, we go on with less of it.
 */
#include "abi/proto/power.h"
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/osl.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/sys.h"

/* Starts in a row that did not come to their end. After so many only the main table is loaded, then none. */
enum { STARTS_WHOLE = 3, STARTS_MAIN = 6, PAGE = 4096 };
struct state { uint32_t starts; };

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

static err_t firmware_start(void)
{
	static struct state none;
	struct state *state = &none;
	int64_t at = sys_map(0, startup_handle("state"), 0, PAGE, MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);
	err_t err;

	if (at >= 0)
		state = (struct state *)at;
	if (state->starts >= STARTS_MAIN) {
		print("acpid: the firmware's bytecode has ended us %u times\n", state->starts);
		return ERR_NODEV;
	}
	if (state->starts >= STARTS_WHOLE)
		print("acpid: goes on with the firmware's main table only\n");
	state->starts++;
	if (!(err = osl_init(&server)) && !(err = acpi_start(state->starts > STARTS_WHOLE))) {
		lines_tell();
		clock_start(&server);
	}
	state->starts = 0;
	return err;
}

int program_main(const struct startup *startup UNUSED)
{
	err_t err;

	if ((err = server_init(&server)) || (err = server_add_scheme(&server, &scheme, NULL, &power_ops, NULL))) {
		print("acpid: cannot start: error %d\n", -err);
		return 1;
	}
	has_firmware = (err = firmware_start()) == OK;
	if (!has_firmware)
		print("acpid: no ACPI: error %d\n", -err);
	print("acpid: %u KiB of memory in use\n", (unsigned)(heap_used_bytes() / 1024));
	err = server_run(&server);
	print("acpid: ended with error %d\n", -err);
	return 1;
}
