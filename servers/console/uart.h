/* servers/console/uart.h - a 16550 serial port: 115200 baud, 8 bits, no parity, both FIFOs. */
#pragma once
#include <stdbool.h>
#include "lib/base/attr.h"
#include "servers/console/ports.h"

enum uart_event { UART_BYTE, UART_BREAK, UART_DAMAGED /* parity or framing */ };

struct uart {
	struct ports ports;
	bool is_present;
	uint8_t interrupts;             /* what IER holds */
	/* Who takes what arrives. take_room: is there room for another byte? */
	bool (*take_room)(struct uart *u);
	void (*take)(struct uart *u, enum uart_event event, uint8_t byte);
};

/* Finds out whether there is one, and sets it up; receive interrupts are on then. */
void uart_init(struct uart *u, const struct ports *ports, bool (*take_room)(struct uart *u),
               void (*take)(struct uart *u, enum uart_event event, uint8_t byte)) NONNULL;
/* Sends what the device takes now: how many. When it is not all of it, an interrupt will tell when to go on. */
size_t uart_write(struct uart *u, const uint8_t *bytes, size_t count) NONNULL;
/* After an interrupt, and when there is room again: takes what came. True: it can send again. */
bool uart_service(struct uart *u) NONNULL;
/* Does it hold back what came, for want of room? */
bool uart_is_held(const struct uart *u) NONNULL;
/* Has everything left the wire? */
bool uart_is_idle(const struct uart *u) NONNULL;
