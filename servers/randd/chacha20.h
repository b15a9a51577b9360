/* servers/randd/chacha20.h - the ChaCha20 block function (RFC 8439). */
#pragma once
#include <stdint.h>
#include "lib/base/attr.h"

enum { CHACHA20_KEY_WORDS = 8, CHACHA20_NONCE_WORDS = 3, CHACHA20_BLOCK_BYTES = 64 };

/* 64 bytes of key stream. Words are little endian, as in the RFC. */
void chacha20_block(const uint32_t key[CHACHA20_KEY_WORDS], uint32_t counter, const uint32_t nonce[CHACHA20_NONCE_WORDS],
                    uint8_t out[CHACHA20_BLOCK_BYTES]) NONNULL;
