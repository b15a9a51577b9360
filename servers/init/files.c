/* servers/init/files.c - what is to run: init.rc, manifests, and the rest of init.rc, which a server has. */
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "servers/init/init.h"

#define MANIFESTS "/boot/manifest"

enum { RC_FILE_MAX = 64 * 1024 };

static struct {
	const char *scheme, *ref;
	bool is_started, is_over;
	char *text;
	size_t bytes;
	err_t err;
} rest;

static void mistake_tell(const struct words_error *e)
{
	print("init: %s:%u: %s%s%s\n", e->file, e->line, e->what, e->word ? ": " : "", e->word ? e->word : "");
}

/* A copy of a file of the initfs, to be cut into words. It stays: what was read points into it. */
static err_t boot_file_copy(const struct initfs_entry *e, char **text)
{
	if (!(*text = heap_alloc(e->content_bytes + 1)))
		return ERR_NOMEM;
	memcpy(*text, e->content, e->content_bytes);
	return OK;
}

static err_t boot_file_find(const char *path, struct initfs_entry *e)
{
	return initfs_find(&init.world.initfs, INITFS_ROOT, path, strlen(path), e);
}

/* ---- Manifests ---- */

/* A broken one loses its service and nothing else. NULL: it was told. */
static struct manifest *manifest_read(const char *name, const struct initfs_entry *e)
{
	struct manifest *m = heap_new(struct manifest);
	char path[sizeof MANIFESTS + SERVICE_NAME_MAX + 1];
	struct words_error error = { .what = "no memory" };
	char *text;

	fmt(path, sizeof path, MANIFESTS "/%s", name);
	if (m && !boot_file_copy(e, &text) && !manifest_parse(m, name, text, e->content_bytes, &error))
		return m;
	error.file = path;
	mistake_tell(&error);
	if (m)
		heap_delete(m);
	return NULL;
}

static void start_take(const char *file, const struct rc_start *start)
{
	char path[sizeof MANIFESTS + SERVICE_NAME_MAX + 1];
	struct words_error error = { .file = file, .line = start->line, .what = "it has no manifest", .word = start->name };
	struct initfs_entry e;
	struct manifest *m;

	if (fmt(path, sizeof path, MANIFESTS "/%s", start->name) >= sizeof path || boot_file_find(path, &e)) {
		mistake_tell(&error);
		return;
	}
	if (!(m = manifest_read(start->name, &e)))
		return;
	if (start->mode)
		m->modes.word[m->modes.count++] = (char *)(uintptr_t)start->mode;
	if ((error.what = rc_add(&init.rc, m))) {
		mistake_tell(&error);
		heap_delete(m);
	}
}

/* Drivers are never many, and the folder's other files are looked at just once. */
err_t files_read_drivers(struct manifest **out, uint32_t most, uint32_t *count)
{
	struct initfs_entry folder, e = { .index = 0 };
	char name[SERVICE_NAME_MAX + 1];
	struct manifest *m;
	err_t err;

	*count = 0;
	if ((err = boot_file_find(MANIFESTS, &folder)))
		return err;
	for (uint32_t at = 0; *count < most && !initfs_next_child(&init.world.initfs, folder.index, at, &e); at = e.index + 1) {
		if (string_copy_counted(name, sizeof name, e.name, e.name_bytes) >= sizeof name || rc_find(&init.rc, name))
			continue;
		if (!(m = manifest_read(name, &e)))
			continue;
		if (m->match_count > 0)
			out[(*count)++] = m;
		else
			heap_delete(m);
	}
	return OK;
}

/* ---- init.rc ---- */

/* Those that rc has and we have not yet. */
static void services_add(void)
{
	static uint32_t taken;
	err_t err;

	for (; taken < init.rc.count; taken++)
		if ((err = service_add(init.rc.service[taken])))
			print("init: %s cannot be kept: error %d\n", init.rc.service[taken]->name, -err);
}

/* What has a manifest of its own is the system's, and goes before what the text describes itself: services stop in the opposite order. */
static void started_go_first(struct rc *rc, uint32_t described, uint32_t started)
{
	struct manifest *kept[RC_SERVICES_MAX];
	size_t each = sizeof(*kept);

	memcpy(kept, rc->service + described, (started - described) * each);
	memmove(rc->service + described, rc->service + started, (rc->count - started) * each);
	memcpy(rc->service + described + (rc->count - started), kept, (started - described) * each);
}

static void rc_take(const char *file, char *text, size_t bytes)
{
	uint32_t described = init.rc.count;

	rc_parse(&init.rc, file, text, bytes, mistake_tell);
	uint32_t started = init.rc.count;
	for (uint32_t i = 0; i < init.rc.start_count; i++)
		start_take(file, &init.rc.start[i]);
	started_go_first(&init.rc, described, started);
	if (init.rc.devices)
		init.world.devices = init.rc.devices;
	services_add();
}

err_t files_read_first(void)
{
	static const char path[] = "/boot/init.rc";
	struct initfs_entry e;
	char *text;
	err_t err;

	if ((err = boot_file_find(path, &e)))
		return err;
	if ((err = boot_file_copy(&e, &text)))
		return err;
	rc_take(path, text, e.content_bytes);
	rest.scheme = init.rc.next_scheme;
	rest.ref = init.rc.next_ref;
	rest.is_over = !rest.scheme;
	return OK;
}

/* ---- The rest of it: read by a thread, from a server that is ready ---- */

static void rest_read(void *argument)
{
	handle_t h;
	int64_t n;

	(void)argument;
	if ((rest.err = handle_open_in(init.world.namespace, rest.scheme, rest.ref, OPEN_READ, &h)))
		return;
	if (!(rest.text = heap_alloc(RC_FILE_MAX)))
		rest.err = ERR_NOMEM;
	for (n = 1; !rest.err && n > 0 && rest.bytes < RC_FILE_MAX; rest.bytes += n > 0 ? (size_t)n : 0) {
		n = sys_read(0, h, rest.text + rest.bytes, RC_FILE_MAX - rest.bytes, (int64_t)rest.bytes);
		rest.err = result_error(n);
	}
	handle_close(h);
}

/* Without it the system is what the first file made it. */
static void rest_arrived(void *argument)
{
	err_t err = rest.err;

	(void)argument;
	if (!err)
		rc_take(rest.ref, rest.text, rest.bytes);
	else if (err != ERR_NOENT)
		print("init: %s:%s: error %d\n", rest.scheme, rest.ref, -err);
	rest.is_over = true;
	start_all();
}

void files_read_rest(void)
{
	struct service *s;

	if (rest.is_started || rest.is_over || ((s = service_serving(rest.scheme)) && s->state != SERVICE_READY))
		return;
	rest.is_started = true;
	init_work(rest_read, rest_arrived, NULL, &rest.err);
}

bool files_are_read(void)
{
	return rest.is_over;
}
