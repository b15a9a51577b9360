/* lib/ninep/records.c - records of opens and changes in memory that outlives us. */
#include "lib/ninep/records.h"
#include "lib/base/string.h"

#define RECORDS_MAGIC 0x313073656c696639ull       /* "9files01" */
#define UNNAMED UINT64_MAX

static bool open_is_sane(const struct record *o)
{
	return o->id != UNNAMED && o->path_bytes <= RECORD_PATH_MAX && !memchr(o->path, 0, o->path_bytes);
}

void records_start(struct records *s)
{
	if (s->magic != RECORDS_MAGIC)
		memset(s, 0, sizeof(*s));
	s->magic = RECORDS_MAGIC;
	s->instance++;
	for (uint32_t i = 0; i < RECORDS_MAX; i++)
		if (!open_is_sane(&s->open[i]))
			s->open[i].id = 0;
}

static err_t path_set(struct record *o, const char *path, size_t path_bytes)
{
	if (path_bytes > RECORD_PATH_MAX)
		return ERR_NAMETOOLONG;
	memcpy(o->path, path, path_bytes);
	o->path_bytes = (uint32_t)path_bytes;
	return OK;
}

uint32_t record_add(struct records *s, uint32_t open_flags, uint64_t node, uint8_t kind, const char *path, size_t path_bytes)
{
	for (uint32_t i = 0; i < RECORDS_MAX; i++) {
		struct record *o = &s->open[i];
		if (o->id != 0)
			continue;
		if (path_set(o, path, path_bytes))
			return RECORD_NONE;
		o->node = node;
		o->open_flags = open_flags;
		o->kind = kind;
		o->id = UNNAMED;
		return i;
	}
	return RECORD_NONE;
}

void record_named(struct records *s, uint32_t index, uint64_t id)
{
	if (index < RECORDS_MAX)
		s->open[index].id = id;
}

void record_remove(struct records *s, uint32_t index)
{
	if (index < RECORDS_MAX)
		s->open[index].id = 0;
}

uint32_t record_moved(struct records *s, uint32_t index, const char *path, size_t path_bytes)
{
	if (index >= RECORDS_MAX)
		return RECORD_NONE;
	if (path_set(&s->open[index], path, path_bytes) == OK)
		return index;
	record_remove(s, index);
	return RECORD_NONE;
}

err_t record_find(const struct records *s, uint64_t id, uint32_t *out)
{
	for (uint32_t i = 0; i < RECORDS_MAX && id != 0 && id != UNNAMED; i++)
		if (s->open[i].id == id) {
			*out = i;
			return OK;
		}
	return ERR_NOENT;
}

/* A thread waits for one answer at a time: a note of it that says something else was answered. */
struct record_change *record_change_begin(struct records *s, const struct sender *sender, uint32_t hash, bool *is_repeated)
{
	struct record_change *c, *free = NULL;

	*is_repeated = false;
	for (c = s->change; c < s->change + RECORD_CHANGES_MAX; c++) {
		if (c->tid == sender->tid && c->pid == sender->pid && c->instance != s->instance) {
			*is_repeated = c->hash == hash;
			free = c;
			break;
		}
		if (c->tid == 0 && !free)
			free = c;
	}
	if (!free)
		return NULL;
	/* What was noted of an append stays as it was. */
	*free = (struct record_change){ sender->pid, sender->tid, hash, s->instance, *is_repeated ? free->bytes : RECORD_LENGTH_UNKNOWN };
	return free;
}

void record_change_end(struct record_change *c)
{
	if (c)
		c->tid = 0;
}
