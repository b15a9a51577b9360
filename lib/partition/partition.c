/* lib/partition/partition.c - GPT first, its backup when the first is damaged, else MBR. */
#include "lib/partition/partition.h"
#include "lib/base/bits.h"
#include "lib/base/crc32.h"
#include "lib/base/string.h"
#include "lib/base/try.h"

enum { SECTOR_MAX = 4096 };

/* UEFI 2.10, 5.2.3 and PC practice: the boot record ends in 55 aa, four entries of 16 bytes before that. */
enum { MBR_SIGNATURE = 510, MBR_ENTRIES = 446, MBR_ENTRY_BYTES = 16, MBR_PRIMARIES = 4, MBR_TYPE = 4, MBR_FIRST = 8, MBR_COUNT = 12 };
enum { MBR_EMPTY = 0, MBR_EXTENDED = 0x05, MBR_EXTENDED_LBA = 0x0f, MBR_EXTENDED_LINUX = 0x85, MBR_PROTECTIVE = 0xee };
enum { LOGICAL_FIRST = 5, LOGICAL_MAX = 60 };

/* UEFI 2.10, 5.3.2: the header, and 5.3.3: an entry. */
enum {
	GPT_REVISION = 8, GPT_HEADER_BYTES = 12, GPT_HEADER_CRC = 16, GPT_HERE = 24, GPT_ENTRIES_AT = 72, GPT_ENTRY_COUNT = 80,
	GPT_ENTRY_BYTES = 84, GPT_ENTRIES_CRC = 88, GPT_HEADER_MIN = 92, GPT_REVISION_1 = 0x00010000,
};
enum { ENTRY_TYPE = 0, ENTRY_ID = 16, ENTRY_FIRST = 32, ENTRY_LAST = 40, ENTRY_NAME = 56, ENTRY_NAME_UNITS = 36, ENTRY_BYTES_MIN = 128, ENTRY_BYTES_MAX = 4096 };
/* The most that is read of a table of entries. */
enum { ENTRY_COUNT_MAX = 1024 };

struct scan {
	const struct partition_disk *disk;
	struct partition *out;
	uint32_t count;
	uint8_t sector[SECTOR_MAX];
};

static uint32_t get32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }
static uint64_t get64(const uint8_t *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

static uint64_t sectors_of(const struct partition_disk *d) { return d->bytes / d->sector_bytes; }

static err_t sector_read(struct scan *s, uint64_t sector)
{
	return s->disk->read(s->disk->context, sector * s->disk->sector_bytes, s->sector, s->disk->sector_bytes);
}

/* A partition of these sectors, if it is one: its place to fill in the rest, or NULL. */
static struct partition *add(struct scan *s, uint32_t number, uint64_t first, uint64_t count)
{
	if (count == 0 || first == 0 || !range_fits(first, count, sectors_of(s->disk)) || s->count == PARTITIONS_MAX)
		return NULL;
	struct partition *p = &s->out[s->count++];
	*p = (struct partition){ .number = number, .first_byte = first * s->disk->sector_bytes, .bytes = count * s->disk->sector_bytes };
	return p;
}

/* ---- GPT ---- */

static bool header_is_sane(const struct scan *s, uint64_t here)
{
	uint8_t copy[SECTOR_MAX];
	uint32_t bytes = get32(s->sector + GPT_HEADER_BYTES);

	if (memcmp(s->sector, "EFI PART", 8) || get32(s->sector + GPT_REVISION) != GPT_REVISION_1)
		return false;
	if (bytes < GPT_HEADER_MIN || bytes > s->disk->sector_bytes || get64(s->sector + GPT_HERE) != here)
		return false;
	memcpy(copy, s->sector, bytes);
	memset(copy + GPT_HEADER_CRC, 0, 4);
	return crc32(0, copy, bytes) == get32(s->sector + GPT_HEADER_CRC);
}

/* UCS-2, of which we keep what is ASCII. */
static void name_take(char *to, const uint8_t *from)
{
	for (uint32_t i = 0; i < ENTRY_NAME_UNITS; i++) {
		uint32_t unit = from[2 * i] | (uint32_t)from[2 * i + 1] << 8;
		if (unit == 0)
			break;
		*to++ = unit >= ' ' && unit < 0x7f ? (char)unit : '?';
	}
	*to = 0;
}

static void entry_take(struct scan *s, uint32_t number, const uint8_t *e)
{
	static const uint8_t unused[16];
	uint64_t first = get64(e + ENTRY_FIRST), last = get64(e + ENTRY_LAST);

	if (memcmp(e + ENTRY_TYPE, unused, sizeof(unused)) == 0 || last < first || last == UINT64_MAX)
		return;
	struct partition *p = add(s, number, first, last - first + 1);
	if (!p)
		return;
	memcpy(p->type, e + ENTRY_TYPE, sizeof(p->type));
	memcpy(p->id, e + ENTRY_ID, sizeof(p->id));
	name_take(p->name, e + ENTRY_NAME);
}

/* Takes the entries sector by sector; *crc is over all of them. An entry is never larger than a sector, nor crosses one's end. */
static err_t entries_take(struct scan *s, uint64_t at, uint32_t count, uint32_t bytes, uint32_t *crc)
{
	uint32_t per_sector = s->disk->sector_bytes / bytes;

	*crc = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (i % per_sector == 0)
			TRY(sector_read(s, at + i / per_sector));
		const uint8_t *e = s->sector + i % per_sector * bytes;
		*crc = crc32(*crc, e, bytes);
		entry_take(s, i + 1, e);
	}
	return OK;
}

/* NOENT: there is none here that can be trusted. */
static err_t gpt_scan(struct scan *s, uint64_t here)
{
	uint32_t crc;

	if (here >= sectors_of(s->disk))
		return ERR_NOENT;
	TRY(sector_read(s, here));
	if (!header_is_sane(s, here))
		return ERR_NOENT;
	uint64_t at = get64(s->sector + GPT_ENTRIES_AT);
	uint32_t count = get32(s->sector + GPT_ENTRY_COUNT), bytes = get32(s->sector + GPT_ENTRY_BYTES);
	uint32_t wanted = get32(s->sector + GPT_ENTRIES_CRC);
	if (bytes < ENTRY_BYTES_MIN || bytes > s->disk->sector_bytes || !is_power_of_two(bytes) || count > ENTRY_COUNT_MAX)
		return ERR_NOENT;
	if (!range_fits(at, (uint64_t)count * bytes / s->disk->sector_bytes + 1, sectors_of(s->disk)))
		return ERR_NOENT;
	s->count = 0;
	TRY(entries_take(s, at, count, bytes, &crc));
	if (crc == wanted)
		return OK;
	s->count = 0;
	return ERR_NOENT;
}

/* ---- MBR ---- */

static bool is_boot_record(const struct scan *s)
{
	return s->sector[MBR_SIGNATURE] == 0x55 && s->sector[MBR_SIGNATURE + 1] == 0xaa;
}

static bool is_extended(uint8_t type)
{
	return type == MBR_EXTENDED || type == MBR_EXTENDED_LBA || type == MBR_EXTENDED_LINUX;
}

/* A chain of records, each with one logical partition (relative to itself) and the place of the next (relative to the first). */
static err_t logical_scan(struct scan *s, uint64_t base, uint32_t *number)
{
	uint64_t at = base;

	for (uint32_t n = 0; n < LOGICAL_MAX; n++) {
		if (at >= sectors_of(s->disk))
			return OK;
		TRY(sector_read(s, at));
		if (!is_boot_record(s))
			return OK;
		const uint8_t *own = s->sector + MBR_ENTRIES, *next = own + MBR_ENTRY_BYTES;
		uint8_t type = own[MBR_TYPE];
		if (type != MBR_EMPTY && !is_extended(type)) {
			struct partition *p = add(s, *number, at + get32(own + MBR_FIRST), get32(own + MBR_COUNT));
			if (p)
				p->mbr_type = type;
			++*number;
		}
		if (!is_extended(next[MBR_TYPE]) || get32(next + MBR_FIRST) == 0)
			return OK;
		at = base + get32(next + MBR_FIRST);
	}
	return OK;
}

static err_t mbr_scan(struct scan *s, enum partition_table *table)
{
	uint8_t record[MBR_PRIMARIES * MBR_ENTRY_BYTES];
	uint32_t number = LOGICAL_FIRST;

	*table = PARTITION_TABLE_NONE;
	TRY(sector_read(s, 0));
	if (!is_boot_record(s))
		return OK;
	memcpy(record, s->sector + MBR_ENTRIES, sizeof(record));
	for (uint32_t i = 0; i < MBR_PRIMARIES; i++) {
		const uint8_t *e = record + i * MBR_ENTRY_BYTES;
		if (e[MBR_TYPE] == MBR_EMPTY || (e[0] & 0x7f))
			continue;       /* a boot sector of a file system has code here, not flags of 0x00 or 0x80 */
		struct partition *p = add(s, i + 1, get32(e + MBR_FIRST), get32(e + MBR_COUNT));
		if (p)
			p->mbr_type = e[MBR_TYPE];
	}
	for (uint32_t i = 0; i < MBR_PRIMARIES; i++) {
		const uint8_t *e = record + i * MBR_ENTRY_BYTES;
		if (is_extended(e[MBR_TYPE]))
			TRY(logical_scan(s, get32(e + MBR_FIRST), &number));
	}
	if (s->count)
		*table = PARTITION_TABLE_MBR;
	return OK;
}

static bool is_protective(const struct scan *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->out[i].mbr_type == MBR_PROTECTIVE)
			return true;
	return false;
}

/* ---- Both ---- */

err_t partition_scan(const struct partition_disk *d, struct partition *out, uint32_t *count, enum partition_table *table)
{
	struct scan s = { .disk = d, .out = out };
	err_t err;

	*count = 0;
	if (sectors_of(d) < 2) {
		*table = PARTITION_TABLE_NONE;
		return OK;
	}
	*table = PARTITION_TABLE_GPT;
	if ((err = gpt_scan(&s, 1)) == ERR_NOENT) {
		TRY(mbr_scan(&s, table));
		/* Only who says that there is a GPT gets its backup: an old one may still lie at the end of a disk divided anew. */
		if (is_protective(&s)) {
			s.count = 0;
			*table = PARTITION_TABLE_GPT_BACKUP;
			if ((err = gpt_scan(&s, sectors_of(d) - 1)) == ERR_NOENT)
				*table = PARTITION_TABLE_NONE;
		} else {
			err = OK;
		}
	}
	if (err && err != ERR_NOENT)
		return err;
	*count = s.count;
	return OK;
}
