/* tests/native/ringing.h - what the test programs of rings share. */
#pragma once
#include "lib/native/handle.h"
#include "lib/native/ring.h"
#include "tests/native/tap.h"

enum { ENTRIES = 32 };

static bool wait_reply(struct ring *r, struct reply *out)
{
	while (!ring_take(r, out))
		if (ring_wait(r, 0))
			return false;
	return true;
}

static struct ring kernel_ring;
static handle_t ring_handle;

static void kernel_begin(uint32_t entries)
{
	CHECK(handle_open("ring", "", OPEN_READ | OPEN_WRITE, &ring_handle) == OK);
	CHECK(ring_open(&kernel_ring, ring_handle, entries, 0) == OK);
}

static void kernel_end(void)
{
	ring_close(&kernel_ring);
	handle_close(ring_handle);
}
