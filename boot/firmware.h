/* boot/firmware.h - the firmware's services as the loader wants them: text, pages, files, the screen. */
#pragma once
#include "abi/boot.h"
#include "abi/error.h"
#include "boot/uefi.h"
#include "lib/base/attr.h"

extern struct efi_system_table *firmware;       /* set first of all */

/* A line for the user. */
void say(const char *format, ...) PRINTF_LIKE(1, 2);
/* Whole pages below 4 GiB (the kernel's first tables reach that far), kept for the kernel. NOMEM. */
err_t pages_allocate(size_t bytes, void **out) NONNULL MUST_CHECK;
/* These very pages. NOMEM. */
err_t pages_allocate_at(uint64_t address, size_t bytes) MUST_CHECK;
/* Reads a whole file of the volume that the loader came from. Says what is wrong itself. NOENT, NOMEM, IO. */
err_t file_read(efi_handle image, const char *name, void **data, size_t *bytes) NONNULL MUST_CHECK;
/* The framebuffer as the firmware set it up; address 0 when there is none that can be written. */
void framebuffer_find(struct boot_framebuffer *out) NONNULL;
/* The physical address of ACPI's root pointer; 0 when there is none. */
uint64_t acpi_find(void);
