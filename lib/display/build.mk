# start.c alone makes system calls.
HOST_SKIP := start.c
