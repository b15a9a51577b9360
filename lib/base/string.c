/* lib/base/string.c - strings and comparisons; no loop that a compiler would turn into a call to itself. Copies: memory.c. */
#if __STDC_HOSTED__
/* The host has its own functions; ours get other names there, so that tests reach them. */
#define memcmp base_memcmp
#define memchr base_memchr
#define strlen base_strlen
#define strnlen base_strnlen
#define strcmp base_strcmp
#define strncmp base_strncmp
#define strchr base_strchr
#define strrchr base_strrchr
#endif
#include "lib/base/string.h"
#include "lib/base/attr.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) word_t;

enum { WORD = sizeof(word_t) };

/* As in memory.c. */
#define KEEP(p) __asm__ volatile("" : "+r"(p))

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

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* Not 0 when a byte of w is 0; the lowest bit set is in the first such byte. */
static uint64_t zero_bytes(uint64_t w)
{
	return (w - ONES) & ~w & HIGHS;
}

void *memchr(const void *in, int byte, size_t bytes)
{
	const uint8_t *p = in;

	for (; bytes >= WORD && !zero_bytes(*(const word_t *)p ^ ONES * (uint8_t)byte); bytes -= WORD)
		p += WORD;
	for (; bytes > 0; bytes--, p++)
		if (*p == (uint8_t)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

/* By aligned words, which never reach into another page: what lies before and behind the string does not count. */
NO_SANITIZE_ADDRESS size_t strnlen(const char *s, size_t max)
{
	size_t skip = (uintptr_t)s % WORD, n;
	if (max == 0)
		return 0;
	const uint64_t *at = (const uint64_t *)((uintptr_t)s - skip);
	uint64_t zeros = zero_bytes(*at | ((1ull << skip * 8) - 1));

	for (n = WORD - skip; !zeros && n < max; n += WORD)
		zeros = zero_bytes(*++at);
	if (zeros)
		n += (size_t)__builtin_ctzll(zeros) / 8 - WORD;
	return n < max ? n : max;
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
