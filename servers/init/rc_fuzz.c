/* servers/init/rc_fuzz.c - any text is refused with its line, or gives services that are whole. */
#include "lib/base/assert.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "servers/init/rc.h"

static void check_service(const struct rc *rc, const struct rc_service *s)
{
	ASSERT(s->image && s->arguments.count > 0 && s->arguments.count <= RC_WORDS_MAX);
	ASSERT(rc_find(rc, s->name) == s && strlen(s->name) <= RC_NAME_MAX);
	for (uint32_t i = 0; i < s->handle_count; i++)
		ASSERT(s->handle[i].ref && strlen(s->handle[i].name) <= RC_NAME_MAX && s->handle[i].open_flags);
	for (uint32_t i = 0; i < s->scheme_count; i++)
		ASSERT(rc_find_scheme(rc, s->scheme[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rc_error error = { 0 };
	struct rc rc = { 0 };
	char value[16];

	rc_option((const char *)data, size, "mode", "run", value, sizeof value);
	ASSERT(strnlen(value, sizeof value) < sizeof value);
	char *text = heap_alloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	if (rc_parse(&rc, text, size, &error))
		ASSERT(error.line > 0 && error.what);
	for (uint32_t i = 0; i < rc.count; i++)
		check_service(&rc, rc.service[i]);
	rc_free(&rc);
	heap_free(text, size + 1);
	return 0;
}
