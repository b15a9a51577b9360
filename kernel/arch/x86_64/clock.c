/* kernel/arch/x86_64/clock.c - time: the TSC as the clock of all CPUs and the local timer for deadlines.
 *
 * The TSC's speed is measured once against a timer of known speed. A read of that timer may take long (an emulator, a busy host), so
 * each end of the measurement is the tightest of several reads that the TSC brackets.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpu.h"
#include "kernel/debug/log.h"

#define NS_PER_S        1000000000ull
#define TSC_GUESS_HZ    1000000000ull
enum { READS = 16, TIMER_DIVISOR = 16 };
#define MEASURE_NS      2000000ull

/* A counter of known speed: the ACPI timer, else the PIT. */
struct reference {
	uint64_t (*read)(void);
	uint64_t hz, mask;
	const char *name;
};

static struct {
	struct clock_scale scale;       /* [I] */
	uint32_t timer_mult;            /* [I] timer counts = ns * timer_mult >> 32 */
} tsc;

static uint16_t acpi_timer_port;

/* ---- References ---- */

enum { PIT_HZ = 1193182, ACPI_TIMER_HZ = 3579545 };
enum { PIT_CHANNEL_0 = 0x40, PIT_COMMAND = 0x43, PIT_LATCH_0 = 0x00, PIT_RATE_0 = 0x34 };

static uint64_t acpi_timer_read(void) { return port_read32(acpi_timer_port); }

/* Counts down. */
static uint64_t pit_read(void)
{
	uint8_t low, high;

	port_write8(PIT_COMMAND, PIT_LATCH_0);
	low = port_read8(PIT_CHANNEL_0);
	high = port_read8(PIT_CHANNEL_0);
	return 0xffff - (uint64_t)(high << 8 | low);
}

static void find_reference(struct reference *out)
{
	if (acpi_machine.timer.address && acpi_machine.timer.space == ACPI_IN_PORTS) {
		acpi_timer_port = (uint16_t)acpi_machine.timer.address;
		*out = (struct reference){ acpi_timer_read, ACPI_TIMER_HZ, 0xffffff, "the ACPI timer" };
		return;
	}
	port_write8(PIT_COMMAND, PIT_RATE_0);
	port_write8(PIT_CHANNEL_0, 0);
	port_write8(PIT_CHANNEL_0, 0);
	*out = (struct reference){ pit_read, PIT_HZ, 0xffff, "the PIT" };
}

/* ---- Measuring ---- */

struct moment { uint64_t reference, ticks, doubt; uint32_t timer; };

static struct moment moment_take(const struct reference *r)
{
	struct moment best = { .doubt = UINT64_MAX };

	for (int i = 0; i < READS; i++) {
		uint64_t before = arch_ticks(), value = r->read();
		uint32_t timer = apic_timer_count();
		uint64_t after = arch_ticks();

		if (after - before < best.doubt)
			best = (struct moment){ value, before + (after - before) / 2, after - before, timer };
	}
	return best;
}

static void measure(const struct reference *r, uint64_t *tsc_hz, uint64_t *timer_hz)
{
	uint64_t wanted = r->hz * (MEASURE_NS / 1000) / 1000000;
	struct moment from, to;
	uint64_t passed;

	apic_timer_start(UINT32_MAX);
	from = moment_take(r);
	/* A reference that stands still (absent in spite of the tables) must not hold us: about 4 s of any CPU. */
	while (((r->read() - from.reference) & r->mask) < wanted && arch_ticks() - from.ticks < 1ull << 34)
		arch_pause();
	to = moment_take(r);
	apic_timer_start(0);
	passed = (to.reference - from.reference) & r->mask;
	*tsc_hz = passed ? (to.ticks - from.ticks) * r->hz / passed : TSC_GUESS_HZ;
	*timer_hz = passed ? (uint64_t)(from.timer - to.timer) * r->hz / passed : TSC_GUESS_HZ / TIMER_DIVISOR;
}

static void set_scale(uint64_t hz)
{
	uint32_t shift = 32;

	while (shift > 0 && (NS_PER_S << shift) / hz > UINT32_MAX)
		shift--;
	tsc.scale.shift = shift;
	tsc.scale.mult = (uint32_t)(((NS_PER_S << shift) + hz / 2) / hz);
}

void clock_init_boot(void)
{
	struct reference r;
	uint64_t tsc_hz, timer_hz;

	tsc.scale.start_ticks = arch_ticks();
	find_reference(&r);
	measure(&r, &tsc_hz, &timer_hz);
	if (tsc_hz < 1000000)
		tsc_hz = TSC_GUESS_HZ;
	set_scale(tsc_hz);
	tsc.timer_mult = (uint32_t)((timer_hz << 32) / NS_PER_S);
	klog("arch: clock %lu kHz, timer %lu kHz by %s\n", tsc_hz / 1000, timer_hz * TIMER_DIVISOR / 1000, r.name);
}

/* ---- Clock ---- */

uint64_t arch_clock_ns(void)
{
	return (uint64_t)((__uint128_t)(arch_ticks() - tsc.scale.start_ticks) * tsc.scale.mult >> tsc.scale.shift);
}

struct clock_scale arch_clock_scale(void) { return tsc.scale; }

/* ---- Timer ---- */

/* The hardware counts no further than some seconds, and rounds: when it is early, the portable kernel arms it again. */
void arch_timer_arm(uint64_t deadline_ns)
{
	uint64_t now = arch_clock_ns();
	uint64_t wait = deadline_ns > now ? deadline_ns - now : 0;
	__uint128_t counts = ((__uint128_t)wait * tsc.timer_mult >> 32) + 1;

	apic_timer_start(deadline_ns == UINT64_MAX ? 0 : counts > UINT32_MAX ? UINT32_MAX : (uint32_t)counts);
}
