/* servers/init/service.c - endpoints, namespaces, handles, process. */
#include "servers/init/service.h"
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/native/bootfs.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/spawn.h"

enum { GIVEN_MAX = SPAWN_HANDLES_MAX, NAME_BYTES = HANDLE_NAME_MAX + 1, PAGE = 4096 };

/* What a new process is given, collected. Handles in opened are closed again once it has them. */
struct given {
	uint32_t count, opened_count;
	struct spawn_handle handle[GIVEN_MAX];
	char name[GIVEN_MAX][NAME_BYTES];
	handle_t opened[GIVEN_MAX];
};

/* ---- Kept over restarts ------------------------------------------------------------------------------------------ */

void service_init(struct service *s, const char *name, const struct manifest *m)
{
	*s = (struct service){
		.m = m, .state_object = HANDLE_NONE, .account = HANDLE_NONE, .life_object = HANDLE_NONE, .namespace = HANDLE_NONE,
		.process = HANDLE_NONE, .ready = HANDLE_NONE, .root = HANDLE_NONE,
	};
	string_copy(s->name, name, sizeof s->name);
	list_init(&s->link);
	for (uint32_t i = 0; i < MANIFEST_SCHEMES_MAX; i++)
		s->endpoint[i] = HANDLE_NONE;
}

/* The first instance of a driver serves the name itself, the others have their number behind it. */
static void scheme_name(struct service *s, uint32_t i)
{
	char number[12] = "";

	if (s->index > 0)
		fmt(number, sizeof number, "%u", s->index);
	fmt(s->scheme[i], sizeof s->scheme[i], "%s%s", s->m->scheme[i].name, number);
}

/* Beside the first, to be received from in one, unless its flags are others: a group is told of a server's end in one way. */
static err_t endpoint_make(struct service *s, uint32_t i, const struct service_world *w)
{
	bool fits = i > 0 && s->m->scheme[i].scheme_flags == s->m->scheme[0].scheme_flags;
	int64_t h = sys_scheme(0, fits ? s->endpoint[0] : HANDLE_NONE, s->m->scheme[i].scheme_flags);

	if (h < 0)
		return (err_t)h;
	s->endpoint[i] = (handle_t)h;
	return result_error(sys_call(0, w->namespace, pack_handle(NS_BIND, (handle_t)h, false), s->scheme[i], strlen(s->scheme[i]), NULL, 0, 0));
}

static err_t state_make(struct service *s, const struct service_world *w)
{
	char ref[32];

	if (s->m->state_bytes == 0)
		return OK;
	fmt(ref, sizeof(ref), "new/%llu", (unsigned long long)s->m->state_bytes);
	return handle_open_in(w->namespace, "mem", ref, OPEN_READ | OPEN_WRITE, &s->state_object);
}

static uint64_t in_pages(uint64_t bytes)
{
	return bytes == UINT64_MAX ? UINT64_MAX : bytes / PAGE + (bytes % PAGE != 0);
}

static err_t account_make(struct service *s, const struct service_world *w)
{
	struct account_limits limits = { in_pages(s->m->memory_bytes_max), s->m->threads_max, s->m->handles_max };
	handle_t accounts;
	err_t err;

	if (!manifest_has_quota(s->m))
		return OK;
	if ((err = handle_open_in(w->namespace, "sys", "account", OPEN_READ | OPEN_WRITE, &accounts)))
		return err;
	err = handle_call_get(accounts, ACCOUNT_CREATE, &limits, sizeof limits, 0, &s->account);
	handle_close(accounts);
	return err;
}

static err_t life_make(struct service *s, const struct service_world *w)
{
	static char ref[16];
	err_t err;

	fmt(ref, sizeof ref, "new/%u", PAGE);
	if (s->m->is_session)
		return OK;
	if ((err = handle_open_in(w->namespace, "mem", ref, OPEN_READ | OPEN_WRITE, &s->life_object)))
		return err;
	int64_t at = sys_map(0, s->life_object, 0, PAGE, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (at < 0)
		return (err_t)at;
	s->life = (const struct service_life *)at;
	return OK;
}

err_t service_make_kept(struct service *s, const struct service_world *w)
{
	err_t err;

	if ((err = state_make(s, w)))
		return err;
	if ((err = account_make(s, w)))
		return err;
	if ((err = life_make(s, w)))
		return err;
	for (uint32_t i = 0; i < s->m->scheme_count; i++) {
		scheme_name(s, i);
		if ((err = s->lender ? handle_dup(s->lender->endpoint[i], RIGHT_ALL, &s->endpoint[i]) : endpoint_make(s, i, w)))
			return err;
	}
	if (s->lender)
		service_expect(s);
	return OK;
}

static void endpoint_set(handle_t endpoint, uint64_t scheme_flags)
{
	if (endpoint != HANDLE_NONE)
		handle_call(endpoint, ENDPOINT_SET, NULL, 0, NULL, 0, scheme_flags);
}

void service_expect(const struct service *s)
{
	for (uint32_t i = 0; i < s->m->scheme_count; i++)
		endpoint_set(s->endpoint[i], s->m->scheme[i].scheme_flags);
}

void service_give_up(const struct service *s)
{
	for (uint32_t i = 0; i < s->m->scheme_count; i++)
		endpoint_set(s->endpoint[i], SCHEME_FAIL_WITHOUT_SERVER | (s->has_gone || s->state == SERVICE_ABSENT ? SCHEME_GONE : 0));
}

void service_drop_kept(struct service *s)
{
	service_give_up(s);
	for (uint32_t i = 0; i < s->m->scheme_count; i++)
		handle_close(s->endpoint[i]);
	if (s->life)
		sys_unmap(0, HANDLE_NONE, (uint64_t)s->life, PAGE);
	handle_close(s->life_object);
	handle_close(s->state_object);
	handle_close(s->account);
	handle_close(s->root);
}

err_t service_make_namespace(struct service *s, const struct service_world *w, const char *names, size_t bytes)
{
	s->namespace = HANDLE_NONE;
	return bytes == 0 ? OK : handle_call_get(w->namespace, NS_CLONE, names, bytes, 0, &s->namespace);
}

/* ---- What it is given ------------------------------------------------------------------------------------------- */

static handle_t number_for(const char *name)
{
	static const char *const standard[] = { "stdin", "stdout", "stderr" };

	for (size_t i = 0; i < ARRAY_COUNT(standard); i++)
		if (strcmp(name, standard[i]) == 0)
			return (handle_t)i;
	return HANDLE_NONE;
}

static err_t give(struct given *g, const char *prefix, const char *name, handle_t h)
{
	if (g->count == GIVEN_MAX)
		return ERR_2BIG;
	fmt(g->name[g->count], NAME_BYTES, "%s%s", prefix, name);
	g->handle[g->count] = (struct spawn_handle){ .name = g->name[g->count], .handle = h, .number = number_for(name) };
	g->count++;
	return OK;
}

/* h is closed when the process has it. */
static err_t give_opened(struct given *g, const char *name, handle_t h)
{
	if (g->opened_count == GIVEN_MAX) {
		handle_close(h);
		return ERR_2BIG;
	}
	g->opened[g->opened_count++] = h;
	return give(g, "", name, h);
}

static void given_close(struct given *g)
{
	while (g->opened_count > 0)
		handle_close(g->opened[--g->opened_count]);
}

static err_t give_endpoints(struct given *g, const struct service *s)
{
	err_t err;

	if (s->state_object != HANDLE_NONE && (err = give(g, "", "state", s->state_object)))
		return err;
	if (s->life_object != HANDLE_NONE && (err = give(g, "", "life", s->life_object)))
		return err;
	for (uint32_t i = 0; i < s->m->scheme_count; i++) {
		if (i == 0 && (err = give(g, "", "scheme", s->endpoint[i])))
			return err;
		if ((err = give(g, "scheme:", s->m->scheme[i].name, s->endpoint[i])))
			return err;
	}
	return OK;
}

static handle_t own_handle(const struct service_world *w, const char *name)
{
	return strcmp(name, "admin") == 0 ? w->admin : strcmp(name, "initfs") == 0 ? w->initfs_object : w->namespace;
}

/* A file of the initfs: a window of the image. */
static err_t give_file(struct given *g, const struct manifest_handle *r, const struct service_world *w)
{
	struct mem_window window;
	handle_t h;
	err_t err;

	if ((err = bootfs_find(&w->initfs, r->ref, &window.offset, &window.bytes)) == OK)
		err = handle_call_get(w->initfs_object, MEM_CLONE, &window, sizeof(window), 0, &h);
	if (err)
		return r->is_optional ? OK : err;
	/* One who may only read it must not be able to write for all who have it from him. */
	if (!(r->open_flags & OPEN_WRITE)) {
		handle_t all = h;
		err = handle_dup(all, RIGHT_ALL & ~(uint64_t)RIGHT_WRITE, &h);
		handle_close(all);
		if (err)
			return err;
	}
	return give_opened(g, r->name, h);
}

static err_t give_handle(struct given *g, const struct manifest_handle *r, const struct service_world *w)
{
	handle_t h;
	err_t err;

	if (!r->scheme)
		return give(g, "", r->name, own_handle(w, r->ref));
	if (strcmp(r->scheme, "initfs") == 0)
		return give_file(g, r, w);
	/* A terminal is for the session that gets it, not for init's own. */
	if ((err = handle_open_in(w->namespace, r->scheme, r->ref, r->open_flags | OPEN_NOCTTY, &h)))
		return r->is_optional ? OK : err;
	return give_opened(g, r->name, h);
}

static err_t give_handles(struct given *g, const struct service *s, const struct service_world *w)
{
	err_t err;

	for (uint32_t i = 0; i < s->m->handle_count; i++) {
		const struct manifest_handle *r = &s->m->handle[i];
		if (r->mode && strcmp(r->mode, w->mode) != 0)
			continue;
		if ((err = give_handle(g, r, w))) {
			print("init: %s: handle %s: error %d\n", s->name, r->name, -err);
			return err;
		}
	}
	return OK;
}

/* Every program can say something: through log: when that runs, else (and log:'s own server) to the kernel's log. */
static err_t give_log(struct given *g, const struct service *s, const struct service_world *w)
{
	handle_t h;

	if (!w->has_log_server || manifest_serves(s->m, "log") || handle_open_in(w->namespace, "log", s->name, OPEN_WRITE, &h))
		return w->log == HANDLE_NONE ? OK : give(g, "", "log", w->log);
	return give_opened(g, "log", h);
}

/* The process gets the end to write to; we keep the other in s->ready. */
static err_t give_ready(struct given *g, struct service *s, const struct service_world *w)
{
	handle_t writer;
	err_t err;

	s->ready = HANDLE_NONE;
	if (!s->m->has_ready)
		return OK;
	if ((err = handle_open_in(w->namespace, "pipe", "", OPEN_READ, &s->ready)))
		return err;
	if ((err = handle_open_at(s->ready, "write", OPEN_WRITE, &writer)))
		goto close_ready;
	if ((err = give_opened(g, "ready", writer)))
		goto close_ready;
	return OK;

close_ready:
	handle_close(s->ready);
	s->ready = HANDLE_NONE;
	return err;
}

/* The claim of its device: nobody else's while it has it, and pcid stops the device when it has it no more. */
static err_t give_device(struct given *g, const struct service *s, const struct service_world *w)
{
	char address[ADDRESS_BYTES];
	handle_t function, claim;
	err_t err;

	if (!s->is_instance)
		return OK;
	device_address_write(s->address, address);
	if ((err = handle_open_in(w->namespace, w->devices, address, OPEN_READ, &function)))
		goto say;
	err = handle_open_at(function, "claim", OPEN_READ | OPEN_WRITE, &claim);
	handle_close(function);
	if (!err)
		return give_opened(g, "device", claim);

say:
	print("init: %s: its device cannot be claimed: error %d\n", s->name, -err);
	return err;
}

static err_t give_attached(struct given *g, const struct service *s)
{
	err_t err;

	for (uint32_t i = 0; i < s->attached_count; i++) {
		const char *text = s->attached[i].text;
		char name[NAME_BYTES];
		string_copy_counted(name, sizeof name, text, (size_t)(strchr(text, '=') - text));
		if ((err = give(g, "", name, s->attached[i].root)))
			return err;
	}
	return OK;
}

static err_t given_collect(struct given *g, struct service *s, const struct service_world *w)
{
	err_t err;

	if ((err = give_endpoints(g, s)))
		return err;
	if ((err = give_device(g, s, w)))
		return err;
	if ((err = give_attached(g, s)))
		return err;
	if ((err = give_handles(g, s, w)))
		return err;
	if ((err = give_log(g, s, w)))
		return err;
	return give_ready(g, s, w);
}

/* ---- The program ---------------------------------------------------------------------------------------------------- */

/* A path is one in the initfs; SCHEME:REF is opened (and *opened must be closed). */
static err_t program_find(const char *program, const struct service_world *w, struct spawn_options *o, handle_t *opened)
{
	const char *colon = strchr(program, ':');
	struct file_stat st;
	char scheme[NAME_BYTES];
	err_t err;

	*opened = HANDLE_NONE;
	if (!colon || program[0] == '/') {
		o->image = w->initfs_object;
		return bootfs_find(&w->initfs, program, &o->image_offset, &o->image_bytes);
	}
	string_copy_counted(scheme, sizeof scheme, program, (size_t)(colon - program));
	if ((err = handle_open_in(w->namespace, scheme, colon + 1, OPEN_READ | OPEN_EXEC, opened)))
		return err;
	int64_t result = handle_call(*opened, FILE_STAT, NULL, 0, &st, sizeof st, 0);
	o->image = *opened;
	o->image_bytes = st.bytes;
	return result_error(result);
}

/* procd is told before the first instruction, so that the session finds itself in the tree. */
static err_t adopt(const struct service_world *w, handle_t process)
{
	struct posix_fork fork = { 0 };
	handle_t posix;
	err_t err;

	if (!w->has_posix)
		return OK;
	if ((err = handle_open_in(w->namespace, "posix", "self", OPEN_READ | OPEN_WRITE, &posix)))
		return err;
	int64_t result = sys_call(0, posix, pack_handle(POSIX_ADOPT, process, false), &fork, sizeof fork, NULL, 0, 0);
	handle_close(posix);
	return result_error(result);
}

static err_t process_start(struct service *s, const struct service_world *w, const struct spawn_options *o)
{
	struct spawned spawned;
	err_t err;

	if ((err = spawn_prepare(o, &spawned)))
		return err;
	if (s->m->is_session && (err = adopt(w, spawned.process)))
		goto abandon;
	if ((err = spawn_start(&spawned)))
		goto abandon;
	s->process = spawned.process;
	s->pid = spawned.pid;
	return OK;

abandon:
	spawn_abandon(&spawned);
	return err;
}

static uint32_t environment_collect(const struct service *s, const char *to[WORDS_MAX + ATTACHED_MAX])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->m->environment.count; i++)
		to[n++] = s->m->environment.word[i];
	for (uint32_t i = 0; i < s->attached_count; i++)
		to[n++] = s->attached[i].text;
	return n;
}

err_t service_launch(struct service *s, const struct service_world *w)
{
	const struct manifest *m = s->m;
	struct task_cred cred = { .uid = m->uid, .gid = m->gid };
	const char *environment[WORDS_MAX + ATTACHED_MAX];
	struct given g = { 0 };
	struct spawn_options o = {
		.name = s->name,
		.arguments = (const char *const *)m->arguments.word, .argument_count = m->arguments.count,
		.environment = environment, .environment_count = environment_collect(s, environment),
		.namespace = s->namespace, .priority = m->priority, .account = s->account,
		.cred = m->has_user ? &cred : NULL, .admin = w->admin,
	};
	handle_t program;
	err_t err;

	s->ready = HANDLE_NONE;
	if ((err = program_find(m->image, w, &o, &program)))
		goto close_program;
	if ((err = given_collect(&g, s, w)))
		goto close_given;
	o.handles = g.handle;
	o.handle_count = g.count;
	err = process_start(s, w, &o);

close_given:
	given_close(&g);
	if (err) {
		handle_close(s->ready);
		s->ready = HANDLE_NONE;
	}
close_program:
	handle_close(program);
	return err;
}
