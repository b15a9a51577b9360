# posix.c is system calls.
HOST_SKIP := posix.c
