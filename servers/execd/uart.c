/* servers/execd/uart.c */
#include "servers/execd/uart.h"
#include "lib/base/bits.h"
#include "lib/native/sys.h"

enum uart_register {
	REGISTER_DATA = 0, REGISTER_DIVISOR_LOW = 0, REGISTER_INTERRUPTS = 1, REGISTER_DIVISOR_HIGH = 1,
	REGISTER_IDENTITY = 2, REGISTER_FIFO = 2, REGISTER_LINE = 3, REGISTER_MODEM = 4, REGISTER_LINE_STATUS = 5,
};

enum {
	INTERRUPT_RECEIVED = 1, INTERRUPT_TRANSMIT = 2,
	IDENTITY_MASK = 0x0f, IDENTITY_TRIGGER = 0x04,
	FIFO_ENABLE_CLEAR_14 = 0xc7,
	LINE_8N1 = 0x03, LINE_DIVISOR = 0x80,
	MODEM_DTR_RTS_OUT2 = 0x0b,
	STATUS_DATA = 0x01, STATUS_TRANSMIT_EMPTY = 0x20,
};

static void put(struct uart *u, enum uart_register r, uint8_t value)
{
	sys_write(0, u->port, &value, 1, r);
}

static uint8_t get(struct uart *u, enum uart_register r)
{
	uint8_t value = 0;

	sys_read(0, u->port, &value, 1, r);
	return value;
}

void uart_init(struct uart *u, handle_t port, handle_t fifo)
{
	*u = (struct uart){ .port = port, .fifo = fifo };
	put(u, REGISTER_INTERRUPTS, 0);
	put(u, REGISTER_LINE, LINE_DIVISOR);
	put(u, REGISTER_DIVISOR_LOW, 1);        /* 115200 */
	put(u, REGISTER_DIVISOR_HIGH, 0);
	put(u, REGISTER_LINE, LINE_8N1);
	put(u, REGISTER_FIFO, FIFO_ENABLE_CLEAR_14);
	put(u, REGISTER_MODEM, MODEM_DTR_RTS_OUT2);
	put(u, REGISTER_INTERRUPTS, INTERRUPT_RECEIVED);
}

bool uart_has_data(struct uart *u)
{
	return get(u, REGISTER_LINE_STATUS) & STATUS_DATA;
}

size_t uart_receive(struct uart *u, uint8_t to[UART_FIFO_BYTES])
{
	/* At the trigger level a known number is there: one call fetches them. */
	if ((get(u, REGISTER_IDENTITY) & IDENTITY_MASK) == IDENTITY_TRIGGER) {
		int64_t n = sys_read(0, u->fifo, to, UART_TRIGGER_BYTES, REGISTER_DATA);
		return n > 0 ? (size_t)n : 0;
	}
	size_t n = 0;
	while (n < UART_FIFO_BYTES && uart_has_data(u))
		to[n++] = get(u, REGISTER_DATA);
	return n;
}

size_t uart_send(struct uart *u, const uint8_t *bytes, size_t count)
{
	if (count == 0 || !(get(u, REGISTER_LINE_STATUS) & STATUS_TRANSMIT_EMPTY))
		return 0;
	int64_t n = sys_write(0, u->fifo, bytes, MIN_OF(count, (size_t)UART_FIFO_BYTES), REGISTER_DATA);
	return n > 0 ? (size_t)n : 0;
}

void uart_want_transmit(struct uart *u, bool wanted)
{
	if (wanted == u->has_transmit_interrupt)
		return;
	u->has_transmit_interrupt = wanted;
	put(u, REGISTER_INTERRUPTS, INTERRUPT_RECEIVED | (wanted ? INTERRUPT_TRANSMIT : 0));
}
