/* lib/native/spawn.c - space, image, stack, startup block, process, handles; then one thread. */
#include "lib/native/spawn.h"
#include "abi/arch/regs.h"
#include "abi/startup.h"
#include "lib/base/bits.h"
#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "lib/native/handle.h"
#include "lib/native/heap.h"
#include "lib/native/startup.h"

enum { PAGE = 4096 };

/* ---- The image --------------------------------------------------------------------------------------------- */

static err_t plan_read(const struct spawn_options *o, struct elf_plan *out)
{
	size_t bytes = MIN_OF(o->image_bytes, (uint64_t)ELF_START_BYTES);
	uint8_t *start = heap_alloc(ELF_START_BYTES);
	err_t err;

	if (!start)
		return ERR_NOMEM;
	if ((err = handle_read_at(o->image, start, bytes, o->image_offset)) == OK)
		err = elf_plan_from_start(start, bytes, o->image_bytes, out);
	heap_free(start, ELF_START_BYTES);
	return err == ERR_NODATA ? ERR_NOEXEC : err;
}

static err_t map_fixed(handle_t space, handle_t object, uint64_t address, uint64_t bytes, uint32_t flags, uint64_t offset)
{
	if (bytes == 0)
		return OK;
	return result_error(sys_map(0, object, address, bytes, flags | MAP_FIXED, offset, space, 0));
}

static err_t clear(handle_t space, uint64_t address, uint64_t bytes)
{
	static const uint8_t zeroes[PAGE];

	return handle_write_at(space, zeroes, bytes, address);
}

static err_t segment_map(const struct spawn_options *o, handle_t space, const struct elf_segment *s, uint64_t bias)
{
	struct elf_mapping m;
	err_t err;

	elf_segment_mapping(s, bias, &m);
	if ((err = map_fixed(space, o->image, m.file_address, m.file_bytes, s->map_flags, o->image_offset + m.file_offset)))
		return err;
	/* What follows the file's bytes in their last page is the file's next bytes: only memory that can be written must be zero there. */
	if (m.clear_bytes > 0 && (s->map_flags & MAP_WRITE) && (err = clear(space, m.clear_address, m.clear_bytes)))
		return err;
	return map_fixed(space, HANDLE_NONE, m.zero_address, m.zero_bytes, s->map_flags, 0);
}

/* Where a position-independent image goes: room for it in the space, aligned as it wants. */
static err_t bias_choose(handle_t space, const struct elf_plan *plan, uint64_t *out)
{
	uint64_t span = plan->end - plan->start;

	*out = 0;
	if (!plan->is_position_independent)
		return OK;
	int64_t at = sys_map(0, HANDLE_NONE, 0, span + plan->align_bytes, 0, 0, space, 0);
	if (at < 0)
		return (err_t)at;
	sys_unmap(0, space, (uint64_t)at, span + plan->align_bytes);
	*out = round_up((uint64_t)at, plan->align_bytes) - round_down(plan->start, plan->align_bytes);
	return OK;
}

static err_t image_map(const struct spawn_options *o, handle_t space, struct spawned *out, uint64_t *bias)
{
	struct elf_plan plan;
	err_t err;

	if ((err = plan_read(o, &plan)))
		return err;
	if ((err = bias_choose(space, &plan, bias)))
		return err;
	for (uint32_t i = 0; i < plan.segment_count; i++)
		if ((err = segment_map(o, space, &plan.segment[i], *bias)))
			return err;
	out->ip = plan.entry + *bias;
	return OK;
}

/* ---- The startup block: struct, handles, arguments, environment, strings ------------------------------------------ */

struct block {
	uint8_t *bytes;                 /* our copy */
	size_t size;
	uint64_t address;               /* where it will be */
	size_t used;
};

static size_t strings_bytes(const char *const *strings, uint32_t count)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < count && bytes <= SPAWN_BLOCK_MAX; i++)
		bytes += strlen(strings[i]) + 1;
	return bytes;
}

static size_t block_bytes(const struct spawn_options *o)
{
	return round_up(sizeof(struct startup) + (o->handle_count + 1) * sizeof(struct startup_handle) +
	                ((size_t)o->argument_count + o->environment_count + 2) * sizeof(uint64_t) +
	                strings_bytes(o->arguments, o->argument_count) + strings_bytes(o->environment, o->environment_count), 16);
}

/* The next bytes of the block: ours to fill, and their address there. */
static void *block_take(struct block *b, size_t bytes, uint64_t *address)
{
	void *p = b->bytes + b->used;

	*address = b->address + b->used;
	b->used += bytes;
	return p;
}

static void block_put_strings(struct block *b, uint64_t *pointers, const char *const *strings, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		size_t bytes = strlen(strings[i]) + 1;
		memcpy(block_take(b, bytes, &pointers[i]), strings[i], bytes);
	}
}

static handle_t number_of(const struct spawn_options *o, uint32_t i)
{
	return o->handles[i].number == HANDLE_NONE ? HANDLE_PRIVATE + (handle_t)i : o->handles[i].number;
}

/* A successor has no handle of itself from us: ours is an admin's, and it is of another number yet. */
static bool has_self(const struct spawn_options *o) { return !o->successor_of; }

static void block_fill(struct block *b, const struct spawn_options *o, uint64_t bias)
{
	uint64_t ignored;
	struct startup *s = block_take(b, sizeof *s, &ignored);

	*s = (struct startup){
		.bytes = (uint32_t)b->size, .argument_count = o->argument_count, .environment_count = o->environment_count,
		.handle_count = o->handle_count + has_self(o), .image_base = bias,
	};
	struct startup_handle *handles = block_take(b, s->handle_count * sizeof *handles, &s->handles);
	for (uint32_t i = 0; i < o->handle_count; i++) {
		string_copy(handles[i].name, o->handles[i].name, sizeof handles[i].name);
		handles[i].handle = number_of(o, i);
	}
	if (has_self(o)) {
		string_copy(handles[o->handle_count].name, "self", sizeof handles[0].name);
		handles[o->handle_count].handle = HANDLE_PRIVATE + (handle_t)o->handle_count;
	}
	uint64_t *arguments = block_take(b, (o->argument_count + 1) * sizeof(uint64_t), &s->arguments);
	uint64_t *environment = block_take(b, (o->environment_count + 1) * sizeof(uint64_t), &s->environment);
	block_put_strings(b, arguments, o->arguments, o->argument_count);
	block_put_strings(b, environment, o->environment, o->environment_count);
}

static err_t stack_make(const struct spawn_options *o, handle_t space, uint64_t bias, struct spawned *out)
{
	struct block b = { .size = block_bytes(o) };
	uint64_t stack_bytes = SPAWN_STACK_BYTES + round_up(b.size, PAGE);

	if (b.size > SPAWN_BLOCK_MAX)
		return ERR_2BIG;
	int64_t at = sys_map(0, HANDLE_NONE, 0, stack_bytes, MAP_READ | MAP_WRITE, 0, space, 0);
	if (at < 0)
		return (err_t)at;
	if (!(b.bytes = heap_alloc(b.size)))
		return ERR_NOMEM;
	b.address = (uint64_t)at + stack_bytes - b.size;
	block_fill(&b, o, bias);
	err_t err = handle_write_at(space, b.bytes, b.size, b.address);
	heap_free(b.bytes, b.size);
	out->block = out->sp = b.address;
	return err;
}

/* ---- The process ----------------------------------------------------------------------------------------------------- */

static err_t process_create(const struct spawn_options *o, handle_t space, struct spawned *out)
{
	handle_t process, like = o->successor_of ? o->successor_of : startup_self();
	enum code code = o->successor_of ? TASK_SUCCESSOR : TASK_CREATE;
	int64_t pid = sys_call_handle(0, like, code, space, NULL, 0, NULL, 0, 0, &process);

	if (pid < 0)
		return (err_t)pid;
	out->process = process;
	out->pid = (uint32_t)pid;
	return OK;
}

/* With the admin's word the handle gets all rights, and credentials and account can be set. */
static err_t process_empower(const struct spawn_options *o, struct spawned *out)
{
	handle_t full;
	int64_t result;

	if (o->admin == HANDLE_NONE)
		return o->cred || o->account != HANDLE_NONE ? ERR_PERM : OK;
	if ((result = sys_call_handle(0, o->admin, TASK_FIND, out->process, NULL, 0, NULL, 0, 0, &full)) < 0)
		return (err_t)result;
	handle_close(out->process);
	out->process = full;
	if (o->account != HANDLE_NONE && (result = handle_call_pass(full, TASK_ACCOUNT, o->account, 0)) < 0)
		return (err_t)result;
	if (o->cred && (result = handle_call(full, TASK_CRED, o->cred, sizeof *o->cred, NULL, 0, 0)) < 0)
		return (err_t)result;
	return OK;
}

/* Ours may be an admin's; its own lets it do what any process may do to itself. */
static err_t self_give(handle_t process, uint64_t number)
{
	handle_t plain;
	err_t err;

	if ((err = handle_dup(process, RIGHT_READ | RIGHT_WRITE | RIGHT_CALL | RIGHT_DUP | RIGHT_SEND, &plain)))
		return err;
	err = result_error(handle_call_pass(process, TASK_GIVE, plain, number));
	handle_close(plain);
	return err;
}

static err_t process_equip(const struct spawn_options *o, const struct spawned *s)
{
	const char *name = o->name ? o->name : o->argument_count > 0 ? o->arguments[0] : "program";
	int64_t result;
	err_t err;

	for (uint32_t i = 0; i < o->handle_count; i++)
		if ((result = handle_call_pass(s->process, TASK_GIVE, o->handles[i].handle, (uint64_t)number_of(o, i))) < 0)
			return (err_t)result;
	if (has_self(o) && (err = self_give(s->process, HANDLE_PRIVATE + (uint64_t)o->handle_count)))
		return err;
	if (o->namespace != HANDLE_NONE && (result = handle_call_pass(s->process, TASK_NAMESPACE, o->namespace, 0)) < 0)
		return (err_t)result;
	struct task_schedule schedule = { .priority = (uint8_t)o->priority };
	if (o->priority && (result = handle_call(s->process, TASK_SCHEDULE, &schedule, sizeof schedule, NULL, 0, 0)) < 0)
		return (err_t)result;
	result = handle_call(s->process, TASK_NAME, name, MIN_OF(strlen(name), (size_t)15), NULL, 0, 0);
	return result_error(result);
}

err_t spawn_prepare(const struct spawn_options *o, struct spawned *out)
{
	struct spawned s = { .process = HANDLE_NONE };
	handle_t space;
	uint64_t bias;
	err_t err;

	if (o->handle_count > SPAWN_HANDLES_MAX)
		return ERR_2BIG;
	err = o->account == HANDLE_NONE ? handle_open("proc", "space", OPEN_READ | OPEN_WRITE, &space)
	                                : handle_open_at(o->account, "space", OPEN_READ | OPEN_WRITE, &space);
	if (err)
		return err;
	if ((err = image_map(o, space, &s, &bias)))
		goto close_space;
	if ((err = stack_make(o, space, bias, &s)))
		goto close_space;
	if ((err = process_create(o, space, &s)))
		goto close_space;
	if ((err = process_empower(o, &s)))
		goto abandon;
	if ((err = process_equip(o, &s)))
		goto abandon;
	handle_close(space);
	*out = s;
	return OK;

abandon:
	spawn_abandon(&s);
close_space:
	handle_close(space);
	return err;
}

err_t spawn_start(const struct spawned *s)
{
	struct thread_start start = { .ip = s->ip, .sp = s->sp, .arg = { s->block } };

	return result_error(handle_call(s->process, TASK_THREAD, &start, sizeof start, NULL, 0, 0));
}

void spawn_abandon(struct spawned *s)
{
	/* Mostly it holds a handle of itself, so that closing ours would not be enough. */
	handle_call(s->process, TASK_KILL, NULL, 0, NULL, 0, 0);
	handle_close(s->process);
	s->process = HANDLE_NONE;
}

err_t spawn(const struct spawn_options *options, handle_t *process, uint32_t *pid)
{
	struct spawned s;
	err_t err;

	if ((err = spawn_prepare(options, &s)))
		return err;
	if ((err = spawn_start(&s))) {
		spawn_abandon(&s);
		return err;
	}
	*process = s.process;
	if (pid)
		*pid = s.pid;
	return OK;
}
