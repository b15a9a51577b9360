/* servers/init/manifest_fuzz.c - any text is refused with its line and word, or gives a service that is whole. */
#include "lib/base/assert.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"
#include "servers/init/rc.h"

static char *copy_of(const uint8_t *data, size_t size)
{
	char *text = heap_alloc(size + 1);

	ASSERT(text);
	memcpy(text, data, size);
	return text;
}

static void check_manifest(const struct manifest *m)
{
	ASSERT(m->image && m->arguments.count > 0 && m->arguments.count <= WORDS_MAX && m->uses.count <= WORDS_MAX);
	ASSERT(m->name[0] && strlen(m->name) <= SERVICE_NAME_MAX);
	for (uint32_t i = 0; i < m->handle_count; i++)
		ASSERT(m->handle[i].ref && strlen(m->handle[i].name) <= HANDLE_NAME_MAX && m->handle[i].open_flags);
	for (uint32_t i = 0; i < m->scheme_count; i++)
		ASSERT(manifest_serves(m, m->scheme[i].name) && strlen(m->scheme[i].name) <= SCHEME_NAME_MAX);
	ASSERT(m->match_count <= MANIFEST_MATCHES_MAX && !m->attach_scheme == !m->attach_kind);
}

static void told(const struct words_error *e)
{
	ASSERT(e->file && e->line > 0 && e->what);
}

static void parse_as_rc(const uint8_t *data, size_t size)
{
	char *text = copy_of(data, size);
	struct rc rc = { 0 };

	rc_parse(&rc, "rc", text, size, told);
	for (uint32_t i = 0; i < rc.count; i++) {
		check_manifest(rc.service[i]);
		ASSERT(rc_find(&rc, rc.service[i]->name) == rc.service[i]);
	}
	ASSERT(rc.start_count <= RC_SERVICES_MAX);
	rc_free(&rc);
	heap_free(text, size + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest m;
	struct words_error mistake;
	char value[16];

	words_option((const char *)data, size, "mode", "run", value, sizeof value);
	ASSERT(strnlen(value, sizeof value) < sizeof value);
	char *text = copy_of(data, size);
	if (manifest_parse(&m, "name", text, size, &mistake))
		ASSERT(mistake.line > 0 && mistake.what);
	else
		check_manifest(&m);
	heap_free(text, size + 1);
	parse_as_rc(data, size);
	return 0;
}
