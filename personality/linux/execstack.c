/* personality/linux/execstack.c - strings from the top down, then the vectors below them. */
#include "personality/linux/execstack.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "personality/linux/abi.h"

static const char platform[] = "x86_64";
enum { POINTER_AUX = 3, ALIGNMENT = 16, SLACK = 64 };

static size_t words_of(const struct exec_stack *s)
{
	return 1 + s->argument_count + 1 + s->environment_count + 1 + 2 * (s->aux_count + POINTER_AUX + 1);
}

size_t exec_stack_bytes(const struct exec_stack *s)
{
	return s->arguments_bytes + s->environment_bytes + strlen(s->path) + 1 + sizeof(platform) + EXEC_RANDOM_BYTES +
	       words_of(s) * sizeof(uint64_t) + SLACK;
}

/* Below the end, which moves down: where the bytes went. */
static uint64_t push(char *image, uint64_t base, uint64_t *end, const void *from, size_t bytes)
{
	*end -= bytes;
	memcpy(image + (*end - base), from, bytes);
	return *end;
}

static void put(char *image, uint64_t base, uint64_t *at, uint64_t word)
{
	memcpy(image + (*at - base), &word, sizeof(word));
	*at += sizeof(word);
}

static void put_pointers(char *image, uint64_t base, uint64_t *at, const char *strings, uint32_t count, uint64_t address)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t bytes = strlen(strings) + 1;
		put(image, base, at, address);
		strings += bytes;
		address += bytes;
	}
	put(image, base, at, 0);
}

err_t exec_stack_build(const struct exec_stack *s, uint64_t top, char *image, size_t bytes, uint64_t *sp)
{
	uint64_t base = top - bytes, end = top - sizeof(uint64_t), at;

	if (bytes < exec_stack_bytes(s) || top < bytes)
		return ERR_2BIG;
	memset(image + (end - base), 0, sizeof(uint64_t));
	uint64_t path = push(image, base, &end, s->path, strlen(s->path) + 1);
	uint64_t environment = push(image, base, &end, s->environment, s->environment_bytes);
	uint64_t arguments = push(image, base, &end, s->arguments, s->arguments_bytes);
	uint64_t platform_at = push(image, base, &end, platform, sizeof(platform));
	end = round_down(end, ALIGNMENT);
	uint64_t random = push(image, base, &end, s->random, EXEC_RANDOM_BYTES);

	*sp = at = round_down(end - words_of(s) * sizeof(uint64_t), ALIGNMENT);
	memset(image + (at - base), 0, end - at);
	put(image, base, &at, s->argument_count);
	put_pointers(image, base, &at, s->arguments, s->argument_count, arguments);
	put_pointers(image, base, &at, s->environment, s->environment_count, environment);
	for (uint32_t i = 0; i < s->aux_count; i++) {
		put(image, base, &at, s->aux[i].key);
		put(image, base, &at, s->aux[i].value);
	}
	const struct exec_aux pointers[POINTER_AUX + 1] = {
		{ LINUX_AT_RANDOM, random }, { LINUX_AT_EXECFN, path }, { LINUX_AT_PLATFORM, platform_at }, { LINUX_AT_NULL, 0 },
	};
	for (unsigned i = 0; i < POINTER_AUX + 1; i++) {
		put(image, base, &at, pointers[i].key);
		put(image, base, &at, pointers[i].value);
	}
	return OK;
}
