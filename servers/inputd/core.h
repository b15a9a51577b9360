/* servers/inputd/core.h - what inputd knows, and what it makes of devices' reports. Pure.
 *
 * All of it is one struct without pointers, which lies in the supervisor's memory: the next instance goes on with it, down to the keys that are held.
 * Nobody else writes there, but a broken instance might have: core_init checks what it is indexed by.
 */
#pragma once
#include <stdbool.h>
#include "abi/error.h"
#include "abi/proto/input.h"
#include "lib/base/attr.h"

enum {
	CORE_DEVICES_MAX = 32, CORE_QUEUE = 512, CORE_LAYOUT_BYTES = 16,
	CORE_HELD_MAX = 64,             /* so many keys down at a time; more are not seen */
	CORE_MOTION_ROOM = CORE_QUEUE / 4,      /* of the queue: not for what moves, turns or repeats */
};

struct core_device {
	uint64_t id;                    /* of the open thing; 0: the record is free, or its opener does not know it yet */
	bool is_used;
	uint16_t pad_moved;             /* bit n: KEY_PAD_7 + n went down as the key that moves */
	uint32_t lights_told;
	struct input_device info;
	int32_t x, y;                   /* moved since the last INPUT_SYNC, or (tablet) where it is */
	bool has_moved, has_place;
	uint64_t held[INPUT_CODES / 64];
};

struct core {
	uint64_t magic;
	char layout[CORE_LAYOUT_BYTES];
	uint32_t delay_ms, rate;        /* of repeats: the first after delay_ms, then rate a second; 0: none */
	uint32_t locks;                 /* INPUT_CAPS, INPUT_NUM */
	uint32_t dead;                  /* a dead key waits; 0: none */
	uint32_t held_count;            /* of all devices */
	uint64_t events_id;             /* who reads input:events; 0: nobody */
	bool is_read, wants_restart;    /* wants_restart: Ctrl-Alt-Del; the owner clears it */
	struct input_event repeat;      /* what is repeated at repeat_ns; 0: nothing is */
	uint64_t repeat_ns;
	uint32_t repeat_device;
	uint32_t first, count;          /* of queue */
	struct input_event queue[CORE_QUEUE];
	struct core_device device[CORE_DEVICES_MAX];
};

/* Takes over what is there when it makes sense, else begins anew. */
void core_init(struct core *c) NONNULL;
/* NFILE: too many. */
err_t core_device_add(struct core *c, uint32_t *out) NONNULL MUST_CHECK;
/* What it held is let go. */
void core_device_remove(struct core *c, uint32_t device, uint64_t now_ns) NONNULL;
/* The record of an open thing's number; NOENT. */
err_t core_device_find(const struct core *c, uint64_t id, uint32_t *out) NONNULL MUST_CHECK;
/* INVAL: it makes no sense. */
err_t core_device_set(struct core *c, uint32_t device, const struct input_device *info) NONNULL MUST_CHECK;
/* One report. What makes no sense is ignored. */
void core_report(struct core *c, uint32_t device, const struct input_raw *r, uint64_t now_ns) NONNULL;
/* Takes out up to max events: how many. */
uint32_t core_take(struct core *c, struct input_event *out, uint32_t max) NONNULL;
/* Nobody knows of anything: who reads from now on starts without keys that are down. */
void core_forget_events(struct core *c) NONNULL;
/* When core_tick has something to do; UINT64_MAX: nothing. */
uint64_t core_deadline(const struct core *c) NONNULL;
void core_tick(struct core *c, uint64_t now_ns) NONNULL;
/* "LAYOUT [DELAY RATE]", perhaps with a newline. INVAL: nothing has changed. */
err_t core_set_layout(struct core *c, const char *text, size_t bytes) NONNULL MUST_CHECK;
/* enum input_lights that are to be on. */
uint32_t core_lights(const struct core *c) NONNULL;
