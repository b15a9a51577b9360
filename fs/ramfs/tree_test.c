/* fs/ramfs/tree_test.c - the rules of names and attributes, one sentence each. */
#include <stdio.h>
#include "fs/ramfs/test_backing.h"

TEST(a_new_file_belongs_to_its_maker_and_is_empty)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0640), OK);
	struct file_stat s = stat_of("/f");
	CHECK_EQ(s.mode, MODE_FILE | 0640);
	CHECK_EQ(s.uid, 100);
	CHECK_EQ(s.gid, 10);
	CHECK_EQ(s.links, 1);
	CHECK_EQ(s.bytes, 0);
	end();
}

TEST(a_name_is_found_only_in_its_own_directory)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_create(&root, "/a/f", 0644), OK);
	CHECK_EQ(do_try(&root, "/a/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/f", OPEN_READ), ERR_NOENT);
	CHECK_EQ(do_try(&root, "/a/f/x", OPEN_READ), ERR_NOTDIR);
	CHECK_EQ(do_try(&root, "/b/f", OPEN_READ), ERR_NOENT);
	CHECK_EQ(do_try(&root, "a/./../a//f", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/../../a/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/a/f/", OPEN_READ), ERR_NOTDIR);
	end();
}

TEST(permissions_go_by_owner_then_group_then_others)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0470), OK);
	CHECK_EQ(do_try(&alice, "/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&alice, "/f", OPEN_WRITE), ERR_ACCES);
	CHECK_EQ(do_try(&carol, "/f", OPEN_WRITE), OK);
	CHECK_EQ(do_try(&carol, "/f", OPEN_EXEC), OK);
	CHECK_EQ(do_try(&bob, "/f", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_try(&root, "/f", OPEN_READ | OPEN_WRITE), OK);
	CHECK_EQ(do_try(&bob, "/f", OPEN_PATH), OK);
	end();
}

static bool has_group_20(const struct sender *s, uint32_t gid)
{
	return s->pid == 100 && gid == 20;
}

TEST(supplementary_groups_count_as_groups)
{
	begin();
	CHECK_EQ(do_create(&bob, "/f", 0640), OK);
	CHECK_EQ(do_try(&alice, "/f", OPEN_READ), ERR_ACCES);
	sender_has_group = has_group_20;
	CHECK_EQ(do_try(&alice, "/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&carol, "/f", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_chmod(&bob, "/f", 0604), OK);
	CHECK_EQ(do_try(&alice, "/f", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_create(&alice, "/g", 0644), OK);
	CHECK_EQ(do_chown(&alice, "/g", ~0u, 20), OK);
	sender_has_group = NULL;
	end();
}

TEST(the_superuser_cannot_run_what_nobody_may_run)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0666), OK);
	CHECK_EQ(do_try(&root, "/f", OPEN_EXEC), ERR_ACCES);
	CHECK_EQ(do_chmod(&alice, "/f", 0001), OK);
	CHECK_EQ(do_try(&root, "/f", OPEN_EXEC), OK);
	end();
}

TEST(a_directory_without_search_permission_hides_what_is_in_it)
{
	begin();
	CHECK_EQ(do_mkdir(&alice, "/d", 0700), OK);
	CHECK_EQ(do_create(&alice, "/d/f", 0666), OK);
	CHECK_EQ(do_try(&bob, "/d/f", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_try(&bob, "/d/none", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_try(&bob, "/d/..", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_chmod(&alice, "/d", 0711), OK);
	CHECK_EQ(do_try(&bob, "/d/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&bob, "/d", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_create(&bob, "/d/g", 0666), ERR_ACCES);
	CHECK_EQ(do_unlink(&bob, "/d/f"), ERR_ACCES);
	end();
}

TEST(exclusive_creation_fails_for_anything_that_is_there_even_a_dangling_link)
{
	begin();
	CHECK_EQ(do_symlink(&root, "nowhere", "/l"), OK);
	CHECK_EQ(do_create(&root, "/l", 0644), ERR_EXIST);
	CHECK_EQ(do_try(&root, "/l", OPEN_READ), ERR_NOENT);
	CHECK_EQ(do_try(&root, "/l", OPEN_WRITE | OPEN_CREATE), OK);
	CHECK_EQ(do_try(&root, "/nowhere", OPEN_READ), OK);
	CHECK_EQ(do_create(&root, "/nowhere", 0644), ERR_EXIST);
	end();
}

TEST(opening_a_directory_for_writing_or_creation_is_refused)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_try(&root, "/d", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/d", OPEN_WRITE), ERR_ISDIR);
	CHECK_EQ(do_try(&root, "/d", OPEN_READ | OPEN_CREATE), ERR_ISDIR);
	CHECK_EQ(do_try(&root, "/new/", OPEN_WRITE | OPEN_CREATE), ERR_ISDIR);
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_try(&root, "/f", OPEN_READ | OPEN_DIRECTORY), ERR_NOTDIR);
	CHECK_EQ(do_try(&root, "/", OPEN_READ | OPEN_DIRECTORY), OK);
	end();
}

TEST(symlinks_are_followed_inside_and_at_the_end_of_a_path)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/b", 0755), OK);
	CHECK_EQ(do_create(&root, "/a/b/f", 0644), OK);
	CHECK_EQ(do_symlink(&root, "a/b", "/rel"), OK);
	CHECK_EQ(do_symlink(&root, "/a/b/", "/abs"), OK);
	CHECK_EQ(do_symlink(&root, "../b/f", "/a/b/up"), OK);
	CHECK_EQ(do_try(&root, "/rel/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/abs/f", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/rel/../b/up", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/rel", OPEN_READ | OPEN_NOFOLLOW), ERR_LOOP);
	CHECK_EQ(do_try(&root, "/rel", OPEN_PATH | OPEN_NOFOLLOW), OK);
	CHECK_EQ(do_try(&root, "/rel/", OPEN_READ | OPEN_NOFOLLOW), OK);
	CHECK_EQ(stat_of("/rel").mode & MODE_TYPE, MODE_SYMLINK);
	CHECK_EQ(stat_of("/rel").bytes, 3);
	CHECK_EQ(stat_of("/rel/").mode & MODE_TYPE, MODE_DIRECTORY);
	CHECK_EQ(do_try(&root, "/a/b/up/", OPEN_READ), ERR_NOTDIR);
	end();
}

TEST(a_circle_of_symlinks_ends_after_forty)
{
	char name[16], target[16];

	begin();
	CHECK_EQ(do_symlink(&root, "me", "/me"), OK);
	CHECK_EQ(do_try(&root, "/me", OPEN_READ), ERR_LOOP);
	CHECK_EQ(do_try(&root, "/me/x", OPEN_READ), ERR_LOOP);
	CHECK_EQ(do_create(&root, "/l0", 0644), OK);
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "/l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		CHECK_EQ(do_symlink(&root, target, name), OK);
	}
	CHECK_EQ(do_try(&root, "/l40", OPEN_READ), OK);
	CHECK_EQ(do_try(&root, "/l41", OPEN_READ), ERR_LOOP);
	end();
}

TEST(names_and_paths_have_their_limits)
{
	char name[300], path[5000];

	begin();
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[256] = 0;
	CHECK_EQ(do_create(&root, name, 0644), OK);
	CHECK_EQ(do_try(&root, name, OPEN_READ), OK);
	name[256] = 'x';
	name[257] = 0;
	CHECK_EQ(do_create(&root, name, 0644), ERR_NAMETOOLONG);
	CHECK_EQ(do_try(&root, name, OPEN_READ), ERR_NAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[4095] = 0;
	CHECK_EQ(do_try(&root, path, OPEN_READ), OK);
	path[4095] = '/';
	path[4096] = 0;
	CHECK_EQ(do_try(&root, path, OPEN_READ), ERR_NAMETOOLONG);
	CHECK_EQ(do_symlink(&root, path, "/s"), ERR_NAMETOOLONG);
	CHECK_EQ(do_symlink(&root, "", "/s"), ERR_NOENT);
	struct where w = { &root, F.root, "a\0b", 3 };
	CHECK_EQ(tree_mkdir(&F, &w, 0755), ERR_INVAL);
	w = (struct where){ &root, F.root, "a\0b/c", 5 };
	CHECK_EQ(tree_mkdir(&F, &w, 0755), ERR_INVAL);
	w = (struct where){ &root, F.root, "\0", 1 };
	CHECK_EQ(tree_mkdir(&F, &w, 0755), ERR_INVAL);
	end();
}

TEST(a_directory_counts_its_subdirectories_in_its_links)
{
	begin();
	CHECK_EQ(stat_of("/").links, 2);
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/b/", 0755), OK);
	CHECK_EQ(do_create(&root, "/a/f", 0644), OK);
	CHECK_EQ(stat_of("/").links, 3);
	CHECK_EQ(stat_of("/a").links, 3);
	CHECK_EQ(do_rmdir(&root, "/a/b"), OK);
	CHECK_EQ(stat_of("/a").links, 2);
	end();
}

TEST(mkdir_refuses_what_exists_under_any_guise)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_symlink(&root, "nowhere", "/l"), OK);
	CHECK_EQ(do_mkdir(&root, "/a", 0755), ERR_EXIST);
	CHECK_EQ(do_mkdir(&root, "/l", 0755), ERR_EXIST);
	CHECK_EQ(do_mkdir(&root, "/a/.", 0755), ERR_EXIST);
	CHECK_EQ(do_mkdir(&root, "/a/..", 0755), ERR_EXIST);
	CHECK_EQ(do_mkdir(&root, "/", 0755), ERR_EXIST);
	CHECK_EQ(do_mkdir(&root, "", 0755), ERR_NOENT);
	CHECK_EQ(do_mkdir(&root, "/b/c", 0755), ERR_NOENT);
	end();
}

TEST(rmdir_takes_only_empty_directories_by_their_proper_name)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/b", 0755), OK);
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_symlink(&root, "a/b", "/l"), OK);
	CHECK_EQ(do_rmdir(&root, "/a"), ERR_NOTEMPTY);
	CHECK_EQ(do_rmdir(&root, "/f"), ERR_NOTDIR);
	CHECK_EQ(do_rmdir(&root, "/l"), ERR_NOTDIR);
	CHECK_EQ(do_rmdir(&root, "/l/"), ERR_NOTDIR);
	CHECK_EQ(do_rmdir(&root, "/a/."), ERR_INVAL);
	CHECK_EQ(do_rmdir(&root, "/a/b/.."), ERR_NOTEMPTY);
	CHECK_EQ(do_rmdir(&root, "/"), ERR_BUSY);
	CHECK_EQ(do_rmdir(&root, "/none"), ERR_NOENT);
	CHECK_EQ(do_rmdir(&root, "/a/b/"), OK);
	CHECK_EQ(do_rmdir(&root, "/a"), OK);
	end();
}

TEST(unlink_takes_names_but_no_directories)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_symlink(&root, "f", "/l"), OK);
	CHECK_EQ(do_unlink(&root, "/d"), ERR_ISDIR);
	CHECK_EQ(do_unlink(&root, "/"), ERR_ISDIR);
	CHECK_EQ(do_unlink(&root, "/d/."), ERR_ISDIR);
	CHECK_EQ(do_unlink(&root, "/f/"), ERR_NOTDIR);
	CHECK_EQ(do_unlink(&root, "/l/"), ERR_NOTDIR);
	CHECK_EQ(do_unlink(&root, "/l"), OK);
	CHECK_EQ(do_unlink(&root, "/f"), OK);
	CHECK_EQ(do_unlink(&root, "/f"), ERR_NOENT);
	end();
}

TEST(in_a_sticky_directory_only_owners_remove_and_rename)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/tmp", 01777), OK);
	CHECK_EQ(do_create(&alice, "/tmp/f", 0666), OK);
	CHECK_EQ(do_create(&bob, "/tmp/g", 0666), OK);
	CHECK_EQ(do_unlink(&bob, "/tmp/f"), ERR_PERM);
	CHECK_EQ(do_rename(&bob, "/tmp/f", "/tmp/h", 0), ERR_PERM);
	CHECK_EQ(do_rename(&bob, "/tmp/g", "/tmp/f", 0), ERR_PERM);
	CHECK_EQ(do_rename(&alice, "/tmp/f", "/tmp/h", 0), OK);
	CHECK_EQ(do_unlink(&root, "/tmp/g"), OK);
	CHECK_EQ(do_unlink(&alice, "/tmp/h"), OK);
	end();
}

TEST(what_is_made_in_a_setgid_directory_takes_its_group)
{
	begin();
	CHECK_EQ(do_mkdir(&root, "/d", 0777), OK);
	CHECK_EQ(do_chown(&root, "/d", 0, 50), OK);
	CHECK_EQ(do_chmod(&root, "/d", 02777), OK);
	CHECK_EQ(do_create(&alice, "/d/f", 02755), OK);
	CHECK_EQ(do_mkdir(&alice, "/d/sub", 0755), OK);
	CHECK_EQ(stat_of("/d/f").gid, 50);
	CHECK_EQ(stat_of("/d/f").mode & MODE_SETGID, 0);
	CHECK_EQ(stat_of("/d/sub").gid, 50);
	CHECK_EQ(stat_of("/d/sub").mode & MODE_PERMISSIONS, 02755);
	end();
}

TEST(hard_links_share_everything_but_the_name)
{
	begin();
	CHECK_EQ(do_create(&root, "/f", 0644), OK);
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_link(&root, "/f", "/d/g"), OK);
	CHECK_EQ(stat_of("/f").node, stat_of("/d/g").node);
	CHECK_EQ(stat_of("/f").links, 2);
	CHECK_EQ(do_link(&root, "/d", "/e"), ERR_PERM);
	CHECK_EQ(do_link(&root, "/f", "/d/g"), ERR_EXIST);
	CHECK_EQ(do_link(&root, "/f", "/d/h/"), ERR_NOENT);
	CHECK_EQ(do_link(&root, "/none", "/d/h"), ERR_NOENT);
	CHECK_EQ(do_unlink(&root, "/f"), OK);
	CHECK_EQ(stat_of("/d/g").links, 1);
	CHECK_EQ(do_symlink(&root, "d/g", "/l"), OK);
	CHECK_EQ(do_link(&root, "/l", "/m"), OK);
	CHECK_EQ(stat_of("/m").mode & MODE_TYPE, MODE_SYMLINK);
	end();
}

TEST(who_cannot_write_a_file_cannot_link_it)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0644), OK);
	CHECK_EQ(do_link(&bob, "/f", "/g"), ERR_PERM);
	CHECK_EQ(do_chmod(&alice, "/f", 0666), OK);
	CHECK_EQ(do_link(&bob, "/f", "/g"), OK);
	CHECK_EQ(do_chmod(&alice, "/f", 04666), OK);
	CHECK_EQ(do_link(&bob, "/f", "/h"), ERR_PERM);
	CHECK_EQ(do_link(&alice, "/f", "/h"), OK);
	end();
}

TEST(an_unlinked_file_lives_until_its_last_handle_goes)
{
	struct open *id;

	begin();
	CHECK_EQ(do_open(&root, "/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, 0600, &id), OK);
	do_write(id, "hello");
	CHECK_EQ(do_unlink(&root, "/f"), OK);
	CHECK_EQ(do_try(&root, "/f", OPEN_READ), ERR_NOENT);
	struct where w = from(&root, id->node, "");
	struct file_stat s;
	CHECK_EQ(tree_stat(&F, &w, 0, &s), OK);
	CHECK_EQ(s.links, 0);
	CHECK_EQ(s.bytes, 5);
	CHECK_EQ(tree_truncate(&F, &w, 2, true), OK);
	CHECK_STR(path_of(id), "(none)");
	struct where n = at(&root, "/back");
	CHECK_EQ(tree_link(&F, &w, &n, 0), ERR_NOENT);
	CHECK_EQ(contents_in_use(), 1);
	open_close(&F, id);
	CHECK_EQ(contents_in_use(), 0);
	end();
}

TEST(a_removed_directory_still_knows_the_way_up_but_takes_nothing_new)
{
	struct open *id;

	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/a/b", 0755), OK);
	CHECK_EQ(do_create(&root, "/a/f", 0644), OK);
	CHECK_EQ(do_open(&root, "/a/b", OPEN_READ, 0, &id), OK);
	CHECK_EQ(do_rmdir(&root, "/a/b"), OK);
	struct node *gone = id->node;
	struct where up = from(&root, gone, "../f"), in = from(&root, gone, "new");
	struct file_stat s;
	CHECK_EQ(tree_stat(&F, &up, 0, &s), OK);
	CHECK_EQ(tree_mkdir(&F, &in, 0755), ERR_NOENT);
	CHECK_EQ(do_unlink(&root, "/a/f"), OK);
	CHECK_EQ(do_rmdir(&root, "/a"), OK);
	struct where root_of = from(&root, gone, "../..");
	CHECK_EQ(tree_stat(&F, &root_of, 0, &s), OK);
	CHECK_EQ(s.node, F.root->number);
	open_close(&F, id);
	CHECK_EQ(F.node_count, 1);
	end();
}

TEST(a_file_without_a_name_can_get_one)
{
	struct open *id;

	begin();
	CHECK_EQ(do_open(&alice, "/", OPEN_READ | OPEN_WRITE | OPEN_UNNAMED, 0600, &id), OK);
	struct where w = from(&alice, id->node, ""), n = at(&alice, "/named");
	do_write(id, "x");
	CHECK_EQ(tree_link(&F, &w, &n, 0), OK);
	CHECK_EQ(stat_of("/named").links, 1);
	CHECK_EQ(stat_of("/named").bytes, 1);
	CHECK_EQ(do_unlink(&alice, "/named"), OK);
	CHECK_EQ(tree_link(&F, &w, &n, 0), ERR_NOENT);
	open_close(&F, id);
	CHECK_EQ(do_open(&alice, "/", OPEN_READ | OPEN_UNNAMED, 0600, &id), ERR_INVAL);
	end();
}

TEST(only_the_superuser_gives_files_away)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0644), OK);
	CHECK_EQ(do_chown(&alice, "/f", 200, ~0u), ERR_PERM);
	CHECK_EQ(do_chown(&bob, "/f", ~0u, 20), ERR_PERM);
	CHECK_EQ(do_chown(&alice, "/f", ~0u, 20), ERR_PERM);
	CHECK_EQ(do_chown(&alice, "/f", 100, 10), OK);
	CHECK_EQ(do_chown(&root, "/f", 200, 20), OK);
	CHECK_EQ(stat_of("/f").uid, 200);
	CHECK_EQ(stat_of("/f").gid, 20);
	end();
}

TEST(changing_owner_or_content_takes_setuid_away)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0777), OK);
	CHECK_EQ(do_chmod(&alice, "/f", 06777), OK);
	CHECK_EQ(do_chown(&root, "/f", 100, 10), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 0777);
	CHECK_EQ(do_chmod(&alice, "/f", 06777), OK);
	struct open *id;
	CHECK_EQ(do_open(&bob, "/f", OPEN_WRITE, 0, &id), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 06777);
	do_write(id, "x");
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 0777);
	CHECK_EQ(do_chmod(&alice, "/f", 06777), OK);
	do_write(id, "xy");
	open_close(&F, id);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 0777);
	CHECK_EQ(do_chmod(&alice, "/f", 06777), OK);
	CHECK_EQ(do_open(&root, "/f", OPEN_WRITE, 0, &id), OK);
	do_write(id, "root");
	open_close(&F, id);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 06777);
	CHECK_EQ(do_chmod(&alice, "/f", 06777), OK);
	CHECK_EQ(do_truncate(&bob, "/f", 3), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 0777);
	/* A set-group-id without group execution means mandatory locking elsewhere: it stays. */
	CHECK_EQ(do_chmod(&alice, "/f", 02707), OK);
	CHECK_EQ(do_chown(&root, "/f", 100, 10), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 02707);
	end();
}

TEST(only_the_owner_changes_the_mode_and_only_members_set_setgid)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0644), OK);
	CHECK_EQ(do_chmod(&bob, "/f", 0777), ERR_PERM);
	CHECK_EQ(do_chown(&root, "/f", 100, 99), OK);
	CHECK_EQ(do_chmod(&alice, "/f", 02755), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 0755);
	CHECK_EQ(do_chmod(&root, "/f", 02755), OK);
	CHECK_EQ(stat_of("/f").mode & MODE_PERMISSIONS, 02755);
	end();
}

static err_t utime(const struct sender *s, const char *path, int64_t a, uint32_t a_ns, int64_t m, uint32_t m_ns)
{
	struct where w = at(s, path);
	struct file_times t = { { a, a_ns, 0 }, { m, m_ns, 0 } };

	return tree_utime(&F, &w, &t, 0);
}

TEST(times_are_set_to_the_nanosecond_or_to_now_or_left)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0666), OK);
	CHECK_EQ(utime(&alice, "/f", 1, 2, -3, 4), OK);
	struct file_stat s = stat_of("/f");
	CHECK_EQ(s.accessed.seconds, 1);
	CHECK_EQ(s.accessed.nanoseconds, 2);
	CHECK_EQ(s.modified.seconds, -3);
	CHECK_EQ(s.modified.nanoseconds, 4);
	CHECK_EQ(utime(&alice, "/f", 9, FILE_TIME_OMIT, 7, 0), OK);
	s = stat_of("/f");
	CHECK_EQ(s.accessed.seconds, 1);
	CHECK_EQ(s.modified.seconds, 7);
	CHECK_EQ(utime(&bob, "/f", 1, 0, 1, 0), ERR_PERM);
	CHECK_EQ(utime(&bob, "/f", 0, FILE_TIME_NOW, 0, FILE_TIME_NOW), OK);
	CHECK(stat_of("/f").modified.seconds >= 1000);
	CHECK_EQ(do_chmod(&alice, "/f", 0600), OK);
	CHECK_EQ(utime(&bob, "/f", 0, FILE_TIME_NOW, 0, FILE_TIME_NOW), ERR_ACCES);
	CHECK_EQ(utime(&bob, "/f", 0, FILE_TIME_OMIT, 0, FILE_TIME_OMIT), OK);
	CHECK_EQ(utime(&alice, "/f", 0, 1000000000, 0, 0), ERR_INVAL);
	end();
}

TEST(a_write_shows_in_the_times_but_not_over_a_later_utime)
{
	struct open *id;

	begin();
	CHECK_EQ(do_open(&root, "/f", OPEN_WRITE | OPEN_CREATE, 0644, &id), OK);
	struct file_stat before = stat_of("/f"), after;
	do_write(id, "abc");
	after = stat_of("/f");
	CHECK(after.modified.nanoseconds > before.modified.nanoseconds);
	CHECK(after.changed.nanoseconds >= after.modified.nanoseconds);
	CHECK_EQ(after.bytes, 3);
	do_write(id, "abcd");
	CHECK_EQ(utime(&root, "/f", 5, 0, 6, 0), OK);
	CHECK_EQ(stat_of("/f").modified.seconds, 6);
	CHECK_EQ(stat_of("/f").bytes, 4);
	do_write(id, "abcde");
	CHECK(stat_of("/f").modified.seconds > 6);
	open_close(&F, id);
	CHECK_EQ(stat_of("/f").bytes, 5);
	end();
}

TEST(truncate_needs_write_permission_or_a_writing_handle)
{
	struct open *id;

	begin();
	CHECK_EQ(do_create(&alice, "/f", 0644), OK);
	CHECK_EQ(do_truncate(&alice, "/f", 10), OK);
	CHECK_EQ(stat_of("/f").bytes, 10);
	CHECK_EQ(do_truncate(&bob, "/f", 5), ERR_ACCES);
	CHECK_EQ(do_truncate(&alice, "/", 5), ERR_ISDIR);
	CHECK_EQ(do_truncate(&alice, "/f", (uint64_t)-1), ERR_INVAL);
	CHECK_EQ(do_truncate(&alice, "/f", FILE_BYTES_MAX + 1), ERR_FBIG);
	CHECK_EQ(do_open(&alice, "/f", OPEN_READ, 0, &id), OK);
	struct where w = from(&alice, id->node, "");
	CHECK_EQ(tree_truncate(&F, &w, 1, false), ERR_INVAL);
	open_close(&F, id);
	CHECK_EQ(do_open(&alice, "/f", OPEN_WRITE | OPEN_TRUNCATE, 0, &id), OK);
	CHECK_EQ(stat_of("/f").bytes, 0);
	open_close(&F, id);
	end();
}

TEST(special_nodes_are_kept_but_not_opened)
{
	begin();
	CHECK_EQ(do_mknod(&root, "/null", MODE_CHARACTER | 0666, 1ull << 32 | 3), OK);
	CHECK_EQ(do_mknod(&alice, "/n", MODE_CHARACTER | 0666, 0), ERR_PERM);
	CHECK_EQ(do_mknod(&alice, "/s", MODE_SOCKET | 0666, 0), OK);
	CHECK_EQ(do_mknod(&alice, "/d", MODE_DIRECTORY | 0777, 0), ERR_PERM);
	CHECK_EQ(do_mknod(&alice, "/x", 0150000 | 0777, 0), ERR_INVAL);
	CHECK_EQ(do_mknod(&alice, "/f", 0644, 0), OK);
	CHECK_EQ(stat_of("/f").mode, MODE_FILE | 0644);
	CHECK_EQ(stat_of("/null").rdev, 1ull << 32 | 3);
	CHECK_EQ(do_try(&alice, "/null", OPEN_READ), ERR_NXIO);
	CHECK_EQ(do_try(&alice, "/s", OPEN_READ), ERR_NXIO);
	CHECK_EQ(do_chmod(&root, "/null", 0600), OK);
	CHECK_EQ(do_try(&alice, "/null", OPEN_READ), ERR_ACCES);
	CHECK_EQ(do_try(&alice, "/null", OPEN_PATH), OK);
	end();
}

TEST(a_socket_keeps_its_handle_for_those_who_may_write_it)
{
	struct where s = at(&alice, "/s"), by_bob = at(&bob, "/s"), file = at(&alice, "/f"), none = at(&alice, "/none");
	content_t socket, found;

	begin();
	s.at = by_bob.at = file.at = none.at = F.root;
	CHECK_EQ(F.backing->pipe_new(&socket), OK);
	CHECK_EQ(tree_mknod(&F, &s, MODE_SOCKET | 0700, 0, socket), OK);
	CHECK_EQ(tree_mknod(&F, &s, MODE_SOCKET | 0700, 0, CONTENT_NONE), ERR_EXIST);
	CHECK_EQ(tree_connect(&F, &s, &found), OK);
	CHECK_EQ(found, socket);
	CHECK_EQ(tree_connect(&F, &by_bob, &found), ERR_ACCES);
	CHECK_EQ(tree_connect(&F, &none, &found), ERR_NOENT);
	CHECK_EQ(do_mknod(&alice, "/f", 0644, 0), OK);
	CHECK_EQ(tree_connect(&F, &file, &found), ERR_CONNREFUSED);
	CHECK_EQ(do_unlink(&alice, "/s"), OK);          /* and with it goes the handle: end() looks */
	end();
}

static err_t resolve(const struct sender *s, const char *path, char *out)
{
	struct where w = at(s, path);
	char buffer[4096], *found;
	err_t err = tree_resolve(&F, &w, 0, buffer, sizeof(buffer), &found);

	if (!err) {
		memcpy(out, found, (size_t)(buffer + sizeof(buffer) - found));
		out[buffer + sizeof(buffer) - found] = 0;
	}
	return err;
}

TEST(a_walk_into_a_mount_point_ends_and_resolve_says_where)
{
	char path[4200];
	struct file_stat s;
	struct where dev = at(&root, "/dev");

	begin();
	dev.at = F.root;
	CHECK_EQ(do_mkdir(&root, "/dev", 0755), OK);
	CHECK_EQ(do_mkdir(&root, "/d", 0755), OK);
	CHECK_EQ(do_symlink(&root, "../dev//pts", "/d/l"), OK);
	CHECK_EQ(tree_mount(&F, &dev, true), OK);
	CHECK_EQ(tree_mount(&F, &dev, true), ERR_BUSY);
	CHECK_EQ(do_stat(&root, "/dev", &s), ERR_XDEV);
	CHECK_EQ(do_stat(&root, "/dev/null", &s), ERR_XDEV);
	CHECK_EQ(do_stat(&root, "/dev/../d", &s), OK);
	CHECK_EQ(do_try(&root, "/dev/new", OPEN_WRITE | OPEN_CREATE), ERR_XDEV);
	CHECK_EQ(do_rmdir(&root, "/dev"), ERR_BUSY);
	CHECK_EQ(do_rename(&root, "/dev", "/dev2", 0), ERR_BUSY);
	CHECK_EQ(do_mkdir(&root, "/dev", 0755), ERR_EXIST);
	CHECK_EQ(resolve(&root, "/d/l//1", path), OK);
	CHECK_STR(path, "/dev/pts/1");
	CHECK_EQ(resolve(&root, "/d/../dev", path), OK);
	CHECK_STR(path, "/dev");
	CHECK_EQ(resolve(&root, "/d/l/../../d/x", path), OK);
	CHECK_STR(path, "/dev/pts/../../d/x");
	CHECK_EQ(resolve(&root, "d/.", path), OK);
	CHECK_STR(path, "/d");
	CHECK_EQ(resolve(&root, "/", path), OK);
	CHECK_STR(path, "/");
	CHECK_EQ(resolve(&root, "/none", path), ERR_NOENT);
	CHECK_EQ(tree_mount(&F, &dev, false), OK);
	CHECK_EQ(do_stat(&root, "/dev", &s), OK);
	dev.sender = &alice;
	CHECK_EQ(tree_mount(&F, &dev, true), ERR_PERM);
	end();
}

TEST(a_handle_of_the_directory_below_a_mount_point_goes_on_meaning_that)
{
	struct open *id;
	struct file_stat s;

	begin();
	CHECK_EQ(do_mkdir(&root, "/m", 0755), OK);
	CHECK_EQ(do_create(&root, "/m/f", 0644), OK);
	CHECK_EQ(do_open(&root, "/m", OPEN_READ, 0, &id), OK);
	struct where m = at(&root, "/m");
	CHECK_EQ(tree_mount(&F, &m, true), OK);
	struct node *below = id->node;
	struct where self = from(&root, below, "."), file = from(&root, below, "f"), back = from(&root, below, "../m/f"),
	             absolute = from(&root, below, "/m/f");
	CHECK_EQ(tree_stat(&F, &self, 0, &s), OK);
	CHECK_EQ(tree_stat(&F, &file, 0, &s), OK);
	CHECK_EQ(tree_stat(&F, &back, 0, &s), ERR_XDEV);
	CHECK_EQ(tree_stat(&F, &absolute, 0, &s), ERR_XDEV);
	open_close(&F, id);
	end();
}

TEST(a_handle_knows_its_present_path_through_renames)
{
	struct open *dir, *file;

	begin();
	CHECK_EQ(do_mkdir(&root, "/a", 0755), OK);
	CHECK_EQ(do_open(&root, "/a/f", OPEN_WRITE | OPEN_CREATE, 0644, &file), OK);
	CHECK_EQ(do_open(&root, "/a", OPEN_READ, 0, &dir), OK);
	CHECK_STR(path_of(file), "/a/f");
	CHECK_EQ(do_link(&root, "/a/f", "/other"), OK);
	CHECK_EQ(do_rename(&root, "/a/f", "/a/g", 0), OK);
	CHECK_STR(path_of(file), "/a/g");
	CHECK_EQ(do_rename(&root, "/a", "/b", 0), OK);
	CHECK_STR(path_of(file), "/b/g");
	CHECK_STR(path_of(dir), "/b");
	CHECK_EQ(do_unlink(&root, "/b/g"), OK);
	CHECK_STR(path_of(file), "/other");
	/* The name it was opened by is gone: taking it away again takes no other. */
	CHECK_EQ(tree_unlink_serial(&F, &root, file->node, file->serial), ERR_NOENT);
	open_close(&F, dir);
	open_close(&F, file);
	CHECK_EQ(do_open(&root, "/", OPEN_READ, 0, &dir), OK);
	CHECK_STR(path_of(dir), "/");
	open_close(&F, dir);
	end();
}

TEST(access_asks_as_open_would_but_follows_no_last_link_when_told)
{
	begin();
	CHECK_EQ(do_create(&alice, "/f", 0640), OK);
	CHECK_EQ(do_symlink(&alice, "none", "/l"), OK);
	struct where f = at(&bob, "/f"), l = at(&bob, "/l");
	CHECK_EQ(tree_access(&F, &f, 0, 0), OK);
	CHECK_EQ(tree_access(&F, &f, OPEN_READ, 0), ERR_ACCES);
	CHECK_EQ(tree_access(&F, &l, 0, 0), ERR_NOENT);
	CHECK_EQ(tree_access(&F, &l, OPEN_WRITE, AT_NOFOLLOW), OK);
	end();
}

TEST(no_more_nodes_than_allowed)
{
	begin();
	F.node_max = 2;
	CHECK_EQ(do_create(&root, "/a", 0644), OK);
	CHECK_EQ(do_create(&root, "/b", 0644), ERR_NOSPC);
	CHECK_EQ(do_unlink(&root, "/a"), OK);
	CHECK_EQ(do_create(&root, "/b", 0644), OK);
	end();
}
