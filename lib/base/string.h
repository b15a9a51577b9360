/* lib/base/string.h - bytes and 0-terminated strings, for kernel, guest programs and host.
 *
 * The names that C gives a meaning (memcpy ...) mean just that: compilers call them too.
 * Copies move 8 bytes at a time, never one by one: emulators and some CPUs run byte-wise string instructions slowly.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
void *memchr(const void *in, int byte, size_t bytes);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

/* Copies as much of from as fits and always ends it with 0 (when bytes is not 0). The
 * length of from: it was cut when that is >= bytes. */
size_t string_copy(char *to, const char *from, size_t bytes);
/* The same for a counted string. */
size_t string_copy_counted(char *to, size_t bytes, const char *from, size_t from_bytes);
/* Does the counted string say the same as the 0-terminated one? */
bool string_is(const char *counted, size_t bytes, const char *terminated);
bool string_starts_with(const char *s, const char *prefix);
