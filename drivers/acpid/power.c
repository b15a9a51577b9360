/* drivers/acpid/power.c - the machine's end, as the firmware wants it. */
#include "drivers/acpid/acpid.h"

static err_t power_off(void)
{
	if (is_failed("preparing to switch off", acpi_enter_sleep_state_prep(ACPI_STATE_S5)) ||
	    is_failed("switching off", acpi_enter_sleep_state(ACPI_STATE_S5)))
		return ERR_IO;
	return ERR_IO;
}

err_t power_machine(enum power how)
{
	if (how == POWER_OFF)
		return power_off();
	(void)is_failed("starting again", acpi_reset());
	return ERR_IO;
}
