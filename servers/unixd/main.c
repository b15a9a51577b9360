/* servers/unixd/main.c - serves unix:, the names of sockets that are no files.
 *
 * It only introduces: a name stands for a write end of the listening socket's pipe, and what connects to that
 * needs no server any more. So when this one is restarted only names are lost, no connection.
 */
#include "abi/proto/kernel.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/unixd/names.h"

static struct names names;

/* A socket is gone when nobody reads its pipe. */
static bool is_alive(handle_t socket)
{
	int64_t ends = sys_call(REQUEST_KERNEL, socket, pack_handle(PIPE_ENDS, HANDLE_NONE, false), NULL, 0, NULL, 0, 0);

	return ends >= 0 && (uint32_t)ends != 0;
}

static int64_t unix_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	(void)ref, (void)open_flags, (void)mode;
	if (ref_bytes > 0)
		return ERR_NOENT;
	r->opened = &names;     /* all opens are alike */
	return OK;
}

static err_t unix_revive(struct scheme_request *r)
{
	r->opened = &names;
	return OK;
}

static int64_t bind_name(struct scheme_request *r)
{
	const struct name *n;
	err_t err;

	if (r->passed == HANDLE_NONE || !is_alive(r->passed))
		return ERR_INVAL;
	if ((err = names_add(&names, (const char *)r->in, r->in_bytes, r->message->sender.uid, r->passed, &n)))
		return err;
	scheme_take_handle(r);
	if ((err = scheme_out(r, n->text, n->bytes)))
		return err;
	return n->bytes;
}

static int64_t unix_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	(void)word;
	if (r->in_bytes > PIPE_NAME_MAX)
		return ERR_INVAL;
	switch (code) {
	case UNIX_BIND:
		return bind_name(r);
	case UNIX_FIND:
		r->reply_flags = REPLY_HANDLE | REPLY_COPY_HANDLE;
		return names_find(&names, (const char *)r->in, r->in_bytes, &r->reply_handle);
	default:
		return ERR_NOTTY;
	}
}

static const struct scheme_ops unix_ops = { .open = unix_open, .revive = unix_revive, .call = unix_call, .needs_sender = true };

int program_main(const struct startup *startup)
{
	static struct server server;
	static struct scheme scheme;
	err_t err;

	(void)startup;
	names_init(&names, is_alive, handle_close);
	if (!(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &unix_ops, NULL)))
		err = server_run(&server);
	print("unixd: ended with error %d\n", -err);
	return 1;
}
