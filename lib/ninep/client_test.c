/* lib/ninep/client_test.c - requests in the right form, and a server that answers too little, too much, something else or nothing. */
#include "lib/ninep/test_server.h"

static struct ninep n;
static uint8_t got[MOCK_FILE_BYTES];
static size_t got_bytes;

static err_t put(void *user, const uint8_t *from, size_t bytes)
{
	(void)user;
	memcpy(got + got_bytes, from, bytes);
	got_bytes += bytes;
	return OK;
}

static err_t fill(void *user, uint8_t *to, size_t bytes)
{
	memset(to, *(const char *)user, bytes);
	return OK;
}

static uint32_t walk(const char *text)
{
	struct ninep_name name = { text, strlen(text) };
	struct ninep_qid qid;
	uint32_t fid;

	CHECK_EQ(ninep_walk(&n, NINEP_FID_ROOT, &name, &fid, &qid), OK);
	return fid;
}

TEST(bytes_come_and_go_in_parts_of_a_message)
{
	size_t done, all = 0;

	mock_setup(&n);
	mock_add(0, "f", MODE_FILE | 0644, "");
	uint32_t fid = walk("f");
	while (all < 40000) {
		CHECK_EQ(ninep_write(&n, fid, all, 40000 - all, fill, "x", &done), OK);
		CHECK(done > 0 && done <= MOCK_BODY - NINEP_WRITE_HEADER);
		all += done;
	}
	for (got_bytes = 0; got_bytes < 40000; )
		CHECK_EQ(ninep_read(&n, fid, got_bytes, 40000, put, NULL, &done), OK);
	CHECK_EQ(got_bytes, 40000);
	CHECK_EQ(got[39999], 'x');
	CHECK_EQ(ninep_read(&n, fid, 40000, 10, put, NULL, &done), OK);
	CHECK_EQ(done, 0);
}

TEST(a_fid_is_free_once_it_was_clunked)
{
	mock_setup(&n);
	mock_add(0, "f", MODE_FILE | 0644, "");
	for (int i = 0; i < 3 * NINEP_FIDS_MAX; i++)
		ninep_clunk(&n, walk("f"));
	CHECK_EQ(mock.fids_open, 0);
}

TEST(a_walk_that_fails_costs_no_fid)
{
	struct ninep_name none = { "none", 4 };
	struct ninep_qid qid;
	uint32_t fid;

	mock_setup(&n);
	for (int i = 0; i < 2 * NINEP_FIDS_MAX; i++)
		CHECK_EQ(ninep_walk(&n, NINEP_FID_ROOT, &none, &fid, &qid), ERR_NOENT);
}

TEST(too_many_fids_are_an_error)
{
	uint32_t fid;

	mock_setup(&n);
	for (int i = 1; i < NINEP_FIDS_MAX; i++)
		CHECK_EQ(ninep_fid_take(&n, &fid), OK);
	CHECK_EQ(ninep_fid_take(&n, &fid), ERR_NFILE);
	ninep_fid_give(&n, 77);
	CHECK_EQ(ninep_fid_take(&n, &fid), OK);
	CHECK_EQ(fid, 77);
}

/* ---- Lies ---- */

static size_t lie_bytes, lie_at;
static uint8_t lie_value, lie_type;

static void change(uint8_t type, uint8_t *answer, size_t *bytes)
{
	if (type != lie_type)
		return;
	if (lie_bytes)
		*bytes = lie_bytes - 1;
	if (lie_at)
		answer[lie_at - 1] = lie_value;
}

static void lie(uint8_t type, size_t bytes, size_t at, uint8_t value)
{
	mock.lie = change;
	lie_type = type;
	lie_bytes = bytes;
	lie_at = at;
	lie_value = value;
}

static bool count_entry(void *taker, const struct ninep_entry *e)
{
	(void)e;
	++*(int *)taker;
	return true;
}

/* Everything that can be asked, of a fid that is a file, a link or a directory. */
static err_t ask(uint8_t type, uint32_t fid)
{
	struct ninep_name name = { "f", 1 };
	struct file_system s;
	struct ninep_attr a;
	struct ninep_qid qid;
	char target[NINEP_TARGET_MAX];
	uint32_t new;
	size_t done;
	int count = 0;
	err_t err;

	got_bytes = 0;
	switch (type) {
	case NINEP_WALK:
		if (!(err = ninep_walk(&n, NINEP_FID_ROOT, &name, &new, &qid)))
			ninep_clunk(&n, new);
		return err;
	case NINEP_GETATTR: return ninep_getattr(&n, fid, &a);
	case NINEP_READLINK: return ninep_readlink(&n, fid, target, &done);
	case NINEP_READDIR: return ninep_readdir(&n, NINEP_FID_ROOT, 0, 4000, count_entry, &count);
	case NINEP_READ: return ninep_read(&n, fid, 0, 100, put, NULL, &done);
	case NINEP_WRITE: return ninep_write(&n, fid, 0, 100, fill, "y", &done);
	case NINEP_STATFS: return ninep_statfs(&n, fid, &s);
	case NINEP_LOPEN: return ninep_lopen(&n, fid, 0, &qid);
	default: return ninep_fsync(&n, fid);
	}
}

static const uint8_t asked[] = { NINEP_WALK, NINEP_GETATTR, NINEP_READLINK, NINEP_READDIR, NINEP_READ, NINEP_WRITE, NINEP_STATFS, NINEP_LOPEN, NINEP_FSYNC };

static uint32_t setup_file(void)
{
	mock_setup(&n);
	mock_add(0, "f", MODE_FILE | 0644, "some content, which serves as a link's target too");
	return walk("f");
}

TEST(an_answer_that_ends_too_early_is_refused)
{
	for (size_t i = 0; i < sizeof(asked); i++) {
		uint32_t fid = setup_file();
		CHECK_EQ(ask(asked[i], fid), OK);
		for (size_t bytes = 0; bytes < 8; bytes++) {
			lie(asked[i], bytes + 1, 0, 0);
			CHECK(ask(asked[i], fid) == (bytes < 7 || asked[i] != NINEP_FSYNC ? ERR_PROTO : OK));
		}
	}
}

TEST(an_answer_of_another_type_or_tag_or_length_is_refused)
{
	for (size_t i = 0; i < sizeof(asked); i++)
		for (size_t at = 1; at <= 7; at++) {
			uint32_t fid = setup_file();
			lie(asked[i], 0, at, 0xee);
			CHECK_EQ(ask(asked[i], fid), ERR_PROTO);
		}
}

/* Whatever a byte becomes: an answer or an error, and nothing of ours is touched (the sanitizer looks). */
TEST(no_byte_of_an_answer_can_do_harm)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(asked); i++)
		for (size_t at = 8; at < 180; at++)
			for (size_t v = 0; v < sizeof(values); v++) {
				uint32_t fid = setup_file();
				lie(asked[i], 0, at, values[v]);
				err_t err = ask(asked[i], fid);
				CHECK(err == OK || err == ERR_PROTO);
			}
}

TEST(more_bytes_than_were_asked_for_are_refused)
{
	uint32_t fid = setup_file();

	lie(NINEP_READ, 0, 8, 101);
	CHECK_EQ(ask(NINEP_READ, fid), ERR_PROTO);
	CHECK_EQ(got_bytes, 0);
	lie(NINEP_WRITE, 0, 8, 101);
	CHECK_EQ(ask(NINEP_WRITE, fid), ERR_PROTO);
}

TEST(a_target_with_a_zero_is_none)
{
	uint32_t fid = setup_file();

	lie(NINEP_READLINK, 0, 12, 0);
	CHECK_EQ(ask(NINEP_READLINK, fid), ERR_PROTO);
}

static int names;
static bool check_entry(void *taker, const struct ninep_entry *e)
{
	(void)taker;
	CHECK(e->name_bytes > 0 && !memchr(e->name, 0, e->name_bytes) && !memchr(e->name, '/', e->name_bytes));
	names++;
	return true;
}

TEST(names_that_cannot_be_are_left_out)
{
	uint32_t fid = setup_file();

	(void)fid;
	/* Header, count, qid, cookie, type, length: then the name. */
	names = 0;
	lie(NINEP_READDIR, 0, 7 + 4 + 13 + 8 + 1 + 2 + 1, '/');
	CHECK_EQ(ninep_readdir(&n, NINEP_FID_ROOT, 0, 4000, check_entry, NULL), OK);
	lie(NINEP_READDIR, 0, 7 + 4 + 13 + 8 + 1 + 2 + 1, 0);
	CHECK_EQ(ninep_readdir(&n, NINEP_FID_ROOT, 0, 4000, check_entry, NULL), OK);
	CHECK_EQ(names, 0);
}

TEST(a_directory_that_leads_back_to_where_we_are_is_refused)
{
	uint32_t fid = setup_file();

	(void)fid;
	lie(NINEP_READDIR, 0, 7 + 4 + 13 + 1, 0);
	CHECK_EQ(ask(NINEP_READDIR, fid), ERR_PROTO);
}

static uint64_t told;
static void tell(uint8_t type, uint8_t *answer, size_t *bytes)
{
	if (type != NINEP_FSYNC)
		return;
	answer[0] = 11;
	answer[4] = NINEP_RLERROR;
	for (int i = 0; i < 4; i++)
		answer[7 + i] = (uint8_t)(told >> i * 8);
	*bytes = 11;
}

TEST(errors_are_linux_numbers_and_none_means_something_of_our_own)
{
	static const struct { uint64_t number; err_t err; } some[] = {
		{ 1, ERR_PERM }, { 2, ERR_NOENT }, { 13, ERR_ACCES }, { 28, ERR_NOSPC }, { 30, ERR_ROFS }, { 36, ERR_NAMETOOLONG }, { 39, ERR_NOTEMPTY },
		{ 18, ERR_IO }, { 25, ERR_IO }, { 512, ERR_IO }, { 0, ERR_IO }, { 9999, ERR_IO }, { UINT32_MAX, ERR_IO },
	};
	uint32_t fid = setup_file();

	mock.lie = tell;
	for (size_t i = 0; i < ARRAY_COUNT(some); i++) {
		told = some[i].number;
		CHECK_EQ(ninep_fsync(&n, fid), some[i].err);
	}
}

static const char *version;
static uint32_t msize;
static void other_version(uint8_t type, uint8_t *answer, size_t *bytes)
{
	if (type != NINEP_VERSION)
		return;
	memcpy(answer + 7, &msize, 4);
	memcpy(answer + 13, version, 8);
	(void)bytes;
}

TEST(another_version_or_length_of_messages_is_refused)
{
	mock_setup(&n);
	mock.lie = other_version;
	version = "9P2000.u";
	msize = MOCK_BODY;
	CHECK_EQ(ninep_start(&n, &mock_carrier, &mock, MOCK_BODY, 0), ERR_OPNOTSUPP);
	version = "9P2000.L";
	CHECK_EQ(ninep_start(&n, &mock_carrier, &mock, MOCK_BODY, 0), OK);
	msize = MOCK_BODY + 1;
	CHECK_EQ(ninep_start(&n, &mock_carrier, &mock, MOCK_BODY, 0), ERR_PROTO);
	msize = NINEP_MSIZE_MIN - 1;
	CHECK_EQ(ninep_start(&n, &mock_carrier, &mock, MOCK_BODY, 0), ERR_PROTO);
}

TEST(a_link_that_breaks_is_an_error_everywhere)
{
	uint32_t fid = setup_file();

	for (size_t i = 0; i < sizeof(asked); i++) {
		mock.broken = OK;
		mock.fail_after = 1;
		CHECK_EQ(ask(asked[i], fid), ERR_NODEV);
		CHECK_EQ(ask(asked[i], fid), ERR_NODEV);
	}
}
