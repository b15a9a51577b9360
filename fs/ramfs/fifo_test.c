/* fs/ramfs/fifo_test.c - FIFOs: an open waits for its peer, and both get ends of one pipe. */
#include "fs/ramfs/test_backing.h"

static err_t fifo(const struct sender *s, uint32_t flags, uint64_t tag, struct opened *out)
{
	struct where w = at(s, "/p");

	return open_path(&F, &w, flags, 0, tag, out);
}

static void begin_fifo(void)
{
	begin();
	CHECK_EQ(do_mknod(&root, "/p", MODE_FIFO | 0666, 0), OK);
}

TEST(a_reader_waits_for_a_writer_and_both_share_a_pipe)
{
	struct opened w, r;

	begin_fifo();
	CHECK_EQ(fifo(&alice, OPEN_READ, 1, &r), OK);
	CHECK_EQ((int)r.how, OPENED_LATER);
	CHECK_EQ(fifo(&bob, OPEN_WRITE, 2, &w), OK);
	CHECK_EQ((int)w.how, OPENED_FORWARD);
	CHECK_EQ(test_answer_count, 1);
	CHECK_EQ(test_answers[0].tag, 1);
	CHECK_EQ(test_contents[w.content].pipe, test_contents[test_answers[0].end].pipe);
	CHECK_EQ((int)test_contents[w.content].end, PIPE_WRITE);
	CHECK_EQ((int)test_contents[test_answers[0].end].end, PIPE_READ);
	test_content_drop(w.content);
	test_content_drop(test_answers[0].end);
	end();
}

TEST(a_writer_waits_for_a_reader_unless_it_must_not)
{
	struct opened w, r;

	begin_fifo();
	CHECK_EQ(fifo(&alice, OPEN_WRITE | OPEN_NONBLOCK, 1, &w), ERR_NXIO);
	CHECK_EQ(fifo(&alice, OPEN_WRITE, 1, &w), OK);
	CHECK_EQ((int)w.how, OPENED_LATER);
	CHECK_EQ(fifo(&bob, OPEN_READ, 2, &r), OK);
	CHECK_EQ((int)r.how, OPENED_FORWARD);
	CHECK_EQ(test_answer_count, 1);
	test_content_drop(r.content);
	test_content_drop(test_answers[0].end);
	end();
}

TEST(a_nonblocking_reader_and_a_reader_and_writer_open_at_once)
{
	struct opened r, both;

	begin_fifo();
	CHECK_EQ(fifo(&alice, OPEN_READ | OPEN_NONBLOCK, 1, &r), OK);
	CHECK_EQ((int)r.how, OPENED_FORWARD);
	test_content_drop(r.content);
	CHECK_EQ(fifo(&alice, OPEN_READ | OPEN_WRITE, 1, &both), OK);
	CHECK_EQ((int)both.how, OPENED_FORWARD);
	CHECK_EQ(fifo(&alice, OPEN_READ, 1, &r), OK);
	CHECK_EQ((int)r.how, OPENED_FORWARD);
	test_content_drop(both.content);
	test_content_drop(r.content);
	end();
}

TEST(a_waiting_open_can_be_cancelled_and_outlives_the_name)
{
	struct opened r;

	begin_fifo();
	CHECK_EQ(fifo(&alice, OPEN_READ, 1, &r), OK);
	CHECK_EQ(do_unlink(&root, "/p"), OK);
	CHECK(fifo_cancel(&F, 1));
	CHECK(!fifo_cancel(&F, 1));
	CHECK_EQ(test_answers[0].err, ERR_INTR);
	CHECK_EQ(contents_in_use(), 0);
	end();
}

TEST(permissions_hold_for_fifos_too)
{
	struct opened r;

	begin_fifo();
	CHECK_EQ(do_chmod(&root, "/p", 0600), OK);
	CHECK_EQ(fifo(&alice, OPEN_READ, 1, &r), ERR_ACCES);
	end();
}
