/* personality/linux/script.c - the #! line. */
#include "lib/base/string.h"
#include "personality/linux/exec.h"

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static char *skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* As Linux: one interpreter, and all the rest of the line is one argument, without blanks at its ends. */
bool exec_parse_script(char *start, size_t bytes, char **interpreter, char **argument, bool *is_broken)
{
	*is_broken = false;
	if (bytes < 2 || start[0] != '#' || start[1] != '!')
		return false;
	char *end = memchr(start, '\n', bytes);
	*is_broken = true;
	/* A line that does not end within the bytes may be cut in its middle. */
	if (!end && bytes == EXEC_START_BYTES)
		return false;
	if (!end)
		end = start + bytes;
	if (memchr(start, 0, (size_t)(end - start)))
		return false;
	*end = 0;
	while (end > start + 2 && is_blank(end[-1]))
		*--end = 0;
	char *path = skip_blanks(start + 2);
	if (!*path)
		return false;
	char *rest = path;
	while (*rest && !is_blank(*rest))
		rest++;
	if (*rest) {
		*rest = 0;
		rest = skip_blanks(rest + 1);
	}
	*interpreter = path;
	*argument = *rest ? rest : NULL;
	*is_broken = false;
	return true;
}
