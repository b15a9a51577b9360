/* lib/base/memory.c - memcpy, memmove and memset by 8-byte moves, where arch/<cpu>/memory.S has no better.
 *
 * The common case is a copy of a few dozen to a few thousand bytes. KEEP hides a loop's
 * pointer from the compiler once per round: without it, clang and gcc recognise the loop and replace it by
 * a call of the very function it is in.
 */
#if __STDC_HOSTED__
/* The host has its own functions; ours get other names there, so that tests reach them. */
#define memcpy base_memcpy
#define memmove base_memmove
#define memset base_memset
#endif
#include "lib/base/attr.h"
#include "lib/base/string.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) word_t;

enum { WORD = sizeof(word_t), BLOCK = 4 * WORD };

#define KEEP(p) __asm__ volatile("" : "+r"(p))

static inline void copy_block(uint8_t *to, const uint8_t *from)
{
	word_t *t = (word_t *)to;
	const word_t *f = (const word_t *)from;
	uint64_t a = f[0], b = f[1], c = f[2], d = f[3];
	t[0] = a;
	t[1] = b;
	t[2] = c;
	t[3] = d;
}

static inline void copy_word(uint8_t *to, const uint8_t *from)
{
	*(word_t *)to = *(const word_t *)from;
}

static void copy_up(uint8_t *to, const uint8_t *from, size_t bytes)
{
	for (; bytes >= BLOCK; bytes -= BLOCK, to += BLOCK, from += BLOCK) {
		KEEP(to);
		copy_block(to, from);
	}
	for (; bytes >= WORD; bytes -= WORD, to += WORD, from += WORD) {
		KEEP(to);
		copy_word(to, from);
	}
	for (; bytes > 0; bytes--, to++, from++) {
		KEEP(to);
		*to = *from;
	}
}

static void copy_down(uint8_t *to, const uint8_t *from, size_t bytes)
{
	to += bytes;
	from += bytes;
	for (; bytes >= BLOCK; bytes -= BLOCK) {
		to -= BLOCK;
		from -= BLOCK;
		KEEP(to);
		copy_block(to, from);
	}
	for (; bytes > 0; bytes--) {
		to--;
		from--;
		KEEP(to);
		*to = *from;
	}
}

WEAK void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	copy_up(to, from, bytes);
	return to;
}

WEAK void *memmove(void *to, const void *from, size_t bytes)
{
	/* Upwards is right unless to lies inside from's bytes. */
	if ((uintptr_t)to - (uintptr_t)from >= bytes)
		copy_up(to, from, bytes);
	else
		copy_down(to, from, bytes);
	return to;
}

WEAK void *memset(void *to, int byte, size_t bytes)
{
	uint8_t *p = to;
	uint64_t word = (uint8_t)byte * 0x0101010101010101ull;

	for (; bytes >= BLOCK; bytes -= BLOCK, p += BLOCK) {
		KEEP(p);
		word_t *w = (word_t *)p;
		w[0] = w[1] = w[2] = w[3] = word;
	}
	for (; bytes > 0; bytes--, p++) {
		KEEP(p);
		*p = (uint8_t)byte;
	}
	return to;
}
