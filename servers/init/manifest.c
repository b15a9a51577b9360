/* servers/init/manifest.c - each word of manifest.h is a function here, and a line of the table at the end. */
#include "servers/init/manifest.h"
#include "abi/ops.h"
#include "abi/proto/task.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

enum { RESTART_LIMIT = 16 };

struct directive {
	const char *name;
	uint32_t least;                 /* words after the name */
	const char *(*take)(struct manifest *m, struct words *w);
};

/* ---- What it serves and reaches ---------------------------------------------------------------------------------- */

static const char *take_scheme(struct manifest *m, struct words *w)
{
	struct manifest_scheme *scheme = &m->scheme[m->scheme_count];

	if (m->scheme_count == ARRAY_COUNT(m->scheme))
		return "too many schemes";
	if (strlen(w->word[1]) > SCHEME_NAME_MAX)
		return "too long a name";
	*scheme = (struct manifest_scheme){ .name = w->word[1] };
	for (w->at = 2; w->at < w->count; w->at++) {
		if (strcmp(w->word[w->at], "fail") == 0)
			scheme->scheme_flags |= SCHEME_FAIL_WITHOUT_SERVER;
		else if (strcmp(w->word[w->at], "redeliver") == 0)
			scheme->scheme_flags |= SCHEME_REDELIVER;
		else if (strcmp(w->word[w->at], "public") == 0)
			scheme->is_public = true;
		else
			return "fail, redeliver or public?";
	}
	m->scheme_count++;
	return NULL;
}

static const char *take_use(struct manifest *m, struct words *w)
{
	return words_add(&m->uses, w);
}

static const char *handle_flags(struct manifest_handle *h, struct words *w)
{
	for (w->at = 3; w->at < w->count; w->at++) {
		char *word = w->word[w->at], *mode = words_value(word, "mode");
		if (strcmp(word, "read") == 0)
			h->open_flags |= OPEN_READ;
		else if (strcmp(word, "write") == 0)
			h->open_flags |= OPEN_WRITE;
		else if (strcmp(word, "optional") == 0)
			h->is_optional = true;
		else if (mode)
			h->mode = mode;
		else
			return "read, write, optional or mode=?";
	}
	if (!h->open_flags)
		h->open_flags = OPEN_READ | OPEN_WRITE;
	return NULL;
}

static const char *take_handle(struct manifest *m, struct words *w)
{
	struct manifest_handle *h = &m->handle[m->handle_count];
	char *what = w->word[2], *colon = strchr(what, ':');

	if (m->handle_count == ARRAY_COUNT(m->handle))
		return "too many handles";
	if (strlen(w->word[1]) > HANDLE_NAME_MAX)
		return "too long a name";
	*h = (struct manifest_handle){ .name = w->word[1] };
	w->at = 2;
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
	const char *mistake = handle_flags(h, w);
	m->handle_count += !mistake;
	return mistake;
}

static const char *take_attach(struct manifest *m, struct words *w)
{
	m->attach_scheme = w->word[1];
	m->attach_kind = w->count > 2 ? w->word[2] : m->name;
	return NULL;
}

/* ---- What runs, and when ------------------------------------------------------------------------------------------- */

static const char *take_program(struct manifest *m, struct words *w)
{
	m->image = w->word[1];
	m->arguments.word[0] = w->word[1];
	return NULL;
}

static const char *take_arguments(struct manifest *m, struct words *w)
{
	return words_add(&m->arguments, w);
}

static const char *take_environment(struct manifest *m, struct words *w)
{
	for (w->at = 1; w->at < w->count; w->at++)
		if (!strchr(w->word[w->at], '='))
			return "NAME=VALUE?";
	return words_add(&m->environment, w);
}

static const char *take_after(struct manifest *m, struct words *w)
{
	return words_add(&m->after, w);
}

static const char *take_mode(struct manifest *m, struct words *w)
{
	return words_add(&m->modes, w);
}

static const char *match_class(struct manifest_match *match, struct words *w)
{
	static const char help[] = "a class is CC:SS or CC:SS:II, hexadecimal";
	uint32_t class, subclass, interface;
	const char *rest;

	if (w->count < 4)
		return help;
	w->at = 3;
	if (!word_is_hex(w->word[3], 2, ':', &class, &rest))
		return help;
	match->class = (uint8_t)class;
	match->kind = MATCH_CLASS;
	if (word_is_hex(rest, 2, 0, &subclass, &rest)) {
		match->subclass = (uint8_t)subclass;
		return NULL;
	}
	match->kind = MATCH_INTERFACE;
	if (!word_is_hex(rest, 2, ':', &subclass, &rest) || !word_is_hex(rest, 2, 0, &interface, &rest))
		return help;
	match->subclass = (uint8_t)subclass;
	match->interface = (uint8_t)interface;
	return NULL;
}

static const char *match_device(struct manifest_match *match, struct words *w)
{
	uint32_t vendor, device;
	const char *rest;

	w->at = 2;
	if (!word_is_hex(w->word[2], 4, ':', &vendor, &rest) || !word_is_hex(rest, 4, 0, &device, &rest))
		return "a device is VENDOR:DEVICE, hexadecimal";
	match->kind = MATCH_DEVICE;
	match->vendor = (uint16_t)vendor;
	match->device = (uint16_t)device;
	return NULL;
}

static const char *take_match(struct manifest *m, struct words *w)
{
	struct manifest_match *match = &m->match[m->match_count];

	if (strcmp(w->word[1], "pci"))
		return "only pci can be matched";
	if (m->match_count == ARRAY_COUNT(m->match))
		return "too many matches";
	*match = (struct manifest_match){ 0 };
	const char *mistake = strcmp(w->word[2], "class") == 0 ? match_class(match, w) : match_device(match, w);
	m->match_count += !mistake;
	return mistake;
}

/* ---- How it is kept ------------------------------------------------------------------------------------------------- */

static const char *take_quota(struct manifest *m, struct words *w)
{
	for (w->at = 1; w->at < w->count; w->at++) {
		char *word = w->word[w->at], *value;
		uint32_t n = 0;
		if ((value = words_value(word, "memory"))) {
			if (!word_is_bytes(value, &m->memory_bytes_max))
				return "memory is a number of bytes: 64K, 16M";
		} else if ((value = words_value(word, "threads")) && word_is_number(value, &n)) {
			m->threads_max = n;
		} else if ((value = words_value(word, "handles")) && word_is_number(value, &n)) {
			m->handles_max = n;
		} else {
			return "memory=BYTES, threads=N or handles=N?";
		}
	}
	return NULL;
}

static const char *take_priority(struct manifest *m, struct words *w)
{
	static const char *const names[PRIORITY_COUNT] = {
		[PRIORITY_IDLE] = "idle", [PRIORITY_LOW] = "low", [PRIORITY_NORMAL] = "normal",
		[PRIORITY_SERVER] = "server", [PRIORITY_DRIVER] = "driver", [PRIORITY_REALTIME] = "realtime",
	};

	for (uint32_t i = 0; i < PRIORITY_COUNT; i++)
		if (names[i] && strcmp(w->word[1], names[i]) == 0) {
			m->priority = i;
			return NULL;
		}
	return "no such priority";
}

static const char *take_user(struct manifest *m, struct words *w)
{
	m->has_user = true;
	return word_is_number(w->word[1], &m->uid) && word_is_number(w->word[2], &m->gid) ? NULL : "user and group are numbers";
}

static const char *take_no(const char *word, bool *flag)
{
	if (strcmp(word, "no"))
		return "only no can be said here";
	*flag = false;
	return NULL;
}

static const char *take_ready(struct manifest *m, struct words *w)
{
	return take_no(w->word[1], &m->has_ready);
}

static const char *take_restart(struct manifest *m, struct words *w)
{
	char *value;

	if (strcmp(w->word[1], "no") == 0)
		return take_no(w->word[1], &m->is_restarted);
	for (w->at = 1; w->at < w->count; w->at++) {
		char *word = w->word[w->at];
		if (!((value = words_value(word, "limit")) && word_is_number(value, &m->restart.limit)) &&
		    !((value = words_value(word, "wait")) && word_is_time(value, &m->restart.wait_ns)) &&
		    !((value = words_value(word, "most")) && word_is_time(value, &m->restart.most_ns)))
			return "no, limit=N, wait=TIME or most=TIME (50ms, 5s)?";
	}
	return NULL;
}

static const char *take_state(struct manifest *m, struct words *w)
{
	return word_is_bytes(w->word[1], &m->state_bytes) ? NULL : "a state has a number of bytes";
}

static const char *take_stop(struct manifest *m, struct words *w)
{
	return word_is_time(w->word[1], &m->stop_ns) ? NULL : "a time is 50ms or 5s";
}

static const char *take_essential(struct manifest *m, struct words *w)
{
	m->is_essential = strcmp(w->word[1], "yes") == 0;
	return m->is_essential ? NULL : "only yes can be said here";
}

static const char *take_watchdog(struct manifest *m, struct words *w)
{
	return word_is_number(w->word[1], &m->watchdog_s) ? NULL : "a watchdog has seconds";
}

static const struct directive directives[] = {
	{ "scheme", 1, take_scheme }, { "use", 1, take_use }, { "handle", 2, take_handle }, { "attach", 1, take_attach },
	{ "program", 1, take_program }, { "arguments", 1, take_arguments }, { "environment", 1, take_environment },
	{ "after", 1, take_after }, { "mode", 1, take_mode }, { "match", 2, take_match },
	{ "quota", 1, take_quota }, { "priority", 1, take_priority }, { "user", 2, take_user }, { "ready", 1, take_ready },
	{ "restart", 1, take_restart }, { "watchdog", 1, take_watchdog }, { "state", 1, take_state }, { "stop", 1, take_stop },
	{ "essential", 1, take_essential },
};

const char *manifest_take(struct manifest *m, struct words *w)
{
	for (size_t i = 0; i < ARRAY_COUNT(directives); i++)
		if (strcmp(w->word[0], directives[i].name) == 0) {
			if (w->count - 1 < directives[i].least)
				return "too few words";
			w->at = 1;
			return directives[i].take(m, w);
		}
	return "no such word";
}

/* ---- The whole ------------------------------------------------------------------------------------------------------- */

static bool name_is_fit(const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < bytes; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '/')
			return false;
	return bytes > 0 && bytes <= SERVICE_NAME_MAX;
}

err_t manifest_init(struct manifest *m, const char *name)
{
	if (!name_is_fit(name))
		return ERR_INVAL;
	*m = (struct manifest){
		.has_ready = true, .is_restarted = true, .priority = PRIORITY_NORMAL,
		.memory_bytes_max = UINT64_MAX, .threads_max = UINT64_MAX, .handles_max = UINT64_MAX,
		.restart = { .limit = RESTART_LIMIT, .wait_ns = BACKOFF_FIRST_NS, .most_ns = BACKOFF_MAX_NS },
	};
	string_copy(m->name, name, sizeof m->name);
	fmt(m->path, sizeof m->path, "/boot/%s", name);
	m->image = m->path;
	m->arguments = (struct words){ .count = 1, .word = { m->path } };
	return OK;
}

err_t manifest_parse(struct manifest *m, const char *name, char *text, size_t bytes, struct words_error *error)
{
	struct words_reader reader;
	struct words w = { 0 };

	*error = (struct words_error){ .what = "no name of a service" };
	if (manifest_init(m, name))
		return ERR_INVAL;
	words_reader_init(&reader, text, bytes);
	while (words_next_line(&reader, &w, &error->what)) {
		if (!error->what)
			error->what = manifest_take(m, &w);
		if (error->what) {
			error->line = reader.line;
			error->word = w.at < w.count ? w.word[w.at] : NULL;
			return ERR_INVAL;
		}
	}
	return OK;
}

bool manifest_is_in_mode(const struct manifest *m, const char *mode)
{
	return m->modes.count == 0 || words_have(&m->modes, mode);
}

bool manifest_serves(const struct manifest *m, const char *scheme)
{
	for (uint32_t i = 0; i < m->scheme_count; i++)
		if (strcmp(m->scheme[i].name, scheme) == 0)
			return true;
	return false;
}

bool manifest_has_quota(const struct manifest *m)
{
	return m->memory_bytes_max != UINT64_MAX || m->threads_max != UINT64_MAX || m->handles_max != UINT64_MAX;
}
