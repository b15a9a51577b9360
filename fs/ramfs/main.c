/* fs/ramfs/main.c - the server of file: requests in, answers out; contents are memory objects, FIFOs kernel pipes.
 *
 * A regular file's OPEN hands the kernel its object: reading, writing and mapping then never come here. Started
 * with the handle "initfs" (the image, an object), from which the first tree is made; without it the tree is empty.
 */
#include "abi/proto/kernel.h"
#include "fs/ramfs/call.h"
#include "fs/ramfs/fifo.h"
#include "fs/ramfs/import.h"
#include "fs/ramfs/lock.h"
#include "fs/ramfs/node.h"
#include "fs/ramfs/open.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"

enum { PAGE_BYTES = 4096 };

/* A request that waits; the engine knows it by its address (tag). */
struct waiting {
	struct scheme_deferred deferred;
};

static struct fs fs;
static struct scheme scheme;
static handle_t image = HANDLE_NONE, information = HANDLE_NONE;
/* The account that pays the files' pages: not ours, for when it is full we must go on. HANDLE_NONE: there is none. */
static handle_t payer = HANDLE_NONE;
/* For the next request that must wait: made before the engine is asked. */
static struct waiting *spare;

/* ---- What the engine needs ------------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
	return sys_clock(0, HANDLE_NONE, CLOCK_REALTIME_NS);
}

static void space(uint64_t *total_bytes, uint64_t *free_bytes)
{
	struct account_info a;
	struct system_info s;

	*total_bytes = *free_bytes = 0;
	if (handle_call(information, SYS_INFO, NULL, 0, &s, sizeof(s), 0) < 0)
		return;
	*total_bytes = s.memory_bytes;
	*free_bytes = s.free_bytes;
	if (handle_call(payer, ACCOUNT_INFO, NULL, 0, &a, sizeof(a), 0) < 0)
		return;
	*total_bytes = a.limit.pages * PAGE_BYTES;
	*free_bytes = MIN_OF(*free_bytes, (a.limit.pages - MIN_OF(a.used.pages, a.limit.pages)) * PAGE_BYTES);
}

static err_t content_new(content_t *out)
{
	if (payer == HANDLE_NONE)
		return handle_open("mem", "new", OPEN_READ | OPEN_WRITE, out);
	return handle_open_at(payer, "memory", OPEN_READ | OPEN_WRITE, out);
}

static err_t content_clone(uint64_t offset, uint64_t bytes, content_t *out)
{
	struct mem_window w = { offset, bytes };
	int64_t result = sys_call_handle(0, image, MEM_CLONE, payer, &w, sizeof(w), NULL, 0, 0, out);

	if (result >= 0 && *out == HANDLE_NONE)
		return ERR_PROTO;
	return result_error(result);
}

static err_t content_resize(content_t c, uint64_t bytes)
{
	err_t err = result_error(handle_call(c, MEM_RESIZE, NULL, 0, NULL, 0, bytes));

	return err == ERR_NOMEM ? ERR_NOSPC : err;
}

static err_t content_info(content_t c, struct mem_info *out)
{
	return result_error(handle_call(c, MEM_INFO, NULL, 0, out, sizeof(*out), 0));
}

/* Writes zeros: for the parts of pages at the ends of a range. */
static err_t write_zeros(content_t c, uint64_t offset, uint64_t bytes)
{
	static const uint8_t zeros[PAGE_BYTES];

	return bytes ? handle_write_at(c, zeros, bytes, offset) : OK;
}

static err_t content_zero(content_t c, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes;
	struct mem_window whole = { round_up(offset, PAGE_BYTES), 0 };
	err_t err;

	if (whole.offset >= end)
		return write_zeros(c, offset, bytes);
	whole.bytes = round_down(end, PAGE_BYTES) - whole.offset;
	if ((err = write_zeros(c, offset, whole.offset - offset)))
		return err;
	if (whole.bytes > 0 && (err = result_error(handle_call(c, MEM_PUNCH, &whole, sizeof(whole), NULL, 0, 0))))
		return err;
	return write_zeros(c, whole.offset + whole.bytes, end - whole.offset - whole.bytes);
}

static err_t content_next_data(content_t c, uint64_t offset, uint64_t *out)
{
	int64_t at = handle_call(c, MEM_NEXT_DATA, NULL, 0, NULL, 0, offset);

	*out = (uint64_t)at;
	return result_error(at);
}

static err_t pipe_new(content_t *out)
{
	return handle_open("pipe", "fifo", OPEN_READ | OPEN_WRITE, out);
}

static err_t pipe_open(content_t pipe, enum pipe_end end, uint32_t open_flags, content_t *out)
{
	switch (end) {
	case PIPE_READ:
		return handle_open_at(pipe, "read", open_flags | OPEN_READ, out);
	case PIPE_WRITE:
		return handle_open_at(pipe, "write", open_flags | OPEN_WRITE, out);
	default:
		return handle_open_at(pipe, "both", open_flags | OPEN_READ | OPEN_WRITE, out);
	}
}

static err_t pipe_ends(content_t pipe, uint32_t *readers, uint32_t *writers)
{
	int64_t ends = handle_call(pipe, PIPE_ENDS, NULL, 0, NULL, 0, 0);

	*readers = (uint32_t)ends;
	*writers = (uint32_t)((uint64_t)ends >> 32);
	return result_error(ends);
}

static void close_soon(uint64_t number)
{
	scheme_close_soon(&scheme, number);
}

static void finish(uint64_t tag, err_t err)
{
	struct waiting *w = (void *)(uintptr_t)tag;

	scheme_answer(&w->deferred, err);
	heap_delete(w);
}

static void finish_open(uint64_t tag, content_t end)
{
	struct waiting *w = (void *)(uintptr_t)tag;

	scheme_answer_open(&w->deferred, NULL, end, REPLY_FORWARD);
	heap_delete(w);
}

static const struct backing backing = {
	.now_ns = now_ns, .space = space,
	.content_new = content_new, .content_clone = content_clone, .content_drop = handle_close,
	.content_resize = content_resize, .content_info = content_info, .content_zero = content_zero,
	.content_next_data = content_next_data,
	.pipe_new = pipe_new, .pipe_open = pipe_open, .pipe_ends = pipe_ends,
	.close_soon = close_soon, .finish = finish, .finish_open = finish_open,
};

/* ---- Requests -------------------------------------------------------------------------------------------------- */

static bool spare_is_there(void)
{
	if (!spare)
		spare = heap_new(struct waiting);
	return spare;
}

/* The request being served, and its sender's supplementary groups once they were asked for. */
static struct scheme_request *current;
static bool groups_are_known;
static uint32_t groups[32], group_count;

static bool has_group(const struct sender *s, uint32_t gid)
{
	(void)s;
	if (!groups_are_known) {
		int64_t bytes = sys_copy(0, current->scheme->handle, current->message->request.tag, COPY_GROUPS, 0, groups, sizeof(groups), 0);
		group_count = bytes < 0 ? 0 : (uint32_t)bytes / sizeof(groups[0]);
		groups_are_known = true;
	}
	for (uint32_t i = 0; i < group_count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static void request_begin(struct scheme_request *r)
{
	current = r;
	groups_are_known = false;
}

static uint64_t spare_tag(void)
{
	return (uint64_t)(uintptr_t)spare;
}

static int64_t defer(struct scheme_request *r)
{
	struct waiting *w = spare;

	spare = NULL;
	return scheme_defer(r, &w->deferred);
}

static int64_t file_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	struct open *at = r->open;
	struct where w = { &r->message->sender, at ? at->node : fs.root, ref, ref_bytes };
	struct opened o;
	err_t err;

	request_begin(r);
	if (!spare_is_there())
		return ERR_NOMEM;
	if (r->message->request.flags & REQUEST_NONBLOCK)
		open_flags |= OPEN_NONBLOCK;
	if ((err = open_path(&fs, &w, open_flags, mode, spare_tag(), &o)))
		return err;
	switch (o.how) {
	case OPENED_CONTENT:
		r->reply_handle = o.content;
		r->reply_flags = REPLY_SEEKABLE | REPLY_CONTENT | REPLY_COPY_HANDLE;
		break;
	case OPENED_PLAIN:
		r->reply_flags = REPLY_SEEKABLE;
		break;
	case OPENED_FORWARD:
		r->reply_handle = o.content;
		r->reply_flags = REPLY_FORWARD;
		return OK;
	case OPENED_LATER:
		return defer(r);
	}
	/* The last open of what has no name frees it. Of others the close can wait for the next request, unless open_hurry says otherwise. */
	if (o.open->node->links > 0)
		r->reply_flags |= REPLY_LAZY_CLOSE;
	r->opened = o.open;
	return OK;
}

/* Only directories and OPEN_PATH handles are read and written here: that is, not at all. */
static int64_t file_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	const struct open *o = r->open;

	(void)bytes, (void)offset;
	return node_is_dir(o->node) && !(o->flags & OPEN_PATH) ? ERR_ISDIR : ERR_BADF;
}

static int64_t file_write(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	(void)r, (void)bytes, (void)offset;
	return ERR_BADF;
}

static int64_t file_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	struct call c = {
		.sender = &r->message->sender, .open = r->open, .code = code, .word = word,
		.in = (const char *)r->in, .in_bytes = r->in_here, .out = (char *)r->out, .out_bytes = r->out_room,
		.has_other = r->passed != HANDLE_NONE || r->passed_open, .other = r->passed_open, .passed = r->passed,
	};
	int64_t result;

	request_begin(r);
	if (r->in_here < r->in_bytes)
		return ERR_NAMETOOLONG;
	if (code == FILE_LOCK && !spare_is_there())
		return ERR_NOMEM;
	c.tag = spare_tag();
	/* Who does not want to wait for a lock only tries. */
	if (code == FILE_LOCK && (r->message->request.flags & REQUEST_NONBLOCK) && (word & 3) == LOCK_SET_WAIT)
		c.word = (word & ~(uint64_t)3) | LOCK_SET;
	result = call_run(&fs, &c);
	if (c.later)
		return defer(r);
	if (c.passed_kept)
		scheme_take_handle(r);
	if (c.reply != CONTENT_NONE) {
		r->reply_handle = c.reply;
		r->reply_flags = REPLY_HANDLE | REPLY_COPY_HANDLE;
	}
	r->out_bytes = c.out_used;
	return result;
}

static void file_named(struct scheme *s, void *open, uint64_t id)
{
	(void)s;
	((struct open *)open)->number = id;
}

static void file_close(struct scheme *s, void *open)
{
	(void)s;
	open_close(&fs, open);
}

static void file_cancel(struct scheme_deferred *d)
{
	uint64_t tag = (uint64_t)(uintptr_t)container_of(d, struct waiting, deferred);

	if (!lock_cancel(&fs, tag))
		fifo_cancel(&fs, tag);
}

static const struct scheme_ops file_ops = {
	.open = file_open, .named = file_named, .read = file_read, .write = file_write, .call = file_call, .close = file_close, .cancel = file_cancel,
	.needs_sender = true,           /* owners, groups, locks; a file's bytes are read and written without us */
};

/* ---- Start ----------------------------------------------------------------------------------------------------- */

/* Maps the image and makes the tree of it. */
static err_t import(void)
{
	struct mem_info info;
	struct initfs initfs;
	int64_t address;
	err_t err;

	if ((err = result_error(handle_call(image, MEM_INFO, NULL, 0, &info, sizeof(info), 0))))
		return err;
	address = sys_map(0, image, 0, info.bytes, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (address < 0)
		return (err_t)address;
	if ((err = initfs_open((const void *)(uintptr_t)address, info.bytes, &initfs)))
		return err;
	return import_image(&fs, &initfs);
}

/* Files may take half of the memory, and as many nodes as that has pages: whoever fills them leaves the machine alive. */
static void set_limits(void)
{
	struct account_limits limits = { 0, UINT64_MAX, UINT64_MAX };
	struct system_info s;
	handle_t accounts;

	if (handle_open("sys", "info", OPEN_READ, &information)) {
		information = HANDLE_NONE;
		return;
	}
	if (handle_call(information, SYS_INFO, NULL, 0, &s, sizeof(s), 0) < 0)
		return;
	limits.pages = s.memory_bytes / 2 / PAGE_BYTES;
	fs.node_max = fs.node_count + limits.pages;
	if (handle_open("sys", "account", OPEN_READ | OPEN_WRITE, &accounts))
		return;
	if (handle_call_get(accounts, ACCOUNT_CREATE, &limits, sizeof(limits), 0, &payer))
		payer = HANDLE_NONE;
	handle_close(accounts);
}

/* Name hashes should not be guessed. (rand: may need files to start, so it cannot be asked.) */
static uint64_t seed(void)
{
	uint64_t now = (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS);

	return (now ^ (uint64_t)now_ns() << 20) * 0x9e3779b97f4a7c15ull;
}

int program_main(const struct startup *startup)
{
	static struct server server;
	err_t err;

	(void)startup;
	if ((err = fs_init(&fs, &backing, seed())) || (err = server_init(&server)) ||
	    (err = server_add_scheme(&server, &scheme, NULL, &file_ops, NULL))) {
		print("ramfs: cannot start: error %d\n", -err);
		return 1;
	}
	fs.root->mode = MODE_DIRECTORY | 0755;
	sender_has_group = has_group;
	image = startup_handle("initfs");
	if (image != HANDLE_NONE && (err = import())) {
		print("ramfs: the initfs image is broken or does not fit: error %d\n", -err);
		return 1;
	}
	set_limits();
	err = server_run(&server);
	print("ramfs: stopped: error %d\n", -err);
	return 1;
}
