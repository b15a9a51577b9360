/* drivers/pcid/claim.h - what a claim gives out: registers, interrupts, the DMA domain; and taking it back. */
#pragma once
#include "drivers/pcid/bus.h"

/* A claim's handles, which an instance of pcid has (they are not in the state object). */
struct claim {
	handle_t domain;                /* iommu:'s, or HANDLE_NONE */
	err_t domain_error;             /* why there is none */
	handle_t *interrupt;            /* by number; HANDLE_NONE: not given yet. NULL: none was */
	uint32_t interrupt_count;
};

/* again: its domain exists already, of an instance before us. */
void claim_begin(struct claim *c, struct bus_function *f, bool again) NONNULL;
/* The function must have been released: only then may its memory go. */
void claim_end(struct claim *c) NONNULL;
/* Each: a handle for the driver, to be copied (interrupt, domain) or given (registers). */
err_t claim_registers(const struct bus_function *f, uint32_t bar, uint32_t part, struct device_registers *r, handle_t *out) NONNULL MUST_CHECK;
err_t claim_interrupt(struct claim *c, const struct pci_host *h, const struct bus_function *f, uint32_t n, struct device_interrupt *i,
                      handle_t *out) NONNULL MUST_CHECK;
err_t claim_domain(struct claim *c, const struct pci_host *h, const struct bus_function *f, handle_t *out) NONNULL MUST_CHECK;
