/* servers/netd/main.c - serves ethernet: by handing out handles of the drivers' own: no frame comes here. */
#include "abi/proto/ethernet.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/base/try.h"
#include "lib/native/attached.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/scheme/scheme.h"
#include "servers/netd/cards.h"

enum { REF_BYTES = 32 };

static struct cards cards = { .close = handle_close };

static int64_t netd_open(struct scheme_request *r, const char *ref, size_t ref_bytes, uint32_t open_flags, uint32_t mode)
{
	const char *inner;
	size_t inner_bytes;
	char text[REF_BYTES];

	(void)mode;
	open_flags &= OPEN_READ | OPEN_WRITE;
	if (ref_bytes == 0) {
		r->opened = &cards;     /* all opens of the list are alike */
		r->reply_flags = REPLY_SEEKABLE;
		return OK;
	}
	const struct card *card = cards_find(&cards, ref, ref_bytes, &inner, &inner_bytes);
	if (!card || inner_bytes >= sizeof(text))
		return ERR_NOENT;
	/* Who sees frames, or sends some, can do so in everybody's name. */
	if ((open_flags || inner_bytes) && r->message->sender.uid != 0)
		return ERR_ACCES;
	string_copy_counted(text, sizeof(text), inner, inner_bytes);
	TRY(handle_open_at(card->root, text, open_flags, &r->reply_handle));
	r->reply_flags = REPLY_FORWARD;
	return OK;
}

static err_t netd_revive(struct scheme_request *r)
{
	r->opened = &cards;
	return OK;
}

static int64_t netd_read(struct scheme_request *r, size_t bytes, uint64_t offset)
{
	char text[CARDS_MAX * CARD_NAME_BYTES];
	size_t length = cards_list(&cards, text, sizeof(text));

	if (offset >= length)
		return 0;
	bytes = MIN_OF(MIN_OF(bytes, r->out_room), length - offset);
	memcpy(r->out, text + offset, bytes);
	return (int64_t)bytes;
}

static err_t attach(const char *instance, size_t bytes, uint32_t index, handle_t root)
{
	handle_t own;
	err_t err;

	TRY(handle_dup(root, RIGHT_ALL, &own));
	if ((err = cards_attach(&cards, instance, bytes, index, own)))
		handle_close(own);
	return err;
}

static int64_t netd_call(struct scheme_request *r, uint32_t code, uint64_t word)
{
	if (code != ATTACH && code != DETACH)
		return ERR_NOTTY;
	if (r->message->sender.uid != 0)
		return ERR_PERM;
	if (code == DETACH)
		return cards_detach(&cards, (const char *)r->in, r->in_here);
	return r->passed == HANDLE_NONE ? ERR_INVAL : attach((const char *)r->in, r->in_here, (uint32_t)MIN_OF(word, (uint64_t)UINT32_MAX), r->passed);
}

static const struct scheme_ops netd_ops = { .open = netd_open, .revive = netd_revive, .read = netd_read, .call = netd_call, .needs_sender = true };

int program_main(const struct startup *startup)
{
	static struct server server;
	static struct scheme scheme;
	err_t err;

	(void)startup;
	attached_take(attach);
	if (!(err = server_init(&server)) && !(err = server_add_scheme(&server, &scheme, NULL, &netd_ops, NULL)))
		err = server_run(&server);
	print("netd: ended with error %d\n", -err);
	return 1;
}
