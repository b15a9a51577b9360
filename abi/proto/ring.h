/* abi/proto/ring.h - what RING_WAIT's word holds (ring.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/ring.h"

/* Beside the position, in the low half. */
enum ring_wait_flags {
	RING_NO_WAIT = 1ull << 32,      /* answer at once */
};
