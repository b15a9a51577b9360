/* drivers/iommud/none.c - no IOMMU: addresses are physical. */
#include "drivers/iommud/backend.h"

static err_t start(struct domains *s UNUSED, struct tables *t UNUSED, bool again UNUSED) { return OK; }
static err_t attach(uint32_t domain UNUSED) { return OK; }
static void detach(uint32_t domain UNUSED) { }
static void unmap(uint32_t domain UNUSED, uint64_t address UNUSED, uint64_t bytes UNUSED) { }
static handle_t fault_handle(void) { return HANDLE_NONE; }

const struct backend backend_none = {
	.name = "none", .address_bits = 64, .start = start, .attach = attach, .detach = detach, .unmap = unmap, .fault_handle = fault_handle,
};
