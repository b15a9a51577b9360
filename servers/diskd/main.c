/* servers/diskd/main.c - serves disk: by handing out handles of the drivers' own.
 *
 * No request for data comes here. Opening, listing and dividing do, and for these it asks the driver, and waits for it: a driver that is
 * being restarted holds up who opens a disk for that long.
 */
#include "abi/proto/file.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/attached.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/diskd/disks.h"

enum { GROUP_DISK = 6, GROUPS_MAX = 64, REF_BYTES = 80 };       /* Debian's group disk */

static struct disks disks;
static handle_t dev = HANDLE_NONE;      /* file:/dev; none: nobody keeps files there */

/* ---- Drivers, and files in /dev ---------------------------------------------------------------------------------------- */

static err_t driver_list(handle_t root, char *text, size_t room, size_t *bytes)
{
	int64_t n = sys_read(0, root, text, room, 0);

	if (n < 0)
		return (err_t)n;
	*bytes = MIN_OF((size_t)n, room);
	return OK;
}

static err_t driver_info(handle_t disk, struct disk_info *out)
{
	int64_t n = handle_call(disk, DISK_INFO, NULL, 0, out, sizeof(*out), 0);

	return n < 0 ? (err_t)n : OK;
}

static err_t driver_read(handle_t disk, uint64_t offset, void *to, size_t bytes)
{
	return handle_read_at(disk, to, bytes, offset);
}

static void node_set(const char *name, uint32_t major, uint32_t minor, bool is_there)
{
	struct file_owner owner = { 0, GROUP_DISK };
	char with_owner[sizeof(owner) + DISK_NAME_BYTES];
	size_t bytes = strlen(name);

	if (dev == HANDLE_NONE)
		return;
	(void)!handle_call(dev, FILE_UNLINK, name, bytes, NULL, 0, 0);
	if (!is_there)
		return;
	uint64_t device = (uint64_t)major << 20 | (minor & 0xfffff);
	if (handle_call(dev, FILE_MKNOD, name, bytes, NULL, 0, (MODE_BLOCK | 0660) | device << 32) < 0)
		return;
	memcpy(with_owner, &owner, sizeof(owner));
	memcpy(with_owner + sizeof(owner), name, bytes);
	(void)!handle_call(dev, FILE_CHOWN, with_owner, sizeof(owner) + bytes, NULL, 0, 0);
}

static void say(const char *name, const char *what)
{
	print("diskd: %s: %s\n", name, what);
}

static const struct disks_outside outside = {
	.list = driver_list, .open = handle_open_at, .info = driver_info, .read = driver_read, .close = handle_close, .node = node_set, .say = say,
};

/* ---- disk: ------------------------------------------------------------------------------------------------------------- */

static bool may(struct scheme_request *r)
{
	const struct sender *s = &r->message->sender;
	uint32_t groups[GROUPS_MAX];

	if (s->uid == 0 || s->gid == GROUP_DISK)
		return true;
	int64_t n = sys_copy(0, r->scheme->handle, r->message->request.tag, COPY_GROUPS, 0, groups, sizeof(groups), 0);
	for (int64_t i = 0; i < n / (int64_t)sizeof(*groups); i++)
		if (groups[i] == GROUP_DISK)
			return true;
	return false;
}

static int64_t disk_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	struct disk_place place;
	char inner[REF_BYTES];

	(void)mode;
	if (ref_bytes == 0) {
		r->opened = &disks;     /* all opens of the list are alike */
		r->reply_flags = REPLY_SEEKABLE;
		return OK;
	}
	TRY(disks_find(&disks, ref, ref_bytes, &place));
	if (!may(r))
		return ERR_ACCES;
	disk_place_ref(&place, inner, sizeof(inner));
	TRY(handle_open_at(place.disk->handle, inner, open_flags & (OPEN_READ | OPEN_WRITE), &r->reply_handle));
	r->reply_flags = REPLY_FORWARD;
	return OK;
}

static err_t disk_revive(struct scheme_request *r)
{
	r->opened = &disks;
	return OK;
}

static int64_t disk_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	struct disk_place place;
	size_t at = 0, length;

	/* From the line that offset is in; what does not fit is read next. */
	bytes = MIN_OF(bytes, r->out_room);
	size_t done = 0;
	for (uint32_t n = 0; disks_nth(&disks, n, &place) && done < bytes; n++, at += length) {
		char line[DISK_NAME_BYTES + 1];
		disk_place_name(&place, line);
		length = strlen(line) + 1;
		line[length - 1] = '\n';
		for (size_t i = 0; i < length && done < bytes; i++)
			if (at + i >= offset)
				r->out[done++] = (uint8_t)line[i];
	}
	return (int64_t)done;
}

static int64_t attach(struct scheme_request *r, uint32_t index)
{
	err_t err;

	if (r->passed == HANDLE_NONE)
		return ERR_INVAL;
	if ((err = disks_attach(&disks, (const char *)r->in, r->in_here, index, r->passed)))
		print("diskd: %s: its disks cannot be taken: error %d\n", (const char *)r->in, -err);
	return err;
}

static int64_t disk_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code != ATTACH && code != DETACH && code != DISK_RESCAN)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	switch (code) {
	case ATTACH:
		return attach(r, (uint32_t)MIN_OF(word, (uint64_t)UINT32_MAX));
	case DETACH:
		return disks_detach(&disks, (const char *)r->in, r->in_here);
	default:
		return disks_rescan(&disks, (const char *)r->in, r->in_here);
	}
}

static const struct scheme_ops disk_ops = { .open = disk_open, .revive = disk_revive, .read = disk_read, .call = disk_call, .needs_sender = true };

/* ---- Start ------------------------------------------------------------------------------------------------------------- */

static err_t take_attached(const char *instance, size_t bytes, uint32_t index, handle_t root)
{
	return disks_attach(&disks, instance, bytes, index, root);
}

int program_main(const struct startup *startup)
{
	static struct server server;
	static struct scheme scheme;
	err_t err;

	(void)startup;
	disks_init(&disks, &outside);
	if (handle_open("file", "dev", OPEN_PATH, &dev))
		print("diskd: there is no /dev\n");
	attached_take(take_attached);
	if (!(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &disk_ops, NULL)))
		err = server_run(&server);
	print("diskd: ended with error %d\n", -err);
	return 1;
}
