# All but the heap is system calls; the heap is calloc on the host.
HOST_SKIP := bootfs.c fiber.c handle.c mutex.c physical.c print.c ring.c spawn.c startup.c thread.c
