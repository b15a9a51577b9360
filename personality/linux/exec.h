/* personality/linux/exec.h - replacing the program. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "lib/base/attr.h"
#include "personality/linux/process.h"

enum {
	EXEC_STRINGS_BYTES = 2 << 20,   /* arguments and environment together */
	EXEC_STRING_MAX = 128 << 10,    /* one of them */
	EXEC_INTERPRETER_DEPTH = 5,
	EXEC_BUFFER_BYTES = 64 << 10,
	EXEC_START_BYTES = 4096,        /* of a file: its headers or its #! line */
};

/* What the old image writes into the new space for exec_entry (entry.S) to find. */
struct exec_block {
	struct process_kept kept;
	uint32_t pid;
	bool ids_known;
	struct process_ids ids;
	uint64_t entry, stack;          /* where the program starts */
	uint64_t brk_start, map_hint, area_next;
	uint64_t mask, ignored;         /* signals */
	uint64_t alarm_due_ns, alarm_period_ns;
	uint64_t block_bytes;           /* mapped for this block and the stack above it */
	char name[16];
	char path[LINUX_PATH_MAX];
};

/* A program being put together: lives in area memory, since it is too big for the stack. */
struct exec_plan {
	char path[LINUX_PATH_MAX];              /* what to open */
	char name[LINUX_PATH_MAX];              /* AT_EXECFN: as it was first asked for */
	char start[EXEC_START_BYTES];           /* the file's first bytes */
	char interpreter[LINUX_PATH_MAX];       /* PT_INTERP */
	char absolute[LINUX_PATH_MAX];          /* /proc/self/exe */
	char buffer[EXEC_BUFFER_BYTES] ALIGNED(16);     /* what is copied into the new space */
	uint32_t argument_count, environment_count;
	size_t arguments_bytes, environment_bytes;
	char arguments[EXEC_STRINGS_BYTES];
	char environment[EXEC_STRINGS_BYTES];
};

/* Space for a plan, kept as p->scratch until exec_plan_free. NOMEM. */
err_t exec_plan_create(struct process *p, struct exec_plan **out) NONNULL MUST_CHECK;
void exec_plan_free(struct process *p) NONNULL;
/* Adds a string of ours to the arguments or the environment. 2BIG. */
int64_t exec_add(struct exec_plan *plan, bool is_environment, const char *string) NONNULL MUST_CHECK;
/* Executes plan->path with its strings: returns only on failure (the plan is still there). file: opened already, or HANDLE_NONE; eaten. */
int64_t exec_run(struct thread *t, struct exec_plan *plan, handle_t file) NONNULL;

/* Splits a #! line in the first bytes of a file (0-ended in place). False: it is none, or not a usable one (*broken). Pure. */
bool exec_parse_script(char *start, size_t bytes, char **interpreter, char **argument, bool *is_broken) NONNULL MUST_CHECK;

/* From entry.S, first in the new space: the new thread block; then, on its stack. */
struct thread *exec_main(struct exec_block *block);
void exec_finish(struct thread *t, struct exec_block *block);
