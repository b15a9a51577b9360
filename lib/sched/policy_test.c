/* lib/sched/policy_test.c - who gets the CPU, with simulated threads: shares, order, sleepers, deadlines, budgets. */
#include "lib/sched/policy.h"
#include "lib/base/bits.h"
#include "lib/test/test.h"

enum { THREADS_MAX = 64, ACCOUNTS_MAX = 8 };
#define MS 1000000ull

/* A thread that runs busy_ns, sleeps sleep_ns, and so on; sleep 0: never. */
struct sim_thread {
	struct turn turn;
	uint64_t busy_ns, sleep_ns, left_ns, wakes_ns, had_ns, woken_ns, latency_ns, jobs, missed, release_ns;
	bool sleeps, dead;
};

static struct run_queue queue;
static struct fair_group groups[ACCOUNTS_MAX];
static struct fair_account accounts[ACCOUNTS_MAX];
static struct sim_thread threads[THREADS_MAX], *running;
static uint32_t thread_count;
static uint64_t now_ns, switches;

static void begin(void)
{
	memset(groups, 0, sizeof(groups));
	memset(threads, 0, sizeof(threads));
	for (int i = 0; i < ACCOUNTS_MAX; i++)
		accounts[i] = (struct fair_account){ .groups = &groups[i] };
	run_queue_init(&queue, 0);
	running = NULL;
	thread_count = 0;
	now_ns = 1000 * MS;
	switches = 0;
}

static const struct task_schedule new_thread = { .priority = PRIORITY_NORMAL, .affinity = 1 };

static struct sim_thread *add(uint32_t account, struct task_schedule s, uint64_t busy_ns, uint64_t sleep_ns)
{
	struct sim_thread *t = &threads[thread_count++];

	CHECK_EQ(schedule_change(&new_thread, 1, true, &s), OK);
	*t = (struct sim_thread){ .busy_ns = busy_ns, .sleep_ns = sleep_ns, .left_ns = busy_ns, .release_ns = now_ns };
	list_init(&t->turn.ready_link);
	list_init(&t->turn.level_link);
	t->turn.account = &accounts[account];
	turn_set(&t->turn, &s);
	if (s.priority == PRIORITY_DEADLINE)
		CHECK(deadline_admit(&queue, NULL, &s));
	run_queue_add(&queue, &t->turn, true, now_ns);
	return t;
}

static struct sim_thread *hog(uint32_t account, int8_t nice)
{
	return add(account, (struct task_schedule){ .priority = PRIORITY_NORMAL, .nice = nice }, UINT64_MAX, 0);
}

static struct task_schedule at_priority(uint8_t priority, uint16_t flags)
{
	return (struct task_schedule){ .priority = priority, .flags = flags };
}

static struct task_schedule deadline(uint64_t runtime_ns, uint64_t period_ns)
{
	return (struct task_schedule){ .priority = PRIORITY_DEADLINE, .runtime_ns = runtime_ns, .deadline_ns = period_ns, .period_ns = period_ns };
}

static void charge_running(uint64_t ns)
{
	now_ns += ns;
	if (!running)
		return;
	run_queue_charge(&queue, &running->turn, ns, now_ns);
	running->had_ns += ns;
	running->left_ns -= running->left_ns == UINT64_MAX ? 0 : ns;
}

static bool need_pick;

static void wake_sleepers(void)
{
	for (uint32_t i = 0; i < thread_count; i++) {
		struct sim_thread *t = &threads[i];
		if (!t->sleeps || t->wakes_ns > now_ns)
			continue;
		t->sleeps = false;
		t->woken_ns = now_ns;
		run_queue_add(&queue, &t->turn, true, now_ns);
		if (!running || turn_interrupts(&t->turn, &running->turn))
			need_pick = true;
	}
}

static void sleep_running(uint64_t until_ns)
{
	running->sleeps = true;
	running->wakes_ns = until_ns;
	running = NULL;
	need_pick = true;
}

static void job_done(struct sim_thread *t)
{
	t->left_ns = t->busy_ns;
	t->jobs++;
	if (t->turn.schedule.period_ns) {
		t->release_ns += t->turn.schedule.period_ns;
		t->missed += now_ns > t->release_ns;
		if (t->release_ns > now_ns)
			sleep_running(t->release_ns);
	} else if (t->sleep_ns) {
		sleep_running(now_ns + t->sleep_ns);
	}
}

static void pick(void)
{
	struct turn *turn;

	if (running && deadline_wait_ns(&running->turn) > now_ns)
		sleep_running(deadline_wait_ns(&running->turn));
	turn = run_queue_next(&queue, running ? &running->turn : NULL, now_ns);
	struct sim_thread *next = turn ? container_of(turn, struct sim_thread, turn) : NULL;
	switches += next != running;
	running = next;
	if (next && next->woken_ns) {
		next->latency_ns = MAX_OF(next->latency_ns, now_ns - next->woken_ns);
		next->woken_ns = 0;
	}
	need_pick = false;
}

static uint64_t next_event(uint64_t end_ns)
{
	uint64_t at = end_ns;

	for (uint32_t i = 0; i < thread_count; i++)
		if (threads[i].sleeps)
			at = MIN_OF(at, threads[i].wakes_ns);
	if (running) {
		at = MIN_OF(at, run_queue_look_ns(&queue, &running->turn, now_ns));
		if (running->left_ns != UINT64_MAX)
			at = MIN_OF(at, now_ns + running->left_ns);
	}
	return MAX_OF(at, now_ns);
}

static void go_on(uint64_t ns)
{
	uint64_t end_ns = now_ns + ns;

	need_pick = true;
	while (now_ns < end_ns) {
		wake_sleepers();
		if (running && running->left_ns == 0)
			job_done(running);
		if (need_pick || (running && run_queue_look_ns(&queue, &running->turn, now_ns) <= now_ns))
			pick();
		charge_running(next_event(end_ns) - now_ns);
	}
}

/* Is part within percent % of whole / of? */
static bool is_share(uint64_t part, uint64_t whole, uint64_t of, uint64_t percent)
{
	uint64_t wanted = whole / of;

	return part + wanted * percent / 100 >= wanted && part <= wanted + wanted * percent / 100;
}

TEST(equals_get_equal_shares)
{
	begin();
	for (int i = 0; i < 5; i++)
		hog(0, 0);
	go_on(1000 * MS);
	for (int i = 0; i < 5; i++)
		CHECK(is_share(threads[i].had_ns, 1000 * MS, 5, 3));
}

TEST(accounts_come_before_threads)
{
	begin();
	struct sim_thread *alone = hog(1, 0);
	for (int i = 0; i < 20; i++)
		hog(2, 0);
	go_on(2000 * MS);
	CHECK(is_share(alone->had_ns, 2000 * MS, 2, 2));
	for (int i = 1; i <= 20; i++)
		CHECK(is_share(threads[i].had_ns, 1000 * MS, 20, 15));
}

TEST(nice_weighs_within_an_account)
{
	begin();
	struct sim_thread *plain = hog(0, 0), *nicer = hog(0, 5), *rude = hog(0, -5);
	go_on(8000 * MS);
	/* 1.25^5 is 3.05. */
	CHECK(is_share(plain->had_ns * 100 / 305, nicer->had_ns, 1, 5));
	CHECK(is_share(rude->had_ns * 100 / 305, plain->had_ns, 1, 5));
}

TEST(idle_and_low_threads_get_little_but_something)
{
	begin();
	struct sim_thread *plain = hog(0, 0), *idle = add(0, at_priority(PRIORITY_IDLE, 0), UINT64_MAX, 0);
	struct sim_thread *low = add(0, at_priority(PRIORITY_LOW, 0), UINT64_MAX, 0);
	go_on(10000 * MS);
	CHECK(plain->had_ns > 7800 * MS && low->had_ns > 1800 * MS);
	CHECK(idle->had_ns > 0 && idle->had_ns < 100 * MS);
}

TEST(a_sleeper_gets_the_cpu_at_once_and_no_more_than_its_share)
{
	begin();
	for (int i = 0; i < 4; i++)
		hog(0, 0);
	struct sim_thread *shell = add(0, at_priority(PRIORITY_NORMAL, 0), MS / 2, 20 * MS);
	go_on(3000 * MS);
	CHECK(shell->jobs > 130);
	CHECK_EQ(shell->latency_ns, 0);
}

TEST(what_was_not_used_while_asleep_is_not_saved_up)
{
	begin();
	struct sim_thread *other = hog(0, 0), *late = add(0, at_priority(PRIORITY_NORMAL, 0), 1, 5000 * MS);
	go_on(5000 * MS);
	late->busy_ns = UINT64_MAX;
	late->left_ns = UINT64_MAX;
	uint64_t before = other->had_ns;
	go_on(100 * MS);
	CHECK(other->had_ns - before >= 44 * MS);
}

TEST(sleeping_often_gains_nothing)
{
	begin();
	struct sim_thread *fair = hog(0, 0), *sly = add(0, at_priority(PRIORITY_NORMAL, 0), 3900000, 1);
	go_on(2000 * MS);
	CHECK(is_share(fair->had_ns, 2000 * MS, 2, 3) && is_share(sly->had_ns, 2000 * MS, 2, 3));
}

/* Each of the bomb's threads runs for a moment, starts another and ends. */
TEST(a_storm_of_new_threads_does_not_starve_others)
{
	begin();
	struct sim_thread *other = hog(1, 0), *same_user = hog(2, 0);
	uint64_t started = 0;

	for (uint64_t end_ns = now_ns + 1000 * MS; now_ns < end_ns; started++) {
		struct sim_thread *t = &threads[2 + started % 20];
		if (t->turn.queue)
			run_queue_remove(&queue, &t->turn);
		if (running == t)
			running = NULL;
		thread_count = 2 + (uint32_t)(started % 20);
		add(2, at_priority(PRIORITY_NORMAL, 0), UINT64_MAX, 0);
		thread_count = 2 + (uint32_t)MIN_OF(started + 1, 20);
		go_on(MS / 10);
	}
	CHECK(other->had_ns >= 480 * MS);
	CHECK(same_user->had_ns >= 15 * MS);
}

TEST(turns_of_one_priority_go_round)
{
	begin();
	for (int i = 0; i < 3; i++)
		add(0, at_priority(PRIORITY_REALTIME + 9, 0), UINT64_MAX, 0);
	for (int round = 0; round < 6; round++) {
		go_on(SLICE_NS);
		CHECK(running == &threads[round % 3]);
	}
}

TEST(fifo_threads_keep_the_cpu_until_they_wait)
{
	begin();
	struct sim_thread *first = add(0, at_priority(PRIORITY_REALTIME, SCHEDULE_FIFO), 30 * MS, 500 * MS);
	struct sim_thread *second = add(0, at_priority(PRIORITY_REALTIME, SCHEDULE_FIFO), UINT64_MAX, 0);
	go_on(29 * MS);
	CHECK_EQ(second->had_ns, 0);
	go_on(29 * MS);
	CHECK_EQ(first->had_ns, 30 * MS);
	CHECK_EQ(second->had_ns, 28 * MS);
}

TEST(the_higher_priority_goes_first_and_interrupts)
{
	begin();
	struct sim_thread *server = add(0, at_priority(PRIORITY_SERVER, 0), MS, 9 * MS), *plain = hog(0, -20);
	struct sim_thread *driver = add(0, at_priority(PRIORITY_DRIVER, 0), MS, 9 * MS);
	go_on(1000 * MS);
	CHECK_EQ(driver->latency_ns, 0);
	CHECK(server->latency_ns <= MS);
	CHECK(server->jobs >= 90 && driver->jobs >= 99);
	CHECK(plain->had_ns > 700 * MS);
}

TEST(a_real_time_hog_leaves_others_a_part)
{
	begin();
	struct sim_thread *hogs = add(0, at_priority(PRIORITY_DEADLINE - 1, SCHEDULE_FIFO), UINT64_MAX, 0), *plain = hog(0, 0);
	struct sim_thread *server = add(0, at_priority(PRIORITY_SERVER, 0), MS / 10, 10 * MS);
	go_on(10000 * MS);
	CHECK(is_share(hogs->had_ns, 9500 * MS, 1, 1));
	CHECK(plain->had_ns > 400 * MS && server->jobs > 90);
}

TEST(a_real_time_hog_alone_gets_everything)
{
	begin();
	struct sim_thread *one = add(0, at_priority(PRIORITY_REALTIME, SCHEDULE_FIFO), UINT64_MAX, 0);
	go_on(1000 * MS);
	CHECK_EQ(one->had_ns, 1000 * MS);
}

TEST(deadlines_are_met_beside_hogs_of_every_kind)
{
	begin();
	struct sim_thread *a = add(0, deadline(2 * MS, 5 * MS), 2 * MS, 0), *b = add(0, deadline(3 * MS, 12 * MS), 3 * MS, 0);
	struct sim_thread *c = add(0, deadline(5 * MS, 40 * MS), 5 * MS, 0);
	for (int i = 0; i < 4; i++)
		hog(1, -20);
	add(2, at_priority(PRIORITY_DEADLINE - 1, SCHEDULE_FIFO), UINT64_MAX, 0);
	go_on(50000 * MS);
	CHECK(a->jobs >= 9999 && b->jobs >= 4165 && c->jobs >= 1249);
	CHECK_EQ(a->missed + b->missed + c->missed, 0);
}

TEST(a_deadline_thread_that_overruns_harms_nobody)
{
	begin();
	struct sim_thread *wild = add(0, deadline(3 * MS, 10 * MS), UINT64_MAX, 0), *good = add(0, deadline(4 * MS, 10 * MS), 4 * MS, 0);
	struct sim_thread *plain = hog(1, 0);
	go_on(10000 * MS);
	CHECK(is_share(wild->had_ns, 3000 * MS, 1, 1));
	CHECK_EQ(good->missed, 0);
	CHECK(is_share(plain->had_ns, 3000 * MS, 1, 1));
}

/* It wakes again and again just before its deadline, with runtime left. */
TEST(waking_late_gains_no_runtime)
{
	begin();
	struct sim_thread *sly = add(0, deadline(4 * MS, 10 * MS), MS, 0), *other = add(0, deadline(4 * MS, 10 * MS), 4 * MS, 0);
	sly->turn.schedule.period_ns = 10 * MS;
	go_on(1000 * MS);
	CHECK_EQ(other->missed, 0);
	CHECK(sly->had_ns <= 401 * MS);
}

TEST(more_than_fits_is_not_admitted)
{
	struct task_schedule half = deadline(5 * MS, 10 * MS), third = deadline(4 * MS, 10 * MS), bit = deadline(MS, 10 * MS);

	begin();
	CHECK(deadline_admit(&queue, NULL, &half));
	CHECK(deadline_admit(&queue, NULL, &third));
	CHECK(!deadline_admit(&queue, NULL, &bit));
	CHECK(!deadline_admit(&queue, &third, &half));
	CHECK(deadline_admit(&queue, &half, &third));
	CHECK(deadline_admit(&queue, NULL, &bit));
	deadline_leave(&queue, &third);
	deadline_leave(&queue, &third);
	deadline_leave(&queue, &bit);
	CHECK_EQ(queue.density, 0);
}

/* Whoever may change where it runs could else begin a period whenever it likes. */
TEST(a_change_gives_a_deadline_thread_no_more_runtime)
{
	begin();
	struct sim_thread *sly = add(0, deadline(3 * MS, 10 * MS), UINT64_MAX, 0), *good = add(0, deadline(6 * MS, 10 * MS), 6 * MS, 0);
	for (int i = 0; i < 1000; i++) {
		struct task_schedule same = sly->turn.schedule;
		go_on(MS);
		if (running == sly)
			turn_set(&sly->turn, &same);
	}
	CHECK(sly->had_ns >= 290 * MS && sly->had_ns <= 304 * MS);
	CHECK_EQ(good->missed, 0);
	struct task_schedule less = deadline(MS, 10 * MS);
	turn_set(&sly->turn, &less);
	CHECK(sly->turn.left_ns <= (int64_t)MS);
}

/* Its deadline is shorter than its period: what counts is what it may want at once. */
TEST(admission_goes_by_the_shorter_deadline)
{
	begin();
	struct task_schedule s = deadline(5 * MS, 100 * MS);
	s.deadline_ns = 6 * MS;
	CHECK(deadline_admit(&queue, NULL, &s));
	CHECK(!deadline_admit(&queue, NULL, &s));
}

TEST(wrong_schedules_are_refused)
{
	struct task_schedule wrong[] = {
		{ .priority = PRIORITY_COUNT }, { .priority = PRIORITY_NORMAL, .nice = 20 }, { .priority = PRIORITY_NORMAL, .nice = -21 },
		{ .priority = PRIORITY_NORMAL, .flags = 1 << 4 }, { .priority = PRIORITY_NORMAL, .runtime_ns = 5000 },
		{ .priority = PRIORITY_DEADLINE }, deadline(1000, MS), deadline(2 * MS, MS), deadline(MS, 5000 * MS),
		{ .priority = PRIORITY_DEADLINE, .runtime_ns = MS, .deadline_ns = 3 * MS, .period_ns = 2 * MS },
		{ .priority = PRIORITY_DEADLINE, .runtime_ns = UINT64_MAX, .deadline_ns = UINT64_MAX, .period_ns = UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		CHECK_EQ(schedule_change(&new_thread, 1, true, &wrong[i]), ERR_INVAL);
}

TEST(only_who_has_the_right_raises)
{
	struct task_schedule old = { .priority = PRIORITY_LOW, .nice = 3, .affinity = 1 };
	const struct task_schedule more[] = {
		{ .priority = PRIORITY_NORMAL, .nice = 3 }, { .priority = PRIORITY_LOW, .nice = 2 }, { .priority = PRIORITY_REALTIME, .nice = 3 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(more); i++) {
		struct task_schedule s = more[i];
		CHECK_EQ(schedule_change(&old, 1, false, &s), ERR_ACCES);
		CHECK_EQ(schedule_change(&old, 1, true, &s), OK);
	}
	struct task_schedule s = { .priority = PRIORITY_IDLE, .nice = 3 };
	CHECK_EQ(schedule_change(&old, 1, false, &s), OK);
	old.priority = PRIORITY_REALTIME;       /* its flags are worth something too */
	s = old;
	CHECK_EQ(schedule_change(&old, 1, false, &s), ERR_ACCES);
}

TEST(a_mask_is_changed_alone_or_stays)
{
	const struct task_schedule old = { .priority = PRIORITY_REALTIME, .flags = SCHEDULE_FIFO, .affinity = 5 };
	struct task_schedule s = { .flags = SCHEDULE_ONLY_AFFINITY, .affinity = 0xfe };

	CHECK_EQ(schedule_change(&old, 0xf, false, &s), OK);
	CHECK_EQ(s.affinity, 0xe);
	CHECK_EQ(s.priority, PRIORITY_REALTIME);
	CHECK_EQ(s.flags, SCHEDULE_FIFO);
	s = (struct task_schedule){ .priority = PRIORITY_NORMAL };
	CHECK_EQ(schedule_change(&old, 0xf, true, &s), OK);
	CHECK_EQ(s.affinity, 5);
	s = (struct task_schedule){ .flags = SCHEDULE_ONLY_AFFINITY, .affinity = 0xf0 };
	CHECK_EQ(schedule_change(&old, 0xf, true, &s), ERR_INVAL);
}

TEST(what_is_lent_goes_before_its_own)
{
	begin();
	struct sim_thread *busy = add(0, at_priority(PRIORITY_REALTIME, 0), UINT64_MAX, 0), *server = hog(0, 0);
	go_on(10 * MS);
	CHECK(running == busy);
	run_queue_remove(&queue, &server->turn);
	server->turn.lent = PRIORITY_DEADLINE;
	run_queue_add(&queue, &server->turn, true, now_ns);
	CHECK(turn_interrupts(&server->turn, &busy->turn));
	CHECK(run_queue_has_above(&queue, PRIORITY_REALTIME + 60) && !run_queue_has_above(&queue, PRIORITY_DEADLINE));
	go_on(10 * MS);
	CHECK(running == server);
}

TEST(what_a_thread_starts_begins_no_higher_than_it_said)
{
	struct task_schedule s = { .priority = PRIORITY_REALTIME + 5, .nice = -3, .flags = SCHEDULE_FIFO, .affinity = 6 };

	CHECK_EQ(schedule_inherit(&s).priority, PRIORITY_REALTIME + 5);
	CHECK_EQ(schedule_inherit(&s).flags, SCHEDULE_FIFO);
	s.flags |= SCHEDULE_RESET_ON_FORK;
	CHECK_EQ(schedule_inherit(&s).priority, PRIORITY_NORMAL);
	CHECK_EQ(schedule_inherit(&s).nice, 0);
	CHECK_EQ(schedule_inherit(&s).affinity, 6);
	CHECK_EQ(schedule_inherit(&s).flags, 0);
	s = deadline(MS, 2 * MS);
	CHECK_EQ(schedule_inherit(&s).priority, PRIORITY_NORMAL);
	CHECK_EQ(schedule_inherit(&s).runtime_ns, 0);
}

TEST(nobody_starves_whatever_they_do)
{
	begin();
	for (uint32_t i = 0; i < 40; i++) {
		uint64_t busy = test_random() % 3 ? UINT64_MAX : 1 + test_random() % (5 * MS);
		add((uint32_t)(test_random() % ACCOUNTS_MAX), (struct task_schedule){ .priority = PRIORITY_NORMAL, .nice = (int8_t)(test_random() % 21 - 10) },
		    busy, busy == UINT64_MAX ? 0 : 1 + test_random() % (10 * MS));
	}
	go_on(30000 * MS);
	uint64_t all = 0;
	for (uint32_t i = 0; i < 40; i++) {
		CHECK(threads[i].had_ns > 0);
		all += threads[i].had_ns;
	}
	CHECK(all > 29990 * MS);
}

/* A thread that comes from another CPU brings its distance along, not the other's virtual time. */
TEST(moving_to_another_cpu_neither_wins_nor_loses)
{
	static struct fair_group two[2];
	struct fair_account account = { .groups = two };
	struct run_queue other;

	begin();
	memset(two, 0, sizeof(two));
	run_queue_init(&other, 1);
	struct sim_thread *a = hog(0, 0), *b = hog(0, 0);
	run_queue_remove(&queue, &a->turn);
	run_queue_remove(&queue, &b->turn);
	a->turn.account = b->turn.account = &account;
	a->turn.group = b->turn.group = NULL;
	run_queue_add(&queue, &a->turn, true, now_ns);
	run_queue_add(&queue, &b->turn, true, now_ns);
	go_on(1000 * MS);
	CHECK(two[0].turns.virtual_ns > 0);
	if (running == b)
		pick();
	struct sim_thread *stays = running == a ? b : a;
	run_queue_remove(&queue, &stays->turn);
	int64_t behind = stays->turn.share.virtual_ns - two[0].turns.virtual_ns;
	run_queue_add(&other, &stays->turn, true, now_ns);
	CHECK_EQ(stays->turn.share.virtual_ns - two[1].turns.virtual_ns, behind);
	CHECK(account.weight == 0);    /* each CPU's only one that waits is in no tree */
}

/* As when the kernel hands the CPU from thread to thread: no queue of this CPU has ever seen it. */
TEST(who_was_handed_the_cpu_is_charged_like_others)
{
	struct turn t = { .account = &accounts[3] };

	begin();
	turn_set(&t, &(struct task_schedule){ .priority = PRIORITY_NORMAL });
	list_init(&t.ready_link);
	run_queue_charge(&queue, &t, 3 * MS, now_ns);
	CHECK_EQ(t.share.virtual_ns, 3 * MS);
	CHECK_EQ(groups[3].share.virtual_ns, 3 * MS);
}

TEST(who_gives_way_lets_the_other_of_its_account_go_first)
{
	begin();
	struct sim_thread *a = hog(0, 0), *b = hog(0, 0);
	pick();
	struct sim_thread *first = running, *second = running == a ? b : a;
	second->turn.share.virtual_ns = first->turn.share.virtual_ns + 6 * MS;
	for (int i = 0; i < 100; i++) {
		charge_running(MS / 1000);
		running->turn.gives_way = true;
		pick();
		CHECK(running == (i % 2 ? first : second));
	}
	CHECK(queue.count == 1);
	CHECK(queue.alone == (running == a ? &b->turn : &a->turn));
}

TEST(what_comes_in_small_pieces_is_charged_to_the_account)
{
	begin();
	struct sim_thread *a = hog(0, 0);
	pick();
	for (int i = 0; i < 10000; i++)
		charge_running(MS / 1000);
	CHECK_EQ(a->turn.share.virtual_ns, 10 * MS);
	CHECK(groups[0].share.virtual_ns > (int64_t)(9 * MS) && groups[0].share.virtual_ns <= (int64_t)(10 * MS));
}

/* The one beside the trees, and one that the trees hold, leave by every door. */
TEST(whoever_waits_can_be_taken_out)
{
	begin();
	struct sim_thread *t[3] = { hog(0, 0), hog(0, 5), hog(1, 0) };

	for (int i = 0; i < 3; i++)
		run_queue_remove(&queue, &t[i]->turn);
	CHECK(queue.count == 0);
	CHECK(!queue.alone && !queue.groups.root);
	for (int i = 0; i < 3; i++) {
		run_queue_add(&queue, &t[i]->turn, true, now_ns);
		CHECK(queue.alone == &t[i]->turn);
		CHECK(run_queue_next(&queue, NULL, now_ns) == &t[i]->turn);
	}
	CHECK(!run_queue_next(&queue, NULL, now_ns));
	CHECK_EQ(accounts[0].weight + accounts[1].weight, 0);
}
