/* servers/diskd/disks.c - the list of disks. */
#include "servers/diskd/disks.h"
#include "lib/base/bits.h"
#include "lib/base/fmt.h"
#include "lib/base/heap.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { MAJOR_SD = 8, MAJOR_VD = 254, MAJOR_NVME = 259, KIND_BYTES = 8, REF_BYTES = 64 };

void disks_init(struct disks *d, const struct disks_outside *outside)
{
	list_init(&d->list);
	d->outside = outside;
}

/* ---- Names ------------------------------------------------------------------------------------------------------------ */

void disk_place_name(const struct disk_place *p, char name[DISK_NAME_BYTES])
{
	const char *disk = p->disk->name;
	char last = disk[strlen(disk) - 1];

	if (!p->part)
		string_copy(name, disk, DISK_NAME_BYTES);
	else
		fmt(name, DISK_NAME_BYTES, "%s%s%u", disk, last >= '0' && last <= '9' ? "p" : "", p->part->number);
}

uint64_t disk_place_number(const struct disk_place *p)
{
	uint32_t minor = p->disk->minor + (p->part ? p->part->number : 0);

	/* Beyond the 15 that fit beside each other Linux has numbers from elsewhere; ours are far above. */
	if (p->part && p->part->number >= DISK_MINORS)
		minor = (p->disk->minor / DISK_MINORS + 1) << 12 | p->part->number;
	return (uint64_t)p->disk->major << 32 | minor;
}

void disk_place_ref(const struct disk_place *p, char *ref, size_t bytes)
{
	uint64_t first = p->part ? p->part->first_byte : 0, length = p->part ? p->part->bytes : 0;

	fmt(ref, bytes, "%lu+%lu,%lu", (unsigned long)first, (unsigned long)length, (unsigned long)disk_place_number(p));
}

static struct disk *disk_named(const struct disks *d, const char *name, size_t bytes)
{
	struct disk *it;

	list_each(it, &d->list, link)
		if (string_is(name, bytes, it->name))
			return it;
	return NULL;
}

/* a ... z, aa ... */
static void letters(char *to, uint32_t n)
{
	char text[4];
	uint32_t at = sizeof(text);

	text[--at] = 0;
	for (n++; n > 0 && at > 0; n = (n - 1) / 26)
		text[--at] = (char)('a' + (n - 1) % 26);
	string_copy(to, text + at, sizeof(text) - at);
}

static err_t name_lettered(const struct disks *d, struct disk *disk, const char *kind, uint32_t major, uint32_t index)
{
	for (uint32_t n = index; n < index + DISKS_MAX; n++) {
		char name[DISK_NAME_BYTES];
		string_copy(name, kind, 3);
		letters(name + 2, n);
		if (disk_named(d, name, strlen(name)))
			continue;
		string_copy(disk->name, name, sizeof(disk->name));
		disk->major = major;
		disk->minor = n * DISK_MINORS;
		return OK;
	}
	return ERR_NOSPC;
}

/* name: what the driver calls it, n1 for the first name space. */
static err_t name_nvme(const struct disks *d, struct disk *disk, uint32_t index, const char *name)
{
	uint64_t space;

	if (name[0] != 'n' || number_parse(name + 1, strlen(name + 1), 10, &space) || space == 0 || space >= DISKS_MAX)
		return ERR_INVAL;
	fmt(disk->name, sizeof(disk->name), "nvme%un%u", index, (uint32_t)space);
	disk->major = MAJOR_NVME;
	disk->minor = (index * DISKS_MAX + (uint32_t)space - 1) * DISK_MINORS;
	return disk_named(d, disk->name, strlen(disk->name)) ? ERR_EXIST : OK;
}

static err_t name_give(const struct disks *d, struct disk *disk, const char *kind, uint32_t index, const char *name)
{
	if (index >= DISKS_MAX)
		return ERR_INVAL;
	if (strcmp(kind, "vd") == 0)
		return name_lettered(d, disk, kind, MAJOR_VD, index);
	if (strcmp(kind, "sd") == 0)
		return name_lettered(d, disk, kind, MAJOR_SD, 0);
	if (strcmp(kind, "nvme") == 0)
		return name_nvme(d, disk, index, name);
	return ERR_INVAL;
}

/* ---- Partitions ------------------------------------------------------------------------------------------------------- */

struct reading {
	const struct disks_outside *outside;
	handle_t handle;
};

static err_t sectors_read(void *context, uint64_t offset, void *to, size_t bytes)
{
	const struct reading *r = context;

	return r->outside->read(r->handle, offset, to, bytes);
}

static void nodes_set(const struct disks *d, const struct disk *disk, bool are_there)
{
	for (uint32_t i = 0; i <= disk->part_count; i++) {
		struct disk_place p = { disk, i ? &disk->part[i - 1] : NULL };
		char name[DISK_NAME_BYTES];
		uint64_t number = disk_place_number(&p);
		disk_place_name(&p, name);
		d->outside->node(name, (uint32_t)(number >> 32), (uint32_t)number, are_there);
	}
}

/* A disk whose table cannot be read is still a disk. */
static void parts_read(const struct disks *d, struct disk *disk)
{
	static struct partition found[PARTITIONS_MAX];
	struct reading r = { d->outside, disk->handle };
	struct partition_disk whole = { .bytes = disk->info.bytes, .sector_bytes = disk->info.sector_bytes, .read = sectors_read, .context = &r };
	enum partition_table table;
	uint32_t count;

	disk->part_count = 0;
	if (partition_scan(&whole, found, &count, &table)) {
		d->outside->say(disk->name, "its partition table cannot be read");
		return;
	}
	if (table == PARTITION_TABLE_GPT_BACKUP)
		d->outside->say(disk->name, "its partition table is damaged: the copy at its end is used");
	for (uint32_t i = 0; i < count; i++)
		disk->part[disk->part_count++] = (struct disk_part){ found[i].number, found[i].first_byte, found[i].bytes };
}

err_t disks_rescan(struct disks *d, const char *name, size_t name_bytes)
{
	struct disk_place place;

	TRY(disks_find(d, name, name_bytes, &place));
	struct disk *disk = place.part ? NULL : disk_named(d, place.disk->name, strlen(place.disk->name));
	if (!disk)
		return ERR_NOENT;
	nodes_set(d, disk, false);
	parts_read(d, disk);
	nodes_set(d, disk, true);
	return OK;
}

/* ---- Coming and going ------------------------------------------------------------------------------------------------- */

static void disk_destroy(const struct disks *d, struct disk *disk)
{
	list_remove(&disk->link);
	d->outside->close(disk->handle);
	heap_free(disk, sizeof(*disk));
}

static bool info_is_sane(const struct disk_info *i)
{
	return is_power_of_two(i->sector_bytes) && i->sector_bytes >= 512 && i->sector_bytes <= 4096 && i->bytes <= INT64_MAX;
}

/* One line of the driver's list. */
static err_t disk_add(struct disks *d, const char *instance, uint32_t index, handle_t root, const char *kind, const char *name)
{
	struct disk *disk = heap_alloc(sizeof(*disk));
	err_t err;

	if (!disk)
		return ERR_NOMEM;
	list_init(&disk->link);
	string_copy(disk->instance, instance, sizeof(disk->instance));
	if ((err = name_give(d, disk, kind, index, name)))
		goto free_disk;
	/* What clients open is opened relative to this handle, and may be no more than it. */
	if ((err = d->outside->open(root, name, OPEN_READ | OPEN_WRITE, &disk->handle)) == ERR_ROFS)
		err = d->outside->open(root, name, OPEN_READ, &disk->handle);
	if (err)
		goto free_disk;
	if ((err = d->outside->info(disk->handle, &disk->info)))
		goto close_handle;
	err = ERR_PROTO;
	if (!info_is_sane(&disk->info))
		goto close_handle;
	parts_read(d, disk);
	list_push_back(&d->list, &disk->link);
	nodes_set(d, disk, true);
	return OK;

close_handle:
	d->outside->close(disk->handle);
free_disk:
	heap_free(disk, sizeof(*disk));
	return err;
}

/* "KIND NAME\n" at the front of the text: its length; 0: that is no such line. */
static size_t line_take(const char *text, size_t bytes, char kind[KIND_BYTES], char name[DISK_NAME_BYTES])
{
	const char *end = memchr(text, '\n', bytes), *blank = end ? memchr(text, ' ', (size_t)(end - text)) : NULL;

	if (!blank || blank == text || blank - text >= KIND_BYTES || end - blank > DISK_NAME_BYTES || end - blank < 2)
		return 0;
	string_copy_counted(kind, KIND_BYTES, text, (size_t)(blank - text));
	string_copy_counted(name, DISK_NAME_BYTES, blank + 1, (size_t)(end - blank - 1));
	return (size_t)(end - text) + 1;
}

err_t disks_detach(struct disks *d, const char *instance, size_t instance_bytes)
{
	struct disk *disk, *next;
	err_t err = ERR_NOENT;

	list_each_safe(disk, next, &d->list, link)
		if (string_is(instance, instance_bytes, disk->instance)) {
			nodes_set(d, disk, false);
			disk_destroy(d, disk);
			err = OK;
		}
	return err;
}

err_t disks_attach(struct disks *d, const char *instance, size_t instance_bytes, uint32_t index, handle_t root)
{
	char text[DISK_LIST_BYTES], own[INSTANCE_BYTES], kind[KIND_BYTES], name[DISK_NAME_BYTES];
	size_t bytes, at = 0, line;
	err_t err;

	if (instance_bytes == 0 || string_copy_counted(own, sizeof(own), instance, instance_bytes) >= sizeof(own))
		return ERR_INVAL;
	TRY(d->outside->list(root, text, sizeof(text), &bytes));
	(void)!disks_detach(d, instance, instance_bytes);
	for (; (line = line_take(text + at, bytes - at, kind, name)); at += line)
		if ((err = disk_add(d, own, index, root, kind, name)))
			d->outside->say(name, "a disk that could not be taken");
	return at == bytes ? OK : ERR_PROTO;
}

/* ---- Looking up ------------------------------------------------------------------------------------------------------- */

bool disks_nth(const struct disks *d, uint32_t n, struct disk_place *out)
{
	const struct disk *disk;

	list_each(disk, &d->list, link) {
		if (n <= disk->part_count) {
			*out = (struct disk_place){ disk, n ? &disk->part[n - 1] : NULL };
			return true;
		}
		n -= disk->part_count + 1;
	}
	return false;
}

/* MAJOR:MINOR */
static bool number_of(const char *text, size_t bytes, uint64_t *out)
{
	uint64_t major, minor;
	size_t digits = number_scan(text, bytes, 10, &major);

	if (!digits || digits == bytes || text[digits] != ':' || major > UINT32_MAX)
		return false;
	if (number_parse(text + digits + 1, bytes - digits - 1, 10, &minor) || minor > UINT32_MAX)
		return false;
	*out = major << 32 | minor;
	return true;
}

err_t disks_find(const struct disks *d, const char *name, size_t name_bytes, struct disk_place *out)
{
	uint64_t number;
	bool by_number = number_of(name, name_bytes, &number);
	char own[DISK_NAME_BYTES];

	for (uint32_t n = 0; disks_nth(d, n, out); n++) {
		disk_place_name(out, own);
		if (by_number ? disk_place_number(out) == number : string_is(name, name_bytes, own))
			return OK;
	}
	return ERR_NOENT;
}
