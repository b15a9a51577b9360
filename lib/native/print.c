/* lib/native/print.c - format into a buffer on the stack, write once. */
#include "lib/native/print.h"
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/native/handle.h"
#include "lib/native/startup.h"

static handle_t log_handle = HANDLE_NONE;

static void print_list(handle_t to, const char *format, va_list list)
{
	char text[PRINT_MAX];
	size_t bytes = fmt_v(text, sizeof text, format, list);

	if (to != HANDLE_NONE)
		(void)!handle_write(to, text, MIN_OF(bytes, sizeof text - 1));
}

void print_redirect(handle_t to)
{
	log_handle = to;
}

void print(const char *format, ...)
{
	va_list list;

	if (log_handle == HANDLE_NONE)
		log_handle = startup_handle("log");
	va_start(list, format);
	print_list(log_handle, format, list);
	va_end(list);
}

void print_to(handle_t to, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	print_list(to, format, list);
	va_end(list);
}

/* Programs end with this status when they find themselves wrong. */
enum { STATUS_ASSERT = 134 };

void assert_failed(const char *expression, const char *file, int line)
{
	print("%s:%d: assertion failed: %s\n", file, line, expression);
	program_exit(STATUS_ASSERT);
}
