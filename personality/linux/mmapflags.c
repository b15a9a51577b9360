/* personality/linux/mmapflags.c - a table of bits. */
#include "personality/linux/mmapflags.h"
#include "abi/error.h"
#include "abi/types.h"
#include "personality/linux/abi.h"

enum { KNOWN_FOR_VALIDATE = LINUX_MAP_TYPE | LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_32BIT | LINUX_MAP_GROWSDOWN | LINUX_MAP_DENYWRITE |
       LINUX_MAP_EXECUTABLE | LINUX_MAP_LOCKED | LINUX_MAP_NORESERVE | LINUX_MAP_POPULATE | LINUX_MAP_NONBLOCK | LINUX_MAP_STACK |
       LINUX_MAP_HUGETLB | LINUX_MAP_FIXED_NOREPLACE };

int64_t mmap_protection(uint64_t prot, uint32_t *out)
{
	if (prot & ~(uint64_t)(LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC | LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP))
		return ERR_INVAL;
	*out = (prot & LINUX_PROT_READ ? MAP_READ : 0) | (prot & LINUX_PROT_EXEC ? MAP_EXEC | MAP_READ : 0) |
	       (prot & LINUX_PROT_WRITE ? MAP_WRITE | MAP_READ : 0);
	return 0;
}

int64_t mmap_flags(uint64_t prot, uint64_t flags, uint32_t *out)
{
	uint32_t result;
	int64_t err = mmap_protection(prot & ~(uint64_t)(LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP), &result);

	if (err)
		return err;
	switch (flags & LINUX_MAP_TYPE) {
	case LINUX_MAP_PRIVATE:
		break;
	case LINUX_MAP_SHARED_VALIDATE:
		if (flags & ~(uint64_t)KNOWN_FOR_VALIDATE)
			return ERR_OPNOTSUPP;
		result |= MAP_SHARED;
		break;
	case LINUX_MAP_SHARED:
		result |= MAP_SHARED;
		break;
	default:
		return ERR_INVAL;
	}
	if (flags & LINUX_MAP_GROWSDOWN && result & MAP_SHARED)
		return ERR_INVAL;
	/* There are no huge pages to be had: programs fall back. */
	if (flags & LINUX_MAP_HUGETLB)
		return ERR_NOMEM;
	if (flags & LINUX_MAP_FIXED_NOREPLACE)
		result |= MAP_NOREPLACE;
	else if (flags & LINUX_MAP_FIXED)
		result |= MAP_FIXED;
	if ((flags & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED)) && !(flags & LINUX_MAP_NONBLOCK))
		result |= MAP_POPULATE;
	*out = result;
	return 0;
}
