/* lib/test/fuzz_main.c - drives LLVMFuzzerTestOneInput without libFuzzer: a bounded, repeatable run.
 *
 * x_fuzz [-n COUNT] [-s SEED] [FILE...]: tries every file as it is (a corpus, or one input that failed once),
 * then COUNT inputs made by mutating them, or random bytes when there are none. The input under trial
 * is kept in x_fuzz.last, so that one that crashes is at hand.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lib/base/assert.h"

enum { INPUT_MAX = 1 << 16, CORPUS_MAX = 1024, EDITS_MAX = 8 };

struct input {
	uint8_t *data;
	size_t size;
};

/* The file behind `last`: size, then bytes. */
struct last {
	uint64_t size;
	uint8_t data[INPUT_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct input corpus[CORPUS_MAX];
static size_t corpus_count;
static struct last *last;
static uint64_t random_state;

WEAK void assert_failed(const char *expression, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
	abort();
}

static uint64_t random_below(uint64_t limit)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return limit ? (z ^ z >> 31) % limit : 0;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void corpus_add(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		die(path);
	if (corpus_count == CORPUS_MAX)
		return;
	struct input *input = &corpus[corpus_count++];
	input->data = malloc(INPUT_MAX);
	if (!input->data)
		die("malloc");
	input->size = fread(input->data, 1, INPUT_MAX, file);
	fclose(file);
}

/* Gives the target a heap copy of just the right size, so that the sanitizer sees any step outside. */
static void try_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		die("malloc");
	memcpy(copy, data, size);
	last->size = size;
	memcpy(last->data, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void edit_number(uint8_t *data, size_t size)
{
	static const uint64_t interesting[] = {
		0, 1, 2, 7, 8, 16, 63, 64, 127, 128, 255, 256, 4095, 4096, 65535, 65536, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};
	size_t width = (size_t)1 << random_below(4);

	if (size < width)
		return;
	size_t at = random_below(size - width + 1);
	if (random_below(2))
		at &= ~(width - 1);
	uint64_t value = interesting[random_below(sizeof(interesting) / sizeof(interesting[0]))];
	if (random_below(4) == 0) {
		value = 0;
		memcpy(&value, data + at, width);
		value += random_below(33) - 16;
	}
	memcpy(data + at, &value, width);
}

static size_t edit(uint8_t *data, size_t size)
{
	size_t at, count;

	switch (random_below(7)) {
	case 0: /* flip a bit */
		if (size)
			data[random_below(size)] ^= (uint8_t)(1u << random_below(8));
		return size;
	case 1: /* cut the end off */
		return random_below(size + 1);
	case 2: /* append */
		count = random_below(64);
		while (count-- && size < INPUT_MAX)
			data[size++] = (uint8_t)random_below(256);
		return size;
	case 3: /* copy a piece over another place */
		if (!size)
			return size;
		at = random_below(size);
		count = random_below(size - at) + 1;
		memmove(data + random_below(size - count + 1), data + at, count);
		return size;
	case 4: /* take a piece of another input */
		if (!corpus_count || !size)
			return size;
		struct input *other = &corpus[random_below(corpus_count)];
		at = random_below(size);
		count = random_below((other->size < size - at ? other->size : size - at) + 1);
		memcpy(data + at, other->data + random_below(other->size - count + 1), count);
		return size;
	default:
		edit_number(data, size);
		return size;
	}
}

static size_t make_input(uint8_t *data)
{
	size_t size;

	if (corpus_count && random_below(16)) {
		struct input *from = &corpus[random_below(corpus_count)];
		size = from->size;
		memcpy(data, from->data, size);
	} else {
		size = random_below(random_below(8) ? 256 : 8192);
		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)random_below(256);
	}
	for (uint64_t edits = random_below(EDITS_MAX) + 1; edits; edits--)
		size = edit(data, size);
	return size;
}

static void last_open(const char *program)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s.last", program);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || ftruncate(fd, sizeof(*last)) < 0)
		die(path);
	last = mmap(NULL, sizeof(*last), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (last == MAP_FAILED)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	unsigned long count = 20000;
	uint64_t seed = 1;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n')
			count = strtoul(optarg, NULL, 0);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	last_open(argv[0]);
	for (int i = optind; i < argc; i++)
		corpus_add(argv[i]);
	random_state = seed;
	printf("# seed %llu, %zu corpus files, %lu inputs\n", (unsigned long long)seed, corpus_count, count);
	fflush(stdout);
	for (size_t i = 0; i < corpus_count; i++)
		try_input(corpus[i].data, corpus[i].size);
	for (unsigned long i = 0; i < count; i++)
		try_input(data, make_input(data));
	printf("ok 1 - %lu inputs\n1..1\n", count);
	return 0;
}
