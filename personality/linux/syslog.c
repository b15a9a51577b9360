/* personality/linux/syslog.c - syslog(2), which dmesg reads the log with: that of logd, where the kernel's messages are too. */
#include "abi/proto/codes.h"
#include "personality/linux/call.h"
#include "personality/linux/entry.h"

enum {
	SYSLOG_CLOSE = 0, SYSLOG_OPEN = 1, SYSLOG_READ_ALL = 3, SYSLOG_READ_CLEAR = 4, SYSLOG_CLEAR = 5,
	SYSLOG_CONSOLE_OFF = 6, SYSLOG_CONSOLE_ON = 7, SYSLOG_CONSOLE_LEVEL = 8, SYSLOG_UNREAD_BYTES = 9, SYSLOG_BUFFER_BYTES = 10,
	LOG_BYTES = 256 * 1024,         /* as logd keeps */
	CHUNK_BYTES = 1024,
};

static int64_t log_open(void)
{
	int64_t log = NATIVE_OPEN("log", "", OPEN_READ | OPEN_PRIVATE);

	return log == ERR_NODEV || log == ERR_NOENT ? ERR_PERM : log;
}

/* Reads up to `most` bytes away; how many there were. */
static int64_t log_skip(handle_t log, uint64_t most)
{
	char chunk[CHUNK_BYTES];
	uint64_t total = 0;
	int64_t result = 1;

	while (total < most && result > 0) {
		uint64_t want = most - total < sizeof(chunk) ? most - total : sizeof(chunk);
		result = native(OP_READ, REQUEST_NONBLOCK, log, (uint64_t)chunk, want, (uint64_t)-1, 0, 0, 0);
		if (result > 0)
			total += (uint64_t)result;
	}
	return result < 0 ? result : (int64_t)total;
}

static int64_t log_bytes(void)
{
	int64_t log = log_open(), result;

	if (log < 0)
		return log;
	result = log_skip((handle_t)log, UINT64_MAX);
	(void)native_close((handle_t)log);
	return result;
}

/* The newest bytes that fit. */
static int64_t log_read_end(uint64_t buffer, uint64_t bytes)
{
	int64_t total = log_bytes(), log, result = 0;
	uint64_t done = 0;

	if (total < 0)
		return total;
	if ((log = log_open()) < 0)
		return log;
	if ((uint64_t)total > bytes)
		result = log_skip((handle_t)log, (uint64_t)total - bytes);
	while (result >= 0 && done < bytes) {
		result = native(OP_READ, REQUEST_NONBLOCK, (handle_t)log, buffer + done, bytes - done, (uint64_t)-1, 0, 0, 0);
		if (result <= 0)
			break;
		done += (uint64_t)result;
	}
	(void)native_close((handle_t)log);
	return done ? (int64_t)done : result;
}

int64_t linux_syslog(struct thread *t, const uint64_t *a)
{
	(void)t;
	switch (a[0]) {
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return (int32_t)a[2] < 0 ? ERR_INVAL : log_read_end(a[1], (uint32_t)a[2]);
	case SYSLOG_BUFFER_BYTES:
		return LOG_BYTES;
	case SYSLOG_UNREAD_BYTES:
		return log_bytes();
	case SYSLOG_CLOSE: case SYSLOG_OPEN: case SYSLOG_CLEAR:
	case SYSLOG_CONSOLE_OFF: case SYSLOG_CONSOLE_ON: case SYSLOG_CONSOLE_LEVEL:
		return 0;
	default:
		return ERR_INVAL;
	}
}
