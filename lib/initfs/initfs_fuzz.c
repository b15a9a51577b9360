/* lib/initfs/initfs_fuzz.c - any bytes are refused or can be walked wholly, within the image. */
#include "lib/base/assert.h"
#include "lib/base/string.h"
#include "lib/initfs/initfs.h"

/* The sanitizer watches the reads; the sum keeps them from being left out. */
static volatile uint8_t sum;

static void check_node(const struct initfs *fs, uint32_t index)
{
	uint8_t seen = 0;
	struct initfs_entry e, child;

	initfs_node(fs, index, &e);
	ASSERT(e.parent < fs->node_count && (e.parent < index || index == INITFS_ROOT));
	if (e.content_bytes > 0)
		seen ^= e.content[0] ^ e.content[e.content_bytes - 1];
	for (uint32_t i = 0; i < e.name_bytes; i++)
		seen ^= (uint8_t)e.name[i];
	sum = seen;
	if (initfs_next_child(fs, index, 0, &child) == OK)
		ASSERT(child.parent == index && initfs_find(fs, index, child.name, child.name_bytes, &child) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct initfs fs;
	struct initfs_entry e;

	if (initfs_open(data, size, &fs))
		return 0;
	for (uint32_t i = 0; i < fs.node_count; i++)
		check_node(&fs, i);
	ASSERT(initfs_find(&fs, INITFS_ROOT, "", 0, &e) == OK && e.index == INITFS_ROOT);
	(void)!initfs_find(&fs, INITFS_ROOT, (const char *)data, size < 64 ? size : 64, &e);
	return 0;
}
