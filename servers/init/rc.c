/* servers/init/rc.c - line by line; what is below a service goes to manifest.c. */
#include "servers/init/rc.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

/* Of a text that is being read. */
struct reading {
	struct rc *rc;
	struct manifest *open;          /* the service that lines belong to: not in rc before it is whole */
	uint32_t open_line;
	bool skips;                     /* the service has a mistake: its other lines are not looked at */
};

const char *rc_add(struct rc *rc, struct manifest *m)
{
	if (rc->count == RC_SERVICES_MAX)
		return "too many services";
	if (rc_find(rc, m->name))
		return "there is a service of that name";
	for (uint32_t i = 0; i < m->scheme_count; i++)
		if (rc_find_scheme(rc, m->scheme[i].name))
			return "another service serves its scheme";
	rc->service[rc->count++] = m;
	return NULL;
}

/* What is only half said is not run. */
static const char *service_end(struct reading *r)
{
	const char *mistake = NULL;

	if (r->open && (r->skips || (mistake = rc_add(r->rc, r->open))))
		heap_delete(r->open);
	r->open = NULL;
	r->skips = false;
	return mistake;
}

static const char *service_begin(struct reading *r, struct words *w, bool is_session)
{
	r->skips = true;
	if (w->count < 3u + is_session)
		return is_session ? "a session needs a name, an image and a program" : "a service needs a name and a program";
	struct manifest *m = heap_new(struct manifest);
	if (!m)
		return "no memory";
	w->at = 1;
	if (manifest_init(m, w->word[1])) {
		heap_delete(m);
		return "no name of a service";
	}
	m->image = w->word[2];
	m->arguments.count = 0;
	if (is_session) {
		m->is_session = true;
		m->has_ready = false;
		m->restart.limit = 0;
	}
	for (uint32_t i = 2u + is_session; i < w->count; i++)
		m->arguments.word[m->arguments.count++] = w->word[i];
	r->open = m;
	r->skips = false;
	return NULL;
}

static const char *take_continue(struct rc *rc, struct words *w)
{
	char *colon = w->count == 2 ? strchr(w->word[1], ':') : NULL;

	if (!colon || rc->next_scheme)
		return "continue once, with SCHEME:REF";
	*colon = 0;
	rc->next_scheme = w->word[1];
	rc->next_ref = colon + 1;
	return NULL;
}

static const char *take_start(struct rc *rc, struct words *w, uint32_t line)
{
	const char *mode = NULL;

	for (w->at = 1; w->at < w->count; w->at++)
		if (words_value(w->word[w->at], "mode"))
			mode = words_value(w->word[w->at], "mode");
	for (w->at = 1; w->at < w->count; w->at++) {
		if (words_value(w->word[w->at], "mode"))
			continue;
		if (rc->start_count == RC_SERVICES_MAX)
			return "too many services";
		rc->start[rc->start_count++] = (struct rc_start){ .name = w->word[w->at], .mode = mode, .line = line };
	}
	return NULL;
}

static const char *take_devices(struct rc *rc, struct words *w)
{
	if (w->count != 2 || rc->devices)
		return "devices once, with the scheme that reports them";
	rc->devices = w->word[1];
	return NULL;
}

/* True: the line begins something; the service above it, if any, is whole. */
static bool is_head(const char *word)
{
	return strcmp(word, "service") == 0 || strcmp(word, "session") == 0 || strcmp(word, "start") == 0 ||
	       strcmp(word, "continue") == 0 || strcmp(word, "devices") == 0;
}

static const char *head_take(struct reading *r, struct words *w, uint32_t line)
{
	const char *word = w->word[0];

	if (strcmp(word, "continue") == 0)
		return take_continue(r->rc, w);
	if (strcmp(word, "start") == 0)
		return take_start(r->rc, w, line);
	if (strcmp(word, "devices") == 0)
		return take_devices(r->rc, w);
	return service_begin(r, w, strcmp(word, "session") == 0);
}

static const char *line_take(struct reading *r, struct words *w, uint32_t line)
{
	if (is_head(w->word[0]))
		return head_take(r, w, line);
	if (r->skips)
		return NULL;
	if (!r->open)
		return "this belongs below a service";
	const char *mistake = manifest_take(r->open, w);
	r->skips = mistake != NULL;
	return mistake;
}

static void tell(void (*told)(const struct words_error *e), const char *file, uint32_t line, const char *what, const char *word)
{
	told(&(struct words_error){ .file = file, .line = line, .what = what, .word = word });
}

void rc_parse(struct rc *rc, const char *file, char *text, size_t bytes, void (*told)(const struct words_error *e))
{
	struct reading r = { .rc = rc };
	struct words_reader reader;
	struct words w = { 0 };
	const char *mistake;

	rc->next_scheme = rc->next_ref = rc->devices = NULL;
	rc->start_count = 0;
	words_reader_init(&reader, text, bytes);
	while (words_next_line(&reader, &w, &mistake)) {
		bool begins = w.count > 0 && is_head(w.word[0]);
		const char *ended = begins ? service_end(&r) : NULL;
		if (ended)
			tell(told, file, r.open_line, ended, NULL);
		if (mistake)
			r.skips = true;
		else
			mistake = line_take(&r, &w, reader.line);
		if (begins)
			r.open_line = reader.line;
		if (mistake)
			tell(told, file, reader.line, mistake, w.at < w.count ? w.word[w.at] : NULL);
	}
	if ((mistake = service_end(&r)))
		tell(told, file, r.open_line, mistake, NULL);
}

void rc_free(struct rc *rc)
{
	for (uint32_t i = 0; i < rc->count; i++)
		heap_delete(rc->service[i]);
	rc->count = 0;
}

struct manifest *rc_find(const struct rc *rc, const char *name)
{
	for (uint32_t i = 0; i < rc->count; i++)
		if (strcmp(rc->service[i]->name, name) == 0)
			return rc->service[i];
	return NULL;
}

struct manifest *rc_find_scheme(const struct rc *rc, const char *scheme)
{
	for (uint32_t i = 0; i < rc->count; i++)
		if (manifest_serves(rc->service[i], scheme))
			return rc->service[i];
	return NULL;
}
