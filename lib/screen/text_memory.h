/* lib/screen/text_memory.h - where a text screen lies (text.h): what the next instance of the program finds. Private to lib/screen.
 *
 * In TEXT_STEADY what counts is saved and then the log; the arena is only what they amount to. Else, while saving, the arena counts.
 */
#pragma once
#include "lib/screen/history.h"
#include "lib/screen/text.h"

#define TEXT_MEMORY_MAGIC 0x3130545845544143ull         /* "CATEXT01", little endian */

enum text_phase { TEXT_STEADY = 0, TEXT_SAVING = 1, TEXT_SAVED = 2 /* and the log is over */ };

struct text_memory {
	uint64_t magic;                 /* 0: never used */
	const void *self, *code;        /* the arena has pointers: it is of use only at the same address, to the same program */
	uint32_t phase, log_bytes;
	uint64_t arena_bytes, saved_bytes;      /* of which are in use */
	uint64_t saved_written, next_written;   /* text_written when the log began; in TEXT_SAVED: now */
	struct history_place saved_history;
	struct history history;
	uint8_t log[TEXT_LOG_BYTES];    /* pieces: a byte that says how many bytes follow */
	_Alignas(64) uint8_t saved[TEXT_ARENA_BYTES];
	_Alignas(64) uint8_t arena[TEXT_ARENA_BYTES];
};
