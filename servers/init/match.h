/* servers/init/match.h - which driver a device gets, and what the instance is called. Pure. */
#pragma once
#include "abi/proto/device.h"
#include "servers/init/manifest.h"

enum { ADDRESS_BYTES = 16 };

/* A function's address as one number, ordered as addresses are. */
typedef uint32_t device_address_t;

static inline device_address_t device_address(uint16_t segment, uint8_t bus, uint8_t slot_function)
{
	return (device_address_t)segment << 16 | (device_address_t)bus << 8 | slot_function;
}
/* As SSSS:BB:DD.F. */
void device_address_write(device_address_t a, char to[ADDRESS_BYTES]) NONNULL;

/* The manifest that says most exactly that it drives the device; of equals the first. NULL: none does. */
const struct manifest *match_best(struct manifest *const *manifests, uint32_t count, const struct device_info *info) NONNULL;
/* NAME@SSSS:BB:DD.F. INVAL: too long. */
err_t instance_name(const char *driver, device_address_t a, char to[SERVICE_NAME_MAX + 1]) NONNULL MUST_CHECK;
