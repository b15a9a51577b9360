/* lib/block/block_test.c - clients' requests against a mock driver: cutting, copies, order, errors, restarts, vanished disks. */
#include "lib/block/test_block.h"

/* ---- Rules ---- */

TEST(a_read_brings_what_is_on_the_disk)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 4096, 8192), SCHEME_LATER);
	CHECK_EQ(kicks, 1);
	finish(0, OK);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], 4096);
	CHECK_MEM(got, medium + 8192, 4096);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_long_read_is_cut_and_comes_together_in_any_order)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 300 * 1024, 512), SCHEME_LATER);
	CHECK_EQ(flights, QUEUE);
	finish_all();
	CHECK_EQ(starts, 10);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], 300 * 1024);
	CHECK_MEM(got, medium + 512, 300 * 1024);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_long_write_arrives_whole)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(write_at(o, 200 * 1024, 4096), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[0], 200 * 1024);
	CHECK_MEM(medium + 4096, sent, 200 * 1024);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_device_that_answers_at_once_is_fine)
{
	setup(0);
	at_once = true;
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 4096, 0), SCHEME_LATER);
	CHECK_EQ(answer[0], 4096);
	CHECK_MEM(got, medium, 4096);
	CHECK_EQ(write_at(o, 100 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(answers, 2);
	CHECK_EQ(answer[1], 100 * 1024);
	CHECK_MEM(medium, sent, 100 * 1024);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_full_device_is_asked_again_when_it_has_room)
{
	setup(0);
	room = 1;
	void *o = open_at(NULL, "0", 1);
	for (uint32_t i = 0; i < 6; i++)
		CHECK_EQ(read_at(o, 512, i * 512), SCHEME_LATER);
	CHECK_EQ(flights, 1);
	finish_all();
	CHECK_EQ(answers, 6);
	CHECK_EQ(starts, 6);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_long_call_does_not_hold_up_a_short_one)
{
	setup(0);
	room = 1;
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 256 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	for (uint32_t i = 0; i < 6 && answers == 0; i++)
		finish(0, OK);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], 512);
	finish_all();
	CHECK_EQ(answers, 2);
	close_it(o);
}

TEST(what_the_device_could_not_do_is_an_error_for_the_client_alone)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 128 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	finish(1, ERR_IO);
	finish_all();
	CHECK_EQ(answers, 2);
	CHECK_EQ(MIN_OF(answer[0], answer[1]), ERR_IO);
	CHECK_EQ(answer[0] == ERR_IO ? answer[1] : answer[0], 512);
	CHECK_EQ(state->disk[0].statistics.errors, 1);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_driver_may_refuse_a_request)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	start_error = ERR_OPNOTSUPP;
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	CHECK_EQ(answer[0], ERR_OPNOTSUPP);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_request_lost_by_a_reset_is_started_again_a_few_times)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	block_done(land(0), ERR_AGAIN);
	CHECK_EQ(flights, 1);
	CHECK_EQ(answers, 0);
	block_done(land(0), ERR_AGAIN);
	block_done(land(0), ERR_AGAIN);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], ERR_IO);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_device_that_never_answers_is_an_error_in_the_end)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	block_tick(now_ns + BLOCK_PATIENCE_NS - 10);
	CHECK_EQ(stucks, 0);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK_EQ(answers, 0);
		now_ns += BLOCK_PATIENCE_NS + 1;
		block_tick(now_ns);
	}
	CHECK_EQ(stucks, 3);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], ERR_IO);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_vanished_disk_is_an_error_for_who_waits_and_who_comes)
{
	setup(0);
	room = 1;
	void *o = open_at(NULL, "0", 1), *other;
	CHECK_EQ(read_at(o, 256 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(write_at(o, 512, 0), SCHEME_LATER);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	block_remove(&disk);
	CHECK_EQ(answers, 3);
	for (uint32_t i = 0; i < answers; i++)
		CHECK_EQ(answer[i], ERR_NODEV);
	CHECK_EQ(read_at(o, 512, 0), ERR_NODEV);
	CHECK_EQ(call(o, DISK_FLUSH, NULL, 0), ERR_NODEV);
	CHECK_EQ(try_open(NULL, "0", OPEN_READ, &other, 2), ERR_NOENT);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(the_end_of_the_disk_is_the_end)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	CHECK_EQ(read_at(o, 512, DISK_BYTES), 0);
	CHECK_EQ(read_at(o, 512, UINT64_MAX - 511), 0);
	CHECK_EQ(write_at(o, 512, DISK_BYTES), ERR_NOSPC);
	CHECK_EQ(read_at(o, 4096, DISK_BYTES - 512), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[0], 512);
	CHECK_MEM(got, medium + DISK_BYTES - 512, 512);
	close_it(o);
}

TEST(parts_of_sectors_are_patched_one_after_the_other)
{
	setup(0);
	uint8_t before[1024];
	void *o = open_at(NULL, "0", 1);
	memcpy(before, medium, sizeof(before));
	CHECK_EQ(write_at(o, 512, 2048), SCHEME_LATER);         /* is out when the patches come */
	CHECK_EQ(write_at(o, 100, 700), SCHEME_LATER);
	CHECK_EQ(write_at(o, 3, 800), SCHEME_LATER);
	CHECK_EQ(write_at(o, 512, 512), SCHEME_LATER);          /* the same sector: not before them */
	while (flights > 0) {
		CHECK_EQ(flights, 1);
		finish(0, OK);
	}
	CHECK_EQ(answers, 4);
	CHECK_EQ(answer[1], 100);
	CHECK_EQ(answer[2], 3);
	CHECK_MEM(medium, before, 512);
	CHECK_MEM(medium + 512, sent, 512);
	CHECK_EQ(write_at(o, 100, 700), SCHEME_LATER);
	finish_all();
	CHECK_MEM(medium + 700, sent, 100);
	CHECK_MEM(medium + 512, sent, 188);
	CHECK_MEM(medium + 800, sent + 288, 224);
	CHECK_EQ(read_at(o, 5, 798), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[5], 5);
	CHECK_MEM(got, medium + 798, 5);
	CHECK_EQ(write_at(o, 5, 1), SCHEME_LATER);
	finish(0, ERR_IO);
	CHECK_EQ(answer[6], ERR_IO);
	CHECK_EQ(read_at(o, 512, 0), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[7], 512);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_range_is_all_that_its_handle_reaches)
{
	setup(DISK_HAS_DISCARD);
	void *o = open_at(NULL, "0", 1), *part = open_at(o, "65536+131072,4294967297", 2), *none, *inner = open_at(part, "4096+0", 3);
	CHECK_EQ(read_at(part, 512, 131072), 0);
	CHECK_EQ(read_at(part, 4096, 131072 - 512), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[0], 512);
	CHECK_MEM(got, medium + 65536 + 131072 - 512, 512);
	CHECK_EQ(read_at(inner, 131072, 0), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[1], 131072 - 4096);
	CHECK_MEM(got, medium + 65536 + 4096, 131072 - 4096);
	struct disk_range r = { 131072 - 512, 1024 };
	CHECK_EQ(call(part, DISK_DISCARD, &r, sizeof(r)), ERR_INVAL);
	CHECK_EQ(try_open(part, "65536+131072", OPEN_READ, &none, 4), ERR_INVAL);
	CHECK_EQ(try_open(part, "18446744073709551104+512", OPEN_READ, &none, 4), ERR_INVAL);
	CHECK_EQ(try_open(part, "1+512", OPEN_READ, &none, 4), ERR_INVAL);
	/* What begins at the part's end is nothing, and not the rest of the disk. */
	CHECK_EQ(try_open(part, "131072+0", OPEN_READ, &none, 4), ERR_INVAL);
	CHECK_EQ(try_open(part, "0+512,", OPEN_READ, &none, 4), ERR_NOENT);
	CHECK_EQ(try_open(part, "0+512 ", OPEN_READ, &none, 4), ERR_NOENT);
	CHECK_EQ(try_open(part, "x", OPEN_READ, &none, 4), ERR_NOENT);
	close_it(inner);
	close_it(part);
	close_it(o);
}

TEST(a_handle_for_reading_is_no_way_to_write)
{
	setup(0);
	void *o = NULL, *part = NULL;
	CHECK_EQ(try_open(NULL, "0", OPEN_READ, &o, 1), 0);
	CHECK_EQ(try_open(o, "0+512", OPEN_READ | OPEN_WRITE, &part, 2), ERR_ACCES);
	CHECK_EQ(try_open(o, "0+512", OPEN_READ, &part, 2), 0);
	CHECK_EQ(try_open(part, "0+512", OPEN_WRITE, &part, 2), ERR_ACCES);
	struct disk_range range = { 0, 512 };
	CHECK_EQ(call(part, DISK_DISCARD, &range, sizeof(range)), ERR_BADF);
	close_it(part);
	close_it(o);
}

TEST(discard_zero_and_flush_reach_the_device)
{
	setup(DISK_HAS_DISCARD | DISK_HAS_ZERO | DISK_HAS_FLUSH);
	disk.range_sectors_max = 16;
	void *o = open_at(NULL, "0", 1);
	struct disk_range r = { 4096, 65536 };
	CHECK_EQ(call(o, DISK_ZERO, &r, sizeof(r)), SCHEME_LATER);
	finish_all();
	CHECK_EQ(starts, 8);
	CHECK_EQ(answer[0], 0);
	for (size_t i = 4096; i < 4096 + 65536; i++)
		CHECK_EQ(medium[i], 0);
	CHECK_EQ(call(o, DISK_DISCARD, &r, 8), ERR_INVAL);
	CHECK_EQ(call(o, DISK_FLUSH, NULL, 0), SCHEME_LATER);
	CHECK_EQ(flight[0]->op, BLOCK_FLUSH);
	finish_all();
	CHECK_EQ(answer[1], 0);
	CHECK_EQ(state->disk[0].statistics.flushes, 1);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(what_a_disk_cannot_do_is_said)
{
	setup(DISK_READ_ONLY);
	void *o = NULL, *w;
	struct disk_range r = { 0, 512 };
	CHECK_EQ(try_open(NULL, "0", OPEN_READ | OPEN_WRITE, &w, 1), ERR_ROFS);
	CHECK_EQ(try_open(NULL, "0", OPEN_READ, &o, 1), 0);
	CHECK_EQ(call(o, DISK_ZERO, &r, sizeof(r)), ERR_BADF);
	CHECK_EQ(call(o, DISK_FLUSH, NULL, 0), 0);
	CHECK_EQ(call(o, 12345, NULL, 0), ERR_NOTTY);
	close_it(o);
}

TEST(the_next_instance_knows_what_was_open_and_counted)
{
	setup(0);
	void *o = open_at(NULL, "0", 77), *part = open_at(o, "4096+8192", 78);
	CHECK_EQ(read_at(part, 512, 0), SCHEME_LATER);
	finish_all();
	heap_free(o, 0);        /* the program died: only the state is left */
	heap_free(part, 0);
	setup_disk(0);
	struct message m = { .open_flags = OPEN_READ };
	struct scheme_request r = request(NULL, &m);
	r.id = 78;
	CHECK_EQ(block_scheme_ops.revive(&r), OK);
	CHECK_EQ(read_at(r.opened, 8192, 4096), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[0], 4096);
	CHECK_MEM(got, medium + 8192, 4096);
	CHECK_EQ(state->disk[0].statistics.reads, 2);
	close_it(r.opened);
	r.id = 79;
	CHECK_EQ(block_scheme_ops.revive(&r), ERR_CONNRESET);
	r.id = 78;
	CHECK_EQ(block_scheme_ops.revive(&r), ERR_CONNRESET);
}

TEST(what_is_closed_unused_after_a_restart_leaves_no_record)
{
	setup(0);
	void *o = open_at(NULL, "0", 77);
	heap_free(o, 0);        /* the program died */
	setup_disk(0);
	block_scheme_ops.forget(&block.scheme, 78);
	CHECK_EQ(state->open[0].id, 77);
	block_scheme_ops.forget(&block.scheme, 77);
	CHECK_EQ(state->open[0].id, 0);
	block_scheme_ops.forget(&block.scheme, 0);
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		CHECK_EQ(state->open[i].id, 0);
}

TEST(another_disk_in_the_same_place_is_another_disk)
{
	setup(0);
	void *o = open_at(NULL, "0", 77);
	heap_free(o, 0);        /* the program died, and somebody changed the disk */
	strcpy(serial, "another");
	setup_disk(0);
	serial[0] = 0;
	struct message m = { .open_flags = OPEN_READ };
	struct scheme_request r = request(NULL, &m);
	r.id = 77;
	CHECK_EQ(block_scheme_ops.revive(&r), ERR_CONNRESET);
}

TEST(a_state_full_of_garbage_is_survived)
{
	setup(0);
	for (uint32_t round = 0; round < 50; round++) {
		uint64_t magic = state->magic;
		for (size_t i = 0; i < sizeof(*state); i++)
			((uint8_t *)state)[i] = (uint8_t)test_random();
		state->magic = magic;
		state_init(state);
		uint32_t index;
		err_t err = state_disk(state, "new", &disk.info, &index);
		CHECK(err == OK || err == ERR_NOSPC);
		for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
			CHECK(state->open[i].id == 0 || state->open[i].disk <= STATE_OPENS_MAX);
	}
}

TEST(opens_have_a_limit_and_close_gives_back)
{
	setup(0);
	void *open[STATE_OPENS_MAX], *none;
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		open[i] = open_at(NULL, "0", i + 1);
	CHECK_EQ(try_open(NULL, "0", OPEN_READ, &none, 5000), ERR_NFILE);
	close_it(open[7]);
	open[7] = open_at(NULL, "0", 5000);
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		close_it(open[i]);
}

TEST(no_memory_is_an_error_and_nothing_is_lost)
{
	setup(0);
	void *o = open_at(NULL, "0", 1), *none;
	for (uint32_t n = 1; n <= 3; n++) {
		heap_fail_after(n);
		int64_t result = read_at(o, 512, 0);
		heap_fail_after(0);
		CHECK(result == SCHEME_LATER || result == ERR_NOMEM);
		finish_all();
		CHECK(nothing_leaks());
	}
	heap_fail_after(1);
	CHECK_EQ(try_open(NULL, "0", OPEN_READ, &none, 2), ERR_NOMEM);
	heap_fail_after(0);
	close_it(o);
}

TEST(a_buffer_that_went_away_ends_its_write)
{
	setup(0);
	void *o = open_at(NULL, "0", 1);
	fetch_error = ERR_FAULT;
	CHECK_EQ(write_at(o, 200 * 1024, 0), SCHEME_LATER);     /* 64 KiB are here, the rest is asked for */
	finish_all();
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], ERR_FAULT);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(a_broken_description_of_a_disk_is_refused)
{
	setup(0);
	static const struct disk_info bad[] = {
		{ .bytes = 4096, .sector_bytes = 0, .transfer_bytes_max = 4096, .queue_depth = 1 },
		{ .bytes = 4096, .sector_bytes = 600, .transfer_bytes_max = 4096, .queue_depth = 1 },
		{ .bytes = 4096, .sector_bytes = 8192, .transfer_bytes_max = 8192, .queue_depth = 1 },
		{ .bytes = 4000, .sector_bytes = 512, .transfer_bytes_max = 4096, .queue_depth = 1 },
		{ .bytes = 4096, .sector_bytes = 512, .transfer_bytes_max = 256, .queue_depth = 1 },
		{ .bytes = 4096, .sector_bytes = 512, .transfer_bytes_max = 4096, .queue_depth = 0 },
		{ .bytes = 1ull << 63, .sector_bytes = 512, .transfer_bytes_max = 4096, .queue_depth = 1 },
	};
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct block_disk d = { .info = bad[i], .ops = &ops };
		CHECK_EQ(block_add(&d, "vd", "1"), ERR_INVAL);
	}
	struct block_disk d = disk;
	CHECK_EQ(block_add(&d, "vd", "0"), ERR_EXIST);
	CHECK_EQ(block_add(&d, "vd", "a/b"), ERR_INVAL);
	CHECK_EQ(block_add(&d, "vd", ""), ERR_INVAL);
	CHECK_EQ(block_add(&d, "vd", "a name too long"), ERR_INVAL);
}

TEST(the_list_names_every_disk)
{
	setup(0);
	struct block_disk d = disk;
	CHECK_EQ(block_add(&d, "nvme", "n2"), OK);
	void *root = open_at(NULL, "", 1);
	CHECK_EQ(read_at(root, sizeof(out), 0), 13);
	CHECK_MEM(out, "vd 0\nnvme n2\n", 13);
	CHECK_EQ(read_at(root, sizeof(out), 13), 0);
	CHECK_EQ(write_at(root, 512, 0), ERR_ACCES);
	void *o = open_at(root, "n2", 2);
	CHECK_EQ(block_scheme_ops.length(&(struct scheme_request){ .open = o }), DISK_BYTES);
	close_it(o);
	close_it(root);
}

TEST(any_traffic_gives_the_right_bytes)
{
	setup(0);
	static uint8_t model[DISK_BYTES];
	void *o = open_at(NULL, "0", 1);
	memcpy(model, medium, DISK_BYTES);
	for (uint32_t round = 0; round < 300; round++) {
		bool whole = test_random() & 1, is_write = test_random() & 1;
		uint64_t unit = whole ? SECTOR : 1, offset = test_random() % (DISK_BYTES / unit) * unit, bytes = (1 + test_random() % (200000 / unit)) * unit;
		uint64_t fits = MIN_OF(bytes, DISK_BYTES - offset);
		if (is_write && (offset | fits) % SECTOR)
			fits = MIN_OF(fits, 32 * 1024 - offset % SECTOR);
		room = 1 + test_random() % 6;
		at_once = test_random() % 4 == 0;
		answers = 0;
		if (is_write) {
			CHECK_EQ(write_at(o, bytes, offset), SCHEME_LATER);
			memcpy(model + offset, sent, fits);
		} else {
			CHECK_EQ(read_at(o, bytes, offset), SCHEME_LATER);
		}
		finish_all();
		CHECK_EQ(answers, 1);
		CHECK_EQ(answer[0], (int64_t)fits);
		CHECK_MEM(medium, model, DISK_BYTES);
		CHECK(nothing_leaks());
		sent[round] ^= 0x55;
	}
	close_it(o);
}

/* ---- Disks that share the memory --------------------------------------------------------------------------------------- */

static void *disk_beside(struct block_disk *d, const char *name, uint64_t id)
{
	*d = disk;
	d->queue = NULL;
	d->info.queue_depth = POOL / 4096;
	CHECK_EQ(block_add(d, "vd", name), OK);
	return open_at(NULL, name, id);
}

TEST(a_long_request_makes_do_with_the_room_that_short_ones_leave)
{
	static struct block_disk first, second;
	setup(0);
	room = FLIGHT_MAX;
	void *o = open_at(NULL, "0", 1), *busy = disk_beside(&first, "1", 2), *late = disk_beside(&second, "2", 3);
	for (uint32_t i = 0; i < POOL / 4096; i++)
		CHECK_EQ(read_at(busy, 512, i * 512), SCHEME_LATER);
	CHECK_EQ(flights, POOL / 4096);
	CHECK_EQ(block.pool.free_pages, 0);
	/* Two more of the busy disk wait, and then one of the other. */
	CHECK_EQ(read_at(late, 32 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(read_at(busy, 512, 0), SCHEME_LATER);
	CHECK_EQ(read_at(busy, 512, 0), SCHEME_LATER);
	finish(3, OK);
	CHECK(flight[flights - 1]->disk == &second);    /* whose turn it is, though the other disk is looked at first */
	CHECK_EQ(flight[flights - 1]->sectors, 8);
	finish_all();
	CHECK_EQ(answers, POOL / 4096 + 3);
	CHECK(nothing_leaks());
	close_it(o);
	close_it(busy);
	close_it(late);
}

TEST(an_error_of_who_waits_for_memory_does_not_keep_it_from_the_others)
{
	static struct block_disk first, second;
	setup(0);
	void *o = open_at(NULL, "0", 1), *busy = disk_beside(&first, "1", 2), *late = disk_beside(&second, "2", 3);
	for (uint32_t i = 0; i < POOL / 4096 - 1; i++)
		CHECK_EQ(read_at(busy, 512, i * 512), SCHEME_LATER);
	/* Its first page is under way, for the next it waits. */
	CHECK_EQ(read_at(late, 32 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(block.pool.free_pages, 0);
	CHECK_EQ(read_at(busy, 512, 0), SCHEME_LATER);
	CHECK_EQ(flights, POOL / 4096);
	CHECK(flight[flights - 1]->disk == &second);
	finish(flights - 1, ERR_IO);
	CHECK_EQ(answers, 1);
	CHECK_EQ(answer[0], ERR_IO);
	CHECK_EQ(flights, POOL / 4096);
	finish_all();
	CHECK_EQ(answers, POOL / 4096 + 1);
	CHECK(nothing_leaks());
	close_it(o);
	close_it(busy);
	close_it(late);
}

/* ---- Straight into the client's pages ---------------------------------------------------------------------------------- */

static void *setup_direct(uint32_t pieces_max)
{
	setup(0);
	disk.pieces_max = pieces_max;
	direct_init(&block.direct, &(struct dma_keeper){ .handle = 5, .base = KEEPER_BASE });
	return open_at(NULL, "0", 1);
}

TEST(large_transfers_take_the_clients_own_pages)
{
	void *o = setup_direct(3);
	CHECK_EQ(read_at(o, 128 * 1024, 1536), SCHEME_LATER);
	CHECK_EQ(keeps, 1);
	CHECK_EQ(kept_pages, 32);
	for (uint32_t i = 0; i < flights; i++)
		CHECK(!flight[i]->at && flight[i]->piece_count <= 3 && flight[i]->sectors <= 32 * 1024 / SECTOR);
	finish_all();
	CHECK_EQ(answer[0], 128 * 1024);
	CHECK_MEM(got, medium + 1536, 128 * 1024);
	CHECK_EQ(write_at(o, 512 * 1024, 4096), SCHEME_LATER);
	finish_all();
	CHECK_EQ(answer[1], 512 * 1024);
	CHECK_MEM(medium + 4096, sent, 512 * 1024);
	CHECK_EQ(keeps, 2);
	CHECK_EQ(kept_pages, 0);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(what_is_small_or_lies_elsewhere_is_copied)
{
	void *o = setup_direct(0);
	CHECK_EQ(read_at(o, DIRECT_BYTES_MIN - 4096, 0), SCHEME_LATER);
	CHECK_EQ(read_at(o, 64 * 1024 + SECTOR, 0), SCHEME_LATER);
	CHECK_EQ(write_at(o, 64 * 1024, 100), SCHEME_LATER);
	CHECK_EQ(keeps, 0);
	keep_error = ERR_INVAL;
	CHECK_EQ(write_at(o, 64 * 1024, 256 * 1024), SCHEME_LATER);
	CHECK_EQ(keeps, 1);
	finish_all();
	CHECK_EQ(answers, 4);
	CHECK_MEM(medium + 256 * 1024, sent, 64 * 1024);
	CHECK(nothing_leaks());
	close_it(o);
}

TEST(pages_are_let_go_of_whatever_becomes_of_the_request)
{
	void *o = setup_direct(1);
	CHECK_EQ(read_at(o, 128 * 1024, 0), SCHEME_LATER);
	finish(0, ERR_IO);
	CHECK_EQ(kept_pages, 32);       /* others of it are still out */
	finish_all();
	CHECK_EQ(answer[0], ERR_IO);
	CHECK_EQ(kept_pages, 0);
	/* As many as there are places for; the rest is copied. */
	for (uint32_t i = 0; i < QUEUE + DIRECT_SLOTS; i++)
		CHECK_EQ(write_at(o, 32 * 1024, 0), SCHEME_LATER);
	CHECK_EQ(keeps, 1 + DIRECT_SLOTS);
	block_done(land(0), ERR_AGAIN);
	/* But for those of the one call that the device, which may not have been stopped, still has. */
	block_remove(&disk);
	CHECK_EQ(flights, QUEUE);
	CHECK_EQ(kept_pages, 32 * 1024 / CLIENT_PAGE);
	memset(kept, 0, sizeof(kept));
	kept_pages = 0;
	CHECK(nothing_leaks());
	close_it(o);
}
