/* servers/randd/drbg.c - a random generator on ChaCha20 with fast key erasure. */
#include "servers/randd/drbg.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

enum { KEY_BYTES = CHACHA20_KEY_WORDS * 4 };

/* One label per use, so that no two uses ever share a key stream. */
static const uint32_t output_nonce[CHACHA20_NONCE_WORDS] = { 0x7475706f, 0, 0 };

static void batch_drop(struct drbg *d)
{
	memset(d->batch, 0, sizeof(d->batch));
	d->left = 0;
}

/* One piece of at most a key's length: XOR it in, then go through the block function. */
static void absorb(struct drbg *d, const uint8_t *piece, size_t bytes)
{
	uint32_t nonce[CHACHA20_NONCE_WORDS] = { 0x00646461, (uint32_t)d->added, (uint32_t)(d->added >> 32) };
	uint8_t block[CHACHA20_BLOCK_BYTES];
	uint8_t *key = (uint8_t *)d->key;

	for (size_t i = 0; i < bytes; i++)
		key[i] ^= piece[i];
	chacha20_block(d->key, (uint32_t)bytes, nonce, block);
	memcpy(d->key, block, KEY_BYTES);
	d->added++;
}

void drbg_add(struct drbg *d, const void *material, size_t bytes, uint32_t entropy_bits)
{
	const uint8_t *from = material;

	batch_drop(d);
	while (bytes > 0) {
		size_t piece = MIN_OF(bytes, (size_t)KEY_BYTES);
		absorb(d, from, piece);
		from += piece;
		bytes -= piece;
	}
	if (entropy_bits == 0)
		return;
	d->entropy_bits = MIN_OF(d->entropy_bits + MIN_OF(entropy_bits, (uint32_t)DRBG_SEED_BITS), (uint32_t)DRBG_SEED_BITS);
	d->given_bytes = 0;
}

bool drbg_is_seeded(const struct drbg *d)
{
	return d->entropy_bits >= DRBG_SEED_BITS;
}

bool drbg_wants_seed(const struct drbg *d)
{
	return !drbg_is_seeded(d) || d->given_bytes >= DRBG_RESEED_BYTES;
}

static void batch_make(struct drbg *d)
{
	for (uint32_t i = 0; i < DRBG_BATCH_BYTES / CHACHA20_BLOCK_BYTES; i++)
		chacha20_block(d->key, i, output_nonce, d->batch + i * CHACHA20_BLOCK_BYTES);
	memcpy(d->key, d->batch, KEY_BYTES);
	memset(d->batch, 0, KEY_BYTES);
	d->left = DRBG_BATCH_BYTES - KEY_BYTES;
}

void drbg_read(struct drbg *d, void *to, size_t bytes)
{
	uint8_t *out = to;

	ASSERT(drbg_is_seeded(d));
	d->given_bytes += bytes;
	while (bytes > 0) {
		if (d->left == 0)
			batch_make(d);
		uint8_t *from = d->batch + DRBG_BATCH_BYTES - d->left;
		size_t piece = MIN_OF(bytes, d->left);
		memcpy(out, from, piece);
		memset(from, 0, piece);
		d->left -= piece;
		out += piece;
		bytes -= piece;
	}
}
