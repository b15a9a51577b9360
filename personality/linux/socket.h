/* personality/linux/socket.h - what the parts of AF_UNIX share: socket.c (making and joining), message.c (sending and receiving).
 *
 * A socket is the kernel's: an end of two pipes (abi/proto/kernel.def), so that what flows needs no server. The state word
 * that the kernel keeps for us says what it does not care for.
 */
#pragma once
#include "abi/proto/kernel.h"
#include "personality/linux/abi_socket.h"
#include "personality/linux/call.h"

enum socket_state {
	SOCKET_LISTENS = 1 << 0,
	SOCKET_PASSES_CREDENTIALS = 1 << 1,     /* SO_PASSCRED */
	SOCKET_HAS_PEER = 1 << 2,               /* peer_... in its info is set */
};

/* ENOTSOCK for what is none, EBADF. */
int64_t socket_info(uint64_t fd, struct pipe_info *out) NONNULL;
/* The write end that a program's address names: a private handle. EINVAL, ECONNREFUSED and what walking a path says. */
int64_t socket_find(struct thread *t, uint64_t address, uint64_t bytes) NONNULL;
/* A name as a sockaddr_un to *address, of which *length bytes are there; the whole length to *length. length 0: nothing. */
int64_t socket_write_name(uint64_t address, uint64_t length, const char *name, uint32_t name_bytes);
/* A protocol's answer as Linux says it of sockets. */
static inline int64_t socket_result(int64_t result) { return result == ERR_NOTTY ? -LINUX_ENOTSOCK : call_interrupted(result); }
/* Who is at the other side: SO_PEERCRED. */
struct linux_ucred socket_peer(handle_t h, const struct pipe_info *own) NONNULL;
