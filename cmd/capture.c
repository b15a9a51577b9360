/* cmd/capture.c - what goes by at a network card, as a pcap file: `capture NAME [-c COUNT] [-s SNAP] [-n]`, to stdout; -n: says so when it listens.
 *
 * COUNT frames, or until it is killed. SNAP: bytes of each (65,472). The format is libpcap's with times in ns (magic a1b23c4d).
 */
#include "abi/proto/ethernet.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, REF_BYTES = 64, NS_PER_S = 1000000000, BUFFER_BYTES = 2 * ETHERNET_SNAP_MAX };
enum { PCAP_MAGIC_NS = 0xa1b23c4d, PCAP_MAJOR = 2, PCAP_MINOR = 4, PCAP_ETHERNET = 1 };

struct pcap_header { uint32_t magic; uint16_t major, minor; uint32_t zone, accuracy, snap, kind; };
struct pcap_record { uint32_t seconds, ns, bytes, frame_bytes; };

static struct {
	const char *name;
	uint64_t count, snap;
	bool tells;
} options = { .count = UINT64_MAX, .snap = ETHERNET_SNAP_MAX };

static bool number_take(const char *text, uint64_t most, uint64_t *out)
{
	return text && number_parse(text, strlen(text), 10, out) == OK && *out > 0 && *out <= most;
}

static bool options_take(uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		const char *word = startup_argument(i);
		if (strcmp(word, "-c") == 0) {
			if (!number_take(startup_argument(++i), UINT64_MAX - 1, &options.count))
				return false;
		} else if (strcmp(word, "-s") == 0) {
			if (!number_take(startup_argument(++i), ETHERNET_SNAP_MAX, &options.snap))
				return false;
		} else if (strcmp(word, "-n") == 0) {
			options.tells = true;
		} else if (options.name || word[0] == '-') {
			return false;
		} else {
			options.name = word;
		}
	}
	return options.name != NULL;
}

/* Records of the driver's, as those of the file. False: that is no record. */
static bool records_write(handle_t out, const uint8_t *at, size_t bytes, err_t *err)
{
	struct ethernet_record r;

	for (size_t whole; bytes > 0 && options.count > 0 && !*err; at += whole, bytes -= whole, options.count--) {
		if (bytes < sizeof(r))
			return false;
		memcpy(&r, at, sizeof(r));
		whole = sizeof(r) + round_up(r.bytes, 8);
		if (r.bytes > ETHERNET_SNAP_MAX || whole > bytes)
			return false;
		struct pcap_record p = { (uint32_t)(r.time_ns / NS_PER_S), (uint32_t)(r.time_ns % NS_PER_S), r.bytes, r.frame_bytes };
		if (!(*err = handle_write(out, &p, sizeof(p))))
			*err = handle_write(out, at + sizeof(r), r.bytes);
	}
	return true;
}

static err_t capture(handle_t tap)
{
	static uint8_t buffer[BUFFER_BYTES];
	struct pcap_header h = { PCAP_MAGIC_NS, PCAP_MAJOR, PCAP_MINOR, 0, 0, (uint32_t)options.snap, PCAP_ETHERNET };
	handle_t out = startup_handle("stdout");
	err_t err = handle_write(out, &h, sizeof(h));

	if (options.tells)
		print_to(startup_handle("stderr"), "listening\n");
	while (!err && options.count > 0) {
		int64_t n = sys_read(0, tap, buffer, sizeof(buffer), -1);
		if (n < 0)
			return (err_t)n;
		if (!records_write(out, buffer, (size_t)n, &err))
			return ERR_PROTO;
	}
	return err;
}

int program_main(const struct startup *startup)
{
	char ref[REF_BYTES];
	handle_t tap;
	err_t err;

	if (!options_take(startup->argument_count)) {
		print_to(startup_handle("stderr"), "usage: capture NAME [-c COUNT] [-s SNAP] [-n]\n");
		return STATUS_USAGE;
	}
	fmt(ref, sizeof(ref), "%s/capture/%lu", options.name, (unsigned long)options.snap);
	if (!(err = handle_open("ethernet", ref, OPEN_READ, &tap)))
		err = capture(tap);
	if (err)
		print_to(startup_handle("stderr"), "capture: %s: error %d\n", options.name, -err);
	return err ? STATUS_TROUBLE : 0;
}
