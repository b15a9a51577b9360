/* boot/firmware.c - thin dress over UEFI's tables of functions. */
#include "boot/firmware.h"
#include "lib/base/fmt.h"
#include "lib/base/string.h"

enum { LINE_MAX = 256, NAME_MAX = 32, INFO_MAX = 512 };
#define BELOW_4G 0xffffffffull

struct efi_system_table *firmware;

void say(const char *format, ...)
{
	char line[LINE_MAX];
	efi_char wide[LINE_MAX + 10] = { 'c', 'a', 't', 'h', 'o', 'd', 'e', ':', ' ' };
	va_list arguments;
	size_t at = 9;

	va_start(arguments, format);
	fmt_v(line, sizeof line, format, arguments);
	va_end(arguments);
	for (const char *c = line; *c && at < LINE_MAX + 6; c++)
		wide[at++] = (efi_char)(uint8_t)*c;
	wide[at++] = '\r';
	wide[at++] = '\n';
	wide[at] = 0;
	firmware->out->output_string(firmware->out, wide);
}

static size_t pages_of(size_t bytes)
{
	return (bytes + EFI_PAGE_BYTES - 1) / EFI_PAGE_BYTES;
}

err_t pages_allocate(size_t bytes, void **out)
{
	uint64_t address = BELOW_4G;

	if (firmware->boot->allocate_pages(EFI_ALLOCATE_MAX_ADDRESS, EFI_LOADER_DATA, pages_of(bytes), &address) != EFI_SUCCESS)
		return ERR_NOMEM;
	*out = (void *)address;
	return OK;
}

err_t pages_allocate_at(uint64_t address, size_t bytes)
{
	if (firmware->boot->allocate_pages(EFI_ALLOCATE_ADDRESS, EFI_LOADER_DATA, pages_of(bytes), &address) != EFI_SUCCESS)
		return ERR_NOMEM;
	return OK;
}

static efi_status volume_open(efi_handle image, struct efi_file **out)
{
	static const struct efi_guid loaded_image = EFI_LOADED_IMAGE_GUID, file_system = EFI_FILE_SYSTEM_GUID;
	struct efi_loaded_image *loaded;
	struct efi_file_system *system;
	efi_status status;

	if ((status = firmware->boot->handle_protocol(image, &loaded_image, (void **)&loaded)))
		return status;
	if ((status = firmware->boot->handle_protocol(loaded->device, &file_system, (void **)&system)))
		return status;
	return system->open_volume(system, out);
}

static efi_status file_open(efi_handle image, const char *name, struct efi_file **out)
{
	efi_char wide[NAME_MAX] = { '\\' };
	struct efi_file *volume;
	efi_status status;

	for (size_t i = 0; name[i] && i < NAME_MAX - 2; i++)
		wide[i + 1] = (efi_char)name[i];
	if ((status = volume_open(image, &volume)))
		return status;
	status = volume->open(volume, out, wide, EFI_FILE_READ, 0);
	volume->close(volume);
	return status;
}

static efi_status file_length(struct efi_file *file, uint64_t *out)
{
	static const struct efi_guid file_info = EFI_FILE_INFO_GUID;
	static ALIGNED(8) uint8_t buffer[INFO_MAX];
	size_t bytes = sizeof buffer;
	efi_status status = file->get_info(file, &file_info, &bytes, buffer);

	if (status == EFI_SUCCESS) {
		struct efi_file_info *info = (struct efi_file_info *)buffer;
		*out = info->attributes & EFI_FILE_DIRECTORY ? 0 : info->file_bytes;
	}
	return status;
}

static err_t content_read(struct efi_file *file, const char *name, uint8_t *to, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t count = bytes - done;
		efi_status status = file->read(file, &count, to + done);
		if (status != EFI_SUCCESS) {
			say("\\%s cannot be read: disk error %x", name, (unsigned)status);
			return ERR_IO;
		}
		if (count == 0) {
			say("\\%s ends after %zu of %zu bytes", name, done, bytes);
			return ERR_IO;
		}
		done += count;
	}
	return OK;
}

static err_t open_file_read(struct efi_file *file, const char *name, void **data, size_t *bytes)
{
	uint64_t length;
	void *pages;
	err_t err;

	if (file_length(file, &length) != EFI_SUCCESS) {
		say("\\%s: its length cannot be read", name);
		return ERR_IO;
	}
	/* One byte more than the file, a zero: text is then a string. */
	if (length >= BELOW_4G || pages_allocate(length + 1, &pages) != OK) {
		say("\\%s: no memory for its %llu bytes", name, (unsigned long long)length);
		return ERR_NOMEM;
	}
	if ((err = content_read(file, name, pages, length))) {
		firmware->boot->free_pages((uint64_t)pages, pages_of(length + 1));
		return err;
	}
	((uint8_t *)pages)[length] = 0;
	*data = pages;
	*bytes = length;
	return OK;
}

err_t file_read(efi_handle image, const char *name, void **data, size_t *bytes)
{
	struct efi_file *file;
	err_t err;

	if (file_open(image, name, &file) != EFI_SUCCESS) {
		say("\\%s is not on the boot volume", name);
		return ERR_NOENT;
	}
	err = open_file_read(file, name, data, bytes);
	file->close(file);
	return err;
}

static uint8_t shift_of(uint32_t mask)
{
	return mask ? (uint8_t)__builtin_ctz(mask) : 0;
}

void framebuffer_find(struct boot_framebuffer *out)
{
	static const struct efi_guid guid = EFI_GRAPHICS_GUID;
	struct efi_graphics *graphics;

	*out = (struct boot_framebuffer){0};
	if (firmware->boot->locate_protocol(&guid, NULL, (void **)&graphics) != EFI_SUCCESS || !graphics->mode || !graphics->mode->info)
		return;
	const struct efi_graphics_info *info = graphics->mode->info;
	uint32_t red = 0xff, green = 0xff00, blue = 0xff0000;
	if (info->format == EFI_PIXEL_BGR) {
		red = 0xff0000;
		blue = 0xff;
	} else if (info->format == EFI_PIXEL_MASKS) {
		red = info->red_mask;
		green = info->green_mask;
		blue = info->blue_mask;
	} else if (info->format != EFI_PIXEL_RGB) {
		return;
	}
	*out = (struct boot_framebuffer){
		.address = graphics->mode->framebuffer, .width = info->width, .height = info->height,
		.pitch_bytes = info->pixels_per_line * 4, .bits_per_pixel = 32,
		.red_shift = shift_of(red), .green_shift = shift_of(green), .blue_shift = shift_of(blue),
	};
}

static uint64_t table_find(struct efi_guid guid)
{
	for (size_t i = 0; i < firmware->configuration_count; i++)
		if (memcmp(&firmware->configuration[i].guid, &guid, sizeof guid) == 0)
			return (uint64_t)firmware->configuration[i].table;
	return 0;
}

uint64_t acpi_find(void)
{
	uint64_t found = table_find((struct efi_guid)EFI_ACPI_20_GUID);

	return found ? found : table_find((struct efi_guid)EFI_ACPI_10_GUID);
}
