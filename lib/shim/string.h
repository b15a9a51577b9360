/* lib/shim/string.h - C's header for third-party code in the guest: what lib/base/string.h has, and what only others use. */
#pragma once
#include "lib/base/string.h"

static inline char *strncpy(char *to, const char *from, size_t bytes)
{
	size_t length = strnlen(from, bytes);

	memcpy(to, from, length);
	memset(to + length, 0, bytes - length);
	return to;
}
