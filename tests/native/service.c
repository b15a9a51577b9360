/* tests/native/service.c - services that init is tried with: one that is slow, greedy, deaf..., a pcid without a bus, a driver without a device.
 *
 * Without arguments it is a test of init: itself, and prints TAP. Else argument 1 says what to be (see `kinds`); tests/guest/svc.sh and
 * drivers.sh have the manifests. What is written to one of them is a command.
 */
#include "abi/proto/device.h"
#include "abi/proto/disk.h"
#include "abi/proto/init.h"
#include "abi/proto/kernel.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "tests/native/tap.h"

enum { DEVICES = 8, ATTACHED = 8, NAME_BYTES = 48 };

static struct server server;
static struct scheme scheme;

/* What is open: of all kinds. */
struct open {
	uint64_t id;
	uint32_t device;                /* pci: which one, + 1; 0: none */
	bool is_claim, is_disk;
};

static int64_t text_answer(struct scheme_request *r, uint64_t offset, const char *text)
{
	size_t length = strlen(text);

	if (offset >= length)
		return 0;
	size_t n = MIN_OF(r->out_room, length - (size_t)offset);
	memcpy(r->out, text + offset, n);
	return (int64_t)n;
}

static int64_t open_new(struct scheme_request *r, struct open from)
{
	struct open *o = heap_new(struct open);

	if (!o)
		return ERR_NOMEM;
	*o = from;
	r->opened = o;
	r->reply_flags = REPLY_SEEKABLE;
	return OK;
}

static int64_t plain_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)bytes, (void)open_flags, (void)mode;
	return open_new(r, (struct open){ 0 });
}

static void plain_close(struct scheme *s, void *open)
{
	(void)s;
	heap_free(open, sizeof(struct open));
}

static err_t plain_revive(struct scheme_request *r)
{
	return (err_t)plain_open(r, NULL, 0, 0, 0);
}

static bool is_command(const struct scheme_request *r, const char *command)
{
	return r->in_here >= strlen(command) && memcmp(r->in, command, strlen(command)) == 0;
}

/* ---- slow: each READ takes as many ms as argument 2 says ---- */

static int64_t slow_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	uint64_t ms;

	(void)bytes;
	if (offset == 0 && !number_parse(startup_argument(2), strlen(startup_argument(2)), 10, &ms))
		sys_sleep(0, HANDLE_NONE, (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS) + ms * 1000000);
	return text_answer(r, offset, "slow\n");
}

/* ---- greedy: a READ says how memory ended, bit by bit within argument 2's number of pages. A WRITE just takes: a page that cannot be had
 * is the end of who touches it ---- */

enum { MUCH = 64 << 20 };

static int64_t greedy_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static char page[4096] = "x", text[64];
	uint64_t limit, pages = 0;
	handle_t object;
	err_t err;

	(void)bytes;
	if (offset > 0)
		return text_answer(r, offset, text);
	if (number_parse(startup_argument(2), strlen(startup_argument(2)), 10, &limit))
		return ERR_INVAL;
	if ((err = handle_open("mem", "new/1073741824", OPEN_READ | OPEN_WRITE, &object)))
		return err;
	while (!(err = handle_write_at(object, page, sizeof page, pages * sizeof page)) && pages <= limit)
		pages++;
	handle_close(object);
	fmt(text, sizeof text, "%s after %s\n", err == ERR_NOSPC ? "no space" : "another end", pages <= limit ? "its quota" : "too much");
	return text_answer(r, offset, text);
}

static int64_t greedy_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	int64_t at = sys_map(0, HANDLE_NONE, 0, MUCH, MAP_READ | MAP_WRITE, 0, HANDLE_NONE, 0);

	(void)r, (void)offset;
	for (int64_t i = 0; at > 0 && i < MUCH; i += 4096)
		*(volatile char *)(at + i) = 1;
	return (int64_t)bytes;
}

/* ---- orderly and deaf: asked to end ---- */

static void say_goodbye(struct server *s)
{
	print("says goodbye\n");
	server_stop(s);
}

static void hear_nothing(struct server *s)
{
	(void)s;
}

static int64_t orderly_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)bytes;
	return text_answer(r, offset, "here\n");
}

/* ---- pci: devices come and go as it is told. "came SSSS:BB:DD.F VVVV:DDDD", "went SSSS:BB:DD.F", "fault SSSS:BB:DD.F" ---- */

static struct device_thing { bool is_there, is_claimed; char name[16]; struct device_info info; } devices[DEVICES];
static struct device_event events[DEVICES];
static uint32_t event_count, claims;
static uint64_t listeners[DEVICES];
static uint32_t listener_count;

static uint32_t hex(const char *text, size_t digits)
{
	uint64_t n = 0;

	(void)number_scan(text, digits, 16, &n);
	return (uint32_t)n;
}

static uint32_t device_find(const char *name, size_t bytes)
{
	for (uint32_t i = 0; i < DEVICES; i++)
		if (devices[i].is_there && string_is(name, bytes, devices[i].name))
			return i + 1;
	return 0;
}

static int64_t pci_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	struct open *at = r->open;
	uint32_t device;

	(void)open_flags, (void)mode;
	if (!at && (bytes == 0 || string_is(ref, bytes, "control"))) {
		int64_t result = open_new(r, (struct open){ 0 });
		r->reply_flags |= bytes == 0 ? REPLY_NOTIFIES : 0;
		return result;
	}
	if (!at && (device = device_find(ref, bytes)))
		return open_new(r, (struct open){ .device = device });
	if (!at || !at->device || !string_is(ref, bytes, "claim"))
		return ERR_NOENT;
	if (devices[at->device - 1].is_claimed)
		return ERR_BUSY;
	devices[at->device - 1].is_claimed = true;
	claims++;
	return open_new(r, (struct open){ .device = at->device, .is_claim = true });
}

static void pci_opened(struct scheme *s, void *open, uint64_t id)
{
	struct open *o = open;

	o->id = id;
	if (!o->device && listener_count < DEVICES) {
		listeners[listener_count++] = id;
		scheme_notify(s, id, event_count ? READY_READ : 0, READY_READ);
	}
}

static void pci_close(struct scheme *s, void *open)
{
	struct open *o = open;

	if (o->is_claim)
		devices[o->device - 1].is_claimed = false;
	for (uint32_t i = 0; i < listener_count; i++)
		if (listeners[i] == o->id)
			listeners[i] = listeners[--listener_count];
	plain_close(s, open);
}

static int64_t pci_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static char text[512];
	size_t used = fmt(text, sizeof text, "claims %u\n", claims);

	(void)bytes;
	for (uint32_t i = 0; i < DEVICES; i++)
		if (devices[i].is_there)
			used += fmt(text + used, sizeof text - used, "%s %s\n", devices[i].name, devices[i].is_claimed ? "claimed" : "free");
	return text_answer(r, offset, text);
}

static void event_add(uint32_t kind, const char *name)
{
	if (event_count == DEVICES)
		return;
	events[event_count++] = (struct device_event){
		.kind = kind, .segment = (uint16_t)hex(name, 4), .bus = (uint8_t)hex(name + 5, 2),
		.slot_function = (uint8_t)(hex(name + 8, 2) << 3 | hex(name + 11, 1)), .address = 0xdead000,
	};
	for (uint32_t i = 0; i < listener_count; i++)
		scheme_notify(&scheme, listeners[i], READY_READ, READY_READ);
}

static int64_t pci_came(const char *name, const char *device)
{
	for (uint32_t i = 0; i < DEVICES; i++)
		if (!devices[i].is_there) {
			devices[i] = (struct device_thing){ .is_there = true };
			string_copy_counted(devices[i].name, sizeof devices[i].name, name, 12);
			devices[i].info.vendor = (uint16_t)hex(device, 4);
			devices[i].info.device = (uint16_t)hex(device + 5, 4);
			event_add(DEVICE_CAME, devices[i].name);
			return OK;
		}
	return ERR_NOSPC;
}

static int64_t pci_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	const char *name = (const char *)strchr((const char *)r->in, ' ');
	uint32_t device;

	(void)offset;
	if (!name || r->in_here < 17)
		return ERR_INVAL;
	name++;
	if (is_command(r, "came ") && r->in_here >= 27)
		return pci_came(name, name + 13) ? ERR_NOSPC : (int64_t)bytes;
	if (!(device = device_find(name, 12)))
		return ERR_NOENT;
	event_add(is_command(r, "went ") ? DEVICE_WENT : DEVICE_FAULTED, devices[device - 1].name);
	devices[device - 1].is_there = !is_command(r, "went ");
	return (int64_t)bytes;
}

static int64_t pci_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct open *o = r->open;
	int64_t n = event_count;

	(void)word;
	if (code == DEVICE_INFO && o->device)
		return scheme_out(r, &devices[o->device - 1].info, sizeof(struct device_info));
	if (code != DEVICE_EVENTS || o->device)
		return ERR_NOTTY;
	if (n > 0 && scheme_out(r, events, (size_t)n * sizeof events[0]))
		return ERR_INVAL;
	event_count = 0;
	scheme_notify(r->scheme, r->id, 0, READY_READ);
	return n;
}

/* ---- driver: one disk, "0". A WRITE of "die" is its end ---- */

static int64_t driver_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	(void)open_flags, (void)mode;
	if (bytes > 0 && !string_is(ref, bytes, "0"))
		return ERR_NOENT;
	return open_new(r, (struct open){ .is_disk = bytes > 0 });
}

static int64_t driver_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)bytes;
	return text_answer(r, offset, "vd 0\n");
}

static int64_t driver_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)offset;
	if (is_command(r, "die"))
		program_exit(3);
	return (int64_t)bytes;
}

static int64_t driver_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct open *o = r->open;

	(void)word;
	if (code != DISK_FLUSH || !o->is_disk)
		return ERR_NOTTY;
	print("was flushed\n");
	return OK;
}

/* ---- names: what diskd is to init. Opened "N", it is the N-th driver, which is handed out ---- */

static struct { bool is_there; char name[NAME_BYTES]; uint64_t index; handle_t root; } attached[ATTACHED];

static int64_t names_open(struct scheme_request *r, const char *ref, size_t bytes, uint32_t open_flags, uint32_t mode)
{
	uint32_t i = bytes == 1 ? (uint32_t)(*ref - '0') : ATTACHED;

	if (i >= ATTACHED)
		return plain_open(r, ref, bytes, open_flags, mode);
	if (!attached[i].is_there)
		return ERR_NOENT;
	r->reply_flags = REPLY_FORWARD;
	return handle_open_at(attached[i].root, "", OPEN_READ | OPEN_WRITE, &r->reply_handle);
}

static int64_t names_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	static char text[512];
	size_t used = 0;

	(void)bytes;
	text[0] = 0;
	for (uint32_t i = 0; i < ATTACHED; i++)
		if (attached[i].is_there)
			used += fmt(text + used, sizeof text - used, "%s %llu\n", attached[i].name, (unsigned long long)attached[i].index);
	return text_answer(r, offset, text);
}

static int64_t names_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	const char *name = (const char *)r->in;
	uint32_t i, room = ATTACHED;

	for (i = 0; i < ATTACHED && !(attached[i].is_there && string_is(name, r->in_here, attached[i].name)); i++)
		room = room == ATTACHED && !attached[i].is_there ? i : room;
	if (code == DETACH && i < ATTACHED) {
		attached[i].is_there = false;
		handle_close(attached[i].root);
		return OK;
	}
	i = i < ATTACHED ? i : room;
	if (code != ATTACH || i == ATTACHED || r->passed == HANDLE_NONE)
		return ERR_INVAL;
	if (attached[i].is_there)
		handle_close(attached[i].root);
	attached[i].is_there = true;
	attached[i].index = word;
	attached[i].root = scheme_take_handle(r);
	string_copy_counted(attached[i].name, NAME_BYTES, name, r->in_here);
	return OK;
}

/* What an instance before had, given at the start. */
static void names_adopt(void)
{
	char name[24];

	for (uint32_t i = 0; i < ATTACHED; i++) {
		fmt(name, sizeof name, "attached:%u", i);
		const char *text = startup_environment(name), *blank = text ? strrchr(text, ' ') : NULL;
		if (startup_handle(name) == HANDLE_NONE || !blank)
			return;
		attached[i].is_there = true;
		attached[i].root = startup_handle(name);
		string_copy_counted(attached[i].name, NAME_BYTES, text, (size_t)(blank - text));
		(void)!number_parse(blank + 1, strlen(blank + 1), 10, &attached[i].index);
	}
}

/* ---- Being one of them ---- */

static const struct kind {
	const char *name;
	struct scheme_ops ops;
	void (*asked)(struct server *s);
} kinds[] = {
	{ "slow", { .open = plain_open, .read = slow_read, .close = plain_close }, NULL },
	{ "greedy", { .open = plain_open, .read = greedy_read, .write = greedy_write, .close = plain_close }, NULL },
	{ "orderly", { .open = plain_open, .read = orderly_read, .close = plain_close, .revive = plain_revive }, say_goodbye },
	{ "deaf", { .open = plain_open, .read = orderly_read, .close = plain_close }, hear_nothing },
	{ "pci", { .open = pci_open, .opened = pci_opened, .read = pci_read, .write = pci_write, .call = pci_call, .close = pci_close }, NULL },
	{ "driver", { .open = driver_open, .read = driver_read, .write = driver_write, .call = driver_call, .close = plain_close,
	              .revive = plain_revive }, NULL },
	{ "names", { .open = names_open, .read = names_read, .call = names_call, .close = plain_close }, NULL },
};

static int serve(const struct kind *kind)
{
	if (strcmp(kind->name, "driver") == 0 && startup_handle("device") == HANDLE_NONE)
		return 2;
	if (server_init(&server) || server_add_scheme(&server, &scheme, NULL, &kind->ops, NULL))
		return 1;
	names_adopt();
	if (kind->asked)
		server_when_asked_to_end(&server, kind->asked);
	return server_run(&server) ? 1 : 0;
}

/* ---- Asking init itself ---- */

static handle_t init;

static int64_t ask(enum code code, const char *name)
{
	return handle_call(init, code, name, strlen(name), NULL, 0, 0);
}

static bool has_line(const char *text, const char *beginning)
{
	while (text && !string_starts_with(text, beginning)) {
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return text != NULL;
}

static void it_lists_what_it_keeps(void)
{
	static char text[8192];
	int64_t n = sys_read(0, init, text, sizeof text - 1, 0);

	CHECK(n > 0 && text[n - 1] == '\n');
	CHECK(has_line(text, "ramfs ready "));
	CHECK(sys_read(0, init, text, sizeof text, n) == 0);
}

static void what_makes_no_sense_is_refused(void)
{
	handle_t h;

	CHECK(ask(INIT_KILL, "nobody") == ERR_NOENT && ask(INIT_STOP, "") == ERR_NOENT);
	CHECK(ask(INIT_STOP, "procd") == ERR_BUSY);
	CHECK(ask(INIT_START, "logd") == OK);
	CHECK(ask((enum code)(INIT_KILL + 1), "logd") == ERR_NOTTY);
	CHECK(handle_call(init, INIT_POWER, NULL, 0, NULL, 0, 77) == ERR_INVAL);
	CHECK(handle_open("init", "nothing", OPEN_READ, &h) == ERR_NOENT);
}

static int test(void)
{
	if (handle_open("init", "services", OPEN_READ | OPEN_WRITE, &init))
		return 1;
	run("it lists what it keeps", it_lists_what_it_keeps);
	run("what makes no sense is refused", what_makes_no_sense_is_refused);
	print("1..%u\n", points);
	return failures != 0;
}

int program_main(const struct startup *startup)
{
	if (startup->argument_count < 2)
		return test();
	if (strcmp(startup_argument(1), "crash") == 0) {
		startup_ready();
		return 1;
	}
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		if (strcmp(startup_argument(1), kinds[i].name) == 0)
			return serve(&kinds[i]);
	return 2;
}
