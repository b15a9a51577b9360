/* servers/logd/echo.c - what we passed to the kernel's log comes back when that is read: knows it again.
 *
 * The kernel keeps the order and adds its own lines between. A line that it lost leaves its
 * mark behind until a later one is seen.
 */
#include "servers/logd/echo.h"

static uint32_t hash_of(const char *line, size_t bytes)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ (uint8_t)line[i]) * 16777619u;
	return h;
}

void echo_sent(struct echo *e, const char *line, size_t bytes)
{
	if (e->sent - e->seen == ECHO_COUNT)
		e->seen++;
	e->hash[e->sent++ % ECHO_COUNT] = hash_of(line, bytes);
}

bool echo_is_ours(struct echo *e, const char *line, size_t bytes)
{
	uint32_t hash = hash_of(line, bytes);

	for (uint32_t i = e->seen; i != e->sent; i++)
		if (e->hash[i % ECHO_COUNT] == hash) {
			e->seen = i + 1;
			return true;
		}
	return false;
}
