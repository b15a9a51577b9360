/* servers/init/namespace.c - which names a service can open, and so whom it depends on. */
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "servers/init/init.h"
#include "servers/init/order.h"

enum { NAMES_MAX = 2048 };

struct names {
	char text[NAMES_MAX];
	size_t used;
};

static err_t names_add(struct names *n, const char *name)
{
	size_t bytes = strlen(name) + 1;

	if (!range_fits(n->used, bytes, sizeof n->text))
		return ERR_2BIG;
	memcpy(n->text + n->used, name, bytes);
	n->used += bytes;
	return OK;
}

static err_t names_add_public(struct names *n)
{
	struct service *s;
	err_t err;

	list_each(s, &init.services, link)
		for (uint32_t i = 0; s->state != SERVICE_OFF && i < s->m->scheme_count; i++)
			if (s->m->scheme[i].is_public && (err = names_add(n, s->scheme[i])))
				return err;
	return OK;
}

/* Somebody's, but not in this mode. */
static bool is_off(const char *scheme)
{
	struct manifest *m = rc_find_scheme(&init.rc, scheme);

	return m && !service_serving(scheme);
}

/* What is not served in this mode is left out. */
err_t namespace_make(struct service *s)
{
	static struct names names;
	err_t err;

	names.used = 0;
	for (uint32_t i = 0; i < s->m->uses.count; i++) {
		const char *name = s->m->uses.word[i];
		err = strcmp(name, "@public") == 0 ? names_add_public(&names) : is_off(name) ? OK : names_add(&names, name);
		if (err)
			return err;
	}
	return service_make_namespace(s, &init.world, names.text, names.used);
}

/* ---- Who depends on whom ---- */

static bool serves(const struct service *s, const char *scheme)
{
	for (uint32_t i = 0; i < s->m->scheme_count; i++)
		if (strcmp(s->scheme[i], scheme) == 0)
			return true;
	return false;
}

static bool needs(const struct service *s, const struct service *on)
{
	if (words_have(&s->m->after, on->name))
		return true;
	for (uint32_t i = 0; i < s->m->handle_count; i++)
		if (s->m->handle[i].scheme && serves(on, s->m->handle[i].scheme))
			return true;
	if (s->is_instance && serves(on, init.world.devices))
		return true;
	/* Who has drivers attached works with what they serve. */
	return on->m->attach_scheme && serves(s, on->m->attach_scheme);
}

static bool uses(const struct service *s, const struct service *on)
{
	bool has_public = words_have(&s->m->uses, "@public");

	for (uint32_t i = 0; i < on->m->scheme_count; i++)
		if (words_have(&s->m->uses, on->scheme[i]) || (has_public && on->m->scheme[i].is_public))
			return true;
	return serves(on, "log");
}

enum dependence service_dependence(const struct service *s, const struct service *on)
{
	return s == on ? UNRELATED : needs(s, on) ? NEEDS : uses(s, on) ? USES : UNRELATED;
}
