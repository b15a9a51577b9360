/* lib/test/host/missing.c - the machine that a kernel test does not bring along: every use of it ends the test.
 *
 * The kernel's modules refer to each other, so a test of one links many. What only a machine can do is here by
 * name, weakly: a test that needs some of it defines it (lib/test/host/machine.h has a whole machine).
 */
#include <stdio.h>
#include <stdlib.h>

/* Only names matter here: nobody calls these with success. */
#define MISSING(name)                                                                   \
	__attribute__((weak)) void name(void);                                          \
	__attribute__((weak)) void name(void)                                           \
	{                                                                               \
		fprintf(stderr, "%s is not there on the host: define it in the test\n", #name);    \
		abort();                                                                \
	}

MISSING(arch_backtrace)
MISSING(arch_clock_ns)
MISSING(arch_clock_scale)
MISSING(arch_context_init)
MISSING(arch_copy_from_user)
MISSING(arch_copy_to_user)
MISSING(arch_copy_user_quads)
MISSING(arch_end)
MISSING(arch_enter_user)
MISSING(arch_idle)
MISSING(arch_init_early)
MISSING(arch_irq_attach)
MISSING(arch_irq_detach)
MISSING(arch_irq_unmask)
MISSING(arch_kick)
MISSING(arch_load_user_u32)
MISSING(arch_poll_requests)
MISSING(arch_port_read)
MISSING(arch_port_write)
MISSING(arch_regs_start)
MISSING(arch_serial_write)
MISSING(arch_shootdown)
MISSING(arch_start_cpus)
MISSING(arch_stop_others)
MISSING(arch_store_user_both)
MISSING(arch_switch)
MISSING(arch_switch_to_user)
MISSING(arch_thread_exchange)
MISSING(arch_thread_fini)
MISSING(arch_thread_init)
MISSING(arch_thread_regs)
MISSING(arch_thread_set_bases)
MISSING(arch_timer_arm)
MISSING(arch_user_bases_get)
MISSING(boot_stop)
MISSING(paging_load)

/* One CPU that nobody set up. */
__attribute__((weak)) void *cpus[64];
__attribute__((weak)) unsigned cpu_count = 1;

/* What lib/test/host/kernel/arch/x86_64/inline.h leaves to machine.h. */
__attribute__((weak)) void *machine_cpu, *machine_thread;
__attribute__((weak)) unsigned char *machine_direct_map;

/* What the kernel's page tables are made of, which no test makes. */
__attribute__((weak)) unsigned long boot_root[512], boot_directory[4][512], image_directory[512], direct_map_top[512];
__attribute__((weak)) char image_text_start[1], image_rodata_start[1], image_data_start[1], image_end[1];
