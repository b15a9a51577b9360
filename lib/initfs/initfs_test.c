/* lib/initfs/initfs_test.c - an image made here; then broken in one place at a time. */
#include "abi/proto/file.h"
#include "lib/initfs/initfs.h"
#include "lib/test/test.h"

enum { NODES = 7, IMAGE_BYTES = 3 * 4096 };

static struct {
	struct initfs_header header;
	struct initfs_node node[NODES];
	char strings[64];
	_Alignas(4096) char content[IMAGE_BYTES - 4096];
} image;
_Static_assert(sizeof image == IMAGE_BYTES, "the content begins on the second page");

/* / bin bin/sh etc link -> bin/sh null etc/bin, which is bin/sh */
static void make(void)
{
	static const char names[] = "binshetclinknull";

	memset(&image, 0, sizeof image);
	image.header = (struct initfs_header){
		.magic = INITFS_MAGIC, .image_bytes = IMAGE_BYTES, .node_count = NODES, .strings_bytes = sizeof names - 1,
		.strings_offset = (uint64_t)((char *)image.strings - (char *)&image),
	};
	memcpy(image.strings, names, sizeof names);
	memcpy(image.content, "program", 7);
	memcpy(image.content + 5000, "bin/sh", 6);
	image.node[0] = (struct initfs_node){ .mode = MODE_DIRECTORY | 0755 };
	image.node[1] = (struct initfs_node){ .mode = MODE_DIRECTORY | 0755, .name_offset = 0, .name_bytes = 3 };
	image.node[2] = (struct initfs_node){ .mode = MODE_FILE | 0755, .parent = 1, .name_offset = 3, .name_bytes = 2,
		.content_offset = 4096, .content_bytes = 7, .uid = 5, .gid = 6, .modified_ns = 99 };
	image.node[3] = (struct initfs_node){ .mode = MODE_DIRECTORY | 0755, .name_offset = 5, .name_bytes = 3 };
	image.node[4] = (struct initfs_node){ .mode = MODE_SYMLINK | 0777, .name_offset = 8, .name_bytes = 4,
		.content_offset = 4096 + 5000, .content_bytes = 6 };
	image.node[5] = (struct initfs_node){ .mode = MODE_CHARACTER | 0666, .name_offset = 12, .name_bytes = 4, .content_bytes = 1ull << 32 | 3 };
	image.node[6] = (struct initfs_node){ .mode = INITFS_OTHER_NAME, .parent = 3, .name_offset = 0, .name_bytes = 3, .content_offset = 2 };
}

static err_t find(const char *path, struct initfs_entry *e)
{
	struct initfs fs;

	CHECK_EQ(initfs_open(&image, sizeof image, &fs), OK);
	return initfs_find(&fs, INITFS_ROOT, path, strlen(path), e);
}

#define BROKEN(change) do {                                                     \
	struct initfs fs;                                                       \
	make();                                                                 \
	change;                                                                 \
	CHECK_EQ(initfs_open(&image, sizeof image, &fs), ERR_INVAL);            \
} while (0)

TEST(paths_lead_to_their_nodes)
{
	struct initfs_entry e;

	make();
	CHECK(find("bin/sh", &e) == OK && e.index == 2 && e.uid == 5 && e.gid == 6 && e.modified_ns == 99);
	CHECK_EQ(e.content_bytes, 7);
	CHECK_MEM(e.content, "program", 7);
	CHECK(find("/bin//sh", &e) == OK && e.index == 2);
	CHECK(find("/bin/./../bin/sh", &e) == OK && e.index == 2);
	CHECK(find("..", &e) == OK && e.index == 0);
	CHECK(find("", &e) == OK && e.index == 0);
	CHECK(find("/", &e) == OK && e.index == 0);
	CHECK(find("bin/", &e) == OK && e.index == 1);
	CHECK(find("null", &e) == OK && e.rdev == (1ull << 32 | 3) && e.content_bytes == 0);
	CHECK(find("link", &e) == OK && e.content_bytes == 6);
}

TEST(another_name_is_the_same_node)
{
	struct initfs_entry e;

	make();
	CHECK(find("etc/bin", &e) == OK && e.index == 6 && e.node == 2 && e.parent == 3 && e.uid == 5);
	CHECK_MEM(e.name, "bin", e.name_bytes);
	CHECK_MEM(e.content, "program", e.content_bytes);
	CHECK(find("bin/sh", &e) == OK && e.node == 2);
}

TEST(what_is_not_there_is_not_found)
{
	struct initfs_entry e;

	make();
	CHECK_EQ(find("bin/s", &e), ERR_NOENT);
	CHECK_EQ(find("bin/shh", &e), ERR_NOENT);
	CHECK_EQ(find("sh", &e), ERR_NOENT);
	CHECK_EQ(find("bin/sh/x", &e), ERR_NOTDIR);
	CHECK_EQ(find("bin/sh/", &e), ERR_NOTDIR);
	CHECK_EQ(find("link/x", &e), ERR_NOTDIR);
}

TEST(children_come_in_order_and_end)
{
	struct initfs_entry e;
	struct initfs fs;

	make();
	CHECK_EQ(initfs_open(&image, sizeof image, &fs), OK);
	CHECK(initfs_next_child(&fs, 0, 0, &e) == OK && e.index == 1);
	CHECK(initfs_next_child(&fs, 0, 2, &e) == OK && e.index == 3);
	CHECK(initfs_next_child(&fs, 1, 0, &e) == OK && e.index == 2);
	CHECK_EQ(initfs_next_child(&fs, 1, 3, &e), ERR_NOENT);
	CHECK_EQ(initfs_next_child(&fs, 3, 7, &e), ERR_NOENT);
}

TEST(an_image_may_lie_in_more_memory_but_not_less)
{
	struct initfs fs;

	make();
	for (uint64_t bytes = 0; bytes < sizeof image; bytes += 16)
		CHECK_EQ(initfs_open(&image, bytes, &fs), ERR_INVAL);
	image.header.image_bytes = sizeof image - 1;
	CHECK_EQ(initfs_open(&image, sizeof image, &fs), OK);
}

TEST(broken_headers_are_refused)
{
	BROKEN(image.header.magic++);
	BROKEN(image.header.node_count = 0);
	BROKEN(image.header.node_count = UINT32_MAX);
	BROKEN(image.header.image_bytes = 8);
	BROKEN(image.header.image_bytes = UINT64_MAX);
	BROKEN(image.header.strings_offset = UINT64_MAX);
	BROKEN(image.header.strings_bytes = UINT32_MAX);
}

TEST(broken_nodes_are_refused)
{
	BROKEN(image.node[0].mode = MODE_FILE | 0644);
	BROKEN(image.node[1].mode = 0755);
	BROKEN(image.node[1].mode |= 1u << 20);
	BROKEN(image.node[2].parent = 2);
	BROKEN(image.node[2].parent = 5);
	BROKEN(image.node[2].parent = UINT32_MAX);
	BROKEN(image.node[3].parent = 2);
	BROKEN(image.node[2].name_offset = UINT32_MAX);
	BROKEN(image.node[2].name_bytes = 0);
	BROKEN(image.node[2].name_bytes = 300);
	BROKEN(image.strings[3] = '/');
	BROKEN(image.strings[3] = 0);
	BROKEN((image.strings[3] = '.', image.strings[4] = '.'));
	BROKEN((image.node[2].name_bytes = 1, image.strings[3] = '.'));
	BROKEN(image.node[2].content_offset = 4097);
	BROKEN(image.node[2].content_offset = UINT64_MAX & ~4095ull);
	BROKEN(image.node[2].content_bytes = UINT64_MAX);
	BROKEN(image.node[4].content_bytes = IMAGE_BYTES);
	BROKEN(image.node[6].content_offset = 6);
	BROKEN(image.node[6].content_offset = 1);
	BROKEN(image.node[6].content_offset = 1ull << 32 | 2);
	BROKEN(image.node[0].mode = INITFS_OTHER_NAME);
	BROKEN((image.node[5].mode = INITFS_OTHER_NAME, image.node[5].content_offset = 2, image.node[6].content_offset = 5));
}
