/* tests/native/frames.c - two cards on one wire: numbered frames both ways at once, each checked when it comes.
 *
 *	frames ONE OTHER COUNT SMALLEST LARGEST [LOST]
 *
 * Exit status 0: no frame came changed or twice, at most LOST (0) of them never came; and, with none to be lost, each in its turn. (QEMU's hub keeps frames for a card
 * that is being reset, and lets those that come later overtake them.) At most WINDOW are on the way in each direction, so that nobody has reason to drop any.
 */
#include "lib/base/bits.h"
#include "lib/base/crc32.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/ethernet/ethernet.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

enum { ENTRIES = 256, BUFFERS = 512, WINDOW = 100, KIND_AT = 12, NUMBER_AT = 14, BYTES_AT = 22, BODY_AT = 24, SUM_BYTES = 4, FRAME_LEAST = 60 };
#define LATE_NS 1000000000ull   /* what has not come by then will not; but where some may be lost it is given up earlier */
#define LATE_LOSSY_NS 300000000ull
enum { GREETINGS_MAX = 1000 };
#define LATE_MOST 40            /* of these in a row */

struct end {
	struct ethernet card;
	uint8_t address[ETHERNET_ADDRESS_BYTES];
	struct end *other;
	uint64_t sent;                  /* frames from here */
	uint64_t next;                  /* the number that is to come here */
	uint64_t received, lost, late, foreign, bad;
	bool is_greeted;
	bool *has;                      /* by number: it came */
	uint64_t given_up;              /* of the other's: on the way no more */
};

static struct end end[2];
static uint64_t count, lost_most;
static uint32_t smallest, largest;

static uint64_t now(void) { return (uint64_t)sys_clock(0, HANDLE_NONE, CLOCK_MONOTONIC_NS); }
static uint32_t bytes_of(uint64_t number) { return smallest + (uint32_t)(number * 2654435761u >> 8) % (largest - smallest + 1); }
static uint8_t body_of(uint64_t number, uint32_t at) { return (uint8_t)(number * 31 + at * 7); }

/* ---- Sending ---- */

static uint32_t frame_write(const struct end *e, uint8_t *at, uint64_t number)
{
	uint32_t bytes = bytes_of(number);
	uint16_t length = (uint16_t)bytes;

	memcpy(at, e->other->address, ETHERNET_ADDRESS_BYTES);
	memcpy(at + ETHERNET_ADDRESS_BYTES, e->address, ETHERNET_ADDRESS_BYTES);
	at[KIND_AT] = 0x88;
	at[KIND_AT + 1] = 0xb5;
	memcpy(at + NUMBER_AT, &number, sizeof(number));
	memcpy(at + BYTES_AT, &length, sizeof(length));
	for (uint32_t i = BODY_AT; i < bytes - SUM_BYTES; i++)
		at[i] = body_of(number, i);
	uint32_t sum = crc32(0, at, bytes - SUM_BYTES);
	memcpy(at + bytes - SUM_BYTES, &sum, sizeof(sum));
	return bytes;
}

static uint64_t on_the_way(const struct end *e)
{
	return e->sent - (e->other->received + e->other->lost + e->other->given_up);
}

/* Buffers behind those for receiving are those of the entries to send, one each. */
static bool send_some(struct end *e)
{
	bool was_any = false;

	while (e->sent < count && on_the_way(e) < WINDOW && e->card.put - ethernet_sent(&e->card) < ENTRIES) {
		uint32_t offset = ethernet_buffer(&e->card, ENTRIES + e->card.put % ENTRIES);
		struct ethernet_entry entry = { .offset = offset, .bytes = (uint16_t)frame_write(e, e->card.base + offset, e->sent) };
		if (!ethernet_put(&e->card, &entry))
			break;
		e->sent++;
		was_any = true;
	}
	return was_any;
}

/* ---- Receiving ---- */

static void frame_take(struct end *e, const uint8_t *at, uint32_t bytes)
{
	uint64_t number;
	uint16_t length;
	uint32_t sum;

	if (bytes >= FRAME_LEAST && at[KIND_AT] == 0x88 && at[KIND_AT + 1] == 0xb6) {
		e->is_greeted = true;
		return;
	}
	if (bytes < FRAME_LEAST || at[KIND_AT] != 0x88 || at[KIND_AT + 1] != 0xb5 || memcmp(at, e->address, ETHERNET_ADDRESS_BYTES) != 0) {
		e->foreign++;
		return;
	}
	memcpy(&number, at + NUMBER_AT, sizeof(number));
	memcpy(&length, at + BYTES_AT, sizeof(length));
	if (length != bytes || number >= count || bytes != bytes_of(number)) {
		print("frame %lu of %u bytes says that it has %u\n", (unsigned long)number, bytes, length);
		e->bad++;
		return;
	}
	memcpy(&sum, at + bytes - SUM_BYTES, sizeof(sum));
	if (sum != crc32(0, at, bytes - SUM_BYTES) || e->has[number]) {
		print("frame %lu %s, %lu was due\n", (unsigned long)number, e->has[number] ? "came again" : "is changed", (unsigned long)e->next);
		e->bad++;
		return;
	}
	e->has[number] = true;
	e->received++;
	if (number < e->next) {
		e->late++;
		e->lost--;
		return;
	}
	uint64_t missed = number - e->next;
	e->lost += missed;
	e->given_up -= MIN_OF(e->given_up, missed + 1);
	e->next = number + 1;
}

/* Until each end hears the other: a card may take a second after it was set up. */
static bool greet(struct end *e)
{
	uint32_t offset = ethernet_buffer(&e->card, ENTRIES);
	uint8_t *at = e->card.base + offset;

	memset(at, 0, FRAME_LEAST);
	memcpy(at, e->other->address, ETHERNET_ADDRESS_BYTES);
	memcpy(at + ETHERNET_ADDRESS_BYTES, e->address, ETHERNET_ADDRESS_BYTES);
	at[KIND_AT] = 0x88;
	at[KIND_AT + 1] = 0xb6;
	return ethernet_put(&e->card, &(struct ethernet_entry){ .offset = offset, .bytes = FRAME_LEAST });
}

static bool receive_some(struct end *e)
{
	struct ethernet_entry got;
	bool was_any = false;

	while (ethernet_take(&e->card, &got)) {
		frame_take(e, e->card.base + got.offset, got.bytes);
		if (!ethernet_give(&e->card, (uint32_t)round_down(got.offset, ETHERNET_BUFFER_BYTES)))
			e->bad++;
		was_any = true;
	}
	return was_any;
}

/* ---- Both ---- */

static bool is_over(void)
{
	return end[0].sent == count && end[1].sent == count && on_the_way(&end[0]) == 0 && on_the_way(&end[1]) == 0;
}

/* What was on the way is given up; what comes all the same counts again. */
static void give_up(void)
{
	for (uint32_t i = 0; i < 2; i++)
		end[i].other->given_up += on_the_way(&end[i]);
}

static err_t both_wait(bool *is_late)
{
	struct poll_entry entries[2];
	bool has_news = false;

	for (uint32_t i = 0; i < 2; i++) {
		err_t err = ethernet_arm(&end[i].card, false);
		if (err && err != ERR_AGAIN)
			return err;
		has_news |= err == ERR_AGAIN;
		entries[i] = (struct poll_entry){ .handle = end[i].card.handle, .wanted = READY_READ | READY_PRIORITY };
	}
	int64_t found = has_news ? 1 : sys_poll(0, HANDLE_NONE, entries, 2, now() + (lost_most ? LATE_LOSSY_NS : LATE_NS));
	*is_late = found == 0 || found == ERR_TIMEDOUT;
	return found < 0 && !*is_late ? (err_t)found : OK;
}

static err_t stream(void)
{
	uint32_t late = 0;
	bool is_late;

	while (!is_over()) {
		bool was_any = false;
		for (uint32_t i = 0; i < 2; i++)
			was_any |= receive_some(&end[i]), was_any |= send_some(&end[i]);
		if (was_any) {
			late = 0;
			for (uint32_t i = 0; i < 2; i++) {
				err_t err = ethernet_show(&end[i].card);
				if (err)
					return err;
			}
			continue;
		}
		err_t err = both_wait(&is_late);
		if (err)
			return err;
		if (is_late && ++late > LATE_MOST)
			return ERR_TIMEDOUT;
		if (is_late)
			give_up();
	}
	return OK;
}

static err_t greetings(void)
{
	bool is_late;

	for (uint32_t tries = 0; !end[0].is_greeted || !end[1].is_greeted; tries++) {
		if (tries == GREETINGS_MAX)
			return ERR_TIMEDOUT;
		for (uint32_t i = 0; i < 2; i++)
			if (!end[!i].is_greeted)
				(void)!greet(&end[i]);
		err_t err = both_wait(&is_late);
		if (err)
			return err;
		for (uint32_t i = 0; i < 2; i++)
			(void)!receive_some(&end[i]);
	}
	return OK;
}

static err_t end_open(struct end *e, const char *name)
{
	struct ethernet_info info;
	err_t err = ethernet_open(&e->card, name, 0, ENTRIES, BUFFERS, 0);

	if (err)
		return err;
	if (!(e->has = heap_alloc(count * sizeof(*e->has))))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < ENTRIES; i++)
		(void)!ethernet_give(&e->card, ethernet_buffer(&e->card, i));
	err = result_error(handle_call(e->card.handle, ETHERNET_INFO, NULL, 0, &info, sizeof(info), 0));
	memcpy(e->address, info.address, sizeof(e->address));
	return err ? err : ethernet_show(&e->card);
}

static bool number_take(uint32_t argument, uint64_t *out)
{
	const char *text = startup_argument(argument);

	return text && number_parse(text, strlen(text), 10, out) == OK;
}

static int judge(err_t err)
{
	uint64_t lost = 0, bad = 0;

	for (uint32_t i = 0; i < 2; i++) {
		lost += end[i].sent - end[i].other->received;
		bad += end[i].bad + (lost_most ? 0 : end[i].late);
		print("%lu sent, %lu received, %lu lost, %lu late, %lu of others, %lu bad\n", (unsigned long)end[i].sent, (unsigned long)end[i].received,
		      (unsigned long)(end[i].other->sent - end[i].received), (unsigned long)end[i].late, (unsigned long)end[i].foreign, (unsigned long)end[i].bad);
	}
	if (err)
		print("frames: error %d\n", -err);
	return err || bad || lost > lost_most;
}

int program_main(const struct startup *startup)
{
	uint64_t small, large;
	err_t err;

	if (startup->argument_count < 2) {
		print("ok 1 - frames both ways # SKIP no cards were named\n1..1\n");
		return 0;
	}
	if (startup->argument_count < 6 || !number_take(3, &count) || !number_take(4, &small) || !number_take(5, &large) ||
	    small < FRAME_LEAST || large < small || large > ETHERNET_FRAME_MAX || (startup->argument_count > 6 && !number_take(6, &lost_most))) {
		print("usage: frames ONE OTHER COUNT SMALLEST LARGEST [LOST]\n");
		return 2;
	}
	smallest = (uint32_t)small;
	largest = (uint32_t)large;
	for (uint32_t i = 0; i < 2; i++)
		end[i].other = &end[!i];
	for (uint32_t i = 0; i < 2; i++)
		if ((err = end_open(&end[i], startup_argument(i + 1)))) {
			print("frames: %s: error %d\n", startup_argument(i + 1), -err);
			return 1;
		}
	if (!(err = greetings()))
		err = stream();
	return judge(err);
}
