/* personality/linux/abi_socket.h - the sockets' part of the Linux x86_64 ABI (sys/socket.h, sys/un.h). */
#pragma once
#include <stdint.h>
#include "lib/base/assert.h"

enum linux_socket {
	LINUX_AF_UNIX = 1,
	LINUX_SOCK_STREAM = 1, LINUX_SOCK_DGRAM = 2, LINUX_SOCK_RAW = 3, LINUX_SOCK_SEQPACKET = 5, LINUX_SOCK_TYPE = 0xf,
	LINUX_SOCK_NONBLOCK = 04000, LINUX_SOCK_CLOEXEC = 02000000,
};

enum linux_msg {
	LINUX_MSG_OOB = 1, LINUX_MSG_PEEK = 2, LINUX_MSG_CTRUNC = 8, LINUX_MSG_TRUNC = 0x20, LINUX_MSG_DONTWAIT = 0x40,
	LINUX_MSG_EOR = 0x80, LINUX_MSG_WAITALL = 0x100, LINUX_MSG_NOSIGNAL = 0x4000, LINUX_MSG_CMSG_CLOEXEC = 0x40000000,
};

enum linux_sockopt {
	LINUX_SOL_SOCKET = 1,
	LINUX_SO_DEBUG = 1, LINUX_SO_REUSEADDR = 2, LINUX_SO_TYPE = 3, LINUX_SO_ERROR = 4, LINUX_SO_BROADCAST = 6, LINUX_SO_SNDBUF = 7,
	LINUX_SO_RCVBUF = 8, LINUX_SO_KEEPALIVE = 9, LINUX_SO_PRIORITY = 12, LINUX_SO_LINGER = 13, LINUX_SO_REUSEPORT = 15,
	LINUX_SO_PASSCRED = 16, LINUX_SO_PEERCRED = 17, LINUX_SO_RCVTIMEO = 20, LINUX_SO_SNDTIMEO = 21, LINUX_SO_ACCEPTCONN = 30,
	LINUX_SO_PROTOCOL = 38, LINUX_SO_DOMAIN = 39,
	LINUX_SCM_RIGHTS = 1, LINUX_SCM_CREDENTIALS = 2, LINUX_SCM_MAX_FD = 253,
};

struct linux_sockaddr_un { uint16_t family; char path[108]; };
struct linux_ucred { uint32_t pid, uid, gid; };
struct linux_cmsghdr { uint64_t len; int32_t level, type; };
struct linux_msghdr {
	uint64_t name;
	uint32_t name_bytes, pad;
	uint64_t vector, count;
	uint64_t control, control_bytes;
	int32_t flags, pad2;
};
STATIC_ASSERT(sizeof(struct linux_msghdr) == 56, "struct msghdr");
struct linux_mmsghdr { struct linux_msghdr header; uint32_t bytes, pad; };
