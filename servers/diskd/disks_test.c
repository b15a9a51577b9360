/* servers/diskd/disks_test.c - names, numbers and partitions of disks that a fake driver has. */
#include "lib/base/heap.h"
#include "lib/test/test.h"
#include "servers/diskd/disks.h"

enum { SECTOR = 512, SECTORS = 4096, NODES = 256 };

static struct disks disks;
static char list_text[256];
static uint8_t medium[SECTORS * SECTOR];
static uint32_t open_count, says;
static err_t open_error, info_error, read_error, rofs;
static uint64_t opened_flags;
static struct disk_info info;
static struct { char name[DISK_NAME_BYTES]; uint32_t major, minor; } nodes[NODES];
static uint32_t node_count;

static err_t fake_list(handle_t root, char *text, size_t room, size_t *bytes)
{
	CHECK_EQ(root, 7);
	*bytes = strlen(list_text);
	CHECK(*bytes <= room);
	memcpy(text, list_text, *bytes);
	return OK;
}

static err_t fake_open(handle_t at, const char *ref, uint64_t open_flags, handle_t *out)
{
	(void)at, (void)ref;
	if (rofs && (open_flags & OPEN_WRITE))
		return rofs;
	if (open_error)
		return open_error;
	opened_flags = open_flags;
	*out = (handle_t)(100 + open_count++);
	return OK;
}

static err_t fake_info(handle_t disk, struct disk_info *out)
{
	(void)disk;
	*out = info;
	return info_error;
}

static err_t fake_read(handle_t disk, uint64_t offset, void *to, size_t bytes)
{
	(void)disk;
	CHECK(offset + bytes <= sizeof(medium));
	memcpy(to, medium + offset, bytes);
	return read_error;
}

static void fake_close(handle_t h) { CHECK(h >= 100); open_count--; }

static void fake_node(const char *name, uint32_t major, uint32_t minor, bool is_there)
{
	for (uint32_t i = 0; i < node_count; i++)
		if (strcmp(nodes[i].name, name) == 0) {
			CHECK(!is_there);
			nodes[i] = nodes[--node_count];
			return;
		}
	CHECK(is_there && node_count < NODES);
	strcpy(nodes[node_count].name, name);
	nodes[node_count].major = major;
	nodes[node_count++].minor = minor;
}

static void fake_say(const char *name, const char *what) { (void)name, (void)what; says++; }

static const struct disks_outside outside = {
	.list = fake_list, .open = fake_open, .info = fake_info, .read = fake_read, .close = fake_close, .node = fake_node, .say = fake_say,
};

static void partition(uint32_t index, uint8_t type, uint32_t first, uint32_t count)
{
	uint8_t *e = medium + 446 + index * 16;

	e[4] = type;
	memcpy(e + 8, &first, 4);
	memcpy(e + 12, &count, 4);
	medium[510] = 0x55;
	medium[511] = 0xaa;
}

static void setup(void)
{
	memset(medium, 0, sizeof(medium));
	open_count = node_count = says = 0;
	open_error = info_error = read_error = rofs = OK;
	info = (struct disk_info){ .bytes = sizeof(medium), .sector_bytes = SECTOR, .physical_sector_bytes = SECTOR };
	disks_init(&disks, &outside);
}

static err_t attach(const char *instance, uint32_t index, const char *text)
{
	strcpy(list_text, text);
	return disks_attach(&disks, instance, strlen(instance), index, 7);
}

static err_t detach(const char *instance) { return disks_detach(&disks, instance, strlen(instance)); }

/* Every name, blank-separated, as they are listed. */
static const char *names(void)
{
	static char text[512];
	struct disk_place p;
	char name[DISK_NAME_BYTES];

	text[0] = 0;
	for (uint32_t n = 0; disks_nth(&disks, n, &p); n++) {
		disk_place_name(&p, name);
		strcat(strcat(text, n ? " " : ""), name);
	}
	return text;
}

TEST(virtio_disks_are_named_by_their_place)
{
	setup();
	CHECK_EQ(attach("virtio_blk@b", 1, "vd 0\n"), OK);
	CHECK_EQ(attach("virtio_blk@a", 0, "vd 0\n"), OK);
	CHECK_EQ(attach("virtio_blk@z", 26, "vd 0\n"), OK);
	CHECK_STR(names(), "vdb vda vdaa");
	CHECK_EQ(node_count, 3);
	CHECK_EQ(nodes[0].major, 254);
	CHECK_EQ(nodes[0].minor, 16);
	detach("virtio_blk@a"), detach("virtio_blk@b"), detach("virtio_blk@z");
	CHECK_EQ(node_count, 0);
	CHECK_EQ(open_count, 0);
}

TEST(nvme_and_sata_disks_have_their_names)
{
	setup();
	CHECK_EQ(attach("nvme@1", 1, "nvme n1\nnvme n3\n"), OK);
	CHECK_EQ(attach("ahci@1", 0, "sd port0\nsd port4\n"), OK);
	CHECK_STR(names(), "nvme1n1 nvme1n3 sda sdb");
	detach("nvme@1"), detach("ahci@1");
}

TEST(partitions_stand_behind_their_disk)
{
	struct disk_place p;
	char ref[80];

	setup();
	partition(0, 0x83, 64, 100);
	partition(2, 0x83, 1000, 200);
	CHECK_EQ(attach("nvme@1", 0, "nvme n1\n"), OK);
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	CHECK_STR(names(), "nvme0n1 nvme0n1p1 nvme0n1p3 vda vda1 vda3");
	CHECK_EQ(disks_find(&disks, "vda3", 4, &p), OK);
	disk_place_ref(&p, ref, sizeof(ref));
	CHECK_STR(ref, "512000+102400,1090921693187");
	CHECK_EQ(disk_place_number(&p), 254ull << 32 | 3);
	CHECK_EQ(disks_find(&disks, "254:3", 5, &p), OK);
	CHECK_EQ(p.part->number, 3);
	CHECK_EQ(disks_find(&disks, "vda", 3, &p), OK);
	disk_place_ref(&p, ref, sizeof(ref));
	CHECK_STR(ref, "0+0,1090921693184");
	CHECK_EQ(disks_find(&disks, "vda2", 4, &p), ERR_NOENT);
	CHECK_EQ(disks_find(&disks, "vda33", 5, &p), ERR_NOENT);
	CHECK_EQ(disks_find(&disks, "254:", 4, &p), ERR_NOENT);
	CHECK_EQ(disks_find(&disks, "254:3x", 6, &p), ERR_NOENT);
	detach("nvme@1"), detach("v");
	CHECK_EQ(node_count, 0);
}

TEST(attaching_again_replaces)
{
	setup();
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	partition(0, 0x83, 64, 100);
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	CHECK_STR(names(), "vda vda1");
	CHECK_EQ(open_count, 1);
	detach("v");
}

TEST(a_new_table_is_seen_when_asked)
{
	setup();
	partition(0, 0x83, 64, 100);
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	partition(1, 0x83, 1000, 100);
	CHECK_EQ(disks_rescan(&disks, "vda", 3), OK);
	CHECK_STR(names(), "vda vda1 vda2");
	CHECK_EQ(disks_rescan(&disks, "vdb", 3), ERR_NOENT);
	CHECK_EQ(disks_rescan(&disks, "vda1", 4), ERR_NOENT);
	medium[446 + 16 + 4] = 0;
	CHECK_EQ(disks_rescan(&disks, "254:0", 5), OK);
	CHECK_STR(names(), "vda vda1");
	detach("v");
}

TEST(a_disk_that_cannot_be_read_is_there_without_partitions)
{
	setup();
	partition(0, 0x83, 64, 100);
	read_error = ERR_IO;
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	CHECK_STR(names(), "vda");
	CHECK_EQ(says, 1);
	detach("v");
}

TEST(a_read_only_disk_is_taken_for_reading)
{
	setup();
	rofs = ERR_ROFS;
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	CHECK_EQ(opened_flags, OPEN_READ);
	detach("v");
}

TEST(broken_drivers_give_no_disks)
{
	static const char *lists[] = { "vd", "vd \n", " 0\n", "vd 0", "verylongkind 0\n", "vd a-name-that-is-much-too-long\n", "\n", "vd 0\nrest" };

	for (uint32_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		setup();
		CHECK_EQ(attach("v", 0, lists[i]), ERR_PROTO);
		detach("v");
	}
	setup();
	CHECK_EQ(attach("v", 0, "xx 0\nnvme q\nnvme n0\nnvme n99\n"), OK);
	CHECK_STR(names(), "");
	CHECK_EQ(says, 4);
	info.sector_bytes = 777;
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	info_error = ERR_IO;
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	open_error = ERR_NODEV;
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	CHECK_STR(names(), "");
	CHECK_EQ(open_count, 0);
	CHECK_EQ(attach("", 0, "vd 0\n"), ERR_INVAL);
	CHECK_EQ(attach("an instance name that is longer than any instance name can be", 0, "vd 0\n"), ERR_INVAL);
	CHECK_EQ(detach("v"), ERR_NOENT);
}

TEST(no_memory_is_no_disk)
{
	setup();
	heap_fail_after(1);
	CHECK_EQ(attach("v", 0, "vd 0\n"), OK);
	heap_fail_after(0);
	CHECK_STR(names(), "");
	CHECK_EQ(open_count, 0);
}
