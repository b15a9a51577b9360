/* lib/native/bootfs.c */
#include "lib/native/bootfs.h"
#include "abi/proto/file.h"
#include "abi/proto/kernel.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"

err_t bootfs_map(handle_t object, struct initfs *out)
{
	struct mem_info info;
	int64_t result = handle_call(object, MEM_INFO, NULL, 0, &info, sizeof info, 0);

	if (result < 0)
		return (err_t)result;
	result = sys_map(0, object, 0, info.bytes, MAP_READ | MAP_SHARED, 0, HANDLE_NONE, 0);
	if (result < 0)
		return (err_t)result;
	return initfs_open((const void *)result, info.bytes, out);
}

err_t bootfs_find(const struct initfs *fs, const char *path, uint64_t *offset, uint64_t *bytes)
{
	struct initfs_entry e;
	err_t err;

	if ((err = initfs_find(fs, INITFS_ROOT, path, strlen(path), &e)))
		return err;
	if ((e.mode & MODE_TYPE) != MODE_FILE)
		return ERR_ACCES;
	*offset = e.content_offset;
	*bytes = e.content_bytes;
	return OK;
}
