/* fs/ramfs/import_test.c - the tree that an initfs image makes, and what becomes of its files. */
#include "abi/initfs.h"
#include "fs/ramfs/import.h"
#include "fs/ramfs/test_backing.h"

static const char strings[] = "dirfilelinknullemptylast";

/* An image with one of each, its file's content at 8192; the test's backing clones from the same bytes. */
static struct initfs make_image(void)
{
	struct initfs_header h = { .magic = INITFS_MAGIC, .image_bytes = sizeof(test_image), .node_count = 7,
	                           .strings_bytes = sizeof(strings) - 1, .strings_offset = 4096 };
	struct initfs_node n[7] = {
		{ .mode = MODE_DIRECTORY | 0755, .modified_ns = 5 },
		{ .parent = 0, .name_offset = 0, .name_bytes = 3, .mode = MODE_DIRECTORY | 01777, .uid = 3, .gid = 4 },
		{ .parent = 1, .name_offset = 3, .name_bytes = 4, .mode = MODE_FILE | 0755, .modified_ns = 1234567890123,
		  .content_offset = 8192, .content_bytes = 5000 },
		{ .parent = 0, .name_offset = 7, .name_bytes = 4, .mode = MODE_SYMLINK | 0777, .content_offset = 5000, .content_bytes = 8 },
		{ .parent = 1, .name_offset = 11, .name_bytes = 4, .mode = MODE_CHARACTER | 0666, .content_bytes = 1ull << 32 | 3 },
		{ .parent = 1, .name_offset = 15, .name_bytes = 5, .mode = MODE_FILE | 0644 },
		{ .parent = 0, .name_offset = 20, .name_bytes = 4, .mode = INITFS_OTHER_NAME, .content_offset = 2 },
	};
	struct initfs image;

	memset(test_image, 0, sizeof(test_image));
	memcpy(test_image, &h, sizeof(h));
	memcpy(test_image + sizeof(h), n, sizeof(n));
	memcpy(test_image + 4096, strings, sizeof(strings) - 1);
	memcpy(test_image + 5000, "dir/file", 8);
	memset(test_image + 8192, 'x', 5000);
	CHECK_EQ(initfs_open(test_image, sizeof(test_image), &image), OK);
	return image;
}

static void begin_import(void)
{
	struct initfs image = make_image();

	begin();
	CHECK_EQ(import_image(&F, &image), OK);
}

TEST(an_image_becomes_a_tree_without_a_single_object)
{
	begin_import();
	CHECK_EQ(contents_in_use(), 0);
	CHECK_EQ(stat_of("/").modified.nanoseconds, 5);
	CHECK_EQ(stat_of("/dir").mode, MODE_DIRECTORY | 01777);
	CHECK_EQ(stat_of("/dir").uid, 3);
	CHECK_EQ(stat_of("/dir/file").bytes, 5000);
	CHECK_EQ(stat_of("/dir/file").blocks, 16);
	CHECK_EQ(stat_of("/dir/file").modified.seconds, 1234);
	CHECK_EQ(stat_of("/dir/null").rdev, 1ull << 32 | 3);
	CHECK_EQ(stat_of("/link").bytes, 8);
	CHECK_EQ(do_try(&root, "/link", OPEN_READ), OK);
	CHECK_EQ(stat_of("/dir/empty").bytes, 0);
	end();
}

TEST(two_names_of_the_image_are_one_node)
{
	begin_import();
	CHECK_EQ(stat_of("/last").node, stat_of("/dir/file").node);
	CHECK_EQ(stat_of("/last").links, 2);
	end();
}

TEST(a_file_of_the_image_reads_as_its_window_and_is_changed_apart_from_it)
{
	struct open *id;

	begin_import();
	CHECK_EQ(do_open(&root, "/dir/file", OPEN_READ | OPEN_WRITE, 0, &id), OK);
	content_t c = id->node->file.content;
	CHECK_EQ(test_contents[c].length, 5000);
	CHECK_EQ(test_contents[c].bytes[4999], 'x');
	do_write(id, "changed");
	open_close(&F, id);
	CHECK_EQ(stat_of("/dir/file").bytes, 7);
	CHECK_EQ(do_open(&root, "/dir/file", OPEN_READ, 0, &id), OK);
	CHECK_MEM(test_contents[id->node->file.content].bytes, "changed", 7);
	open_close(&F, id);
	CHECK_EQ(test_image[8192], 'x');
	end();
}

TEST(opening_for_reading_leaves_an_objects_time_and_the_files_alone)
{
	begin_import();
	CHECK_EQ(do_try(&root, "/dir/file", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/dir/file", OPEN_WRITE), OK);
	CHECK_EQ(stat_of("/dir/file").modified.seconds, 1234);
	end();
}

TEST(an_image_file_cut_to_nothing_never_copies_the_image)
{
	begin_import();
	CHECK_EQ(do_truncate(&root, "/dir/file", 0), OK);
	CHECK_EQ(stat_of("/dir/file").bytes, 0);
	CHECK_EQ(do_truncate(&root, "/dir/file", 10), OK);
	CHECK_EQ(test_contents[0].bytes[0], 0);
	end();
}

TEST(an_object_that_nobody_wrote_can_be_dropped_and_made_again_when_there_are_no_more)
{
	struct open *id;

	begin_import();
	CHECK_EQ(do_try(&root, "/dir/file", OPEN_READ), OK);
	CHECK_EQ(F.idle_count, 1);
	test_content_fails = 1;
	CHECK_EQ(do_open(&root, "/dir/empty", OPEN_READ, 0, &id), OK);
	CHECK_EQ(F.idle_count, 0);
	CHECK_EQ(contents_in_use(), 1);
	open_close(&F, id);
	CHECK_EQ(do_open(&root, "/dir/file", OPEN_READ, 0, &id), OK);
	CHECK_EQ(test_contents[id->node->file.content].bytes[0], 'x');
	open_close(&F, id);
	end();
}

TEST(a_name_twice_in_one_directory_is_refused)
{
	struct initfs image = make_image();
	struct initfs_node n;

	memcpy(&n, test_image + sizeof(struct initfs_header) + 5 * sizeof(n), sizeof(n));
	n.name_offset = 3;
	n.name_bytes = 4;
	memcpy(test_image + sizeof(struct initfs_header) + 5 * sizeof(n), &n, sizeof(n));
	begin();
	CHECK_EQ(import_image(&F, &image), ERR_EXIST);
	end();
}

TEST(an_import_that_finds_no_memory_leaves_a_tree_that_can_be_freed)
{
	struct initfs image = make_image();

	for (unsigned n = 1; n < 30; n++) {
		begin();
		heap_fail_after(n);
		err_t err = import_image(&F, &image);
		heap_fail_after(0);
		CHECK(err == OK || err == ERR_NOMEM || err == ERR_NOSPC);
		end();
	}
}
