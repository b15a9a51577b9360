# driver.c is system calls; on the host a test stands in for it.
HOST_SKIP := driver.c interrupt.c
