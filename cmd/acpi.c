/* cmd/acpi.c - what the firmware knows of power and heat: `acpi` shows all, `acpi WORD...` only lines of these kinds (battery, ac, thermal, lid, button, clock). */
#include "abi/proto/power.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_NOTHING = 3 };

static bool is_wanted(const struct startup *startup, const char *line)
{
	for (uint32_t i = 1; i < startup->argument_count; i++) {
		const char *kind = startup_argument(i);
		size_t length = strlen(kind);

		if (strncmp(line, kind, length) == 0 && line[length] == ' ')
			return true;
	}
	return startup->argument_count < 2;
}

int program_main(const struct startup *startup)
{
	static char text[POWER_TEXT_MAX + 1];
	int64_t n = 0, used = 0;
	int shown = 0;
	handle_t h;

	if (handle_open("power", "", OPEN_READ, &h) == OK)
		while (used < POWER_TEXT_MAX && (n = sys_read(0, h, text + used, (size_t)(POWER_TEXT_MAX - used), used)) > 0)
			used += n;
	else
		n = ERR_NOENT;
	if (n < 0) {
		print_to(startup_handle("stderr"), "acpi: the firmware cannot be asked\n");
		return STATUS_TROUBLE;
	}
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		if (is_wanted(startup, line)) {
			print_to(startup_handle("stdout"), "%s\n", line);
			shown++;
		}
	}
	return shown ? 0 : STATUS_NOTHING;
}
