/* servers/init/devices.c - each device that pcid reports gets an instance of the driver whose manifest matches it best.
 *
 * A thread listens: it asks pci: what came and went, and what each one is, and passes that on as reports. When pcid was restarted it may report
 * again what we know, and what went meanwhile it cannot know: so after each (new) beginning what was not reported again has gone.
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
enum report_kind { REPORT_BEGIN, REPORT_CAME, REPORT_WENT, REPORT_FAULTED, REPORT_ALL };
struct report {
	enum report_kind kind;
	device_address_t address;
	struct device_info info;        /* of what came */
	uint64_t fault_address;
};

struct known {
	device_address_t address;
	bool is_there;                  /* this is a device; else room for one */
	bool was_seen;                  /* since the last REPORT_BEGIN */
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

	if (k && is_same_device(&k->info, &r->info)) {
		k->was_seen = true;
		return;
	}
	if (k)
		device_went(k);
	if (!(k = known_new())) {
		print("init: too many devices\n");
		return;
	}
	*k = (struct known){ .address = r->address, .is_there = true, .was_seen = true, .info = r->info };
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
	case REPORT_BEGIN:
		for (uint32_t i = 0; i < DEVICES_MAX; i++)
			known[i].was_seen = false;
		break;
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
	case REPORT_ALL:
		for (uint32_t i = 0; i < DEVICES_MAX; i++)
			if (known[i].is_there && !known[i].was_seen)
				device_went(&known[i]);
		break;
	}
	heap_delete(r);
	start_all();
}

/* ---- The thread that listens --------------------------------------------------------------------------------------------- */

static err_t report(const struct report *what)
{
	struct report *r = heap_new(struct report);

	if (!r)
		return ERR_NOMEM;
	*r = *what;
	init_post(on_report, r);
	return OK;
}

/* Gone again: then that will be the next event. */
static err_t report_came(device_address_t a)
{
	struct report r = { .kind = REPORT_CAME, .address = a };
	char name[ADDRESS_BYTES];
	handle_t function;

	device_address_write(a, name);
	if (handle_open_in(init.world.namespace, init.world.devices, name, OPEN_READ, &function))
		return OK;
	int64_t result = handle_call(function, DEVICE_INFO, NULL, 0, &r.info, sizeof r.info, 0);
	handle_close(function);
	return result < 0 ? OK : report(&r);
}

static err_t report_event(const struct device_event *e)
{
	device_address_t a = device_address(e->segment, e->bus, e->slot_function);

	switch (e->kind) {
	case DEVICE_CAME:
		return report_came(a);
	case DEVICE_WENT:
		return report(&(struct report){ .kind = REPORT_WENT, .address = a });
	case DEVICE_FAULTED:
		return report(&(struct report){ .kind = REPORT_FAULTED, .address = a, .fault_address = e->address });
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
			if ((err = report_event(&events[i])))
				return err;
	return n == ERR_AGAIN ? OK : (err_t)n;
}

static err_t listen(handle_t pci)
{
	struct poll_entry entry = { .handle = pci, .wanted = READY_READ };
	err_t err;

	if ((err = report(&(struct report){ .kind = REPORT_BEGIN })))
		return err;
	if ((err = events_take(pci)))
		return err;
	if ((err = report(&(struct report){ .kind = REPORT_ALL })))
		return err;
	while (!err && sys_poll(0, HANDLE_NONE, &entry, 1, DEADLINE_NONE) >= 0)
		err = events_take(pci);
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

void devices_listen(void)
{
	uint32_t tid;
	err_t err;

	if (!init.world.devices || !service_serving(init.world.devices))
		return;
	if ((err = files_read_drivers(drivers, DRIVERS_MAX, &driver_count)) || (err = thread_create(listen_thread, NULL, &tid)))
		print("init: no drivers: error %d\n", -err);
}
