/* tests/native/machine.c - what the kernel's schemes tell user 0 of the machine, and what they keep to themselves; prints TAP. */
#include "abi/boot.h"
#include "abi/proto/kernel.h"
#include "abi/proto/task.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"
#include "lib/native/thread.h"
#include "tests/native/tap.h"

enum { PAGE = 4096 };

static struct boot_info boot;

static bool boot_read(void)
{
	handle_t h;

	if (handle_open("sys", "boot", OPEN_READ, &h))
		return false;
	err_t err = handle_read_at(h, &boot, sizeof boot, 0);
	handle_close(h);
	return err == OK;
}

/* The physical page, mapped for reading; an err_t when it is not given. */
static int64_t physical_map(uint64_t address)
{
	struct mem_window window = { .offset = address & ~(uint64_t)(PAGE - 1), .bytes = PAGE };
	handle_t phys, h;
	err_t err;

	if ((err = handle_open("mem", "phys", OPEN_READ | OPEN_WRITE, &phys)))
		return err;
	err = handle_call_get(phys, MEM_PHYSICAL, &window, sizeof window, MEM_CACHED, &h);
	handle_close(phys);
	if (err)
		return err;
	int64_t at = sys_map(0, h, 0, PAGE, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	handle_close(h);
	return at;
}

static void the_loaders_words_can_be_read(void)
{
	CHECK(boot_read());
	CHECK(boot.magic == BOOT_MAGIC && boot.bytes == sizeof boot);
	CHECK(boot.memory_count > 0 && boot.initfs_bytes > 0);
}

static void the_firmwares_tables_can_be_mapped(void)
{
	CHECK(boot_read() && boot.acpi_rsdp != 0);
	int64_t at = physical_map(boot.acpi_rsdp);
	CHECK(at > 0);
	CHECK(at > 0 && memcmp((const char *)at + boot.acpi_rsdp % PAGE, "RSD PTR ", 8) == 0);
}

static void memory_is_not_device_memory(void)
{
	CHECK(boot_read());
	CHECK(physical_map(boot.initfs) == ERR_PERM);
	CHECK(physical_map(0x200000) == ERR_PERM);
	for (uint32_t i = 0; i < boot.memory_count; i++)
		if (boot.memory[i].kind == BOOT_MEMORY_FREE)
			CHECK(physical_map(boot.memory[i].start) == ERR_PERM);
}

static void wait_for_word(void *argument)
{
	sys_futex_wait(0, HANDLE_NONE, argument, 0, DEADLINE_NONE);
}

static void threads_are_listed_one_by_one(void)
{
	enum { THREADS = 300 };         /* more than any buffer would have held */
	static uint32_t word;
	struct thread_info info = { 0 };
	uint32_t tid, listed = 0, last = 0;
	bool ascends = true;
	unsigned started = 0;

	while (started < THREADS && thread_create(wait_for_word, &word, &tid) == OK)
		started++;
	while (handle_call(startup_self(), TASK_NEXT_THREAD, NULL, 0, &info, sizeof info, last) >= 0) {
		ascends &= info.tid > last;
		last = info.tid;
		listed++;
	}
	CHECK(ascends && listed == started + 1);
	CHECK(handle_call(startup_self(), TASK_NEXT_THREAD, NULL, 0, &info, sizeof info, last) == ERR_SRCH);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	sys_futex_wake(0, HANDLE_NONE, &word, THREADS, ~0u);
}

int program_main(const struct startup *startup)
{
	(void)startup;
	run("the loader's words can be read", the_loaders_words_can_be_read);
	run("the firmware's tables can be mapped", the_firmwares_tables_can_be_mapped);
	run("memory is not device memory", memory_is_not_device_memory);
	run("threads are listed one by one", threads_are_listed_one_by_one);
	print("1..%u\n", points);
	return failures != 0;
}
