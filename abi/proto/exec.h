/* abi/proto/exec.h - how `./cathode exec` on the host talks to execd in the guest, over COM2.
 *
 * Both directions carry frames: a struct exec_frame, little endian, then `bytes` bytes.
 *
 * Start: the line may hold garbage from firmware. execd, once it can run commands, sends HELLO. The
 * host drops everything until it has seen that frame's header and magic, and sends nothing before; then
 * it answers HELLO, and execd likewise drops what comes before that. From there on both are in step:
 * a frame that breaks a rule here ends the connection (host: status 125; execd: sends FAILED, waits for a HELLO).
 * A second HELLO of execd tells the host that execd was restarted and the command is lost.
 *
 * One command per boot: host HELLO, CREDIT for 1, 2 (and 3), COMMAND..., empty COMMAND; then DATA, EOF,
 * CREDIT, CLOSE both ways; execd ends with EXIT, after the DATA and EOF of all channels, and when
 * the host has answered GOODBYE it powers the machine off.
 *
 * Flow: on each channel the sender of DATA may have sent at most as many bytes as the reader granted by
 * CREDIT (it starts at 0, and credits add up). The reader grants no more than it can keep, so that a
 * slow one stops the writer and nobody else, and nothing is lost. CREDIT, EOF, CLOSE, SIGNAL and LOG need no credit.
 */
#pragma once
#include <stdint.h>

enum {
	EXEC_VERSION = 1,
	EXEC_PAYLOAD_MAX = 4096,        /* bytes of one frame's payload */
	EXEC_COMMAND_MAX = 256 * 1024,  /* bytes of all COMMAND payloads together */
	EXEC_CREDIT_MAX = 1 << 20,      /* bytes of credit outstanding on one channel */
};
#define EXEC_MAGIC "CathodeExecLink"            /* 16 bytes with its 0 */

enum exec_kind {
	EXEC_HELLO   = 1,       /* both: struct exec_hello */
	EXEC_COMMAND = 2,       /* to guest: the next piece of struct exec_command and its strings; empty: that was all, run it */
	EXEC_DATA    = 3,       /* both: 1 to EXEC_PAYLOAD_MAX bytes of the channel */
	EXEC_EOF     = 4,       /* both: the channel ends here; no DATA after it */
	EXEC_CREDIT  = 5,       /* both: uint32_t, so many more bytes of the channel may come */
	EXEC_CLOSE   = 6,       /* both: nobody reads the channel any more: stop sending, as a closed pipe would (SIGPIPE).
	                         * DATA already under way is dropped. */
	EXEC_SIGNAL  = 7,       /* to guest: uint32_t, a signal for the command's process group */
	EXEC_EXIT    = 8,       /* to host: uint32_t, exit status 0..255; 128 + signal for a killed command */
	EXEC_FAILED  = 9,       /* to host: text; the command could not even be tried (no memory, no personality...) */
	EXEC_LOG     = 10,      /* to host: text for the host's log file */
	EXEC_GOODBYE = 11,      /* to guest: EXIT or FAILED has arrived; power off */
};

enum exec_channel {
	EXEC_STDIN  = 0,        /* to guest */
	EXEC_STDOUT = 1,        /* to host */
	EXEC_STDERR = 2,        /* to host */
	EXEC_TRACE  = 3,        /* to host, with EXEC_WITH_TRACE: struct exec_trace, then what sys:trace reads,
	                         * struct trace_record after record */
};

struct exec_frame {
	uint8_t kind, channel;          /* channel is 0 where none is meant */
	uint16_t bytes;                 /* of the payload that follows */
};

struct exec_hello {
	char magic[16];
	uint32_t version, reserved;
};

#define EXEC_TRACE_MAGIC "CTRACE1"              /* 8 bytes with its 0 */

/* The first bytes on EXEC_TRACE. */
struct exec_trace {
	char magic[8];
	uint64_t ticks_per_second;      /* system_info.tsc_hz */
};

enum exec_flags {
	EXEC_WITH_TRACE = 1 << 0,       /* start sys:trace before the command, send it all on EXEC_TRACE before EXIT */
};

/* What COMMAND payloads put together are. The strings follow, each ended by a 0: arguments, environment
 * ("NAME=value"), working directory. The first argument is looked up in PATH as execvp does. A command that
 * is not found ends with EXIT 127, one that cannot be run with 126, both with a line on EXEC_STDERR. */
struct exec_command {
	uint32_t bytes;                 /* of struct and strings */
	uint32_t argument_count, environment_count;
	uint32_t flags;                 /* enum exec_flags */
	uint32_t uid, gid;
};
