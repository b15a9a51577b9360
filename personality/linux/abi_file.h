/* personality/linux/abi_file.h - the files' half of the Linux x86_64 ABI (asm-generic and x86 uapi values). */
#pragma once
#include <stdint.h>
#include "lib/base/assert.h"

enum linux_open_flags {
	LINUX_O_RDONLY = 0, LINUX_O_WRONLY = 1, LINUX_O_RDWR = 2, LINUX_O_ACCMODE = 3, LINUX_O_CREAT = 0100, LINUX_O_EXCL = 0200,
	LINUX_O_NOCTTY = 0400, LINUX_O_TRUNC = 01000, LINUX_O_APPEND = 02000, LINUX_O_NONBLOCK = 04000, LINUX_O_DSYNC = 010000,
	LINUX_O_ASYNC = 020000, LINUX_O_DIRECT = 040000, LINUX_O_LARGEFILE = 0100000, LINUX_O_DIRECTORY = 0200000,
	LINUX_O_NOFOLLOW = 0400000, LINUX_O_NOATIME = 01000000, LINUX_O_CLOEXEC = 02000000, LINUX_O_SYNC = 04010000,
	LINUX_O_PATH = 010000000, LINUX_O_TMPFILE = 020200000,
};

enum linux_fcntl {
	LINUX_F_DUPFD = 0, LINUX_F_GETFD = 1, LINUX_F_SETFD = 2, LINUX_F_GETFL = 3, LINUX_F_SETFL = 4, LINUX_F_GETLK = 5,
	LINUX_F_SETLK = 6, LINUX_F_SETLKW = 7, LINUX_F_SETOWN = 8, LINUX_F_GETOWN = 9, LINUX_F_OFD_GETLK = 36,
	LINUX_F_OFD_SETLK = 37, LINUX_F_OFD_SETLKW = 38, LINUX_F_DUPFD_CLOEXEC = 1030, LINUX_F_SETPIPE_SZ = 1031,
	LINUX_F_GETPIPE_SZ = 1032, LINUX_FD_CLOEXEC = 1,
	LINUX_F_RDLCK = 0, LINUX_F_WRLCK = 1, LINUX_F_UNLCK = 2,
	LINUX_LOCK_SH = 1, LINUX_LOCK_EX = 2, LINUX_LOCK_NB = 4, LINUX_LOCK_UN = 8,
};

enum linux_at {
	LINUX_AT_REMOVEDIR = 0x200, LINUX_AT_EACCESS = 0x200, LINUX_AT_SYMLINK_FOLLOW = 0x400,
	LINUX_AT_NO_AUTOMOUNT = 0x800, LINUX_AT_STATX_SYNC_TYPE = 0x6000,
	LINUX_RENAME_NOREPLACE = 1, LINUX_RENAME_EXCHANGE = 2, LINUX_UTIME_NOW = 0x3fffffff, LINUX_UTIME_OMIT = 0x3ffffffe,
	LINUX_FALLOC_KEEP_SIZE = 1, LINUX_FALLOC_PUNCH_HOLE = 2, LINUX_FALLOC_ZERO_RANGE = 16,
	LINUX_CLOSE_RANGE_CLOEXEC = 4, LINUX_IOV_MAX = 1024, LINUX_SEEK_DATA = 3, LINUX_SEEK_HOLE = 4,
};

enum linux_ioctl {
	LINUX_TCGETS = 0x5401, LINUX_TCSETS = 0x5402, LINUX_TCSETSW = 0x5403, LINUX_TCSETSF = 0x5404, LINUX_TCSBRK = 0x5409,
	LINUX_TCXONC = 0x540a, LINUX_TCFLSH = 0x540b, LINUX_TIOCSCTTY = 0x540e, LINUX_TIOCGPGRP = 0x540f,
	LINUX_TIOCSPGRP = 0x5410, LINUX_TIOCOUTQ = 0x5411, LINUX_TIOCSTI = 0x5412, LINUX_TIOCGWINSZ = 0x5413,
	LINUX_TIOCSWINSZ = 0x5414, LINUX_FIONREAD = 0x541b, LINUX_TIOCPKT = 0x5420, LINUX_FIONBIO = 0x5421,
	LINUX_TIOCNOTTY = 0x5422, LINUX_TCSBRKP = 0x5425, LINUX_TIOCGSID = 0x5429, LINUX_TIOCGPTPEER = 0x5441,
	LINUX_FIONCLEX = 0x5450, LINUX_FIOCLEX = 0x5451,
};
/* linux/fs.h: block devices. */
enum {
	LINUX_IOCTL_BLOCK = 0x12,
	LINUX_BLKROGET = 0x125e, LINUX_BLKRRPART = 0x125f, LINUX_BLKGETSIZE = 0x1260, LINUX_BLKFLSBUF = 0x1261, LINUX_BLKSSZGET = 0x1268, LINUX_BLKDISCARD = 0x1277,
	LINUX_BLKIOMIN = 0x1278, LINUX_BLKIOOPT = 0x1279, LINUX_BLKALIGNOFF = 0x127a, LINUX_BLKPBSZGET = 0x127b, LINUX_BLKROTATIONAL = 0x127e,
	LINUX_BLKZEROOUT = 0x127f,
};
#define LINUX_BLKBSZGET    0x80081270u
#define LINUX_BLKGETSIZE64 0x80081272u
#define LINUX_TCGETS2    0x802c542au
#define LINUX_TCSETS2    0x402c542bu
#define LINUX_TCSETSW2   0x402c542cu
#define LINUX_TCSETSF2   0x402c542du
#define LINUX_TIOCGPTN   0x80045430u
#define LINUX_TIOCSPTLCK 0x40045431u
enum { LINUX_TERMIOS_BYTES = 36, LINUX_TERMIOS2_BYTES = 44 };

struct linux_iovec { uint64_t base, bytes; };

struct linux_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	int64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	int64_t unused[3];
};
STATIC_ASSERT(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_statx_time { int64_t seconds; uint32_t nanoseconds; int32_t pad; };
struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, pad1[13];
};
STATIC_ASSERT(sizeof(struct linux_statx) == 256, "struct statx");
enum { LINUX_STATX_BASIC = 0x7ff, LINUX_STATX_BTIME = 0x800 };

struct linux_statfs {
	int64_t type, bsize, blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};
STATIC_ASSERT(sizeof(struct linux_statfs) == 120, "struct statfs");

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	/* name, 0-terminated, at byte 19 */
} __attribute__((packed));

struct linux_flock {
	int16_t type, whence;
	int32_t pad;
	int64_t start, len;
	int32_t pid, pad2;
};

struct linux_pollfd { int32_t fd; int16_t events, revents; };
struct linux_epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));
enum {
	LINUX_POLLRDNORM = 0x40, LINUX_POLLRDBAND = 0x80, LINUX_POLLWRNORM = 0x100, LINUX_POLLWRBAND = 0x200,
	LINUX_EPOLL_ADD = 1, LINUX_EPOLL_DEL = 2, LINUX_EPOLL_MOD = 3, LINUX_FD_SETSIZE = 1024,
};
#define LINUX_EPOLLONESHOT (1u << 30)
#define LINUX_EPOLLET      (1u << 31)
