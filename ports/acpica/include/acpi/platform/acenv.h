/* ports/acpica/include/acpi/platform/acenv.h - stands in for ACPICA's own header of this name: how it is built for a Cathode program.
 *
 * One thread, our C library of a few functions (clib.h), locks that are nothing, messages by acpi_os_vprintf. Names in here are ACPICA's.
 */
#pragma once
#include <acpi/platform/acgcc.h>
#include "clib.h"

#define ACPI_BINARY_SEMAPHORE 0
#define ACPI_OSL_MUTEX 1
#define DEBUGGER_SINGLE_THREADED 0
#define DEBUGGER_MULTI_THREADED 1

#define ACPI_MACHINE_WIDTH 64
#define COMPILER_DEPENDENT_INT64 long
#define COMPILER_DEPENDENT_UINT64 unsigned long
#define ACPI_USE_SYSTEM_CLIBRARY
#define ACPI_USE_DO_WHILE_0
#define ACPI_IGNORE_PACKAGE_RESOLUTION_ERRORS
#define ACPI_PCI_CONFIGURED
#define USE_NATIVE_ALLOCATE_ZEROED
#define ACPI_SRC_OS_LF_ONLY 0

/* Blocks come straight from the heap, which has size classes of its own. */
struct acpi_cache;
#define acpi_cache_t struct acpi_cache
#define acpi_spinlock void *
#define acpi_semaphore void *
#define acpi_mutex void *
#define acpi_cpu_flags unsigned long
#define acpi_uintptr_t unsigned long
#define ACPI_MUTEX_TYPE ACPI_BINARY_SEMAPHORE
#define ACPI_SEMAPHORE_NULL NULL
#define DEBUGGER_THREADING DEBUGGER_SINGLE_THREADED

/* The global lock is shared with firmware that runs in system management mode: the owner bit and the pending bit of *lock. */
#define ACPI_ACQUIRE_GLOBAL_LOCK(lock, acquired) ((acquired) = global_lock_acquire(lock))
#define ACPI_RELEASE_GLOBAL_LOCK(lock, pending) ((pending) = global_lock_release(lock))

#define ACPI_FLUSH_CPU_CACHE()
#define ACPI_OFFSET(type, member) offsetof(type, member)
#define ACPI_TO_INTEGER(p) ((unsigned long)(p))
#define ACPI_STRUCT_INIT(member, value) .member = value
#define ACPI_SYSTEM_XFACE
#define ACPI_EXTERNAL_XFACE
#define ACPI_INTERNAL_XFACE
#define ACPI_INTERNAL_VAR_XFACE
#define ACPI_INIT_FUNCTION
#define ACPI_EXPORT_SYMBOL(symbol)
#define ACPI_FILE void *
#define ACPI_FILE_OUT NULL
#define ACPI_FILE_ERR NULL
#define __iomem
#define __init
