/* servers/console/uart_test.c - the driver against a 16550 made of plain C. */
#include "lib/test/test.h"
#include "servers/console/uart.h"

static struct {
	uint8_t reg[8], divisor[2];
	uint8_t received[256];
	size_t received_at, received_end;
	char sent[1024];
	size_t sent_bytes, send_room;   /* bytes until the transmitter is busy */
	uint8_t error;                  /* LSR bits of the next byte */
	bool is_absent;
} chip;

static uint32_t chip_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p;
	CHECK_EQ(bytes, 1);
	if (chip.is_absent)
		return 0xff;
	if (offset == 0)
		return chip.received_at < chip.received_end ? chip.received[chip.received_at++] : 0;
	if (offset == 5)
		return (chip.received_at < chip.received_end ? 1u | chip.error : 0) | (chip.send_room > 0 ? 0x60 : 0);
	return chip.reg[offset];
}

static void chip_out(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value)
{
	(void)p;
	CHECK_EQ(bytes, 1);
	if (offset < 2 && (chip.reg[3] & 0x80))
		chip.divisor[offset] = (uint8_t)value;
	else
		chip.reg[offset] = (uint8_t)value;
}

static void chip_out_many(const struct ports *p, uint32_t offset, const uint8_t *bytes, size_t count)
{
	(void)p;
	CHECK_EQ(offset, 0);
	CHECK(count <= 16);
	CHECK(chip.send_room > 0);
	memcpy(chip.sent + chip.sent_bytes, bytes, count);
	chip.sent_bytes += count;
	chip.send_room = chip.send_room > count ? chip.send_room - count : 0;
}

static const struct ports ports = { .in = chip_in, .out = chip_out, .out_many = chip_out_many };
static struct uart uart;
static char taken[256];
static size_t taken_count, room;
static enum uart_event last_event;

static bool take_room(struct uart *u) { (void)u; return taken_count < room; }
static void take(struct uart *u, enum uart_event event, uint8_t byte)
{
	(void)u;
	last_event = event;
	taken[taken_count++] = (char)byte;
}

static void start(void)
{
	memset(&chip, 0, sizeof(chip));
	chip.send_room = 1000;
	taken_count = 0;
	room = sizeof(taken);
	uart_init(&uart, &ports, take_room, take);
}

static void arrive(const char *text)
{
	memcpy(chip.received, text, strlen(text));
	chip.received_at = 0;
	chip.received_end = strlen(text);
}

TEST(it_is_set_up_for_115200_8n1_with_fifos)
{
	start();
	CHECK(uart.is_present);
	CHECK_EQ(chip.divisor[0], 1);
	CHECK_EQ(chip.divisor[1], 0);
	CHECK_EQ(chip.reg[3], 3);
	CHECK_EQ(chip.reg[2], 0x87);
	CHECK_EQ(chip.reg[4], 0x0b);
	CHECK_EQ(chip.reg[1], 5);
}

TEST(an_empty_bus_has_no_port)
{
	memset(&chip, 0, sizeof(chip));
	chip.is_absent = true;
	uart_init(&uart, &ports, take_room, take);
	CHECK(!uart.is_present);
	CHECK(!uart_service(&uart));
	CHECK(uart_is_idle(&uart));
}

TEST(what_came_is_taken)
{
	start();
	arrive("hello");
	CHECK(uart_service(&uart));
	CHECK_EQ(taken_count, 5);
	CHECK_MEM(taken, "hello", 5);
}

TEST(what_does_not_fit_stays_in_the_device)
{
	start();
	room = 2;
	arrive("hello");
	(void)uart_service(&uart);
	CHECK_EQ(taken_count, 2);
	CHECK_EQ(chip.reg[1] & 1, 0);
	room = 100;
	(void)uart_service(&uart);
	CHECK_EQ(taken_count, 5);
	CHECK_EQ(chip.reg[1] & 1, 1);
}

TEST(breaks_and_damage_are_told_apart)
{
	start();
	arrive("x");
	chip.error = 0x10;
	(void)uart_service(&uart);
	CHECK_EQ(last_event, UART_BREAK);
	arrive("x");
	chip.error = 8;
	(void)uart_service(&uart);
	CHECK_EQ(last_event, UART_DAMAGED);
}

TEST(a_busy_transmitter_interrupts_when_it_can_go_on)
{
	static const uint8_t text[100] = "0123456789";

	start();
	chip.send_room = 20;
	CHECK_EQ(uart_write(&uart, text, 100), 32);
	CHECK_EQ(chip.reg[1] & 2, 2);
	CHECK(!uart_is_idle(&uart));
	chip.send_room = 1000;
	CHECK(uart_service(&uart));
	CHECK_EQ(uart_write(&uart, text + 32, 68), 68);
	CHECK_EQ(chip.reg[1] & 2, 0);
	CHECK_EQ(chip.sent_bytes, 100);
	CHECK(uart_is_idle(&uart));
}

static size_t endless_in_calls;
static uint32_t endless_in(const struct ports *p, uint32_t offset, uint32_t bytes)
{
	(void)p, (void)bytes;
	endless_in_calls++;
	return offset == 7 ? chip.reg[7] : 0x61;
}

TEST(a_mad_device_cannot_hold_the_driver)
{
	struct ports mad = ports;

	start();
	mad.in = endless_in;
	uart_init(&uart, &mad, take_room, take);
	room = 10;
	CHECK(uart_service(&uart));
	CHECK_EQ(taken_count, 10);
}
