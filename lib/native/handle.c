/* lib/native/handle.c - thin: arguments in, err_t out, short transfers gone on with. */
#include "lib/native/handle.h"
#include "lib/base/string.h"

static err_t opened(int64_t result, handle_t *out)
{
	if (result < 0)
		return (err_t)result;
	*out = (handle_t)result;
	return OK;
}

err_t handle_open_in(handle_t namespace, const char *scheme, const char *ref, uint64_t open_flags, handle_t *out)
{
	return opened(sys_open(0, namespace, scheme, strlen(scheme), ref, strlen(ref), open_flags | OPEN_PRIVATE, 0), out);
}

err_t handle_open(const char *scheme, const char *ref, uint64_t open_flags, handle_t *out)
{
	return handle_open_in(HANDLE_NONE, scheme, ref, open_flags, out);
}

err_t handle_open_at(handle_t at, const char *ref, uint64_t open_flags, handle_t *out)
{
	return opened(sys_open(0, at, NULL, 0, ref, strlen(ref), open_flags | OPEN_PRIVATE, 0), out);
}

void handle_close(handle_t h)
{
	if (h != HANDLE_NONE)
		sys_close(0, h);
}

err_t handle_dup(handle_t h, uint64_t rights, handle_t *out)
{
	return opened(sys_dup(0, h, HANDLE_PRIVATE, 0, rights), out);
}

/* offset -1: the resource's own. */
static err_t write_all(handle_t h, const uint8_t *data, size_t bytes, int64_t offset)
{
	while (bytes > 0) {
		int64_t n = sys_write(0, h, data, bytes, offset);
		if (n < 0)
			return (err_t)n;
		if (n == 0)
			return ERR_PIPE;
		data += n;
		bytes -= (size_t)n;
		if (offset >= 0)
			offset += n;
	}
	return OK;
}

err_t handle_write(handle_t h, const void *data, size_t bytes)
{
	return write_all(h, data, bytes, -1);
}

err_t handle_write_at(handle_t h, const void *data, size_t bytes, uint64_t offset)
{
	return write_all(h, data, bytes, (int64_t)offset);
}

err_t handle_read_at(handle_t h, void *to, size_t bytes, uint64_t offset)
{
	uint8_t *at = to;

	while (bytes > 0) {
		int64_t n = sys_read(0, h, at, bytes, (int64_t)offset);
		if (n < 0)
			return (err_t)n;
		if (n == 0)
			return ERR_NODATA;
		at += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return OK;
}

int64_t handle_call_pass(handle_t h, enum code code, handle_t pass, uint64_t word)
{
	return sys_call(0, h, pack_handle(code, pass, false), NULL, 0, NULL, 0, word);
}

err_t handle_call_get(handle_t h, enum code code, const void *in, size_t in_bytes, uint64_t word, handle_t *out)
{
	handle_t got;
	int64_t result = sys_call_handle(0, h, code, HANDLE_NONE, in, in_bytes, NULL, 0, word, &got);

	if (result < 0)
		return (err_t)result;
	if (got == HANDLE_NONE)
		return ERR_PROTO;
	*out = got;
	return OK;
}
