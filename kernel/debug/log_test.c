/* kernel/debug/log_test.c - lines, the ring that keeps the newest, and reading from a position. */
#include "kernel/debug/log.h"
#include "kernel/sync/spinlock.h"
#include "lib/test/test.h"

/* The machine, as far as the log asks for it. */
static char serial[65536];
static size_t serial_bytes;
void arch_serial_write(const char *bytes, size_t count);
void arch_serial_write(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count && serial_bytes < sizeof(serial); i++)
		serial[serial_bytes++] = bytes[i];
}
void spin_wait(struct spinlock *l) { l->held = false; }
void spin_note_order(struct spinlock *l, bool nested) { l->held = nested; }
void spin_note_taken(struct spinlock *l) { l->held = true; }
void spin_note_released(struct spinlock *l) { l->held = false; }

static size_t log_end(void)
{
	char none;
	size_t copied;

	return klog_read(SIZE_MAX, &none, 1, &copied);
}

TEST(every_line_ends_with_one_newline)
{
	char got[64];
	size_t copied, at = log_end();

	klog("with %d\n", 1);
	klog("without");
	CHECK_EQ(klog_read(at, got, sizeof(got), &copied), at + 15);
	CHECK_EQ(copied, 15);
	CHECK_MEM(got, "with 1\nwithout\n", 15);
}

TEST(a_line_that_is_too_long_is_cut_and_still_ends)
{
	char got[KLOG_LINE_MAX + 1];
	size_t copied, at = log_end();

	klog("%0600d", 7);
	klog_read(at, got, sizeof(got), &copied);
	CHECK(copied < KLOG_LINE_MAX);
	CHECK_EQ(got[copied - 1], '\n');
	CHECK_EQ(got[copied - 2], '0');
}

TEST(quiet_lines_go_to_the_ring_only)
{
	size_t before = serial_bytes;

	klog_set_quiet(true);
	klog("hush");
	CHECK_EQ(serial_bytes, before);
	klog_set_quiet(false);
	klog("hey");
	CHECK_EQ(serial_bytes, before + 4);
	CHECK_MEM(serial + before, "hey\n", 4);
}

TEST(the_ring_keeps_the_newest_and_a_reader_skips_what_is_lost)
{
	static char got[65536];
	size_t copied, end;

	klog_set_quiet(true);
	for (int i = 0; i < 10000; i++)
		klog("line %05d", i);
	klog_set_quiet(false);
	end = klog_read(0, got, sizeof(got), &copied);
	CHECK_EQ(end, log_end());
	CHECK(copied >= 30000 && copied < end);
	CHECK_MEM(got + copied - 11, "line 09999\n", 11);
	CHECK_EQ(klog_read(end, got, sizeof(got), &copied), end);
	CHECK_EQ(copied, 0);
}

TEST(a_reader_takes_pieces_of_any_size)
{
	char got[16] = {0};
	size_t copied, at = log_end(), from = at;

	klog("abcdefgh");
	for (int i = 0; i < 9; i++) {
		from = klog_read(from, got + i, 1, &copied);
		CHECK_EQ(copied, 1);
	}
	CHECK_MEM(got, "abcdefgh\n", 9);
	CHECK_EQ(from, at + 9);
}
