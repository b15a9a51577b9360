/* abi/proto/ring.h - what RING_WAIT's word holds (ring.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/ring.h"

/* Beside the position, in the low half. */
enum ring_wait_flags {
	RING_NO_WAIT = 1ull << 32,      /* answer at once */
	RING_TELL = 3ull << 32,         /* the same, and show READY_PRIORITY on the handle from when replies_put is not position until this is asked again */
};
