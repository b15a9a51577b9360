/* tests/linux/records.c - procd's records of processes, which everybody may read: what hostile hands can do with them. */
#define _GNU_SOURCE
#include <stdint.h>
#include <unistd.h>
#include "abi/arch/regs.h"
#include "abi/ops.h"
#include "abi/proto/kernel.h"
#include "abi/proto/posix.h"
#include "lib/test/test.h"

/* A request of Cathode's own, as a hostile program would make it; *received: a handle that came back. */
static int64_t native(enum op op, handle_t handle, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, handle_t *received)
{
	register uint64_t r10 __asm__("r10") = a2;
	register uint64_t r8 __asm__("r8") = a3;
	register uint64_t r9 __asm__("r9") = a4;
	register uint64_t r12 __asm__("r12") = a5;
	int64_t result = NATIVE_CALL_BASE + op;
	uint64_t second = a1;

	__asm__ volatile("syscall" : "+a"(result), "+d"(second) : "D"((int64_t)handle), "S"(a0), "r"(r10), "r"(r8), "r"(r9), "r"(r12)
	                 : "rcx", "r11", "memory");
	*received = (handle_t)second;
	return result;
}

static uint64_t code_and_none(uint32_t code) { return (uint64_t)UINT32_MAX << 32 | code; }

TEST(records_of_processes_can_be_read_and_not_written)
{
	const uint64_t bytes = POSIX_RECORDS * sizeof(struct posix_record);
	struct mem_window window = { 0, 4096 };
	handle_t records, ignored, posix;

	posix = (handle_t)native(OP_OPEN, HANDLE_NONE, (uint64_t)"posix", 5, (uint64_t)"self", 4, OPEN_READ | OPEN_WRITE | OPEN_PRIVATE, 0, &ignored);
	CHECK(posix >= 0);
	CHECK_EQ(native(OP_CALL, posix, code_and_none(POSIX_RECORDS_OPEN), 0, 0, 0, 0, 0, &records), 0);
	CHECK(records >= 0);
	CHECK(native(OP_MAP, records, 0x200000000, bytes, MAP_READ | MAP_WRITE | MAP_SHARED | MAP_FIXED, 0, (uint64_t)HANDLE_NONE, 0, &ignored) < 0);
	CHECK(native(OP_WRITE, records, (uint64_t)&window, sizeof(window), 0, 0, 0, 0, &ignored) < 0);
	CHECK(native(OP_CALL, records, code_and_none(MEM_PUNCH), (uint64_t)&window, sizeof(window), 0, 0, 0, &ignored) < 0);
	CHECK(native(OP_CALL, records, code_and_none(MEM_RESIZE), 0, 0, 0, 0, 0, &ignored) < 0);
	int64_t at = native(OP_MAP, records, 0x200000000, bytes, MAP_READ | MAP_SHARED | MAP_FIXED, 0, (uint64_t)HANDLE_NONE, 0, &ignored);
	CHECK_EQ(at, 0x200000000);
	if (at > 0) {
		const struct posix_record *r = (const struct posix_record *)at + getpid();
		CHECK(r->pid == (uint32_t)getpid() && r->parent == (uint32_t)getppid() && r->session == (uint32_t)getsid(0));
		CHECK(native(OP_PROTECT, HANDLE_NONE, (uint64_t)at, 4096, MAP_READ | MAP_WRITE, 0, 0, 0, &ignored) < 0);
		native(OP_UNMAP, HANDLE_NONE, (uint64_t)at, bytes, 0, 0, 0, 0, &ignored);
	}
	native(OP_CLOSE, records, 0, 0, 0, 0, 0, 0, &ignored);
	native(OP_CLOSE, posix, 0, 0, 0, 0, 0, 0, &ignored);
}
