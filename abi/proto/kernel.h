/* abi/proto/kernel.h - structs of the kernel schemes' protocols (kernel.def). */
#pragma once
#include "abi/proto/codes.h"
#include "abi/types.h"

struct mem_info {
	uint64_t bytes, held_bytes;
	uint64_t changed_ns;            /* CLOCK_REALTIME_NS of the last write through READ/WRITE/MAP, 0 never */
	uint64_t physical;              /* first physical address, of mem:phys objects; else 0 */
};

struct mem_window { uint64_t offset, bytes; };
enum mem_cache { MEM_CACHED = 0, MEM_UNCACHED = 1, MEM_WRITE_COMBINING = 2 };

/* What a device writes to interrupt, and the write that keeps it from doing so (address 0: there is none). */
struct irq_message { uint64_t address; uint32_t data, reserved; };
struct irq_mask { uint64_t address; uint32_t value, reserved; };

/* Pages of an object, from first on, for a device to read or (access: enum dma_access) write; number: under which the first is kept, below 2^48
 * like `first`. */
enum { MEM_KEEP_MAX = 1 << 16 };
struct mem_keep { uint64_t first, pages, number; uint32_t access, reserved; };

struct account_limits { uint64_t pages, threads, handles; };
struct account_info { struct account_limits limit, used; };

enum event_mode { EVENT_LEVEL = 0, EVENT_EDGE = 1, EVENT_ONE_SHOT = 2 };
struct event_interest {
	handle_t handle;
	uint32_t wanted;                /* enum ready */
	uint32_t mode;                  /* enum event_mode, OR-ed */
	uint32_t reserved;
	uint64_t cookie;
};
struct event { uint64_t cookie; uint32_t found; uint32_t reserved; };

struct timer_setting {
	uint64_t next_ns, period_ns;    /* next_ns: CLOCK_MONOTONIC_NS; 0: disarmed */
	uint64_t clock;                 /* enum clock_id: what the timer was opened as, which its settings mean to who keeps them. TIMER_SET: any */
};

enum pipe_kind { PIPE_PLAIN = 0, PIPE_STREAM = 1, PIPE_DATAGRAM = 2, PIPE_SEQUENCE = 5 };     /* sockets' as SOCK_... on Linux */
enum { PIPE_NAME_MAX = 112 };
struct pipe_info {
	uint32_t kind;                  /* enum pipe_kind */
	uint32_t pid, uid, gid;         /* of who made or named it last (of a packet: who sent it) */
	/* The owner's own, which the kernel does not interpret. */
	uint32_t state, name_bytes;
	uint32_t peer_pid, peer_uid, peer_gid;
	char name[PIPE_NAME_MAX];
};

enum pipe_receive_flags {
	PIPE_PEEK = 1 << 0,             /* leave it there, and its handle */
	PIPE_ACCEPT = 1 << 1,           /* also of a stream or sequence that is not connected */
};
struct pipe_receive { uint64_t buffer, bytes; };
struct pipe_received {
	struct pipe_info sender;        /* of a packet. Bytes that nothing goes with: kind PIPE_PLAIN */
	uint64_t word;                  /* as PIPE_SEND had it */
	uint64_t bytes;                 /* of the whole packet */
};

enum trace_control { TRACE_STOP = 0, TRACE_START = 1 };

struct system_info {
	uint64_t memory_bytes, free_bytes, kernel_bytes, cached_bytes;
	uint64_t boot_realtime_ns, uptime_ns;
	uint64_t idle_ns[64], busy_ns[64];      /* per CPU; busy is user + system */
	uint64_t timer_interrupts[64], kicks[64], shootdowns[64]; /* interrupts that each CPU had: its timer's, and other CPUs' to reschedule or to drop TLB entries */
	uint64_t switches, interrupts, requests, forks;
	uint32_t cpus, processes, threads, running;
	uint64_t tsc_hz;
};

/* The page that time:page maps read-only; the reader loops while sequence is odd or
 * moved. ns = (ticks - start_ticks) * mult >> shift, just as the kernel reckons; ticks = TSC on x86_64. */
struct time_page {
	uint32_t sequence, shift;
	uint64_t mult, start_ticks;
	uint64_t realtime_offset_ns;    /* realtime = monotonic + this */
};
