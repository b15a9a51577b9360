/* cmd/lspci.c - what there is on the PCI bus: `lspci` lists functions; `lspci -x ADDRESS` shows the first 64 bytes of one's configuration space. */
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, SHOWN_BYTES = 64, ROW = 16 };

static int list(handle_t pci)
{
	char text[4096];
	int64_t n;

	for (uint64_t offset = 0; (n = sys_read(0, pci, text, sizeof text, (int64_t)offset)) > 0; offset += (uint64_t)n)
		if (handle_write(startup_handle("stdout"), text, (size_t)n))
			return STATUS_TROUBLE;
	return n < 0 ? STATUS_TROUBLE : 0;
}

static int show(handle_t function)
{
	uint8_t b[SHOWN_BYTES];

	if (handle_read_at(function, b, sizeof b, 0))
		return STATUS_TROUBLE;
	for (unsigned i = 0; i < SHOWN_BYTES; i += ROW)
		print_to(startup_handle("stdout"), "%02x: %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x\n", i, b[i], b[i + 1], b[i + 2],
		         b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7], b[i + 8], b[i + 9], b[i + 10], b[i + 11], b[i + 12], b[i + 13], b[i + 14], b[i + 15]);
	return 0;
}

int program_main(const struct startup *startup)
{
	bool is_list = startup->argument_count < 2;
	const char *address = is_list ? "" : startup_argument(2);
	handle_t h;

	if (!is_list && (startup->argument_count != 3 || strcmp(startup_argument(1), "-x") != 0)) {
		print_to(startup_handle("stderr"), "usage: lspci [-x SSSS:BB:DD.F]\n");
		return STATUS_USAGE;
	}
	if (handle_open("pci", address, OPEN_READ, &h)) {
		print_to(startup_handle("stderr"), "lspci: %s cannot be opened\n", is_list ? "pci:" : address);
		return STATUS_TROUBLE;
	}
	return is_list ? list(h) : show(h);
}
