/* drivers/pcid/bus.h - which functions there are, who holds them, and what came and went.
 *
 * Pure but for the struct pci_host. struct bus lies in the state object, which outlives pcid: no pointers in it; and it is believed only after
 * bus_is_sane. A number (index) stands for the same function as long as it is present or claimed.
 */
#pragma once
#include "abi/proto/device.h"
#include "lib/pci/pci.h"
#include "lib/pci/slot.h"
#include "lib/pci/window.h"
#include "lib/scheme/opens.h"

enum { BUS_FUNCTIONS_MAX = 128, BUS_EVENTS_MAX = 256, BUS_RESERVED_MAX = 16, BUS_NONE = UINT32_MAX };
enum { BUS_LINE_BYTES = 96 };

struct bus_function {
	struct pci_function pci;
	bool is_used, is_present;       /* !is_present: it went while somebody holds it */
	bool is_claimed, is_isolated;
	uint32_t claimed_by;            /* pid */
	uint32_t parent;                /* index of the bridge before it, or BUS_NONE */
};

struct bus {
	uint64_t magic, bytes;
	struct bus_function function[BUS_FUNCTIONS_MAX];
	struct opens opens;
	uint32_t event_first, event_count;
	struct device_event event[BUS_EVENTS_MAX];
	/* What no BAR may lie over: interrupt controllers, configuration space. */
	uint32_t reserved_count;
	struct pci_range reserved[BUS_RESERVED_MAX];
	/* Where pins lead, as acpid said. None: as the firmware left it in the functions' registers. */
	uint32_t route_count;
	struct device_route route[DEVICE_ROUTES_MAX];
};

void bus_init(struct bus *b) NONNULL;
/* Was it left by an instance of this very program? */
bool bus_is_sane(const struct bus *b) NONNULL;
void bus_reserve(struct bus *b, uint64_t start, uint64_t bytes) NONNULL;
/* Looks who is there: news become events. Whoever was known and is the same is left alone. */
void bus_scan(struct bus *b, const struct pci_host *h, uint16_t segment, uint8_t first_bus) NONNULL;
/* Looks at every hot-plug slot: who is pulled out goes, who wants to is stopped and loses its power. True: somebody may have come, and
 * a scan would find him. */
bool bus_look_at_slots(struct bus *b, const struct pci_host *h) NONNULL;
bool bus_has_slots(const struct bus *b) NONNULL;
/* The slot's functions (all of a's device) are stopped and gone: the firmware is about to take their power. */
void bus_push_out(struct bus *b, const struct pci_host *h, struct pci_address a) NONNULL;
/* The function is gone (unplugged). Its number stays until it is released. */
void bus_lose(struct bus *b, uint32_t index) NONNULL;

/* BUS_NONE: there is none. */
uint32_t bus_find(const struct bus *b, struct pci_address a) NONNULL;
/* BUSY: somebody has it; NODEV: it is gone. Gives addresses to BARs that lack one, where its bridge leaves room, and lets it decode them. */
err_t bus_claim(struct bus *b, const struct pci_host *h, uint32_t index, uint32_t pid) NONNULL MUST_CHECK;
/* The claim is over: stopped, reset if possible, decoding nothing. */
void bus_release(struct bus *b, const struct pci_host *h, uint32_t index) NONNULL;
/* May the BAR be given away: does it lie over nothing else, by whole pages? OK, NOENT (none, or without address), ERR_BUSY. */
err_t bus_bar_check(const struct bus *b, uint32_t index, uint32_t bar) NONNULL MUST_CHECK;

/* From now on pins lead there: the lines of all functions that have one, and of those that come; their registers
 * (which nobody but software reads) say so, too. NOSPC: too many; INVAL: one makes no sense. Then all
 * is as it was. */
err_t bus_set_routes(struct bus *b, const struct pci_host *h, const struct device_route *routes, uint32_t count) NONNULL MUST_CHECK;
/* May the firmware's bytecode write bytes at offset of it: neither the standard header nor what sends messages. */
bool bus_is_free_for_firmware(const struct bus *b, uint32_t index, uint32_t offset, uint32_t bytes) NONNULL;

void bus_event(struct bus *b, enum device_event_kind kind, struct pci_address a, uint64_t address) NONNULL;
/* Takes up to max events, oldest first: how many. */
uint32_t bus_take_events(struct bus *b, struct device_event *out, uint32_t max) NONNULL;
void bus_info(const struct bus *b, uint32_t index, uint32_t config_bytes, struct device_info *out) NONNULL;
/* The line of READ of pci: about it. Its length. */
size_t bus_line(const struct bus *b, uint32_t index, char to[BUS_LINE_BYTES]) NONNULL;
