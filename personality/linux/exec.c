/* personality/linux/exec.c - execve: a new space is put together while the old program is whole, then the thread moves into it.
 *
 * Nothing of the caller changes before TASK_EXEC, so that every failure leaves it intact.
 */
#include "personality/linux/exec.h"
#include "abi/proto/file.h"
#include "abi/startup.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "personality/linux/area.h"
#include "personality/linux/bulk.h"
#include "personality/linux/call.h"
#include "personality/linux/cpurandom.h"
#include "personality/linux/deliver.h"
#include "personality/linux/entry.h"
#include "personality/linux/execstack.h"
#include "personality/linux/fpu.h"
#include "personality/linux/info.h"
#include "personality/linux/path.h"
#include "personality/linux/sigframe.h"
#include "personality/linux/strace.h"

#define PIE_BASE     0x555555554000ull
#define STACK_BYTES  (8ull << 20)
#define STACK_GAP    (1ull << 20)
#define FLAGS_AT_START 0x202ull

/* ---- Strings ---- */

err_t exec_plan_create(struct process *p, struct exec_plan **out)
{
	void *memory;
	err_t err = area_map(p, sizeof(**out), &memory);

	if (err)
		return err;
	p->scratch = memory;
	p->scratch_bytes = sizeof(**out);
	*out = memory;
	(*out)->strings = (*out)->few;
	return OK;
}

void exec_plan_free(struct process *p)
{
	void *memory = p->scratch, *strings = p->scratch_strings;

	p->scratch = p->scratch_strings = NULL;
	area_unmap(memory, p->scratch_bytes);
	if (strings)
		area_unmap(strings, EXEC_STRINGS_BYTES);
}

const char *exec_keep(struct exec_plan *plan, const char *text, size_t bytes)
{
	char *to = plan->text + plan->text_bytes;

	if (!range_fits(plan->text_bytes, bytes + 1, sizeof(plan->text)))
		return NULL;
	memcpy(to, text, bytes);
	to[bytes] = 0;
	plan->text_bytes += bytes + 1;
	return to;
}

static size_t strings_used(const struct exec_plan *plan) { return plan->arguments_bytes + plan->environment_bytes; }

static size_t strings_room(const struct exec_plan *plan)
{
	return plan->strings == plan->few ? EXEC_STRINGS_FEW : EXEC_STRINGS_BYTES;
}

/* Makes room for so many bytes of strings, which move the first time that they are many. */
static int64_t strings_reserve(struct process *p, struct exec_plan *plan, size_t bytes)
{
	void *memory;
	err_t err;

	if (bytes <= strings_room(plan))
		return 0;
	if (bytes > EXEC_STRINGS_BYTES)
		return ERR_2BIG;
	if ((err = area_map(p, EXEC_STRINGS_BYTES, &memory)))
		return err;
	p->scratch_strings = memory;
	memcpy(memory, plan->strings, strings_used(plan));
	plan->strings = memory;
	return 0;
}

int64_t exec_add(struct process *p, struct exec_plan *plan, bool is_environment, const char *string)
{
	size_t bytes = strlen(string) + 1;
	int64_t err;

	ASSERT(is_environment || plan->environment_count == 0);
	if ((err = strings_reserve(p, plan, strings_used(plan) + bytes)))
		return err;
	memcpy(plan->strings + strings_used(plan), string, bytes);
	*(is_environment ? &plan->environment_bytes : &plan->arguments_bytes) += bytes;
	*(is_environment ? &plan->environment_count : &plan->argument_count) += 1;
	return 0;
}

/* One more of the program's strings; its length. */
static int64_t read_string(struct process *p, struct exec_plan *plan, uint64_t pointer)
{
	size_t used = strings_used(plan), room = MIN_OF(strings_room(plan) - used, (size_t)EXEC_STRING_MAX);
	int64_t length = user_string(plan->strings + used, pointer, room), err;

	if (length == ERR_NAMETOOLONG && room < EXEC_STRING_MAX && plan->strings == plan->few) {
		if ((err = strings_reserve(p, plan, EXEC_STRINGS_BYTES)))
			return err;
		length = user_string(plan->strings + used, pointer, EXEC_STRING_MAX);
	}
	return length == ERR_NAMETOOLONG ? ERR_2BIG : length;
}

/* A NULL-ended array of the program's strings. A null array is an empty one, as on Linux. */
static int64_t read_strings(struct process *p, struct exec_plan *plan, uint64_t array, size_t *used, uint32_t *count)
{
	uint64_t pointer;

	for (; array; array += sizeof(pointer)) {
		if (user_read(&pointer, array, sizeof(pointer)))
			return ERR_FAULT;
		if (pointer == 0)
			return 0;
		int64_t length = read_string(p, plan, pointer);
		if (length < 0)
			return length;
		*used += (size_t)length + 1;
		*count += 1;
	}
	return 0;
}

/* ---- The file ---- */

/* One ELF file of the two that a program may be made of. */
struct exec_file {
	handle_t handle;
	uint32_t mode;
	bool is_copied;                 /* not mapped: what is written to it later is not seen */
	uint64_t bytes, bias;
	struct elf_plan plan;
};

static int64_t file_open(struct thread *t, const char *path, handle_t *out)
{
	int64_t h = path_open(t, LINUX_AT_FDCWD, path, OPEN_READ | OPEN_EXEC | OPEN_PRIVATE | OPEN_CLOEXEC, 0);

	if (h < 0)
		return h;
	*out = (handle_t)h;
	return 0;
}

static int64_t image_read(handle_t h, void *to, size_t bytes, uint64_t offset)
{
	return native(OP_READ, 0, h, (uint64_t)to, bytes, offset, 0, 0, 0);
}

/* Is what an ELF file's header speaks of within its first bytes? */
static bool has_headers(const char *start, size_t bytes)
{
	struct elf_table table;

	return elf_table_find(start, bytes, UINT64_MAX, &table) == OK && range_fits(table.offset, table.bytes, bytes);
}

/* Only regular files are programs. Reads what they begin with; the length of that. A short piece mostly does. */
static int64_t exec_file_start(struct exec_file *f, char *start)
{
	handle_t h = f->handle;
	struct file_stat stat;
	int64_t err = native_call(h, FILE_STAT, 0, NULL, 0, &stat, sizeof(stat), 0);

	if (err < 0)
		return err;
	if ((stat.mode & MODE_TYPE) != MODE_FILE)
		return ERR_ACCES;
	f->bytes = stat.bytes;
	f->mode = stat.mode;
	int64_t got = image_read(h, start, EXEC_START_SHORT, 0);
	return got < EXEC_START_SHORT || has_headers(start, (size_t)got) ? got : image_read(h, start, EXEC_START_BYTES, 0);
}

static int64_t file_plan(struct exec_file *f, const char *start, size_t start_bytes)
{
	return elf_plan_from_start(start, start_bytes, f->bytes, &f->plan);
}

/* The script's interpreter takes the place of argument 0; its own argument and the script's path come after it. */
static int64_t become_interpreter(struct process *p, struct exec_plan *plan, const char *interpreter, const char *argument)
{
	size_t first = plan->argument_count ? strlen(plan->strings) + 1 : 0;
	size_t lengths = strlen(interpreter) + 1 + (argument ? strlen(argument) + 1 : 0) + strlen(plan->path) + 1;
	int64_t err = strings_reserve(p, plan, strings_used(plan) - first + lengths);
	char *at = plan->strings;

	if (err)
		return err;
	memmove(at + lengths, at + first, strings_used(plan) - first);
	at += string_copy(at, interpreter, lengths) + 1;
	if (argument)
		at += string_copy(at, argument, lengths) + 1;
	(void)string_copy(at, plan->path, lengths);
	plan->arguments_bytes += lengths - first;
	plan->argument_count += (plan->argument_count ? 0 : 1) + 1 + (argument ? 1 : 0);
	plan->path = exec_keep(plan, interpreter, strlen(interpreter));
	return plan->path && strlen(interpreter) < LINUX_PATH_MAX ? 0 : ERR_NAMETOOLONG;
}

/* Follows #! lines to an ELF file and makes its plan. f->handle is open (eaten on failure). */
static int64_t find_program(struct thread *t, struct exec_plan *plan, struct exec_file *f)
{
	char *interpreter, *argument;
	bool is_broken;
	int64_t result;

	for (int depth = 0; ; depth++) {
		int64_t start_bytes = result = exec_file_start(f, plan->start);
		if (result < 0)
			break;
		if (!exec_parse_script(plan->start, (size_t)start_bytes, &interpreter, &argument, &is_broken)) {
			result = is_broken ? ERR_NOEXEC : file_plan(f, plan->start, (size_t)start_bytes);
			break;
		}
		/* Who runs a script with more than its own ids would run what another has put into it. */
		if (depth == EXEC_INTERPRETER_DEPTH || plan->elevated) {
			result = plan->elevated ? ERR_NOEXEC : ERR_LOOP;
			break;
		}
		if ((result = become_interpreter(t->process, plan, interpreter, argument)))
			break;
		(void)native_close(f->handle);
		if ((result = file_open(t, plan->path, &f->handle)))
			return result;
	}
	if (result)
		(void)native_close(f->handle);
	return result;
}

/* PT_INTERP: the dynamic linker. f->handle HANDLE_NONE: there is none. */
static int64_t find_linker(struct thread *t, struct exec_plan *plan, const struct exec_file *program, struct exec_file *f)
{
	uint32_t bytes = program->plan.interpreter_bytes;
	char *interpreter = plan->text + plan->text_bytes;
	int64_t result;

	f->handle = HANDLE_NONE;
	if (bytes == 0)
		return 0;
	if (bytes > LINUX_PATH_MAX || !range_fits(plan->text_bytes, bytes, sizeof(plan->text)))
		return ERR_NOEXEC;
	if (image_read(program->handle, interpreter, bytes, program->plan.interpreter_offset) != bytes || interpreter[bytes - 1])
		return ERR_NOEXEC;
	if ((result = file_open(t, interpreter, &f->handle)))
		return result;
	result = exec_file_start(f, plan->start);
	if (result >= 0)
		result = file_plan(f, plan->start, (size_t)result);
	/* A linker that wants a linker is none. */
	if (result == 0 && f->plan.interpreter_bytes)
		result = ERR_NOEXEC;
	if (result) {
		(void)native_close(f->handle);
		f->handle = HANDLE_NONE;
	}
	return result == ERR_NOEXEC ? -LINUX_ELIBBAD : result;
}

/* ---- The new space ---- */

/* The space, what is yet to be done to it, and memory to copy from: the first page of that is zero while clears wait to be done. */
struct new_space {
	handle_t handle;
	char *buffer;
	struct bulk *todo;
};

static void map_into(struct new_space *s, handle_t object, uint64_t address, uint64_t bytes, uint32_t flags, uint64_t offset)
{
	bulk_add(s->todo, OP_MAP, object, address, bytes, flags | MAP_FIXED, offset, (uint64_t)(int64_t)s->handle, 0);
}

static void write_into(struct new_space *s, uint64_t address, const void *from, size_t bytes)
{
	bulk_add(s->todo, OP_WRITE, s->handle, (uint64_t)from, bytes, address, 0, 0, 0);
}

/* At once: for one alone a batch is dearer. */
static int64_t write_now(struct new_space *s, uint64_t address, const void *from, size_t bytes)
{
	int64_t result = native(OP_WRITE, 0, s->handle, (uint64_t)from, bytes, address, 0, 0, 0);
	return result < 0 ? result : (size_t)result == bytes ? 0 : ERR_FAULT;
}

/* A file system whose files cannot be mapped, or a file that must not change any more: the part is copied, and becomes what it is to be after. */
static int64_t copy_into(struct new_space *s, const struct exec_file *f, const struct elf_mapping *m, uint32_t flags)
{
	map_into(s, HANDLE_NONE, m->file_address, m->file_bytes, flags | MAP_READ | MAP_WRITE, 0);
	/* What is in the buffer waits to be written, too. */
	int64_t err = bulk_run(s->todo);

	for (uint64_t done = 0; !err && done < m->file_bytes; ) {
		int64_t got = image_read(f->handle, s->buffer, MIN_OF(m->file_bytes - done, (uint64_t)EXEC_BUFFER_BYTES), m->file_offset + done);
		if (got < 0)
			return got;
		if (got == 0)
			break;          /* the end of the file: the rest of its page is zero */
		err = write_now(s, m->file_address + done, s->buffer, (size_t)got);
		done += (uint64_t)got;
	}
	if (!(flags & MAP_WRITE))
		bulk_add(s->todo, OP_PROTECT, s->handle, m->file_address, m->file_bytes, flags, 0, 0, 0);
	return err;
}

static int64_t map_segment(struct new_space *s, const struct exec_file *f, const struct elf_segment *segment)
{
	uint32_t flags = segment->map_flags;
	struct elf_mapping m;
	int64_t err = 0;

	elf_segment_mapping(segment, f->bias, &m);
	if (m.file_bytes && f->is_copied)
		err = copy_into(s, f, &m, flags);
	else if (m.file_bytes)
		map_into(s, f->handle, m.file_address, m.file_bytes, flags, m.file_offset);
	if (m.clear_bytes && (flags & MAP_WRITE)) {
		memset(s->buffer, 0, m.clear_bytes);
		write_into(s, m.clear_address, s->buffer, m.clear_bytes);
	}
	if (m.zero_bytes)
		map_into(s, HANDLE_NONE, m.zero_address, m.zero_bytes, flags, 0);
	return err;
}

static int64_t map_file(struct new_space *s, struct exec_file *f, uint64_t base)
{
	int64_t err = 0;

	f->bias = f->plan.is_position_independent ? round_up(base, f->plan.align_bytes) - f->plan.start : 0;
	if (f->plan.end + f->bias < f->bias || f->plan.end + f->bias > PROGRAM_TOP)
		return ERR_NOEXEC;
	for (uint32_t i = 0; !err && i < f->plan.segment_count; i++)
		err = map_segment(s, f, &f->plan.segment[i]);
	return err;
}

/* Where things go: each at a random distance, so that an attacker has to guess. */
struct exec_layout { uint64_t pie_base, stack_top, linker_base, map_hint, brk_gap; };

static bool random_fill(struct process *p, uint64_t *words, unsigned count)
{
	unsigned filled = 0;

	while (p->kept.has_random && filled < count && cpu_random(&words[filled]))
		filled++;
	return filled == count || random_bytes(p, words, count * sizeof(*words));
}

static void layout_make(struct process *p, struct exec_layout *l, uint8_t random[EXEC_RANDOM_BYTES])
{
	uint64_t r[4 + EXEC_RANDOM_BYTES / 8];

	/* No source yet (early boot): addresses that differ, but could be guessed. */
	if (!random_fill(p, r, ARRAY_COUNT(r)))
		for (unsigned i = 0; i < ARRAY_COUNT(r); i++)
			r[i] = (native_clock(CLOCK_MONOTONIC_NS) + i) * 0x9e3779b97f4a7c15ull >> 8;
	memcpy(random, r + 4, EXEC_RANDOM_BYTES);
	l->pie_base = PIE_BASE + (r[0] & 0xfffffff) * LINUX_PAGE;
	l->stack_top = PROGRAM_TOP - (r[1] & 0xffff) * LINUX_PAGE;
	l->linker_base = round_down(l->stack_top - STACK_BYTES - STACK_GAP - (r[2] & 0xffffff) * LINUX_PAGE, LINUX_PAGE);
	l->brk_gap = (r[3] & 0x1fff) * LINUX_PAGE;
}

static void plan_auxiliary(struct thread *t, struct exec_stack *s, const struct exec_file *program, const struct exec_file *linker,
                           const struct posix_exec_result *identity)
{
	const struct process_kept *kept = &t->process->kept;
	uint64_t headers = program->plan.table_address ? program->plan.table_address + program->bias : 0;
	const struct exec_aux aux[] = {
		{ LINUX_AT_SYSINFO, (uint64_t)call_entry }, { LINUX_AT_SYSINFO_EHDR, (uint64_t)vdso_start },
		{ LINUX_AT_MINSIGSTKSZ, sigframe_bytes(kept->fpu_bytes) }, { LINUX_AT_HWCAP, kept->cpu_features },
		{ LINUX_AT_PAGESZ, LINUX_PAGE }, { LINUX_AT_CLKTCK, LINUX_CLOCK_TICKS }, { LINUX_AT_PHDR, headers },
		{ LINUX_AT_PHENT, 56 }, { LINUX_AT_PHNUM, program->plan.table_count },
		{ LINUX_AT_BASE, linker->handle == HANDLE_NONE ? 0 : linker->bias + linker->plan.start }, { LINUX_AT_FLAGS, 0 },
		{ LINUX_AT_ENTRY, program->plan.entry + program->bias }, { LINUX_AT_UID, identity->uid }, { LINUX_AT_EUID, identity->euid },
		{ LINUX_AT_GID, identity->gid }, { LINUX_AT_EGID, identity->egid }, { LINUX_AT_SECURE, identity->secure }, { LINUX_AT_HWCAP2, 0 },
	};
	STATIC_ASSERT(ARRAY_COUNT(aux) <= EXEC_AUX_MAX, "room for every entry");

	s->aux_count = 0;
	for (unsigned i = 0; i < ARRAY_COUNT(aux); i++)
		if (aux[i].key != LINUX_AT_SYSINFO_EHDR || t->process->kept.handles.time != HANDLE_NONE)
			s->aux[s->aux_count++] = aux[i];
}

/* procd learns who this process is now, and says what it makes of it. */
static int64_t tell_procd(struct thread *t, const struct exec_plan *plan, handle_t file, struct posix_exec_result *identity, char *buffer)
{
	struct posix_exec head = { 0 };
	size_t room = EXEC_BUFFER_BYTES - sizeof(head), path_bytes = strlen(plan->absolute);
	handle_t ignored;

	*identity = (struct posix_exec_result){ 0 };
	if (process_posix(t->process) == HANDLE_NONE)
		return 0;
	head.path_bytes = (uint32_t)path_bytes;
	head.command_bytes = (uint32_t)MIN_OF(plan->arguments_bytes, (size_t)LINUX_PAGE);
	head.child_flags = signal_child_flags_at_exec(t);
	head.environment_bytes = (uint32_t)MIN_OF(plan->environment_bytes, room - head.path_bytes - head.command_bytes);
	char *at = buffer;
	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	memcpy(at, plan->absolute, head.path_bytes);
	at += head.path_bytes;
	memcpy(at, plan->strings, head.command_bytes);
	at += head.command_bytes;
	memcpy(at, plan->strings + plan->arguments_bytes, head.environment_bytes);
	at += head.environment_bytes;
	int64_t err = native_call_handle(process_posix(t->process), POSIX_EXEC, 0, file, buffer, (size_t)(at - buffer), identity, sizeof(*identity), 0, &ignored);
	return err < 0 ? err : 0;
}

/* Into the memory that is mapped for it. */
static int64_t write_stack(struct thread *t, struct new_space *space, const struct exec_plan *plan, const struct exec_file *program, const struct exec_file *linker,
                           const struct exec_layout *layout, const uint8_t *random, const struct posix_exec_result *identity, uint64_t *sp)
{
	struct exec_stack s = {
		.arguments = plan->strings, .arguments_bytes = plan->arguments_bytes, .argument_count = plan->argument_count,
		.environment = plan->strings + plan->arguments_bytes, .environment_bytes = plan->environment_bytes, .environment_count = plan->environment_count,
		.path = plan->name,
	};
	void *image = space->buffer;
	int64_t err;

	memcpy(s.random, random, sizeof(s.random));
	plan_auxiliary(t, &s, program, linker, identity);
	size_t bytes = round_up(exec_stack_bytes(&s), LINUX_PAGE);
	if (bytes > STACK_BYTES / 2)
		return ERR_2BIG;
	bool is_big = bytes > EXEC_BUFFER_BYTES;
	if (is_big && (err = area_map(t->process, bytes, &image)))
		return err;
	err = exec_stack_build(&s, layout->stack_top, image, bytes, sp);
	if (!err)
		err = write_now(space, *sp, (char *)image + bytes - (layout->stack_top - *sp), layout->stack_top - *sp);
	if (is_big)
		area_unmap(image, bytes);
	return err;
}

/* What the program's process begins with, as it will be at its place in the new space. ITIMER_REAL goes on over exec: *alarm. */
static void process_fill(struct thread *t, struct process *new, const struct exec_plan *plan, struct timer *alarm)
{
	struct process *p = t->process, *at = process_in((void *)AREA_START);
	const char *slash = strrchr(plan->name, '/');

	memset(new, 0, offsetof(struct process, path));
	process_init(new, at);
	lock_take(&p->lock);
	new->kept = p->kept;
	new->kept.child_flags = signal_child_flags_at_exec(t);
	signal_ignore(&new->signal, signal_ignored(&p->signal));
	*alarm = p->timer.is_used ? p->timer.timer[LINUX_ITIMER_REAL] : (struct timer){ 0 };
	lock_release(&p->lock);
	new->pid = new->first.tid = p->pid;
	new->area_next = AREA_START + PROCESS_BLOCK_BYTES + LINUX_PAGE;
	new->start_ns = native_clock(CLOCK_MONOTONIC_NS);
	new->clock = p->kept.handles.time != HANDLE_NONE ? (const struct time_page *)TIME_PAGE : NULL;
	new->first.mask_saved = t->mask;
	new->first.frame.rflags = FLAGS_AT_START;
	(void)string_copy(new->name, slash ? slash + 1 : plan->name, sizeof(new->name));
	memcpy(new->first.name, new->name, sizeof(new->name));
	(void)string_copy(new->path, plan->absolute, sizeof(new->path));
}

/* All that every program has. */
static void map_common(struct thread *t, struct new_space *s, const struct exec_file *program, uint64_t stack_top)
{
	const struct process_handles *h = &t->process->kept.handles;
	uint32_t stack_flags = MAP_READ | MAP_WRITE | (program->plan.wants_executable_stack ? MAP_EXEC : 0);

	map_into(s, HANDLE_NONE, stack_top - STACK_BYTES, STACK_BYTES, stack_flags, 0);
	map_into(s, h->image, IMAGE_BASE, (uint64_t)image_limit - IMAGE_BASE, MAP_READ | MAP_EXEC, 0);
	if (h->time != HANDLE_NONE)
		map_into(s, h->time, TIME_PAGE, LINUX_PAGE, MAP_READ | MAP_SHARED, 0);
	map_into(s, HANDLE_NONE, AREA_START, PROCESS_BLOCK_BYTES, MAP_READ | MAP_WRITE, 0);
}

static int64_t map_files(struct new_space *s, struct exec_file *program, struct exec_file *linker, const struct exec_layout *layout)
{
	int64_t err = map_file(s, program, layout->pie_base);

	return err || linker->handle == HANDLE_NONE ? err : map_file(s, linker, layout->linker_base - linker->plan.end);
}

/* Everything but what is written into it once procd has said who the program is. */
static int64_t map_all(struct thread *t, struct new_space *s, struct exec_file *program, struct exec_file *linker, const struct exec_layout *layout)
{
	int64_t err;

	for (;;) {
		bulk_begin(s->todo);
		if (!(err = map_files(s, program, linker, layout))) {
			map_common(t, s, program, layout->stack_top);
			err = bulk_run(s->todo);
		}
		if (program->is_copied || (err != ERR_NODEV && err != ERR_NOTTY && err != ERR_OPNOTSUPP))
			return err;
		/* Files that cannot be mapped: what of them is there gives way to copies. */
		program->is_copied = linker->is_copied = true;
	}
}

/* The last step; it returns only when it failed. */
static int64_t move_thread(struct thread *t, handle_t space, const struct timer *alarm)
{
	struct process *at = process_in((void *)AREA_START);
	struct thread_start start = {
		.ip = (uint64_t)exec_entry, .sp = (uint64_t)at, .arg = { (uint64_t)&at->first, alarm->due_ns, alarm->period_ns },
		.gs_base = (uint64_t)&at->first, .notice_mask = ~0ull,
	};
	handle_t ignored;
	return native_call_handle(process_self(t->process), TASK_EXEC, 0, space, &start, sizeof(start), NULL, 0, 0, &ignored);
}

/* ---- Set-uid and set-gid ---- */

static bool would_elevate(struct thread *t, const struct exec_file *f)
{
	bool group = (f->mode & (MODE_SETGID | 0010)) == (MODE_SETGID | 0010);

	return (group || f->mode & MODE_SETUID) && !t->process->kept.no_new_privileges;
}

/* What was copied is what procd looked at: nobody wrote to the file meanwhile, nor took its bits away. */
static int64_t check_unchanged(const struct exec_plan *plan, handle_t file)
{
	const uint64_t *was = plan->elevated;
	struct file_stat s;
	int64_t err;

	if (!was)
		return 0;
	if ((err = native_call(file, FILE_STAT, 0, NULL, 0, &s, sizeof(s), 0)) < 0)
		return err;
	return s.node == was[STARTUP_FILE_NODE] && s.mode == was[STARTUP_FILE_MODE] && s.uid == was[STARTUP_FILE_UID] &&
	       s.gid == was[STARTUP_FILE_GID] && (uint64_t)s.changed.seconds == was[STARTUP_FILE_CHANGED_S] &&
	       s.changed.nanoseconds == was[STARTUP_FILE_CHANGED_NS] ? 0 : ERR_NOEXEC;
}

/* procd starts it in a process of its own and ends this one. PERM: it is to be executed as any other. */
static int64_t ask_elevated(struct thread *t, const struct exec_plan *plan, handle_t file)
{
	struct process *p = t->process;
	struct posix_exec_elevated head = {
		.name_bytes = (uint32_t)strlen(plan->name) + 1, .arguments_bytes = (uint32_t)plan->arguments_bytes,
		.environment_bytes = (uint32_t)plan->environment_bytes, .umask = p->kept.file.umask, .mask = t->mask,
	};
	size_t bytes = sizeof(head) + head.name_bytes + strings_used(plan);
	handle_t ignored;
	void *memory;
	int64_t err;

	if ((err = area_map(p, bytes, &memory)))
		return err;
	lock_take(&p->lock);
	head.ignored = signal_ignored(&p->signal);
	if (p->timer.is_used) {
		head.alarm_due_ns = p->timer.timer[LINUX_ITIMER_REAL].due_ns;
		head.alarm_period_ns = p->timer.timer[LINUX_ITIMER_REAL].period_ns;
	}
	lock_release(&p->lock);
	memcpy(memory, &head, sizeof(head));
	memcpy((char *)memory + sizeof(head), plan->name, head.name_bytes);
	memcpy((char *)memory + sizeof(head) + head.name_bytes, plan->strings, strings_used(plan));
	err = native_call_handle(process_posix(p), POSIX_EXEC_ELEVATED, 0, file, memory, bytes, NULL, 0, 0, &ignored);
	area_unmap(memory, bytes);
	return err < 0 ? err : ERR_INTR;
}

static int64_t build_and_move(struct thread *t, struct exec_plan *plan, struct exec_file *program, struct exec_file *linker, char *buffer)
{
	struct process *new = (struct process *)buffer;
	struct posix_exec_result identity;
	uint8_t random[EXEC_RANDOM_BYTES];
	struct exec_layout layout;
	struct new_space space;
	struct timer alarm;
	uint64_t sp;
	int64_t err;

	STATIC_ASSERT(sizeof(*new) <= EXEC_BUFFER_BYTES, "a process in the buffer");
	int64_t opened = NATIVE_OPEN("proc", "space", OPEN_READ | OPEN_WRITE | OPEN_PRIVATE | OPEN_CLOEXEC);
	if (opened < 0)
		return opened;
	space.handle = (handle_t)opened;
	space.buffer = buffer;
	space.todo = &plan->todo;
	layout_make(t->process, &layout, random);
	if ((err = map_all(t, &space, program, linker, &layout)) || (err = check_unchanged(plan, program->handle)))
		goto close_space;
	if ((err = tell_procd(t, plan, program->handle, &identity, buffer)))
		goto close_space;
	if ((err = write_stack(t, &space, plan, program, linker, &layout, random, &identity, &sp)))
		goto tell_again;
	process_fill(t, new, plan, &alarm);
	new->ids = (struct process_ids){ identity.uid, identity.euid, identity.euid, identity.gid, identity.egid, identity.egid };
	atomic_store_explicit(&new->ids_known, process_posix(t->process) != HANDLE_NONE, memory_order_relaxed);
	new->first.frame.rip = linker->handle != HANDLE_NONE ? linker->plan.entry + linker->bias : program->plan.entry + program->bias;
	new->first.frame.rsp = sp;
	new->brk_start = new->brk_end = round_up(program->plan.end + program->bias, LINUX_PAGE) + layout.brk_gap;
	new->map_hint = linker->handle != HANDLE_NONE ? linker->plan.start + linker->bias : layout.linker_base;
	if ((err = write_now(&space, (uint64_t)process_in((void *)AREA_START), new, offsetof(struct process, path) + strlen(new->path) + 1)))
		goto tell_again;
	/* (procd does it, when there is one.) */
	if (process_posix(t->process) == HANDLE_NONE)
		(void)native_call(process_self(t->process), TASK_NAME, 0, new->name, strlen(new->name), NULL, 0, 0);
	err = move_thread(t, space.handle, &alarm);
tell_again:
	/* It is still the old program, but its saved ids went with the attempt. */
	atomic_store_explicit(&t->process->ids_known, false, memory_order_release);
	signal_tell_child_flags(t, signal_child_flags_at_exec(t));
close_space:
	(void)native_close(space.handle);
	return err;
}

int64_t exec_run(struct thread *t, struct exec_plan *plan, handle_t file)
{
	struct exec_file program = { .handle = file }, linker = { .handle = HANDLE_NONE };
	int64_t err;

	plan->name = plan->path;
	if (file == HANDLE_NONE && (err = file_open(t, plan->path, &program.handle)))
		return err;
	if ((err = find_program(t, plan, &program)))
		return err;
	program.is_copied = plan->elevated;
	if (!plan->elevated && would_elevate(t, &program) && (err = ask_elevated(t, plan, program.handle)) != ERR_PERM)
		goto close_program;
	if ((err = find_linker(t, plan, &program, &linker)))
		goto close_program;
	plan->absolute = plan->text + plan->text_bytes;
	if (path_of(t, program.handle, plan->text + plan->text_bytes, sizeof(plan->text) - plan->text_bytes) < 0)
		plan->absolute = plan->path;
	err = build_and_move(t, plan, &program, &linker, plan->buffer);
	if (linker.handle != HANDLE_NONE)
		(void)native_close(linker.handle);
close_program:
	(void)native_close(program.handle);
	return err;
}

static int64_t exec_call(struct thread *t, struct exec_plan *plan, handle_t file, uint64_t arguments, uint64_t environment)
{
	int64_t err;

	if ((err = read_strings(t->process, plan, arguments, &plan->arguments_bytes, &plan->argument_count)))
		goto close_file;
	/* A program without a name confuses too many. */
	if (plan->argument_count == 0 && (err = exec_add(t->process, plan, false, "")))
		goto close_file;
	if ((err = read_strings(t->process, plan, environment, &plan->environment_bytes, &plan->environment_count)))
		goto close_file;
	return exec_run(t, plan, file);

close_file:
	if (file != HANDLE_NONE)
		(void)native_close(file);
	return err;
}

/* The program's name for what to execute; its length. */
static int64_t read_path(struct exec_plan *plan, uint64_t pointer)
{
	int64_t length = user_string(plan->text, pointer, LINUX_PATH_MAX);

	plan->path = plan->text;
	if (length >= 0)
		plan->text_bytes = (size_t)length + 1;
	return length;
}

int64_t linux_execve(struct thread *t, const uint64_t *a)
{
	struct exec_plan *plan;
	int64_t err;

	if ((err = exec_plan_create(t->process, &plan)))
		return err;
	int64_t length = read_path(plan, a[0]);
	err = length < 0 ? length : length == 0 ? ERR_NOENT : exec_call(t, plan, HANDLE_NONE, a[1], a[2]);
	exec_plan_free(t->process);
	return err;
}

int64_t linux_execveat(struct thread *t, const uint64_t *a)
{
	struct exec_plan *plan;
	int64_t err, h = HANDLE_NONE;

	if (a[4] & ~(uint64_t)(LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW))
		return ERR_INVAL;
	if ((err = exec_plan_create(t->process, &plan)))
		return err;
	err = read_path(plan, a[1]);
	if (err == 0 && !(a[4] & LINUX_AT_EMPTY_PATH))
		err = ERR_NOENT;
	if (err == 0 && (h = native(OP_DUP, 0, (handle_t)a[0], HANDLE_PRIVATE, DUP_CLOEXEC, RIGHT_ALL, 0, 0, 0)) < 0)
		err = h;
	if (err > 0 && (h = path_open(t, (int32_t)a[0], plan->path, OPEN_READ | OPEN_EXEC | OPEN_PRIVATE | OPEN_CLOEXEC |
	                              (a[4] & LINUX_AT_SYMLINK_NOFOLLOW ? OPEN_NOFOLLOW : 0), 0)) < 0)
		err = h;
	if (err >= 0)
		err = exec_call(t, plan, (handle_t)h, a[2], a[3]);
	exec_plan_free(t->process);
	return err;
}

/* ---- In the new space ---- */

void exec_finish(struct thread *t, uint64_t alarm_due_ns, uint64_t alarm_period_ns)
{
	if (thread_set_upcall(t))
		process_die(t, LINUX_SIGKILL, false);
	timer_restore_real(t, alarm_due_ns, alarm_period_ns);
	thread_set_mask(t, t->mask_saved);
}
