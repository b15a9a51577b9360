/* servers/execd/session_fuzz.c - any bytes from the line, while the command talks. */
#include "lib/base/assert.h"
#include "lib/base/bits.h"
#include "servers/execd/command.h"
#include "servers/execd/session.h"

static void command_try(const struct session *s)
{
	struct command c;

	if (command_parse(s->command, s->command_bytes, &c))
		return;
	ASSERT(c.arguments[0] && !c.arguments[c.argument_count] && !c.environment[c.environment_count]);
	(void)command_environment(&c, "PATH");
	command_free(&c);
}

static void move(struct session *s, uint8_t choice)
{
	static const uint8_t block[EXEC_PAYLOAD_MAX];
	const uint8_t *bytes;

	for (unsigned c = EXEC_STDOUT; c < SESSION_CHANNELS; c++) {
		session_put(s, c, block, session_room(s, c) / (1 + (choice & 3)));
		if ((choice & 0x70) == 0x70)
			session_put_end(s, c);
	}
	session_stdin_taken(s, session_stdin(s, &bytes));
	session_sent(s, session_output(s, &bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	struct exec_frame f = { EXEC_HELLO, 0, sizeof(struct exec_hello) };
	struct exec_hello hello = { EXEC_MAGIC, EXEC_VERSION, 0 };

	if (session_init(&s))
		return 0;
	session_hello(&s);
	session_feed(&s, (uint8_t *)&f, sizeof f);
	session_feed(&s, (uint8_t *)&hello, sizeof hello);
	while (size > 0) {
		size_t n = MIN_OF(size, (size_t)(1 + data[0] % 32));
		session_feed(&s, data, n);
		if (s.state == SESSION_READY) {
			command_try(&s);
			session_begin(&s);
		}
		move(&s, data[0]);
		if (s.is_broken)
			session_hello(&s);
		data += n;
		size -= n;
	}
	session_fini(&s);
	return 0;
}
