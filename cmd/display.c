/* cmd/display.c - virtual screens: `display` lists them; `display switch N` shows number N; `display snapshot FILE` writes what is shown, as a PPM file. */
#include "abi/proto/display.h"
#include "abi/proto/kernel.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, TEXT_BYTES = 1024, HEADER_BYTES = 32 };
#define SHOT_BYTES (256ull << 20)       /* more pixels no screen has; pages that are not used are not there */

static handle_t out, complaints, display;

static int trouble(const char *what, int64_t err)
{
	print_to(complaints, "display: %s: %s\n", what, err == ERR_NOENT ? "no such screen" : err == ERR_PERM ? "only root may" :
	         err == ERR_NODEV ? "nothing is shown" : "it cannot be done");
	return STATUS_TROUBLE;
}

static int show_list(void)
{
	char text[TEXT_BYTES];
	int64_t n = sys_read(0, display, text, sizeof(text), 0);

	return n < 0 ? trouble("list", n) : handle_write(out, text, (size_t)n) ? STATUS_TROUBLE : 0;
}

static int switch_to(const char *word)
{
	uint64_t number;
	int64_t result;

	if (number_parse(word, strlen(word), 10, &number))
		return trouble(word, ERR_NOENT);
	result = handle_call(display, DISPLAY_SWITCH, NULL, 0, NULL, 0, number);
	return result < 0 ? trouble(word, result) : 0;
}

/* PPM has three bytes a pixel. */
static int write_ppm(handle_t file, const uint32_t *pixels, uint32_t pitch, struct display_size size)
{
	char header[HEADER_BYTES];
	size_t bytes = (size_t)size.width * 3;
	uint8_t *row = heap_alloc(bytes);

	if (!row || handle_write(file, header, fmt(header, sizeof(header), "P6\n%u %u\n255\n", size.width, size.height)))
		return trouble("snapshot", ERR_IO);
	for (uint32_t y = 0; y < size.height; y++) {
		for (uint32_t x = 0; x < size.width; x++) {
			uint32_t pixel = pixels[(size_t)y * pitch + x];

			row[x * 3] = (uint8_t)(pixel >> 16);
			row[x * 3 + 1] = (uint8_t)(pixel >> 8);
			row[x * 3 + 2] = (uint8_t)pixel;
		}
		if (handle_write(file, row, bytes))
			return trouble("snapshot", ERR_IO);
	}
	heap_free(row, bytes);
	return 0;
}

static int snapshot(const char *path)
{
	struct display_surface is = { .size = { DISPLAY_SIDE_MAX, DISPLAY_SIDE_MAX }, .pitch_bytes = DISPLAY_SIDE_MAX * 4 };
	struct display_size size;
	handle_t object, file, none;
	char ref[HEADER_BYTES];
	int64_t n;

	fmt(ref, sizeof(ref), "new/%llu", SHOT_BYTES);
	if ((n = handle_open("mem", ref, OPEN_READ | OPEN_WRITE, &object)))
		return trouble("snapshot", n);
	if ((n = sys_call_handle(0, display, DISPLAY_SNAPSHOT, object, &is, sizeof(is), &size, sizeof(size), 0, &none)) < 0)
		return trouble("snapshot", n);
	int64_t at = sys_map(0, object, 0, (uint64_t)is.pitch_bytes * size.height, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (at < 0 || (n = handle_open("file", path, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE, &file)))
		return trouble(path, n);
	return write_ppm(file, (const uint32_t *)at, is.pitch_bytes / 4, size);
}

int program_main(const struct startup *startup)
{
	const char *word = startup->argument_count > 1 ? startup_argument(1) : "";
	err_t err;

	out = startup_handle("stdout");
	complaints = startup_handle("stderr");
	if ((err = handle_open("display", "", OPEN_READ | OPEN_WRITE, &display)))
		return trouble("display:", err);
	if (startup->argument_count < 2)
		return show_list();
	if (startup->argument_count == 3 && !strcmp(word, "switch"))
		return switch_to(startup_argument(2));
	if (startup->argument_count == 3 && !strcmp(word, "snapshot"))
		return snapshot(startup_argument(2));
	print_to(complaints, "usage: display [switch N | snapshot FILE]\n");
	return STATUS_USAGE;
}
