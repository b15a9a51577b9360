/* personality/linux/pathname.c - the pure half of paths: normal form and the prefix table. */
#include "abi/error.h"
#include "lib/base/string.h"
#include "personality/linux/path.h"

static const struct {
	const char *prefix, *scheme;
} prefixes[] = {
	{ "/proc", "procfs" },
	{ "/dev/pts", "pty" },
	{ "/host", "host" },
};
#define SCHEME_PREFIX "/scheme/"

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

bool path_prefix(const char *path, struct path_place *out)
{
	/* Most paths are none of these, and their second byte says so. */
	if (path[0] != '/' || (path[1] != 'p' && path[1] != 'd' && path[1] != 's' && path[1] != 'h'))
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t length = strlen(prefixes[i].prefix);
		if (strncmp(path, prefixes[i].prefix, length) || (path[length] && path[length] != '/'))
			continue;
		*out = (struct path_place){ prefixes[i].scheme, strlen(prefixes[i].scheme), skip_slashes(path + length) };
		return true;
	}
	if (strncmp(path, SCHEME_PREFIX, sizeof(SCHEME_PREFIX) - 1))
		return false;
	const char *name = skip_slashes(path + sizeof(SCHEME_PREFIX) - 1), *end = strchr(name, '/');
	size_t length = end ? (size_t)(end - name) : strlen(name);
	*out = (struct path_place){ name, length, skip_slashes(name + length) };
	return length != 0;
}

/* Appends path's components to to[0..at): the new length. */
static int64_t append(const char *path, char *to, size_t at, size_t bytes)
{
	while (*(path = skip_slashes(path))) {
		const char *end = strchr(path, '/');
		size_t length = end ? (size_t)(end - path) : strlen(path);
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (at && to[--at] != '/')
				;
		} else if (length != 1 || path[0] != '.') {
			if (at + 1 + length + 1 > bytes)
				return ERR_NAMETOOLONG;
			to[at++] = '/';
			memcpy(to + at, path, length);
			at += length;
		}
		path += length;
	}
	return (int64_t)at;
}

int64_t path_normalize(const char *base, const char *path, char *to, size_t bytes)
{
	int64_t at = 0;

	if (*path != '/' && (at = append(base, to, 0, bytes)) < 0)
		return at;
	if ((at = append(path, to, (size_t)at, bytes)) < 0)
		return at;
	if (at == 0)
		to[at++] = '/';
	to[at] = 0;
	return at;
}
