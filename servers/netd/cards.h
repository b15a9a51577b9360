/* servers/netd/cards.h - which network cards there are: eth0, eth1... by their place among all (which is the order of PCI addresses). Pure. */
#pragma once
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

enum { CARDS_MAX = 32, INSTANCE_BYTES = 48, CARD_NAME_BYTES = 8 };

struct cards {
	struct card {
		char instance[INSTANCE_BYTES];  /* "": none */
		handle_t root;                  /* ours, of the driver's */
	} card[CARDS_MAX];                      /* by index */
	void (*close)(handle_t h);
};

/* root is the card's from now on, on OK. What had this instance or index before goes. INVAL: instance or index. */
err_t cards_attach(struct cards *c, const char *instance, size_t bytes, uint32_t index, handle_t root) NONNULL MUST_CHECK;
/* NOENT: nothing of this instance. */
err_t cards_detach(struct cards *c, const char *instance, size_t bytes) NONNULL MUST_CHECK;
/* The card that a reference begins with ("eth0/capture/96"), and *inner what follows after the slash. NULL: none. */
const struct card *cards_find(const struct cards *c, const char *ref, size_t bytes, const char **inner, size_t *inner_bytes) NONNULL;
/* "eth0\n" of each card; how many bytes there are, room or not. */
size_t cards_list(const struct cards *c, char *to, size_t room) NONNULL;
