/* personality/linux/panic.c - an assertion of the image failed: the process ends, loudly. */
#include "lib/base/assert.h"
#include "lib/base/fmt.h"
#include "personality/linux/native.h"

enum { STDERR = 2, STATUS_BROKEN = 125 };

void assert_failed(const char *expression, const char *file, int line)
{
	char text[256];
	size_t bytes = fmt(text, sizeof(text), "linux: assertion failed in the personality: %s at %s:%d\n", expression, file, line);

	(void)native(OP_WRITE, 0, STDERR, (uint64_t)text, bytes, (uint64_t)-1, 0, 0, 0);
	for (;;)
		(void)native(OP_EXIT, 0, HANDLE_NONE, STATUS_BROKEN, 0, 0, 0, 0, 0);
}
