/* lib/ninep/share_test.c - the file protocol over an honest server: names, links, permissions, renames of what is open, restarts, failures. */
#include "lib/ninep/share.h"
#include "lib/base/heap.h"
#include "lib/ninep/test_server.h"
#include <stdio.h>

static struct share share;
static struct records records;
static struct share_job job;
static struct share_open *root;
static uint32_t many_groups;

static uint32_t groups(struct share_job *j, uint32_t group[SHARE_GROUPS_MAX])
{
	(void)j;
	group[0] = 50;
	return many_groups;
}

static void become(uint32_t uid)
{
	share_job_end(&job);
	job = (struct share_job){ .share = &share, .sender = { .pid = 7, .tid = 8, .uid = uid, .gid = uid }, .groups = groups };
}

static err_t open_at(struct share_open *at, const char *path, uint32_t flags, struct share_open **out)
{
	become(job.sender.uid);
	return share_open_path(&job, at, path, strlen(path), flags, 0644, out);
}

/* As the end of a process does. */
__attribute__((destructor)) static void forget_opens(void)
{
	while (share.opens.next && !list_is_empty(&share.opens)) {
		struct share_open *o = list_first(&share.opens, struct share_open, link);
		list_remove(&o->link);
		heap_free(o->path, o->path_bytes + 1);
		heap_delete(o);
	}
}

static void setup(void)
{
	forget_opens();
	mock_forget();
	memset(&records, 0, sizeof(records));
	share_init(&share, &records, "/host");
	mock_setup(&share.ninep);
	mock.node[0].mode = MODE_DIRECTORY | 0777;
	many_groups = 0;
	job.sender.uid = 0;
	CHECK_EQ(open_at(NULL, "", OPEN_PATH, &root), OK);
}

/* What was opened goes, and with it every fid on the server but the root's. */
static void teardown(void)
{
	share_open_close(&share, root);
	CHECK(list_is_empty(&share.opens));
	CHECK_EQ(mock.fids_open, 0);
	for (int i = 0; i < RECORDS_MAX; i++)
		CHECK_EQ(records.open[i].id, 0);
}

_Alignas(8) static uint8_t answer[4096];
static size_t answer_bytes;

static int64_t call_bytes(uint32_t code, const char *in, size_t bytes, uint64_t word)
{
	struct share_call c = { .open = root, .code = code, .word = word, .in = in, .in_bytes = bytes, .out = answer, .out_room = sizeof(answer) };
	uint32_t hash = job.hash;

	become(job.sender.uid);
	job.hash = hash;
	int64_t result = share_call(&job, &c);
	answer_bytes = c.out_bytes;
	return result;
}

static int64_t call(uint32_t code, const char *path, uint64_t word) { return call_bytes(code, path, strlen(path), word); }
#define CALL_TWO(code, in, word) call_bytes(code, in, sizeof(in) - 1, word)

static struct file_stat stat_of(const char *path, uint64_t at)
{
	struct file_stat s;

	CHECK_EQ(call(FILE_STAT, path, at), OK);
	memcpy(&s, answer, sizeof(s));
	return s;
}

static char data[MOCK_FILE_BYTES];
static size_t data_at;

static err_t put(void *user, const uint8_t *from, size_t bytes)
{
	(void)user;
	memcpy(data + data_at, from, bytes);
	data_at += bytes;
	return OK;
}

static err_t fill(void *user, uint8_t *to, size_t bytes)
{
	(void)user;
	memcpy(to, data + data_at, bytes);
	data_at += bytes;
	return OK;
}

static void check_content(struct share_open *o, const char *wanted)
{
	data_at = 0;
	CHECK_EQ(share_read(&job, o, 0, 1000, put, NULL), strlen(wanted));
	CHECK_MEM(data, wanted, strlen(wanted));
}

static int64_t write_text(struct share_open *o, const char *text, bool appends)
{
	strcpy(data, text);
	data_at = 0;
	become(job.sender.uid);
	return share_write(&job, o, 0, appends, strlen(text), fill, NULL);
}

TEST(a_file_is_made_written_and_read)
{
	struct share_open *o;

	setup();
	CHECK_EQ(open_at(root, "new", OPEN_READ | OPEN_WRITE, &o), ERR_NOENT);
	CHECK_EQ(open_at(root, "new", OPEN_READ | OPEN_WRITE | OPEN_CREATE, &o), OK);
	CHECK_EQ(write_text(o, "some text", false), 9);
	check_content(o, "some text");
	CHECK_EQ(write_text(o, " more", true), 5);
	check_content(o, "some text more");
	CHECK_EQ(stat_of("new", 0).bytes, 14);
	share_open_close(&share, o);
	CHECK_EQ(open_at(root, "new", OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, &o), ERR_EXIST);
	CHECK_EQ(open_at(root, "new", OPEN_WRITE | OPEN_TRUNCATE, &o), OK);
	CHECK_EQ(stat_of("new", 0).bytes, 0);
	data_at = 0;
	CHECK_EQ(share_read(&job, o, 0, 10, put, NULL), ERR_BADF);
	share_open_close(&share, o);
	teardown();
}

TEST(what_the_server_takes_in_parts_is_written_in_parts)
{
	struct share_open *o;

	setup();
	CHECK_EQ(open_at(root, "new", OPEN_READ | OPEN_WRITE | OPEN_CREATE, &o), OK);
	memset(data, 'z', 40000);
	data_at = 0;
	CHECK_EQ(share_write(&job, o, 0, false, 40000, fill, NULL), 40000);
	CHECK_EQ(stat_of("new", 0).bytes, 40000);
	mock.write_most = 100;
	data_at = 0;
	CHECK_EQ(share_write(&job, o, 0, false, 40000, fill, NULL), 100);
	share_open_close(&share, o);
	teardown();
}

TEST(links_are_followed_here_and_out_of_the_share_only_in_the_guest)
{
	setup();
	int d = mock_add(0, "d", MODE_DIRECTORY | 0755, "");
	mock_add(d, "f", MODE_FILE | 0644, "12345");
	mock_add(0, "to_d", MODE_SYMLINK | 0777, "d");
	mock_add(0, "to_f", MODE_SYMLINK | 0777, "to_d/./f");
	mock_add(d, "up", MODE_SYMLINK | 0777, "../d/f");
	mock_add(d, "out", MODE_SYMLINK | 0777, "../../etc");
	mock_add(0, "absolute", MODE_SYMLINK | 0777, "/etc/passwd");
	mock_add(0, "loop", MODE_SYMLINK | 0777, "loop");
	CHECK_EQ(stat_of("to_f", 0).bytes, 5);
	CHECK_EQ(stat_of("to_f", AT_NOFOLLOW).mode & MODE_TYPE, MODE_SYMLINK);
	CHECK_EQ(stat_of("to_d/", AT_NOFOLLOW).mode & MODE_TYPE, MODE_DIRECTORY);
	CHECK_EQ(stat_of("d/up", 0).bytes, 5);
	CHECK_EQ(stat_of("d/../d/../d/f", 0).bytes, 5);
	CHECK_EQ(call(FILE_STAT, "loop", 0), ERR_LOOP);
	CHECK_EQ(call(FILE_STAT, "to_f/", 0), ERR_NOTDIR);
	static const struct { const char *path, *leads; } out[] = {
		{ "absolute", "/etc/passwd" }, { "absolute/x", "/etc/passwd/x" }, { "d/out/x", "/etc/x" }, { "..", "/" }, { "../x", "/x" }, { "d/../../y", "/y" },
	};
	for (size_t i = 0; i < ARRAY_COUNT(out); i++) {
		CHECK_EQ(call(FILE_STAT, out[i].path, 0), ERR_XDEV);
		CHECK_EQ(call(FILE_RESOLVE, out[i].path, 0), strlen(out[i].leads));
		CHECK_MEM(answer, out[i].leads, strlen(out[i].leads));
	}
	CHECK_EQ(call(FILE_RESOLVE, "to_f", 0), 9);
	CHECK_MEM(answer, "/host/d/f", 9);
	CHECK_EQ(call(FILE_READLINK, "to_f", 0), 8);
	CHECK_MEM(answer, "to_d/./f", 8);
	CHECK_EQ(call(FILE_READLINK, "d", 0), ERR_INVAL);
	teardown();
}

TEST(names_are_made_moved_and_removed_as_posix_says)
{
	setup();
	CHECK_EQ(call(FILE_MKDIR, "d", 0755), OK);
	CHECK_EQ(call(FILE_MKDIR, "d", 0755), ERR_EXIST);
	CHECK_EQ(call(FILE_MKDIR, "d/", 0755), ERR_EXIST);
	CHECK_EQ(call(FILE_MKDIR, "", 0755), ERR_EXIST);
	CHECK_EQ(call(FILE_MKDIR, "none/x", 0755), ERR_NOENT);
	CHECK_EQ(call(FILE_MKNOD, "d/f", MODE_FILE | 0600), OK);
	CHECK_EQ(call(FILE_MKNOD, "d/c", MODE_CHARACTER | 0600), ERR_PERM);
	CHECK_EQ(call(FILE_MKDIR, "d/f/x", 0755), ERR_NOTDIR);
	CHECK_EQ(CALL_TWO(FILE_SYMLINK, "target\0d/l", 0), OK);
	CHECK_EQ(CALL_TWO(FILE_LINK, "d/f\0d/g", 0), OK);
	CHECK_EQ(CALL_TWO(FILE_LINK, "d\0d2", 0), ERR_PERM);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d/f\0d/h", 0), OK);
	CHECK_EQ(call(FILE_STAT, "d/f", 0), ERR_NOENT);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d/h\0d/g", AT_NOREPLACE), ERR_EXIST);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d/h\0d/g", AT_EXCHANGE), ERR_INVAL);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d\0d/x", 0), ERR_INVAL);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d/h\0d", 0), ERR_NOTEMPTY);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d/h", 0), ERR_INVAL);
	CHECK_EQ(call(FILE_UNLINK, "d", 0), ERR_ISDIR);
	CHECK_EQ(call(FILE_UNLINK, "d/h", AT_DIRECTORY), ERR_NOTDIR);
	CHECK_EQ(call(FILE_UNLINK, "d/.", AT_DIRECTORY), ERR_INVAL);
	CHECK_EQ(call(FILE_UNLINK, "", AT_DIRECTORY), ERR_BUSY);
	CHECK_EQ(call(FILE_UNLINK, "d/h", 0), OK);
	CHECK_EQ(call(FILE_UNLINK, "d/h", 0), ERR_NOENT);
	teardown();
}

TEST(permissions_are_judged_by_who_asks)
{
	struct share_open *o;

	setup();
	int d = mock_add(0, "d", MODE_DIRECTORY | 0700, "");
	int f = mock_add(0, "f", MODE_FILE | 0640, "text");
	mock_add(d, "inner", MODE_FILE | 0666, "");
	mock.node[f].gid = 50;
	job.sender.uid = 1000;
	CHECK_EQ(call(FILE_STAT, "d/inner", 0), ERR_ACCES);
	CHECK_EQ(call(FILE_MKDIR, "d/x", 0755), ERR_ACCES);
	CHECK_EQ(open_at(root, "f", OPEN_READ, &o), ERR_ACCES);
	many_groups = 1;
	CHECK_EQ(open_at(root, "f", OPEN_READ, &o), OK);
	share_open_close(&share, o);
	CHECK_EQ(open_at(root, "f", OPEN_READ | OPEN_WRITE, &o), ERR_ACCES);
	CHECK_EQ(call(FILE_CHMOD, "f", 0777), ERR_PERM);
	CHECK_EQ(call(FILE_ACCESS, "f", OPEN_WRITE), ERR_ACCES);
	CHECK_EQ(call(FILE_TRUNCATE, "f", 0), ERR_ACCES);
	CHECK_EQ(call(FILE_MKDIR, "own", 0755), OK);
	CHECK_EQ(stat_of("own", 0).uid, 1000);
	mock.node[0].mode = MODE_DIRECTORY | MODE_STICKY | 0777;
	CHECK_EQ(call(FILE_UNLINK, "f", 0), ERR_PERM);
	CHECK_EQ(call(FILE_UNLINK, "own", AT_DIRECTORY), OK);
	job.sender.uid = 0;
	CHECK_EQ(call(FILE_UNLINK, "f", 0), OK);
	teardown();
}

TEST(devices_of_the_host_are_not_opened)
{
	struct share_open *o;

	setup();
	mock_add(0, "disk", MODE_BLOCK | 0666, "");
	mock_add(0, "pipe", MODE_FIFO | 0666, "");
	CHECK_EQ(open_at(root, "disk", OPEN_READ, &o), ERR_ACCES);
	CHECK_EQ(open_at(root, "pipe", OPEN_READ, &o), ERR_NXIO);
	teardown();
}

TEST(a_directory_is_listed_in_parts)
{
	struct share_open *dir;
	char name[16];
	int seen = 0;

	setup();
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "name%d", i);
		mock_add(0, name, MODE_FILE | 0644, "");
	}
	CHECK_EQ(open_at(root, ".", OPEN_READ | OPEN_DIRECTORY, &dir), OK);
	struct share_call c = { .open = dir, .code = FILE_LIST, .in = "", .out = answer, .out_room = 400 };
	while (share_call(&job, &c) > 0)
		for (size_t at = 0; at < c.out_bytes; seen++) {
			const struct file_entry *e = (const struct file_entry *)(answer + at);
			CHECK_EQ(e->mode, MODE_FILE);
			c.word = e->cookie;
			at += e->entry_bytes;
		}
	CHECK_EQ(seen, 40);
	c.out_room = 30;
	CHECK_EQ(share_call(&job, &c), ERR_INVAL);
	c.open = root;
	c.out_room = 400;
	CHECK_EQ(share_call(&job, &c), ERR_BADF);
	share_open_close(&share, dir);
	teardown();
}

/* ---- Restarts ---- */

/* The instance dies: what it had is lost but for the records. */
static void restart(void)
{
	forget_opens();
	memset(mock.message, 0, sizeof(mock.message));
	mock.broken = OK;
	share_init(&share, &records, "/host");
	mock_start(&share.ninep);
	job.change = NULL;
	CHECK_EQ(open_at(NULL, "", OPEN_PATH, &root), OK);
}

TEST(what_is_open_is_found_again_after_a_restart_also_under_a_new_name)
{
	struct share_open *o;

	setup();
	CHECK_EQ(call(FILE_MKDIR, "d", 0755), OK);
	CHECK_EQ(open_at(root, "d/f", OPEN_READ | OPEN_WRITE | OPEN_CREATE, &o), OK);
	record_named(&records, o->record, 77);
	CHECK_EQ(write_text(o, "kept", false), 4);
	CHECK_EQ(CALL_TWO(FILE_RENAME, "d\0elsewhere", 0), OK);
	restart();
	CHECK_EQ(share_open_revive(&share, 78, &o), ERR_NOENT);
	CHECK_EQ(share_open_revive(&share, 77, &o), OK);
	check_content(o, "kept");
	share_open_close(&share, o);
	/* The record of the root's handle before the restart is one that nobody closes: it had no number. */
	teardown();
}

TEST(another_file_in_its_place_is_not_what_was_open)
{
	struct share_open *o;

	setup();
	mock_add(0, "f", MODE_FILE | 0644, "old");
	CHECK_EQ(open_at(root, "f", OPEN_READ, &o), OK);
	record_named(&records, o->record, 77);
	restart();
	mock.node[mock_find(0, "f", 1)].parent = -1;
	mock_add(0, "f", MODE_FILE | 0644, "new");
	CHECK_EQ(share_open_revive(&share, 77, &o), OK);
	data_at = 0;
	CHECK_EQ(share_read(&job, o, 0, 10, put, NULL), ERR_CONNRESET);
	share_open_close(&share, o);
	teardown();
}

/* Each change, broken off at each request before and after the server did it, and then asked again of the next instance, is done once. */
static int64_t do_change(int which)
{
	struct share_open *o;
	int64_t result;

	switch (which) {
	case 0: return call(FILE_MKDIR, "made", 0755);
	case 1: return call(FILE_UNLINK, "gone", 0);
	case 2: return CALL_TWO(FILE_RENAME, "from\0to", 0);
	case 3: return CALL_TWO(FILE_SYMLINK, "target\0link", 0);
	case 4:
		if ((result = open_at(root, "excl", OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, &o)) == OK)
			share_open_close(&share, o);
		return result;
	default: return CALL_TWO(FILE_LINK, "from\0linked", 0);
	}
}

TEST(a_change_broken_off_anywhere_is_made_once_when_it_is_asked_again)
{
	for (int which = 0; which < 6; which++)
		for (int after = 0; after < 2; after++)
			for (uint32_t at = 1; at < 8; at++) {
				setup();
				mock_add(0, "gone", MODE_FILE | 0644, "");
				mock_add(0, "from", MODE_FILE | 0644, "");
				mock.fail_after = at;
				mock.fails_after_doing = after;
				int64_t result = do_change(which);
				if (result >= 0)
					share_job_end(&job);    /* (answered) */
				if (mock.broken)
					restart();
				if (result < 0) {
					CHECK_EQ(result, ERR_NODEV);
					CHECK_EQ(do_change(which), OK);
				}
				mock.fail_after = 0;
				CHECK_EQ(mock_find(0, "gone", 4) < 0, which == 1);
				CHECK_EQ(mock_find(0, "to", 2) >= 0, which == 2);
				CHECK_EQ(mock_find(0, "made", 4) >= 0, which == 0);
				become(0);
				int64_t again = do_change(which);
				CHECK(again == (which == 1 || which == 2 ? ERR_NOENT : ERR_EXIST));
			}
}

TEST(an_append_broken_off_anywhere_is_made_once_when_it_is_asked_again)
{
	for (int after = 0; after < 2; after++)
		for (uint32_t at = 1; at < 4; at++) {
			struct share_open *o;

			setup();
			mock_add(0, "log", MODE_FILE | 0644, "first ");
			CHECK_EQ(open_at(root, "log", OPEN_READ | OPEN_WRITE | OPEN_APPEND, &o), OK);
			record_named(&records, o->record, 77);
			mock.fail_after = at;
			mock.fails_after_doing = after;
			int64_t result = write_text(o, "second", true);
			if (result < 0) {
				restart();
				CHECK_EQ(share_open_revive(&share, 77, &o), OK);
				result = write_text(o, "second", true);
			}
			CHECK_EQ(result, 6);
			mock.fail_after = 0;
			check_content(o, "first second");
			CHECK_EQ(write_text(o, ".", true), 1);
			check_content(o, "first second.");
		}
}

TEST(a_record_that_makes_no_sense_is_dropped)
{
	struct share_open *o;

	setup();
	records.open[3].id = 99;
	records.open[3].path_bytes = 5000;
	records.open[4].id = UINT64_MAX;
	records_start(&records);
	CHECK_EQ(share_open_revive(&share, 99, &o), ERR_NOENT);
	CHECK_EQ(share_open_revive(&share, UINT64_MAX, &o), ERR_NOENT);
	records.magic = 1;
	records_start(&records);
	CHECK_EQ(records.open[0].id, 0);
}

TEST(no_memory_is_an_error)
{
	struct share_open *o;

	setup();
	mock_add(0, "f", MODE_FILE | 0644, "");
	for (uint64_t at = 1; at <= 2; at++) {
		heap_fail_after(at);
		CHECK_EQ(open_at(root, "f", OPEN_READ, &o), ERR_NOMEM);
		heap_fail_after(0);
	}
	teardown();
}

TEST(a_path_with_a_zero_or_too_long_is_refused)
{
	static char path[5000];

	setup();
	CHECK_EQ(call_bytes(FILE_STAT, "a\0b", 3, 0), ERR_INVAL);
	memset(path, 'p', sizeof(path));
	CHECK_EQ(call_bytes(FILE_STAT, path, 256, 0), ERR_NAMETOOLONG);
	CHECK_EQ(call_bytes(FILE_STAT, path, SHARE_PATH_MAX + 1, 0), ERR_NAMETOOLONG);
	teardown();
}
