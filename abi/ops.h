/* abi/ops.h - operation numbers, and the small structs and flags that operations take. */
#pragma once
#include "abi/types.h"

enum op {
#define OP(n, NAME, name, doc) OP_##NAME = n,
#include "abi/ops.def"
	OP_LIMIT = 40,
};

/* A system call whose number has this upper half (of 32 bits) is native; its lower
 * half is the operation. Linux never comes here. Everything else is reflected. */
#define NATIVE_CALL_BASE 0x43440000u

enum dup_flags {
	DUP_EXACT   = 1 << 0,           /* the number is at_least itself; what is there is closed */
	DUP_CLOEXEC = 1 << 1,
};

enum control {
	CONTROL_GET        = 0,         /* open_flags of handle and resource, rights << 32 */
	CONTROL_CLOEXEC    = 1,         /* value 0 or 1 */
	/* 2 is retired: DUP with DUP_EXACT drops rights */
	CONTROL_OPEN_FLAGS = 3,         /* set APPEND, NONBLOCK of the open resource to value's */
	CONTROL_NEXT       = 4,         /* the lowest number in use from handle on; BADF: none */
};

enum copy_flags {
	COPY_FROM_CLIENT = 0,
	COPY_TO_CLIENT   = 1,
	COPY_GROUPS      = 2,           /* to the server: the sender's supplementary groups, as uint32_t[] */
	/* [uid 0] Copies nothing: the pages of what the client sends or takes (both ends on pages) stay, as for MEM_KEEP, in the memory object whose
	 * handle is in the high half of copy_flags, under numbers from `number` on; buffer gets a struct dma_piece per run of them, so at most one
	 * for each page. After an error some may be kept. */
	COPY_KEEP        = 4,
};

/* REPLY's handle_and_flags: handle in the low half, these in the high half. */
enum reply_flags {
	/* Answering OPEN: result is the new resource's id, and: */
	REPLY_SEEKABLE   = 1 << 0,      /* the kernel keeps an offset; else offset is 0 and SEEK fails */
	/* The handle is a memory object that holds the resource's content: the kernel
	 * serves READ, WRITE, SEEK and MAP from it without asking the server. */
	REPLY_CONTENT    = 1 << 1,
	/* The client gets the handle itself (of whatever scheme) as the result. */
	REPLY_FORWARD    = 1 << 2,
	/* Answering CALL: the handle goes to the client beside the result. */
	REPLY_HANDLE     = 1 << 3,
	REPLY_CLOEXEC    = 1 << 4,      /* the client's new handle closes on EXEC */
	REPLY_PRIVATE    = 1 << 5,
	/* READ and WRITE of a resource without CONTENT: do not move the offset by result. */
	REPLY_KEEP_OFFSET = 1 << 6,
	/* Initial readiness is "nothing" instead of "always readable and writable". */
	REPLY_NOTIFIES   = 1 << 7,
	REPLY_COPY_HANDLE = 1 << 8,     /* the server keeps its handle; the client gets a copy */
	/* Answering OPEN, by the first endpoint of a group: the close may be told late. Nobody is woken for it: it goes along with the next request
	 * (struct message). One waits so; others come as ever. NOTIFY with NOTIFY_CLOSE_SOON in its mask takes it back for an id; its result is 1
	 * when that was closed so: then this was how it was told. */
	REPLY_LAZY_CLOSE = 1 << 9,
	/* REPLY_RECEIVE: receive only if the answer was taken whole; else ERR_SRCH (the client is gone, or got an error instead). */
	REPLY_SURE       = 1 << 10,
};

enum { NOTIFY_CLOSE_SOON = 1 << 30 };

enum scheme_flags {
	/* When no server is left, in-flight and new requests fail (ERR_CONNRESET);
	 * else they wait for the next one that receives. */
	SCHEME_FAIL_WITHOUT_SERVER = 1 << 0,
	/* Requests a dead server had taken are given to the next one again; else they fail. */
	SCHEME_REDELIVER = 1 << 1,
	/* With SCHEME_FAIL_WITHOUT_SERVER: they fail with ERR_NODEV; what it stood for will not come back. */
	SCHEME_GONE = 1 << 2,
	SCHEME_FLAGS = SCHEME_FAIL_WITHOUT_SERVER | SCHEME_REDELIVER | SCHEME_GONE,
};

struct serve {
	uint64_t tag;                   /* 0: nothing to answer, only receive */
	int64_t result;
	const void *data;
	uint64_t bytes;
	uint64_t handle_and_flags;
	struct message *message;
	void *buffer;
	uint64_t buffer_bytes;
	uint64_t deadline_ns;
};

/* Makes REPLY's last argument, and CALL's first. */
static inline uint64_t pack_handle(uint32_t flags_or_code, handle_t h, bool handle_low)
{
	return handle_low ? (uint64_t)flags_or_code << 32 | (uint32_t)h
	                  : (uint64_t)(uint32_t)h << 32 | flags_or_code;
}

/* Registers of a thread as the kernel saves and loads them: abi/arch/<cpu>/regs.h. */
struct regs;

enum upcall_reason {
	UPCALL_EXCEPTION = 1,
	UPCALL_NOTICE    = 2,
};

/* UPCALL's argument. The image is the code range in which notices wait (the word
 * at *notice_flag becomes 1 instead); exceptions there go to the entry as well. */
struct upcall_setup {
	uint64_t syscall_entry;         /* foreign system calls land here, registers as they were */
	uint64_t event_entry;           /* entered with arg0 = frame, on the stack it had */
	uint64_t frame;                 /* user memory for struct upcall_frame */
	uint64_t notice_flag;           /* user address of a uint64_t, or 0 */
	uint64_t image_start, image_end;
};
