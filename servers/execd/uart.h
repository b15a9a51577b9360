/* servers/execd/uart.h - a 16550 serial port, through handles of its ports.
 *
 * Registers: 16550D data sheet (PC16550D, section 8). The two handles name the same ports: `port` accesses one register
 * once per call; `fifo` moves many bytes through the data register in one.
 */
#pragma once
#include <stdbool.h>
#include "abi/types.h"
#include "lib/base/attr.h"

struct uart {
	handle_t port, fifo;
	bool has_transmit_interrupt;    /* as set in the chip */
};

enum { UART_FIFO_BYTES = 16, UART_TRIGGER_BYTES = 14 };

void uart_init(struct uart *u, handle_t port, handle_t fifo) NONNULL;
/* Is there something to receive? */
bool uart_has_data(struct uart *u) NONNULL;
/* At most UART_FIFO_BYTES that have come; 0: none. */
size_t uart_receive(struct uart *u, uint8_t to[UART_FIFO_BYTES]) NONNULL;
/* How many of bytes went: 0 while the chip is busy. */
size_t uart_send(struct uart *u, const uint8_t *bytes, size_t count) NONNULL;
/* Interrupt when the chip can take more? */
void uart_want_transmit(struct uart *u, bool wanted) NONNULL;
