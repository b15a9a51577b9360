/* boot/uefi.h - the part of UEFI that our loader uses.
 *
 * Names and layouts follow the UEFI specification 2.10 (chapter in parentheses); members that we never call are `unused`.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EFIAPI __attribute__((ms_abi))

typedef uint64_t efi_status;            /* the top bit says error */
typedef void *efi_handle;
typedef uint16_t efi_char;              /* UCS-2 */

#define EFI_ERROR_BIT (1ull << 63)
enum { EFI_SUCCESS = 0 };
#define EFI_LOAD_ERROR      (EFI_ERROR_BIT | 1)
#define EFI_BUFFER_TOO_SMALL (EFI_ERROR_BIT | 5)
#define EFI_NOT_FOUND       (EFI_ERROR_BIT | 14)

struct efi_guid { uint32_t a; uint16_t b, c; uint8_t d[8]; };

struct efi_table_header { uint64_t signature; uint32_t revision, header_bytes, crc32, reserved; };

/* Memory (7.2) */
enum efi_memory_type {
	EFI_RESERVED, EFI_LOADER_CODE, EFI_LOADER_DATA, EFI_BOOT_CODE, EFI_BOOT_DATA, EFI_RUNTIME_CODE, EFI_RUNTIME_DATA,
	EFI_CONVENTIONAL, EFI_UNUSABLE, EFI_ACPI_RECLAIM, EFI_ACPI_NVS, EFI_MMIO, EFI_MMIO_PORT, EFI_PAL, EFI_PERSISTENT,
};
enum efi_allocate { EFI_ALLOCATE_ANY, EFI_ALLOCATE_MAX_ADDRESS, EFI_ALLOCATE_ADDRESS };
enum { EFI_PAGE_BYTES = 4096 };

struct efi_memory {
	uint32_t type, reserved;
	uint64_t physical, virtual, pages, attributes;
};

/* Console output (12.4) */
struct efi_text_output {
	void *unused;
	efi_status (EFIAPI *output_string)(struct efi_text_output *this, const efi_char *text);
};

/* Boot services (7) */
struct efi_boot_services {
	struct efi_table_header header;
	void *unused_tpl[2];
	efi_status (EFIAPI *allocate_pages)(enum efi_allocate how, enum efi_memory_type type, size_t pages, uint64_t *address);
	efi_status (EFIAPI *free_pages)(uint64_t address, size_t pages);
	efi_status (EFIAPI *get_memory_map)(size_t *bytes, void *map, size_t *key, size_t *entry_bytes, uint32_t *version);
	efi_status (EFIAPI *allocate_pool)(enum efi_memory_type type, size_t bytes, void **out);
	efi_status (EFIAPI *free_pool)(void *memory);
	void *unused_events[6];
	void *unused_protocols[3];
	efi_status (EFIAPI *handle_protocol)(efi_handle handle, const struct efi_guid *protocol, void **out);
	void *unused_locate[5];
	void *unused_images[4];
	efi_status (EFIAPI *exit_boot_services)(efi_handle image, size_t map_key);
	void *unused_count;
	efi_status (EFIAPI *stall)(size_t microseconds);
	efi_status (EFIAPI *set_watchdog_timer)(size_t seconds, uint64_t code, size_t data_bytes, const efi_char *data);
	void *unused_drivers[2];
	void *unused_open[3];
	void *unused_library[2];
	efi_status (EFIAPI *locate_protocol)(const struct efi_guid *protocol, void *registration, void **out);
};

struct efi_configuration { struct efi_guid guid; void *table; };

/* System table (4.3) */
struct efi_system_table {
	struct efi_table_header header;
	efi_char *vendor;
	uint32_t revision;
	efi_handle in_handle;
	void *in;
	efi_handle out_handle;
	struct efi_text_output *out;
	efi_handle error_handle;
	struct efi_text_output *error;
	void *runtime;
	struct efi_boot_services *boot;
	size_t configuration_count;
	struct efi_configuration *configuration;
};

/* Loaded image (9.1) */
struct efi_loaded_image {
	uint32_t revision;
	efi_handle parent;
	struct efi_system_table *system;
	efi_handle device;
};

/* Files (13.4, 13.5) */
struct efi_file {
	uint64_t revision;
	efi_status (EFIAPI *open)(struct efi_file *this, struct efi_file **out, const efi_char *name, uint64_t mode, uint64_t attributes);
	efi_status (EFIAPI *close)(struct efi_file *this);
	void *unused_delete;
	efi_status (EFIAPI *read)(struct efi_file *this, size_t *bytes, void *to);
	void *unused_write;
	void *unused_position[2];
	efi_status (EFIAPI *get_info)(struct efi_file *this, const struct efi_guid *kind, size_t *bytes, void *out);
};
enum { EFI_FILE_READ = 1 };
struct efi_file_info { uint64_t info_bytes, file_bytes, stored_bytes; uint8_t times[48]; uint64_t attributes; efi_char name[]; };
enum { EFI_FILE_DIRECTORY = 0x10 };

struct efi_file_system {
	uint64_t revision;
	efi_status (EFIAPI *open_volume)(struct efi_file_system *this, struct efi_file **out);
};

/* Graphics output (12.9) */
enum efi_pixel_format { EFI_PIXEL_RGB, EFI_PIXEL_BGR, EFI_PIXEL_MASKS, EFI_PIXEL_NO_MEMORY };
struct efi_graphics_info {
	uint32_t version, width, height;
	uint32_t format;                /* enum efi_pixel_format */
	uint32_t red_mask, green_mask, blue_mask, reserved_mask;
	uint32_t pixels_per_line;
};
struct efi_graphics_mode {
	uint32_t mode_count, mode;
	struct efi_graphics_info *info;
	size_t info_bytes;
	uint64_t framebuffer;
	size_t framebuffer_bytes;
};
struct efi_graphics {
	void *unused[3];
	struct efi_graphics_mode *mode;
};

#define EFI_LOADED_IMAGE_GUID { 0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_FILE_SYSTEM_GUID  { 0x964e5b22, 0x6459, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_FILE_INFO_GUID    { 0x09576e92, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b } }
#define EFI_GRAPHICS_GUID     { 0x9042a9de, 0x23dc, 0x4a38, { 0x96, 0xfb, 0x7a, 0xde, 0xd0, 0x80, 0x51, 0x6a } }
#define EFI_ACPI_20_GUID      { 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } }
#define EFI_ACPI_10_GUID      { 0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d } }
