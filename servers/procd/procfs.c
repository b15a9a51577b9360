/* servers/procd/procfs.c - names, numbers and permissions of /proc; the texts are elsewhere. */
#include "servers/procd/procfs.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "servers/procd/cred.h"
#include "servers/procd/procfs_show.h"

enum {
	LINKS_MAX = 40, TARGET_MAX = 4096, NAME_MAX = 255,
	DEVICE = 0x70726f63,            /* "proc": no other file system says that */
	LINUX_PROC_MAGIC = 0x9fa0,
	COOKIE_DOT = 1, COOKIE_DOTDOT = 2, COOKIE_NAMES = 3, COOKIE_NUMBERS = 1024,
};
STATIC_ASSERT(COOKIE_NAMES + PROCFS_KINDS < COOKIE_NUMBERS, "names and numbers have cookies of their own");
STATIC_ASSERT(PROCFS_KINDS < 255, "a kind fits its byte of a node's number");

#define OWNED PROCFS_OWNED
#define PRIVATE PROCFS_PRIVATE
#define OF_THREAD PROCFS_OF_THREAD
#define OPENED PROCFS_OPENED
static const struct kind {
	enum procfs_kind parent;
	const char *name;               /* NULL: a number */
	uint32_t mode;
	procfs_show *show;
	uint32_t flags;
} kinds[PROCFS_KINDS] = {
#define NODE(KIND, PARENT, name, mode, show, flags) { PROCFS_##PARENT, name, mode, show, flags },
#include "servers/procd/procfs_nodes.def"
#undef NODE
};

static const struct kind *kind_of(const struct procfs_node *n) { return &kinds[n->kind]; }
static uint32_t type_of(const struct procfs_node *n) { return kind_of(n)->mode & MODE_TYPE; }
static bool is_directory(const struct procfs_node *n) { return type_of(n) == MODE_DIRECTORY; }

/* ---- Numbers: kind + 1, the process's generation, its pid or tid ---- */

static uint64_t node_id(const struct procfs_node *n)
{
	uint64_t generation = n->process ? n->process->generation : 0;

	return ((uint64_t)n->kind + 1) << 56 | generation << 32 | n->number;
}

static struct process *owner_of(struct tree *t, uint32_t number, uint32_t flags)
{
	uint32_t pid = number;

	if (flags & OF_THREAD && t->outside->thread_find(number, &pid))
		return NULL;
	return tree_find(t, pid);
}

static err_t node_find(struct procfs *f, uint64_t id, struct procfs_node *out)
{
	uint64_t kind = (id >> 56) - 1;
	uint32_t generation = (uint32_t)(id >> 32) & 0xffffff;

	if (id == 0)
		kind = PROCFS_ROOT;
	if (kind >= PROCFS_KINDS)
		return ERR_BADF;
	*out = (struct procfs_node){ .kind = (enum procfs_kind)kind, .number = (uint32_t)id };
	if (!(kinds[kind].flags & OWNED))
		return OK;
	out->process = owner_of(f->tree, out->number, kinds[kind].flags);
	return out->process && out->process->generation == generation ? OK : ERR_SRCH;
}

/* ---- Permissions ---- */

/* Those who could debug it: root, itself, and a process whose user has all its ids. */
static bool may_inspect(const struct sender *s, const struct process *p)
{
	const struct cred *c = p->cred;

	return s->uid == 0 || s->pid == p->pid ||
	       (!p->guarded && s->uid == c->uid && s->uid == c->euid && s->uid == c->suid &&
	        s->gid == c->gid && s->gid == c->egid && s->gid == c->sgid);
}

static uint32_t owner_uid(const struct procfs_node *n) { return n->process ? n->process->cred->euid : 0; }
static uint32_t owner_gid(const struct procfs_node *n) { return n->process ? n->process->cred->egid : 0; }

enum { MAY_READ = 4, MAY_WRITE = 2, MAY_SEARCH = 1 };
static err_t node_allows(const struct procfs_node *n, const struct sender *s, uint32_t wanted)
{
	uint32_t mode = kind_of(n)->mode;

	if (kind_of(n)->flags & PRIVATE && !may_inspect(s, n->process))
		return ERR_ACCES;
	if (s->uid == 0)
		return OK;
	if (s->uid == owner_uid(n))
		mode >>= 6;
	else if (s->gid == owner_gid(n))
		mode >>= 3;
	return (mode & wanted) == wanted ? OK : ERR_ACCES;
}

/* ---- Names ---- */

static err_t view_node(struct procfs *f, const struct sender *s, const struct procfs_node *n, struct text *to)
{
	struct procfs_view v = { .procfs = f, .tree = f->tree, .node = *n, .sender = s, .text = to };

	if (n->process && f->tree->outside->task_info(n->process->task, &v.info))
		v.info = (struct task_info){ .state = TASK_DEAD };
	kind_of(n)->show(&v);
	return v.err;
}

static struct procfs_node parent_of(const struct procfs_node *n)
{
	struct procfs_node up = { .kind = kind_of(n)->parent };

	if (kinds[up.kind].flags & OWNED) {
		up.process = n->process;
		up.number = kinds[up.kind].flags & OF_THREAD ? n->number : n->process->pid;
	}
	return up;
}

static err_t find_fd(struct procfs *f, const struct procfs_node *dir, uint64_t number, struct procfs_node *out)
{
	handle_t found;

	if (number >= HANDLE_PRIVATE || !process_is_alive(dir->process) ||
	    f->tree->outside->task_handles(dir->process->task, (handle_t)number, &found, 1) != 1 || found != (handle_t)number)
		return ERR_NOENT;
	*out = (struct procfs_node){ .kind = PROCFS_FD, .number = dir->number, .process = dir->process, .fd = found };
	return OK;
}

static err_t find_number(struct procfs *f, const struct procfs_node *dir, uint64_t number, struct procfs_node *out)
{
	enum procfs_kind kind = dir->kind == PROCFS_ROOT ? PROCFS_PROCESS : PROCFS_THREAD;
	uint32_t pid = (uint32_t)number;
	struct process *p;

	if (dir->kind == PROCFS_P_FD)
		return find_fd(f, dir, number, out);
	if (number == 0 || number > INT32_MAX)
		return ERR_NOENT;
	if (kind == PROCFS_THREAD) {
		/* A zombie's only thread is the one of its own number. */
		if (pid != dir->process->pid && f->tree->outside->thread_find((uint32_t)number, &pid))
			return ERR_NOENT;
		p = pid == dir->process->pid ? dir->process : NULL;
	} else {
		p = tree_discover(f->tree, pid);
	}
	if (!p)
		return ERR_NOENT;
	*out = (struct procfs_node){ .kind = kind, .number = (uint32_t)number, .process = p };
	return OK;
}

static err_t find_child(struct procfs *f, const struct procfs_node *dir, const char *name, size_t bytes, struct procfs_node *out)
{
	uint64_t number;

	for (uint32_t k = 1; k < PROCFS_KINDS; k++) {
		if (kinds[k].parent != dir->kind || !kinds[k].name || !string_is(name, bytes, kinds[k].name))
			continue;
		*out = (struct procfs_node){ .kind = (enum procfs_kind)k };
		if (kinds[k].flags & OWNED) {
			out->process = dir->process;
			out->number = dir->number;
		}
		return OK;
	}
	bool has_numbers = dir->kind == PROCFS_ROOT || dir->kind == PROCFS_P_TASK || dir->kind == PROCFS_P_FD;
	if (has_numbers && (name[0] != '0' || (bytes == 1 && dir->kind == PROCFS_P_FD)) &&
	    number_parse(name, bytes, 10, &number) == OK)
		return find_number(f, dir, number, out);
	return ERR_NOENT;
}

/* A walk's state besides the node it has reached. */
struct procfs_walk {
	struct procfs *f;
	const struct sender *sender;
	unsigned links;
	bool ends_opened;               /* a link to what is open may be the end: the caller gives that */
	bool is_last;                   /* no name comes after the present one */
};

static err_t walk(struct procfs_walk *w, struct procfs_node *n, const char *path, size_t bytes, bool follow);

static err_t follow_link(struct procfs_walk *w, const struct procfs_node *dir, struct procfs_node *link)
{
	char target[128];
	struct text text = text_window(target, sizeof target, 0);
	struct procfs_node to = *dir;
	err_t err;

	if (kind_of(link)->flags & OPENED && w->ends_opened && w->is_last)
		return OK;
	/* What leads out of /proc is not ours to follow. */
	if (kind_of(link)->flags & PRIVATE)
		return ERR_XDEV;
	if (++w->links > LINKS_MAX)
		return ERR_LOOP;
	if ((err = view_node(w->f, w->sender, link, &text)) || (err = walk(w, &to, target, text.used, true)))
		return err;
	*link = to;
	return OK;
}

static err_t step(struct procfs_walk *w, struct procfs_node *n, const char *name, size_t bytes, bool follow)
{
	struct procfs_node dir = *n;
	err_t err;

	if (bytes > NAME_MAX)
		return ERR_NAMETOOLONG;
	if (!is_directory(n))
		return ERR_NOTDIR;
	if ((err = node_allows(n, w->sender, MAY_SEARCH)))
		return err;
	if (string_is(name, bytes, "."))
		return OK;
	if (string_is(name, bytes, "..")) {
		*n = parent_of(n);
		return OK;
	}
	if ((err = find_child(w->f, &dir, name, bytes, n)))
		return err;
	return follow && type_of(n) == MODE_SYMLINK ? follow_link(w, &dir, n) : OK;
}

/* Moves n along path. follow: also a symlink at its end. */
static err_t walk(struct procfs_walk *w, struct procfs_node *n, const char *path, size_t bytes, bool follow)
{
	size_t at = 0;
	err_t err;

	if (memchr(path, 0, bytes))
		return ERR_INVAL;
	if (bytes && path[0] == '/')
		*n = (struct procfs_node){ .kind = PROCFS_ROOT };
	while (at < bytes) {
		size_t start = at;
		while (at < bytes && path[at] != '/')
			at++;
		size_t end = at;
		while (at < bytes && path[at] == '/')
			at++;
		if (end == start)
			continue;
		w->is_last = end == bytes;
		if ((err = step(w, n, path + start, end - start, follow || end < bytes)))
			return err;
		if (end < bytes && at == bytes && !is_directory(n))
			return ERR_NOTDIR;
	}
	return OK;
}

static err_t walk_from(struct procfs *f, const struct sender *s, uint64_t at, const char *path, size_t bytes, bool follow, struct procfs_node *out)
{
	struct procfs_walk w = { .f = f, .sender = s };
	err_t err;

	if ((err = node_find(f, at, out)))
		return err;
	return walk(&w, out, path, bytes, follow);
}

/* The absolute path within /proc. */
static void write_path(const struct procfs_node *n, struct text *to)
{
	struct procfs_node up;

	if (n->kind == PROCFS_ROOT) {
		if (to->used == 0)
			text_string(to, "/");
		return;
	}
	up = parent_of(n);
	if (up.kind != PROCFS_ROOT)
		write_path(&up, to);
	if (kind_of(n)->name)
		text_format(to, "/%s", kind_of(n)->name);
	else
		text_format(to, "/%u", n->kind == PROCFS_FD ? (uint32_t)n->fd : n->number);
}

/* ---- Open, read, write ---- */

/* A copy of what the process has open there. */
static err_t copy_opened(struct procfs *f, const struct sender *s, const struct procfs_node *n, handle_t *out)
{
	const struct process *p = n->process;
	handle_t number = n->kind == PROCFS_FD ? n->fd : n->kind == PROCFS_P_CWD ? p->working : p->root;
	err_t err;

	if (!may_inspect(s, p))
		return ERR_ACCES;
	if (number == HANDLE_NONE || !process_is_alive(p))
		return ERR_NOENT;
	err = f->tree->outside->task_copy_handle(p->task, number, out);
	return err == ERR_BADF ? ERR_NOENT : err;
}

static err_t open_allowed(const struct procfs_node *n, const struct sender *s, uint64_t open_flags)
{
	uint32_t wanted = (open_flags & OPEN_READ ? MAY_READ : 0) | (open_flags & OPEN_WRITE ? MAY_WRITE : 0);

	if (open_flags & OPEN_CREATE && open_flags & OPEN_EXCLUSIVE)
		return ERR_EXIST;
	if (open_flags & OPEN_DIRECTORY && !is_directory(n))
		return ERR_NOTDIR;
	if (open_flags & OPEN_PATH)
		return OK;
	if (type_of(n) == MODE_SYMLINK)
		return ERR_LOOP;
	if (is_directory(n) && open_flags & (OPEN_WRITE | OPEN_CREATE | OPEN_UNNAMED))
		return open_flags & OPEN_UNNAMED ? ERR_OPNOTSUPP : ERR_ISDIR;
	if (open_flags & OPEN_EXEC && !is_directory(n))
		return ERR_ACCES;
	/* Root may write what is writable; the rest is fixed for all. */
	if (wanted & MAY_WRITE && !(kind_of(n)->mode & 0222))
		return ERR_ACCES;
	return wanted ? node_allows(n, s, wanted) : OK;
}

err_t procfs_open(struct procfs *f, const struct sender *sender, uint64_t at, const char *ref, size_t ref_bytes,
                  uint64_t open_flags, uint64_t *id, handle_t *forward)
{
	bool follow = !(open_flags & OPEN_NOFOLLOW);
	struct procfs_walk w = { .f = f, .sender = sender, .ends_opened = true };
	struct procfs_node n;
	err_t err;

	*forward = HANDLE_NONE;
	*id = 0;
	if ((err = node_find(f, at, &n)))
		return err;
	if ((err = walk(&w, &n, ref, ref_bytes, follow)))
		return err == ERR_NOENT && open_flags & OPEN_CREATE ? ERR_ACCES : err;
	if (kind_of(&n)->flags & OPENED && follow)
		return copy_opened(f, sender, &n, forward);
	if ((err = open_allowed(&n, sender, open_flags)))
		return err;
	/* A link among many, known by nothing but its name. */
	if (n.kind == PROCFS_FD)
		return ERR_OPNOTSUPP;
	*id = node_id(&n);
	return OK;
}

int64_t procfs_read(struct procfs *f, const struct sender *sender, uint64_t id, uint64_t offset, void *to, size_t bytes)
{
	struct text text = text_window(to, bytes, offset);
	struct procfs_node n;
	err_t err;

	if ((err = node_find(f, id, &n)))
		return err;
	if (is_directory(&n))
		return ERR_ISDIR;
	if (type_of(&n) != MODE_FILE)
		return ERR_INVAL;
	/* Again, because the process may have become somebody else's since. */
	if (kind_of(&n)->flags & PRIVATE && !may_inspect(sender, n.process))
		return ERR_ACCES;
	if ((err = view_node(f, sender, &n, &text)))
		return err;
	return (int64_t)text.used;
}

static err_t set_name(char *name, size_t room, const char *from, size_t bytes)
{
	if (bytes && from[bytes - 1] == '\n')
		bytes--;
	if (bytes >= room || memchr(from, 0, bytes))
		return ERR_INVAL;
	memcpy(name, from, bytes);
	name[bytes] = 0;
	return OK;
}

static err_t set_comm(struct procfs *f, const struct sender *s, struct process *p, const char *from, size_t bytes)
{
	char name[16];

	if (s->uid != 0 && s->pid != p->pid)
		return ERR_INVAL;
	if (bytes && from[bytes - 1] == '\n')
		bytes--;
	string_copy_counted(name, sizeof name, from, bytes);
	return process_is_alive(p) ? f->tree->outside->task_name(p->task, name, strlen(name)) : ERR_SRCH;
}

int64_t procfs_write(struct procfs *f, const struct sender *sender, uint64_t id, uint64_t offset, const void *from, size_t bytes)
{
	struct procfs_node n;
	err_t err;

	if ((err = node_find(f, id, &n)))
		return err;
	if (offset != 0)
		return ERR_INVAL;
	switch (n.kind) {
	case PROCFS_SYS_HOSTNAME:
		err = set_name(f->hostname, sizeof f->hostname, from, bytes);
		break;
	case PROCFS_SYS_DOMAIN:
		err = set_name(f->domainname, sizeof f->domainname, from, bytes);
		break;
	case PROCFS_P_COMM:
		err = set_comm(f, sender, n.process, from, bytes);
		break;
	default:
		err = is_directory(&n) ? ERR_ISDIR : ERR_ACCES;
	}
	return err ? err : (int64_t)bytes;
}

/* ---- The file protocol ---- */

static struct file_time time_of(uint64_t ns)
{
	return (struct file_time){ .seconds = (int64_t)(ns / 1000000000), .nanoseconds = (uint32_t)(ns % 1000000000) };
}

static void stat_node(struct procfs *f, const struct procfs_node *n, struct file_stat *out)
{
	struct file_time time = time_of(f->started_ns + (n->process ? n->process->started_ns : 0));

	*out = (struct file_stat){
		.device = DEVICE, .node = node_id(n) + (n->kind == PROCFS_FD ? (uint64_t)n->fd << 32 : 0), .mode = kind_of(n)->mode, .links = is_directory(n) ? 2 : 1,
		.uid = owner_uid(n), .gid = owner_gid(n), .block_bytes = 1024,
		.accessed = time, .modified = time, .changed = time, .born = time,
	};
}

/* What a listing fills. */
struct listing {
	uint8_t *to;
	size_t room, used;
	bool is_full;
};

static void list_one(struct listing *l, const struct procfs_node *n, const char *name, uint64_t cookie)
{
	size_t name_bytes = strlen(name);
	size_t bytes = round_up(sizeof(struct file_entry) + name_bytes, 8);
	struct file_entry e = { .node = node_id(n), .cookie = cookie, .entry_bytes = (uint16_t)bytes,
	                        .name_bytes = (uint16_t)name_bytes, .mode = type_of(n) };

	if (l->is_full || l->room - l->used < bytes) {
		l->is_full = true;
		return;
	}
	memset(l->to + l->used, 0, bytes);
	memcpy(l->to + l->used, &e, sizeof e);
	memcpy(l->to + l->used + sizeof e, name, name_bytes);
	l->used += bytes;
}

static void list_names(struct listing *l, const struct procfs_node *dir, uint64_t after)
{
	struct procfs_node up = parent_of(dir);

	if (after < COOKIE_DOT)
		list_one(l, dir, ".", COOKIE_DOT);
	if (after < COOKIE_DOTDOT)
		list_one(l, &up, "..", COOKIE_DOTDOT);
	for (uint32_t k = 1; k < PROCFS_KINDS; k++) {
		struct procfs_node n = { .kind = (enum procfs_kind)k };
		if (kinds[k].parent != dir->kind || !kinds[k].name || after >= COOKIE_NAMES + k)
			continue;
		if (kinds[k].flags & OWNED) {
			n.process = dir->process;
			n.number = dir->number;
		}
		list_one(l, &n, kinds[k].name, COOKIE_NAMES + k);
	}
}

static void list_number(struct listing *l, enum procfs_kind kind, uint32_t number, struct process *p)
{
	struct procfs_node n = { .kind = kind, .number = number, .process = p };
	char name[12];

	fmt(name, sizeof name, "%u", number);
	list_one(l, &n, name, COOKIE_NUMBERS + (uint64_t)number);
}

/* Collects the pids above the cookie's, sorts them as they come: a heap would be more, and there are few. */
struct pid_list {
	uint32_t *pids;
	size_t count, room;
	uint64_t above;
};

static void collect_pid(struct tree *t, struct process *p, void *argument)
{
	struct pid_list *list = argument;

	(void)t;
	if (p->pid > list->above && list->count < list->room)
		list->pids[list->count++] = p->pid;
}

/* Shell sort, gaps 3n + 1. */
static void sort_pids(uint32_t *pids, size_t count)
{
	size_t gap = 1;

	while (gap < count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3)
		for (size_t i = gap; i < count; i++) {
			uint32_t pid = pids[i];
			size_t j = i;
			for (; j >= gap && pids[j - gap] > pid; j -= gap)
				pids[j] = pids[j - gap];
			pids[j] = pid;
		}
}

static err_t list_processes(struct procfs *f, struct listing *l, uint64_t after)
{
	struct pid_list list = { .above = after > COOKIE_NUMBERS ? after - COOKIE_NUMBERS : 0 };
	struct tree *t = f->tree;
	size_t bytes;

	if (list.above == 0)
		tree_discover_all(t, false);
	list.room = t->count;
	bytes = list.room * sizeof *list.pids;
	if (!(list.pids = t->outside->allocate(bytes)))
		return ERR_NOMEM;
	tree_each(t, collect_pid, &list);
	sort_pids(list.pids, list.count);
	for (size_t i = 0; i < list.count && !l->is_full; i++)
		list_number(l, PROCFS_PROCESS, list.pids[i], tree_find(t, list.pids[i]));
	t->outside->release(list.pids, bytes);
	return OK;
}

static void list_threads(struct procfs *f, struct listing *l, struct process *p, uint64_t after)
{
	struct thread_info thread = { .tid = after >= COOKIE_NUMBERS ? (uint32_t)(after - COOKIE_NUMBERS) : 0 };

	while (process_is_alive(p) && !l->is_full && f->tree->outside->task_next_thread(p->task, thread.tid, &thread) == OK)
		list_number(l, PROCFS_THREAD, thread.tid, p);
}

static void list_fds(struct procfs *f, struct listing *l, struct process *p, uint64_t after)
{
	enum { AT_ONCE = 64 };
	handle_t fds[AT_ONCE], from = after >= COOKIE_NUMBERS ? (handle_t)(after - COOKIE_NUMBERS + 1) : 0;
	int64_t count = AT_ONCE;

	while (process_is_alive(p) && !l->is_full && count == AT_ONCE && from < HANDLE_PRIVATE) {
		count = f->tree->outside->task_handles(p->task, from, fds, AT_ONCE);
		for (int64_t i = 0; i < count && i < AT_ONCE && fds[i] < HANDLE_PRIVATE; i++) {
			list_number(l, PROCFS_FD, (uint32_t)fds[i], p);
			from = fds[i] + 1;
		}
		if (count > 0 && fds[count - 1] >= HANDLE_PRIVATE)
			return;
	}
}

static int64_t list_directory(struct procfs *f, const struct sender *s, const struct procfs_node *dir, uint64_t after, void *out, size_t out_bytes, size_t *used)
{
	struct listing l = { .to = out, .room = out_bytes };
	err_t err = OK;

	if (!is_directory(dir))
		return ERR_NOTDIR;
	if (kind_of(dir)->flags & PRIVATE && !may_inspect(s, dir->process))
		return ERR_ACCES;
	if (after < COOKIE_NUMBERS)
		list_names(&l, dir, after);
	if (dir->kind == PROCFS_ROOT && !l.is_full)
		err = list_processes(f, &l, after);
	else if (dir->kind == PROCFS_P_TASK && !l.is_full)
		list_threads(f, &l, dir->process, after);
	else if (dir->kind == PROCFS_P_FD && !l.is_full && after < COOKIE_NUMBERS + HANDLE_PRIVATE)
		list_fds(f, &l, dir->process, after);
	if (l.used == 0)
		return err ? err : l.is_full ? ERR_INVAL : 0;
	*used = l.used;
	return (int64_t)l.used;
}

static int64_t read_link(struct procfs *f, const struct sender *s, const struct procfs_node *n, void *out, size_t out_bytes, size_t *used)
{
	struct text text = text_window(out, out_bytes, 0);
	err_t err;

	if (type_of(n) != MODE_SYMLINK)
		return ERR_INVAL;
	if (kind_of(n)->flags & PRIVATE && !may_inspect(s, n->process))
		return ERR_ACCES;
	/* What it is has its own server, whom the client asks. */
	if (kind_of(n)->flags & OPENED)
		return ERR_XDEV;
	if ((err = view_node(f, s, n, &text)))
		return err;
	*used = text.used;
	return (int64_t)text.used;
}

static int64_t access_node(const struct procfs_node *n, const struct sender *s, uint64_t word)
{
	uint32_t wanted = (word & OPEN_READ ? MAY_READ : 0) | (word & OPEN_WRITE ? MAY_WRITE : 0);

	if (word & OPEN_EXEC)
		wanted |= MAY_SEARCH;
	if (wanted & MAY_SEARCH && !is_directory(n) && type_of(n) != MODE_SYMLINK)
		return ERR_ACCES;
	if (wanted & MAY_WRITE && !(kind_of(n)->mode & 0222))
		return ERR_ACCES;
	return wanted ? node_allows(n, s, wanted) : OK;
}

static int64_t give(const void *from, size_t bytes, void *out, size_t out_bytes, size_t *used)
{
	if (out_bytes < bytes)
		return ERR_INVAL;
	memcpy(out, from, bytes);
	*used = bytes;
	return 0;
}

static int64_t give_path(const struct procfs_node *n, void *out, size_t out_bytes, size_t *used)
{
	struct text text = text_window(out, out_bytes, 0);

	write_path(n, &text);
	if (text_is_full(&text))
		return ERR_RANGE;
	*used = text.used;
	return (int64_t)text.used;
}

static int64_t give_system(struct procfs *f, void *out, size_t out_bytes, size_t *used)
{
	struct file_system s = { .type = LINUX_PROC_MAGIC, .block_bytes = 4096, .nodes = f->tree->count, .name_max = NAME_MAX };

	return give(&s, sizeof s, out, out_bytes, used);
}

/* Codes about the node that a path leads to. */
static int64_t call_with_path(struct procfs *f, const struct sender *s, uint64_t id, uint32_t code, uint64_t word,
                              const void *in, size_t in_bytes, void *out, size_t out_bytes, size_t *used)
{
	uint32_t at = (uint32_t)(code == FILE_ACCESS ? word >> 32 : word);
	bool follow = code != FILE_READLINK && !(at & AT_NOFOLLOW);
	struct procfs_node n;
	struct file_stat stat;
	err_t err;

	if ((err = walk_from(f, s, id, in, in_bytes, follow, &n)))
		return err;
	switch (code) {
	case FILE_STAT:
		stat_node(f, &n, &stat);
		return give(&stat, sizeof stat, out, out_bytes, used);
	case FILE_READLINK:
		return read_link(f, s, &n, out, out_bytes, used);
	case FILE_ACCESS:
		return access_node(&n, s, word & 0xffffffff);
	default:
		return give_path(&n, out, out_bytes, used);
	}
}

int64_t procfs_call(struct procfs *f, const struct sender *sender, uint64_t id, uint32_t code, uint64_t word,
                    const void *in, size_t in_bytes, void *out, size_t out_bytes, size_t *used)
{
	struct procfs_node n;
	err_t err;

	*used = 0;
	switch (code) {
	case FILE_STAT: case FILE_READLINK: case FILE_ACCESS: case FILE_RESOLVE:
		return call_with_path(f, sender, id, code, word, in, in_bytes, out, out_bytes, used);
	case FILE_LIST: case FILE_PATH: case FILE_STATFS: case FILE_SYNC:
		break;
	case FILE_MKDIR: case FILE_UNLINK: case FILE_RENAME: case FILE_LINK: case FILE_SYMLINK: case FILE_MKNOD:
	case FILE_CHMOD: case FILE_CHOWN: case FILE_UTIME: case FILE_TRUNCATE: case FILE_UNLINK_SELF:
		return ERR_PERM;
	default:
		return code >= FILE_STAT && code <= FILE_UNLINK_SELF ? ERR_OPNOTSUPP : ERR_NOTTY;
	}
	if ((err = node_find(f, id, &n)))
		return err;
	if (code == FILE_LIST)
		return list_directory(f, sender, &n, word, out, out_bytes, used);
	if (code == FILE_PATH)
		return give_path(&n, out, out_bytes, used);
	return code == FILE_STATFS ? give_system(f, out, out_bytes, used) : 0;
}

void procfs_init(struct procfs *f, struct tree *t)
{
	struct system_info info;

	*f = (struct procfs){ .tree = t, .hostname = "cathode", .domainname = "(none)",
	                      .mounts = "rootfs / rootfs rw 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n" };
	t->outside->random(f->boot_id, sizeof f->boot_id);
	if (t->outside->system_info(&info) == OK)
		f->started_ns = info.boot_realtime_ns;
}
