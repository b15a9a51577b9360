/* drivers/acpid/button.c - what the firmware tells: buttons are pressed, devices come and go. */
#include "abi/proto/init.h"
#include "drivers/acpid/acpid.h"
#include "drivers/acpid/osl.h"
#include "lib/base/fmt.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum notice { BUS_CHECK = 0, DEVICE_CHECK = 1, EJECT_REQUEST = 3, BUTTON_PRESSED = 0x80 };

static struct button {
	const char *name;
	u32 presses;
} power = { .name = "power" }, sleep = { .name = "sleep" };

/* ---- Buttons ---- */

static void pressed(void *context)
{
	struct button *b = context;

	b->presses++;
	print("acpid: the %s button was pressed\n", b->name);
	if (b != &power)
		return;
	int64_t result = handle_call(startup_handle("init"), INIT_POWER, NULL, 0, NULL, 0, POWER_OFF | POWER_EVERYBODY);
	if (result < 0)
		print("acpid: init does not switch off: error %d\n", (int)-result);
}

/* Within the interrupt: what follows from it comes after. */
static u32 fixed_event(void *context)
{
	(void)is_failed("a button", acpi_os_execute(OSL_NOTIFY_HANDLER, pressed, context));
	return ACPI_INTERRUPT_HANDLED;
}

/* ---- PCI slots ---- */

/* Its driver is ended by init when pcid tells that it went; the slot loses its power first, which is no different from being pulled out. */
static void slot_news(acpi_handle object, u32 value)
{
	struct device_config where = { 0 };
	bool is_root, is_function = device_place(object, &where, &is_root) && !is_root;
	bool is_out = value == EJECT_REQUEST && is_function;

	if (value == EJECT_REQUEST && !is_function)
		return;
	if (handle_call(startup_handle("pci"), DEVICE_LOOK, &where, sizeof where, NULL, 0, is_out ? DEVICE_LOOK_OUT : DEVICE_LOOK_AGAIN) < 0)
		print("acpid: pcid does not look at a slot\n");
	if (is_out)
		(void)is_failed("_EJ0", execute(object, "_EJ0", 1));
}

static void notified(acpi_handle object, u32 value, void *context UNUSED)
{
	if (value == BUS_CHECK || value == DEVICE_CHECK || value == EJECT_REQUEST)
		slot_news(object, value);
	else if (value == BUTTON_PRESSED && device_is(object, "PNP0C0C"))
		pressed(&power);
	else if (value == BUTTON_PRESSED && device_is(object, "PNP0C0E"))
		pressed(&sleep);
}

/* ---- Start ---- */

/* Buttons that the tables say are devices tell by notices. */
static void fixed_start(u32 event, u32 absent_flag, struct button *b)
{
	if (!(acpi_gbl_FADT.flags & (absent_flag | ACPI_FADT_HW_REDUCED)))
		(void)is_failed(b->name, acpi_install_fixed_event_handler(event, fixed_event, b));
}

void buttons_start(void)
{
	fixed_start(ACPI_EVENT_POWER_BUTTON, ACPI_FADT_POWER_BUTTON, &power);
	fixed_start(ACPI_EVENT_SLEEP_BUTTON, ACPI_FADT_SLEEP_BUTTON, &sleep);
}

void notices_start(void)
{
	(void)is_failed("notices", acpi_install_notify_handler(ACPI_ROOT_OBJECT, ACPI_ALL_NOTIFY, notified, NULL));
}

size_t buttons_text(char *to, size_t bytes)
{
	return fmt(to, bytes, "button power presses=%u\nbutton sleep presses=%u\n", power.presses, sleep.presses);
}
