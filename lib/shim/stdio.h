/* lib/shim/stdio.h - C's header for third-party code in the guest: text into buffers. There are no streams. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/fmt.h"

static inline int vsnprintf(char *to, size_t bytes, const char *format, va_list arguments)
{
	return (int)fmt_v(to, bytes, format, arguments);
}

static inline int snprintf(char *to, size_t bytes, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int n = vsnprintf(to, bytes, format, arguments);
	va_end(arguments);
	return n;
}

typedef struct stream FILE;
extern FILE *stderr;            /* declared, never defined: who links it is told so */
int fprintf(FILE *to, const char *format, ...);
