/* servers/randd/jitter.c - how much chance is in a series of time stamps. */
#include "servers/randd/jitter.h"
#include <stdbool.h>

enum { STAMPS_PER_BIT = 16, RECENT = 16 };

/* A value seen a short while ago says that the series repeats. */
static bool is_new(uint64_t recent[RECENT], size_t at, uint64_t value)
{
	bool found = false;

	for (size_t i = 0; i < RECENT; i++)
		found |= recent[i] == value;
	recent[at % RECENT] = value;
	return !found;
}

uint32_t jitter_entropy_bits(const uint64_t *stamps, size_t count)
{
	uint64_t first[RECENT] = { 0 }, second[RECENT] = { 0 }, third[RECENT] = { 0 };
	uint64_t d1 = 0, d2 = 0;
	uint32_t good = 0;

	for (size_t i = 1; i < count; i++) {
		uint64_t n1 = stamps[i] - stamps[i - 1], n2 = n1 - d1, n3 = n2 - d2;
		bool new_first = is_new(first, i, n1), new_second = is_new(second, i, n2), new_third = is_new(third, i, n3);
		good += new_first && new_second && new_third;
		d1 = n1;
		d2 = n2;
	}
	return good / STAMPS_PER_BIT;
}
