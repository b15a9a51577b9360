/* lib/block/state.c - records of opens and disks in memory that outlives us. */
#include "lib/block/state.h"
#include "lib/base/crc32.h"
#include "lib/base/string.h"

#define STATE_MAGIC 0x32736b636f6c62ull         /* "blocks2" */

/* An open that has no number yet is nobody's after a restart: its number is this one. */
#define UNNAMED UINT64_MAX

static bool disk_is_sane(const struct state_disk *d)
{
	return memchr(d->name, 0, sizeof(d->name)) != NULL;
}

static bool open_is_sane(const struct state_open *o)
{
	return o->id != UNNAMED && (o->disk < BLOCK_DISKS_MAX || o->disk == STATE_OPENS_MAX);
}

void state_init(struct state *s)
{
	if (s->magic != STATE_MAGIC) {
		memset(s, 0, sizeof(*s));
		s->magic = STATE_MAGIC;
	}
	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++) {
		if (!disk_is_sane(&s->disk[i]))
			memset(&s->disk[i], 0, sizeof(s->disk[i]));
		s->disk[i].statistics.in_flight = 0;
	}
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		if (!open_is_sane(&s->open[i]))
			s->open[i].id = 0;
}

static uint32_t identity_of(const struct disk_info *info)
{
	return crc32(crc32(0, info->model, sizeof(info->model)), info->serial, sizeof(info->serial));
}

/* Who had the disk that was there must not write to the one that is there now. */
static void disk_changed(struct state *s, uint32_t index, uint32_t identity)
{
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		if (s->open[i].disk == index)
			s->open[i].id = 0;
	s->disk[index].identity = identity;
	s->disk[index].statistics = (struct disk_statistics){ 0 };
}

err_t state_disk(struct state *s, const char *name, const struct disk_info *info, uint32_t *out)
{
	uint32_t free = BLOCK_DISKS_MAX, identity = identity_of(info);

	for (uint32_t i = 0; i < BLOCK_DISKS_MAX; i++) {
		if (strcmp(s->disk[i].name, name) == 0) {
			if (s->disk[i].identity != identity)
				disk_changed(s, i, identity);
			*out = i;
			return OK;
		}
		if (!s->disk[i].name[0] && free == BLOCK_DISKS_MAX)
			free = i;
	}
	if (free == BLOCK_DISKS_MAX)
		return ERR_NOSPC;
	string_copy(s->disk[free].name, name, sizeof(s->disk[free].name));
	disk_changed(s, free, identity);
	*out = free;
	return OK;
}

err_t state_open_add(struct state *s, const struct state_open *o, uint32_t *out)
{
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		if (s->open[i].id == 0) {
			s->open[i] = *o;
			s->open[i].id = UNNAMED;
			*out = i;
			return OK;
		}
	return ERR_NFILE;
}

void state_open_named(struct state *s, uint32_t index, uint64_t id)
{
	s->open[index].id = id;
}

void state_open_remove(struct state *s, uint32_t index)
{
	s->open[index].id = 0;
}

err_t state_open_find(const struct state *s, uint64_t id, uint32_t *out)
{
	for (uint32_t i = 0; i < STATE_OPENS_MAX; i++)
		if (s->open[i].id == id && id != UNNAMED && id != 0) {
			*out = i;
			return OK;
		}
	return ERR_NOENT;
}
