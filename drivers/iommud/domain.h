/* drivers/iommud/domain.h - domains, what is mapped in each, and what was tried and denied.
 *
 * struct domains lies in the state object, which outlives iommud: no pointers in it, and it is believed only after domains_are_sane.
 * The frames of mapping n are kept under page numbers from domain_number(n) on. Pure.
 */
#pragma once
#include <stdbool.h>
#include "abi/proto/dma.h"
#include "drivers/iommud/tables.h"
#include "lib/pci/pci.h"
#include "lib/scheme/opens.h"

enum { DOMAINS_MAX = 128, MAPPINGS_MAX = 8192, DOMAIN_FAULTS_MAX = 16, DOMAIN_FAULTS_TOLD = 16, DOMAIN_NONE = UINT32_MAX };
/* What one mapping can have. */
#define MAPPING_BYTES_MAX (1ull << 30)

struct domain {
	bool is_used, is_attached;      /* is_attached: it is what its function sees; else another has taken its place, or the function is away */
	uint32_t opens;
	struct pci_address function;
	uint64_t next;                  /* where the search for addresses goes on */
	uint64_t table;                 /* the backend's: where its translation begins; 0: nowhere yet */
	uint32_t fault_total;           /* how often something was denied; after DOMAIN_FAULTS_TOLD nobody listens any more */
	uint32_t fault_count;           /* different ones ever; the last DOMAIN_FAULTS_MAX are here, by number modulo that */
	struct dma_fault fault[DOMAIN_FAULTS_MAX];
};

struct mapping {
	uint32_t domain_plus_1;         /* 0: free */
	uint32_t access;                /* enum dma_access */
	uint64_t address, bytes;        /* address: the first piece's */
};

/* Which interrupt of which domain an entry of the IOMMU's table is. */
enum { INTERRUPTS_MAX = 256 };
struct interrupt_entry { uint32_t domain_plus_1, number; };

struct domains {
	uint64_t magic, bytes;
	struct interrupt_entry interrupt[INTERRUPTS_MAX];
	struct tables_kept tables;
	struct backend_kept { uint64_t root, interrupts, queue, status; } backend;      /* tables that the backend began with */
	struct domain domain[DOMAINS_MAX];
	struct mapping mapping[MAPPINGS_MAX];
	struct opens opens;
};

void domains_init(struct domains *s) NONNULL;
bool domains_are_sane(const struct domains *s) NONNULL;

/* A new one for the function; an older one of it is attached no more. Its number; NFILE. */
err_t domain_create(struct domains *s, struct pci_address function, uint32_t *out) NONNULL MUST_CHECK;
/* The one that the function sees, or DOMAIN_NONE. */
uint32_t domain_find(const struct domains *s, struct pci_address function) NONNULL;
/* Room for bytes in [start, end), a multiple of pages, where nothing is mapped: *out. NOSPC. */
err_t domain_place(struct domains *s, uint32_t domain, uint64_t start, uint64_t end, uint64_t bytes, uint64_t *out) NONNULL MUST_CHECK;
/* A number for a mapping of the domain; NOSPC. It is there from now on. */
err_t mapping_create(struct domains *s, uint32_t domain, uint64_t bytes, uint32_t access, uint32_t *out) NONNULL MUST_CHECK;
/* MAPPINGS_MAX: nothing of the domain begins there. */
uint32_t mapping_find(const struct domains *s, uint32_t domain, uint64_t address) NONNULL;
static inline uint64_t domain_number(uint32_t mapping) { return (uint64_t)mapping << 20; }

/* The entry of interrupt `number` of the domain, a new one if it has none: INTERRUPTS_MAX, there is none left. */
uint32_t domain_interrupt(struct domains *s, uint32_t domain, uint32_t number) NONNULL;

/* Alike ones after each other count as one. */
void domain_fault(struct domain *d, uint64_t address, uint32_t access) NONNULL;
/* Those after *seen, which moves: how many. */
uint32_t domain_take_faults(const struct domain *d, uint32_t *seen, struct dma_fault *out, uint32_t max) NONNULL;
