/* servers/console/ports.h - I/O ports as the drivers of this program see them, so that they run on the host too. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* One range of ports. Offsets count from its first. What a port that cannot be read gives is all ones, as on the bus. */
struct ports {
	uint32_t (*in)(const struct ports *p, uint32_t offset, uint32_t bytes);
	void (*out)(const struct ports *p, uint32_t offset, uint32_t bytes, uint32_t value);
	/* count bytes, one after the other, to the port at offset. */
	void (*out_many)(const struct ports *p, uint32_t offset, const uint8_t *bytes, size_t count);
	int32_t handle, repeat_handle;  /* main.c's */
	void *context;                  /* a test's */
};

static inline uint8_t port_in8(const struct ports *p, uint32_t offset) { return (uint8_t)p->in(p, offset, 1); }
static inline void port_out8(const struct ports *p, uint32_t offset, uint8_t value) { p->out(p, offset, 1, value); }
