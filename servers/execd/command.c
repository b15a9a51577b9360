/* servers/execd/command.c */
#include "servers/execd/command.h"
#include "abi/proto/exec.h"
#include "lib/base/string.h"
#include "lib/native/heap.h"

/* The next string; NULL: it does not end. */
static const char *string_next(const char **at, const char *end)
{
	const char *s = *at, *zero = memchr(s, 0, (size_t)(end - s));

	if (!zero)
		return NULL;
	*at = zero + 1;
	return s;
}

static bool strings_take(const char **to, uint32_t count, const char **at, const char *end)
{
	for (uint32_t i = 0; i < count; i++)
		if (!(to[i] = string_next(at, end)))
			return false;
	to[count] = NULL;
	return true;
}

err_t command_parse(const uint8_t *bytes, size_t count, struct command *out)
{
	struct exec_command head;

	if (count < sizeof head)
		return ERR_INVAL;
	memcpy(&head, bytes, sizeof head);
	/* Each string has at least its 0, so that counts beyond the bytes are wrong without further ado. */
	if (head.bytes != count || head.argument_count == 0 || head.argument_count > count || head.environment_count > count)
		return ERR_INVAL;
	struct command c = {
		.argument_count = head.argument_count, .environment_count = head.environment_count,
		.flags = head.flags, .uid = head.uid, .gid = head.gid,
		.pointer_bytes = ((size_t)head.argument_count + head.environment_count + 2) * sizeof(char *),
	};
	if (!(c.arguments = heap_alloc(c.pointer_bytes)))
		return ERR_NOMEM;
	c.environment = c.arguments + c.argument_count + 1;
	const char *at = (const char *)bytes + sizeof head, *end = (const char *)bytes + count;
	if (!strings_take(c.arguments, c.argument_count, &at, end) || !strings_take(c.environment, c.environment_count, &at, end) ||
	    !(c.folder = string_next(&at, end))) {
		command_free(&c);
		return ERR_INVAL;
	}
	*out = c;
	return OK;
}

void command_free(struct command *c)
{
	heap_free(c->arguments, c->pointer_bytes);
	c->arguments = NULL;
}

const char *command_environment(const struct command *c, const char *name)
{
	size_t bytes = strlen(name);

	for (uint32_t i = 0; i < c->environment_count; i++)
		if (strncmp(c->environment[i], name, bytes) == 0 && c->environment[i][bytes] == '=')
			return c->environment[i] + bytes + 1;
	return NULL;
}
