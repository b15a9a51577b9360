/* servers/console/uart.c - see the data sheet of the 16550 (PC16550D): registers and bits have its names. */
#include "servers/console/uart.h"

enum { RBR = 0, THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7, DLL = 0, DLM = 1 };
enum { IER_RECEIVE = 1, IER_TRANSMIT = 2, IER_LINE = 4 };
enum { IIR_NONE = 1 };
enum { LCR_8N1 = 3, LCR_DIVISOR = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT2 = 8 /* lets interrupts out on a PC */ };
enum { LSR_DATA = 1, LSR_PARITY = 4, LSR_FRAMING = 8, LSR_BREAK = 0x10, LSR_THR_EMPTY = 0x20, LSR_IDLE = 0x40 };
/* FIFOs on and emptied, receive interrupts at 8 bytes (or after a pause). */
enum { FCR_SETUP = 0x87, FIFO_BYTES = 16 };
/* No device keeps interrupting or sending longer than that in one go. */
enum { SERVICE_MAX = 4096 };

static void set_interrupts(struct uart *u, uint8_t interrupts)
{
	if (interrupts == u->interrupts)
		return;
	u->interrupts = interrupts;
	port_out8(&u->ports, IER, interrupts);
}

/* The scratch register keeps what is written; an empty bus does not. */
static bool is_there(const struct ports *p)
{
	port_out8(p, SCR, 0x5a);
	if (port_in8(p, SCR) != 0x5a)
		return false;
	port_out8(p, SCR, 0xa5);
	return port_in8(p, SCR) == 0xa5;
}

void uart_init(struct uart *u, const struct ports *ports, bool (*take_room)(struct uart *u),
               void (*take)(struct uart *u, enum uart_event event, uint8_t byte))
{
	*u = (struct uart){ .ports = *ports, .take_room = take_room, .take = take };
	u->is_present = is_there(ports);
	if (!u->is_present)
		return;
	port_out8(ports, IER, 0);
	port_out8(ports, LCR, LCR_DIVISOR);
	port_out8(ports, DLL, 1);
	port_out8(ports, DLM, 0);
	port_out8(ports, LCR, LCR_8N1);
	port_out8(ports, FCR, FCR_SETUP);
	port_out8(ports, MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	(void)port_in8(ports, LSR);
	(void)port_in8(ports, MSR);
	set_interrupts(u, IER_RECEIVE | IER_LINE);
}

size_t uart_write(struct uart *u, const uint8_t *bytes, size_t count)
{
	size_t done = 0;

	while (done < count && (port_in8(&u->ports, LSR) & LSR_THR_EMPTY)) {
		size_t chunk = count - done < FIFO_BYTES ? count - done : FIFO_BYTES;

		u->ports.out_many(&u->ports, THR, bytes + done, chunk);
		done += chunk;
	}
	set_interrupts(u, done < count ? u->interrupts | IER_TRANSMIT : u->interrupts & (uint8_t)~IER_TRANSMIT);
	return done;
}

static void take_byte(struct uart *u, uint8_t status)
{
	uint8_t byte = port_in8(&u->ports, RBR);

	if (status & LSR_BREAK)
		u->take(u, UART_BREAK, 0);
	else
		u->take(u, status & (LSR_PARITY | LSR_FRAMING) ? UART_DAMAGED : UART_BYTE, byte);
}

/* Takes what came while there is room; what does not fit stays in the FIFO, whose interrupt is then off. */
static bool receive(struct uart *u, uint8_t *status)
{
	for (int i = 0; i < SERVICE_MAX; i++) {
		*status = port_in8(&u->ports, LSR);
		if (!(*status & LSR_DATA)) {
			set_interrupts(u, u->interrupts | IER_RECEIVE);
			return true;
		}
		if (!u->take_room(u))
			break;
		take_byte(u, *status);
	}
	set_interrupts(u, u->interrupts & (uint8_t)~IER_RECEIVE);
	return false;
}

bool uart_service(struct uart *u)
{
	uint8_t status = 0;

	if (!u->is_present)
		return false;
	(void)receive(u, &status);
	(void)port_in8(&u->ports, IIR);
	(void)port_in8(&u->ports, MSR);
	return status & LSR_THR_EMPTY;
}

bool uart_is_held(const struct uart *u)
{
	return u->is_present && !(u->interrupts & IER_RECEIVE);
}

bool uart_is_idle(const struct uart *u)
{
	return !u->is_present || (port_in8(&u->ports, LSR) & LSR_IDLE);
}
