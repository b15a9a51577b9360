/* tests/native/grouping.h - what the test programs of groups share. */
#pragma once
#include "lib/native/handle.h"
#include "tests/native/tap.h"

static handle_t one, two;               /* endpoints of a group */
static handle_t reader, writer;         /* a pipe that is watched */

static void pipe_fill(void) { CHECK(handle_write(writer, "x", 1) == OK); }

static void pipe_open(void)
{
	CHECK(handle_open("pipe", "", OPEN_READ, &reader) == OK);
	CHECK(handle_open_at(reader, "write", OPEN_WRITE, &writer) == OK);
}
