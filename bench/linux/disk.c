/* bench/linux/disk.c - rows of raw disks, past every cache: 1 MiB in order, and 4 KiB anywhere, from one thread and from 32.
 *
 * They run in a machine of their own (tools/bench.py) with /dev/vda and /dev/nvme0n1, disks of DISK_BYTES that keep nothing.
 */
#define _GNU_SOURCE
#include "bench/linux/rows.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	DISK_BYTES = 64 << 20, LONG_BYTES = 1 << 20, SHORT_BYTES = 4096, THREADS = 32, REQUESTS = 1024,
	APPEARS_TRIES = 500, APPEARS_NS = 10000000,
};
static uint8_t long_buffer[LONG_BYTES] __attribute__((aligned(SHORT_BYTES)));
static uint8_t short_buffer[THREADS][SHORT_BYTES] __attribute__((aligned(SHORT_BYTES)));
static int disk;

/* Drivers may still be about to find it. */
static bool disk_open(const char *path)
{
	const struct timespec pause = { .tv_nsec = APPEARS_NS };

	for (int i = 0; i < APPEARS_TRIES; i++) {
		disk = open(path, O_RDWR | O_DIRECT);
		if (disk >= 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool virtio_set_up(void)
{
	return disk_open("/dev/vda");
}

static bool nvme_set_up(void)
{
	return disk_open("/dev/nvme0n1");
}

static void disk_tear_down(void)
{
	close(disk);
}

/* The place of the next request; the same ones each time the program runs. */
static off_t place_next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return (off_t)(*state >> 8) % (DISK_BYTES / SHORT_BYTES) * SHORT_BYTES;
}

/* A request of 1 MiB, each where the last one ended. */
static void seq_read_1m(int count)
{
	for (int i = 0; i < count; i++)
		REQUIRE(pread(disk, long_buffer, LONG_BYTES, (off_t)i * LONG_BYTES) == LONG_BYTES);
}

static void seq_write_1m(int count)
{
	for (int i = 0; i < count; i++)
		REQUIRE(pwrite(disk, long_buffer, LONG_BYTES, (off_t)i * LONG_BYTES) == LONG_BYTES);
}

/* 4 KiB anywhere, one after the other. */
static void rand_read_4k(int count)
{
	uint32_t state = 1;

	while (count--)
		REQUIRE(pread(disk, short_buffer[0], SHORT_BYTES, place_next(&state)) == SHORT_BYTES);
}

static void rand_write_4k(int count)
{
	uint32_t state = 1;

	while (count--)
		REQUIRE(pwrite(disk, short_buffer[0], SHORT_BYTES, place_next(&state)) == SHORT_BYTES);
}

struct reader {
	pthread_t thread;
	uint32_t number;
	int ready, go, done;    /* pipe ends: a byte when it stands ready; the end when it may begin; a byte when it is through */
	bool writes;
};

static void *reader_run(void *argument)
{
	const struct reader *r = argument;
	uint32_t state = r->number;
	uint8_t *buffer = short_buffer[r->number];
	char byte = 0;

	REQUIRE(write(r->ready, &byte, 1) == 1 && read(r->go, &byte, 1) == 0);
	for (int i = 0; i < REQUESTS / THREADS; i++) {
		off_t at = place_next(&state);
		REQUIRE((r->writes ? pwrite(disk, buffer, SHORT_BYTES, at) : pread(disk, buffer, SHORT_BYTES, at)) == SHORT_BYTES);
	}
	REQUIRE(write(r->done, &byte, 1) == 1);
	return NULL;
}

static void bytes_await(int fd)
{
	char byte;

	for (int i = 0; i < THREADS; i++)
		REQUIRE(read(fd, &byte, 1) == 1);
}

/* REQUESTS of 4 KiB anywhere, of 32 threads at once. */
static void threads_run(bool writes)
{
	struct reader reader[THREADS];
	int ready[2], go[2], done[2];

	REQUIRE(pipe(ready) == 0 && pipe(go) == 0 && pipe(done) == 0);
	for (uint32_t i = 0; i < THREADS; i++) {
		reader[i] = (struct reader){ .number = i, .ready = ready[1], .go = go[0], .done = done[1], .writes = writes };
		REQUIRE(pthread_create(&reader[i].thread, NULL, reader_run, &reader[i]) == 0);
	}
	bytes_await(ready[0]);
	timer_start();
	close(go[1]);
	bytes_await(done[0]);
	timer_stop();
	for (int i = 0; i < THREADS; i++)
		REQUIRE(pthread_join(reader[i].thread, NULL) == 0);
	const int ends[] = { ready[0], ready[1], go[0], done[0], done[1] };
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
		close(ends[i]);
}

static void rand_read_4k_qd32(int count)
{
	while (count--)
		threads_run(false);
}

static void rand_write_4k_qd32(int count)
{
	while (count--)
		threads_run(true);
}

#define DISK(set) .set_up = set, .tear_down = disk_tear_down
#define DISK_THREADS(set) .flags = ROW_TIMES_ITSELF | ROW_LONG, DISK(set)

const struct row disk_rows[] = {
	{ .name = "disk-virtio-seq-read-1m", .run = seq_read_1m, .count = 16, DISK(virtio_set_up) },
	{ .name = "disk-virtio-seq-write-1m", .run = seq_write_1m, .count = 16, DISK(virtio_set_up) },
	{ .name = "disk-virtio-rand-read-4k", .run = rand_read_4k, .count = 200, DISK(virtio_set_up) },
	{ .name = "disk-virtio-rand-write-4k", .run = rand_write_4k, .count = 200, DISK(virtio_set_up) },
	{ .name = "disk-virtio-rand-read-4k-qd32", .run = rand_read_4k_qd32, .count = 1, .per = REQUESTS, DISK_THREADS(virtio_set_up) },
	{ .name = "disk-virtio-rand-write-4k-qd32", .run = rand_write_4k_qd32, .count = 1, .per = REQUESTS, DISK_THREADS(virtio_set_up) },
	{ .name = "disk-nvme-seq-read-1m", .run = seq_read_1m, .count = 16, DISK(nvme_set_up) },
	{ .name = "disk-nvme-seq-write-1m", .run = seq_write_1m, .count = 16, DISK(nvme_set_up) },
	{ .name = "disk-nvme-rand-read-4k", .run = rand_read_4k, .count = 200, DISK(nvme_set_up) },
	{ .name = "disk-nvme-rand-write-4k", .run = rand_write_4k, .count = 200, DISK(nvme_set_up) },
	{ .name = "disk-nvme-rand-read-4k-qd32", .run = rand_read_4k_qd32, .count = 1, .per = REQUESTS, DISK_THREADS(nvme_set_up) },
	{ .name = "disk-nvme-rand-write-4k-qd32", .run = rand_write_4k_qd32, .count = 1, .per = REQUESTS, DISK_THREADS(nvme_set_up) },
	{ 0 },
};
