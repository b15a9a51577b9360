/* servers/procd/procfs.h - the /proc file tree (scheme procfs:, file protocol).
 *
 * A node is named by a number that says everything about it, so an open file costs nothing here: no
 * memory, nothing to close. Texts are made when they are read. What another process has open (fd/N, cwd, root) is
 * given as a handle, without asking its server, who may never answer.
 */
#pragma once
#include "abi/proto/file.h"
#include "servers/procd/text.h"
#include "servers/procd/tree.h"

enum procfs_kind {
#define NODE(KIND, PARENT, name, mode, show, flags) PROCFS_##KIND,
#include "servers/procd/procfs_nodes.def"
#undef NODE
	PROCFS_KINDS
};

enum procfs_flags {
	PROCFS_OWNED = 1 << 0,          /* belongs to a process: its user's ids are the owner's */
	PROCFS_PRIVATE = 1 << 1,        /* only for root and a process of the same user */
	PROCFS_OF_THREAD = 1 << 2,      /* the number is a tid */
	PROCFS_OPENED = 1 << 3,         /* a link that stands for what the process has open */
};

/* A node with all that it needs; borrowed pointers, good until the tree changes. */
struct procfs_node {
	enum procfs_kind kind;
	uint32_t number;                /* pid or tid of what belongs to a process */
	struct process *process;        /* or NULL */
	handle_t fd;                    /* of PROCFS_FD, which has no number of its own: it is never open here */
};

struct procfs;
/* What a show function gets. */
struct procfs_view {
	struct procfs *procfs;
	struct tree *tree;
	struct procfs_node node;
	const struct sender *sender;
	struct text *text;
	struct task_info info;          /* of node.process; zeroes for a zombie's that cannot be had */
	err_t err;                      /* set by show when there is nothing to tell */
};

enum { PROCFS_NAME_MAX = 64, PROCFS_MOUNTS_MAX = 2048, PROCFS_CMDLINE_MAX = 512, PROCFS_BRAND_MAX = 48 };
struct procfs {
	struct tree *tree;
	char hostname[PROCFS_NAME_MAX + 1], domainname[PROCFS_NAME_MAX + 1];
	char boot_cmdline[PROCFS_CMDLINE_MAX];
	char mounts[PROCFS_MOUNTS_MAX];
	uint8_t boot_id[16];
	uint64_t started_ns;            /* CLOCK_REALTIME_NS at boot, for times of nodes */
};

void procfs_init(struct procfs *f, struct tree *t);

/* OPEN: what ref names, relative to node `at` (0: the root). The number is never 0. *forward: not HANDLE_NONE
 * when the client gets that handle instead, which is then the caller's. */
err_t procfs_open(struct procfs *f, const struct sender *sender, uint64_t at, const char *ref, size_t ref_bytes,
                  uint64_t open_flags, uint64_t *id, handle_t *forward) MUST_CHECK;
/* Bytes, or an error. */
int64_t procfs_read(struct procfs *f, const struct sender *sender, uint64_t id, uint64_t offset, void *to, size_t bytes);
int64_t procfs_write(struct procfs *f, const struct sender *sender, uint64_t id, uint64_t offset, const void *from, size_t bytes);
/* A code of the file protocol; what goes back is in out (at most out_bytes), *used of it. */
int64_t procfs_call(struct procfs *f, const struct sender *sender, uint64_t id, uint32_t code, uint64_t word,
                    const void *in, size_t in_bytes, void *out, size_t out_bytes, size_t *used);
