/* bench/linux/rows.h - the tables of rows, one per subject, and what their files share. */
#pragma once
#include "bench/frame.h"
#include <stdbool.h>
#include <sys/types.h>

/* Each ends with a row without a name. */
extern const struct row call_rows[], talk_rows[], memory_rows[], process_rows[], file_rows[], wait_rows[], program_rows[], pair_rows[],
	disk_rows[];

/* The path of this program, for rows that execute it; with the argument "exit" it ends at once. */
extern const char *program_path;

/* Ends the program with what failed and errno's text. */
void fail(const char *what) __attribute__((noreturn));
#define REQUIRE(x) do { if (!(x)) fail(#x); } while (0)
/* Waits for a child that must have ended with status 0. */
void child_wait(pid_t child);
