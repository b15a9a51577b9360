/* servers/init/rc.c - line by line, word by word. */
#include "servers/init/rc.h"
#include "abi/ops.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

struct directive {
	const char *name;
	uint32_t least;                 /* words after the name */
	const char *(*take)(struct rc_service *s, struct rc_words *w);  /* what is wrong, or NULL */
};

/* ---- Words ------------------------------------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the word at *at out of the line and ends it with a 0; NULL when the line has no more. *error when a quote stays open. */
static char *word_take(char **at, const char **error)
{
	char *p = *at, *word;

	while (is_blank(*p))
		p++;
	if (!*p || *p == '#') {
		*at = p;
		return NULL;
	}
	if (*p == '"') {
		word = ++p;
		while (*p && *p != '"')
			p++;
		if (!*p)
			*error = "a quote is not closed";
	} else {
		word = p;
		while (*p && !is_blank(*p))
			p++;
	}
	if (*p)
		*p++ = 0;
	*at = p;
	return word;
}

static const char *words_split(char *line, struct rc_words *out)
{
	const char *error = NULL;
	char *word;

	out->count = 0;
	while (!error && (word = word_take(&line, &error))) {
		if (out->count == RC_WORDS_MAX)
			return "too many words";
		out->word[out->count++] = word;
	}
	return error;
}

/* Adds all but the first word of w. */
static const char *words_add(struct rc_words *to, const struct rc_words *w)
{
	for (uint32_t i = 1; i < w->count; i++) {
		if (to->count == RC_WORDS_MAX)
			return "too many words";
		to->word[to->count++] = w->word[i];
	}
	return NULL;
}

static bool has_word(const struct rc_words *w, const char *word)
{
	for (uint32_t i = 0; i < w->count; i++)
		if (strcmp(w->word[i], word) == 0)
			return true;
	return false;
}

static bool number_of(const char *word, uint32_t *out)
{
	uint64_t n;

	if (number_parse(word, strlen(word), 10, &n) || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	return true;
}

/* ---- Directives, in the order of rc.h ------------------------------------------------------------------------------- */

static const char *take_scheme(struct rc_service *s, struct rc_words *w)
{
	struct rc_scheme *scheme = &s->scheme[s->scheme_count];

	if (s->scheme_count == RC_WORDS_MAX || strlen(w->word[1]) > RC_NAME_MAX - 7)
		return "too many schemes, or too long a name";
	*scheme = (struct rc_scheme){ .name = w->word[1] };
	for (uint32_t i = 2; i < w->count; i++) {
		if (strcmp(w->word[i], "fail") == 0)
			scheme->scheme_flags |= SCHEME_FAIL_WITHOUT_SERVER;
		else if (strcmp(w->word[i], "redeliver") == 0)
			scheme->scheme_flags |= SCHEME_REDELIVER;
		else if (strcmp(w->word[i], "public") == 0)
			scheme->is_public = true;
		else
			return "fail, redeliver or public?";
	}
	s->scheme_count++;
	return NULL;
}

static const char *take_use(struct rc_service *s, struct rc_words *w)
{
	return words_add(&s->uses, w);
}

static const char *handle_flags(struct rc_handle *h, const struct rc_words *w)
{
	for (uint32_t i = 3; i < w->count; i++) {
		if (strcmp(w->word[i], "read") == 0)
			h->open_flags |= OPEN_READ;
		else if (strcmp(w->word[i], "write") == 0)
			h->open_flags |= OPEN_WRITE;
		else if (strcmp(w->word[i], "optional") == 0)
			h->is_optional = true;
		else if (string_starts_with(w->word[i], "mode="))
			h->mode = w->word[i] + strlen("mode=");
		else
			return "read, write, optional or mode=?";
	}
	if (!h->open_flags)
		h->open_flags = OPEN_READ | OPEN_WRITE;
	return NULL;
}

static const char *take_handle(struct rc_service *s, struct rc_words *w)
{
	struct rc_handle *h = &s->handle[s->handle_count];
	char *what = w->word[2], *colon = strchr(what, ':');

	if (s->handle_count == RC_WORDS_MAX || strlen(w->word[1]) > RC_NAME_MAX)
		return "too many handles, or too long a name";
	*h = (struct rc_handle){ .name = w->word[1] };
	if (what[0] == '@') {
		h->ref = what + 1;
		if (strcmp(h->ref, "admin") && strcmp(h->ref, "initfs") && strcmp(h->ref, "namespace"))
			return "@admin, @initfs or @namespace?";
	} else {
		if (!colon)
			return "a handle needs SCHEME:REF";
		*colon = 0;
		h->scheme = what;
		h->ref = colon + 1;
	}
	const char *error = handle_flags(h, w);
	s->handle_count += !error;
	return error;
}

static const char *take_environment(struct rc_service *s, struct rc_words *w)
{
	for (uint32_t i = 1; i < w->count; i++)
		if (!strchr(w->word[i], '='))
			return "NAME=VALUE?";
	return words_add(&s->environment, w);
}

static const char *take_after(struct rc_service *s, struct rc_words *w)
{
	return words_add(&s->after, w);
}

static const char *take_priority(struct rc_service *s, struct rc_words *w)
{
	static const char *const names[PRIORITY_COUNT] = {
		[PRIORITY_IDLE] = "idle", [PRIORITY_LOW] = "low", [PRIORITY_NORMAL] = "normal",
		[PRIORITY_SERVER] = "server", [PRIORITY_DRIVER] = "driver", [PRIORITY_REALTIME] = "realtime",
	};

	for (uint32_t i = 0; i < PRIORITY_COUNT; i++)
		if (strcmp(w->word[1], names[i]) == 0) {
			s->priority = i;
			return NULL;
		}
	return "no such priority";
}

static const char *take_user(struct rc_service *s, struct rc_words *w)
{
	s->has_user = true;
	return number_of(w->word[1], &s->uid) && number_of(w->word[2], &s->gid) ? NULL : "user and group are numbers";
}

static const char *take_mode(struct rc_service *s, struct rc_words *w)
{
	return words_add(&s->modes, w);
}

static const char *take_no(const char *word, bool *flag)
{
	if (strcmp(word, "no"))
		return "only no can be said here";
	*flag = false;
	return NULL;
}

static const char *take_ready(struct rc_service *s, struct rc_words *w)
{
	return take_no(w->word[1], &s->has_ready);
}

static const char *take_restart(struct rc_service *s, struct rc_words *w)
{
	return take_no(w->word[1], &s->is_restarted);
}

static const char *take_limit(struct rc_service *s, struct rc_words *w)
{
	return number_of(w->word[1], &s->limit) ? NULL : "a limit is a number";
}

static const char *take_state(struct rc_service *s, struct rc_words *w)
{
	return number_of(w->word[1], &s->state_bytes) ? NULL : "a state has a number of bytes";
}

static const char *take_essential(struct rc_service *s, struct rc_words *w)
{
	s->is_essential = strcmp(w->word[1], "yes") == 0;
	return s->is_essential ? NULL : "only yes can be said here";
}

static const char *take_watchdog(struct rc_service *s, struct rc_words *w)
{
	return number_of(w->word[1], &s->watchdog_s) ? NULL : "a watchdog has seconds";
}

static const struct directive directives[] = {
	{ "scheme", 1, take_scheme }, { "use", 1, take_use }, { "handle", 2, take_handle },
	{ "environment", 1, take_environment }, { "after", 1, take_after }, { "priority", 1, take_priority },
	{ "user", 2, take_user }, { "mode", 1, take_mode }, { "ready", 1, take_ready },
	{ "restart", 1, take_restart }, { "limit", 1, take_limit }, { "watchdog", 1, take_watchdog }, { "essential", 1, take_essential },
	{ "state", 1, take_state },
};

/* ---- The file -------------------------------------------------------------------------------------------------------- */

static const char *service_begin(struct rc *rc, struct rc_words *w, bool is_session)
{
	if (w->count < 3u + is_session || strlen(w->word[1]) > RC_NAME_MAX)
		return "a service needs a name and a program, a session an image too";
	if (rc_find(rc, w->word[1]))
		return "that name is taken";
	if (rc->count == RC_SERVICES_MAX)
		return "too many services";
	struct rc_service *s = heap_new(struct rc_service);
	if (!s)
		return "no memory";
	*s = (struct rc_service){
		.name = w->word[1], .is_session = is_session, .has_ready = !is_session, .is_restarted = true,
		.priority = PRIORITY_NORMAL, .limit = is_session ? 0 : RC_LIMIT, .image = w->word[2],
	};
	for (uint32_t i = 2u + is_session; i < w->count; i++)
		s->arguments.word[s->arguments.count++] = w->word[i];
	rc->service[rc->count++] = s;
	return NULL;
}

static const char *continue_take(struct rc *rc, struct rc_words *w)
{
	char *colon = w->count == 2 ? strchr(w->word[1], ':') : NULL;

	if (!colon || rc->next_scheme)
		return "continue once, with SCHEME:REF";
	*colon = 0;
	rc->next_scheme = w->word[1];
	rc->next_ref = colon + 1;
	return NULL;
}

static const char *line_take(struct rc *rc, struct rc_words *w, bool *has_service)
{
	const char *name = w->word[0];
	const char *error;

	if (strcmp(name, "service") == 0 || strcmp(name, "session") == 0) {
		error = service_begin(rc, w, strcmp(name, "session") == 0);
		*has_service = !error;
		return error;
	}
	if (strcmp(name, "continue") == 0)
		return continue_take(rc, w);
	if (!*has_service)
		return "this belongs below a service";
	for (size_t i = 0; i < ARRAY_COUNT(directives); i++)
		if (strcmp(name, directives[i].name) == 0) {
			if (w->count - 1 < directives[i].least)
				return "too few words";
			return directives[i].take(rc->service[rc->count - 1], w);
		}
	return "no such word";
}

/* Text is cut into lines in place; the last one needs room for its 0, which its newline gives. */
err_t rc_parse(struct rc *rc, char *text, size_t bytes, struct rc_error *error)
{
	char *end = text + bytes;
	bool has_service = false;

	error->line = 0;
	rc->next_scheme = rc->next_ref = NULL;
	while (text < end) {
		struct rc_words w;
		char *newline = memchr(text, '\n', (size_t)(end - text));
		error->line++;
		error->what = "the last line has no end";
		if (!newline)
			return ERR_INVAL;
		*newline = 0;
		error->what = words_split(text, &w);
		if (!error->what && w.count > 0)
			error->what = line_take(rc, &w, &has_service);
		if (error->what) {
			/* What is only half said is not run. */
			if (has_service)
				heap_delete(rc->service[--rc->count]);
			return ERR_INVAL;
		}
		text = newline + 1;
	}
	return OK;
}

void rc_free(struct rc *rc)
{
	for (uint32_t i = 0; i < rc->count; i++)
		heap_delete(rc->service[i]);
	rc->count = 0;
}

struct rc_service *rc_find(const struct rc *rc, const char *name)
{
	for (uint32_t i = 0; i < rc->count; i++)
		if (strcmp(rc->service[i]->name, name) == 0)
			return rc->service[i];
	return NULL;
}

struct rc_service *rc_find_scheme(const struct rc *rc, const char *scheme)
{
	for (uint32_t i = 0; i < rc->count; i++)
		for (uint32_t j = 0; j < rc->service[i]->scheme_count; j++)
			if (strcmp(rc->service[i]->scheme[j].name, scheme) == 0)
				return rc->service[i];
	return NULL;
}

bool rc_is_in_mode(const struct rc_service *s, const char *mode)
{
	return s->modes.count == 0 || has_word(&s->modes, mode);
}

void rc_option(const char *line, size_t line_bytes, const char *name, const char *dflt, char *to, size_t bytes)
{
	size_t name_bytes = strlen(name);

	string_copy(to, dflt, bytes);
	for (size_t i = 0; i < line_bytes;) {
		size_t start = i;
		while (i < line_bytes && !is_blank(line[i]) && line[i] != '\n' && line[i])
			i++;
		if (i - start > name_bytes && memcmp(line + start, name, name_bytes) == 0 && line[start + name_bytes] == '=')
			string_copy_counted(to, bytes, line + start + name_bytes + 1, i - start - name_bytes - 1);
		i++;
	}
}
