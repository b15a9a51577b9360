/* lib/native/attached.c - handles and environment "attached:N", one after another. */
#include "lib/native/attached.h"
#include "lib/base/fmt.h"
#include "lib/base/number.h"
#include "lib/base/string.h"
#include "lib/native/handle.h"
#include "lib/native/print.h"
#include "lib/native/startup.h"

void attached_take(err_t (*take)(const char *instance, size_t bytes, uint32_t index, handle_t root))
{
	char name[24];

	for (uint32_t i = 0;; i++) {
		fmt(name, sizeof(name), "attached:%u", i);
		handle_t root = startup_handle(name);
		const char *text = startup_environment(name), *blank = text ? strrchr(text, ' ') : NULL;
		uint64_t index;
		if (root == HANDLE_NONE || !blank)
			return;
		err_t err = number_parse(blank + 1, strlen(blank + 1), 10, &index);
		if (!err)
			err = take(text, (size_t)(blank - text), (uint32_t)index, root);
		if (err)
			print("%s cannot be taken: error %d\n", text, -err);
		handle_close(root);
	}
}
