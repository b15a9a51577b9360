/* kernel/mem/usercopy.h - the only way the kernel touches the current process's memory.
 *
 * FAULT when any byte is outside user space or cannot be had. No lock may be held that a page fault
 * takes (RANK_SPACE or higher in the order), since the copy may fault pages in, even through a pager.
 */
#pragma once
#include "abi/error.h"
#include "kernel/arch/arch.h"
#include "kernel/cpu.h"
#include "kernel/mem/addr.h"
#include "lib/base/attr.h"

static inline MUST_CHECK err_t copy_from_user(void *to, uaddr_t from, size_t bytes)
{
	return user_range_is_valid(from.raw, bytes) && arch_copy_from_user(to, from.raw, bytes) == 0 ? OK : ERR_FAULT;
}

static inline MUST_CHECK err_t copy_to_user(uaddr_t to, const void *from, size_t bytes)
{
	return user_range_is_valid(to.raw, bytes) && arch_copy_to_user(to.raw, from, bytes) == 0 ? OK : ERR_FAULT;
}

static inline MUST_CHECK err_t load_user_u32(uaddr_t from, uint32_t *out)
{
	return user_range_is_valid(from.raw, sizeof *out) ? arch_load_user_u32(from.raw, out) : ERR_FAULT;
}

/* Under any lock: false when it is not there just now. */
static inline MUST_CHECK bool load_user_u32_present(uaddr_t from, uint32_t *out)
{
	cpu_this()->faults_are_final = true;
	err_t err = load_user_u32(from, out);
	cpu_this()->faults_are_final = false;
	return !err;
}

/* Under any lock: false when not all of it is there just now (and some of it may have been copied). */
static inline MUST_CHECK bool copy_from_user_present(void *to, uaddr_t from, size_t bytes)
{
	cpu_this()->faults_are_final = true;
	err_t err = copy_from_user(to, from, bytes);
	cpu_this()->faults_are_final = false;
	return !err;
}
