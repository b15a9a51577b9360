/* lib/tty/tty.h - the line discipline: what lies between a keyboard, a screen and a program.
 *
 * Plain data and functions; nothing here waits, allocates or sends. The owner (a server)
 *   feeds what was typed:           tty_input
 *   lets a program read:            tty_read, and again when input came or *deadline passed
 *   lets a program write:           tty_write, and again when output was taken
 *   takes what goes to the screen:  tty_output, tty_output_taken
 *   sends the signals that arose:   tty_take_signals, after each call that says "may signal"
 * A pseudo-terminal is the same with the master's side typing and taking.
 */
#pragma once
#include "abi/error.h"
#include "abi/proto/tty.h"
#include "lib/base/attr.h"
#include "lib/tty/termios.h"

enum {
	TTY_INPUT_BYTES = 4096,         /* a power of two; a line has at most one less */
	TTY_OUTPUT_BYTES = 8192,        /* a power of two */
	TTY_ECHO_RESERVE = 512,         /* of the output ring: programs leave this to echo */
};

struct tty {
	struct tty_modes modes;
	struct tty_size size;
	uint32_t session;               /* that it controls; 0 none */
	uint32_t foreground;            /* process group; 0 none */
	uint64_t signals;               /* bit n - 1: signal n is to be sent to the foreground group */
	bool hung_up;
	bool output_stopped;            /* by the STOP character */
	bool output_held;               /* by TTY_FLOW */
	bool input_stopped;             /* we sent STOP under IXOFF */
	bool literal_next;              /* VLNEXT was typed */
	bool packet;                    /* the master wants status bytes */
	uint8_t packet_status;          /* enum tty_packet, not yet read */

	/* Input: positions run on and are taken modulo the ring. read_at <= committed <=
	 * input_end; between the latter two lies the line being edited. Without
	 * ICANON nothing is edited and committed is not used. */
	uint8_t input[TTY_INPUT_BYTES];
	uint64_t line_end[TTY_INPUT_BYTES / 64];        /* bitmap: a line ends with this byte */
	uint64_t file_end[TTY_INPUT_BYTES / 64];        /* bitmap: an EOF stands here, not a byte */
	uint32_t read_at, committed, input_end;
	uint64_t last_input_ns;

	uint8_t output[TTY_OUTPUT_BYTES];
	uint32_t output_at, output_end;
	uint8_t urgent[2];              /* START or STOP for the other side; goes before all output */
	uint32_t urgent_bytes;
	uint32_t column;                /* of the cursor, as far as output processing knows */
	uint32_t line_column;           /* where the line being edited began */
};

/* One read that a program asked for, for MIN and TIME. */
struct tty_reader {
	uint64_t started_ns;
	bool nonblocking;
};

void tty_init(struct tty *t) NONNULL;

/* Typed (or sent by a pty's master). What does not fit is dropped, with a bell under
 * IMAXBEL; who can hold bytes back asks tty_input_room first. May signal. */
void tty_input(struct tty *t, const uint8_t *bytes, size_t count, uint64_t now_ns) NONNULL;
size_t tty_input_room(const struct tty *t) NONNULL;
void tty_input_break(struct tty *t, uint64_t now_ns) NONNULL;
/* A byte that arrived damaged (parity or framing). */
void tty_input_error(struct tty *t, uint8_t byte, uint64_t now_ns) NONNULL;

/* On OK *got bytes (0: end of file, or MIN 0). ERR_AGAIN: nothing yet; ask again at
 * *deadline_ns (perhaps DEADLINE_NONE) or after input. */
err_t tty_read(struct tty *t, uint8_t *out, size_t bytes, uint64_t now_ns,
               const struct tty_reader *reader, size_t *got, uint64_t *deadline_ns) NONNULL MUST_CHECK;
/* Takes as many of the bytes as there is room for. ERR_IO after a hangup. */
err_t tty_write(struct tty *t, const uint8_t *bytes, size_t count, size_t *taken) NONNULL MUST_CHECK;
/* READ, WRITE, HANGUP: what a program's poll finds. */
uint32_t tty_ready(const struct tty *t) NONNULL;
size_t tty_input_pending(const struct tty *t) NONNULL;

/* The next bytes for the screen: how many lie at *bytes, 0 when there are none or they
 * are stopped. Good until the next call. */
size_t tty_output(struct tty *t, const uint8_t **bytes) NONNULL;
void tty_output_taken(struct tty *t, size_t count) NONNULL;
size_t tty_output_pending(const struct tty *t) NONNULL;
/* What a pty's master reads: the same, with a status byte in packet mode. ERR_AGAIN: nothing. */
err_t tty_master_read(struct tty *t, uint8_t *out, size_t bytes, size_t *got) NONNULL MUST_CHECK;
bool tty_master_has_data(const struct tty *t) NONNULL;

void tty_set_modes(struct tty *t, const struct tty_modes *modes) NONNULL;
/* Signals SIGWINCH when it changed. */
void tty_set_size(struct tty *t, const struct tty_size *size) NONNULL;
void tty_set_packet(struct tty *t, bool on) NONNULL;
void tty_flush(struct tty *t, uint32_t what) NONNULL;
err_t tty_flow(struct tty *t, uint32_t what) NONNULL MUST_CHECK;
/* The line is gone: reads end, writes fail. Who is signalled is the owner's to decide. */
void tty_hangup(struct tty *t) NONNULL;
/* Signals to send to the foreground group, as a bitmap (bit n - 1); they are then forgotten. */
uint64_t tty_take_signals(struct tty *t) NONNULL MUST_CHECK;

/* Job control: OK, or ERR_BACKGROUND when the process is in the background of this,
 * its controlling terminal, and so must not do that (abi/proto/tty.def). */
enum tty_access { TTY_ACCESS_READ, TTY_ACCESS_WRITE, TTY_ACCESS_CHANGE };
err_t tty_check(const struct tty *t, uint32_t session, uint32_t group, enum tty_access access) NONNULL MUST_CHECK;
