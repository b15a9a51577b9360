/* kernel/main.c - the start: subsystems in order, then the first process.
 *
 * The first process is /boot/init of the initfs. It gets all there is to give: the admin handle of proc:,
 * a namespace with every kernel scheme, and the initfs image.
 */
#include "abi/proto/file.h"
#include "abi/startup.h"
#include "kernel/boot.h"
#include "kernel/debug/log.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/memobj.h"
#include "kernel/mem/space.h"
#include "kernel/obj/namespace.h"
#include "kernel/obj/process.h"
#include "kernel/sched/clock.h"
#include "kernel/sched/futex.h"
#include "kernel/sched/sched.h"
#include "kernel/scheme/mem.h"
#include "kernel/scheme/proc.h"
#include "kernel/scheme/table.h"
#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "lib/initfs/initfs.h"

#define INIT_PATH "/boot/init"
#define INIT_STACK_TOP 0x7ffff0000000ull
enum { INIT_STACK_BYTES = 256 * 1024 };

static const struct boot_info *boot;
static struct memobj *initfs_object;
static struct initfs initfs_tree;
static bool initfs_is_sound;

const struct boot_info *kernel_boot_info(void) { return boot; }

struct memobj *kernel_initfs(void) { return initfs_object; }

const struct initfs *kernel_initfs_tree(void) { return initfs_is_sound ? &initfs_tree : NULL; }

/* Something without which there is no system: say what, and stop. */
static void need(err_t err, const char *what)
{
	if (err)
		panic("%s: error %d", what, err);
}

static void initfs_init(void)
{
	if (!boot->initfs_bytes)
		panic("no initfs was loaded");
	need(initfs_open(paddr_to_kernel(paddr(boot->initfs)), boot->initfs_bytes, &initfs_tree), "the initfs is broken");
	initfs_is_sound = true;
	need(memobj_create_physical(paddr(boot->initfs), page_round_up(boot->initfs_bytes), MEM_CACHED, &initfs_object),
	     "initfs object");
}

/* ---- the first process ---- */

static err_t map_segment(struct space *s, struct memobj *file, const struct elf_segment *segment)
{
	struct elf_mapping m;
	uint64_t address;
	err_t err;

	elf_segment_mapping(segment, 0, &m);
	if (m.file_bytes && (err = space_map(s, m.file_address, m.file_bytes, segment->map_flags | MAP_FIXED,
	                                     MAP_READ | MAP_WRITE | MAP_EXEC, file, m.file_offset, &address)))
		return err;
	if (m.zero_bytes && (err = space_map(s, m.zero_address, m.zero_bytes, segment->map_flags | MAP_FIXED,
	                                     MAP_READ | MAP_WRITE | MAP_EXEC, NULL, 0, &address)))
		return err;
	for (uint64_t at = 0; at < m.clear_bytes;) {
		static const uint8_t zeros[256];
		size_t bytes = m.clear_bytes - at < sizeof(zeros) ? m.clear_bytes - at : sizeof(zeros);
		if ((err = space_write(s, m.clear_address + at, zeros, bytes, true)))
			return err;
		at += bytes;
	}
	return OK;
}

static err_t load_init(struct space *s, uint64_t *entry)
{
	struct initfs_entry e;
	struct elf_plan plan;
	struct memobj *file;
	err_t err;

	if ((err = initfs_find(&initfs_tree, INITFS_ROOT, INIT_PATH, strlen(INIT_PATH), &e)))
		return err;
	if ((err = elf_plan_from_start(e.content, e.content_bytes, e.content_bytes, &plan)))
		return err;
	if (plan.is_position_independent)
		return ERR_NOEXEC;
	if ((err = memobj_create_clone(initfs_object, e.content_offset, e.content_bytes, NULL, &file)))
		return err;
	for (uint32_t i = 0; i < plan.segment_count && !err; i++)
		err = map_segment(s, file, &plan.segment[i]);
	memobj_put(file);
	*entry = plan.entry;
	return err;
}

/* What init finds at the top of its stack. */
struct init_block {
	struct startup startup;
	uint64_t arguments[2], environment[1];
	struct startup_handle handles[3];
	char name[8];
};

static err_t write_block(struct space *s, uint64_t *address)
{
	uint64_t stack = INIT_STACK_TOP - INIT_STACK_BYTES, at = INIT_STACK_TOP - sizeof(struct init_block), mapped;
	struct init_block b = {
		.startup = {
			.bytes = sizeof(b), .argument_count = 1, .handle_count = 3,
			.arguments = at + offsetof(struct init_block, arguments),
			.environment = at + offsetof(struct init_block, environment),
			.handles = at + offsetof(struct init_block, handles),
		},
		.arguments = { at + offsetof(struct init_block, name) },
		.handles = {
			{ .name = "admin", .handle = HANDLE_BOOT_ADMIN },
			{ .name = "namespace", .handle = HANDLE_BOOT_NAMESPACE },
			{ .name = "initfs", .handle = HANDLE_BOOT_INITFS },
		},
		.name = "init",
	};
	err_t err;

	if ((err = space_map(s, stack, INIT_STACK_BYTES, MAP_READ | MAP_WRITE | MAP_FIXED, MAP_READ | MAP_WRITE, NULL, 0, &mapped)))
		return err;
	*address = at;
	return space_write(s, at, &b, sizeof(b), true);
}

static err_t give(struct process *p, handle_t number, struct resource *r, uint32_t rights)
{
	struct passed passed = { .resource = r, .rights = rights };
	return handle_replace(&p->handles, number, &passed);
}

static err_t give_boot_handles(struct process *p, struct namespace *n)
{
	struct resource *admin, *names, *image;
	err_t err;

	if ((err = proc_create_admin(&admin)) || (err = namespace_resource(n, &names)) ||
	    (err = memobj_resource(initfs_object, &image)))
		return err;
	if ((err = give(p, HANDLE_BOOT_ADMIN, admin, RIGHT_ALL)) || (err = give(p, HANDLE_BOOT_NAMESPACE, names, RIGHT_ALL)))
		return err;
	return give(p, HANDLE_BOOT_INITFS, image,
	            RIGHT_READ | RIGHT_MAP | RIGHT_EXEC | RIGHT_CALL | RIGHT_DUP | RIGHT_SEND);
}

static void start_init(void)
{
	struct thread_start start = {0};
	struct namespace *n;
	struct process *p;
	struct space *s;
	uint32_t tid;

	need(space_create(NULL, &s), "init's space");
	need(process_create(s, NULL, &p), "init's process");
	memcpy(p->name, "init", 5);
	p->priority = PRIORITY_SERVER;
	need(schemes_create_namespace(&n), "the kernel's schemes");
	p->namespace = n;
	need(give_boot_handles(p, n), "init's handles");
	need(load_init(s, &start.ip), INIT_PATH);
	need(write_block(s, &start.arg[0]), "init's stack");
	start.sp = start.arg[0] & ~15ull;
	need(process_start_thread(p, &start, &tid), "init's thread");
	process_put(p);
}

void kernel_main(struct boot_info *info)
{
	boot = info;
	arch_init_early();
	need(frame_init(info), "memory map");
	futex_init();
	need(sched_init_cpu(cpu_this()), "scheduler");
	need(clock_init(), "clock");
	cpu_this()->online = true;
	arch_start_cpus();
	initfs_init();
	klog("cathode: %u CPUs, %lu MiB of memory, %lu MiB free\n", cpu_count, frame_count_total() >> 8, frame_count_free() >> 8);
	start_init();
	sched_run_idle();
}

void kernel_main_secondary(void)
{
	need(sched_init_cpu(cpu_this()), "scheduler of another CPU");
	cpu_this()->online = true;
	sched_run_idle();
}
