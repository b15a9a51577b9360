/* kernel/arch/x86_64/start.S - the first instructions on every CPU, up to boot_main and smp_main.
 *
 * Three ways in: the PVH note (32-bit, ebx = hvm_start_info), the ELF entry (64-bit, rdi = boot_info) and, for the other
 * CPUs, the 16-bit trampoline. All but the trampoline runs at its physical address until the tables are loaded.
 */
#include "kernel/arch/x86_64/asm.h"

#define PHYSICAL(symbol) (symbol - KERNEL_VIRTUAL)

#define MSR_EFER        0xc0000080
#define EFER_WANTED     0x900           /* long mode, no-execute; SYSCALL comes later */
#define CR4_PAE         (1 << 5)
#define CR4_LA57        (1 << 12)
#define CR0_WANTED      0x80010023      /* paging, write protect, native FPU errors, monitor FPU, protected */
#define TABLE           3               /* present, writable */
#define LARGE           0x83            /* the same, 2 MiB */

	.section .note.xen, "a", @note
	.balign 4
	.long 4, 4, 18                  /* name bytes, content bytes, PHYS32_ENTRY */
	.asciz "Xen"
	.long boot_pvh32

	.section .boot.text, "ax", @progbits
	.code32
boot_pvh32:
	cli
	cld
	movl %ebx, %ebp
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc boot_halt32
	lgdt boot_gdt_pointer
	movl %ebp, %esi
	movl $BOOT_FROM_PVH, %edi
	movl $boot_pvh64, %ebx
	movl $boot_scratch_end, %esp

/* Paging and long mode on, then to ebx. */
boot_enter_long:
	movl %cr4, %eax
	orl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $PHYSICAL(boot_root), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_WANTED, %eax
	wrmsr
	movl $CR0_WANTED, %eax
	movl %eax, %cr0
	pushl $SELECTOR_KERNEL_CODE
	pushl %ebx
	lretl

boot_halt32:
	hlt
	jmp boot_halt32

/* The other CPUs come here from the trampoline. */
boot_secondary32:
	movw $SELECTOR_KERNEL_DATA, %ax
	movw %ax, %ds
	movw %ax, %ss
	movl $boot_scratch_end, %esp
	movl $boot_long64, %ebx
	jmp boot_enter_long

	.code64
	function kernel_entry64
	cli
	cld
	movq %rdi, %rsi
	movq %cr4, %rax
	testl $CR4_LA57, %eax
	jnz boot_halt64
	movl $PHYSICAL(boot_root), %eax
	movq %rax, %cr3
	lgdt boot_gdt_pointer
	movl $boot_scratch_end, %esp
	movl $BOOT_FROM_LOADER, %edi
	pushq $SELECTOR_KERNEL_CODE
	pushq $boot_long64
	lretq

boot_halt64:
	hlt
	jmp boot_halt64

boot_pvh64:
	movl %edi, %edi
	movl %esi, %esi

/* Every CPU, in 64-bit mode. One at a time: whoever started it has left a stack; who finds none came too late. */
boot_long64:
	movl $SELECTOR_KERNEL_DATA, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	xorl %eax, %eax
	movw %ax, %fs
	movw %ax, %gs
	movq $start_stack, %rbx
	xchgq %rax, (%rbx)
	testq %rax, %rax
	jz boot_halt64
	movq %rax, %rsp
	xorl %ebp, %ebp
	movq $start_entry, %rbx
	call *(%rbx)
	ud2

	.section .boot.data, "aw", @progbits
	.balign 16
boot_gdt:
	.quad 0
	.quad 0x00cf9a000000ffff        /* code, 32 bits */
	.quad 0x00af9a000000ffff        /* code, 64 bits */
	.quad 0x00cf92000000ffff        /* data */
boot_gdt_pointer:
	.word . - boot_gdt - 1
	.long boot_gdt
	.long 0
	.balign 16
	.skip 64
boot_scratch_end:

/* Copied to a page below 1 MiB. Needs nothing of where that is. */
	.section .rodata
	.globl trampoline_start, trampoline_end
	.code16
trampoline_start:
	cli
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt_pointer - trampoline_start
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_BOOT_CODE32, $boot_secondary32
	.balign 4
trampoline_gdt_pointer:
	.word boot_gdt_pointer - boot_gdt - 1
	.long boot_gdt
trampoline_end:
	.code64

/* The tables of the start: the low 4 GiB at 0 and at DIRECT_MAP_BASE, the kernel's 2 MiB at KERNEL_VIRTUAL. */
	.data
	.balign 4096
	.globl boot_root, direct_map_top, image_directory, boot_directory, start_stack, start_entry
boot_root:
	.quad PHYSICAL(direct_map_top) + TABLE
	.fill 255, 8, 0
	.quad PHYSICAL(direct_map_top) + TABLE
	.fill 254, 8, 0
	.quad PHYSICAL(image_top) + TABLE
direct_map_top:
	.irp part, 0, 1, 2, 3
	.quad PHYSICAL(boot_directory) + \part * 4096 + TABLE
	.endr
	.fill 508, 8, 0
image_top:
	.fill 510, 8, 0
	.quad PHYSICAL(image_directory) + TABLE, 0
image_directory:
	.quad 0, 0x200000 + LARGE
	.fill 510, 8, 0
boot_directory:
	.set at, LARGE
	.rept 4 * 512
	.quad at
	.set at, at + 0x200000
	.endr

start_stack:
	.quad boot_stack + BOOT_STACK_BYTES
start_entry:
	.quad boot_main

	.bss
	.balign 16
boot_stack:
	.skip BOOT_STACK_BYTES

	.section .note.GNU-stack, "", @progbits
