/* servers/execd/session.h - the guest's half of abi/proto/exec.h: frames, credit, order. Pure: bytes in, bytes out.
 *
 * main.c feeds what the line brings, sends what session_output has, and asks what may be moved. The host is trusted to
 * mean well, the line is not: anything that breaks a rule ends the connection (session_is_broken), and a HELLO begins a new one.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/proto/exec.h"
#include "lib/base/attr.h"

enum {
	SESSION_OUTPUT_BYTES = 32 * 1024, SESSION_STDIN_BYTES = 64 * 1024, SESSION_CHANNELS = 4,
	FRAME_MAX = sizeof(struct exec_frame) + EXEC_PAYLOAD_MAX,
};

enum session_state {
	SESSION_SILENT,                 /* the host has not answered HELLO yet (or again) */
	SESSION_COMMAND,                /* its command comes in pieces */
	SESSION_READY,                  /* the command is whole: run it */
	SESSION_RUNNING,                /* session_begin was called */
	SESSION_OVER,                   /* EXIT or FAILED is under way */
	SESSION_GOODBYE,                /* the host has it */
};

/* To the host. */
struct session_channel {
	uint64_t credit;                /* bytes the host still takes */
	bool is_closed;                 /* nobody reads it any more */
	bool has_ended;                 /* EOF was sent */
};

struct session {
	enum session_state state;
	bool is_broken;                 /* a rule was broken: end the command, if any; reset by session_hello */
	uint32_t signal;                /* to send to the command, 0 none; main.c clears it */
	struct session_channel channel[SESSION_CHANNELS];       /* [0] is not used */

	uint8_t frame[FRAME_MAX];       /* what came in of the present frame */
	size_t frame_used;

	uint8_t *command;               /* heap; EXEC_COMMAND_MAX of room */
	size_t command_bytes;

	uint8_t stdin_ring[SESSION_STDIN_BYTES];
	size_t stdin_head, stdin_used;
	uint64_t stdin_granted;         /* bytes the host may still send */
	size_t stdin_freed;             /* taken, not granted again yet */
	bool stdin_has_ended, stdin_is_closed;

	uint8_t output[SESSION_OUTPUT_BYTES];   /* ring of bytes for the line */
	size_t output_head, output_used;
};

/* NOMEM. */
err_t session_init(struct session *s) NONNULL MUST_CHECK;
void session_fini(struct session *s) NONNULL;
/* We can run commands: says HELLO. Also after is_broken. */
void session_hello(struct session *s) NONNULL;
/* Bytes from the line. */
void session_feed(struct session *s, const uint8_t *bytes, size_t count) NONNULL;
/* Bytes for the line: a piece of them, and how many of it went. */
size_t session_output(const struct session *s, const uint8_t **bytes) NONNULL;
void session_sent(struct session *s, size_t count) NONNULL;

/* The command is being run: standard input may come. */
void session_begin(struct session *s) NONNULL;
/* How many bytes of channel can be taken in now. */
size_t session_room(const struct session *s, enum exec_channel channel) NONNULL;
/* At most session_room bytes. */
void session_put(struct session *s, enum exec_channel channel, const uint8_t *bytes, size_t count) NONNULL;
/* The channel ends. */
void session_put_end(struct session *s, enum exec_channel channel) NONNULL;
/* What has come for standard input: a piece of it, and how much of it was taken. */
size_t session_stdin(const struct session *s, const uint8_t **bytes) NONNULL;
void session_stdin_taken(struct session *s, size_t count) NONNULL;
/* Nobody reads standard input any more. */
void session_stdin_close(struct session *s) NONNULL;
/* The end: all channels have ended. */
void session_exit(struct session *s, uint32_t status) NONNULL;
void session_fail(struct session *s, const char *why) NONNULL;
