/* servers/init/devices.c - each device that pcid reports gets an instance of the driver whose manifest matches it best.
 *
 * A thread listens: it asks pci: what came and went, and what each one is, and passes that on as reports. A pcid that was restarted may not
 * know what it told; so whenever one becomes ready the thread looks again at what it has reported.
 */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/thread.h"
#include "servers/init/init.h"

#define AGAIN_NS 1000000000ull

enum { DEVICES_MAX = 256, DRIVERS_MAX = 32, EVENTS_MAX = 64 };

/* What the thread tells. */
enum report_kind { REPORT_CAME, REPORT_WENT, REPORT_FAULTED };
struct report {
	enum report_kind kind;
	device_address_t address;
	struct device_info info;        /* of what came */
	uint64_t fault_address;
};

struct known {
	device_address_t address;
	bool is_there;                  /* this is a device; else room for one */
	struct device_info info;
	struct service *driver;         /* or NULL: nobody drives it */
};

static struct known known[DEVICES_MAX];
static struct manifest *drivers[DRIVERS_MAX];
static uint32_t driver_count;

/* ---- Instances ---------------------------------------------------------------------------------------------------- */

static bool is_same_kind(const struct manifest *a, const struct manifest *b)
{
	return a == b || (a->attach_kind && b->attach_kind && strcmp(a->attach_kind, b->attach_kind) == 0);
}

/* The first place among its kind that is free. pci: reports in the order of addresses, so that is theirs too. */
static uint32_t free_index(const struct manifest *m)
{
	struct service *s;
	bool is_taken;

	for (uint32_t index = 0;; index++) {
		is_taken = false;
		list_each(s, &init.services, link)
			is_taken |= s->is_instance && is_same_kind(s->m, m) && s->index == index;
		if (!is_taken)
			return index;
	}
}

static err_t instance_add(const struct manifest *m, device_address_t a, struct service **out)
{
	struct service *s = heap_new(struct service);
	char name[SERVICE_NAME_MAX + 1];
	err_t err;

	if (!s)
		return ERR_NOMEM;
	if ((err = instance_name(m->name, a, name)))
		goto free;
	service_init(s, name, m);
	s->is_instance = true;
	s->address = a;
	s->index = free_index(m);
	s->lender = s->index == 0 ? service_find(m->name, strlen(m->name)) : NULL;
	if ((err = service_enter(s)))
		goto free;
	*out = s;
	return OK;

free:
	heap_delete(s);
	return err;
}

/* For good: who has something of it open gets NODEV, and so does who asks later. */
static void instance_remove(struct service *s)
{
	print("init: %s: its device is gone\n", s->name);
	s->has_gone = true;
	attach_forget(s);
	service_give_up(s);
	service_stop(s, WISH_STOP);
}

/* ---- What comes and goes --------------------------------------------------------------------------------------------- */

static struct known *known_find(device_address_t a)
{
	for (uint32_t i = 0; i < DEVICES_MAX; i++)
		if (known[i].is_there && known[i].address == a)
			return &known[i];
	return NULL;
}

static struct known *known_new(void)
{
	for (uint32_t i = 0; i < DEVICES_MAX; i++)
		if (!known[i].is_there)
			return &known[i];
	return NULL;
}

/* The instance stays known to init until its process has ended; to the device it is nothing any more. */
static void device_went(struct known *k)
{
	k->is_there = false;
	if (k->driver)
		instance_remove(k->driver);
}

/* Who holds it may change; what it is may not. */
static bool is_same_device(const struct device_info *a, const struct device_info *b)
{
	return a->vendor == b->vendor && a->device == b->device && a->subsystem_vendor == b->subsystem_vendor &&
	       a->subsystem == b->subsystem && a->class == b->class && a->subclass == b->subclass && a->interface == b->interface &&
	       a->revision == b->revision;
}

static void device_came(const struct report *r)
{
	struct known *k = known_find(r->address);
	const struct manifest *m;
	err_t err;

	if (k && is_same_device(&k->info, &r->info))
		return;
	if (k)
		device_went(k);
	if (!(k = known_new())) {
		print("init: too many devices\n");
		return;
	}
	*k = (struct known){ .address = r->address, .is_there = true, .info = r->info };
	if (!(m = match_best(drivers, driver_count, &r->info)))
		return;
	if ((err = instance_add(m, r->address, &k->driver)))
		print("init: no instance of %s: error %d\n", m->name, -err);
}

/* A device that reaches for what it must not has a driver that is broken, or worse; time does not heal that. */
static void device_faulted(const struct report *r)
{
	struct known *k = known_find(r->address);
	struct service *s = k ? k->driver : NULL;

	if (!s)
		return;
	s->device_faults++;
	print("init: %s: its device tried to reach %#llx\n", s->name, (unsigned long long)r->fault_address);
	if (s->m->restart.limit > 0 && s->device_faults >= s->m->restart.limit)
		service_disable(s);
	else
		(void)!service_kill(s);
}

static void on_report(void *argument)
{
	struct report *r = argument;
	struct known *k;

	switch (r->kind) {
	case REPORT_CAME:
		device_came(r);
		break;
	case REPORT_WENT:
		if ((k = known_find(r->address)))
			device_went(k);
		break;
	case REPORT_FAULTED:
		device_faulted(r);
		break;
	}
	heap_delete(r);
	start_all();
}

/* ---- The thread that listens --------------------------------------------------------------------------------------------- */

/* What it reported as there, and how it is woken. */
static struct {
	device_address_t reported[DEVICES_MAX];
	uint32_t count;
	handle_t reader, writer;
	bool is_on;                     /* of the main thread */
} listener;

static err_t report(enum report_kind kind, device_address_t a, const struct device_info *info, uint64_t fault_address)
{
	struct report *r = heap_new(struct report);

	if (!r)
		return ERR_NOMEM;
	*r = (struct report){ .kind = kind, .address = a, .fault_address = fault_address };
	if (info)
		r->info = *info;
	init_post(on_report, r);
	return OK;
}

static uint32_t reported_find(device_address_t a)
{
	uint32_t i;

	for (i = 0; i < listener.count && listener.reported[i] != a; i++)
		;
	return i;
}

static err_t report_came(device_address_t a, const struct device_info *info)
{
	if (reported_find(a) == DEVICES_MAX)
		return OK;
	if (reported_find(a) == listener.count)
		listener.reported[listener.count++] = a;
	return report(REPORT_CAME, a, info, 0);
}

static err_t report_went(device_address_t a)
{
	uint32_t i = reported_find(a);

	if (i == listener.count)
		return OK;
	listener.reported[i] = listener.reported[--listener.count];
	return report(REPORT_WENT, a, NULL, 0);
}

/* There or not: says which. */
static err_t look_at(device_address_t a)
{
	struct device_info info;
	char name[ADDRESS_BYTES];
	handle_t function;
	err_t err;

	device_address_write(a, name);
	if ((err = handle_open_in(init.world.namespace, init.world.devices, name, OPEN_READ, &function)) == OK) {
		err = result_error(handle_call(function, DEVICE_INFO, NULL, 0, &info, sizeof info, 0));
		handle_close(function);
	}
	if (err == ERR_NOENT || err == ERR_NODEV)
		return report_went(a);
	return err ? err : report_came(a, &info);
}

static err_t event_take(const struct device_event *e)
{
	device_address_t a = device_address(e->segment, e->bus, e->slot_function);

	switch (e->kind) {
	case DEVICE_CAME:
		return look_at(a);
	case DEVICE_WENT:
		return report_went(a);
	case DEVICE_FAULTED:
		return report(REPORT_FAULTED, a, NULL, e->address);
	default:
		return OK;
	}
}

/* All that there is to tell now. */
static err_t events_take(handle_t pci)
{
	static struct device_event events[EVENTS_MAX];
	int64_t n;
	err_t err;

	while ((n = handle_call(pci, DEVICE_EVENTS, NULL, 0, events, sizeof events, 0)) > 0)
		for (int64_t i = 0; i < MIN_OF(n, (int64_t)EVENTS_MAX); i++)
			if ((err = event_take(&events[i])))
				return err;
	return n == ERR_AGAIN ? OK : (err_t)n;
}

/* Backwards: who has gone leaves the list. */
static err_t look_again(void)
{
	err_t err = OK;

	for (uint32_t i = listener.count; !err && i-- > 0;)
		err = look_at(listener.reported[i]);
	return err;
}

static err_t listen(handle_t pci)
{
	struct poll_entry wait[] = { { .handle = pci, .wanted = READY_READ }, { .handle = listener.reader, .wanted = READY_READ } };
	char woken[16];
	err_t err = look_again();

	while (!err && !(err = events_take(pci)) && sys_poll(0, HANDLE_NONE, wait, ARRAY_COUNT(wait), DEADLINE_NONE) >= 0)
		if (sys_read(REQUEST_NONBLOCK, listener.reader, woken, sizeof woken, -1) > 0)
			err = look_again();
	return err;
}

static void listen_thread(void *argument)
{
	handle_t pci;
	err_t err;

	(void)argument;
	for (;;) {
		if (!(err = handle_open_in(init.world.namespace, init.world.devices, "", OPEN_READ | OPEN_WRITE, &pci))) {
			err = listen(pci);
			handle_close(pci);
		}
		/* Another pcid: at once. Something else: not in a hurry. */
		if (err != ERR_CONNRESET)
			sys_sleep(0, HANDLE_NONE, now_ns() + AGAIN_NS);
	}
}

void devices_ready(const struct service *s)
{
	if (listener.is_on && service_serving(init.world.devices) == s)
		(void)!handle_write(listener.writer, "", 1);
}

static err_t listener_start(void)
{
	uint32_t tid;
	err_t err;

	if ((err = handle_open_in(init.world.namespace, "pipe", "", OPEN_READ, &listener.reader)))
		return err;
	if ((err = handle_open_at(listener.reader, "write", OPEN_WRITE, &listener.writer)))
		return err;
	if ((err = thread_create(listen_thread, NULL, &tid)))
		return err;
	listener.is_on = true;
	return OK;
}

/* Names that anybody may open must be there before those who get them start; until there is a device they answer NODEV. */
static void names_hold(const struct manifest *m)
{
	bool has_public = false;
	err_t err;

	for (uint32_t i = 0; i < m->scheme_count; i++)
		has_public |= m->scheme[i].is_public;
	if (has_public && (err = service_add(m)))
		print("init: the names of %s cannot be held: error %d\n", m->name, -err);
}

void devices_listen(void)
{
	err_t err;

	if (!init.world.devices || !service_serving(init.world.devices))
		return;
	err = files_read_drivers(drivers, DRIVERS_MAX, &driver_count);
	for (uint32_t i = 0; i < driver_count; i++)
		names_hold(drivers[i]);
	if (err || (err = listener_start()))
		print("init: no drivers: error %d\n", -err);
}
