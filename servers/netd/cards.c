/* servers/netd/cards.c - the list of cards. */
#include "servers/netd/cards.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"

static void drop(struct cards *c, struct card *card)
{
	if (card->instance[0])
		c->close(card->root);
	card->instance[0] = 0;
}

err_t cards_detach(struct cards *c, const char *instance, size_t bytes)
{
	for (uint32_t i = 0; i < CARDS_MAX; i++)
		if (c->card[i].instance[0] && string_is(instance, bytes, c->card[i].instance)) {
			drop(c, &c->card[i]);
			return OK;
		}
	return ERR_NOENT;
}

err_t cards_attach(struct cards *c, const char *instance, size_t bytes, uint32_t index, handle_t root)
{
	if (bytes == 0 || bytes >= INSTANCE_BYTES || index >= CARDS_MAX)
		return ERR_INVAL;
	(void)!cards_detach(c, instance, bytes);
	drop(c, &c->card[index]);
	string_copy_counted(c->card[index].instance, INSTANCE_BYTES, instance, bytes);
	c->card[index].root = root;
	return OK;
}

const struct card *cards_find(const struct cards *c, const char *ref, size_t bytes, const char **inner, size_t *inner_bytes)
{
	uint64_t index;
	const char *slash = memchr(ref, '/', bytes);
	size_t name = slash ? (size_t)(slash - ref) : bytes;

	if (name < 4 || memcmp(ref, "eth", 3) != 0 || number_parse(ref + 3, name - 3, 10, &index) || index >= CARDS_MAX || !c->card[index].instance[0])
		return NULL;
	/* One name for a card: eth00 is none. */
	if (ref[3] == '0' && name > 4)
		return NULL;
	*inner = slash ? slash + 1 : ref + bytes;
	*inner_bytes = bytes - (size_t)(*inner - ref);
	return &c->card[index];
}

size_t cards_list(const struct cards *c, char *to, size_t room)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < CARDS_MAX; i++)
		if (c->card[i].instance[0])
			bytes += fmt(to + (bytes < room ? bytes : room), bytes < room ? room - bytes : 0, "eth%u\n", i);
	return bytes;
}
