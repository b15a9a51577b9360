/* personality/linux/exec.h - replacing the program. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"
#include "personality/linux/bulk.h"
#include "personality/linux/process.h"

enum {
	EXEC_STRINGS_BYTES = 2 << 20,   /* arguments and environment together */
	EXEC_STRINGS_FEW = 16 << 10,    /* what they mostly fit in */
	EXEC_TEXT_BYTES = 12 * LINUX_PATH_MAX - sizeof(struct bulk),    /* the paths on the way */
	EXEC_STRING_MAX = 128 << 10,    /* one of them */
	EXEC_INTERPRETER_DEPTH = 5,
	EXEC_BUFFER_BYTES = 64 << 10,
	EXEC_START_BYTES = 4096,        /* of a file: its headers or its #! line */
	EXEC_START_SHORT = 1024,        /* what is read first: it mostly does */
};

/* A program being put together: lives in area memory, since it is too big for the stack. What is mostly short lies close together,
 * for every page of it costs. */
struct exec_plan {
	const char *path;               /* what to open */
	const char *name;               /* AT_EXECFN: as it was first asked for */
	const char *absolute;           /* /proc/self/exe */
	const uint64_t *elevated;       /* it has more than its starter's ids: enum startup_word's words of what was looked at; or NULL */
	uint32_t argument_count, environment_count;
	size_t arguments_bytes, environment_bytes;
	size_t text_bytes;              /* used of text */
	struct bulk todo;               /* in the new space */
	char *strings;                  /* arguments, then environment: in few, or in p->scratch_strings */
	char text[EXEC_TEXT_BYTES];     /* the above, one after another */
	char few[EXEC_STRINGS_FEW];
	union {
		char start[EXEC_START_BYTES] ALIGNED(16);       /* a file's first bytes */
		char buffer[EXEC_BUFFER_BYTES] ALIGNED(16);     /* what is copied into the new space, later */
	};
};

/* Space for a plan, kept as p->scratch until exec_plan_free. NOMEM. */
err_t exec_plan_create(struct process *p, struct exec_plan **out) NONNULL MUST_CHECK;
void exec_plan_free(struct process *p) NONNULL;
/* A copy of this in plan->text. NULL: too many and long ones. */
const char *exec_keep(struct exec_plan *plan, const char *text, size_t bytes) NONNULL MUST_CHECK;
/* Adds a string of ours to the arguments or, after those, the environment. 2BIG, NOMEM. */
int64_t exec_add(struct process *p, struct exec_plan *plan, bool is_environment, const char *string) NONNULL MUST_CHECK;
/* Executes plan->path with its strings: returns only on failure (the plan is still there). file: opened already, or HANDLE_NONE; eaten. */
int64_t exec_run(struct thread *t, struct exec_plan *plan, handle_t file) NONNULL;

/* Splits a #! line in the first bytes of a file (0-ended in place). False: it is none, or not a usable one (*broken). Pure. */
bool exec_parse_script(char *start, size_t bytes, char **interpreter, char **argument, bool *is_broken) NONNULL MUST_CHECK;

/* From entry.S: the new program's first steps, on its thread's own stack. */
void exec_finish(struct thread *t, uint64_t alarm_due_ns, uint64_t alarm_period_ns) NONNULL;
