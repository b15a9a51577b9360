/* cmd/input.c - keyboards, mice, tablets: `input` lists them; `input layout [NAME [DELAY RATE]]` shows or sets the keyboard layout and its repeat
 * (ms before the first, repeats a second); `input layouts` lists the layouts; `input watch` prints events, unless somebody else has them.
 */
#include "abi/proto/input.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { STATUS_TROUBLE = 1, STATUS_USAGE = 2, TEXT_BYTES = 2048, EVENTS = 64 };

static handle_t out, complaints;

static int trouble(const char *what, int64_t err)
{
	print_to(complaints, "input: %s: %s\n", what, err == ERR_INVAL ? "no such layout, or no such numbers" : err == ERR_BUSY ? "somebody else has them" :
	         err == ERR_PERM ? "only root may" : "it cannot be done");
	return STATUS_TROUBLE;
}

static int show(const char *ref)
{
	char text[TEXT_BYTES];
	handle_t h;
	int64_t n;

	if ((n = handle_open("input", ref, OPEN_READ, &h)))
		return trouble(ref, n);
	while ((n = sys_read(0, h, text, sizeof(text), -1)) > 0)
		if (handle_write(out, text, (size_t)n))
			return STATUS_TROUBLE;
	return n < 0 ? trouble(ref, n) : 0;
}

static int set_layout(const struct startup *startup)
{
	char text[TEXT_BYTES];
	size_t bytes = 0;
	handle_t h;
	int64_t n;

	for (uint32_t i = 2; i < startup->argument_count && bytes < sizeof(text); i++)
		bytes += fmt(text + bytes, sizeof(text) - bytes, "%s ", startup_argument(i));
	if (bytes >= sizeof(text))
		return trouble("layout", ERR_INVAL);
	if ((n = handle_open("input", "layout", OPEN_WRITE, &h)) || (n = sys_write(0, h, text, bytes, -1)) < 0)
		return trouble("layout", n);
	return 0;
}

static void event_print(const struct input_event *e)
{
	static const char *const kinds[] = { "?", "key", "text", "pointer", "button", "wheel" };
	static const char *const values[] = { "up", "down", "repeat" };

	print_to(out, "%s", kinds[e->kind < 6 ? e->kind : 0]);
	if (e->kind == INPUT_EVENT_KEY || e->kind == INPUT_EVENT_BUTTON)
		print_to(out, " %s %u", values[e->value % 3], e->code);
	if (e->symbol)
		print_to(out, " U+%04x", e->symbol);
	if (e->kind == INPUT_EVENT_POINTER || e->kind == INPUT_EVENT_WHEEL)
		print_to(out, " %s %d %d", e->is_absolute ? "at" : "by", e->x, e->y);
	print_to(out, e->modifiers ? " modifiers %x\n" : "\n", e->modifiers);
}

static int watch(void)
{
	struct input_event events[EVENTS];
	handle_t h;
	int64_t n;

	if ((n = handle_open("input", "events", OPEN_READ, &h)))
		return trouble("events", n);
	print_to(out, "watching\n");
	while ((n = sys_read(0, h, events, sizeof(events), -1)) > 0)
		for (size_t i = 0; i < (size_t)n / sizeof(*events); i++)
			event_print(&events[i]);
	return trouble("events", n);
}

int program_main(const struct startup *startup)
{
	const char *word = startup->argument_count > 1 ? startup_argument(1) : "";

	out = startup_handle("stdout");
	complaints = startup_handle("stderr");
	if (startup->argument_count < 3) {
		if (!*word || !strcmp(word, "layout") || !strcmp(word, "layouts"))
			return show(word);
		if (!strcmp(word, "watch"))
			return watch();
	} else if (!strcmp(word, "layout") && (startup->argument_count == 3 || startup->argument_count == 5)) {
		return set_layout(startup);
	}
	print_to(complaints, "usage: input [layout [NAME [DELAY RATE]] | layouts | watch]\n");
	return STATUS_USAGE;
}
