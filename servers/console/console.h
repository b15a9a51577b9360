/* servers/console/console.h - the console: the terminal at the other end of a serial line. Without one its output goes nowhere. */
#pragma once
#include "lib/tty/serve.h"
#include "servers/console/options.h"
#include "servers/console/uart.h"

enum { CONSOLE_MAJOR = 5, CONSOLE_MINOR = 1, CONSOLE_TYPED_MAX = 256 };

/* What an instance leaves for the next one, in the supervisor's memory. The next one trusts it no more than it must. */
#define CONSOLE_STATE_MAGIC 0x31454c4f534e4f43ull       /* "CONSOLE1", little endian; 0: nothing was left */
struct console_state {
	uint64_t magic;
	struct tty_modes modes;
	struct tty_size size;
	uint32_t session, foreground;
	uint32_t mode, uid, gid, reserved;
};

struct console {
	struct tty_served served;
	struct scheme *scheme;
	struct uart uart;
	struct server_timer drain_timer;
	bool is_drain_due;
	uint8_t typed[CONSOLE_TYPED_MAX];       /* from the serial line, on its way */
	size_t typed_bytes;
	struct console_state *state;            /* where to leave it; NULL: nowhere */
};

/* Without devices at first: all output is lost then. */
void console_init(struct console *c, struct scheme *scheme, const struct tty_outside *outside) NONNULL;
void console_add_serial(struct console *c, const struct ports *ports) NONNULL;
/* Once all devices are there. */
void console_set_size(struct console *c, const struct options *o) NONNULL;
/* Once the size is set: goes on as the state says, if it says something, and keeps it up to date from now on. */
void console_keep_state(struct console *c, struct console_state *state) NONNULL;
/* After the device's interrupt. */
void console_serial_service(struct console *c) NONNULL;
extern const struct scheme_ops console_ops;    /* scheme->context is the struct console */
