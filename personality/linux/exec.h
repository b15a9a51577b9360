/* personality/linux/exec.h - replacing the program. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "personality/linux/process.h"

enum { EXEC_ARGUMENTS_MAX_BYTES = 2 << 20, EXEC_STRING_MAX_BYTES = 128 << 10, EXEC_INTERPRETER_DEPTH = 4 };

/* What the old image writes into the new space for exec_entry (entry.S) to find. */
struct exec_block {
	struct process_kept kept;
	uint64_t entry, stack;          /* where the program starts */
	uint64_t brk_start, map_hint;
	uint64_t mask, ignored;         /* signals */
	uint64_t alarm_due_ns, alarm_period_ns;
	char name[16];
	char path[LINUX_PATH_MAX];
};

/* Strings of argv or envp, already in our memory, one after another. */
struct exec_strings {
	char *bytes;                    /* area memory */
	size_t used, capacity;
	uint32_t count;
};

/* Executes path. On success it does not return. Takes neither strings nor path over. */
int64_t exec_program(struct thread *t, const char *path, struct exec_strings *arguments, struct exec_strings *environment, handle_t file_or_none);
/* Adds a string (without its 0). E2BIG. */
int64_t exec_strings_add(struct exec_strings *s, const char *string, size_t bytes);
/* From entry.S: the first thing in the new space. */
void exec_main(struct exec_block *block);
