/* servers/init/match.c */
#include "servers/init/match.h"
#include "lib/base/fmt.h"

void device_address_write(device_address_t a, char to[ADDRESS_BYTES])
{
	fmt(to, ADDRESS_BYTES, "%04x:%02x:%02x.%x", a >> 16, a >> 8 & 0xff, a >> 3 & 31, a & 7);
}

/* 0: it is not matched. */
static uint32_t closeness(const struct manifest_match *m, const struct device_info *d)
{
	bool fits = m->kind == MATCH_DEVICE ? m->vendor == d->vendor && m->device == d->device :
	            m->class == d->class && m->subclass == d->subclass && (m->kind == MATCH_CLASS || m->interface == d->interface);

	return fits ? (uint32_t)m->kind + 1 : 0;
}

const struct manifest *match_best(struct manifest *const *manifests, uint32_t count, const struct device_info *info)
{
	const struct manifest *best = NULL;
	uint32_t closest = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < manifests[i]->match_count; j++) {
			uint32_t close = closeness(&manifests[i]->match[j], info);
			if (close > closest) {
				closest = close;
				best = manifests[i];
			}
		}
	return best;
}

err_t instance_name(const char *driver, device_address_t a, char to[SERVICE_NAME_MAX + 1])
{
	char address[ADDRESS_BYTES];

	device_address_write(a, address);
	return fmt(to, SERVICE_NAME_MAX + 1, "%s@%s", driver, address) > SERVICE_NAME_MAX ? ERR_INVAL : OK;
}
