/* lib/test/host/machine.h - a machine for host tests of the kernel: RAM, CPUs with TLBs, page tables, locks.
 *
 * Definitions, not only declarations: exactly one file of a test program includes it. RAM is an arena at machine_direct_map.
 * Page tables are the real ones (kernel/arch/x86_64/paging.c), over nothing of the kernel. Each CPU
 * caches translations until it is told not to: a forgotten shootdown shows as stale data. Locks are the kernel's own and check their order.
 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "lib/boot/boot_check.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/space.h"
#include "kernel/sched/clock.h"
#include "lib/base/assert.h"
#include "lib/test/test.h"

enum { MACHINE_CPUS = 4 };
#define MACHINE_RAM_START 0x100000ull

/* ---- RAM and CPUs ---- */

uint64_t machine_direct_map;
struct cpu *machine_cpu;
struct thread *machine_thread;
struct cpu *cpus[CPU_MAX];
uint32_t cpu_count;
static struct cpu machine_cpus[MACHINE_CPUS];
static void *machine_ram;
static uint64_t machine_now_ns = 1000;

uint64_t arch_clock_ns(void) { return ++machine_now_ns; }
uint64_t clock_realtime_ns(void) { return ++machine_now_ns; }
/* Whoever spins on the host spins for ever. */
void arch_poll_requests(void) { ASSERT(!"a lock that is free"); }

/* Other CPU, its space. */
__attribute__((unused)) static void machine_run_on(uint32_t cpu) { machine_cpu = cpus[cpu]; }

/* ---- TLBs: what each CPU believes, until told otherwise ---- */

enum { MACHINE_TLB = 64 };
struct machine_entry {
	uint64_t address;
	struct page_entry e;
};
static struct machine_entry machine_tlb[MACHINE_CPUS][MACHINE_TLB];
static uint64_t machine_shootdowns;

static void machine_tlb_drop(uint32_t cpu, uint64_t start, uint64_t end)
{
	for (int i = 0; i < MACHINE_TLB; i++)
		if (end == 0 || (machine_tlb[cpu][i].address >= start && machine_tlb[cpu][i].address < end))
			machine_tlb[cpu][i].e.flags = 0;
}

void arch_shootdown(uint64_t cpu_mask, uint64_t start, uint64_t end)
{
	machine_shootdowns++;
	for (uint32_t i = 0; i < MACHINE_CPUS; i++)
		if (cpu_mask & 1ull << i)
			machine_tlb_drop(i, start, end);
}

void paging_flush(uint64_t address) { machine_tlb_drop(machine_cpu->index, address, address + 1); }
void paging_flush_all(void) { machine_tlb_drop(machine_cpu->index, 0, 0); }
void paging_load(const struct page_tables *p) { (void)p; paging_flush_all(); }

/* ---- User mode on this CPU: one byte range within a page; faults come as on the machine ---- */

static err_t machine_translate(uint64_t address, uint32_t fault_flags, char **out)
{
	uint64_t page = page_round_down(address);
	struct machine_entry *cached = &machine_tlb[machine_cpu->index][page >> PAGE_SHIFT & (MACHINE_TLB - 1)];
	struct space *s = machine_cpu->space;
	/* struct space is not ours to look into; its tables come first to mind through a translation that the kernel offers: */
	extern struct page_tables *machine_tables_in(struct space *s);
	uint32_t need = fault_flags & FAULT_WRITE ? PAGE_WRITE : fault_flags & FAULT_EXECUTE ? PAGE_EXEC : PAGE_READ;
	for (int tries = 0; tries < 4; tries++) {
		if (cached->address == page && cached->e.flags & need) {
			*out = (char *)paddr_to_kernel(cached->e.frame) + (address & PAGE_MASK);
			return OK;
		}
		struct page_entry e;
		struct page_tables *tables = machine_tables_in(s);
		if (tables && paging_get(tables, page, &e) && e.flags & need) {
			*cached = (struct machine_entry){ page, e };
			continue;
		}
		cached->e.flags = 0;
		if (machine_cpu->faults_are_final)
			return ERR_FAULT;
		err_t err = space_fault(s, address, fault_flags | FAULT_USER, true);
		if (err)
			return err;
	}
	ASSERT(!"a fault that was resolved");
	return ERR_FAULT;
}

__attribute__((unused)) static err_t machine_user_copy(uint64_t address, void *kernel, size_t bytes, bool write, size_t *done)
{
	for (*done = 0; *done < bytes;) {
		char *at;
		size_t part = PAGE_BYTES - ((address + *done) & PAGE_MASK);
		err_t err = machine_translate(address + *done, write ? FAULT_WRITE : 0, &at);
		if (err)
			return err;
		part = part < bytes - *done ? part : bytes - *done;
		memcpy(write ? at : (char *)kernel + *done, write ? (char *)kernel + *done : at, part);
		*done += part;
	}
	return OK;
}

size_t arch_copy_from_user(void *to, uint64_t from, size_t bytes)
{
	size_t done;
	ASSERT(machine_cpu->held_count == 0 || machine_cpu->faults_are_final);
	return machine_user_copy(from, to, bytes, false, &done) ? bytes - done : 0;
}

err_t preempt_copy(void) { return OK; }

size_t arch_copy_to_user(uint64_t to, const void *from, size_t bytes)
{
	size_t done;
	ASSERT(machine_cpu->held_count == 0);
	return machine_user_copy(to, (void *)from, bytes, true, &done) ? bytes - done : 0;
}

err_t arch_load_user_u32(uint64_t from, uint32_t *out)
{
	return arch_copy_from_user(out, from, sizeof *out) ? ERR_FAULT : OK;
}

/* ---- Power on ---- */

/* A machine with this memory map over so much RAM, and nothing allocated. The heap must hold nothing of an earlier one. */
__attribute__((unused)) static err_t machine_start_with(struct boot_info *boot, uint64_t ram_bytes)
{
	free(machine_ram);
	machine_ram = aligned_alloc(PAGE_BYTES, ram_bytes);
	if (ram_bytes <= 64 << 20)
		memset(machine_ram, 0x5a, ram_bytes);   /* a larger arena is for its addresses */
	machine_direct_map = (uint64_t)machine_ram - MACHINE_RAM_START;
	memset(machine_cpus, 0, sizeof machine_cpus);
	memset(machine_tlb, 0, sizeof machine_tlb);
	for (uint32_t i = 0; i < MACHINE_CPUS; i++) {
		machine_cpus[i].index = i;
		machine_cpus[i].bit = 1ull << i;
		cpus[i] = &machine_cpus[i];
	}
	cpu_count = MACHINE_CPUS;
	machine_cpu = cpus[0];
	boot->magic = BOOT_MAGIC;
	boot->version = BOOT_VERSION;
	boot->bytes = sizeof *boot;
	if (boot_info_check(boot, &(struct boot_image){ 0, 0, UINT64_MAX }))
		return ERR_INVAL;
	boot_memory_normalize(boot, &(struct boot_image){ 0, 0, UINT64_MAX });
	return frame_init(boot);
}

/* So much RAM in one piece; again and again within a test program: everything must have been freed. How many frames are free. */
__attribute__((unused)) static uint64_t machine_start(uint64_t ram_bytes)
{
	static uint64_t started_bytes, started_free;
	frame_fail_after(0);
	heap_fail_after(0);
	if (started_bytes == 0) {
		struct boot_info boot = { .memory_count = 1, .memory = { { MACHINE_RAM_START, ram_bytes, BOOT_MEMORY_FREE, 0 } } };
		err_t err = machine_start_with(&boot, ram_bytes);
		ASSERT(!err);
		started_bytes = ram_bytes;
		started_free = frame_count_free();
	}
	ASSERT(started_bytes == ram_bytes);
	CHECK_EQ(frame_count_free(), started_free);
	return started_free;
}

/* Nothing leaked since machine_start said so many were free: neither frames nor what of the heap lies in one. */
__attribute__((unused)) static void machine_check_free(uint64_t frames)
{
	CHECK_EQ(machine_cpu->held_count, 0);
	CHECK_EQ(frame_count_free(), frames);
}
