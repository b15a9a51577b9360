/* lib/native/state.c */
#include "lib/native/state.h"
#include "lib/base/bits.h"
#include "lib/native/startup.h"
#include "lib/native/sys.h"

enum { PAGE = 4096 };

void *state_map(size_t bytes)
{
	int64_t at = sys_map(0, startup_handle("state"), 0, round_up(bytes, PAGE), MAP_READ | MAP_WRITE | MAP_SHARED, 0, HANDLE_NONE, 0);

	return at < 0 ? NULL : (void *)(uintptr_t)at;
}
