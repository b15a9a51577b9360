/* servers/init/stop.c - the machine's end: whoever is no service, then service after service, nobody before those who need him.
 *
 * Processes are asked to end and have a while for it. Services end as each would (life.c); disks are flushed before their driver goes.
 * Who serves power: is left until the end, for he knows how the firmware wants it; should he not be there, or not manage in FIRMWARE_NS, init
 * writes to the power registers itself. Whatever hangs: after PATIENCE_NS the power goes.
 */
#include "abi/proto/power.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "servers/init/init.h"
#include "servers/init/machine.h"
#include "servers/init/order.h"

#define LOOK_NS     20000000ull
#define PROCESS_NS  1000000000ull
#define PATIENCE_NS 20000000000ull
#define FIRMWARE_NS 3000000000ull
#define POWER_SCHEME "power"

enum { PIDS_MAX = 4096, INIT_PID = 1, SIGNAL_TERMINATE = 15 };

static struct {
	enum power how;
	uint64_t asked_ns;
	bool has_ended;                 /* those who are no service, or they are not asked */
	struct server_timer look, patience, late;
	struct service *firmware;       /* who serves power:, or NULL */
	bool is_ending;                 /* only he is left, and he was asked */
} stop;

/* ---- Those who are no service ---- */

static bool is_service(uint32_t pid)
{
	struct service *s;

	list_each(s, &init.services, link)
		if (s->pid == pid)
			return true;
	return false;
}

/* Asks or ends each of them (code 0: neither). How many there are. */
static uint32_t others_call(uint32_t code, uint64_t word)
{
	static uint32_t pids[PIDS_MAX];
	uint32_t alive = 0;
	int64_t n = handle_call(init.world.admin, TASK_LIST, NULL, 0, pids, sizeof pids, 0);
	struct task_info info;
	handle_t h;

	for (int64_t i = 0; i < MIN_OF(n, (int64_t)PIDS_MAX); i++) {
		if (pids[i] == INIT_PID || is_service(pids[i]) || handle_call_get(init.world.admin, TASK_FIND, NULL, 0, pids[i], &h))
			continue;
		if (handle_call(h, TASK_INFO, NULL, 0, &info, sizeof info, 0) >= 0 && info.end == TASK_ALIVE && info.threads > 0) {
			alive++;
			if (code)
				handle_call(h, (enum code)code, NULL, 0, NULL, 0, word);
		}
		handle_close(h);
	}
	return alive;
}

/* ---- Services ---- */

static struct service *numbered[SERVICES_MAX];

static bool is_left(uint32_t i) { return service_is_alive(numbered[i]) && numbered[i] != stop.firmware; }
static enum dependence dependence(uint32_t i, uint32_t on) { return service_dependence(numbered[i], numbered[on]); }

/* The next one; NULL: all have ended. */
static struct service *next_to_stop(void)
{
	struct order_of order = { .is_left = is_left, .dependence = dependence };
	struct service *s;

	list_each(s, &init.services, link)
		numbered[order.count++] = s;
	uint32_t i = order_next_to_stop(&order);
	return i < order.count ? numbered[i] : NULL;
}

/* ---- The power ---- */

/* In a thread: the answer may never come. */
static void ask_firmware(void *argument UNUSED)
{
	handle_t power;

	if (handle_open_in(init.world.namespace, POWER_SCHEME, "", OPEN_READ, &power))
		return;
	handle_call(power, POWER_MACHINE, NULL, 0, NULL, 0, stop.how);
	handle_close(power);
}

static void firmware_could_not(void *argument UNUSED)
{
	print("init: the firmware does not do it\n");
	machine_power(stop.how);
}

static void on_firmware_late(struct server_timer *t UNUSED) { firmware_could_not(NULL); }

static void power_goes(void)
{
	if (stop.is_ending)
		return;
	stop.is_ending = true;
	if (!stop.firmware || stop.firmware->state != SERVICE_READY) {
		machine_power(stop.how);
		return;
	}
	print("init: %s by %s\n", stop.how == POWER_RESTART ? "restarts" : "switches off", stop.firmware->name);
	server_timer_set(&init.server, &stop.late, now_ns() + FIRMWARE_NS);
	init_work(ask_firmware, firmware_could_not, NULL, NULL);
}

/* One at a time: the next when it has ended. */
void machine_stop_go_on(void)
{
	struct service *s;

	if (!stop.has_ended)
		return;
	list_each(s, &init.services, link)
		if (s->state == SERVICE_STOPPING)
			return;
	if (!(s = next_to_stop())) {
		power_goes();
		return;
	}
	print("init: stops %s\n", s->name);
	service_stop(s, WISH_STOP);
}

static void on_look(struct server_timer *t)
{
	uint64_t now = now_ns();
	bool is_late = now - stop.asked_ns >= PROCESS_NS;

	if (others_call(is_late ? TASK_KILL : 0, 0) > 0 && !is_late) {
		server_timer_set(&init.server, t, now + LOOK_NS);
		return;
	}
	stop.has_ended = true;
	machine_stop_go_on();
}

static void on_patience(struct server_timer *t)
{
	(void)t;
	print("init: not everything has ended\n");
	machine_power(stop.how);
}

void machine_stop(enum power how, enum stop_whom whom)
{
	if (init.is_stopping)
		return;
	init.is_stopping = true;
	stop.how = how;
	stop.asked_ns = now_ns();
	server_timer_init(&stop.look, on_look);
	server_timer_init(&stop.patience, on_patience);
	server_timer_init(&stop.late, on_firmware_late);
	stop.firmware = service_serving(POWER_SCHEME);
	server_timer_set(&init.server, &stop.patience, stop.asked_ns + PATIENCE_NS);
	if (whom == STOP_EVERYBODY) {
		others_call(TASK_POST, SIGNAL_TERMINATE);
		on_look(&stop.look);
	} else {
		stop.has_ended = true;
		machine_stop_go_on();
	}
}
