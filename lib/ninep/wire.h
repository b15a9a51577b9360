/* lib/ninep/wire.h - numbers and strings into and out of a 9P message. Pure.
 *
 * A reader's memory may be changed by the other side at any time: each byte is read once, and what was read is what was checked.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"

/* Once something did not fit, nothing more is written. */
struct ninep_writer {
	uint8_t *at;
	size_t bytes, room;
	bool is_full;
};

void ninep_put(struct ninep_writer *w, uint64_t value, uint32_t bytes) NONNULL;
/* A counted string (of at most 65,535 bytes). */
void ninep_put_string(struct ninep_writer *w, const char *text, size_t bytes) NONNULL;

/* Once it ended too early it gives zeros. */
struct ninep_reader {
	const volatile uint8_t *at;
	size_t bytes, done;
	bool is_short;
};

struct ninep_qid { uint8_t kind; uint32_t version; uint64_t path; };

uint64_t ninep_get(struct ninep_reader *r, uint32_t bytes) NONNULL;
struct ninep_qid ninep_get_qid(struct ninep_reader *r) NONNULL;
/* A counted string of at most most bytes to `to`, which has room for that; its length. A longer one is as one that ends too early. */
size_t ninep_get_string(struct ninep_reader *r, char *to, size_t most) NONNULL;
