/* lib/ninep/test_server.h - a 9P2000.L server with a folder in memory, for host tests: honest, or as the test says not.
 *
 * A test includes it once. Fids follow nodes, as QEMU's follow renames; a removed node lives while fids name it.
 */
#pragma once
#include <stdlib.h>
#include "lib/base/bits.h"
#include "lib/ninep/client.h"
#include "lib/test/test.h"

enum { MOCK_NODES = 64, MOCK_FIDS = 4096, MOCK_BODY = 16384, MOCK_MESSAGES = 8, MOCK_FILE_BYTES = 65536 };

struct mock_node {
	bool is_used;
	int parent;                     /* -1: it has no name any more */
	char name[256];
	uint32_t mode, uid, gid, version;
	char *bytes;                    /* content, or a link's target */
	size_t length;
};

static struct mock {
	struct mock_node node[MOCK_NODES];
	int fid[MOCK_FIDS];             /* node, or -1 */
	struct mock_message { struct ninep_message m; bool is_busy; uint8_t head[NINEP_HEAD_BYTES], tail[NINEP_TAIL_BYTES], body[MOCK_BODY]; } message[MOCK_MESSAGES];
	uint32_t requests, fids_open;
	uint32_t write_most;            /* of one WRITE */
	/* Changes the answer (bytes of it in *bytes) before it is seen; NULL: honest. */
	void (*lie)(uint8_t type, uint8_t *answer, size_t *bytes);
	err_t broken;                   /* not OK: nothing can be sent */
	uint32_t fail_after;            /* the so-many-th request from now is not answered: broken; 0: none */
	bool fails_after_doing;         /* but done */
} mock;

static struct ninep_writer out;
static struct ninep_reader in;

static struct ninep_qid mock_qid(int n)
{
	uint32_t type = mock.node[n].mode & MODE_TYPE;
	return (struct ninep_qid){ .kind = type == MODE_DIRECTORY ? NINEP_KIND_DIRECTORY : type == MODE_SYMLINK ? NINEP_KIND_SYMLINK : 0, .path = (uint64_t)n + 100 };
}

static void mock_put_qid(int n)
{
	struct ninep_qid q = mock_qid(n);
	ninep_put(&out, q.kind, 1);
	ninep_put(&out, mock.node[n].version, 4);
	ninep_put(&out, q.path, 8);
}

static int mock_find(int dir, const char *name, size_t bytes)
{
	if (bytes == 2 && !memcmp(name, "..", 2))
		return mock.node[dir].parent < 0 ? dir : mock.node[dir].parent;
	for (int i = 1; i < MOCK_NODES; i++)
		if (mock.node[i].is_used && mock.node[i].parent == dir && strlen(mock.node[i].name) == bytes && !memcmp(mock.node[i].name, name, bytes))
			return i;
	return -1;
}

static int mock_make(int dir, const char *name, uint32_t mode)
{
	for (int i = 1; i < MOCK_NODES; i++)
		if (!mock.node[i].is_used) {
			mock.node[i] = (struct mock_node){ .is_used = true, .parent = dir, .mode = mode, .bytes = calloc(1, MOCK_FILE_BYTES) };
			strcpy(mock.node[i].name, name);
			return i;
		}
	test_fail(__FILE__, __LINE__, "the mock is full");
}

/* A node at a path of existing directories, for tests to begin with. */
static int mock_add(int dir, const char *name, uint32_t mode, const char *content)
{
	int n = mock_make(dir, name, mode);

	mock.node[n].length = strlen(content);
	memcpy(mock.node[n].bytes, content, mock.node[n].length);
	return n;
}

static int mock_fid(void)
{
	uint64_t f = ninep_get(&in, 4);

	CHECK(f < MOCK_FIDS);
	CHECK(mock.fid[f] >= 0);
	return mock.fid[f];
}

static void mock_name(char name[256])
{
	size_t bytes = ninep_get_string(&in, name, 255);

	CHECK(bytes > 0);
	name[bytes] = 0;
	CHECK(!strchr(name, '/'));
}

/* ---- Requests: an errno, or 0 ---- */

static int mock_walk(void)
{
	uint64_t f = ninep_get(&in, 4), new = ninep_get(&in, 4), count = ninep_get(&in, 2);
	char name[256];

	CHECK(f < MOCK_FIDS && new < MOCK_FIDS && mock.fid[f] >= 0 && mock.fid[new] < 0 && count <= 1);
	int n = mock.fid[f];
	if (count) {
		mock_name(name);
		if ((mock.node[n].mode & MODE_TYPE) != MODE_DIRECTORY)
			return 20;
		if ((n = mock_find(n, name, strlen(name))) < 0)
			return 2;
	}
	mock.fid[new] = n;
	mock.fids_open++;
	ninep_put(&out, count, 2);
	if (count)
		mock_put_qid(n);
	return 0;
}

static int mock_getattr(void)
{
	int n = mock_fid();

	ninep_put(&out, NINEP_ATTR_BASIC, 8);
	mock_put_qid(n);
	ninep_put(&out, mock.node[n].mode, 4);
	ninep_put(&out, mock.node[n].uid, 4);
	ninep_put(&out, mock.node[n].gid, 4);
	ninep_put(&out, 1, 8);
	ninep_put(&out, 0, 8);
	ninep_put(&out, mock.node[n].length, 8);
	for (int i = 0; i < 12; i++)
		ninep_put(&out, 512, 8);
	return 0;
}

static int mock_setattr(void)
{
	struct mock_node *n = &mock.node[mock_fid()];
	uint32_t valid = (uint32_t)ninep_get(&in, 4), mode = (uint32_t)ninep_get(&in, 4), uid = (uint32_t)ninep_get(&in, 4), gid = (uint32_t)ninep_get(&in, 4);
	uint64_t bytes = ninep_get(&in, 8);

	if (valid & NINEP_SET_MODE)
		n->mode = (n->mode & MODE_TYPE) | mode;
	if (valid & NINEP_SET_UID)
		n->uid = uid;
	if (valid & NINEP_SET_GID)
		n->gid = gid;
	if ((valid & NINEP_SET_SIZE) && bytes > MOCK_FILE_BYTES)
		return 28;
	if (valid & NINEP_SET_SIZE)
		n->length = bytes;
	return 0;
}

static int mock_new(uint32_t type)
{
	uint64_t f = type == MODE_FILE ? ninep_get(&in, 4) : 0;
	int dir = type == MODE_FILE ? mock.fid[f] : mock_fid();
	char name[256], target[4096];

	mock_name(name);
	size_t target_bytes = type == MODE_SYMLINK ? ninep_get_string(&in, target, 4095) : 0;
	uint32_t flags = type == MODE_FILE ? (uint32_t)ninep_get(&in, 4) : 0, mode = type == MODE_SYMLINK ? 0777 : (uint32_t)ninep_get(&in, 4);
	if (mock_find(dir, name, strlen(name)) >= 0) {
		CHECK(type != MODE_FILE || (flags & NINEP_OPEN_EXCLUSIVE));
		return 17;
	}
	int n = mock_make(dir, name, type | mode);
	memcpy(mock.node[n].bytes, target, target_bytes);
	mock.node[n].length = target_bytes;
	if (type == MODE_FILE)
		mock.fid[f] = n;
	mock_put_qid(n);
	if (type == MODE_FILE)
		ninep_put(&out, 0, 4);
	return 0;
}

static int mock_unlink(void)
{
	int dir = mock_fid();
	char name[256];

	mock_name(name);
	int n = mock_find(dir, name, strlen(name));
	if (n >= 0)
		mock.node[n].parent = -1;
	return n < 0 ? 2 : 0;
}

static int mock_rename(void)
{
	int from = mock_fid();
	char old[256], new[256];

	mock_name(old);
	int to = mock_fid();
	mock_name(new);
	int n = mock_find(from, old, strlen(old)), there = mock_find(to, new, strlen(new));
	if (n < 0)
		return 2;
	if (there >= 0)
		mock.node[there].parent = -1;
	mock.node[n].parent = to;
	strcpy(mock.node[n].name, new);
	return 0;
}

static int mock_link(void)
{
	int dir = mock_fid(), n = mock_fid();
	char name[256];

	mock_name(name);
	if (mock_find(dir, name, strlen(name)) >= 0)
		return 17;
	(void)mock_add(dir, name, mock.node[n].mode, "");
	return 0;
}

static int mock_readdir(void)
{
	int dir = mock_fid();
	uint64_t cookie = ninep_get(&in, 8), room = ninep_get(&in, 4);
	size_t start = out.bytes;

	ninep_put(&out, 0, 4);
	for (int i = (int)cookie; i < MOCK_NODES; i++) {
		struct mock_node *n = &mock.node[i];
		if (!n->is_used || n->parent != dir || i == 0)
			continue;
		if (out.bytes - start - 4 + 24 + strlen(n->name) > room)
			break;
		mock_put_qid(i);
		ninep_put(&out, (uint64_t)i + 1, 8);
		ninep_put(&out, n->mode >> 12, 1);
		ninep_put_string(&out, n->name, strlen(n->name));
	}
	struct ninep_writer count = { .at = out.at + start, .room = 4 };
	ninep_put(&count, out.bytes - start - 4, 4);
	return 0;
}

static int mock_read(void)
{
	struct mock_node *n = &mock.node[mock_fid()];
	uint64_t offset = ninep_get(&in, 8), bytes = ninep_get(&in, 4);

	bytes = offset < n->length ? MIN_OF(bytes, n->length - offset) : 0;
	ninep_put(&out, bytes, 4);
	memcpy(out.at + out.bytes, n->bytes + offset, bytes);
	out.bytes += bytes;
	return 0;
}

static int mock_write(const uint8_t *payload)
{
	struct mock_node *n = &mock.node[mock_fid()];
	uint64_t offset = ninep_get(&in, 8), bytes = ninep_get(&in, 4);

	if (mock.write_most)
		bytes = MIN_OF(bytes, (uint64_t)mock.write_most);
	if (!range_fits(offset, bytes, MOCK_FILE_BYTES))
		return 28;
	memcpy(n->bytes + offset, payload, bytes);
	n->length = MAX_OF(n->length, (size_t)(offset + bytes));
	ninep_put(&out, bytes, 4);
	return 0;
}

static int mock_clunk(void)
{
	uint64_t f = ninep_get(&in, 4);

	CHECK(f < MOCK_FIDS && mock.fid[f] >= 0);
	mock.fid[f] = -1;
	mock.fids_open--;
	return 0;
}

static int mock_answer(uint8_t type, struct ninep_message *m)
{
	switch (type) {
	case NINEP_VERSION:
		for (int i = 0; i < MOCK_FIDS; i++)
			mock.fid[i] = -1;
		mock.fids_open = 0;
		ninep_put(&out, MIN_OF(ninep_get(&in, 4), (uint64_t)MOCK_BODY), 4);
		ninep_put_string(&out, "9P2000.L", 8);
		return 0;
	case NINEP_ATTACH:
		mock.fid[ninep_get(&in, 4)] = 0;
		mock_put_qid(0);
		return 0;
	case NINEP_WALK: return mock_walk();
	case NINEP_GETATTR: return mock_getattr();
	case NINEP_SETATTR: return mock_setattr();
	case NINEP_LOPEN: {
		int n = mock_fid();
		if (ninep_get(&in, 4) & NINEP_OPEN_TRUNCATE)
			mock.node[n].length = 0;
		mock_put_qid(n);
		ninep_put(&out, 0, 4);
		return 0;
	}
	case NINEP_LCREATE: return mock_new(MODE_FILE);
	case NINEP_MKDIR: return mock_new(MODE_DIRECTORY);
	case NINEP_SYMLINK: return mock_new(MODE_SYMLINK);
	case NINEP_LINK: return mock_link();
	case NINEP_UNLINKAT: return mock_unlink();
	case NINEP_RENAMEAT: return mock_rename();
	case NINEP_READLINK: {
		int n = mock_fid();
		ninep_put_string(&out, mock.node[n].bytes, mock.node[n].length);
		return 0;
	}
	case NINEP_READDIR: return mock_readdir();
	case NINEP_READ: return mock_read();
	case NINEP_WRITE: return mock_write(m->body);
	case NINEP_CLUNK: return mock_clunk();
	case NINEP_FSYNC: return 0;
	case NINEP_STATFS:
		for (int i = 0; i < 15; i++)
			ninep_put(&out, 4096, 4);
		return 0;
	}
	test_fail(__FILE__, __LINE__, "the client sent type %d", type);
}

static void mock_header(uint8_t type, uint64_t tag)
{
	ninep_put(&out, 0, 4);
	ninep_put(&out, type, 1);
	ninep_put(&out, tag, 2);
}

/* ---- The carrier ---- */

static err_t mock_begin(void *carrier, struct ninep_message **m)
{
	(void)carrier;
	if (mock.broken)
		return mock.broken;
	for (int i = 0; i < MOCK_MESSAGES; i++) {
		struct mock_message *s = &mock.message[i];
		if (s->is_busy)
			continue;
		s->is_busy = true;
		s->m = (struct ninep_message){ .tag = (uint16_t)i, .head = s->head, .tail = s->tail, .body = s->body, .body_bytes = MOCK_BODY };
		*m = &s->m;
		return OK;
	}
	test_fail(__FILE__, __LINE__, "messages are not given back");
}

static void mock_end(void *carrier, struct ninep_message *m)
{
	(void)carrier;
	CHECK(((struct mock_message *)m)->is_busy);
	((struct mock_message *)m)->is_busy = false;
}

static err_t mock_transact(void *carrier, struct ninep_message *m)
{
	(void)carrier;
	bool fails = mock.fail_after && --mock.fail_after == 0;
	if (fails && !mock.fails_after_doing)
		return mock.broken = ERR_NODEV;
	mock.requests++;
	in = (struct ninep_reader){ .at = m->head, .bytes = m->head_used };
	uint64_t size = ninep_get(&in, 4);
	uint8_t type = (uint8_t)ninep_get(&in, 1);
	uint64_t tag = ninep_get(&in, 2);
	CHECK_EQ(size, m->head_used + (m->is_payload ? m->payload_bytes : 0));
	out = (struct ninep_writer){ .at = m->is_payload ? m->tail : m->body, .room = m->is_payload ? NINEP_TAIL_BYTES : MOCK_BODY };
	mock_header((uint8_t)(type + 1), tag);
	int number = mock_answer(type, m);
	CHECK(!in.is_short && !out.is_full);
	if (number) {
		out.bytes = 0;
		mock_header(NINEP_RLERROR, tag);
		ninep_put(&out, (uint64_t)number, 4);
	}
	struct ninep_writer bytes = { .at = out.at, .room = 4 };
	ninep_put(&bytes, out.bytes, 4);
	m->answer_bytes = out.bytes;
	if (mock.lie)
		mock.lie(type, out.at, &m->answer_bytes);
	return fails ? mock.broken = ERR_NODEV : OK;
}

static struct ninep *mock_client;

static void mock_post(void *carrier, struct ninep_message *m)
{
	if (mock_transact(carrier, m) == OK)
		ninep_posted(mock_client, m);
	mock_end(carrier, m);
}

static const struct ninep_carrier mock_carrier = { .begin = mock_begin, .transact = mock_transact, .post = mock_post, .end = mock_end };

/* Every test begins with this: an empty folder, and a client that has attached it. */
__attribute__((destructor)) static void mock_forget(void)
{
	for (int i = 0; i < MOCK_NODES; i++)
		free(mock.node[i].bytes);
	memset(&mock, 0, sizeof(mock));
}

static void mock_start(struct ninep *n)
{
	mock_client = n;
	CHECK_EQ(ninep_start(n, &mock_carrier, &mock, MOCK_BODY, 0), OK);
}

static void mock_setup(struct ninep *n)
{
	mock_forget();
	mock.node[0] = (struct mock_node){ .is_used = true, .parent = -1, .mode = MODE_DIRECTORY | 0755 };
	mock_start(n);
}
