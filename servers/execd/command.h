/* servers/execd/command.h - the words of a command that came over the line. Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

struct command {
	const char **arguments;         /* argument_count, then NULL; heap */
	const char **environment;       /* environment_count, then NULL; behind arguments */
	uint32_t argument_count, environment_count;
	const char *folder;
	uint32_t flags, uid, gid;       /* flags: enum exec_flags */
	size_t pointer_bytes;
};

/* bytes: struct exec_command and its strings, which the command goes on pointing to. INVAL, NOMEM. */
err_t command_parse(const uint8_t *bytes, size_t count, struct command *out) NONNULL MUST_CHECK;
void command_free(struct command *c) NONNULL;
/* The value of NAME=value; NULL. */
const char *command_environment(const struct command *c, const char *name) NONNULL;
