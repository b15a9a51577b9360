/* personality/linux/tty.c - terminals. */
#include "personality/linux/tty.h"
#include "abi/proto/posix.h"
#include "abi/proto/tty.h"
#include "personality/linux/call.h"

/* ---- job control ---- */

static bool is_blocked_or_ignored(struct thread *t, uint32_t signal)
{
	struct process *p = t->process;

	lock_take(&p->lock);
	bool ignored = signal_effect(&p->signal, signal) == SIGNAL_IGNORE;
	lock_release(&p->lock);
	return ignored || t->mask & LINUX_SIGNAL_BIT(signal);
}

/* Signals our own group; it acts at this call's end, and then the call is done again. */
static int64_t signal_own_group(struct thread *t, uint32_t signal)
{
	struct posix_signal kill = { .target = 0, .signal = signal };
	int64_t result = native_call(process_posix(t->process), POSIX_KILL, 0, &kill, sizeof(kill), NULL, 0, 0);

	return result < 0 ? ERR_IO : -LINUX_ERESTARTSYS;
}

int64_t tty_background_read(struct thread *t)
{
	return is_blocked_or_ignored(t, LINUX_SIGTTIN) ? ERR_IO : signal_own_group(t, LINUX_SIGTTIN);
}

int64_t tty_background_change(struct thread *t)
{
	enum { ORPHANED = 1 };

	if (is_blocked_or_ignored(t, LINUX_SIGTTOU))
		return 0;
	/* An orphaned group would not stop, and ask again for ever. */
	int64_t state = native_call(process_posix(t->process), POSIX_GROUP_STATE, 0, NULL, 0, NULL, 0, 0);
	return state > 0 && state & ORPHANED ? ERR_IO : signal_own_group(t, LINUX_SIGTTOU);
}

/* ---- ioctl ---- */

struct tty_request {
	enum code code;
	const void *in;
	size_t in_bytes;
	void *out;
	size_t out_bytes;
	uint64_t word;
};

static int64_t ask(uint64_t fd, const struct tty_request *q, uint32_t more_flags)
{
	return native_call((handle_t)fd, q->code, REQUEST_INTERRUPTIBLE | more_flags, q->in, q->in_bytes, q->out, q->out_bytes,
	                   q->word);
}

static int64_t request(struct thread *t, uint64_t fd, const struct tty_request *q)
{
	/* Said at once, since the terminal's server refuses an orphaned group (a login shell's, say) for good. */
	uint32_t flags = is_blocked_or_ignored(t, LINUX_SIGTTOU) ? REQUEST_FROM_BACKGROUND : 0;
	int64_t result = ask(fd, q, flags);

	if (result == ERR_BACKGROUND) {
		if ((result = tty_background_change(t)))
			return result;
		result = ask(fd, q, REQUEST_FROM_BACKGROUND);
	}
	return call_interrupted(result);
}

/* A code with nothing but a word. */
static int64_t word_request(struct thread *t, uint64_t fd, enum code code, uint64_t word)
{
	return request(t, fd, &(struct tty_request){ .code = code, .word = word });
}

/* A number that comes back goes to the program's int. */
static int64_t int_request(struct thread *t, uint64_t fd, enum code code, uint64_t word, uint64_t argument)
{
	int64_t result = word_request(t, fd, code, word);
	int32_t value = (int32_t)result;
	return result < 0 ? result : user_write(argument, &value, sizeof(value));
}

static int64_t get_modes(struct thread *t, uint64_t fd, uint64_t argument, size_t bytes)
{
	struct tty_modes modes;
	int64_t result = request(t, fd, &(struct tty_request){ .code = TTY_GET, .out = &modes, .out_bytes = sizeof(modes) });
	return result < 0 ? result : user_write(argument, &modes, bytes);
}

/* struct tty_modes begins as struct termios and is struct termios2. */
STATIC_ASSERT(sizeof(struct tty_modes) == LINUX_TERMIOS2_BYTES, "struct termios2");

static int64_t set_modes(struct thread *t, uint64_t fd, uint64_t argument, size_t bytes, enum tty_when when)
{
	struct tty_modes modes;
	int64_t result = ask(fd, &(struct tty_request){ .code = TTY_GET, .out = &modes, .out_bytes = sizeof(modes) }, 0);

	if (result < 0)
		return result;
	if ((result = user_read(&modes, argument, bytes)) < 0)
		return result;
	return request(t, fd, &(struct tty_request){ .code = TTY_SET, .in = &modes, .in_bytes = sizeof(modes), .word = when });
}

static int64_t get_size(struct thread *t, uint64_t fd, uint64_t argument)
{
	struct tty_size size;
	int64_t result = request(t, fd, &(struct tty_request){ .code = TTY_GET_SIZE, .out = &size, .out_bytes = sizeof(size) });
	return result < 0 ? result : user_write(argument, &size, sizeof(size));
}

static int64_t set_size(struct thread *t, uint64_t fd, uint64_t argument)
{
	struct tty_size size;
	int64_t result = user_read(&size, argument, sizeof(size));
	return result < 0 ? result
	                  : request(t, fd, &(struct tty_request){ .code = TTY_SET_SIZE, .in = &size, .in_bytes = sizeof(size) });
}

/* A code whose word is the program's int. */
static int64_t from_int(struct thread *t, uint64_t fd, enum code code, uint64_t argument)
{
	int32_t value;
	int64_t result = user_read(&value, argument, sizeof(value));
	return result < 0 ? result : word_request(t, fd, code, (uint32_t)value);
}

static int64_t inject(struct thread *t, uint64_t fd, uint64_t argument)
{
	char byte;
	int64_t result = user_read(&byte, argument, 1);
	return result < 0 ? result : request(t, fd, &(struct tty_request){ .code = TTY_INJECT, .in = &byte, .in_bytes = 1 });
}

/* The peer comes as a private handle and becomes an fd. */
static int64_t open_peer(uint64_t fd, uint64_t linux_flags)
{
	handle_t peer;
	int64_t result = native_call_handle((handle_t)fd, PTY_PEER, 0, HANDLE_NONE, NULL, 0, NULL, 0,
	                                    file_open_flags((uint32_t)linux_flags), &peer);
	if (result < 0)
		return result;
	result = native(OP_DUP, 0, peer, 0, linux_flags & LINUX_O_CLOEXEC ? DUP_CLOEXEC : 0, RIGHT_ALL, 0, 0, 0);
	native_close(peer);
	return result;
}

int64_t tty_ioctl(struct thread *t, uint64_t fd, uint32_t number, uint64_t argument)
{
	switch (number) {
	case LINUX_TCGETS:
		return get_modes(t, fd, argument, LINUX_TERMIOS_BYTES);
	case LINUX_TCGETS2:
		return get_modes(t, fd, argument, LINUX_TERMIOS2_BYTES);
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
		return set_modes(t, fd, argument, LINUX_TERMIOS_BYTES, (enum tty_when)(number - LINUX_TCSETS));
	case LINUX_TCSETS2:
	case LINUX_TCSETSW2:
	case LINUX_TCSETSF2:
		return set_modes(t, fd, argument, LINUX_TERMIOS2_BYTES, (enum tty_when)(number - LINUX_TCSETS2));
	case LINUX_TCSBRK:
		return word_request(t, fd, argument ? TTY_DRAIN : TTY_BREAK, 0);
	case LINUX_TCSBRKP:
		return word_request(t, fd, TTY_BREAK, 0);
	case LINUX_TCXONC:
		return word_request(t, fd, TTY_FLOW, argument);
	case LINUX_TCFLSH:
		return argument > 2 ? ERR_INVAL : word_request(t, fd, TTY_FLUSH, argument + 1);
	case LINUX_TIOCSCTTY:
		return word_request(t, fd, TTY_ACQUIRE, argument);
	case LINUX_TIOCNOTTY:
		return word_request(t, fd, TTY_RELEASE, 0);
	case LINUX_TIOCGPGRP:
		return int_request(t, fd, TTY_GET_GROUP, 0, argument);
	case LINUX_TIOCSPGRP:
		return from_int(t, fd, TTY_SET_GROUP, argument);
	case LINUX_TIOCGSID:
		return int_request(t, fd, TTY_GET_SESSION, 0, argument);
	case LINUX_TIOCOUTQ:
		return int_request(t, fd, TTY_PENDING, 2, argument);
	case LINUX_TIOCGWINSZ:
		return get_size(t, fd, argument);
	case LINUX_TIOCSWINSZ:
		return set_size(t, fd, argument);
	case LINUX_TIOCSTI:
		return inject(t, fd, argument);
	case LINUX_TIOCGPTN:
		return int_request(t, fd, PTY_NUMBER, 0, argument);
	case LINUX_TIOCSPTLCK:
		return from_int(t, fd, PTY_LOCK, argument);
	case LINUX_TIOCPKT:
		return from_int(t, fd, PTY_PACKET, argument);
	case LINUX_TIOCGPTPEER:
		return open_peer(fd, argument);
	default:
		return ERR_NOTTY;
	}
}
