/* lib/ninep/wire.c - little-endian numbers and counted strings, within bounds. */
#include "lib/ninep/wire.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"

static bool writer_has(struct ninep_writer *w, size_t bytes)
{
	w->is_full |= !range_fits(w->bytes, bytes, w->room);
	return !w->is_full;
}

void ninep_put(struct ninep_writer *w, uint64_t value, uint32_t bytes)
{
	if (!writer_has(w, bytes))
		return;
	for (uint32_t i = 0; i < bytes; i++)
		w->at[w->bytes++] = (uint8_t)(value >> i * 8);
}

void ninep_put_string(struct ninep_writer *w, const char *text, size_t bytes)
{
	if (bytes > UINT16_MAX || !writer_has(w, 2 + bytes)) {
		w->is_full = true;
		return;
	}
	ninep_put(w, bytes, 2);
	memcpy(w->at + w->bytes, text, bytes);
	w->bytes += bytes;
}

static bool reader_has(struct ninep_reader *r, size_t bytes)
{
	r->is_short |= !range_fits(r->done, bytes, r->bytes);
	return !r->is_short;
}

uint64_t ninep_get(struct ninep_reader *r, uint32_t bytes)
{
	uint64_t value = 0;

	if (!reader_has(r, bytes))
		return 0;
	for (uint32_t i = 0; i < bytes; i++)
		value |= (uint64_t)r->at[r->done++] << i * 8;
	return value;
}

struct ninep_qid ninep_get_qid(struct ninep_reader *r)
{
	struct ninep_qid q = { .kind = (uint8_t)ninep_get(r, 1) };

	q.version = (uint32_t)ninep_get(r, 4);
	q.path = ninep_get(r, 8);
	return q;
}

size_t ninep_get_string(struct ninep_reader *r, char *to, size_t most)
{
	size_t bytes = (size_t)ninep_get(r, 2);

	if (bytes > most || !reader_has(r, bytes)) {
		r->is_short = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		to[i] = (char)r->at[r->done++];
	return bytes;
}
