/* servers/randd/drbg.h - a random generator on ChaCha20 with fast key erasure.
 *
 * Each batch of output begins with the next key, and what was given out is wiped, so that who sees
 * the state learns nothing of what was given before. Adding material is one-way too: it never makes the state easier to
 * guess, whoever chose the material.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/attr.h"
#include "servers/randd/chacha20.h"

enum {
	DRBG_BATCH_BYTES = 16 * CHACHA20_BLOCK_BYTES,
	DRBG_SEED_BITS = 256,           /* entropy it must have been given before it answers */
	DRBG_RESEED_BYTES = 1 << 20,    /* drbg_wants_seed after so much output */
};

/* Zeroed is the beginning. */
struct drbg {
	uint32_t key[CHACHA20_KEY_WORDS];
	uint8_t batch[DRBG_BATCH_BYTES];        /* the last left bytes are still to be given */
	size_t left;
	uint32_t entropy_bits;          /* up to DRBG_SEED_BITS */
	uint64_t given_bytes;           /* since the last seed */
	uint64_t added;                 /* pieces mixed in so far */
};

/* Mixes material in, which is worth so much entropy (0: unknown). */
void drbg_add(struct drbg *d, const void *material, size_t bytes, uint32_t entropy_bits) NONNULL;
bool drbg_is_seeded(const struct drbg *d) NONNULL;
bool drbg_wants_seed(const struct drbg *d) NONNULL;
/* Only once seeded. */
void drbg_read(struct drbg *d, void *to, size_t bytes) NONNULL;
