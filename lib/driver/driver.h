/* lib/driver/driver.h - what a driver has of its device: registers, interrupts, memory that the device reaches.
 *
 * A driver is a process in the null namespace; its manifest gives it the claim of one PCI function as handle "device"
 * (abi/proto/device.def), and everything here comes from that. On the host a test defines these functions itself, together with its mock
 * device (lib/test/host/lib/driver/mmio.h). Addresses that a device is given are struct dma_memory's, never pointers.
 * Not thread-safe.
 */
#pragma once
#include <stdbool.h>
#include "abi/proto/device.h"
#include "abi/proto/dma.h"
#include "abi/error.h"
#include "abi/types.h"
#include "lib/base/attr.h"

struct device {
	handle_t handle, dma;           /* dma: HANDLE_NONE until it was first needed */
	struct device_info info;
	uint32_t interrupt_kind;        /* enum device_interrupt_kind, of those that were given; 0: none yet */
};

/* Registers: mapped, or (ports) a handle to read and write. */
struct device_bar {
	volatile uint8_t *at;           /* NULL: ports */
	handle_t ports;                 /* HANDLE_NONE: memory */
	uint64_t bytes;
	uint64_t hole_offset, hole_bytes;       /* pages that are not there (struct device_registers) */
};

/* Memory shared with the device. Its pieces are consecutive at `at`. */
struct dma_memory {
	uint8_t *at;
	size_t bytes;
	uint32_t piece_count;
	struct dma_piece *piece;        /* addresses for the device */
};

/* What holds on to clients' pages for the device (scheme_deferred_keep), under numbers below DMA_KEEPER_PAGES: until dma_unkeep, or until the device
 * was stopped after our end. */
struct dma_keeper {
	handle_t handle;                /* HANDLE_NONE: there is none */
	uint64_t base;                  /* added to each number */
};

/* The startup handle's device (mostly "device"). NOENT: not given; else errors of the claim's server. */
err_t device_open(struct device *d, const char *handle_name) NONNULL MUST_CHECK;
/* The same with a claim at hand, which is the device's from now on. */
err_t device_open_claim(struct device *d, handle_t claim) NONNULL MUST_CHECK;
/* Gives the claim back, and with it everything that it gave. */
void device_close(struct device *d) NONNULL;
/* Reads configuration space: bytes 1, 2 or 4, offset a multiple of it. INVAL: out of its bounds. */
err_t device_config(struct device *d, uint32_t offset, uint32_t bytes, uint32_t *out) NONNULL MUST_CHECK;
/* NOENT: there is no such BAR; NOMEM. */
err_t device_map_bar(struct device *d, uint32_t bar, struct device_bar *out) NONNULL MUST_CHECK;
/* A handle that is ready to read when the interrupt came (irq: in abi/proto/kernel.def): READ counts, WRITE of the count goes on. NOENT: not so many. */
err_t device_interrupt(struct device *d, uint32_t number, handle_t *out) NONNULL MUST_CHECK;
err_t device_reset(struct device *d) NONNULL MUST_CHECK;
/* Zeroed. piece_bytes_min and dma_flags as in struct dma_request. NOMEM. */
err_t dma_allocate(struct device *d, size_t bytes, size_t piece_bytes_min, uint32_t dma_flags, struct dma_memory *out) NONNULL MUST_CHECK;
/* Memory of somebody else's, all of whose pages are there (MEM_SEAL), for the device: whole pages from the object's beginning; access is enum dma_access. *count
 * consecutive pieces. NOMEM; RANGE: more than max. */
err_t dma_map(struct device *d, handle_t object, size_t bytes, uint32_t access, struct dma_piece *piece, uint32_t max, uint32_t *count) NONNULL MUST_CHECK;
/* The mapping whose first piece has this address ends; the device must be done with it. */
void dma_unmap(struct device *d, uint64_t address) NONNULL;
/* The device must be done with it. */
void dma_free(struct device *d, struct dma_memory *m) NONNULL;
/* The same for a window of a client's object, as large and in as many pieces as it may be (offset and bytes whole pages): out->at is NULL. NOMEM; RANGE:
 * not within it. */
err_t dma_share(struct device *d, handle_t object, uint64_t offset, size_t bytes, uint32_t access, struct dma_memory *out) NONNULL MUST_CHECK;
/* The device must be done with it. */
void dma_unshare(struct device *d, struct dma_memory *m) NONNULL;
/* OPNOTSUPP: there is an IOMMU, whose tables clients' pages are not in. */
err_t dma_keeper(struct device *d, struct dma_keeper *out) NONNULL MUST_CHECK;
/* The device must be done with them. */
void dma_unkeep(const struct dma_keeper *k, uint64_t number, uint64_t pages) NONNULL;
/* The device's address of the byte at offset; *run_out (may be NULL) gets how many bytes follow without a gap. offset < m->bytes. */
uint64_t dma_address(const struct dma_memory *m, size_t offset, size_t *run_out);
/* The device does not stop, and might write memory that is somebody else's by then: says why and ends the program, so that pcid stops it by
 * force and the next instance begins anew. What clients asked is asked again then. (Returns in tests on the host only.) */
void driver_fail(const char *why) NONNULL;
