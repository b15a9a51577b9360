/* cmd/ethernet.c - network cards: `ethernet` lists them; `ethernet NAME` says all about one. */
#include "abi/proto/ethernet.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, LIST_BYTES = 512 };

static err_t card_get(const char *name, struct ethernet_info *info, struct ethernet_statistics *s)
{
	handle_t h;
	err_t err = handle_open("ethernet", name, 0, &h);

	if (err)
		return err;
	if (!(err = result_error(handle_call(h, ETHERNET_INFO, NULL, 0, info, sizeof(*info), 0))))
		err = result_error(handle_call(h, ETHERNET_STATISTICS, NULL, 0, s, sizeof(*s), 0));
	handle_close(h);
	return err;
}

static void line_show(const char *name, const struct ethernet_info *i)
{
	const uint8_t *a = i->address;

	print_to(startup_handle("stdout"), "%-6s %02x:%02x:%02x:%02x:%02x:%02x  %-4s mtu %u  %s\n", name, a[0], a[1], a[2], a[3], a[4], a[5], i->is_up ? "up" : "down",
	         i->mtu, i->driver);
}

static void all_show(const struct ethernet_info *i, const struct ethernet_statistics *s)
{
	handle_t out = startup_handle("stdout");

	print_to(out, "  %u Mbit/s, %u queues, offloads%s%s%s%s%s\n", i->speed_mbps, i->queues, i->offloads ? "" : " none",
	         i->offloads & ETHERNET_CAN_CHECKSUM ? " checksum" : "", i->offloads & (ETHERNET_CAN_SEGMENT_TCP4 | ETHERNET_CAN_SEGMENT_TCP6) ? " segments" : "",
	         i->offloads & ETHERNET_CAN_CHECK ? " check" : "", i->offloads & ETHERNET_CAN_TAKE_SEGMENTS ? " merge" : "");
	print_to(out, "  sent %lu frames, %lu bytes, %lu lost, %lu refused\n", (unsigned long)s->sent, (unsigned long)s->sent_bytes, (unsigned long)s->lost, (unsigned long)s->refused);
	print_to(out, "  received %lu frames, %lu bytes, %lu dropped, %lu broken\n", (unsigned long)s->received, (unsigned long)s->received_bytes,
	         (unsigned long)s->dropped, (unsigned long)s->errors);
	print_to(out, "  %lu resets, %lu captured, %lu more had no room\n", (unsigned long)s->resets, (unsigned long)s->captured, (unsigned long)s->capture_dropped);
}

static int card_show(const char *name, bool is_all)
{
	struct ethernet_statistics s;
	struct ethernet_info i;
	err_t err = card_get(name, &i, &s);

	if (err) {
		print_to(startup_handle("stderr"), "ethernet: %s: error %d\n", name, -err);
		return STATUS_TROUBLE;
	}
	line_show(name, &i);
	if (is_all)
		all_show(&i, &s);
	return 0;
}

static int list(void)
{
	char text[LIST_BYTES + 1];
	int status = 0;
	handle_t h;

	if (handle_open("ethernet", "", OPEN_READ, &h)) {
		print_to(startup_handle("stderr"), "ethernet: there is no ethernet:\n");
		return STATUS_TROUBLE;
	}
	int64_t n = sys_read(0, h, text, LIST_BYTES, 0);
	text[n > 0 ? n : 0] = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		status |= card_show(line, false);
	}
	return status;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count > 2) {
		print_to(startup_handle("stderr"), "usage: ethernet [NAME]\n");
		return STATUS_USAGE;
	}
	return startup->argument_count < 2 ? list() : card_show(startup_argument(1), true);
}
