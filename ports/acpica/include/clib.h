/* ports/acpica/include/clib.h - what ACPICA uses of C's library beyond lib/base/string.h. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/fmt.h"
#include "lib/base/string.h"

#define sprintf(to, ...) ((int)fmt((to), SIZE_MAX, __VA_ARGS__))
#define snprintf(to, bytes, ...) ((int)fmt((to), (bytes), __VA_ARGS__))
#define vsnprintf(to, bytes, format, arguments) ((int)fmt_v((to), (bytes), (format), (arguments)))

static inline char *strcpy(char *to, const char *from) { return memcpy(to, from, strlen(from) + 1); }
static inline char *strcat(char *to, const char *from) { strcpy(to + strlen(to), from); return to; }

static inline char *strncpy(char *to, const char *from, size_t bytes)
{
	size_t length = strnlen(from, bytes);

	memcpy(to, from, length);
	memset(to + length, 0, bytes - length);
	return to;
}

static inline char *strncat(char *to, const char *from, size_t bytes)
{
	size_t length = strnlen(from, bytes), at = strlen(to);

	memcpy(to + at, from, length);
	to[at + length] = 0;
	return to;
}

static inline char *strstr(const char *in, const char *what)
{
	size_t length = strlen(what);

	for (; *in; in++)
		if (strncmp(in, what, length) == 0)
			return (char *)in;
	return length ? NULL : (char *)in;
}

static inline int isdigit(int c) { return c >= '0' && c <= '9'; }
static inline int islower(int c) { return c >= 'a' && c <= 'z'; }
static inline int isupper(int c) { return c >= 'A' && c <= 'Z'; }
static inline int isalpha(int c) { return islower(c) || isupper(c); }
static inline int isxdigit(int c) { return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static inline int isspace(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline int isprint(int c) { return c >= ' ' && c <= '~'; }
static inline int tolower(int c) { return isupper(c) ? c + 32 : c; }
static inline int toupper(int c) { return islower(c) ? c - 32 : c; }

enum { GLOBAL_LOCK_PENDING = 1, GLOBAL_LOCK_OWNED = 2 };

/* Nonzero: it is ours. Else whoever has it will tell that it is free. */
static inline unsigned char global_lock_acquire(void *facs_lock)
{
	uint32_t *lock = facs_lock, was = __atomic_load_n(lock, __ATOMIC_RELAXED), next;

	do
		next = (was & ~(uint32_t)GLOBAL_LOCK_PENDING) | GLOBAL_LOCK_OWNED | (was & GLOBAL_LOCK_OWNED ? GLOBAL_LOCK_PENDING : 0);
	while (!__atomic_compare_exchange_n(lock, &was, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return !(was & GLOBAL_LOCK_OWNED);
}

/* Nonzero: the other side waits and is to be told. */
static inline unsigned char global_lock_release(void *facs_lock)
{
	return __atomic_fetch_and((uint32_t *)facs_lock, ~(uint32_t)(GLOBAL_LOCK_PENDING | GLOBAL_LOCK_OWNED), __ATOMIC_ACQ_REL) & GLOBAL_LOCK_PENDING;
}
