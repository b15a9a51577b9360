/* fs/ramfs/dir_test.c - listing: complete, and stable while names come and go. */
#include <stdio.h>
#include "fs/ramfs/test_backing.h"

enum { MANY = 3000 };

/* Lists dir with a small buffer; seen[i] counts the name fI. between runs after each piece. The number of entries. */
static unsigned list_all(struct node *dir, size_t bytes, unsigned *seen, void (*between)(unsigned piece))
{
	_Alignas(8) char buffer[1024];
	unsigned count = 0, piece = 0;
	uint64_t cookie = 0;
	size_t used;

	for (;;) {
		CHECK_EQ(dir_list(dir, cookie, buffer, bytes, &used), OK);
		if (used == 0)
			return count;
		for (size_t i = 0; i < used;) {
			struct file_entry *e = (void *)(buffer + i);
			char *name = (char *)(e + 1);
			CHECK(e->cookie > cookie);
			cookie = e->cookie;
			if (name[0] == 'f') {
				char text[16] = "";
				memcpy(text, name + 1, e->name_bytes - 1u);
				seen[atoi(text)]++;
			}
			i += e->entry_bytes;
			count++;
		}
		if (between)
			between(piece++);
	}
}

static void make_many(unsigned count)
{
	char path[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/f%u", i);
		CHECK_EQ(do_create(&root, path, 0644), OK);
	}
}

TEST(a_large_directory_lists_every_name_once)
{
	static unsigned seen[MANY];

	begin();
	memset(seen, 0, sizeof(seen));
	make_many(MANY);
	CHECK_EQ(list_all(F.root, 1000, seen, NULL), MANY + 2);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_EQ(seen[i], 1);
	CHECK_EQ(do_try(&root, "/f2999", OPEN_READ), OK);
	end();
}

static void churn(unsigned piece)
{
	char path[32];

	/* Takes one away and adds another, for a while: a directory that grows for ever is listed for ever. */
	if (piece >= 40)
		return;
	snprintf(path, sizeof(path), "/f%u", piece * 2);
	do_unlink(&root, path);
	snprintf(path, sizeof(path), "/g%u", piece);
	do_create(&root, path, 0644);
}

TEST(names_that_stay_are_listed_once_while_others_come_and_go)
{
	unsigned seen[100] = { 0 };

	begin();
	make_many(100);
	list_all(F.root, 200, seen, churn);
	for (unsigned i = 0; i < 100; i++) {
		CHECK(seen[i] <= 1);
		if (i % 2 == 1)
			CHECK_EQ(seen[i], 1);
	}
	end();
}

TEST(a_buffer_too_small_for_one_name_is_said_so)
{
	_Alignas(8) char buffer[64];
	size_t used;

	begin();
	CHECK_EQ(dir_list(F.root, 0, buffer, 16, &used), ERR_INVAL);
	CHECK_EQ(dir_list(F.root, 0, buffer, 40, &used), OK);
	CHECK_EQ(used, 32);
	CHECK_EQ(do_create(&root, "/a-name-that-needs-more-room-than-that-buffer-has", 0644), OK);
	CHECK_EQ(dir_list(F.root, 2, buffer, 40, &used), ERR_INVAL);
	end();
}
