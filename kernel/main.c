/* kernel/main.c - the start: subsystems in order, then the first process.
 *
 * The first process is /boot/init of the initfs. It gets all there is to give: the admin handle of proc:,
 * a namespace with every kernel scheme, and the initfs image.
 */
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
#include "lib/base/try.h"
#include "lib/elf/elf.h"
#include "lib/initfs/initfs.h"

#define INIT_PATH "/boot/init"
#define INIT_STACK_TOP 0x7ffff0000000ull
enum { INIT_STACK_BYTES = 256 * 1024 };

static const struct boot_info *boot;
static struct memobj *initfs_object;

const struct boot_info *kernel_boot_info(void) { return boot; }

/* Something without which there is no system: say what, and stop. */
static void need(err_t err, const char *what)
{
	if (err)
		panic("%s: error %d", what, err);
}

/* ---- the first process ---- */

/* Of init's image, which lies whole pages in the file as in memory (servers/init/init.ld): nothing has to be zeroed or filled. */
static err_t map_segment(struct space *s, uint64_t image_offset, const struct elf_segment *segment)
{
	uint64_t bytes = page_round_up(segment->memory_bytes), address;

	if (segment->file_offset % PAGE_BYTES || segment->file_bytes != segment->memory_bytes)
		return ERR_NOEXEC;
	return space_map(s, segment->address, bytes, segment->map_flags | MAP_FIXED, MAP_READ | MAP_WRITE | MAP_EXEC,
	                 initfs_object, image_offset + segment->file_offset, &address);
}

static err_t load_init(struct space *s, uint64_t *entry)
{
	struct initfs_entry e;
	struct initfs tree;
	struct elf_plan plan;

	need(initfs_open(paddr_to_kernel(paddr(boot->initfs)), boot->initfs_bytes, &tree), "the initfs is broken");
	TRY(initfs_find(&tree, INITFS_ROOT, INIT_PATH, strlen(INIT_PATH), &e));
	TRY(elf_plan_from_start(e.content, e.content_bytes, e.content_bytes, &plan));
	if (plan.is_position_independent)
		return ERR_NOEXEC;
	for (uint32_t i = 0; i < plan.segment_count; i++)
		TRY(map_segment(s, e.content_offset, &plan.segment[i]));
	*entry = plan.entry;
	return OK;
}

static err_t give(struct process *p, handle_t number, struct resource *r, uint32_t rights)
{
	struct passed passed = { .resource = r, .rights = rights };
	return handle_replace(&p->handles, number, &passed);
}

static err_t give_boot_handles(struct process *p, struct namespace *n)
{
	struct resource *admin, *names, *image;

	TRY(proc_create_admin(&admin));
	TRY(namespace_resource(n, &names));
	TRY(memobj_resource(initfs_object, &image));
	TRY(give(p, HANDLE_BOOT_ADMIN, admin, RIGHT_ALL));
	TRY(give(p, HANDLE_BOOT_NAMESPACE, names, RIGHT_ALL));
	return give(p, HANDLE_BOOT_INITFS, image, RIGHT_READ | RIGHT_MAP | RIGHT_EXEC | RIGHT_CALL | RIGHT_DUP | RIGHT_SEND);
}

static void start_init(void)
{
	struct thread_start start = {0};
	struct namespace *n;
	struct process *p;
	struct space *s;
	uint64_t stack;
	uint32_t tid;

	need(space_create(NULL, &s), "init's space");
	need(process_create(s, NULL, &p), "init's process");
	memcpy(p->name, "init", 5);
	p->schedule.priority = PRIORITY_SERVER;
	need(schemes_create_namespace(&n), "the kernel's schemes");
	p->namespace = n;
	need(give_boot_handles(p, n), "init's handles");
	need(load_init(s, &start.ip), INIT_PATH);
	/* All zeros: init has no arguments, and knows its handles' numbers. */
	need(space_map(s, INIT_STACK_TOP - INIT_STACK_BYTES, INIT_STACK_BYTES, MAP_READ | MAP_WRITE | MAP_FIXED, MAP_READ | MAP_WRITE,
	               NULL, 0, &stack), "init's stack");
	start.sp = stack + INIT_STACK_BYTES - 64;
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
	if (!boot->initfs_bytes)
		panic("no initfs was loaded");
	need(memobj_create_physical(paddr(boot->initfs), page_round_up(boot->initfs_bytes), MEM_CACHED, &initfs_object),
	     "initfs object");
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
