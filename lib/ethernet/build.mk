# open.c is system calls.
HOST_SKIP := open.c
