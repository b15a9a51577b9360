/* personality/linux/execstack.h - the first bytes on a new program's stack. Pure.
 *
 * From the stack pointer up: argc, argv, NULL, envp, NULL, auxiliary vector; then strings up to the top.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "lib/base/attr.h"

enum { EXEC_AUX_MAX = 32, EXEC_RANDOM_BYTES = 16 };

struct exec_aux { uint64_t key, value; };

struct exec_stack {
	const char *arguments;          /* strings one after another, each with its 0 */
	size_t arguments_bytes;
	uint32_t argument_count;
	const char *environment;
	size_t environment_bytes;
	uint32_t environment_count;
	const char *path;               /* AT_EXECFN */
	uint8_t random[EXEC_RANDOM_BYTES];
	struct exec_aux aux[EXEC_AUX_MAX];      /* without those that point to the stack, and AT_NULL */
	uint32_t aux_count;
};

/* How many bytes it takes at most. */
size_t exec_stack_bytes(const struct exec_stack *s) NONNULL;
/* Builds it for a stack that ends at top, in the last bytes of image (bytes long, as if it ended at top).
 * *sp is the stack pointer: top - *sp bytes at the end of image are filled. 2BIG: it does not fit. */
err_t exec_stack_build(const struct exec_stack *s, uint64_t top, char *image, size_t bytes, uint64_t *sp) NONNULL MUST_CHECK;
