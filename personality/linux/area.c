/* personality/linux/area.c - places are tried upwards; whoever else maps there (a vfork parent) is stepped over. */
#include "personality/linux/area.h"
#include "lib/base/bits.h"
#include "personality/linux/native.h"
#include "personality/linux/process.h"

err_t area_map_at(uint64_t *next, size_t bytes, void **out)
{
	uint64_t size = round_up(bytes, LINUX_PAGE);

	while (*next + size + LINUX_PAGE < AREA_END) {
		uint64_t at = *next;
		int64_t result = native_map(at, size, MAP_READ | MAP_WRITE | MAP_NOREPLACE, HANDLE_NONE, 0);
		*next += size + LINUX_PAGE;
		if (result == (int64_t)at) {
			*out = (void *)at;
			return OK;
		}
		if (result != ERR_EXIST)
			return result < 0 ? (err_t)result : ERR_NOMEM;
	}
	return ERR_NOMEM;
}

err_t area_map(struct process *p, size_t bytes, void **out)
{
	lock_take(&p->lock);
	err_t err = area_map_at(&p->area_next, bytes, out);
	lock_release(&p->lock);
	return err;
}

void area_unmap(void *start, size_t bytes)
{
	(void)native_unmap((uint64_t)start, round_up(bytes, LINUX_PAGE));
}
