/* tests/host/boot_kernel.c - a kernel that prints what the UEFI loader handed it, and ends the machine. */
#include "abi/boot.h"

void boot_kernel(const struct boot_info *info);

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void print(const char *text)
{
	while (*text)
		out8(0x3f8, (uint8_t)*text++);
}

static void print_number(const char *name, uint64_t value)
{
	print(name);
	print("=");
	for (int shift = 60; shift >= 0; shift -= 4)
		out8(0x3f8, (uint8_t)"0123456789abcdef"[value >> shift & 15]);
	print("\n");
}

static volatile uint8_t zeros[5000];
static volatile uint32_t data = 0x12345678;

void boot_kernel(const struct boot_info *info)
{
	uint64_t sum = 0, free = 0;

	for (uint64_t i = 0; i < info->initfs_bytes; i++)
		sum += ((const uint8_t *)info->initfs)[i];
	for (uint32_t i = 0; i < info->memory_count; i++)
		if (info->memory[i].kind == BOOT_MEMORY_FREE)
			free += info->memory[i].bytes;
	for (unsigned i = 0; i < sizeof zeros; i++)
		data += zeros[i];
	print("\nBOOTED\n");
	print_number("magic", info->magic);
	print_number("version", info->version);
	print_number("bytes", info->bytes - sizeof *info);
	print_number("initfs_bytes", info->initfs_bytes);
	print_number("initfs_sum", sum);
	print_number("acpi", *(const uint64_t *)info->acpi_rsdp);
	print_number("width", info->framebuffer.width);
	print_number("pixels", info->framebuffer.address);
	print_number("free", free);
	print_number("ranges", info->memory_count);
	print_number("data", data);
	print("cmdline=");
	print(info->command_line);
	print("\nEND\n");
	out8(0xf4, 0x10);
	for (;;)
		__asm__ volatile("hlt");
}
