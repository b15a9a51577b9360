/* lib/base/string.c - 8-byte moves, and no loop that a compiler would turn into a call to itself.
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
#define memcmp base_memcmp
#define memchr base_memchr
#define strlen base_strlen
#define strnlen base_strnlen
#define strcmp base_strcmp
#define strncmp base_strncmp
#define strchr base_strchr
#define strrchr base_strrchr
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

int memcmp(const void *a, const void *b, size_t bytes)
{
	const uint8_t *x = a, *y = b;

	for (; bytes >= WORD; bytes -= WORD, x += WORD, y += WORD)
		if (*(const word_t *)x != *(const word_t *)y)
			break;
	for (; bytes > 0; bytes--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *in, int byte, size_t bytes)
{
	for (const uint8_t *p = in; bytes > 0; bytes--, p++)
		if (*p == (uint8_t)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n]) {
		n++;
		KEEP(s);
	}
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max > 0; max--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)(uintptr_t)last;
	}
}

size_t string_copy_counted(char *to, size_t bytes, const char *from, size_t from_bytes)
{
	if (bytes > 0) {
		size_t n = from_bytes < bytes ? from_bytes : bytes - 1;
		memcpy(to, from, n);
		to[n] = 0;
	}
	return from_bytes;
}

size_t string_copy(char *to, const char *from, size_t bytes)
{
	return string_copy_counted(to, bytes, from, strlen(from));
}

bool string_is(const char *counted, size_t bytes, const char *terminated)
{
	return strlen(terminated) == bytes && memcmp(counted, terminated, bytes) == 0;
}

bool string_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
