/* tests/host/start_loader.S - a loader as bad as one likes: starts the kernel's 64-bit entry with the boot_info at BOOT_INFO.
 *
 * Started itself by the PVH note. The kernel (ENTRY) has been put into memory by QEMU; INFO_FILE is the record to hand over.
 */
	.section .note.xen, "a", @note
	.balign 4
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.code32
start:
	movl $directory, %edi
	movl $0x83, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b
	movl $directory + 0x0003, top
	movl $directory + 0x1003, top + 8
	movl $directory + 0x2003, top + 16
	movl $directory + 0x3003, top + 24
	movl $top + 3, root
	movl $root, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x20, %eax
	movl %eax, %cr4
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $8, $long

	.code64
long:
	movabsq $BOOT_INFO, %rdi
	movabsq $ENTRY, %rax
	jmp *%rax

	.data
	.balign 8
gdt:	.quad 0, 0x00af9b000000ffff
gdt_pointer:
	.word 15
	.long gdt, 0
	.balign 4096
	.globl info
info:
	.incbin INFO_FILE

	.bss
	.balign 4096
root:	.skip 4096
top:	.skip 4096
directory:
	.skip 4 * 4096
