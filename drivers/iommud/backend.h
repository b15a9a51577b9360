/* drivers/iommud/backend.h - what a kind of IOMMU does for iommud; each in a file of its own. */
#pragma once
#include "abi/proto/kernel.h"
#include "drivers/iommud/domain.h"
#include "drivers/iommud/tables.h"

struct backend {
	const char *name;
	bool is_isolated;
	uint32_t address_bits;
	/* Finds and starts its hardware. again: an instance before us has done so, and its tables are as it left them. NODEV: there is none. */
	err_t (*start)(struct domains *s, struct tables *t, bool again);
	/* The domain is what its function sees from now on; nothing, if it is not attached. */
	err_t (*attach)(uint32_t domain);
	/* The domain will be used no more; its function sees nothing if it was attached. */
	void (*detach)(uint32_t domain);
	err_t (*map)(uint32_t domain, uint64_t address, uint64_t physical, uint64_t bytes, uint32_t access);
	/* On return nothing reaches it any more. */
	void (*unmap)(uint32_t domain, uint64_t address, uint64_t bytes);
	/* Faults of the domain are not recorded any more: who goes on trying must not keep us busy. NULL: there are none. */
	void (*quiet)(uint32_t domain);
	/* What the function must write to raise interrupt `number` of its own. NULL: what the kernel wants. */
	err_t (*interrupt)(uint32_t domain, uint32_t number, const struct irq_message *wanted, struct irq_message *out);
	/* A handle that is ready when there are faults; HANDLE_NONE: none comes. */
	handle_t (*fault_handle)(void);
	/* Tells each fault since the last call. The handle was ready. */
	void (*faults)(void (*tell)(struct pci_address who, uint64_t address, uint32_t access));
};

extern const struct backend backend_none, backend_vtd, backend_virtio;
