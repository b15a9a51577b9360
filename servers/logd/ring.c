/* servers/logd/ring.c - the newest bytes of a log, of which the oldest lines fall away. */
#include "servers/logd/ring.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

void ring_put(struct ring *r, const char *text, size_t bytes)
{
	if (bytes > r->capacity) {
		text += bytes - r->capacity;
		r->end += bytes - r->capacity;
		bytes = r->capacity;
	}
	while (bytes > 0) {
		size_t at = r->end % r->capacity, piece = MIN_OF(bytes, r->capacity - at);
		memcpy(r->bytes + at, text, piece);
		r->end += piece;
		text += piece;
		bytes -= piece;
	}
}

/* The oldest position at which a line begins. */
static uint64_t oldest(const struct ring *r)
{
	uint64_t at;

	if (r->end <= r->capacity)
		return 0;
	for (at = r->end - r->capacity; at < r->end; at++)
		if (r->bytes[at % r->capacity] == '\n')
			return at + 1;
	return r->end;
}

size_t ring_read(const struct ring *r, uint64_t *position, char *to, size_t bytes)
{
	size_t done = 0;

	if (r->end > r->capacity && *position < r->end - r->capacity)
		*position = oldest(r);
	*position = MIN_OF(*position, r->end);
	bytes = MIN_OF(bytes, r->end - *position);
	while (done < bytes) {
		size_t at = *position % r->capacity, piece = MIN_OF(bytes - done, r->capacity - at);
		memcpy(to + done, r->bytes + at, piece);
		*position += piece;
		done += piece;
	}
	return done;
}
