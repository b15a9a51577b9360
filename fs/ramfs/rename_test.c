/* fs/ramfs/rename_test.c - the rules of moving names. */
#include "fs/ramfs/test_backing.h"

TEST(rename_moves_a_file_and_replaces_another)
{
	begin();
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_create(&root, "/b", 0600), OK);
	uint64_t a = stat_of("/a").node;
	CHECK_EQ(do_rename(&root, "/a", "/c", 0), OK);
	CHECK_EQ(stat_of("/c").node, a);
	CHECK_EQ(do_try(&root, "/a", OPEN_READ), ERR_NOENT);
	CHECK_EQ(do_rename(&root, "/c", "/b", 0), OK);
	CHECK_EQ(stat_of("/b").node, a);
	CHECK_EQ(stat_of("/b").links, 1);
	CHECK_EQ(F.node_count, 2);
	CHECK_EQ(do_rename(&root, "/none", "/b", 0), ERR_NOENT);
	end();
}

TEST(what_was_replaced_lives_on_in_its_handles)
{
	struct open *old;
	struct file_stat s;

	begin();
	CHECK_EQ(do_open(&root, "/b", OPEN_WRITE | OPEN_CREATE, 0644, &old), OK);
	do_write(old, "old");
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_rename(&root, "/a", "/b", 0), OK);
	struct where w = from(&root, old->node, "");
	CHECK_EQ(tree_stat(&F, &w, 0, &s), OK);
	CHECK_EQ(s.links, 0);
	CHECK_EQ(s.bytes, 3);
	CHECK_STR(path_of(old), "(none)");
	open_close(&F, old);
	end();
}

TEST(two_names_of_one_file_stay_two_names)
{
	begin();
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_link(&root, "/a", "/b"), OK);
	CHECK_EQ(do_rename(&root, "/a", "/b", 0), OK);
	CHECK_EQ(stat_of("/a").links, 2);
	CHECK_EQ(do_rename(&root, "/a", "/a", 0), OK);
	end();
}

TEST(directories_replace_only_empty_directories_and_files_only_files)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/full", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/empty", 0755), OK);
	CHECK_EQ(do_create(&root, "/full/f", 0644), OK);
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_rename(&root, "/d", "/f", 0), ERR_NOTDIR);
	CHECK_EQ(do_rename(&root, "/f", "/d", 0), ERR_ISDIR);
	CHECK_EQ(do_rename(&root, "/d", "/full", 0), ERR_NOTEMPTY);
	CHECK_EQ(do_rename(&root, "/full", "/empty", 0), OK);
	CHECK_EQ(do_try(&root, "/empty/f", OPEN_READ), OK);
	CHECK_EQ(stat_of("/").links, 4);
	CHECK_EQ(stat_of("/empty").links, 2);
	end();
}

TEST(a_directory_never_moves_into_itself)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/b", 0755), OK);
	CHECK_EQ(do_rename(&root, "/a", "/a/b/c", 0), ERR_INVAL);
	CHECK_EQ(do_rename(&root, "/a", "/a/c", 0), ERR_INVAL);
	CHECK_EQ(do_rename(&root, "/a/b", "/a", 0), ERR_NOTEMPTY);
	CHECK_EQ(do_rename(&root, "/a", "/a/b", AT_EXCHANGE), ERR_INVAL);
	CHECK_EQ(do_rename(&root, "/a/b", "/a", AT_EXCHANGE), ERR_INVAL);
	CHECK_EQ(do_rename(&root, "/", "/a/x", 0), ERR_BUSY);
	CHECK_EQ(do_rename(&root, "/a", "/", 0), ERR_BUSY);
	CHECK_EQ(do_rename(&root, "/a/.", "/x", 0), ERR_BUSY);
	CHECK_EQ(do_rename(&root, "/a/b", "/a/..", 0), ERR_BUSY);
	end();
}

TEST(a_directory_that_moves_has_a_new_parent_which_counts_it)
{
	struct open *id;
	struct file_stat s;

	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/b", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/d", 0755), OK);
	CHECK_EQ(do_open(&root, "/a/d", OPEN_READ, 0, &id), OK);
	CHECK_EQ(do_rename(&root, "/a/d", "/b/e", 0), OK);
	CHECK_EQ(stat_of("/a").links, 2);
	CHECK_EQ(stat_of("/b").links, 3);
	struct where up = from(&root, id->node, "..");
	CHECK_EQ(tree_stat(&F, &up, 0, &s), OK);
	CHECK_EQ(s.node, stat_of("/b").node);
	CHECK_STR(path_of(id), "/b/e");
	open_close(&F, id);
	end();
}

TEST(slashes_after_a_name_demand_a_directory)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_symlink(&root, "d", "/l"), OK);
	CHECK_EQ(do_rename(&root, "/f/", "/g", 0), ERR_NOTDIR);
	CHECK_EQ(do_rename(&root, "/f", "/g/", 0), ERR_NOTDIR);
	CHECK_EQ(do_rename(&root, "/l/", "/g", 0), ERR_NOTDIR);
	CHECK_EQ(do_rename(&root, "/d/", "/e/", 0), OK);
	CHECK_EQ(do_rename(&root, "/l", "/m", 0), OK);
	CHECK_EQ(stat_of("/m").mode & MODE_TYPE, MODE_SYMLINK);
	end();
}

TEST(noreplace_keeps_what_is_there)
{
	begin();
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_create(&root, "/b", 0644), OK);
	CHECK_EQ(do_rename(&root, "/a", "/b", AT_NOREPLACE), ERR_EXIST);
	CHECK_EQ(do_rename(&root, "/a", "/c", AT_NOREPLACE), OK);
	CHECK_EQ(do_rename(&root, "/c", "/a", AT_NOREPLACE | AT_EXCHANGE), ERR_INVAL);
	end();
}

TEST(exchange_swaps_two_names_of_whatever_kind)
{
	struct open *file, *dir;

	begin();
	CHECK_EQ(do_mkdir(&root, "/x", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/y", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/x/d", 0755), OK);
	CHECK_EQ(do_create(&root, "/y/f", 0644), OK);
	CHECK_EQ(do_open(&root, "/y/f", OPEN_READ, 0, &file), OK);
	CHECK_EQ(do_open(&root, "/x/d", OPEN_READ, 0, &dir), OK);
	CHECK_EQ(do_rename(&root, "/x/d", "/y/none", AT_EXCHANGE), ERR_NOENT);
	CHECK_EQ(do_rename(&root, "/x/d", "/y/f", AT_EXCHANGE), OK);
	CHECK_EQ(stat_of("/x/d").mode & MODE_TYPE, MODE_FILE);
	CHECK_EQ(stat_of("/y/f").mode & MODE_TYPE, MODE_DIRECTORY);
	CHECK_EQ(stat_of("/x").links, 2);
	CHECK_EQ(stat_of("/y").links, 3);
	CHECK_STR(path_of(file), "/x/d");
	CHECK_STR(path_of(dir), "/y/f");
	CHECK_EQ(do_try(&root, "/y/f/../../x/d", OPEN_READ), OK);
	open_close(&F, file);
	open_close(&F, dir);
	end();
}

TEST(rename_needs_write_permission_in_both_directories_and_in_a_directory_that_changes_parent)
{
	begin();
	CHECK_EQ(do_mkdir(&alice, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/shared", 0777), OK);
	CHECK_EQ(do_create(&alice, "/a/f", 0644), OK);
	CHECK_EQ(do_rename(&bob, "/a/f", "/shared/f", 0), ERR_ACCES);
	CHECK_EQ(do_create(&bob, "/shared/g", 0644), OK);
	CHECK_EQ(do_rename(&bob, "/shared/g", "/a/g", 0), ERR_ACCES);
	CHECK_EQ(do_mkdir(&alice, "/shared/d", 0555), OK);
	CHECK_EQ(do_mkdir(&root, "/other", 0777), OK);
	CHECK_EQ(do_rename(&bob, "/shared/d", "/shared/e", 0), OK);
	CHECK_EQ(do_rename(&bob, "/shared/e", "/other/e", 0), ERR_ACCES);
	CHECK_EQ(do_rename(&root, "/shared/e", "/other/e", 0), OK);
	end();
}

TEST(a_rename_that_finds_no_memory_changes_nothing)
{
	begin();
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_create(&root, "/b", 0644), OK);
	uint64_t a = stat_of("/a").node;
	heap_fail_after(1);
	CHECK_EQ(do_rename(&root, "/a", "/c", 0), ERR_NOSPC);
	heap_fail_after(1);
	CHECK_EQ(do_rename(&root, "/a", "/b", 0), OK);
	heap_fail_after(0);
	CHECK_EQ(stat_of("/b").node, a);
	CHECK_EQ(do_try(&root, "/c", OPEN_READ), ERR_NOENT);
	end();
}
