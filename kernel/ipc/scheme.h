/* kernel/ipc/scheme.h - endpoints of user schemes: clients' requests, a server that takes
 * them, reads and writes the client's buffers while they are open, and answers.
 *
 * A request lives on its client's kernel stack and is found by its tag (slot + generation), so nothing is
 * allocated for it, and a late answer to a reused slot is refused. A killed client takes its request away, and the server is told.
 */
#pragma once
#include "abi/error.h"
#include "abi/types.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"

struct memobj;
struct process;
struct request;
struct resource;
struct serve;

/* A new endpoint, as a resource: it can be served, bound to names and opened. enum scheme_flags. beside: not NULL, one in whose group it is
 * to be: who serves one serves all. NOMEM; INVAL: no such flags, or other ones than that group's; NOTTY: beside is no endpoint. */
err_t scheme_create(struct resource *beside, uint32_t scheme_flags, struct resource **out) MUST_CHECK;

/* The server's operations on an endpoint. Results as in abi/ops.def; of struct serve each uses its part. */
int64_t scheme_reply(struct resource *endpoint, const struct serve *answer) NONNULL;
/* Answers (unless the tag is 0) and receives; goes straight to the client when nothing else waits. */
int64_t scheme_receive(struct resource *endpoint, const struct serve *serve, uint32_t request_flags) NONNULL;
int64_t scheme_copy(struct resource *endpoint, struct request *q) NONNULL;
int64_t scheme_notify(struct resource *endpoint, struct request *q) NONNULL;

/* Asks endpoint's server for the page at offset of what it knows as id, into a kernel page. IO when the answer is short. */
err_t scheme_ask_page(struct resource *endpoint, uint64_t id, uint64_t offset, void *page) NONNULL MUST_CHECK;
bool scheme_is_endpoint(struct resource *r) NONNULL;

/* A process that served has ended: what it had taken is given to the next server or fails. */
void scheme_server_gone(struct process *p) NONNULL;
