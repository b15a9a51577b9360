/* fs/ramfs/call_fuzz.c - the file protocol on arbitrary bytes: a sequence of opens, calls and closes. */
#include "fs/ramfs/test_backing.h"

enum { HANDLES = 8 };

_Noreturn void test_fail(const char *file, int line, const char *format, ...)
{
	(void)format;
	__builtin_printf("%s:%d\n", file, line);
	abort();
}

struct input { const uint8_t *data; size_t bytes; };

static uint64_t take(struct input *i, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0 && i->bytes > 0) {
		value = value << 8 | *i->data++;
		i->bytes--;
	}
	return value;
}

static const struct sender *senders[] = { &root, &alice, &bob, &carol };

static void step(struct input *i, struct open *handles[HANDLES], unsigned *tag)
{
	_Alignas(8) static char out[4096];
	uint8_t what = (uint8_t)take(i, 1);
	const struct sender *s = senders[take(i, 1) % 4];
	struct open **h = &handles[take(i, 1) % HANDLES], **other = &handles[take(i, 1) % HANDLES];
	size_t bytes = take(i, 1) % 64;
	struct opened o;

	bytes = bytes < i->bytes ? bytes : i->bytes;
	test_answer_count = 0;
	if (what < 80) {
		if (*h)
			open_close(&F, *h);
		*h = NULL;
		struct where w = { s, *other ? (*other)->node : F.root, (const char *)i->data, bytes };
		uint32_t flags = (uint32_t)take(&(struct input){ i->data + bytes, i->bytes - bytes }, 2);
		if (open_path(&F, &w, flags, flags * 7, ++*tag, &o) == OK) {
			if (o.how == OPENED_FORWARD)
				test_content_drop(o.content);
			else if (o.how == OPENED_PLAIN || o.how == OPENED_CONTENT)
				*h = o.open;
		}
	} else if (*h) {
		struct call c = { .sender = s, .open = *h, .tag = ++*tag, .code = 300 + what % 25, .in = (const char *)i->data,
		                  .in_bytes = bytes, .has_other = what & 64, .other = *other, .passed = CONTENT_NONE, .out = out, .out_bytes = what * 16 };
		c.word = take(&(struct input){ i->data + bytes, i->bytes - bytes }, what & 1 ? 8 : 2);
		if (c.code == 324)
			c.code = MEM_NEXT_DATA;
		if (c.code == FILE_TRUNCATE || c.code == FILE_ALLOCATE)
			c.word %= 100000;
		if (c.code == FILE_ALLOCATE)
			c.in_bytes = 0;
		call_run(&F, &c);
	}
	for (unsigned a = 0; a < test_answer_count; a++)
		if (test_answers[a].end != CONTENT_NONE)
			test_content_drop(test_answers[a].end);
	i->data += bytes;
	i->bytes -= bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input i = { data, size };
	struct open *handles[HANDLES] = { 0 };
	unsigned tag = 0;
	struct opened o;

	begin();
	struct where top = at(&root, "/");
	if (open_path(&F, &top, OPEN_READ, 0, 0, &o) == OK)
		handles[0] = o.open;
	while (i.bytes > 0 && tag < 500)
		step(&i, handles, &tag);
	for (int h = 0; h < HANDLES; h++)
		if (handles[h])
			open_close(&F, handles[h]);
	test_answer_count = 0;
	for (unsigned t = 1; t <= tag; t++) {
		test_answer_count = 0;
		if (!lock_cancel(&F, t))
			fifo_cancel(&F, t);
	}
	end();
	return 0;
}
