/* lib/ninep/client_fuzz.c - a server whose answers are the input: each request takes a byte that says how, and what follows. */
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/ninep/share.h"

enum { BODY = 8192, MESSAGES = 4, REQUESTS_MAX = 2000 };

static const uint8_t *input;
static size_t left;
static uint32_t requests;
static struct ninep_message message[MESSAGES];
static bool is_busy[MESSAGES];
static struct share share;

static uint8_t take(void)
{
	if (left == 0)
		return 0;
	left--;
	return *input++;
}

static err_t begin(void *carrier, struct ninep_message **out)
{
	(void)carrier;
	for (int i = 0; i < MESSAGES; i++)
		if (!is_busy[i]) {
			is_busy[i] = true;
			/* Blocks of their own, so that a byte beyond them is seen. */
			message[i] = (struct ninep_message){ .tag = (uint16_t)i, .head = malloc(NINEP_HEAD_BYTES), .tail = malloc(NINEP_TAIL_BYTES), .body = calloc(1, BODY), .body_bytes = BODY };
			*out = &message[i];
			return OK;
		}
	abort();
}

static void end(void *carrier, struct ninep_message *m)
{
	(void)carrier;
	free(m->head);
	free(m->tail);
	free(m->body);
	is_busy[m - message] = false;
}

/* Mostly a header that is right, so that the rest is looked at. */
static err_t transact(void *carrier, struct ninep_message *m)
{
	uint8_t how = take(), *to = m->is_payload ? m->tail : m->body;
	size_t room = m->is_payload ? NINEP_TAIL_BYTES : BODY, bytes = MIN_OF((size_t)(how & 0x7f) * 2 + NINEP_HEADER_BYTES, room);

	(void)carrier;
	if (left == 0 || requests++ == REQUESTS_MAX)
		return ERR_NODEV;
	for (size_t i = 0; i < bytes; i++)
		to[i] = take();
	m->answer_bytes = bytes;
	if (how & 0x80)
		return OK;
	memset(to, 0, 4);
	to[0] = (uint8_t)bytes;
	to[1] = (uint8_t)(bytes >> 8);
	to[4] = (uint8_t)(m->head[4] + 1);
	memcpy(to + 5, m->head + 5, 2);
	return OK;
}

static void post(void *carrier, struct ninep_message *m)
{
	if (transact(carrier, m) == OK)
		ninep_posted(&share.ninep, m);
	end(carrier, m);
}

static err_t put(void *user, const uint8_t *from, size_t bytes)
{
	(void)user, (void)from, (void)bytes;
	return OK;
}

static err_t fill(void *user, uint8_t *to, size_t bytes)
{
	(void)user;
	memset(to, 1, bytes);
	return OK;
}

static void call(struct share_job *j, struct share_open *o, uint32_t code, const char *in, size_t bytes, uint64_t word)
{
	_Alignas(8) static uint8_t out[4096];
	struct share_call c = { .open = o, .code = code, .word = word, .in = in, .in_bytes = bytes, .out = out, .out_room = sizeof(out) };

	(void)!share_call(j, &c);
	share_job_end(j);
}

static void use(struct share_job *j, struct share_open *o)
{
	call(j, o, FILE_STAT, "a/b/../c", 8, 0);
	call(j, o, FILE_LIST, "", 0, 0);
	call(j, o, FILE_READLINK, "l", 1, 0);
	call(j, o, FILE_RESOLVE, "x/y", 3, 0);
	call(j, o, FILE_RENAME, "a\0b", 3, 0);
	call(j, o, FILE_MKDIR, "d", 1, 0755);
	call(j, o, FILE_UNLINK, "d", 1, AT_DIRECTORY);
	call(j, o, FILE_SYMLINK, "t\0l", 3, 0);
	call(j, o, FILE_LINK, "a\0b", 3, 0);
	call(j, o, FILE_CHMOD, "a", 1, 0644);
	call(j, o, FILE_STATFS, "", 0, 0);
	call(j, o, FILE_TRUNCATE, "a", 1, 5);
	(void)!share_read(j, o, 0, 20000, put, NULL);
	(void)!share_write(j, o, 0, take() & 1, 20000, fill, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ninep_carrier carrier = { .begin = begin, .transact = transact, .post = post, .end = end };
	static struct records records;
	struct share_open *o, *root;

	input = data;
	left = size;
	requests = 0;
	memset(&records, 0, sizeof(records));
	share_init(&share, &records, "/host");
	if (ninep_start(&share.ninep, &carrier, &share, BODY, 0)) {
		/* Few inputs are a version. */
		share.ninep.carrier = &carrier;
		share.ninep.msize = BODY;
	}
	struct share_job j = { .share = &share, .sender = { .pid = 1, .tid = 1, .uid = take() & 1 ? 1000 : 0 } };
	if (share_open_path(&j, NULL, "", 0, OPEN_PATH, 0, &root) == OK) {
		use(&j, root);
		if (share_open_path(&j, root, "some/file", 9, take() | OPEN_READ, 0644, &o) == OK) {
			use(&j, o);
			share_open_close(&share, o);
		}
		share_open_close(&share, root);
	}
	return 0;
}
