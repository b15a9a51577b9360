/* servers/init/stop.c - the machine's end: whoever is no service, then service after service, nobody before those who need him.
 *
 * Processes are asked to end and have a while for it. Services end as each would (life.c); disks are flushed before their driver goes.
 * Whatever hangs: after PATIENCE_NS the power goes.
 */
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

enum { PIDS_MAX = 4096, INIT_PID = 1, SIGNAL_TERMINATE = 15 };

static struct {
	enum power how;
	uint64_t asked_ns;
	bool has_ended;                 /* those who are no service, or they are not asked */
	struct server_timer look, patience;
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

static bool is_left(uint32_t i) { return service_is_alive(numbered[i]); }
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
		machine_power(stop.how);
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
	server_timer_set(&init.server, &stop.patience, stop.asked_ns + PATIENCE_NS);
	if (whom == STOP_EVERYBODY) {
		others_call(TASK_POST, SIGNAL_TERMINATE);
		on_look(&stop.look);
	} else {
		stop.has_ended = true;
		machine_stop_go_on();
	}
}
