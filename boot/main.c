/* boot/main.c - our UEFI loader: reads \kernel.elf, \initfs.img and \cmdline from the volume it came from,
 * puts the kernel in place, ends the firmware's services and jumps.
 *
 * The kernel's entry (the ELF's) finds: long mode, the firmware's identity-mapped page tables, interrupts off, rdi = the
 * physical address of struct boot_info (abi/boot.h). What fails is said on the firmware's console, and the firmware goes on.
 */
#include "abi/boot.h"
#include "boot/firmware.h"
#include "boot/kernel_image.h"
#include "boot/memory_map.h"
#include "lib/base/assert.h"
#include "lib/base/string.h"

enum { EXIT_TRIES = 8, MAP_SLACK_BYTES = 4096, SECOND_US = 1000000 };

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table);

void assert_failed(const char *expression, const char *file, int line)
{
	say("assertion failed: %s (%s:%d)", expression, file, line);
	for (;;)
		firmware->boot->stall(SECOND_US);
}

static err_t kernel_place(const uint8_t *file, const struct kernel_plan *plan)
{
	if (pages_allocate_at(plan->start, plan->end - plan->start)) {
		say("the kernel's place (%#llx to %#llx) is not free in this machine",
		    (unsigned long long)plan->start, (unsigned long long)plan->end);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < plan->piece_count; i++) {
		const struct kernel_piece *p = &plan->piece[i];
		memcpy((void *)p->physical, file + p->file_offset, p->file_bytes);
		memset((void *)(p->physical + p->file_bytes), 0, p->memory_bytes - p->file_bytes);
	}
	return OK;
}

static err_t kernel_load(efi_handle image, uint64_t *entry)
{
	struct kernel_plan plan;
	const char *why = NULL;
	void *file;
	size_t bytes;
	err_t err;

	if ((err = file_read(image, "kernel.elf", &file, &bytes)))
		return err;
	if ((err = kernel_plan_make(file, bytes, &plan, &why)))
		say("\\kernel.elf cannot be started: %s", why);
	else if ((err = kernel_place(file, &plan)) == OK)
		*entry = plan.entry;
	firmware->boot->free_pages((uint64_t)file, (bytes + EFI_PAGE_BYTES) / EFI_PAGE_BYTES);
	return err;
}

static err_t initfs_load(efi_handle image, struct boot_info *info)
{
	void *data;
	size_t bytes;
	err_t err = file_read(image, "initfs.img", &data, &bytes);

	if (err)
		return err;
	info->initfs = (uint64_t)data;
	info->initfs_bytes = bytes;
	return OK;
}

/* The first line of \cmdline. */
static err_t command_line_load(efi_handle image, struct boot_info *info)
{
	void *text;
	size_t bytes, length = 0;
	err_t err = file_read(image, "cmdline", &text, &bytes);

	if (err)
		return err;
	for (const char *c = text; length < bytes && c[length] != '\n' && c[length] != '\r' && c[length]; )
		length++;
	if (length >= BOOT_COMMAND_LINE_MAX) {
		say("\\cmdline is longer than %d bytes", BOOT_COMMAND_LINE_MAX - 1);
		return ERR_INVAL;
	}
	memcpy(info->command_line, text, length);
	return OK;
}

static err_t info_make(struct boot_info **out)
{
	void *pages;
	err_t err = pages_allocate(sizeof **out, &pages);

	if (err) {
		say("no memory");
		return err;
	}
	memset(pages, 0, sizeof **out);
	*out = pages;
	(*out)->magic = BOOT_MAGIC;
	(*out)->version = BOOT_VERSION;
	(*out)->bytes = sizeof **out;
	return OK;
}

/* The map may change while it is fetched, which the firmware says by refusing its key: then again. */
static err_t services_end(efi_handle image, struct boot_info *info)
{
	size_t room = 0, bytes, key, entry_bytes = 0;
	uint32_t version;
	void *map;

	firmware->boot->get_memory_map(&room, NULL, &key, &entry_bytes, &version);
	room += MAP_SLACK_BYTES;
	if (pages_allocate(room, &map))
		return ERR_NOMEM;
	for (int tries = 0; tries < EXIT_TRIES; tries++) {
		bytes = room;
		if (firmware->boot->get_memory_map(&bytes, map, &key, &entry_bytes, &version) != EFI_SUCCESS)
			return ERR_NOMEM;
		if (firmware->boot->exit_boot_services(image, key) == EFI_SUCCESS) {
			memory_map_convert(map, bytes, entry_bytes, info);
			return OK;
		}
	}
	return ERR_IO;
}

NORETURN static void kernel_enter(uint64_t entry, struct boot_info *info)
{
	__asm__ volatile("cli\n\tcld\n\txor %%ebp, %%ebp\n\tjmp *%0" : : "r"(entry), "D"(info) : "memory");
	__builtin_unreachable();
}

efi_status EFIAPI efi_main(efi_handle image, struct efi_system_table *table)
{
	struct boot_info *info;
	uint64_t entry;

	firmware = table;
	firmware->boot->set_watchdog_timer(0, 0, 0, NULL);
	if (info_make(&info) || kernel_load(image, &entry) || initfs_load(image, info) || command_line_load(image, info))
		goto fail;
	framebuffer_find(&info->framebuffer);
	info->acpi_rsdp = acpi_find();
	if (services_end(image, info))
		goto fail;
	kernel_enter(entry, info);

fail:
	say("cannot boot");
	firmware->boot->stall(5 * SECOND_US);
	return EFI_LOAD_ERROR;
}
