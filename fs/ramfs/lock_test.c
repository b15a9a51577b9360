/* fs/ramfs/lock_test.c - advisory locks: who gets them, who waits, who is told. */
#include "fs/ramfs/test_backing.h"

static struct open *a, *b;

static void begin_locks(void)
{
	begin();
	CHECK_EQ(do_open(&alice, "/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0666, &a), OK);
	CHECK_EQ(do_open(&bob, "/f", OPEN_READ | OPEN_WRITE, 0, &b), OK);
}

static void end_locks(void)
{
	open_close(&F, a);
	open_close(&F, b);
	CHECK(list_is_empty(&F.lock_waiters));
	end();
}

/* 1: it waits. */
static int lock(struct open *o, const struct sender *s, unsigned how, uint32_t kind, uint64_t start, uint64_t bytes, uint64_t tag)
{
	struct file_lock l = { .kind = kind, .start = start, .bytes = bytes };
	bool later;
	err_t err = lock_apply(&F, o, s, how, &l, tag, &later);

	return err ? (int)err : later;
}

static struct file_lock test_for(struct open *o, const struct sender *s, uint32_t kind, uint64_t start, uint64_t bytes)
{
	struct file_lock l = { .kind = kind, .start = start, .bytes = bytes };
	bool later;

	CHECK_EQ(lock_apply(&F, o, s, LOCK_TEST, &l, 0, &later), OK);
	return l;
}

TEST(exclusive_ranges_exclude_others_where_they_overlap)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 10, 10, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 19, 1, 0), ERR_AGAIN);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_SHARED, 0, 0, 0), ERR_AGAIN);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 20, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 0, 10, 0), OK);
	struct file_lock l = test_for(b, &bob, LOCK_SHARED, 0, 0);
	CHECK_EQ(l.kind, LOCK_EXCLUSIVE);
	CHECK_EQ(l.pid, alice.pid);
	CHECK_EQ(l.start, 10);
	CHECK_EQ(l.bytes, 10);
	CHECK_EQ(test_for(a, &alice, LOCK_EXCLUSIVE, 10, 10).kind, LOCK_NONE);
	end_locks();
}

TEST(of_several_locks_in_the_way_the_first_in_the_file_is_told)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 30, 5, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_SHARED, 10, 5, 0), OK);
	struct file_lock l = test_for(b, &bob, LOCK_EXCLUSIVE, 0, 0);
	CHECK_EQ(l.kind, LOCK_SHARED);
	CHECK_EQ(l.start, 10);
	CHECK_EQ(test_for(b, &bob, LOCK_EXCLUSIVE, 15, 0).start, 30);
	end_locks();
}

TEST(a_range_freed_in_the_middle_leaves_two)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 0, 100, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_NONE, 40, 20, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 40, 20, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 39, 1, 0), ERR_AGAIN);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 60, 1, 0), ERR_AGAIN);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 100, 0, 0), OK);
	end_locks();
}

TEST(touching_ranges_of_one_kind_become_one)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_SHARED, 0, 10, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_SHARED, 20, 10, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_SHARED, 10, 10, 0), OK);
	struct file_lock l = test_for(b, &bob, LOCK_EXCLUSIVE, 5, 1);
	CHECK_EQ(l.start, 0);
	CHECK_EQ(l.bytes, 30);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 5, 1, 0), OK);
	CHECK_EQ(test_for(b, &bob, LOCK_SHARED, 0, 5).kind, LOCK_NONE);
	CHECK_EQ(test_for(b, &bob, LOCK_SHARED, 0, 6).kind, LOCK_EXCLUSIVE);
	end_locks();
}

TEST(who_waits_for_a_range_gets_it_when_it_is_free)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET_WAIT, LOCK_EXCLUSIVE, 5, 5, 77), 1);
	CHECK_EQ(test_answer_count, 0);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_NONE, 0, 7, 0), OK);
	CHECK_EQ(test_answer_count, 0);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_NONE, 7, 0, 0), OK);
	CHECK_EQ(test_answer_count, 1);
	CHECK_EQ(test_answers[0].tag, 77);
	CHECK_EQ(test_answers[0].err, OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_SHARED, 5, 1, 0), ERR_AGAIN);
	end_locks();
}

TEST(a_cancelled_wait_is_answered_once_with_intr)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET_WAIT, LOCK_EXCLUSIVE, 0, 0, 77), 1);
	CHECK(lock_cancel(&F, 77));
	CHECK(!lock_cancel(&F, 77));
	CHECK_EQ(test_answer_count, 1);
	CHECK_EQ(test_answers[0].err, ERR_INTR);
	end_locks();
}

TEST(closing_frees_locks_and_wakes_who_waits)
{
	struct open *c;

	begin_locks();
	CHECK_EQ(do_open(&alice, "/f", OPEN_READ | OPEN_WRITE, 0, &c), OK);
	CHECK_EQ(lock(c, &alice, LOCK_SET | LOCK_WHOLE, LOCK_EXCLUSIVE, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET_WAIT | LOCK_WHOLE, LOCK_SHARED, 0, 0, 5), 1);
	CHECK_EQ(lock(a, &alice, LOCK_SET_WAIT | LOCK_WHOLE, LOCK_SHARED, 0, 0, 6), 1);
	open_close(&F, c);
	CHECK_EQ(test_answer_count, 2);
	CHECK_EQ(test_answers[0].tag, 5);
	CHECK_EQ(test_answers[1].tag, 6);
	end_locks();
}

TEST(whole_file_locks_and_ranges_do_not_see_each_other)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET | LOCK_WHOLE, LOCK_EXCLUSIVE, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET | LOCK_WHOLE, LOCK_SHARED, 0, 0, 0), ERR_AGAIN);
	end_locks();
}

TEST(two_that_both_want_more_of_a_whole_file_do_not_wait_for_each_other)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET | LOCK_WHOLE, LOCK_SHARED, 0, 0, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET | LOCK_WHOLE, LOCK_SHARED, 0, 0, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET_WAIT | LOCK_WHOLE, LOCK_EXCLUSIVE, 0, 0, 1), 1);
	CHECK_EQ(lock(b, &bob, LOCK_SET_WAIT | LOCK_WHOLE, LOCK_EXCLUSIVE, 0, 0, 2), OK);
	CHECK_EQ(test_answer_count, 0);
	CHECK_EQ(lock(b, &bob, LOCK_SET | LOCK_WHOLE, LOCK_NONE, 0, 0, 0), OK);
	CHECK_EQ(test_answer_count, 1);
	CHECK_EQ(test_answers[0].tag, 1);
	end_locks();
}

TEST(ranges_of_an_open_and_of_a_process_exclude_each_other)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET | LOCK_OPEN, LOCK_EXCLUSIVE, 0, 10, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 5, 1, 0), ERR_AGAIN);
	CHECK_EQ(lock(b, &alice, LOCK_SET | LOCK_OPEN, LOCK_EXCLUSIVE, 5, 1, 0), ERR_AGAIN);
	CHECK_EQ(lock(a, &bob, LOCK_SET | LOCK_OPEN, LOCK_EXCLUSIVE, 5, 1, 0), OK);
	CHECK_EQ(test_for(b, &bob, LOCK_SHARED, 0, 0).pid, UINT32_MAX);
	end_locks();
}

TEST(a_circle_of_waiting_processes_is_refused)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 0, 1, 0), OK);
	CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 1, 1, 0), OK);
	CHECK_EQ(lock(a, &alice, LOCK_SET_WAIT, LOCK_EXCLUSIVE, 1, 1, 1), 1);
	CHECK_EQ(lock(b, &bob, LOCK_SET_WAIT, LOCK_EXCLUSIVE, 0, 1, 2), ERR_DEADLK);
	CHECK(lock_cancel(&F, 1));
	end_locks();
}

TEST(a_range_needs_a_handle_that_is_open_for_it)
{
	struct open *r;

	begin_locks();
	CHECK_EQ(do_open(&bob, "/f", OPEN_READ, 0, &r), OK);
	CHECK_EQ(lock(r, &bob, LOCK_SET, LOCK_EXCLUSIVE, 0, 0, 0), ERR_BADF);
	CHECK_EQ(lock(r, &bob, LOCK_SET, LOCK_SHARED, 0, 0, 0), OK);
	CHECK_EQ(lock(r, &bob, LOCK_SET, 3, 0, 0, 0), ERR_INVAL);
	CHECK_EQ(lock(r, &bob, 3, LOCK_SHARED, 0, 0, 0), ERR_INVAL);
	CHECK_EQ(lock(r, &bob, LOCK_SET, LOCK_SHARED, UINT64_MAX, 1, 0), ERR_INVAL);
	CHECK_EQ(lock(r, &bob, LOCK_SET, LOCK_SHARED, INT64_MAX, UINT64_MAX, 0), ERR_OVERFLOW);
	open_close(&F, r);
	end_locks();
}

TEST(a_lock_that_finds_no_memory_leaves_the_old_ones)
{
	begin_locks();
	CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_EXCLUSIVE, 0, 100, 0), OK);
	for (unsigned n = 1; n <= 2; n++) {
		heap_fail_after(n);
		CHECK_EQ(lock(a, &alice, LOCK_SET, LOCK_NONE, 40, 20, 0), ERR_NOLCK);
		heap_fail_after(0);
		CHECK_EQ(lock(b, &bob, LOCK_SET, LOCK_EXCLUSIVE, 50, 1, 0), ERR_AGAIN);
	}
	end_locks();
}
